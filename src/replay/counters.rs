//! Counts as JSON: totals by outcome, exchanges and reasons that have none left out.

use serde_json::{Map, Value};

use crate::market::Exchange;
use crate::outcome::{ByExchange, Counts, Reason};

/// The object of a counters file.
#[must_use]
pub fn counters_json(counts: &Counts) -> Value {
    let rejected = Reason::ALL.into_iter().map(|reason| (reason.as_str(), counts.rejected[reason as usize]));
    let members = [
        ("envelopes", counts.envelopes.into()),
        ("frames", counts.frames.into()),
        ("records", by_exchange(&counts.records)),
        ("unverified", by_exchange(&counts.unverified)),
        ("control", by_exchange(&counts.control)),
        ("rejected", above_zero(rejected)),
        ("stale", by_exchange(&counts.stale)),
        ("gaps", by_exchange(&counts.gaps)),
        ("checksum_matches", by_exchange(&counts.checksum_matches)),
        ("checksum_mismatches", by_exchange(&counts.checksum_mismatches)),
        ("crossed", by_exchange(&counts.crossed)),
        ("held", by_exchange(&counts.held)),
        ("misplaced", counts.misplaced.into()),
    ];
    let resyncs = by_exchange(&counts.resyncs);
    let is_off = resyncs.as_object().is_none_or(Map::is_empty);
    let members = members.into_iter().chain((!is_off).then_some(("resyncs", resyncs)));
    members.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

fn by_exchange(counts: &ByExchange) -> Value {
    above_zero(Exchange::ALL.into_iter().map(|exchange| (exchange.as_str(), counts[exchange as usize])))
}

fn above_zero(counts: impl Iterator<Item = (&'static str, u64)>) -> Value {
    counts.filter(|&(_, count)| count > 0).map(|(name, count)| (name.to_owned(), count.into())).collect::<Map<_, _>>().into()
}
