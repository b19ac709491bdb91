//! One run beside an earlier one, row by row.

use std::fmt;

use super::outcome::{Outcome, Row, short};

/// A row that both runs have.
#[derive(Clone, Debug, PartialEq)]
struct Pair {
    before: Row,
    after: Row,
}

impl Pair {
    /// By what part the figure is worse than before; below 0 where it is better.
    fn worse(&self) -> f64 {
        let (before, after) = (self.before.median, self.after.median);
        match (before == after, self.after.more_is_better) {
            (true, _) => 0.0,
            (false, false) => after / before - 1.0,
            (false, true) => before / after - 1.0,
        }
    }

    /// The part by which two runs may differ without a reason: the row's own bound, or what the quartiles of both span, whichever is more. `None` where
    /// the figure is not for comparing.
    fn noise(&self) -> Option<f64> {
        let spread = |row: &Row| if row.median > 0.0 { (row.high - row.low) / row.median } else { 0.0 };
        Some(self.after.noise?.max(self.before.noise?).max(spread(&self.before) + spread(&self.after)))
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pairs: Vec<Pair>,
    /// Rows that only one of both has.
    alone: Vec<String>,
    /// What makes the two hard to compare.
    differences: Vec<String>,
}

/// Holds `after` against `before`.
#[must_use]
pub fn compare(before: &Outcome, after: &Outcome) -> Comparison {
    let is_same = |one: &Row, other: &Row| (&one.part, &one.name, &one.unit) == (&other.part, &other.name, &other.unit);
    let label = |row: &Row| format!("{}: {}, {}", row.part, row.name, row.unit);
    let mut comparison = Comparison { pairs: Vec::new(), alone: Vec::new(), differences: Vec::new() };
    for row in &after.rows {
        match before.rows.iter().find(|earlier| is_same(earlier, row)) {
            Some(earlier) => comparison.pairs.push(Pair { before: earlier.clone(), after: row.clone() }),
            None => comparison.alone.push(format!("{} (only now)", label(row))),
        }
    }
    let gone = before.rows.iter().filter(|row| !after.rows.iter().any(|now| is_same(now, row)));
    comparison.alone.extend(gone.map(|row| format!("{} (only before)", label(row))));
    let (old, new) = (&before.machine, &after.machine);
    let facts = [("CPU", &old.cpu, &new.cpu), ("build", &old.profile, &new.profile), ("compiler", &old.rustc, &new.rustc)];
    comparison.differences.extend(facts.iter().filter(|(_, old, new)| old != new).map(|(what, old, new)| format!("{what}: {old} before, {new} now")));
    if before.settings != after.settings {
        comparison.differences.push(format!("settings: {} before, {} now", before.settings.join(", "), after.settings.join(", ")));
    }
    comparison
}

impl Comparison {
    /// The rows that are worse by more than `percent`, in a sentence each. Rows that are not for comparing, and what lies within the noise, do not count.
    #[must_use]
    pub fn worse_than(&self, percent: f64) -> Vec<String> {
        let is_worse = |pair: &&Pair| pair.noise().is_some_and(|noise| pair.worse() > noise.max(percent / 100.0));
        let tell = |pair: &Pair| {
            let Row { part, name, unit, median, .. } = &pair.after;
            format!("{part}: {name}: {} {unit} before, {} now: {:+.0} %", short(pair.before.median), short(*median), pair.worse() * 100.0)
        };
        self.pairs.iter().filter(is_worse).map(tell).collect()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "not the same: {difference}")?;
        }
        let width = self.pairs.iter().map(|pair| pair.after.part.chars().count() + pair.after.name.chars().count() + pair.after.unit.chars().count() + 3).max();
        let width = width.unwrap_or(0);
        writeln!(f, "{:<width$}  {:>10}  {:>10}  {:>6}  {:>6}", "figure", "before", "now", "ratio", "noise")?;
        for pair in &self.pairs {
            let Row { part, name, unit, median, .. } = &pair.after;
            let ratio = if pair.before.median == *median { 1.0 } else { median / pair.before.median };
            let (noise, verdict) = match pair.noise() {
                None => ("-".to_owned(), ""),
                Some(noise) if pair.worse() > noise => (format!("{:.0} %", noise * 100.0), "  WORSE"),
                // Better by as much as would be worse the other way around.
                Some(noise) if pair.worse() < 1.0 / (1.0 + noise) - 1.0 => (format!("{:.0} %", noise * 100.0), "  better"),
                Some(noise) => (format!("{:.0} %", noise * 100.0), ""),
            };
            let label = format!("{part}: {name} {unit}");
            writeln!(f, "{label:<width$}  {:>10}  {:>10}  {ratio:>6.2}  {noise:>6}{verdict}", short(pair.before.median), short(*median))?;
        }
        self.alone.iter().try_for_each(|row| writeln!(f, "not compared: {row}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Machine;

    fn outcome(rows: &[Row]) -> Outcome {
        Outcome { rows: rows.to_vec(), ..Outcome::new(Machine::here(0), Vec::new()) }
    }

    #[test]
    fn what_is_worse_beyond_the_noise_is_named() {
        let row = |name: &str, figure| Row::exact("core", name, "ns", figure);
        let rate = |figure| Row { more_is_better: true, ..Row::exact("core", "rate", "frames/s", figure) };
        let wide = |figure: f64| Row { low: figure * 0.8, high: figure * 1.2, ..row("wide", figure) };
        let tail = |figure| Row { noise: None, ..row("tail", figure) };
        let before = outcome(&[row("a", 100.0), row("b", 100.0), row("zero", 0.0), rate(100.0), wide(100.0), tail(1.0), row("gone", 1.0)]);
        let after = outcome(&[row("a", 109.0), row("b", 130.0), row("zero", 0.0), rate(50.0), wide(150.0), tail(9.0), row("new", 1.0)]);
        let comparison = compare(&before, &after);
        let worse = comparison.worse_than(0.0);
        assert_eq!(worse.len(), 2, "{worse:?}");
        assert!(worse[0].contains("core: b: 100 ns before, 130 now: +30 %") && worse[1].contains("rate"), "{worse:?}");
        assert_eq!(comparison.worse_than(40.0).len(), 1);
        let text = comparison.to_string();
        assert!(text.contains("gone, ns (only before)") && text.contains("new, ns (only now)"), "{text}");
        assert_eq!((text.matches("WORSE").count(), text.matches("better").count()), (2, 0), "{text}");
        assert_eq!(compare(&after, &before).to_string().matches("better").count(), 2, "the other way around");
    }

    #[test]
    fn another_machine_is_named() {
        let mut other = outcome(&[]);
        other.machine.cpu = "another".to_owned();
        assert!(compare(&other, &outcome(&[])).to_string().contains("not the same: CPU: another before"));
    }
}
