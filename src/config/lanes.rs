//! Lanes by name, and the reading of a lane selection: `korea-ticker asia-orderbook:0,2 ne-orderbook:0-11`.

use super::cpus::span;
use super::problems::nearest;
use crate::market::Stream;
use std::collections::BTreeSet;
use std::fmt;

/// The highest partition number that can be selected; far above what one process can carry, so that a slip such as `0-1000000` is found.
pub const PARTITION_MAX: usize = 9_999;

/// One input partition of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId {
    /// Whose input topic it is.
    pub stream: Stream,
    /// The number of the partition, `0..=`[`PARTITION_MAX`]; may lie beyond the partitions of the contract.
    pub partition: i32,
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.stream, self.partition)
    }
}

/// The 18 lanes of the contract, in its order.
#[must_use]
pub fn contract() -> Vec<LaneId> {
    Stream::ALL.into_iter().flat_map(|stream| (0..stream.partitions()).map(move |partition| LaneId { stream, partition })).collect()
}

/// The lanes of `text`, by stream and partition; nothing selects [`contract`].
///
/// An item is a stream (all its partitions of the contract) or `stream:partitions`, partitions being numbers or ranges between commas. Items stand
/// between white space, `;`, or commas: after a comma a letter begins a new item and a digit goes on with the partitions of the item before.
///
/// # Errors
/// One sentence for each unknown stream, malformed partition, or lane named twice.
pub fn parse(text: &str) -> Result<Vec<LaneId>, Vec<String>> {
    let mut selection = Selection::default();
    // The stream whose partitions a number after a comma adds to. Only a comma may stand between: `ne-ticker:0 1` is a slip.
    let mut open: Option<Stream> = None;
    let mut after_comma = false;
    for token in text.split_inclusive(|c: char| is_separator(c)) {
        let item = token.trim_end_matches(is_separator);
        if !item.is_empty() {
            if item.starts_with(|c: char| c.is_ascii_digit()) {
                match open {
                    Some(stream) if after_comma => selection.partitions(stream, item),
                    _ => selection.wrong.push(format!("{item:?} stands without a stream; write it as stream:{item}")),
                }
            } else {
                open = selection.item(item);
            }
            after_comma = false;
        }
        after_comma |= token.ends_with(',');
        if token.ends_with(';') {
            open = None;
        }
    }
    if selection.wrong.is_empty() && selection.lanes.is_empty() {
        return Ok(contract());
    }
    if selection.wrong.is_empty() { Ok(selection.lanes.into_iter().collect()) } else { Err(selection.wrong) }
}

fn is_separator(c: char) -> bool {
    c == ',' || c == ';' || c.is_whitespace()
}

#[derive(Default)]
struct Selection {
    lanes: BTreeSet<LaneId>,
    wrong: Vec<String>,
}

impl Selection {
    /// Takes `stream` or `stream:first partitions`; gives the stream to which further partitions belong.
    fn item(&mut self, item: &str) -> Option<Stream> {
        let (name, partitions) = item.split_once(':').map_or((item, None), |(name, partitions)| (name, Some(partitions)));
        let Some(stream) = Stream::parse(name) else {
            let hint = nearest(name, Stream::ALL.map(Stream::name))
                .map_or_else(|| format!("the streams are {}", Stream::ALL.map(Stream::name).join(", ")), |known| format!("did you mean {known}?"));
            self.wrong.push(format!("{name:?} is no stream; {hint}"));
            return None;
        };
        match partitions {
            None => {
                for partition in 0..stream.partitions() {
                    self.lane(LaneId { stream, partition });
                }
                None
            }
            Some(partitions) => {
                self.partitions(stream, partitions);
                Some(stream)
            }
        }
    }

    fn partitions(&mut self, stream: Stream, text: &str) {
        match span(text, PARTITION_MAX) {
            Err(why) => self.wrong.push(format!("{stream}: {why}")),
            Ok((first, last)) => {
                for partition in (first..=last).filter_map(|number| i32::try_from(number).ok()) {
                    self.lane(LaneId { stream, partition });
                }
            }
        }
    }

    fn lane(&mut self, lane: LaneId) {
        if !self.lanes.insert(lane) {
            self.wrong.push(format!("{lane} is given twice"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(text: &str) -> Vec<String> {
        parse(text).expect(text).iter().map(LaneId::to_string).collect()
    }

    #[test]
    fn nothing_is_the_contract() {
        assert_eq!(parse(" ; ,"), Ok(contract()));
        assert_eq!(contract().len(), 18);
    }

    #[test]
    fn reads_every_separator() {
        let wanted = ["korea-ticker:0", "korea-ticker:1", "korea-ticker:2", "korea-ticker:3", "asia-orderbook:0", "asia-orderbook:2", "ne-orderbook:0"];
        for text in [
            "korea-ticker asia-orderbook:0,2 ne-orderbook:0",
            "korea-ticker;asia-orderbook:0,2;ne-orderbook:0",
            "korea-ticker,asia-orderbook:0,2,ne-orderbook:0",
            "ne-orderbook:0, asia-orderbook:2, 0; korea-ticker:0-2,3",
            "asia-orderbook:0 korea-ticker\nasia-orderbook:2\tne-orderbook:0-0,",
        ] {
            assert_eq!(named(text), wanted, "{text}");
        }
        assert_eq!(named("ne-orderbook:0-11").len(), 12, "partitions beyond the contract can be selected");
    }

    #[test]
    fn says_what_is_wrong_with_each_item() {
        for (text, expected) in [
            ("korea-tickr", vec!["\"korea-tickr\" is no stream; did you mean korea-ticker?"]),
            ("zzz", vec!["\"zzz\" is no stream; the streams are korea-ticker, korea-orderbook, asia-ticker, asia-orderbook, ne-ticker, ne-orderbook"]),
            ("ne-ticker:0 1", vec!["\"1\" stands without a stream; write it as stream:1"]),
            ("ne-ticker,1", vec!["\"1\" stands without a stream; write it as stream:1"]),
            ("ne-ticker:0;,1", vec!["\"1\" stands without a stream; write it as stream:1"]),
            ("3", vec!["\"3\" stands without a stream; write it as stream:3"]),
            ("ne-ticker:", vec!["ne-ticker: \"\" is neither a number nor a range such as 2-5"]),
            ("ne-ticker:2-1", vec!["ne-ticker: the range 2-1 runs backwards"]),
            ("ne-ticker:0-10000", vec!["ne-ticker: 0-10000 goes beyond 9999"]),
            ("ne-ticker ne-ticker:1,0-1", vec!["ne-ticker:1 is given twice", "ne-ticker:0 is given twice", "ne-ticker:1 is given twice"]),
        ] {
            assert_eq!(parse(text), Err(expected.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    fn any_lanes() -> impl Strategy<Value = BTreeSet<LaneId>> {
        let lane = (0..Stream::COUNT, 0..40_i32).prop_map(|(stream, partition)| LaneId { stream: Stream::ALL[stream], partition });
        prop::collection::btree_set(lane, 1..60)
    }

    proptest! {
        #[test]
        fn any_spelling_of_any_lanes_reads_back(lanes in any_lanes(), separators in prop::collection::vec(prop::sample::select(vec![" ", ";", ",", ", ", "\n"]), 60), grouped: bool) {
            let mut text = String::new();
            let mut last: Option<LaneId> = None;
            for (lane, separator) in lanes.iter().zip(&separators) {
                match last {
                    None => text.push_str(&lane.to_string()),
                    Some(last) if grouped && last.stream == lane.stream => text.push_str(&format!(",{}", lane.partition)),
                    Some(_) => text.push_str(&format!("{separator}{lane}")),
                }
                last = Some(*lane);
            }
            prop_assert_eq!(parse(&text), Ok(lanes.into_iter().collect::<Vec<_>>()), "{}", text);
        }

        #[test]
        fn no_text_is_too_odd(text in "[a-z:,;0-9 \\-\u{e9}]{0,60}|\\PC{0,40}|((korea|asia|ne)-(ticker|orderbook)(:[0-9,-]{0,6})?[ ,;]?){0,5}") {
            if let Ok(lanes) = parse(&text) {
                prop_assert!(!lanes.is_empty());
                prop_assert!(lanes.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
