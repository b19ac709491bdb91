//! The same as lines of text: for scripts, and for terminals that can do no more.

use super::keys::View;
use super::picture::{Feed, Latency, Picture};

/// Percentiles that are shown.
pub(super) const PERCENTILES: [f64; 3] = [50.0, 99.0, 99.9];

/// The columns of a feed: names, and whether they are numbers.
pub(super) const COLUMNS: [&str; 9] = ["exchange", "kind", "state", "frames/s", "lag", "dead", "unverified", "seen", "skew"];

/// One feed's cells.
pub(super) fn cells(feed: &Feed) -> [String; 9] {
    let of_books = |count: u64| if feed.kind == "orderbook" { count.to_string() } else { "-".to_owned() };
    [
        feed.exchange.clone(),
        feed.kind.clone(),
        feed.state.clone(),
        format!("{:.1}", feed.frames_per_s),
        feed.lag.map_or_else(|| "?".to_owned(), |lag| lag.to_string()),
        feed.dead_letters.to_string(),
        of_books(feed.books_unverified),
        feed.last_seen_s.map_or_else(|| "never".to_owned(), |age| format!("{age:.0} s")),
        feed.skew_s.map_or_else(|| "-".to_owned(), |[_, median, _]| seconds(median)),
    ]
}

/// A stage's cells: its name, and the percentiles.
pub(super) fn stage(latency: &Latency) -> [String; 4] {
    let [p50, p99, p999] = PERCENTILES.map(|percentile| latency.at(percentile).map_or_else(|| "-".to_owned(), seconds));
    [latency.stage.replace('_', " "), p50, p99, p999]
}

/// Seconds with the unit that reads best.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds.abs() {
        size if size < 1e-3 => format!("{:.0} us", seconds * 1e6),
        size if size < 1.0 => format!("{:.1} ms", seconds * 1e3),
        size if size < 600.0 => format!("{seconds:.1} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

/// One line about the hub as a whole.
pub(super) fn summary(picture: &Picture) -> String {
    let ready = if picture.ready { "ready" } else { "NOT READY" };
    let frames: f64 = picture.feeds.iter().map(|feed| feed.frames_per_s).sum();
    let lag: i64 = picture.feeds.iter().filter_map(|feed| feed.lag).sum();
    let hours = (picture.now_ms - picture.started_ms) as f64 / 3_600_000.0;
    let memory = picture.process.resident_bytes >> 20;
    format!("market-hub {} {} {ready}, {frames:.0} frames/s, lag {lag}, {memory} MiB, up {hours:.1} h", picture.version, picture.phase)
}

/// Lanes that do not work, with the reason.
pub(super) fn troubles(picture: &Picture) -> Vec<String> {
    let not_well = picture.lanes.iter().filter(|lane| lane.state != "OK");
    not_well.map(|lane| format!("{} {}: {}", lane.state, lane.lane, lane.reason.as_deref().unwrap_or("no reason is told"))).collect()
}

/// The whole picture as aligned lines, without a character that would act on a terminal.
#[must_use]
pub fn plain(picture: &Picture, view: &View) -> String {
    let mut rows: Vec<[String; 9]> = vec![COLUMNS.map(str::to_owned)];
    rows.extend(view.chosen(&picture.feeds).into_iter().map(cells));
    let widths: Vec<usize> = (0..COLUMNS.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut text = summary(picture) + "\n\n";
    for row in &rows {
        let cell =
            |(index, cell): (usize, &String)| if index < 3 { format!("{cell:<w$}", w = widths[index]) } else { format!("{cell:>w$}", w = widths[index]) };
        text += row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text += "\nlatency, last 10 s             p50        p99      p99.9\n";
    for latency in &picture.latencies {
        let [name, p50, p99, p999] = stage(latency);
        text += &format!("{name:<24} {p50:>10} {p99:>10} {p999:>10}\n");
    }
    for trouble in troubles(picture) {
        text += &format!("\n{trouble}");
    }
    let clean = |character: char| if character.is_control() && character != '\n' { '\u{fffd}' } else { character };
    text.trim_end().chars().map(clean).chain(['\n']).collect()
}
