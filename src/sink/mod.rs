//! Records out of Kafka into an S3 store: which topic goes into which bucket, and what every way there shares.
//!
//! Never touches the hub's groups, and never prints: what it finds is returned or logged, without secrets.

mod coverage;
pub mod connect;
mod roll;
pub mod s3;
mod source;
mod verify;

pub use coverage::{Coverage, Fault, Piece, Records, Wanted};
pub use roll::{Bounds, Object, Roller};
pub use source::{Source, covered, sources};
use source::{faults, partitions_of};
pub use verify::{Claim, Fetched, Finding, verify};

use crate::config::knobs::Knob;
use crate::config::{StoreConfig, StoreCredentials};

/// What requests to the store are signed with.
///
/// # Errors
/// None are given: one sentence that names the settings.
pub fn credentials(store: &StoreConfig) -> Result<&StoreCredentials, String> {
    store.credentials.as_ref().ok_or_else(|| {
        "there are no keys for the store: set HUB_S3_ACCESS_KEY and HUB_S3_SECRET_KEY, the files that hold them in HUB_S3_ACCESS_KEY_FILE and \
         HUB_S3_SECRET_KEY_FILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            .to_owned()
    })
}

/// A setting with its value, as messages name it.
pub(crate) fn setting(knob: &Knob, value: &str) -> String {
    format!("--{} / {} = {value:?}", knob.flag, knob.env)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn who_has_no_keys_is_told_where_they_come_from() {
        assert!(credentials(&Config::default().store).unwrap_err().contains("HUB_S3_SECRET_KEY_FILE"));
    }
}
