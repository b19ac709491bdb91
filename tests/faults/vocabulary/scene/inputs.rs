//! What the load's topics hold in the end, which a broker that was killed may make other than what was sent.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use crate::{
    support::report,
    vocabulary::{
        flow::{Flow, index_in, number},
        witness::Witness,
    },
};

impl Scene {
    /// The index of the envelope at each offset of each input. A broker that dies can make an idempotent producer repeat itself, the load's own as well: then
    /// the repetition is input like any other.
    pub(super) fn inputs(&self) -> BTreeMap<Flow, Vec<u64>> {
        let ends = self.witness.patiently(Witness::input_ends);
        let of_flow = |(flow, sent): (&Flow, &u64)| {
            let place = flow.input(&self.names);
            // As many as were sent may be one that is missing, and another one twice.
            let is_certain = !self.doubtful.iter().any(|(doubtful, _)| doubtful == flow);
            let indices = if is_certain && ends[flow].unsigned_abs() == *sent {
                (0..*sent).collect()
            } else {
                let read = self.client.read(std::slice::from_ref(&place.0));
                read[&place].iter().map(|message| index_in(message.key.as_deref().expect("a key")).expect("an envelope's key")).collect::<Vec<u64>>()
            };
            (*flow, indices)
        };
        let inputs: BTreeMap<Flow, Vec<u64>> = self.sent.iter().map(of_flow).collect();
        for (flow, input) in &inputs {
            let distinct: BTreeSet<u64> = input.iter().copied().collect();
            if input.len() > distinct.len() {
                report(format_args!("{}: the load's producer sent {} envelopes of {} twice", self.name, input.len() - distinct.len(), flow.lane()));
            }
        }
        inputs
    }

    /// The hub can only be asked about what is there. Nothing is missing but what the load's own producer was told without an offset.
    pub(super) fn forgive_what_brokers_lost(&mut self, inputs: &BTreeMap<Flow, Vec<u64>>) {
        for (flow, input) in inputs {
            let there: BTreeSet<u64> = input.iter().copied().collect();
            let lost: Vec<u64> = (0..self.sent[flow]).filter(|index| !there.contains(index)).collect();
            if lost.is_empty() {
                continue;
            }
            report(format_args!("{}: {} of the load's envelopes that were reported without an offset are not in {}", self.name, lost.len(), flow.lane()));
            assert!(lost.iter().all(|index| self.doubtful.contains(&(*flow, *index))), "written and gone");
            let gaps = lost.chunk_by(|one, next| one + 1 == *next).map(|gap| number(gap[0], 0)..number(gap[gap.len() - 1] + 1, 0));
            self.gone.entry(*flow).or_default().extend(gaps);
        }
    }
}
