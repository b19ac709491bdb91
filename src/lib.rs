//! market-hub (map comes with the modules).

pub mod market;
pub mod rules;
