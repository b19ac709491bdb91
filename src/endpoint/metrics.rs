//! Metrics, written from the status in OpenMetrics or in Prometheus's plain text. Names are `hub_*` in base units, and lag also stands under the names
//! of the usual exporters, for dashboards that know those. Labels are bounded: lanes, exchanges, kinds, reasons, stages; never a symbol.

use std::fmt::Write;

use super::status::{ClientRow, FeedRow, LaneRow, LatencyRow, SinkStatus, Status};
use crate::observe::SinkPart;
use crate::outcome::Reason;

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Prometheus's text, version 0.0.4.
    Plain,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Form {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// All metrics.
pub(super) fn write(status: &Status, form: Form) -> String {
    let mut page = Page { text: String::with_capacity(64 << 10), form };
    page.run(status);
    page.lanes(&status.lanes);
    page.lag_as_exporters_tell_it(&status.lanes);
    page.feeds(&status.feeds);
    page.clients(&status.clients);
    page.sink(status.sink.as_ref());
    page.latencies(&status.latencies);
    if form == Form::OpenMetrics {
        page.text.push_str("# EOF\n");
    }
    page.text
}

/// A metric's name, its help, and its value for a row.
type Metric<'m, R> = (&'m str, &'m str, fn(&R) -> Option<f64>);

struct Page {
    text: String,
    form: Form,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A metric with a sample for each row that has a value. What ends in `_total` is a counter, all else a gauge.
    fn metric(&mut self, name: &str, help: &str, rows: impl Iterator<Item = (String, Option<f64>)>) {
        let family = match self.form {
            Form::OpenMetrics => name.strip_suffix("_total").unwrap_or(name),
            Form::Plain => name,
        };
        self.head(family, if name.ends_with("_total") { "counter" } else { "gauge" }, help);
        for (labels, value) in rows {
            if let Some(value) = value {
                let _ = writeln!(self.text, "{name}{labels} {value}");
            }
        }
    }

    fn one(&mut self, name: &str, help: &str, value: Option<f64>) {
        self.metric(name, help, std::iter::once((String::new(), value)));
    }

    /// Metrics of which every row may have a sample.
    fn table<'m, R: 'm>(&mut self, rows: &[R], labels: impl Fn(&R) -> String, metrics: impl IntoIterator<Item = Metric<'m, R>>) {
        for (name, help, value) in metrics {
            self.metric(name, help, rows.iter().map(|row| (labels(row), value(row))));
        }
    }

    fn run(&mut self, status: &Status) {
        let process = &status.process;
        let version = format!("{{version=\"{}\"}}", status.version);
        self.metric("hub_build", "The version that runs; always 1.", std::iter::once((version, Some(1.0))));
        self.one("hub_ready", "Whether all lanes work.", Some(f64::from(u8::from(status.ready))));
        self.one("hub_sight_age_seconds", "How old is what the workers have told.", Some(status.sight_age_s));
        self.one("process_start_time_seconds", "When the process began, since the epoch.", Some(status.started_ms as f64 / 1_000.0));
        self.one("process_cpu_seconds_total", "Processor time of user and system.", Some(process.cpu_s));
        self.one("process_resident_memory_bytes", "Resident memory.", Some(process.resident_bytes as f64));
        self.one("process_virtual_memory_bytes", "Virtual memory.", Some(process.virtual_bytes as f64));
        self.one("process_open_fds", "Open file descriptors.", Some(process.open_fds as f64));
        self.one("process_max_fds", "How many file descriptors may be open.", process.max_fds.map(|fds| fds as f64));
        self.one("hub_log_lines_left_out_total", "Lines of the log that nobody could write fast enough.", Some(status.log_lines_left_out as f64));
        self.one("process_threads", "Threads.", Some(status.threads.len() as f64));
        let busy = |role: &'static str| status.threads.iter().filter(move |thread| thread.role == role).map(|thread| thread.busy).sum();
        let roles = ["worker", "producer", "transactions", "Kafka client", "housekeeping"];
        let rows = roles.into_iter().map(|role| (format!("{{role=\"{role}\"}}"), Some(busy(role))));
        self.metric("hub_threads_busy_cpus", "CPUs that the threads of a role took lately.", rows);
    }

    fn lanes(&mut self, lanes: &[LaneRow]) {
        let counters: [Metric<'_, LaneRow>; 16] = [
            ("hub_lane_envelopes_total", "Envelopes taken.", |lane| Some(lane.envelopes as f64)),
            ("hub_lane_frames_total", "Frames in accepted envelopes.", |lane| Some(lane.frames as f64)),
            ("hub_lane_records_total", "Records made.", |lane| Some(lane.records as f64)),
            ("hub_lane_unverified_records_total", "Records from a book that cannot be trusted.", |lane| Some(lane.unverified as f64)),
            ("hub_lane_control_frames_total", "Known noise.", |lane| Some(lane.control as f64)),
            ("hub_lane_stale_frames_total", "Deltas that were not newer than their book.", |lane| Some(lane.stale as f64)),
            ("hub_lane_held_records_total", "Records kept back because their book cannot be trusted.", |lane| Some(lane.held as f64)),
            ("hub_lane_gaps_total", "Deltas before which frames are missing.", |lane| Some(lane.gaps as f64)),
            ("hub_lane_checksum_matches_total", "Checksums that fit their book.", |lane| Some(lane.checksum_matches as f64)),
            ("hub_lane_checksum_mismatches_total", "Checksums that do not fit their book.", |lane| Some(lane.checksum_mismatches as f64)),
            ("hub_lane_crossed_records_total", "Records whose best bid is not below the best ask.", |lane| Some(lane.crossed as f64)),
            ("hub_lane_resync_requests_total", "Requests for snapshots.", |lane| Some(lane.resyncs as f64)),
            ("hub_lane_misplaced_frames_total", "Frames of another exchange than the partition's.", |lane| Some(lane.misplaced as f64)),
            ("hub_lane_lost_envelopes_total", "Envelopes lost to gaps in the log.", |lane| Some(lane.lost as f64)),
            ("hub_lane_restarts_total", "How often the lane began again after a failure.", |lane| Some(lane.restarts as f64)),
            ("hub_lane_idle_seconds", "How long ago the lane took an envelope.", |lane| lane.idle_s),
        ];
        let gauges: [Metric<'_, LaneRow>; 9] = [
            ("hub_lane_position", "The offset that the lane takes next.", |lane| Some(lane.position as f64)),
            ("hub_lane_watermark", "The offset below which all is acknowledged.", |lane| Some(lane.watermark as f64)),
            ("hub_lane_committed", "The offset that the group has committed.", |lane| Some(lane.committed as f64)),
            ("hub_lane_end", "The end of the lane's log.", |lane| lane.end.map(|end| end as f64)),
            ("hub_lane_lag", "Records that the lane has not taken.", |lane| lane.lag.map(|lag| lag as f64)),
            ("hub_lane_lag_seconds", "Age of the record that the lane took last; 0 where nothing is left.", |lane| lane.lag_s),
            ("hub_lane_under_way_batches", "Batches handed over and not acknowledged.", |lane| Some(lane.under_way as f64)),
            ("hub_lane_oldest_unverified_seconds", "How long the book that has been unverified for longest has been so.", |lane| lane.oldest_unverified_s),
            ("hub_lane_ready", "Whether the lane works.", |lane| Some(f64::from(u8::from(lane.works())))),
        ];
        self.table(lanes, |lane| lane_labels(lane, ""), counters.into_iter().chain(gauges));
        let books = lanes.iter().filter(|lane| lane.kind == "orderbook").flat_map(|lane| {
            [("live", lane.books_live), ("unverified", lane.books_unverified)]
                .map(|(state, books)| (lane_labels(lane, &format!(",state=\"{state}\"")), Some(books as f64)))
        });
        self.metric("hub_lane_books", "Books by whether they can be trusted.", books);
        let states = lanes.iter().flat_map(|lane| {
            ["OK", "WARN", "STALL", "STOP", "ERR", "START"]
                .map(|state| (lane_labels(lane, &format!(",state=\"{}\"", state.to_ascii_lowercase())), Some(f64::from(u8::from(lane.state == state)))))
        });
        self.metric("hub_lane_state", "The state of a lane: 1 at the one that holds.", states);
        // All reasons, so that an alert sees each grow from 0.
        let letters = lanes.iter().flat_map(|lane| {
            Reason::ALL.map(|reason| {
                let found = lane.dead_letters_by_reason.iter().find(|(of, _)| *of == reason.as_str());
                (lane_labels(lane, &format!(",reason=\"{}\"", reason.as_str())), Some(found.map_or(0.0, |(_, count)| *count as f64)))
            })
        });
        self.metric("hub_lane_dead_letters_total", "Dead letters by reason.", letters);
    }

    /// kafka_exporter's and KMinion's names. What was committed counts there, not what was taken.
    fn lag_as_exporters_tell_it(&mut self, lanes: &[LaneRow]) {
        let lag = |lane: &LaneRow| lane.end.map(|end| (end - lane.committed).max(0) as f64);
        let group = |lane: &LaneRow| format!("{{consumergroup=\"{}\",topic=\"{}\",partition=\"{}\"}}", escaped(&lane.group), lane.topic, lane.partition);
        let told = |lane: &&LaneRow| lane.state != "START";
        let lanes = || lanes.iter().filter(told);
        self.metric(
            "kafka_consumergroup_current_offset",
            "The offset that the group has committed, as kafka_exporter tells it.",
            lanes().map(|lane| (group(lane), Some(lane.committed as f64))),
        );
        self.metric(
            "kafka_consumergroup_lag",
            "Records that the group has not committed, as kafka_exporter tells it.",
            lanes().map(|lane| (group(lane), lag(lane))),
        );
        self.metric(
            "kafka_topic_partition_current_offset",
            "The end of the log, as kafka_exporter tells it.",
            lanes().map(|lane| (format!("{{topic=\"{}\",partition=\"{}\"}}", lane.topic, lane.partition), lane.end.map(|end| end as f64))),
        );
        self.metric(
            "kminion_kafka_consumer_group_topic_partition_lag",
            "Records that the group has not committed, as KMinion tells it.",
            lanes().map(|lane| {
                let labels = format!("{{group_id=\"{}\",topic_name=\"{}\",partition_id=\"{}\"}}", escaped(&lane.group), lane.topic, lane.partition);
                (labels, lag(lane))
            }),
        );
    }

    fn feeds(&mut self, feeds: &[FeedRow]) {
        let metrics: [Metric<'_, FeedRow>; 13] = [
            ("hub_feed_frames_total", "Frames that became a record, noise, stale or held.", |feed| Some(feed.frames as f64)),
            ("hub_feed_records_total", "Records made.", |feed| Some(feed.records as f64)),
            ("hub_feed_last_seen_seconds", "How long ago a frame came last.", |feed| feed.last_seen_s),
            ("hub_feed_stale", "Whether no frame has come for too long.", |feed| Some(f64::from(u8::from(feed.is_stale)))),
            ("hub_feed_out_of_order_frames_total", "Frames whose event time lies before that of an earlier one of their symbol.", |feed| {
                Some(feed.out_of_order as f64)
            }),
            ("hub_feed_duplicate_frames_total", "Frames whose record is that of the frame before of their symbol once more.", |feed| {
                Some(feed.duplicates as f64)
            }),
            (
                "hub_feed_skew_seconds",
                "How long after its event an envelope came: the median of a sample; below 0 where the exchange's clock is ahead.",
                |feed| feed.skew_s.map(|skew| skew[1]),
            ),
            ("hub_feed_skew_min_seconds", "The least of the same.", |feed| feed.skew_s.map(|skew| skew[0])),
            ("hub_feed_skew_max_seconds", "The most of the same.", |feed| feed.skew_s.map(|skew| skew[2])),
            ("hub_feed_sampled_frames_total", "Frames of the sample that are checked for drift.", |feed| Some(feed.sampled as f64)),
            ("hub_feed_drifted_frames_total", "Frames of the sample with a key that is not known, or without one that belongs there.", |feed| {
                Some(feed.drifted as f64)
            }),
            ("hub_feed_books_live", "Books that are live.", |feed| (feed.kind == "orderbook").then_some(feed.books_live as f64)),
            ("hub_feed_books_unverified", "Books that are unverified.", |feed| (feed.kind == "orderbook").then_some(feed.books_unverified as f64)),
        ];
        self.table(feeds, |feed| format!("{{exchange=\"{}\",kind=\"{}\"}}", feed.exchange, feed.kind), metrics);
    }

    fn clients(&mut self, clients: &[ClientRow]) {
        let metrics: [Metric<'_, ClientRow>; 15] = [
            ("hub_kafka_brokers", "Brokers that a Kafka client knows.", |client| Some(client.brokers as f64)),
            ("hub_kafka_brokers_up", "Brokers that it is connected to.", |client| Some(client.brokers_up as f64)),
            ("hub_kafka_requests_total", "Requests sent.", |client| Some(client.requests as f64)),
            ("hub_kafka_sent_bytes_total", "Bytes sent.", |client| Some(client.sent_bytes as f64)),
            ("hub_kafka_received_bytes_total", "Bytes received.", |client| Some(client.received_bytes as f64)),
            ("hub_kafka_retries_total", "Requests sent again.", |client| Some(client.retries as f64)),
            ("hub_kafka_timeouts_total", "Requests that were not answered in time.", |client| Some(client.timeouts as f64)),
            ("hub_kafka_disconnects_total", "Connections lost.", |client| Some(client.disconnects as f64)),
            ("hub_kafka_waiting_requests", "Requests that wait to be sent or answered.", |client| Some(client.waiting_requests as f64)),
            ("hub_kafka_round_trip_p99_seconds", "Round trip of the slowest broker, lately.", |client| client.round_trip_p99_s),
            ("hub_kafka_throttled_p99_seconds", "How long a quota had it wait, lately.", |client| client.throttled_p99_s),
            ("hub_kafka_queued_messages", "Messages that a producer has not had acknowledged.", |client| Some(client.queued_messages as f64)),
            ("hub_kafka_queued_bytes", "Bytes of them.", |client| Some(client.queued_bytes as f64)),
            ("hub_kafka_fetched_messages", "Records that a consumer has fetched ahead.", |client| Some(client.fetched_messages as f64)),
            ("hub_kafka_fetched_bytes", "Bytes of them.", |client| Some(client.fetched_bytes as f64)),
        ];
        self.table(clients, |client| format!("{{client=\"{}\"}}", client.client), metrics);
    }

    fn sink(&mut self, sink: Option<&SinkStatus>) {
        let metrics: [Metric<'_, SinkPart>; 6] = [
            ("hub_sink_partition_writes", "Whether a partition is written into the S3 store.", |part| Some(f64::from(u8::from(part.state == "OK")))),
            ("hub_sink_lag", "Records that the store does not have.", |part| Some(part.lag as f64)),
            ("hub_sink_committed", "The offset that the writer's group has committed.", |part| Some(part.committed as f64)),
            ("hub_sink_objects_total", "Objects written.", |part| Some(part.objects as f64)),
            ("hub_sink_records_total", "Records in them.", |part| Some(part.records as f64)),
            ("hub_sink_bytes_total", "Their bytes.", |part| Some(part.bytes as f64)),
        ];
        let Some(sink) = sink else { return };
        self.one("hub_sink_works", "Whether the writer into the S3 store works.", Some(f64::from(u8::from(sink.state == "OK"))));
        self.table(&sink.parts, |part| format!("{{topic=\"{}\",partition=\"{}\"}}", escaped(&part.topic), part.partition), metrics);
    }

    fn latencies(&mut self, latencies: &[LatencyRow]) {
        const NAME: &str = "hub_latency_seconds";
        self.head(NAME, "histogram", "Latency by stage of the path.");
        for LatencyRow { stage, count, sum_s, buckets, .. } in latencies {
            for (bound, below) in buckets {
                let _ = writeln!(self.text, "{NAME}_bucket{{stage=\"{stage}\",le=\"{bound}\"}} {below}");
            }
            let _ = writeln!(
                self.text,
                "{NAME}_bucket{{stage=\"{stage}\",le=\"+Inf\"}} {count}\n{NAME}_sum{{stage=\"{stage}\"}} {sum_s}\n{NAME}_count{{stage=\"{stage}\"}} {count}"
            );
        }
    }
}

fn lane_labels(lane: &LaneRow, more: &str) -> String {
    format!("{{stream=\"{}\",partition=\"{}\",exchange=\"{}\"{more}}}", lane.stream, lane.partition, lane.exchange.unwrap_or_default())
}

/// As the value of a label. A group may have any name.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_counters_as_they_must() {
        let lane =
            LaneRow { lane: "x".to_owned(), stream: "ne-ticker", state: "OK", group: r#"a"b\"#.to_owned(), committed: 3, end: Some(9), ..LaneRow::default() };
        let latency = LatencyRow { stage: "poll_to_encoded", count: 3, sum_s: 0.5, buckets: vec![(0.25, 2)], ..LatencyRow::default() };
        let status = Status { lanes: vec![lane], latencies: vec![latency], ..Status::default() };
        let (plain, open) = (write(&status, Form::Plain), write(&status, Form::OpenMetrics));
        assert!(plain.contains("# TYPE hub_lane_frames_total counter\nhub_lane_frames_total{stream=\"ne-ticker\",partition=\"0\",exchange=\"\"} 0\n"));
        assert!(open.contains("# TYPE hub_lane_frames counter\nhub_lane_frames_total{") && open.ends_with("# EOF\n") && !plain.contains("EOF"));
        assert!(plain.contains(r#"kafka_consumergroup_lag{consumergroup="a\"b\\",topic="",partition="0"} 6"#), "{plain}");
        assert!(plain.contains(
            "hub_latency_seconds_bucket{stage=\"poll_to_encoded\",le=\"0.25\"} 2\nhub_latency_seconds_bucket{stage=\"poll_to_encoded\",le=\"+Inf\"} 3\n"
        ));
        assert!(!plain.contains("hub_lane_lag{"), "what is not known has no sample");
    }
}
