//! How the writer into the S3 store is, as it told last.

use serde::Serialize;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkSight {
    /// Why nothing is written at all; `None` where it works, as far as anybody knows.
    pub failure: Option<String>,
    /// Every partition that it writes, those of before where it has failed; none before its start is over.
    pub parts: Vec<SinkPart>,
}

/// One partition that is written into the store. `/status` tells it as it is: a field keeps its name, its unit and its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SinkPart {
    /// The output topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// `OK`, `STALL` where something passes by itself, `STOP` where somebody must act.
    pub state: &'static str,
    /// Why, where it is not `OK`.
    pub reason: Option<String>,
    /// The offset below which the store has everything.
    pub acknowledged: i64,
    /// The offset that its group has committed.
    pub committed: i64,
    /// Records that the store does not have, as far as the writer knows the log.
    pub lag: i64,
    /// Objects written since the writer began, or began again.
    pub objects: u64,
    /// Records in them.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
}
