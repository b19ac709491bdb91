//! The writer beside a hub: in a thread of its own, off the workers' CPUs. What ends it is an alarm, and tried again after a growing pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Error, run};
use crate::config::Config;
use crate::observe::{Board, SinkSight};
use crate::runtime::{CpuPlan, allowed_cpus, confine_current_thread};

/// The first pause after a failure, and the longest. A session that lasted longer than that begins with the first again.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How often it is looked whether all shall stop.
const LOOK: Duration = Duration::from_millis(50);

/// See the module.
pub struct Beside(JoinHandle<Result<(), Error>>);

impl Beside {
    /// Starts the thread; those that it starts, and librdkafka's, inherit its CPUs.
    ///
    /// # Errors
    /// It cannot start.
    pub fn start(config: &Arc<Config>, stop: &Arc<AtomicBool>, board: &Arc<Board>) -> Result<Self, Error> {
        let (config, stop, board) = (Arc::clone(config), Arc::clone(stop), Arc::clone(board));
        board.put_sink(SinkSight::default());
        let work = move || {
            let (plan, _) = CpuPlan::new(&config.placement, &allowed_cpus(), config.lanes.len());
            // The hub says so itself where the system refuses.
            let _ = plan.housekeeping.is_empty() || confine_current_thread(&plan.housekeeping).is_ok();
            supervise(&config, &stop, &board)
        };
        let thread = thread::Builder::new().name("s3-sink".to_owned()).spawn(work);
        thread.map(Self).map_err(|error| Error::Died(format!("the thread of the sink cannot start: {error}")))
    }

    /// Waits for its end, which comes when the flag that it was started with is set.
    ///
    /// # Errors
    /// What was not committed by then, or a thread that died.
    pub fn join(self) -> Result<(), Error> {
        self.0.join().unwrap_or_else(|_| Err(Error::Died("the thread of the sink died: this is a fault of the program".to_owned())))
    }
}

fn supervise(config: &Config, stop: &AtomicBool, board: &Board) -> Result<(), Error> {
    let mut pause = PAUSE.0;
    loop {
        let began = Instant::now();
        let error = match run(config, stop, Some(board)) {
            Ok(()) => return Ok(()),
            Err(error @ Error::Uncommitted(_)) => return Err(error),
            Err(error) => error,
        };
        if stop.load(Ordering::Acquire) {
            return Ok(());
        }
        if began.elapsed() > PAUSE.1 {
            pause = PAUSE.0;
        }
        log::error!("sink ERR: nothing is written to the store: {error}; the hub goes on, and the sink tries again in {} s", pause.as_secs());
        let parts = board.sink().map_or_else(Vec::new, |sight| sight.parts.clone());
        board.put_sink(SinkSight { failure: Some(error.to_string()), parts });
        let until = Instant::now() + pause;
        while Instant::now() < until && !stop.load(Ordering::Acquire) {
            thread::sleep(LOOK);
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}
