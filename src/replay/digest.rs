//! A digest of what comes out, to compare two versions by: SHA-256 over the messages of each output partition in order, and one over all of these. However
//! the partitions come one between the other, it is the same.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::batch::Message;

/// What every hash begins with; whatever changes what is hashed changes it.
const VERSION: &[u8] = b"market-hub digest 1";

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Digest(BTreeMap<String, BTreeMap<i32, Partition>>);

#[derive(Clone, Debug)]
struct Partition {
    messages: u64,
    hash: Sha256,
}

impl Digest {
    /// Takes the next message of an output partition: its key, timestamp, headers and value.
    pub fn add(&mut self, topic: &str, partition: i32, message: &Message<'_>) {
        let Some(partitions) = self.0.get_mut(topic) else {
            self.0.insert(topic.to_owned(), BTreeMap::new());
            return self.add(topic, partition, message);
        };
        let Partition { messages, hash } = partitions.entry(partition).or_insert_with(|| Partition { messages: 0, hash: Sha256::new_with_prefix(VERSION) });
        *messages += 1;
        update(hash, message.key);
        hash.update(message.timestamp_ms.to_be_bytes());
        let headers = message.headers();
        hash.update((headers.len() as u64).to_be_bytes());
        for (name, value) in headers {
            update(hash, Some(name.as_bytes()));
            update(hash, value);
        }
        update(hash, message.value);
    }
}

/// Adds bytes so that no others read the same: how many there are, then they themselves; all bits set where there are none at all.
fn update(hash: &mut Sha256, bytes: Option<&[u8]>) {
    hash.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
    hash.update(bytes.unwrap_or_default());
}

impl fmt::Display for Digest {
    /// A line for each output partition, and one for all: topic, partition, messages, SHA-256.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Sha256::new_with_prefix(VERSION);
        let mut total = 0;
        for (topic, partitions) in &self.0 {
            for (partition, Partition { messages, hash }) in partitions {
                let hash = hash.clone().finalize();
                total += messages;
                update(&mut all, Some(topic.as_bytes()));
                all.update(partition.to_be_bytes());
                all.update(hash);
                writeln!(f, "{topic} {partition} {messages} {}", hex(&hash))?;
            }
        }
        writeln!(f, "all - {total} {}", hex(&all.finalize()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Batch, Destination, Place};

    /// Partition, timestamp, key, value, and a header.
    type Draft<'d> = (i32, i64, Option<&'d str>, Option<&'d str>, Option<(&'d str, Option<&'d str>)>);

    fn digest(drafts: &[Draft<'_>]) -> String {
        let mut digest = Digest::default();
        for (partition, timestamp_ms, key, value, header) in drafts {
            let mut batch = Batch::default();
            let mut writer = batch.begin(Destination::Output, Place::default(), *timestamp_ms);
            key.iter().for_each(|key| writer.key(|out| out.extend_from_slice(key.as_bytes())));
            value.iter().for_each(|value| writer.value(|out| out.extend_from_slice(value.as_bytes())));
            header.iter().for_each(|(name, value)| writer.copy_header(name, value.map(str::as_bytes)));
            writer.finish();
            digest.add("topic", *partition, &batch.message(0));
        }
        digest.to_string()
    }

    fn all(drafts: &[Draft<'_>]) -> String {
        digest(drafts).lines().last().unwrap().to_owned()
    }

    const BASE: Draft<'static> = (0, 1, Some("k"), Some("v"), Some(("h", Some("x"))));

    #[test]
    fn every_part_of_a_message_counts() {
        let others: [Draft<'_>; 9] = [
            (1, 1, Some("k"), Some("v"), Some(("h", Some("x")))),
            (0, 2, Some("k"), Some("v"), Some(("h", Some("x")))),
            (0, 1, Some("l"), Some("v"), Some(("h", Some("x")))),
            (0, 1, None, Some("v"), Some(("h", Some("x")))),
            (0, 1, Some(""), Some("v"), Some(("h", Some("x")))),
            (0, 1, Some("k"), None, Some(("h", Some("x")))),
            (0, 1, Some("k"), Some("v"), None),
            (0, 1, Some("k"), Some("v"), Some(("h", None))),
            (0, 1, Some("k"), Some("v"), Some(("hx", Some("")))),
        ];
        let distinct: std::collections::BTreeSet<_> = others.iter().chain([&BASE]).map(|draft| all(&[*draft])).collect();
        assert_eq!(distinct.len(), 10);
        assert_ne!(all(&[BASE]), all(&[BASE, BASE]));
    }

    #[test]
    fn only_the_order_within_a_partition_counts() {
        let (a, b) = ((0, 1, None, Some("a"), None), (0, 1, None, Some("b"), None));
        let other = (1, 1, None, Some("c"), None);
        assert_eq!(digest(&[a, b, other]), digest(&[other, a, b]));
        assert_eq!(digest(&[a, b, other]), digest(&[a, other, b]));
        assert_ne!(all(&[a, b]), all(&[b, a]));
    }

    /// Other programs may hold digests of other versions: what is hashed does not change without its name.
    #[test]
    fn the_digest_is_that_of_its_version() {
        assert_eq!(digest(&[]), "all - 0 8482215f98eaa37a0679cebacde74d30c2a5bf2a4f09414e408c8ae374535f2c\n");
        let lines = "topic 0 1 611d058f1a5ff1a2fa955540ae6bcd30ecce7cdef34595190aaffc7f4ac2c6e1\nall - 1 f892f2a8d6bb400138a749bc84c17f7add6687370f3d555b85db893f7c6ac97f\n";
        assert_eq!(digest(&[BASE]), lines);
    }
}
