//! Kafka Connect: connectors that put the output topics into an S3 store, planned as data, registered over REST, and watched. Never touches a record.
//!
//! [`Connector`] says what shall be, [`traps()`] what is known to go wrong with it, [`Rest`] asks a worker, [`mod@apply`] brings it to what shall be, and
//! [`alarms`] judges what it does. Whatever a worker answers goes through [`Mask`]: it echoes secrets.

mod answer;
pub mod apply;
mod connector;
mod layout;
mod mask;
mod newest;
mod preset;
mod rest;
mod status;
mod trace;
mod traps;
mod watch;

pub use answer::Trouble;
pub use connector::{Connector, Properties};
pub use layout::{key_pattern, keys};
pub use mask::Mask;
pub use newest::newest;
pub use preset::Preset;
pub use rest::Rest;
pub use status::{Part, State, Status};
pub use traps::{Trap, traps};
pub use watch::{Newest, alarms};
