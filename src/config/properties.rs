//! Properties for librdkafka that are passed through from `KAFKA_CLIENT_*`, `KAFKA_CONSUMER_*` and `KAFKA_PRODUCER_*`.
//!
//! Refuses, with the reason, those that would break a promise or that a setting of the hub owns; says which values are secret.

use super::secret::MASK;
use super::source::Origin;
use std::collections::BTreeMap;
use std::fmt;

/// librdkafka properties by name. `Debug` masks secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Name and value of each, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of the property `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, shown(name, value)))).finish()
    }
}

/// `value` as listings show it: masked where `name` says that it is a secret.
#[must_use]
pub fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) { MASK } else { value }
}

/// Whether the property, or the environment variable, `name` holds a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', ".");
    ["password", "passphrase", "secret", "token", "key", "credential", "sasl.jaas", "sasl.oauthbearer.config"].iter().any(|part| name.contains(part))
}

/// Whose clients a property is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Clients,
    Consumers,
    Producer,
}

impl Scope {
    const PREFIXES: [(&'static str, Self); 3] = [("KAFKA_CLIENT_", Self::Clients), ("KAFKA_CONSUMER_", Self::Consumers), ("KAFKA_PRODUCER_", Self::Producer)];

    fn as_str(self) -> &'static str {
        match self {
            Self::Clients => "client",
            Self::Consumers => "consumer",
            Self::Producer => "producer",
        }
    }
}

/// The scope and property that the environment variable `variable` stands for; `None` when it is none of ours.
pub(super) fn property(variable: &str) -> Option<(Scope, String)> {
    let (scope, rest) = Scope::PREFIXES.into_iter().find_map(|(prefix, scope)| variable.strip_prefix(prefix).map(|rest| (scope, rest)))?;
    let name = rest.to_ascii_lowercase().replace('_', ".");
    let name = match name.as_str() {
        // What the name means is plain, and other programs use these: KAFKA_CLIENT_ID is `client.id`.
        "id" | "rack" | "dns.lookup" if scope == Scope::Clients => format!("client.{name}"),
        // The only property with an underscore that a user may want.
        "log.level" => "log_level".to_owned(),
        _ => name,
    };
    (!rest.is_empty()).then_some((scope, name))
}

/// What came of the variables: properties of the two kinds of client, listing rows, and problems.
#[derive(Default)]
pub(super) struct Passed {
    pub consumer: Properties,
    pub producer: Properties,
    /// Name with scope, variable, shown value, origin.
    pub rows: Vec<(String, String, String, Origin)>,
    pub problems: Vec<String>,
}

/// Takes the pass-through variables out of `variables`. A property for one kind of client wins over the same for all.
pub(super) fn pass(variables: &BTreeMap<String, (String, Origin)>) -> Passed {
    let mut passed = Passed::default();
    // KAFKA_CLIENT_* sorts before the others, so that those overwrite it.
    for (variable, (value, origin)) in variables {
        let Some((scope, name)) = property(variable) else { continue };
        let visible = shown(&name, value);
        if let Some(why) = refusal(&name, value) {
            passed.problems.push(format!("{variable} = {visible:?} ({origin}): {name} is not passed to librdkafka: {why}"));
            continue;
        }
        passed.rows.push((format!("{} {name}", scope.as_str()), variable.clone(), visible.to_owned(), origin.clone()));
        if scope != Scope::Producer {
            passed.consumer.0.insert(name.clone(), value.clone());
        }
        if scope != Scope::Consumers {
            passed.producer.0.insert(name, value.clone());
        }
    }
    passed
}

fn refusal(name: &str, value: &str) -> Option<&'static str> {
    let refused = REFUSED.iter().find(|(names, _)| names.contains(&name)).map(|(_, why)| *why);
    refused.or_else(|| if cfg!(feature = "ssl") { None } else { needs_ssl(name, value) })
}

/// Without OpenSSL librdkafka would fail at the first client, with a message that does not say how to build it.
fn needs_ssl(name: &str, value: &str) -> Option<&'static str> {
    let value = value.to_ascii_lowercase();
    let needed = match name {
        "security.protocol" => value.ends_with("ssl"),
        "sasl.mechanism" | "sasl.mechanisms" => value.starts_with("scram") || value == "oauthbearer",
        _ => name.starts_with("ssl."),
    };
    needed.then_some("this build has no TLS; allowed with a build by `cargo build --release --features ssl`")
}

/// Properties that are refused, and why.
const REFUSED: &[(&[&str], &str)] = &[
    (&["bootstrap.servers", "metadata.broker.list"], "use KAFKA_BOOTSTRAP_SERVERS"),
    (&["group.id"], "use the group of each stream, such as HUB_KOREA_TICKER_GROUP"),
    (&["auto.offset.reset"], "use HUB_START; a lane whose offset is out of range stops instead of skipping records silently"),
    (
        &["enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store", "offset.store.method"],
        "offsets are committed only after everything before them is acknowledged; HUB_COMMIT_INTERVAL_MS sets how often",
    ),
    (&["auto.commit.interval.ms"], "use HUB_COMMIT_INTERVAL_MS"),
    (
        &["group.protocol", "group.remote.assignor", "partition.assignment.strategy", "group.instance.id"],
        "partitions are assigned by hand; use HUB_LANES to select them",
    ),
    (&["isolation.level"], "aborted records must never be read as input; it stays read_committed"),
    (&["enable.partition.eof"], "the hub itself decides when a lane has caught up"),
    (&["check.crcs"], "corrupt records must never be read as input; checksums stay on"),
    (&["queued.max.messages.kbytes"], "use HUB_FETCH_QUEUE_KIB"),
    (&["fetch.wait.max.ms"], "use HUB_FETCH_WAIT_MS"),
    (&["fetch.max.bytes"], "use HUB_FETCH_MAX_BYTES"),
    (&["acks", "request.required.acks"], "a record counts as delivered only when all in-sync replicas have it; it stays all"),
    (
        &["enable.idempotence", "max.in.flight", "max.in.flight.requests.per.connection", "queuing.strategy"],
        "records must neither repeat nor change their order when they are sent again; it stays as idempotence needs it",
    ),
    (&["enable.gapless.guarantee"], "no record is ever given up, so there are no gaps to guard against"),
    (&["transaction.timeout.ms"], "use HUB_TRANSACTION_TIMEOUT_MS"),
    (&["transactional.id"], "it must always mean the same input partition, so the hub makes it"),
    (
        &["message.timeout.ms", "delivery.timeout.ms", "retries", "message.send.max.retries"],
        "a record is never given up: an outage stops the input instead; HUB_STOP_DEADLINE_MS bounds a stop",
    ),
    (&["queue.buffering.max.kbytes"], "use HUB_PRODUCER_QUEUE_KIB"),
    (&["queue.buffering.max.messages"], "use HUB_PRODUCER_QUEUE_MESSAGES"),
    (&["linger.ms", "queue.buffering.max.ms"], "use HUB_LINGER_MS"),
    (&["compression.codec", "compression.type"], "use HUB_COMPRESSION"),
    (&["delivery.report.only.error"], "every record's report is needed before its offset may be committed"),
    (&["partitioner"], "a record goes to the partition number of its input"),
    (&["allow.auto.create.topics"], "use HUB_CREATE_TOPICS, which makes topics with the right partitions"),
    (&["statistics.interval.ms"], "use HUB_REPORT_INTERVAL_S"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn pass_all(given: &[(&str, &str)]) -> Passed {
        pass(&given.iter().map(|(name, value)| ((*name).to_owned(), ((*value).to_owned(), Origin::Environment))).collect())
    }

    #[test]
    fn goes_to_the_clients_it_names() {
        let passed = pass_all(&[
            ("KAFKA_CLIENT_SOCKET_TIMEOUT_MS", "1"),
            ("KAFKA_CONSUMER_SOCKET_TIMEOUT_MS", "2"),
            ("KAFKA_PRODUCER_BATCH_SIZE", "3"),
            ("KAFKA_CLIENT_ID", "me"),
            ("KAFKA_PRODUCER_LOG_LEVEL", "7"),
            ("KAFKA_HEAP_OPTS", "-Xmx1g"),
            ("KAFKA_CLIENT_", "x"),
            ("HUB_LANES", "x"),
        ]);
        assert_eq!(passed.problems, Vec::<String>::new());
        assert_eq!(passed.consumer.iter().collect::<Vec<_>>(), [("client.id", "me"), ("socket.timeout.ms", "2")]);
        assert_eq!(passed.producer.iter().collect::<Vec<_>>(), [("batch.size", "3"), ("client.id", "me"), ("log_level", "7"), ("socket.timeout.ms", "1")]);
        assert_eq!(passed.rows.len(), 5);
    }

    #[test]
    fn refuses_what_would_break_a_promise_for_every_client() {
        for (names, why) in REFUSED {
            for name in *names {
                for prefix in ["KAFKA_CLIENT_", "KAFKA_CONSUMER_", "KAFKA_PRODUCER_"] {
                    let variable = format!("{prefix}{}", name.replace('.', "_").to_uppercase());
                    let passed = pass_all(&[(&variable, "1")]);
                    assert_eq!(passed.problems, [format!("{variable} = \"1\" (environment): {name} is not passed to librdkafka: {why}")]);
                    assert!(passed.consumer.0.is_empty() && passed.producer.0.is_empty() && passed.rows.is_empty());
                }
            }
        }
    }

    #[test]
    fn every_setting_named_in_a_refusal_exists() {
        for (_, why) in REFUSED {
            for word in why.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|word| word.starts_with("HUB_") || word.starts_with("KAFKA_")) {
                assert!(super::super::knobs::ALL.iter().any(|knob| knob.env == word), "{word}");
            }
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_show() {
        for name in
            ["sasl.password", "SASL_OAUTHBEARER_CLIENT_SECRET", "ssl.key.pem", "ssl.keystore.location", "sasl.jaas.config", "SASL_JAAS_CONFIG", "a.token"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["sasl.username", "ssl.ca.location", "sasl.mechanism"] {
            assert!(!is_secret(name), "{name}");
        }
        let passed = pass_all(&[("KAFKA_CLIENT_SASL_PASSWORD", "hunter2")]);
        assert_eq!(passed.consumer.get("sasl.password"), Some("hunter2"));
        assert!(!format!("{:?} {:?}", passed.consumer, passed.rows).contains("hunter2"));
    }

    #[test]
    #[cfg(not(feature = "ssl"))]
    fn says_when_the_build_has_no_tls() {
        let passed = pass_all(&[
            ("KAFKA_CLIENT_SASL_MECHANISM", "SCRAM-SHA-256"),
            ("KAFKA_CLIENT_SECURITY_PROTOCOL", "SASL_SSL"),
            ("KAFKA_CONSUMER_SSL_KEY_PASSWORD", "hunter2"),
            ("KAFKA_PRODUCER_SECURITY_PROTOCOL", "SASL_PLAINTEXT"),
        ]);
        assert_eq!(passed.problems.len(), 3);
        assert!(passed.problems.iter().all(|line| line.contains("--features ssl") && !line.contains("hunter2")));
        assert_eq!(passed.producer.get("security.protocol"), Some("sasl_plaintext".to_uppercase().as_str()));
    }
}
