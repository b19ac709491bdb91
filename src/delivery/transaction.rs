//! The transaction of a lane: which call comes next, and what a call that failed means.
//!
//! ```text
//!                  batch             interval over, all reported
//!      ┌──▶ idle ────────▶ open ───────────────────────────────▶ offered ──▶ committed ──┐
//!      │                     │ a message or a call failed           │                    │
//!      │                     ▼                                      ▼                    │
//!      ├── ask ◀────────── abort ──────────── timed out, fatal ─▶ replace ─▶ ask ──┐     │
//!      └───────────────────────────────────────────────────────────────────────────┴─────┘
//! ```
//! *Ask* says what is committed, which a new producer has found out, and the lane begins again there. After a call that timed out nobody knows what the brokers
//! did: only a new producer with the same id ends that, for its start fences whatever is still on its way. An error that says
//! *fenced* may mean another instance, or a transaction of our own that the brokers gave up: the claim that every instance
//! commits with its offsets tells which.

use crate::checkpoint::Checkpoint;

/// A call to the brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Begin a transaction.
    Begin,
    /// Add the offset of the lane to it.
    Offsets(Checkpoint),
    /// Commit it.
    Commit,
    /// Abort it.
    Abort,
    /// Find out whose claim stands beside the committed offset.
    Owner,
    /// Make a new producer with the same id, and claim the lane.
    Replace,
    /// Say what is committed; then the lane begins again there.
    Ask,
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The same call may succeed when it is made again.
    Retriable,
    /// The transaction must be aborted.
    Abortable,
    /// Nobody knows what the brokers did.
    TimedOut,
    /// The brokers know a newer producer with this id.
    Fenced,
    /// This producer is of no use any more.
    Fatal,
}

/// Before a failed call is made again.
const RETRY_MS: u64 = 100;
/// The longest pause before a lane begins again that keeps failing.
const PAUSE_MS_MAX: u64 = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Open { since_ms: u64, last: Option<Checkpoint> },
    Offered { last: Checkpoint },
    Aborting,
    Disputed,
    Lost,
    Unknown,
    Fenced,
}

/// See the module. Moments are milliseconds since any fixed one.
#[derive(Clone, Debug)]
pub struct Transaction {
    state: State,
    interval_ms: u64,
    /// No call is made before this moment.
    not_before_ms: u64,
    /// Transactions that failed since the last one that did not.
    failures: u32,
}

impl Transaction {
    /// A lane whose producer is made and whose start is known. A transaction is committed `interval_ms` after it began.
    #[must_use]
    pub const fn new(interval_ms: u64) -> Self {
        Self { state: State::Idle, interval_ms, not_before_ms: 0, failures: 0 }
    }

    /// The call that is due: `waiting` says whether a batch waits for a transaction, `unreported` how many messages of the open one
    /// are not reported yet, `hurry` that the interval shall not be waited for.
    #[must_use]
    pub fn next(&self, now_ms: u64, waiting: bool, unreported: usize, hurry: bool) -> Option<Call> {
        if now_ms < self.not_before_ms {
            return None;
        }
        match self.state {
            State::Idle => waiting.then_some(Call::Begin),
            State::Open { last: Some(last), .. } => (self.is_due(now_ms, hurry) && unreported == 0).then_some(Call::Offsets(last)),
            State::Open { last: None, .. } | State::Fenced => None,
            State::Offered { .. } => Some(Call::Commit),
            State::Aborting => Some(Call::Abort),
            State::Disputed => Some(Call::Owner),
            State::Lost => Some(Call::Replace),
            State::Unknown => Some(Call::Ask),
        }
    }

    /// Whether a batch may join the open transaction. One that is due takes no more, or it would never end.
    #[must_use]
    pub fn is_open(&self, now_ms: u64) -> bool {
        matches!(self.state, State::Open { last, .. } if last.is_none() || !self.is_due(now_ms, false))
    }

    /// Milliseconds until the open transaction is due.
    #[must_use]
    pub const fn due_in_ms(&self, now_ms: u64) -> Option<u64> {
        match self.state {
            State::Open { since_ms, .. } => Some((since_ms + self.interval_ms).saturating_sub(now_ms)),
            _ => None,
        }
    }

    /// Whether nothing is open, nothing failed, and no call is due.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Whether another instance has taken the lane over.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.state == State::Fenced
    }

    /// Whether it is on the way back from a failure: nothing that was handed over before is sent any more.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        matches!(self.state, State::Aborting | State::Disputed | State::Lost | State::Unknown | State::Fenced)
    }

    /// Notes that a batch joined the open transaction; it completes what lies below the checkpoint.
    pub const fn join(&mut self, checkpoint: Checkpoint) {
        if let State::Open { last, .. } = &mut self.state {
            *last = Some(checkpoint);
        }
    }

    /// Notes that a message of the open transaction could not be written.
    pub const fn fail(&mut self) {
        if matches!(self.state, State::Open { .. } | State::Offered { .. }) {
            self.state = State::Aborting;
        }
    }

    /// Notes that the producer itself has failed.
    pub fn lose(&mut self, fault: Fault) {
        if !self.is_failing() {
            self.state = if fault == Fault::Fenced { State::Disputed } else { State::Lost };
        }
    }

    /// Notes what came of a call. For [`Call::Owner`], `Ok` means that the claim is ours, and [`Fault::Fenced`] that it is not.
    /// Returns the checkpoint that is committed now, if the call was that.
    pub fn done(&mut self, call: Call, result: Result<(), Fault>, now_ms: u64) -> Option<Checkpoint> {
        match result {
            Ok(()) => self.succeed(call, now_ms),
            Err(fault) => {
                self.state = self.after(call, fault);
                if fault == Fault::Retriable || matches!(call, Call::Replace | Call::Ask | Call::Owner) {
                    self.not_before_ms = now_ms + RETRY_MS;
                }
                None
            }
        }
    }

    fn succeed(&mut self, call: Call, now_ms: u64) -> Option<Checkpoint> {
        match call {
            Call::Begin => self.state = State::Open { since_ms: now_ms, last: None },
            Call::Offsets(last) => self.state = State::Offered { last },
            Call::Commit => {
                let State::Offered { last } = self.state else { return None };
                (self.state, self.failures) = (State::Idle, 0);
                return Some(last);
            }
            Call::Abort | Call::Replace => {
                self.state = State::Unknown;
                // The first failure costs no time; one that comes again and again shall not keep the brokers busy.
                let pause = if self.failures == 0 { 0 } else { (RETRY_MS << self.failures.min(8)).min(PAUSE_MS_MAX) };
                self.failures = self.failures.saturating_add(1);
                self.not_before_ms = now_ms + pause;
            }
            Call::Owner => self.state = State::Lost,
            Call::Ask => self.state = State::Idle,
        }
        None
    }

    /// What follows from a call that failed.
    const fn after(&self, call: Call, fault: Fault) -> State {
        match (call, fault) {
            (Call::Owner, Fault::Fenced) => State::Fenced,
            (_, Fault::Fenced) => State::Disputed,
            // Reading says nothing about the producer: ask until there is an answer.
            (Call::Owner, _) => State::Disputed,
            (Call::Ask, _) => State::Unknown,
            (Call::Replace, _) | (_, Fault::TimedOut | Fault::Fatal) => State::Lost,
            (Call::Begin | Call::Offsets(_) | Call::Commit | Call::Abort, Fault::Retriable) => self.state,
            (Call::Abort, Fault::Abortable) => State::Lost,
            (Call::Begin | Call::Offsets(_) | Call::Commit, Fault::Abortable) => State::Aborting,
        }
    }

    const fn is_due(&self, now_ms: u64, hurry: bool) -> bool {
        hurry || matches!(self.due_in_ms(now_ms), Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: Checkpoint = Checkpoint::without_books(7);

    fn open() -> Transaction {
        let mut transaction = Transaction::new(100);
        assert_eq!(transaction.next(0, false, 0, false), None);
        assert_eq!(transaction.next(0, true, 0, false), Some(Call::Begin));
        transaction.done(Call::Begin, Ok(()), 0);
        transaction.join(LAST);
        transaction
    }

    fn offered() -> Transaction {
        let mut transaction = open();
        transaction.done(Call::Offsets(LAST), Ok(()), 100);
        transaction
    }

    #[test]
    fn a_transaction_commits_after_its_interval_when_all_is_reported() {
        let mut transaction = open();
        assert_eq!((transaction.next(99, true, 0, false), transaction.is_open(99)), (None, true));
        assert_eq!((transaction.next(100, true, 1, false), transaction.is_open(100)), (None, false));
        assert_eq!(transaction.next(50, false, 0, true), Some(Call::Offsets(LAST)), "a stop does not wait");
        assert_eq!(transaction.next(100, true, 0, false), Some(Call::Offsets(LAST)));
        assert_eq!(transaction.done(Call::Offsets(LAST), Ok(()), 100), None);
        assert_eq!(transaction.next(100, true, 0, false), Some(Call::Commit));
        assert_eq!(transaction.done(Call::Commit, Ok(()), 104), Some(LAST));
        assert!(transaction.is_idle());
    }

    #[test]
    fn each_fault_has_its_answer() {
        for (fault, next) in [
            (Fault::Retriable, Call::Commit),
            (Fault::Abortable, Call::Abort),
            (Fault::TimedOut, Call::Replace),
            (Fault::Fatal, Call::Replace),
            (Fault::Fenced, Call::Owner),
        ] {
            let mut transaction = offered();
            transaction.done(Call::Commit, Err(fault), 100);
            assert_eq!(transaction.next(200, true, 0, false), Some(next), "{fault:?}");
        }
        let mut transaction = offered();
        transaction.done(Call::Commit, Err(Fault::Retriable), 100);
        assert_eq!(transaction.next(150, true, 0, false), None, "a retry waits a little");
        for fault in [Fault::Abortable, Fault::TimedOut, Fault::Fatal] {
            let mut transaction = open();
            transaction.fail();
            transaction.done(Call::Abort, Err(fault), 0);
            assert_eq!(transaction.next(1_000, true, 0, false), Some(Call::Replace), "an abort that fails with {fault:?}");
        }
    }

    #[test]
    fn after_an_abort_the_lane_begins_again_at_what_is_committed() {
        let mut transaction = open();
        transaction.fail();
        assert!(transaction.is_failing() && !transaction.is_open(0));
        assert_eq!(transaction.next(0, true, 9, false), Some(Call::Abort));
        transaction.done(Call::Abort, Ok(()), 0);
        assert_eq!(transaction.next(0, true, 0, false), Some(Call::Ask));
        transaction.done(Call::Ask, Err(Fault::TimedOut), 0);
        assert_eq!(transaction.next(RETRY_MS, true, 0, false), Some(Call::Ask), "asked until there is an answer");
        transaction.done(Call::Ask, Ok(()), RETRY_MS);
        assert!(transaction.is_idle());
    }

    #[test]
    fn what_keeps_failing_is_tried_less_and_less() {
        let mut transaction = Transaction::new(100);
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..9 {
            transaction.done(Call::Begin, Ok(()), now);
            transaction.fail();
            transaction.done(Call::Abort, Ok(()), now);
            let pause = (0..).find(|pause| transaction.next(now + pause, true, 0, false).is_some()).unwrap();
            pauses.push(pause);
            now += pause;
            transaction.done(Call::Ask, Ok(()), now);
        }
        assert_eq!(pauses, [0, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    }

    #[test]
    fn only_the_claim_of_another_instance_ends_a_lane() {
        let mut transaction = offered();
        transaction.done(Call::Commit, Err(Fault::Fenced), 0);
        transaction.done(Call::Owner, Ok(()), 0);
        assert_eq!(transaction.next(0, true, 0, false), Some(Call::Replace), "our own, given up by the brokers");
        let mut transaction = offered();
        transaction.done(Call::Commit, Err(Fault::Fenced), 0);
        transaction.done(Call::Owner, Err(Fault::Fenced), 0);
        assert!(transaction.is_fenced());
        assert_eq!(transaction.next(9_999, true, 0, true), None);
    }
}
