//! One connection: bytes in, bytes out, without ever waiting; bounded in bytes and in time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::request::{HEAD_BYTES_MAX, Parsed, Request, parse};
use super::response::Response;

/// How long a client may take for a request from its first byte on, or until it begins one.
const REQUEST_TIME: Duration = Duration::from_secs(5);
const IDLE_TIME: Duration = Duration::from_secs(30);
/// How long a client may take to read an answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// How long, and how much, is read of what a client still sends after it was refused, so that it sees the answer.
const DRAIN_TIME: Duration = Duration::from_secs(1);
const DRAIN_BYTES_MAX: usize = 4 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for a request, or for the rest of one.
    Reading,
    /// Sends an answer, after which the connection ends, or not.
    Writing { ends: bool },
    /// Has answered for the last time; reads so many bytes more and throws them away.
    Draining { left: usize },
    /// Over.
    Over,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    own: SocketAddr,
    stage: Stage,
    received: Vec<u8>,
    sending: Vec<u8>,
    sent: usize,
    /// Whether a request may be there already, behind one that was answered in the last turn.
    has_more: bool,
    /// When the stage began, or the connection.
    since: Instant,
}

impl Connection {
    /// Takes over a connection.
    ///
    /// # Errors
    /// The system's, for a connection that is already over.
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // Answers are written whole.
        stream.set_nodelay(true)?;
        let own = stream.local_addr()?;
        Ok(Self { stream, own, stage: Stage::Reading, received: Vec::new(), sending: Vec::new(), sent: 0, has_more: false, since: Instant::now() })
    }

    /// Whether it waits until it can send; else it waits for bytes.
    pub(super) const fn is_writing(&self) -> bool {
        matches!(self.stage, Stage::Writing { .. })
    }

    /// Whether it has something to do before anything comes.
    pub(super) const fn has_more(&self) -> bool {
        self.has_more
    }

    /// Since when it has not got ahead: of several the one with the least goes first where there are too many.
    pub(super) const fn since(&self) -> Instant {
        self.since
    }

    /// Whether it is over, or has taken too long.
    pub(super) fn is_over(&self) -> bool {
        let time = match self.stage {
            Stage::Reading if self.received.is_empty() => IDLE_TIME,
            Stage::Reading => REQUEST_TIME,
            Stage::Writing { .. } => ANSWER_TIME,
            Stage::Draining { .. } => DRAIN_TIME,
            Stage::Over => return true,
        };
        self.since.elapsed() >= time
    }

    /// Does what can be done now, but answers only once: others have their turn too. `answer` makes the answers.
    pub(super) fn turn(&mut self, answer: &mut impl FnMut(&Request) -> Response) {
        self.has_more = false;
        let mut has_answered = false;
        loop {
            if has_answered && self.stage == Stage::Reading {
                self.has_more = !self.received.is_empty();
                return;
            }
            has_answered |= self.is_writing();
            let went_on = match self.stage {
                Stage::Reading => self.read(answer),
                Stage::Writing { ends } => self.write(ends),
                Stage::Draining { left } => self.drain(left),
                Stage::Over => return,
            };
            match went_on {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.enter(Stage::Over),
            }
        }
    }

    fn enter(&mut self, stage: Stage) {
        (self.stage, self.since) = (stage, Instant::now());
    }

    /// `Ok(true)` where there is more to do at once.
    fn read(&mut self, answer: &mut impl FnMut(&Request) -> Response) -> io::Result<bool> {
        if !self.received.is_empty() {
            match parse(&self.received, self.own) {
                Parsed::Partial => {}
                Parsed::Whole(request, length) => {
                    self.received.drain(..length);
                    answer(&request).write(request.is_head, request.keeps_alive, &mut self.sending);
                    self.enter(Stage::Writing { ends: !request.keeps_alive });
                    return Ok(true);
                }
                Parsed::Refused(response) => {
                    response.write(false, false, &mut self.sending);
                    self.enter(Stage::Writing { ends: true });
                    return Ok(true);
                }
            }
        }
        let mut space = [0; HEAD_BYTES_MAX];
        match self.stream.read(&mut space)? {
            0 => self.enter(Stage::Over),
            length => {
                if self.received.is_empty() {
                    self.since = Instant::now();
                }
                self.received.extend_from_slice(&space[..length]);
            }
        }
        Ok(true)
    }

    fn write(&mut self, ends: bool) -> io::Result<bool> {
        self.sent += self.stream.write(&self.sending[self.sent..])?;
        if self.sent < self.sending.len() {
            return Ok(true);
        }
        // An answer may be large once, and the connection may stay for long.
        (self.sending, self.sent) = (Vec::new(), 0);
        if ends {
            self.stream.shutdown(Shutdown::Write)?;
            self.enter(Stage::Draining { left: DRAIN_BYTES_MAX });
        } else {
            self.enter(Stage::Reading);
        }
        Ok(true)
    }

    fn drain(&mut self, left: usize) -> io::Result<bool> {
        let mut space = [0; HEAD_BYTES_MAX];
        match self.stream.read(&mut space)? {
            0 => self.stage = Stage::Over,
            length if length > left => self.stage = Stage::Over,
            // Does not begin anew: the time limit is for all of it.
            length => self.stage = Stage::Draining { left: left - length },
        }
        Ok(true)
    }
}
