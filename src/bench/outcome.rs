//! What a run of the bench has found: rows of figures and curves of latencies, as a table and as JSON. Never measures.

use std::fmt::{self, Write as _};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::machine::Machine;

/// The percentiles that are told of every curve, as rows name them; the bound on noise of each, where two runs can be compared by it.
const PERCENTILES: [(f64, &str, Option<f64>); 7] = [
    (50.0, "p50", Some(0.25)),
    (90.0, "p90", Some(0.25)),
    (99.0, "p99", Some(0.5)),
    (99.9, "p99.9", None),
    (99.99, "p99.99", None),
    (99.999, "p99.999", None),
    (100.0, "max", None),
];

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The table that it stands in.
    pub part: String,
    /// The line.
    pub name: String,
    /// The column: what is counted.
    pub unit: String,
    /// The median of all turns.
    pub median: f64,
    /// The lower quartile.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
    /// Whether more is better.
    pub more_is_better: bool,
    /// By what part of it the figure may differ between two runs of the same program; `None` where two runs cannot be compared by it.
    pub noise: Option<f64>,
}

impl Row {
    /// A figure that is the same on every turn.
    #[must_use]
    pub fn exact(part: &str, name: &str, unit: &str, figure: f64) -> Self {
        Self {
            part: part.to_owned(),
            name: name.to_owned(),
            unit: unit.to_owned(),
            median: figure,
            low: figure,
            high: figure,
            more_is_better: false,
            noise: Some(0.1),
        }
    }
}

/// One figure, turn by turn.
#[derive(Clone, Debug, Default)]
pub struct Turns(Vec<f64>);

impl Turns {
    /// Adds a turn.
    pub fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// The row of them, where less is better.
    #[must_use]
    pub fn row(&self, part: &str, name: &str, unit: &str) -> Row {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |of: usize| sorted.get((sorted.len().saturating_sub(1) * of + 2) / 4).copied().unwrap_or(f64::NAN);
        Row { low: at(1), high: at(3), ..Row::exact(part, name, unit, at(2)) }
    }

    /// As [`Turns::row`], where more is better.
    #[must_use]
    pub fn rate(&self, part: &str, name: &str, unit: &str) -> Row {
        Row { more_is_better: true, ..self.row(part, name, unit) }
    }
}

/// A distribution of latencies, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The table that it stands in.
    pub part: String,
    /// What was measured.
    pub name: String,
    /// All latencies.
    pub histogram: Histogram<u64>,
}

impl Curve {
    /// An empty one, of three significant digits.
    #[must_use]
    pub fn new(part: &str, name: &str) -> Self {
        let mut histogram = Histogram::new(3).unwrap_or_else(|_| unreachable!("3 digits are allowed"));
        histogram.auto(true);
        Self { part: part.to_owned(), name: name.to_owned(), histogram }
    }

    /// Adds a latency.
    pub fn record(&mut self, nanos: u64) {
        // A day at most: the histogram grows by itself, and within that nothing can fail.
        let _ = self.histogram.record(nanos.min(24 * 3_600 * 1_000_000_000));
    }

    fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let row = |(percent, unit, noise): (f64, &str, Option<f64>)| {
            let micros = self.histogram.value_at_percentile(percent) as f64 / 1_000.0;
            Row { noise, ..Row::exact(&self.part, &self.name, &format!("{unit} us"), micros) }
        };
        PERCENTILES.into_iter().map(row)
    }
}

/// Everything that a run has found, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Where, when, by what.
    pub machine: Machine,
    /// Settings that are not the defaults, and the options of the run.
    pub settings: Vec<String>,
    /// All figures.
    pub rows: Vec<Row>,
    /// What must be said of them.
    pub notes: Vec<String>,
    /// What `rows` tells of distributions; not part of the JSON.
    #[serde(skip)]
    pub curves: Vec<Curve>,
}

impl Outcome {
    /// Nothing yet.
    #[must_use]
    pub const fn new(machine: Machine, settings: Vec<String>) -> Self {
        Self { machine, settings, rows: Vec::new(), notes: Vec::new(), curves: Vec::new() }
    }

    /// Adds a curve, and its percentiles as rows. One without latencies is left out.
    pub fn add(&mut self, curve: Curve) {
        if !curve.histogram.is_empty() {
            self.rows.extend(curve.rows());
            self.curves.push(curve);
        }
    }

    /// The whole of it as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|_| unreachable!("plain data becomes JSON"))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.machine)?;
        writeln!(f, "settings: {}", if self.settings.is_empty() { "defaults".to_owned() } else { self.settings.join(", ") })?;
        writeln!(f, "figures: medians of turns, with quartiles in brackets")?;
        for part in distinct(self.rows.iter().map(|row| row.part.as_str())) {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.part == part).collect();
            write_table(part, &rows, f)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "\nnote: {note}"))
    }
}

/// One line a name, one column a unit.
fn write_table(part: &str, rows: &[&Row], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let names = distinct(rows.iter().map(|row| row.name.as_str()));
    let units = distinct(rows.iter().map(|row| row.unit.as_str()));
    let cell = |name: &str, unit: &str| rows.iter().find(|row| row.name == name && row.unit == unit).map_or_else(String::new, |row| cell(row));
    let columns: Vec<Vec<String>> =
        units.iter().map(|unit| std::iter::once((*unit).to_owned()).chain(names.iter().map(|name| cell(name, unit))).collect()).collect();
    let width = |cells: &[String]| cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let first = names.iter().map(|name| name.chars().count()).chain([part.len()]).max().unwrap_or(0);
    writeln!(f)?;
    for line in 0..=names.len() {
        let mut text = format!("{:<first$}", if line == 0 { part } else { names[line - 1] });
        for cells in &columns {
            write!(text, "  {:>width$}", cells[line], width = width(cells))?;
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}

fn cell(row: &Row) -> String {
    let Row { median, low, high, .. } = row;
    if low == high { short(*median) } else { format!("{} ({} to {})", short(*median), short(*low), short(*high)) }
}

/// Three digits at least, and none behind the point that say nothing.
pub(super) fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 || size == 0.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// Each once, in the order in which they come.
fn distinct<'s>(all: impl Iterator<Item = &'s str>) -> Vec<&'s str> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_median_and_quartiles() {
        let mut turns = Turns::default();
        [5.0, 1.0, 3.0, 2.0, 4.0].into_iter().for_each(|figure| turns.push(figure));
        let row = turns.row("core", "a", "ns");
        assert_eq!((row.low, row.median, row.high), (2.0, 3.0, 4.0));
        let mut one = Turns::default();
        one.push(7.0);
        assert_eq!(cell(&one.rate("core", "a", "frames/s")), "7.00");
    }

    #[test]
    fn the_table_has_a_line_a_name_and_a_column_a_unit() {
        let mut outcome = Outcome::new(Machine::here(0), vec!["turns 3".to_owned()]);
        outcome.rows = vec![Row::exact("core", "a", "ns", 12.0), Row::exact("core", "a", "frames/s", 1e6), Row::exact("core", "longer", "ns", 1234.0)];
        let mut curve = Curve::new("late", "b");
        (1..=1_000).for_each(|micros| curve.record(micros * 1_000));
        outcome.add(curve);
        outcome.add(Curve::new("late", "nothing"));
        let text = outcome.to_string();
        assert!(text.contains("core      ns  frames/s\na       12.0   1000000\nlonger  1234\n"), "{text}");
        assert!(text.contains("p99.999 us") && text.contains("settings: turns 3") && !text.contains("nothing"), "{text}");
        let back: Outcome = serde_json::from_str(&outcome.json()).expect("JSON");
        assert_eq!(back.rows, outcome.rows);
        assert_eq!(back.machine, outcome.machine);
    }
}
