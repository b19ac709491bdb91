//! market-hub (map comes with the modules).

pub mod book;
pub mod decimal;
pub mod event_time;
pub mod exchange;
pub mod json;
pub mod market;
pub mod outcome;
pub mod rules;
pub mod ticker;
