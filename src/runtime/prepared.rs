//! What a run finds out before anything is read: brokers, topics, groups, and where every lane starts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::host_lock::HostLock;
use super::{LOOK_AROUND, RunError, spawn};
use crate::checkpoint::Claim;
use crate::config::{Config, Delivery, LaneId};
use crate::kafka::{self, Cluster, Groups, Outputs, Producer, Start};

/// See the module.
pub(super) struct Prepared {
    pub(super) cluster: Cluster,
    pub(super) groups: Groups,
    pub(super) starts: BTreeMap<LaneId, Start>,
    pub(super) producers: Producers,
    /// What no other process on this host may have as long as this one runs.
    pub(super) locks: Vec<HostLock>,
}

/// What sends.
pub(super) enum Producers {
    One(Producer),
    ForEachLane { claim: Claim, outputs: Arc<Outputs>, producers: BTreeMap<LaneId, Producer> },
}

impl Prepared {
    /// Prepares on a thread of its own, for requests to brokers that are away take seconds, which a signal shall not. `None` when it came to that.
    pub(super) fn unless_stopped(config: &Arc<Config>, stop: &AtomicBool) -> Result<Option<Self>, RunError> {
        let config = Arc::clone(config);
        let thread = spawn("start", config.placement.worker_stack_bytes, None, move || Self::new(&config))?;
        while !thread.is_finished() {
            if stop.load(Ordering::Acquire) {
                return Ok(None);
            }
            thread::sleep(LOOK_AROUND);
        }
        thread.join().unwrap_or_else(|_| Err(RunError::Died("the start died: this is a fault of the program".to_owned()))).map(Some)
    }

    fn new(config: &Arc<Config>) -> Result<Self, RunError> {
        // Clients first: whatever librdkafka has against the settings is said before brokers are awaited.
        let cluster = Cluster::new(config).map_err(RunError::Refused)?;
        let producer = Producer::new(config).map_err(RunError::Refused)?;
        let groups = kafka::groups(config).map_err(RunError::Refused)?;
        log::info!("{} lanes, brokers {}", config.lanes.len(), config.brokers);
        let deadline = Instant::now() + config.start_deadline;
        let known = cluster.wait_for_topics(deadline).map_err(RunError::Unavailable)?;
        kafka::refuse_members(&groups, deadline).map_err(RunError::Unavailable)?;
        cluster.uncovered(&known).iter().for_each(|warning| log::warn!("{warning}"));
        match config.delivery {
            Delivery::AtLeastOnce => {
                let locks = HostLock::take_all(config, &cluster.id(deadline)).map_err(RunError::Unavailable)?;
                let starts = kafka::starts(config, &groups, deadline).map_err(RunError::Unavailable)?;
                Ok(Self { cluster, groups, starts, producers: Producers::One(producer), locks })
            }
            Delivery::ExactlyOnce => {
                let claim = new_claim();
                let outputs = Arc::new(Outputs::new(config).map_err(RunError::Refused)?);
                let taken = kafka::take_over_all(config, &groups, &outputs, claim, deadline)?;
                let starts = taken.iter().map(|(&lane, (_, start))| (lane, *start)).collect();
                let producers = taken.into_iter().map(|(lane, (producer, _))| (lane, producer)).collect();
                Ok(Self { cluster, groups, starts, producers: Producers::ForEachLane { claim, outputs, producers }, locks: Vec::new() })
            }
        }
    }
}

/// What no other instance has, and greater than that of every earlier one: the moment, and of the process as much as there is room for.
fn new_claim() -> Claim {
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_micros() as u64);
    Claim(moment << 12 | u64::from(std::process::id()) & 0xfff)
}
