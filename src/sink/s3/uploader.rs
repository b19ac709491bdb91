//! The uploading thread: takes objects, compresses them, and has several requests under way at once.
//!
//! It answers for every object exactly once: written, or the whole sink stops. What passes by itself is tried again for ever; who waits is counted.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::connection::{Connection, Sent};
use super::store::{Store, pause};
use super::verdict::{self, Cause, Stop, Verdict};
use crate::delivery::Ticket;
use crate::observe::RateLimit;
use crate::sink::roll::Object;

/// How long one look at the connections takes while objects may still come, and how long one for objects where nothing is under way.
const LOOK: Duration = Duration::from_millis(1);
const WAIT: Duration = Duration::from_millis(100);

/// How often an object is tried whose refusal is none that anybody knows: it may pass.
const REFUSALS_MAX: u32 = 5;

/// An object to be written.
#[derive(Debug)]
pub(super) struct Job {
    /// Which partition of the session it is of, and its place there.
    pub part: usize,
    pub ticket: Ticket,
    pub bucket: Arc<str>,
    pub key: String,
    pub object: Object,
}

/// What became of a job.
#[derive(Debug)]
pub(super) enum Told {
    /// The store has acknowledged it; how many bytes it is there.
    Written { part: usize, ticket: Ticket, records: usize, bytes: usize },
    /// A try failed, and it will be tried again.
    Trouble { part: usize, why: String },
    /// Nothing more can be written.
    Stopped(Stop),
}

/// An object that is compressed and not yet acknowledged.
struct Upload {
    job: Job,
    bytes: Vec<u8>,
    tries: u32,
    /// Not before then.
    due: Instant,
}

/// An upload that is sent.
struct Flight {
    upload: Upload,
    connection: Connection,
    sent: Option<Sent>,
    deadline: Instant,
}

/// See the module.
pub(super) struct Uploader {
    pub store: Arc<Store>,
    pub jobs: Receiver<Job>,
    pub told: Sender<Told>,
    /// Set when nobody cares any more.
    pub given_up: Arc<AtomicBool>,
    /// How many requests may be under way.
    pub flights_max: usize,
}

impl Uploader {
    /// Works until nobody has jobs any more and all are done, or until nobody wants to know.
    pub fn run(self) {
        let mut state = State { flights: Vec::new(), waiting: VecDeque::new(), idle: Vec::new(), trouble: RateLimit::new(Duration::from_secs(1)) };
        let mut more = true;
        while (more || !state.waiting.is_empty() || !state.flights.is_empty()) && !self.given_up.load(Ordering::Acquire) {
            more &= self.take(&mut state);
            let turned = self.send_due(&mut state).and_then(|()| self.receive(&mut state));
            if let Err(stop) = turned {
                // The others under way are given up: whether they are written shows when they are written again.
                let _ = self.told.send(Told::Stopped(stop));
                return;
            }
        }
    }

    /// Takes as many jobs as there is room for; waits only where there is nothing else to do. Says whether more may come.
    fn take(&self, state: &mut State) -> bool {
        while state.flights.len() + state.waiting.len() < self.flights_max {
            let next = if state.flights.is_empty() && state.waiting.is_empty() {
                self.jobs.recv_timeout(WAIT).map_err(|error| error == RecvTimeoutError::Disconnected)
            } else {
                self.jobs.try_recv().map_err(|error| error == TryRecvError::Disconnected)
            };
            match next {
                Ok(job) => {
                    let bytes = job.object.compressed();
                    state.waiting.push_back(Upload { job, bytes, tries: 0, due: Instant::now() });
                }
                Err(is_over) => return !is_over,
            }
        }
        true
    }

    fn send_due(&self, state: &mut State) -> Result<(), Stop> {
        for _ in 0..state.waiting.len() {
            let Some(upload) = state.waiting.pop_front() else { break };
            if upload.due <= Instant::now() {
                self.send(state, upload)?;
            } else {
                state.waiting.push_back(upload);
            }
        }
        Ok(())
    }

    fn send(&self, state: &mut State, upload: Upload) -> Result<(), Stop> {
        let deadline = Instant::now() + self.store.config.writer.timeout;
        let kept = state.idle.pop();
        let is_used = kept.is_some();
        let sent = kept.map_or_else(|| self.store.connect(), Ok).and_then(|mut connection| {
            let request = self.store.put(&upload.job.bucket, &upload.job.key, upload.bytes.len())?;
            let sent = connection.send(request, &upload.bytes, deadline)?;
            Ok((connection, sent))
        });
        match sent {
            Ok((connection, sent)) => state.flights.push(Flight { upload, connection, sent: Some(sent), deadline }),
            // The store has closed a connection that it had no use for: that says nothing.
            Err(_) if is_used => state.waiting.push_front(upload),
            Err(error) => self.judge(state, upload, verdict::of_failure(&self.store.config, &error))?,
        }
        Ok(())
    }

    /// Receives every answer that is there; waits for one where nothing else can be done.
    fn receive(&self, state: &mut State) -> Result<(), Stop> {
        if state.flights.is_empty() {
            if !state.waiting.is_empty() {
                std::thread::sleep(LOOK);
            }
            return Ok(());
        }
        let is_full = state.flights.len() >= self.flights_max;
        let ready = ready(&state.flights, if is_full { WAIT } else { LOOK });
        let now = Instant::now();
        // From the end, so that the places before stay.
        for index in (0..ready.len()).rev() {
            if ready[index] || now >= state.flights[index].deadline {
                let flight = state.flights.swap_remove(index);
                self.land(state, flight)?;
            }
        }
        Ok(())
    }

    fn land(&self, state: &mut State, mut flight: Flight) -> Result<(), Stop> {
        let Some(sent) = flight.sent.take() else { return Ok(()) };
        let verdict = match flight.connection.receive(sent, flight.deadline) {
            Ok(answer) => verdict::of_answer(&self.store.config, &flight.upload.job.bucket, &answer),
            Err(error) if flight.connection.is_used() && is_closed(error.kind()) => {
                state.waiting.push_front(flight.upload);
                return Ok(());
            }
            Err(error) => verdict::of_failure(&self.store.config, &error),
        };
        if flight.connection.is_open() {
            state.idle.push(flight.connection);
        }
        self.judge(state, flight.upload, verdict)
    }

    fn judge(&self, state: &mut State, upload: Upload, verdict: Verdict) -> Result<(), Stop> {
        match verdict {
            Verdict::Done => {
                let _ = self.told.send(Told::Written {
                    part: upload.job.part,
                    ticket: upload.job.ticket,
                    records: upload.job.object.records,
                    bytes: upload.bytes.len(),
                });
            }
            Verdict::Again(why) => self.try_again(state, upload, why),
            Verdict::Stop(stop) if stop.cause == Cause::Refused && upload.tries < REFUSALS_MAX => self.try_again(state, upload, stop.message),
            Verdict::Stop(stop) => return Err(stop),
        }
        Ok(())
    }

    fn try_again(&self, state: &mut State, mut upload: Upload, why: String) {
        if state.trouble.pass(Instant::now()).is_some() {
            let _ = self.told.send(Told::Trouble { part: upload.job.part, why });
        }
        upload.due = Instant::now() + pause(upload.tries);
        upload.tries += 1;
        state.waiting.push_back(upload);
        // They lead where the trouble is.
        state.idle.clear();
    }
}

struct State {
    flights: Vec<Flight>,
    waiting: VecDeque<Upload>,
    idle: Vec<Connection>,
    trouble: RateLimit,
}

/// Which of the flights have something to be received, after at most `limit`.
fn ready(flights: &[Flight], limit: Duration) -> Vec<bool> {
    let mut asked: Vec<PollFd<'_>> = flights.iter().map(|flight| PollFd::new(flight.connection.as_fd(), PollFlags::POLLIN)).collect();
    let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::ZERO);
    // A signal may end it early: then nothing is ready.
    let _ = poll(&mut asked, limit);
    asked.iter().map(|fd| fd.revents().is_some_and(|events| !events.is_empty())).collect()
}

/// Whether it is what the end of a kept connection looks like.
const fn is_closed(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
}
