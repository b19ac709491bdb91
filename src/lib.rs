//! market-hub (map comes with the modules).

pub mod config;
pub mod market;
pub mod rules;
