//! The rows of the table, a file for what belongs together.

mod books;
mod clock;
mod cluster;
mod endurance;
mod instances;
mod kills;
mod metrics;
mod network;
mod outages;
mod poison;
mod pressure;
mod stops;
mod topics;
mod transactions;
