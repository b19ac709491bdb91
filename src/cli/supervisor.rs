//! The supervisor that has started the process, where it wants to know how that goes: systemd, with `Type=notify` and a watchdog.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sd_notify::{NotifyState, notify, watchdog_enabled};

use crate::observe::Board;

/// How often is looked whether all workers have turned, where the watchdog's time allows.
const LOOK: Duration = Duration::from_secs(1);

/// See the module. Whoever has started the process without wanting to know is not told.
pub(super) struct Supervisor {
    board: Arc<Board>,
    is_over: Arc<AtomicBool>,
}

impl Supervisor {
    /// One that is told of the run that the board is of.
    pub(super) const fn new(board: Arc<Board>, is_over: Arc<AtomicBool>) -> Self {
        Self { board, is_over }
    }

    /// Tells that all threads run, and from now on, until the stop, that every worker turns: without that the watchdog ends the process.
    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready]);
        let Some(limit) = watchdog_enabled() else { return };
        let (board, is_over) = (Arc::clone(&self.board), Arc::clone(&self.is_over));
        let feed = move || {
            let mut fed = board.beats();
            while !is_over.load(Ordering::Acquire) {
                thread::sleep(LOOK.min(limit / 4));
                let beats = board.beats();
                if beats != fed {
                    tell(&[NotifyState::Watchdog]);
                    fed = beats;
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("watchdog".to_owned()).spawn(feed) {
            log::error!("the watchdog will not be fed, no thread can be started: {error}");
        }
    }

    /// Tells that the process is about to end.
    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = notify(states) {
        log::warn!("the supervisor cannot be told how it goes: {error}");
    }
}
