//! How all golden files go through a broker in few runs of the hub, and how what comes out is compared.
//!
//! Every golden file was made by a hub that had seen nothing else, and books are kept per input partition and symbol: two files that bring the same symbol to
//! the same partition must not meet the same books. So files go in **rounds**: one round is one set of topics and one run of the hub, and takes every file that
//! has no (topic, partition, symbol) in common with the files it has already. Eight files about Kraken's BTC book make eight rounds; the hard cases go alone,
//! and so do the files for another book mode: eleven starts of the hub instead of seventy-eight.
//!
//! Files of a round stand behind one another in a partition, so an expected dead letter's offset is the one at which its input was really written; its topic is
//! the round's name for it. All else is compared as the file has it.

use std::collections::{BTreeMap, BTreeSet};

use market_hub::market::Stream;

use super::{Message, client::Place, names::Names, record_file::GoldenFile};

/// Free text for people: only its presence is promised.
const FREE_TEXT: &str = "__connect.errors.exception.message";
const ORIGIN_TOPIC: &str = "__connect.errors.topic";
const ORIGIN_OFFSET: &str = "__connect.errors.offset";

/// Files that share topics and a run of the hub.
pub struct Round {
    /// What `--book` must be given, if anything.
    pub book: Option<&'static str>,
    files: Vec<GoldenFile>,
    taken: BTreeSet<(String, i32, String)>,
}

/// A message that must come out, and the file that says so.
pub struct Expected<'a> {
    pub file: &'a str,
    pub message: Message,
}

/// Gives every file the first round that has room for it. The hard cases come first.
pub fn rounds(mut files: Vec<GoldenFile>) -> Vec<Round> {
    let alone = |file: &GoldenFile| file.name == "hard-cases";
    files.sort_by_key(|file| !alone(file));
    let mut rounds: Vec<Round> = Vec::new();
    for file in files {
        let book = ["frame", "hold"].into_iter().find(|mode| file.name.ends_with(&format!("-{mode}")));
        let needs: BTreeSet<(String, i32, String)> = file.input.iter().map(|message| (message.topic.clone(), message.partition, symbol(message))).collect();
        let fits = |round: &&mut Round| round.book == book && round.taken.is_disjoint(&needs) && !alone(&round.files[0]);
        match rounds.iter_mut().find(fits) {
            Some(round) => {
                round.taken.extend(needs);
                round.files.push(file);
            }
            None => rounds.push(Round { book, files: vec![file], taken: needs }),
        }
    }
    rounds
}

impl Round {
    /// The names of its files, for a report.
    pub fn files(&self) -> Vec<&str> {
        self.files.iter().map(|file| file.name.as_str()).collect()
    }

    /// Topics as the contract has them, with more partitions where a file uses more: the hard cases put frames where no exchange belongs.
    pub fn topics(&self, names: &Names) -> Vec<(String, i32)> {
        let of_stream = |stream| [names.input(stream), names.output(stream), names.dead_letters(stream)].map(|topic| (topic, self.partitions(stream)));
        Stream::ALL.into_iter().flat_map(of_stream).collect()
    }

    /// What `--lanes` must be given, where the files use partitions beyond the contract's: a hub works on those only when told to.
    pub fn lanes(&self) -> Option<String> {
        let beyond = Stream::ALL.into_iter().any(|stream| self.partitions(stream) > stream.partitions());
        let all = Stream::ALL.map(|stream| format!("{stream}:0-{}", self.partitions(stream) - 1));
        beyond.then(|| all.join(" "))
    }

    fn partitions(&self, stream: Stream) -> i32 {
        let inputs = self.files.iter().flat_map(|file| &file.input);
        let used = inputs.filter(|message| message.topic == stream.input_topic()).map(|message| message.partition + 1);
        used.max().unwrap_or(0).max(stream.partitions())
    }

    /// What to produce, file by file.
    pub fn input(&self, names: &Names) -> Vec<Message> {
        let renamed = |message: &Message| Message { topic: names.name(&message.topic), ..message.clone() };
        self.files.iter().flat_map(|file| &file.input).map(renamed).collect()
    }

    /// What must come out when [`Round::input`] was written at `offsets`, for each output partition in order.
    pub fn expected(&self, names: &Names, offsets: &[i64]) -> BTreeMap<Place, Vec<Expected<'_>>> {
        let mut expected: BTreeMap<Place, Vec<Expected<'_>>> = BTreeMap::new();
        let mut offsets = offsets.iter();
        for file in &self.files {
            let written: BTreeMap<(&str, i32, i64), i64> = file
                .input
                .iter()
                .zip(offsets.by_ref())
                .map(|(message, offset)| ((message.topic.as_str(), message.partition, message.offset.expect("an input's offset")), *offset))
                .collect();
            for output in &file.output {
                let mut message = Message { topic: names.name(&output.topic), ..output.clone() };
                if let (Some(topic), Some(offset)) = (output.header(ORIGIN_TOPIC), output.header(ORIGIN_OFFSET)) {
                    let offset = written[&(topic, output.partition, offset.parse().expect("an offset"))].to_string();
                    set_header(&mut message, ORIGIN_TOPIC, names.name(topic));
                    set_header(&mut message, ORIGIN_OFFSET, offset);
                }
                expected.entry((message.topic.clone(), message.partition)).or_default().push(Expected { file: &file.name, message });
            }
        }
        assert!(offsets.next().is_none(), "as many offsets as inputs");
        expected
    }
}

/// Every difference between what must come out and what did, in words. Empty: the same messages in the same order in every partition.
pub fn differences(expected: &BTreeMap<Place, Vec<Expected<'_>>>, found: &BTreeMap<Place, Vec<Message>>) -> Vec<String> {
    let mut differences = Vec::new();
    let places: BTreeSet<&Place> = expected.keys().chain(found.keys()).collect();
    for place in places {
        let expected = expected.get(place).map_or(&[][..], Vec::as_slice);
        let found = found.get(place).map_or(&[][..], Vec::as_slice);
        if expected.len() != found.len() {
            differences.push(format!("{place:?}: {} messages instead of {}", found.len(), expected.len()));
        }
        // Behind the first difference all else would be shifted: one of a partition tells enough.
        let pairs = (0..expected.len().max(found.len())).map(|index| (index, expected.get(index), found.get(index)));
        let mut different = pairs.filter(|(_, expected, found)| expected.map(|expected| comparable(&expected.message)) != found.map(comparable));
        if let Some((index, expected, found)) = different.next() {
            let file = expected.map_or("no file", |expected| expected.file);
            let expected = expected.map(|expected| &expected.message);
            differences.push(format!("{place:?} message {index} ({file})\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    differences
}

/// A message without what is free: its own offset, and the wording of an error.
fn comparable(message: &Message) -> Message {
    let mut message = Message { offset: None, ..message.clone() };
    if message.header(FREE_TEXT).is_some() {
        set_header(&mut message, FREE_TEXT, "free text".to_owned());
    }
    message
}

fn set_header(message: &mut Message, name: &str, value: String) {
    let (_, old) = message.headers.iter_mut().find(|(key, _)| key == name).expect("a header to change");
    *old = Some(value.into_bytes());
}

/// The envelope's symbol in its written form; empty where the value is no envelope, and then touches no book.
fn symbol(message: &Message) -> String {
    let envelope = message.value.as_deref().and_then(|value| serde_json::from_slice::<serde_json::Value>(value).ok());
    envelope.as_ref().and_then(|envelope| envelope["symbol"].as_str()).map_or_else(String::new, str::to_uppercase)
}
