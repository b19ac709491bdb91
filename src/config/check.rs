//! What settings say about each other: contradictions, which stop the start, and oddities, which are only warned of.

use super::knobs::{self, Knob, STREAMS};
use super::types::{Config, Delivery, Idle, Output};
use super::values::Values;
use crate::market::Stream;
use crate::rules::BookMode;

/// Adds the problems and warnings of `config` as a whole to `values`.
pub(super) fn check(config: &Config, values: &mut Values) {
    topics(config, values);
    resync(config, values);
    arrays(config, values);
    sizes(config, values);
    delivery(config, values);
    threads(config, values);
    writer(config, values);
}

/// No record may come back as input, and no offset may mean two lanes.
fn topics(config: &Config, values: &mut Values) {
    for stream in Stream::ALL {
        let names = config.names(stream);
        let input = STREAMS[stream.index()][0];
        if names.dlt.len() > 249 {
            values.contradiction(&[input, &knobs::DLT_SUFFIX], "together they are longer than the 249 characters of a topic name");
        }
        for other in Stream::ALL {
            let [other_input, other_output, _] = STREAMS[other.index()];
            let others = config.names(other);
            if stream < other && names.input == others.input {
                values.contradiction(&[input, other_input], "two streams cannot have the same input topic");
            }
            if names.input == others.output {
                values.contradiction(&[input, other_output], "a topic cannot be both input and output");
            }
            if names.input == others.dlt {
                clash(values, input, other_input, &format!("the input topic {:?} is also the dead-letter topic of {other}", names.input));
            }
            if names.output == others.dlt {
                let output = STREAMS[stream.index()][1];
                clash(values, output, other_input, &format!("the output topic {:?} is also the dead-letter topic of {other}", names.output));
            }
        }
    }
}

/// Requests for snapshots are no input, and no reader of records expects them.
fn resync(config: &Config, values: &mut Values) {
    let Some(topic) = &config.resync_topic else { return };
    for stream in Stream::ALL {
        let names = config.names(stream);
        let [input, output, _] = STREAMS[stream.index()];
        for (knob, name) in [(input, &names.input), (output, &names.output)] {
            if name == topic {
                values.contradiction(&[&knobs::RESYNC_TOPIC, knob], "resync requests need a topic of their own");
            }
        }
        if names.dlt == *topic {
            clash(values, &knobs::RESYNC_TOPIC, input, &format!("the topic {topic:?} is also the dead-letter topic of {stream}"));
        }
    }
    if config.rules.book_mode == BookMode::Frame {
        values.warn(&[&knobs::RESYNC_TOPIC, &knobs::BOOK], "has no effect, since no books are kept");
    }
}

fn arrays(config: &Config, values: &mut Values) {
    if config.output == Output::Records {
        for knob in [&knobs::ARRAY_MAX, &knobs::ARRAY_TIMEOUT_MS, &knobs::ARRAY_ADAPTIVE] {
            if values.is_given(knob) {
                values.warn(&[knob, &knobs::OUTPUT], "has no effect, since records are not put into arrays");
            }
        }
    }
}

/// A clash of `knob` with the dead-letter topic made of `input` and the suffix.
fn clash(values: &mut Values, knob: &'static Knob, input: &'static Knob, why: &str) {
    let mut knobs = vec![knob, input, &knobs::DLT_SUFFIX];
    knobs.dedup_by_key(|knob| knob.flag);
    values.contradiction(&knobs, why);
}

/// A transaction that the brokers abort before it would be committed never ends well.
fn delivery(config: &Config, values: &mut Values) {
    if config.delivery == Delivery::ExactlyOnce && config.commit_interval * 2 > config.transactions.timeout {
        values.contradiction(&[&knobs::COMMIT_INTERVAL_MS, &knobs::TRANSACTION_TIMEOUT_MS], "a transaction must be open for less than half of its timeout");
    }
}

fn sizes(config: &Config, values: &mut Values) {
    let limits = config.rules.limits;
    let queue_bytes = config.kafka.producer_queue_kib << 10;
    if limits.frame_bytes > limits.envelope_bytes {
        values.contradiction(&[&knobs::FRAME_MAX_BYTES, &knobs::ENVELOPE_MAX_BYTES], "a frame cannot be larger than the envelope it is in");
    }
    // librdkafka refuses a message larger than its whole queue with QueueFull, every time: the lane would stand still for ever.
    if queue_bytes < limits.envelope_bytes {
        values.contradiction(&[&knobs::PRODUCER_QUEUE_KIB, &knobs::ENVELOPE_MAX_BYTES], "the producer could never send the largest envelope as a dead letter");
    }
    if queue_bytes < config.batch.bytes {
        values.warn(&[&knobs::PRODUCER_QUEUE_KIB, &knobs::BATCH_BYTES], "a full batch does not fit the producer's queue at once");
    }
    if config.kafka.producer_queue_messages < config.batch.records {
        values.warn(&[&knobs::PRODUCER_QUEUE_MESSAGES, &knobs::BATCH_RECORDS], "a full batch does not fit the producer's queue at once");
    }
}

/// The writer's offsets are its own: they lie in other topics than the lanes'.
fn writer(config: &Config, values: &mut Values) {
    for stream in Stream::ALL {
        if config.names(stream).group == config.writer.group {
            values.contradiction(&[&knobs::S3_GROUP, STREAMS[stream.index()][2]], "the writer needs a group of its own");
        }
    }
    if config.writer.timeout < config.writer.connect_timeout {
        values.warn(&[&knobs::S3_TIMEOUT_MS, &knobs::S3_CONNECT_TIMEOUT_MS], "a connection may take longer to open than a whole request");
    }
}

fn threads(config: &Config, values: &mut Values) {
    let placement = &config.placement;
    if let Some(cpu) = placement.producer_cpus.iter().find(|cpu| placement.worker_cpus.contains(cpu)) {
        values.warn(&[&knobs::PRODUCER_CPUS, &knobs::WORKER_CPUS], &format!("the producer and a worker share CPU {cpu}"));
    }
    if !placement.pin {
        let cpus = [(&knobs::WORKER_CPUS, &placement.worker_cpus), (&knobs::PRODUCER_CPUS, &placement.producer_cpus)];
        for (knob, _) in cpus.into_iter().filter(|(_, cpus)| !cpus.is_empty()) {
            values.warn(&[knob, &knobs::PIN], "has no effect, since threads are not pinned");
        }
    }
    if let Some(workers) = placement.workers {
        if workers > config.lanes.len() {
            values.warn(&[&knobs::WORKERS], &format!("there are only {} lanes, so only as many workers will run", config.lanes.len()));
        }
        if placement.pin && !placement.worker_cpus.is_empty() && placement.worker_cpus.len() < workers.min(config.lanes.len()) {
            values.warn(&[&knobs::WORKERS, &knobs::WORKER_CPUS], "there are fewer CPUs than workers, so some workers share one");
        }
    }
    if !matches!(config.idle, Idle::Park(_)) && values.is_given(&knobs::IDLE_PARK_US) {
        values.warn(&[&knobs::IDLE_PARK_US, &knobs::IDLE], "has no effect, since workers do not park");
    }
}
