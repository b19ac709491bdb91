//! Percentiles in the text format of `HdrHistogram`, as its own plotters read them.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

/// Steps in every half of the way to 100 %.
const TICKS: u32 = 5;
/// Values are written in this unit: microseconds.
const UNIT: f64 = 1_000.0;

/// The text of a histogram of nanoseconds; its values are microseconds.
#[must_use]
pub fn hgrm(histogram: &Histogram<u64>) -> String {
    let mut text = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for step in histogram.iter_quantiles(TICKS) {
        let (value, quantile) = (step.value_iterated_to() as f64 / UNIT, step.quantile_iterated_to());
        let total = histogram.count_between(0, step.value_iterated_to());
        // Writing to a String cannot fail.
        let _ = write!(text, "{value:>12.3} {quantile:>14.12} {total:>10}");
        let _ = if quantile < 1.0 { writeln!(text, " {:>14.2}", 1.0 / (1.0 - quantile)) } else { writeln!(text) };
    }
    let (mean, deviation, max) = (histogram.mean() / UNIT, histogram.stdev() / UNIT, histogram.max() as f64 / UNIT);
    let _ = writeln!(text, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]");
    let _ = writeln!(text, "#[Max     = {max:>12.3}, Total count    = {:>12}]", histogram.len());
    let _ = writeln!(text, "#[Buckets = {:>12}, SubBuckets     = {:>12}]", histogram.buckets(), 2_048);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_columns_that_plotters_read() {
        let mut histogram = Histogram::<u64>::new(3).expect("3 digits");
        (1..=10_000).for_each(|micros| histogram.record(micros * 1_000).expect("it grows"));
        let text = hgrm(&histogram);
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .take_while(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().map(|cell| cell.parse().expect("a number")).collect())
            .collect();
        assert!(rows.len() > 20 && rows[..rows.len() - 1].iter().all(|row| row.len() == 4), "{text}");
        let median = rows.iter().find(|row| row[1] >= 0.5).expect("a median");
        assert!((median[0] - 5_000.0).abs() < 10.0 && (median[3] - 2.0).abs() < 0.01, "{median:?}");
        let last = rows.last().expect("rows");
        assert_eq!((last[1], last[2], last.len()), (1.0, 10_000.0, 3), "the last has no fourth column");
        assert!(rows.is_sorted_by(|one, next| one[0] <= next[0] && one[2] <= next[2]));
        assert!(text.contains("Total count    =        10000]"), "{text}");
    }
}
