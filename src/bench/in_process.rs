//! The figures of the core alone, in this thread: time, allocations and memory by exchange and kind, latency, and how all of it grows.

use std::sync::Arc;

use super::outcome::{Curve, Outcome, Row, Turns};
use super::pass::Pass;
use super::samples::{BOOKS, Data, Sample};
use crate::market::{Exchange, Kind};
use crate::rules::Rules;

/// How many coins a lane has where memory is measured: what a busy exchange has.
const MANY_SYMBOLS: usize = 200;
/// Levels of a frame up to which the latency of one frame is told.
const LATENCY_LEVELS_MAX: usize = 40;

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How often each figure is taken; `1..`.
    pub turns: usize,
    /// Bytes of envelopes of each kind; `1..`.
    pub bytes: usize,
    /// Whether the largest sizes are left out, which take long to make.
    pub quick: bool,
}

/// A part of the bench that needs this thread alone: it adds its figures, and tells what is going on.
pub type InProcess = fn(&Plan, &Arc<Rules>, &mut Outcome, &mut dyn FnMut(&str)) -> Result<(), String>;

/// A sample, ready to be timed, and what its passes took, in nanoseconds of CPU time a frame.
struct Timed {
    name: String,
    pass: Pass,
    turns: Turns,
}

impl Timed {
    fn new(name: String, sample: &Sample, data: Data, rules: &Arc<Rules>) -> Result<Self, String> {
        Ok(Self { name, pass: Pass::new(sample, data, rules)?, turns: Turns::default() })
    }

    fn frames(&self) -> f64 {
        self.pass.data.frames() as f64
    }
}

/// Times all of them in turn, so that what the machine does meanwhile meets all.
fn in_turn(plan: &Plan, what: &str, all: &mut [Timed], tell: &mut dyn FnMut(&str)) {
    for turn in 0..plan.turns {
        tell(&format!("{what}: turn {} of {}", turn + 1, plan.turns));
        for timed in &mut *all {
            let nanos = timed.pass.timed().as_nanos() as f64 / timed.frames();
            timed.turns.push(nanos);
        }
    }
}

fn label(sample: &Sample) -> String {
    format!("{} {}", sample.exchange, sample.kind.as_str())
}

/// Time, allocations and memory by exchange and kind.
///
/// # Errors
/// An outcome is not what it must be.
pub fn core(plan: &Plan, rules: &Arc<Rules>, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), String> {
    const PART: &str = "core, by frame";
    let mut all = Vec::new();
    for sample in Sample::all(usize::MAX) {
        tell(&format!("{PART}: frames of {}", label(&sample)));
        all.push(Timed::new(label(&sample), &sample, Data::up_to(&sample, plan.bytes), rules)?);
    }
    in_turn(plan, PART, &mut all, tell);
    for timed in &mut all {
        let frames = timed.frames();
        let row = timed.turns.row(PART, &timed.name, "ns");
        let rate = Row {
            unit: "frames/s a core".to_owned(),
            median: 1e9 / row.median,
            low: 1e9 / row.median,
            high: 1e9 / row.median,
            more_is_better: true,
            ..row.clone()
        };
        outcome.rows.extend([row, rate]);
        outcome.rows.push(Row::exact(PART, &timed.name, "bytes", timed.pass.data.bytes() as f64 / frames));
        outcome.rows.push(Row::exact(PART, &timed.name, "allocations", timed.pass.allocated().times as f64 / frames));
    }
    Ok(())
}

/// Latency of envelopes of one frame.
///
/// # Errors
/// An outcome is not what it must be.
pub fn latency(plan: &Plan, rules: &Arc<Rules>, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), String> {
    const PART: &str = "core, one frame an envelope";
    let mut all = Vec::new();
    for sample in Sample::all(usize::MAX).into_iter().filter(|sample| !is_large(sample)) {
        let sample = Sample { frames: 1, ..sample };
        tell(&format!("{PART}: frames of {}", label(&sample)));
        all.push((Curve::new(PART, &label(&sample)), Pass::new(&sample, Data::up_to(&sample, plan.bytes), rules)?));
    }
    for turn in 0..plan.turns {
        tell(&format!("{PART}: turn {} of {}", turn + 1, plan.turns));
        for (curve, pass) in &mut all {
            pass.each_timed(|nanos| curve.record(nanos));
        }
    }
    for (curve, _) in all {
        let [p50, p99] = [50.0, 99.0].map(|percent| curve.histogram.value_at_percentile(percent) as f64);
        let (part, name) = (curve.part.clone(), curve.name.clone());
        outcome.add(curve);
        outcome.rows.push(Row { noise: Some(0.5), ..Row::exact(&part, &name, "p99/p50", p99 / p50) });
    }
    Ok(())
}

/// Whether its frames have more levels than [`LATENCY_LEVELS_MAX`].
fn is_large(sample: &Sample) -> bool {
    let levels = match (sample.kind, sample.exchange) {
        (Kind::Ticker, _) => 0,
        (Kind::Orderbook, Exchange::Korbit) => 60,
        (Kind::Orderbook, Exchange::Gateio) => 200,
        (Kind::Orderbook, Exchange::Bybit) => 50,
        (Kind::Orderbook, _) => LATENCY_LEVELS_MAX,
    };
    levels > LATENCY_LEVELS_MAX
}

/// What a lane of many coins keeps.
///
/// # Errors
/// An outcome is not what it must be.
pub fn memory(plan: &Plan, rules: &Arc<Rules>, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), String> {
    let symbols = if plan.quick { 20 } else { MANY_SYMBOLS };
    let part = format!("memory, lanes of {symbols} symbols");
    let mut sum = 0;
    for sample in Sample::all(usize::MAX) {
        tell(&format!("{part}: {}", label(&sample)));
        let sample = Sample { symbols, frames: 1, envelopes: symbols, ..sample };
        let keeps = Pass::new(&sample, Data::new(&sample), rules)?.keeps();
        outcome.rows.push(Row::exact(&part, &label(&sample), "KiB kept", keeps as f64 / 1_024.0));
        sum += keeps;
    }
    outcome.rows.push(Row::exact(&part, "all 18 lanes", "KiB kept", sum as f64 / 1_024.0));
    Ok(())
}

/// How cost grows with levels, with the depth of a book, with symbols and with the frames of an envelope.
///
/// # Errors
/// An outcome is not what it must be.
pub fn growth(plan: &Plan, rules: &Arc<Rules>, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), String> {
    let book = |exchange| BOOKS.into_iter().find(|book| book.exchange == exchange).unwrap_or(BOOKS[0]);
    let (upbit, gateio, okx) = (book(Exchange::Upbit), book(Exchange::Gateio), book(Exchange::Okx));
    let [sizes, depths, symbols, frames]: [&[usize]; 4] = if plan.quick {
        [&[5, 50, 500], &[25, 400], &[1, 10, 100], &[1, 10, 100]]
    } else {
        [&[5, 10, 20, 50, 100, 200, 500], &[25, 100, 400, 1_000], &[1, 10, 100, 1_000], &[1, 2, 5, 10, 20, 50, 100]]
    };
    let unlimited = Sample { envelopes: usize::MAX, ..okx };
    grow(plan, rules, "growth, levels a side of a whole book", sizes, |size| Sample { depth: Some(size), envelopes: usize::MAX, ..gateio }, outcome, tell)?;
    grow(
        plan,
        rules,
        "growth, levels a side that a delta changes",
        sizes,
        |size| Sample { depth: Some(1_000), changes: Some(size), ..unlimited },
        outcome,
        tell,
    )?;
    grow(plan, rules, "growth, levels a side of the book that a delta changes", depths, |size| Sample { depth: Some(size), ..unlimited }, outcome, tell)?;
    grow(plan, rules, "growth, symbols a lane", symbols, |size| Sample { symbols: size, ..unlimited }, outcome, tell)?;
    grow(plan, rules, "growth, frames an envelope", frames, |size| Sample { frames: size, envelopes: usize::MAX, ..upbit }, outcome, tell)
}

fn grow(
    plan: &Plan,
    rules: &Arc<Rules>,
    part: &str,
    sizes: &[usize],
    sample: impl Fn(usize) -> Sample,
    outcome: &mut Outcome,
    tell: &mut dyn FnMut(&str),
) -> Result<(), String> {
    let mut all = Vec::new();
    for &size in sizes {
        tell(&format!("{part}: {size}"));
        let sample = sample(size);
        // Every coin has its turn, and more than once.
        let bytes = plan.bytes.max(if plan.quick { 0 } else { sample.symbols * 2 * 20_000 });
        all.push(Timed::new(format!("{} {size}", sample.exchange), &sample, Data::up_to(&sample, bytes), rules)?);
    }
    in_turn(plan, part, &mut all, tell);
    let mut before = None;
    for timed in &all {
        let levels = timed.pass.data.levels() as f64 / timed.frames();
        let row = timed.turns.row(part, &timed.name, "ns");
        outcome.rows.push(row.clone());
        outcome.rows.push(Row::exact(part, &timed.name, "levels", levels));
        outcome.rows.push(Row { noise: None, ..Row::exact(part, &timed.name, "ns a level", row.median / levels) });
        if let Some((levels_before, median_before)) = before.filter(|(levels_before, _)| levels > levels_before * 1.2) {
            let further = (row.median - median_before) / (levels - levels_before);
            outcome.rows.push(Row { noise: None, ..Row::exact(part, &timed.name, "ns a further level", further) });
        }
        before = Some((levels, row.median));
    }
    Ok(())
}
