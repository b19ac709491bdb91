//! The words that cases are written in: a scene with a hub under load, what befalls it, and the verdict on what came out.
//!
//! Shares no code with the hub's core: what must come out is computed here a second time, plainly.

mod delivery;
mod figures;
mod flow;
mod journal;
mod load;
mod mock;
mod poison;
mod process;
mod proxy;
mod reader;
mod scene;
mod verdict;
mod wall_clock;
mod witness;

pub use delivery::Delivery;
pub(crate) use delivery::in_both_modes;
pub use figures::{PerSecond, Rate, at_least, at_most, chance, sized, spread, within};
pub use flow::{Flow, Mixture};
pub use mock::{BROKERS, Mock};
pub use process::{Stillness, Vitals};
pub use proxy::{END_TRANSACTION, Mishap, Proxy};
pub use scene::{FLOW_GOAL, Scene, topics};
pub use wall_clock::WallClock;
