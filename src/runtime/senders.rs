//! The threads that send: one producer for all lanes with at-least-once delivery, transactions with exactly-once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

use super::parcel::{Answer, Parcel};
use super::placement::CpuPlan;
use super::sender::BatchSender;
use super::shared::Shared;
use super::transacted::{Means, Transacted};
use super::transactor::Transactor;
use super::{Producers, RunError, spawn};
use crate::config::{Config, LaneId};
use crate::kafka::{Groups, Start, group_of};

/// The channel of each lane's batches into the thread that sends them.
pub(super) type Routes = BTreeMap<LaneId, Sender<Parcel>>;

/// Threads that are ready to start.
pub(super) enum Senders {
    One(Box<BatchSender>),
    Transactors(Vec<Transactor>),
}

impl Senders {
    /// `dealt` are the lanes of each worker, `answers` the workers' channels.
    pub(super) fn new(
        config: &Arc<Config>,
        shared: &Arc<Shared>,
        groups: &Groups,
        producers: Producers,
        dealt: &[Vec<(LaneId, Start)>],
        answers: &[Sender<Answer>],
    ) -> (Self, Routes) {
        // Room for all that lanes may have under way, and for the open batch of each, which a stop hands over however many are under way: no worker
        // ever waits for these channels.
        let room = |lanes: usize| (config.batch.channel + 1) * lanes;
        match producers {
            Producers::One(producer) => {
                let (parcels, parcels_out) = bounded(room(config.lanes.len()));
                let routes = config.lanes.iter().map(|&lane| (lane, parcels.clone())).collect();
                (Self::One(Box::new(BatchSender::new(Arc::clone(config), Arc::clone(shared), producer, parcels_out, answers.to_vec()))), routes)
            }
            Producers::ForEachLane { claim, outputs, mut producers } => {
                let mut lanes = Vec::new();
                for (worker, of_worker) in dealt.iter().enumerate() {
                    for (lane, &(id, start)) in of_worker.iter().enumerate() {
                        let Some(producer) = producers.remove(&id) else { continue };
                        let (config, shared, group) = (Arc::clone(config), Arc::clone(shared), Arc::clone(group_of(groups, id)));
                        let (outputs, answers) = (Arc::clone(&outputs), answers[worker].clone());
                        let means = Means { config, shared, group, outputs, claim, lane, answers };
                        lanes.push(Transacted::new(id, producer, start.checkpoint, means));
                    }
                }
                let mut routes = Routes::new();
                let transactors = deal(lanes, config.transactions.threads).into_iter().map(|lanes| {
                    let (parcels, parcels_out) = bounded(room(lanes.len()));
                    routes.extend(lanes.iter().map(|lane| (lane.id(), parcels.clone())));
                    Transactor::new(Arc::clone(shared), lanes, parcels_out)
                });
                (Self::Transactors(transactors.collect()), routes)
            }
        }
    }

    /// Starts the threads. The one sender has a CPU of its own; transactors, which mostly wait, share those of everything else.
    pub(super) fn spawn(self, config: &Config, plan: &CpuPlan) -> Result<Vec<JoinHandle<()>>, RunError> {
        let stack = config.placement.worker_stack_bytes;
        match self {
            Self::One(sender) => Ok(vec![spawn("sender", stack, plan.producer, move || sender.run())?]),
            Self::Transactors(transactors) => {
                let named = transactors.into_iter().enumerate();
                named.map(|(index, transactor)| spawn(&format!("transactor-{index}"), stack, None, move || transactor.run())).collect()
            }
        }
    }
}

/// Deals lanes over `threads` threads, or one a lane. Gives the lanes of each.
fn deal<T>(lanes: Vec<T>, threads: Option<usize>) -> Vec<Vec<T>> {
    let count = threads.unwrap_or(lanes.len()).clamp(1, lanes.len().max(1));
    let mut dealt: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    for (index, lane) in lanes.into_iter().enumerate() {
        dealt[index % count].push(lane);
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_has_one_thread() {
        assert_eq!(deal(vec![1, 2, 3], None), [[1], [2], [3]]);
        assert_eq!(deal(vec![1, 2, 3], Some(2)), [vec![1, 3], vec![2]]);
        assert_eq!(deal(vec![1, 2, 3], Some(9)), [[1], [2], [3]]);
    }
}
