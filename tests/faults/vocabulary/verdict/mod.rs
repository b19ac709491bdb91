//! The verdict on a scene: what was lost, repeated, changed, out of order, made up, or committed too early.

use std::{collections::BTreeMap, fmt};

use super::{
    delivery::Delivery,
    flow::{FRAMES, Flow},
    journal::Journal,
    witness::Note,
};
use crate::support::{client::Place, report};

/// What a scene has gathered when it is over.
pub struct Evidence {
    pub scene: String,
    pub delivery: Delivery,
    /// The index of the envelope at each offset of each input.
    pub inputs: BTreeMap<Flow, Vec<u64>>,
    /// What was read while the fault lasted.
    pub during: BTreeMap<Place, Journal>,
    /// What was read when all was over. May begin later, where the brokers keep only the last of it.
    pub after: BTreeMap<Place, Journal>,
    /// Taken all the time.
    pub notes: Vec<Note>,
    /// Taken after each death of the hub, before the next one was started.
    pub deaths: Vec<Note>,
}

/// See the module.
pub struct Verdict {
    scene: String,
    delivery: Delivery,
    frames: u64,
    lost: Findings,
    repeated: Findings,
    out_of_order: Findings,
    strange: Findings,
    committed_too_early: Findings,
    repeated_though_committed: Findings,
}

/// How often something was found, and the first few of it.
#[derive(Default)]
struct Findings {
    count: u64,
    first: Vec<String>,
}

impl Findings {
    fn add(&mut self, count: u64, what: impl FnOnce() -> String) {
        self.count += count;
        if count > 0 && self.first.len() < 5 {
            self.first.push(what());
        }
    }
}

impl Verdict {
    pub fn on(evidence: &Evidence) -> Self {
        let mut verdict = Self {
            scene: evidence.scene.clone(),
            delivery: evidence.delivery,
            frames: evidence.inputs.values().map(|input| input.len() as u64 * FRAMES).sum(),
            lost: Findings::default(),
            repeated: Findings::default(),
            out_of_order: Findings::default(),
            strange: Findings::default(),
            committed_too_early: Findings::default(),
            repeated_though_committed: Findings::default(),
        };
        for (place, journal) in &evidence.during {
            verdict.judge(place, journal, &evidence.inputs[&journal.flow]);
            verdict.compare(place, journal, &evidence.after[place]);
        }
        for note in evidence.notes.iter().chain(&evidence.deaths) {
            verdict.weigh(note, evidence);
        }
        for death in &evidence.deaths {
            verdict.weigh_repeats(death, evidence);
        }
        verdict
    }

    fn judge(&mut self, place: &Place, journal: &Journal, envelopes: &[u64]) {
        let mut missing = journal.expected(envelopes);
        let mut last = 0;
        for &(offset, number) in &journal.seen {
            match missing.get_mut(&number) {
                None => self.strange.add(1, || format!("{place:?}@{offset}: {number} was never sent")),
                Some(0) => self.repeated.add(1, || format!("{place:?}@{offset}: {number}")),
                Some(due) => *due -= 1,
            }
            // What follows a repetition follows in order, too.
            let is_next = number <= last || number == journal.next(last);
            self.out_of_order.add(u64::from(!is_next), || format!("{place:?}@{offset}: {number} after {last}"));
            last = number;
        }
        let lost: Vec<u64> = missing.into_iter().filter(|(_, due)| *due > 0).map(|(number, _)| number).collect();
        self.lost.add(lost.len() as u64, || format!("{place:?}: {:?}...", &lost[..lost.len().min(5)]));
        for strange in journal.changed.iter().chain(&journal.phantom) {
            self.strange.add(1, || strange.clone());
        }
    }

    /// Both readings must have found the same: what a `read_committed` reader has seen cannot go again.
    fn compare(&mut self, place: &Place, during: &Journal, after: &Journal) {
        let from = after.seen.first().map_or(i64::MAX, |(offset, _)| *offset);
        let common = &during.seen[during.seen.partition_point(|(offset, _)| *offset < from)..];
        let is_same = common == after.seen && (after.seen.is_empty() == during.seen.is_empty());
        self.strange.add(u64::from(!is_same), || {
            format!("{place:?}: {} messages were read in the fault, and {} from the same offset on later", common.len(), after.seen.len())
        });
    }

    /// Everything below a committed offset was in the output by then.
    fn weigh(&mut self, note: &Note, evidence: &Evidence) {
        for (place, journal) in &evidence.during {
            let committed = done(note, journal.flow, evidence);
            let Some(due) = (1..=committed * FRAMES).rev().find(|number| journal.holds(*number)) else { continue };
            let there = journal.greatest_before(note.ends[place]);
            self.committed_too_early.add(u64::from(there < due), || format!("{place:?}: envelope {committed} was committed when only {there} was written"));
        }
    }

    /// Nothing that was committed when the hub died comes again.
    fn weigh_repeats(&mut self, death: &Note, evidence: &Evidence) {
        for (place, journal) in &evidence.during {
            let committed = done(death, journal.flow, evidence) * FRAMES;
            let Some(first) = journal.smallest_from(death.ends[place]) else { continue };
            self.repeated_though_committed.add(u64::from(first <= committed), || format!("{place:?}: {first} again, though {committed} was committed"));
        }
    }

    /// What holds after every fault, whatever was promised: nothing lost, nothing made up or changed, order kept, no offset committed before its output.
    /// With exactly once, nothing repeated either; with at least once, only what was not committed.
    pub fn assert_promise_kept(&self) -> &Self {
        report(format_args!("{self}"));
        let broken = [&self.lost, &self.out_of_order, &self.strange, &self.committed_too_early, &self.repeated_though_committed];
        assert!(broken.iter().all(|findings| findings.count == 0), "{self:#}");
        assert!(self.delivery == Delivery::AtLeastOnce || self.repeated.count == 0, "{self:#}");
        self
    }

    /// For faults after which there is no reason to repeat, not even with at least once.
    pub fn assert_nothing_repeated(&self) -> &Self {
        assert_eq!(self.repeated.count, 0, "{self:#}");
        self
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scene, delivery, frames, .. } = self;
        write!(f, "{scene}, {delivery}: {frames} frames")?;
        let all = [
            ("lost", &self.lost),
            ("repeated", &self.repeated),
            ("out of order", &self.out_of_order),
            ("changed or made up", &self.strange),
            ("committed too early", &self.committed_too_early),
            ("repeated though committed", &self.repeated_though_committed),
        ];
        for (name, findings) in all {
            write!(f, ", {} {name}", findings.count)?;
        }
        if f.alternate() {
            all.iter().try_for_each(|(name, findings)| findings.first.iter().try_for_each(|found| write!(f, "\n  {name}: {found}")))?;
        }
        Ok(())
    }
}

/// How many envelopes of a flow are committed, each counted once.
fn done(note: &Note, flow: Flow, evidence: &Evidence) -> u64 {
    let offset = usize::try_from(note.committed[&flow]).expect("an offset");
    evidence.inputs[&flow][..offset].iter().max().map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests;
