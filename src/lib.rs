//! market-hub (map comes with the modules).

pub mod market;
