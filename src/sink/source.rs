//! The topics that are put into the store: which bucket each goes to, and which of its partitions are this process's.

use std::collections::BTreeMap;

use super::setting;
use crate::config::{Config, knobs};
use crate::market::Stream;

/// A topic that is put into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub topic: String,
    /// The stream whose output topic it is; `None` for a further one.
    pub stream: Option<Stream>,
    /// The bucket that its objects go to.
    pub bucket: String,
    /// How many of its records an object holds.
    pub records: usize,
}

/// The topics that are put into the store: the output topics of the six streams in the order of the contract, then those of `--s3-topics`. A topic that
/// is the output of several streams stands once.
#[must_use]
pub fn sources(config: &Config) -> Vec<Source> {
    let of_streams = Stream::ALL.into_iter().map(|stream| (&config.names(stream).output, Some(stream), config.store.shelf(stream)));
    let further = config.store.further.iter().map(|(topic, shelf)| (topic, None, shelf));
    let mut sources: Vec<Source> = Vec::new();
    for (topic, stream, shelf) in of_streams.chain(further) {
        if sources.iter().all(|source| source.topic != *topic) {
            sources.push(Source { topic: topic.clone(), stream, bucket: shelf.bucket.clone(), records: shelf.records });
        }
    }
    sources
}

/// The sources that this process writes: those with lanes of its own, and the further topics.
#[must_use]
pub fn covered(config: &Config) -> Vec<Source> {
    sources(config).into_iter().filter(|source| source.stream.is_none() || !lanes_of(config, source).is_empty()).collect()
}

/// The partitions of a source: those of its lanes, for a further topic all that there are.
pub(super) fn partitions_of(config: &Config, source: &Source, known: &BTreeMap<String, i32>) -> Vec<i32> {
    match source.stream {
        Some(_) => lanes_of(config, source),
        None => (0..known.get(&source.topic).copied().unwrap_or(0)).collect(),
    }
}

/// The partitions of lanes whose records go to the source, each once.
fn lanes_of(config: &Config, source: &Source) -> Vec<i32> {
    let mut found: Vec<i32> = config.lanes.iter().filter(|lane| config.names(lane.stream).output == source.topic).map(|lane| lane.partition).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Topics that are not there, and partitions.
pub(super) fn faults(config: &Config, sources: &[Source], known: &BTreeMap<String, i32>) -> Vec<String> {
    let fault = |source: &Source| {
        let named = match source.stream {
            Some(stream) => setting(knobs::STREAMS[stream.index()][1], &source.topic),
            None => format!("topic {:?} of --{} / {}", source.topic, knobs::S3_TOPICS.flag, knobs::S3_TOPICS.env),
        };
        let needed = lanes_of(config, source).last().map_or(1, |last| last + 1);
        match known.get(&source.topic) {
            None => Some(format!("{named}: the topic does not exist: make it, or name the one that does")),
            Some(&there) if there < needed => {
                Some(format!("{named}: the topic has {there} partitions, {needed} are needed: add some, or select lanes by --lanes"))
            }
            Some(_) => None,
        }
    };
    sources.iter().filter_map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Shelf, lanes};

    #[test]
    fn six_topics_and_the_further_ones_have_a_bucket_each_and_none_stands_twice() {
        let mut config = Config::default();
        let found = sources(&config);
        assert_eq!(found.len(), 6);
        assert_eq!((found[0].topic.as_str(), found[0].bucket.as_str(), found[0].records), ("Region.Korea_TickerPreprocessing", "ticker-data", 20));
        assert_eq!((found[5].topic.as_str(), found[5].bucket.as_str(), found[5].records), ("Region.NE_OrderbookPreprocessing", "orderbook-data", 50));
        let shelf = |bucket: &str| Shelf { bucket: bucket.to_owned(), records: 7 };
        config.store.further = vec![("averages".to_owned(), shelf("more")), (found[0].topic.clone(), shelf("more"))];
        assert_eq!(sources(&config)[6..], [Source { topic: "averages".to_owned(), stream: None, bucket: "more".to_owned(), records: 7 }]);
    }

    #[test]
    fn a_process_writes_what_its_lanes_write() {
        let config = Config { lanes: lanes::parse("korea-ticker:1,3 ne-orderbook").unwrap(), ..Config::default() };
        let mine = covered(&config);
        let known = BTreeMap::from([(mine[0].topic.clone(), 2)]);
        let partitions: Vec<_> = mine.iter().map(|source| partitions_of(&config, source, &known)).collect();
        assert_eq!(partitions, [vec![1, 3], vec![0, 1]]);
        let faults = faults(&config, &mine, &known);
        assert!(faults.len() == 2 && faults[0].contains("has 2 partitions, 4 are needed") && faults[1].contains("HUB_NE_ORDERBOOK_OUTPUT"), "{faults:?}");
    }
}
