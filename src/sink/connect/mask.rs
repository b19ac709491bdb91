//! What must never be shown: secrets, masked by the name of their property and by their value in any text. Kafka Connect echoes what it was given.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{MASK, Secret, properties, without_passwords};

/// From this length on a value under the name of a secret is taken for one wherever it stands.
const SECRET_CHARS: usize = 4;
/// The same for the public half of a pair of keys.
const ACCESS_KEY_CHARS: usize = 8;

/// The secrets that are known, and what takes them out of texts.
#[derive(Clone, Default)]
pub struct Mask(BTreeSet<String>);

impl Mask {
    /// Learns a secret.
    pub fn learn(&mut self, secret: &Secret) {
        self.learn_text(secret.expose());
    }

    /// Learns the values of those properties whose names say that they are secret. What is too short to be one is masked by its name alone: else a
    /// `token.count=1` would take every 1 out of what is said. So is a short access key, which is a name rather than a secret: `minio` is a host, too.
    pub fn learn_properties(&mut self, properties: &BTreeMap<String, String>) {
        for (name, value) in properties.iter().filter(|(name, _)| is_secret(name)) {
            let chars_min = if name.replace('_', ".").ends_with("access.key.id") { ACCESS_KEY_CHARS } else { SECRET_CHARS };
            if value.chars().count() >= chars_min && !["true", "false", "none", "null"].contains(&value.as_str()) {
                self.learn_text(value);
            }
        }
    }

    /// As it stands, and as it stands within JSON, URLs and Java's quotes.
    fn learn_text(&mut self, text: &str) {
        let quoted = format!("{text:?}");
        let in_url: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let forms = [text.to_owned(), text.trim().to_owned(), quoted[1..quoted.len() - 1].to_owned(), in_url.replace('+', "%20"), in_url];
        self.0.extend(forms.into_iter().filter(|form| !form.is_empty()));
    }

    /// `text` without any secret that is known, and without the passwords of URLs.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        // The longest first: one secret may be a part of another.
        let mut secrets: Vec<&String> = self.0.iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        // What masks one secret must not be taken for a part of the next.
        let mut pieces = vec![(text.to_owned(), false)];
        for secret in secrets {
            pieces = pieces.into_iter().flat_map(|(piece, masked)| if masked { vec![(piece, true)] } else { without(&piece, secret) }).collect();
        }
        without_passwords(&pieces.into_iter().map(|(piece, _)| piece).collect::<String>())
    }

    /// The value of a property as it may be shown.
    #[must_use]
    pub fn value(&self, name: &str, value: &str) -> String {
        if is_secret(name) && !value.is_empty() { MASK.to_owned() } else { self.text(value) }
    }
}

/// The piece cut at every place of the secret; `true` marks what masks it.
fn without(piece: &str, secret: &str) -> Vec<(String, bool)> {
    let mut cut = Vec::new();
    for (index, part) in piece.split(secret).enumerate() {
        if index > 0 {
            cut.push((MASK.to_owned(), true));
        }
        cut.push((part.to_owned(), false));
    }
    cut
}

/// Whether the property `name` of a connector holds a secret. `key` is one where it ends a name (`s3.sse.key`, `apiKey`) or stands within
/// (`aws.access.key.id`), not where it begins it (`key.converter`).
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['_', '-'], ".");
    // What is about keys of records and not a key.
    const HARMLESS: [&str; 4] = ["key.converter", "keys.format.class", "store.kafka.keys", "key.ignore"];
    if HARMLESS.iter().any(|harmless| name.starts_with(harmless)) && !properties::is_secret(&name.replace("key", "")) {
        return false;
    }
    properties::is_secret(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in [
            "aws.secret.access.key",
            "aws.access.key.id",
            "aws_secret_access_key",
            "s3.sse.key",
            "basic.auth.credentials",
            "consumer.override.sasl.jaas.config",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["connector.class", "key.converter", "key.converter.schemas.enable", "store.kafka.keys", "topics", "s3.region", "flush.size"] {
            assert!(!is_secret(name), "{name}");
        }
        assert!(is_secret("key.converter.basic.auth.user.password"));
    }

    #[test]
    fn a_secret_goes_wherever_it_stands_and_however_it_is_written() {
        let mut mask = Mask::default();
        mask.learn(&Secret::new("p\"w/ 1"));
        mask.learn_properties(&[("aws.secret.access.key".to_owned(), "hunter2".to_owned()), ("topics".to_owned(), "t1".to_owned())].into());
        assert_eq!(
            mask.text("hunter2 in 'xhunter2y', p\"w/ 1, \"p\\\"w/ 1\", ?q=p%22w%2F+1&t1"),
            "******** in 'x********y', ********, \"********\", ?q=********&t1"
        );
        assert_eq!(mask.value("aws.secret.access.key", "other"), MASK);
        assert_eq!((mask.value("aws.secret.access.key", ""), mask.value("file", "/hunter2")), (String::new(), "/********".to_owned()));
    }

    #[test]
    fn a_word_under_a_secrets_name_is_masked_there_alone() {
        let mut mask = Mask::default();
        mask.learn_properties(
            &[("a.token.count".to_owned(), "1".to_owned()), ("a.key".to_owned(), "true".to_owned()), ("aws.access.key.id".to_owned(), "minio".to_owned())]
                .into(),
        );
        let text = "1 is true at http://minio:9000";
        assert_eq!(
            (mask.text(text), mask.value("a.key", "true"), mask.value("aws.access.key.id", "minio")),
            (text.to_owned(), MASK.to_owned(), MASK.to_owned())
        );
    }

    #[test]
    fn a_secret_within_another_or_of_stars_leaves_nothing() {
        let mut mask = Mask::default();
        for secret in ["abc", "abcdef", "*"] {
            mask.learn(&Secret::new(secret));
        }
        assert_eq!(mask.text("abcdef abc"), "******** ********");
    }
}
