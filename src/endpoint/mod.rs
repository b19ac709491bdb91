//! What an operator sees of a run, over HTTP: metrics, health, readiness, status, settings, and a live page. Nothing can be changed through it.
//!
//! ```text
//!  run ══ board: copies now and then ══▶ Watch (rates, history, health) ──▶ Status ──▶ /status /ready, the page, /metrics
//!      ══ samples (bounded) ══▶ thread `samples`: Passing ──▲                        one thread `endpoint`, few connections
//! ```
//! Both threads run on housekeeping CPUs, and no worker ever waits for them. A port that is taken is tried again while data goes on.

mod clients;
mod connection;
pub mod drift;
mod metrics;
mod passing;
mod process;
mod recent;
mod request;
mod response;
mod routes;
mod server;
pub mod status;
mod watch;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use parking_lot::Mutex;

use crate::config::{Config, Row};
use crate::observe::Board;
use crate::runtime::{CpuPlan, allowed_cpus, confine_current_thread};
use passing::Passing;
use routes::Routes;
use server::Server;
use watch::Watch;

/// The endpoint of a run. Dropped, it ends.
#[derive(Debug)]
pub struct Endpoint {
    stop: Arc<AtomicBool>,
    address: Arc<OnceLock<SocketAddr>>,
}

impl Endpoint {
    /// Starts the endpoint, where the settings want one. `settings` are what `/config` shows. Never fails: without it data goes on, and the log says why.
    #[must_use]
    pub fn start(config: &Arc<Config>, settings: Vec<Row>, board: &Arc<Board>) -> Self {
        let (stop, bound) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
        if let (Some(address), Some(samples)) = (config.endpoint, board.samples()) {
            let passing = Arc::new(Mutex::new(Passing::new(config)));
            let watch = Watch::new(Arc::clone(config), Arc::clone(board), Arc::clone(&passing));
            let server = Server::new(address, Routes::new(watch, settings), Arc::clone(&stop), Arc::clone(&bound));
            spawn("endpoint", config, move || server.run());
            let is_over = Arc::clone(&stop);
            spawn("samples", config, move || passing::run(&passing, &samples, &is_over));
        }
        Self { stop, address: bound }
    }

    /// Where it listens; `None` until it does.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

/// Starts a thread on the housekeeping CPUs.
fn spawn(name: &str, config: &Config, work: impl FnOnce() + Send + 'static) {
    let (plan, _) = CpuPlan::new(&config.placement, &allowed_cpus(), config.lanes.len());
    let confined = move || {
        if !plan.housekeeping.is_empty() {
            // The run says it where the system refuses.
            let _ = confine_current_thread(&plan.housekeeping);
        }
        work();
    };
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(confined) {
        log::warn!("thread {name} cannot start, so that the endpoint is incomplete: {error}");
    }
}
