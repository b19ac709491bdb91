//! market-hub (map comes with the modules).

pub mod feed;
pub mod market;
pub mod rules;
