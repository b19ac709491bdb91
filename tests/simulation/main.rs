//! The delivery machinery over a model of the brokers: batches, acknowledgements in any order, failures, rewinds, commits, transactions, crashes, in an
//! order that a seed decides, without threads and clocks. What is driven are the types of `market_hub::delivery` and `market_hub::checkpoint`; what
//! surrounds them in the runtime is followed here as thinly as can be.
//!
//! `SIMULATION_SEEDS=n` runs that many seeds, `SIMULATION_SEED=n` only one, and tells what it did.
#![expect(clippy::cast_possible_truncation, reason = "the numbers are small")]

mod broker;
mod check;
mod client;
mod hub;
mod input;
mod lane;
mod plan;
mod random;
mod sender;
mod transacted;

use std::panic::{AssertUnwindSafe, catch_unwind};

use broker::World;
use hub::{Hub, Instance};
use market_hub::checkpoint::Claim;
use plan::{Faults, Plan};
use random::{Random, Trace};

/// Rounds after the last fault, of all steps of all lanes, until everything must be drained.
const ROUNDS_MAX: usize = 4_000;
/// How far the clock moves in one of them.
const ROUND_MS: u64 = 10;

#[test]
fn nothing_is_lost_whatever_happens() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    if let Some(seed) = number("SIMULATION_SEED") {
        return run_and_tell(seed);
    }
    let seeds = number("SIMULATION_SEEDS").unwrap_or(if cfg!(debug_assertions) { 2_000 } else { 20_000 });
    for seed in 0..seeds {
        if catch_unwind(AssertUnwindSafe(|| Simulation::new(seed, Trace::off()).run())).is_err() {
            run_and_tell(seed);
            panic!("seed {seed} fails only in company, which must not be");
        }
    }
}

/// Runs one seed; if it fails, with all that it did.
fn run_and_tell(seed: u64) {
    let trace = Trace::on();
    if catch_unwind(AssertUnwindSafe(|| Simulation::new(seed, trace.clone()).run())).is_err() {
        panic!("{}\nseed {seed} fails: SIMULATION_SEED={seed} cargo test --test simulation", trace.lines().join("\n"));
    }
}

/// A world, and the instances of the hub in it.
struct Simulation {
    world: World,
    instances: Vec<Instance>,
    started: u64,
}

impl Simulation {
    fn new(seed: u64, trace: Trace) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::of(&mut random);
        trace.note(|| format!("{plan:?}"));
        Self { world: World::new(plan, random, trace), instances: Vec::new(), started: 0 }
    }

    fn run(mut self) {
        for _ in 0..self.world.plan.steps {
            self.happen();
            let which = self.world.random.below(Hub::STEPS);
            if !self.instances.is_empty() {
                let instance = self.world.random.below(self.instances.len());
                let lane = self.world.random.below(self.world.plan.lanes);
                self.step(instance, which, lane);
            }
        }
        self.world.plan.faults = Faults::default();
        self.world.outage = false;
        self.world.note(|| "no more faults".to_owned());
        for _ in 0..ROUNDS_MAX {
            self.round();
            if self.is_drained() {
                return;
            }
        }
        let left: Vec<_> = self.running().map(Hub::describe).collect();
        panic!("not drained: {left:#?}");
    }

    /// What happens around the instances.
    fn happen(&mut self) {
        let Faults { crash, stop, retention, outage, second, pause, .. } = self.world.plan.faults;
        let world = &mut self.world;
        let lane = world.random.below(world.plan.lanes);
        if world.random.below(3) == 0 {
            world.append(lane);
        }
        world.now_ms += world.random.below(12) as u64;
        if world.random.happens(pause) {
            world.now_ms += world.random.below(12_000) as u64;
        }
        if world.random.happens(retention) {
            world.delete_head(lane);
        }
        if world.random.happens(if world.outage { 100 } else { outage }) {
            world.outage = !world.outage;
            world.note(|| format!("brokers are away: {}", world.outage));
        }
        if world.random.below(10) == 0 {
            world.take_late(lane);
        }
        world.expire();
        let starts = if self.instances.is_empty() { 100 } else { second * usize::from(world.plan.exactly_once && self.instances.len() < 2) };
        if !world.outage && world.random.happens(starts) {
            self.start();
        }
        if self.world.random.happens(crash) {
            self.world.crashes = true;
        }
        if self.world.random.happens(stop) {
            let world = &mut self.world;
            self.instances.iter_mut().for_each(|instance| {
                if let Instance::Running(hub) = instance {
                    hub.stop(world);
                }
            });
        }
    }

    fn start(&mut self) {
        self.started += 1;
        self.instances.push(Instance::start(&mut self.world, Claim(self.started)));
    }

    /// One step of an instance, which it may not survive.
    fn step(&mut self, index: usize, which: usize, lane: usize) {
        self.instances[index].step(&mut self.world, which, lane);
        let crashes = std::mem::take(&mut self.world.crashes);
        let ends = match &self.instances[index] {
            Instance::Running(hub) if hub.is_fenced() => {
                let owners: Vec<_> = (0..self.world.plan.lanes).filter_map(|lane| self.world.committed(lane)?.1).collect();
                self.world.note(|| format!("{:x} is fenced, the lanes belong to {owners:?}", hub.claim.0));
                assert!(owners.iter().any(|owner| *owner != hub.claim), "{:x} gives up its own lanes", hub.claim.0);
                true
            }
            Instance::Running(hub) => hub.has_stopped(),
            Instance::Starting { .. } => false,
        };
        if ends || crashes {
            self.world.note(|| format!("instance {index} ends{}", if crashes { " suddenly" } else { "" }));
            self.instances.remove(index).die(&mut self.world);
        }
        for instance in &self.instances {
            if let Instance::Running(hub) = instance {
                hub.check(&self.world);
            }
        }
    }

    /// All steps of all lanes once; whoever has ended is started again.
    fn round(&mut self) {
        self.world.now_ms += ROUND_MS;
        self.world.expire();
        if self.instances.is_empty() {
            self.start();
        }
        for lane in 0..self.world.plan.lanes {
            self.world.take_late(lane);
            for which in 0..Hub::STEPS {
                for index in (0..self.instances.len()).rev() {
                    self.step(index, which, lane);
                }
            }
        }
    }

    fn running(&self) -> impl Iterator<Item = &Hub> {
        self.instances.iter().filter_map(|instance| if let Instance::Running(hub) = instance { Some(&**hub) } else { None })
    }

    fn is_drained(&self) -> bool {
        // One that was taken over hears of it with its next transaction, which it may have no reason to begin.
        self.running().any(|hub| hub.is_drained(&self.world))
    }
}
