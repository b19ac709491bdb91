//! market-hub (map comes with the modules).

pub mod batch;
pub mod book;
pub mod cli;
pub mod config;
pub mod decimal;
pub mod demo;
pub mod encode;
pub mod envelope;
pub mod event_time;
pub mod exchange;
pub mod feed;
pub mod json;
pub mod kafka;
pub mod lane;
pub mod market;
pub mod observe;
pub mod outcome;
pub mod replay;
pub mod rules;
pub mod runtime;
pub mod ticker;
pub mod watermark;
