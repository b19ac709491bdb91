//! market-hub (map comes with the modules).

pub mod decimal;
pub mod json;
pub mod market;
pub mod outcome;
pub mod rules;
