//! The server: one thread, a bounded number of connections, none of which can make another wait. Where there are too many, those that have not got
//! ahead for longest go; but nobody goes before there was time to ask.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::connection::Connection;
use super::routes::Routes;
use crate::observe::RateLimit;

/// How many connections there are at most, apart from those that have just come, and with them.
const CONNECTIONS_MAX: usize = 32;
const CROWD_MAX: usize = 256;
/// For how long a connection has just come: a client that is about to ask may be kept from it by a busy machine.
const NEW_TIME: Duration = Duration::from_millis(100);
/// How many are accepted before those that are there have their turn.
const ACCEPTS_MAX: usize = 8;
/// How often a port that is taken is tried again, and how long nothing is accepted after the system had no room for it.
const BIND_PAUSE: Duration = Duration::from_secs(2);
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// How long to wait for something to do.
const WAIT_MS: u16 = 250;

/// See the module.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    routes: Routes,
    stop: Arc<AtomicBool>,
    /// Where it listens, once it does.
    bound: Arc<OnceLock<SocketAddr>>,
    connections: Vec<Connection>,
    accept_at: Instant,
    warnings: RateLimit,
}

impl Server {
    /// A server that is to listen at `address`.
    pub(super) fn new(address: SocketAddr, routes: Routes, stop: Arc<AtomicBool>, bound: Arc<OnceLock<SocketAddr>>) -> Self {
        let warnings = RateLimit::new(Duration::from_secs(60));
        Self { address, routes, stop, bound, connections: Vec::new(), accept_at: Instant::now(), warnings }
    }

    /// Serves until it is to stop.
    pub(super) fn run(mut self) {
        let Some(listener) = self.listen() else { return };
        while !self.stop.load(Ordering::Acquire) {
            self.turn(&listener);
            self.routes.tick();
        }
    }

    /// Waits until the port can be had; `None` if it is to stop meanwhile.
    fn listen(&mut self) -> Option<TcpListener> {
        while !self.stop.load(Ordering::Acquire) {
            match TcpListener::bind(self.address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener)) {
                Ok(listener) => {
                    let address = listener.local_addr().unwrap_or(self.address);
                    let _ = self.bound.set(address);
                    log::info!("endpoint: http://{address}/ serves the page, /metrics, /status, /ready, /health, /config and /version");
                    return Some(listener);
                }
                Err(error) => self.warnings.warn(&format!("endpoint: {} cannot be listened at and is tried again, data goes on: {error}", self.address)),
            }
            let again_at = Instant::now() + BIND_PAUSE;
            while Instant::now() < again_at && !self.stop.load(Ordering::Acquire) {
                self.routes.tick();
                thread::sleep(Duration::from_millis(WAIT_MS.into()));
            }
        }
        None
    }

    fn turn(&mut self, listener: &TcpListener) {
        let accepts = Instant::now() >= self.accept_at;
        let ready = match ready(listener, accepts, &self.connections) {
            Ok(ready) => ready,
            Err(error) => {
                self.warnings.warn(&format!("endpoint: {error}"));
                thread::sleep(ACCEPT_PAUSE);
                return;
            }
        };
        for (connection, is_ready) in self.connections.iter_mut().zip(&ready[1..]) {
            if *is_ready {
                connection.turn(&mut |request| self.routes.answer(request));
            }
        }
        self.connections.retain(|connection| !connection.is_over());
        self.make_room();
        if ready[0] {
            self.accept(listener);
        }
    }

    fn accept(&mut self, listener: &TcpListener) {
        for _ in 0..ACCEPTS_MAX {
            match listener.accept().and_then(|(stream, _)| Connection::new(stream)) {
                Ok(mut connection) => {
                    // Whoever asks at once is answered at once, however many idle ones come behind.
                    connection.turn(&mut |request| self.routes.answer(request));
                    self.make_room();
                    self.connections.push(connection);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted | ErrorKind::ConnectionReset) => {}
                Err(error) => {
                    // No descriptors are left: the connection stays where it is, and would be ready again at once.
                    self.warnings.warn(&format!("endpoint: no connection can be accepted: {error}"));
                    self.accept_at = Instant::now() + ACCEPT_PAUSE;
                    return;
                }
            }
        }
    }

    fn make_room(&mut self) {
        while self.connections.len() >= CONNECTIONS_MAX {
            let slowest = self.connections.iter().enumerate().min_by_key(|(_, connection)| (connection.is_writing(), connection.since()));
            let Some((index, slowest)) = slowest else { return };
            if slowest.since().elapsed() < NEW_TIME && self.connections.len() < CROWD_MAX {
                return;
            }
            self.connections.swap_remove(index);
        }
    }
}

/// Waits a little; says of the listener, and then of each connection, whether there is something to do.
fn ready(listener: &TcpListener, accepts: bool, connections: &[Connection]) -> io::Result<Vec<bool>> {
    let flags = |connection: &Connection| if connection.is_writing() { PollFlags::POLLOUT } else { PollFlags::POLLIN };
    let mut fds = vec![PollFd::new(listener.as_fd(), if accepts { PollFlags::POLLIN } else { PollFlags::empty() })];
    fds.extend(connections.iter().map(|connection| PollFd::new(connection.stream.as_fd(), flags(connection))));
    let wait = if connections.iter().any(Connection::has_more) { PollTimeout::ZERO } else { PollTimeout::from(WAIT_MS) };
    match poll(&mut fds, wait) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => {
            let mut ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
            ready[1..].iter_mut().zip(connections).for_each(|(ready, connection)| *ready |= connection.has_more());
            Ok(ready)
        }
        Err(error) => Err(error.into()),
    }
}
