//! The log: lines go through a bounded queue to a thread of their own, which writes them to standard error and, where a directory is set, to files.
//!
//! No thread ever waits for a disk, a terminal or a pipe that nobody reads: where the queue is full, lines are left out, counted, and their number is
//! said once there is room again.

mod files;
mod line;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError, bounded};
use env_logger::{Builder, Env, Target};

use files::Files;
use writer::{Order, Writer};

/// How many lines may wait.
const WAITING_MAX: usize = 8_192;
/// How long the end waits for what still has to be written.
const FLUSH_WAIT: Duration = Duration::from_secs(1);

/// The name of the thread that writes.
pub const LOG_THREAD: &str = "log";

static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `[TIME LEVEL module] message`.
    #[default]
    Text,
    /// A JSON object a line: `time`, `level`, `module`, `message`.
    Json,
}

/// Where lines go besides standard error, and how they look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory of the files; `None` for none.
    pub dir: Option<PathBuf>,
    /// A file is full at so many bytes.
    pub file_bytes: u64,
    /// How many full files are kept.
    pub files: usize,
    /// How lines look.
    pub format: Format,
}

impl Default for Settings {
    fn default() -> Self {
        Self { dir: None, file_bytes: 10_000_000, files: 5, format: Format::Text }
    }
}

/// Starts the log: as text to standard error, at the levels of `RUST_LOG`, else from *info* on.
pub fn start() {
    let (orders, taken) = bounded(WAITING_MAX);
    let spawned = std::thread::Builder::new().name(LOG_THREAD.to_owned()).spawn(move || Writer::new(Box::new(io::stderr())).run(&taken));
    // Without a thread for it the log is written by whoever logs.
    if spawned.is_ok() {
        let _ = ORDERS.set(orders);
    }
    let mut logger = Builder::from_env(Env::default().default_filter_or("info"));
    // At their finest levels these write out what they send, signatures and all.
    for module in ["ureq", "ureq_proto"] {
        logger.filter_module(module, log::LevelFilter::Warn);
    }
    logger.format(|out, record| line::write(out, record, IS_JSON.load(Ordering::Relaxed)));
    if ORDERS.get().is_some() {
        logger.target(Target::Pipe(Box::new(Queue)));
    }
    logger.init();
}

/// Sets how lines look and where else they go from now on.
///
/// # Errors
/// The first file cannot be opened: where, and why.
pub fn set(settings: &Settings) -> Result<(), String> {
    IS_JSON.store(settings.format == Format::Json, Ordering::Relaxed);
    let Some(dir) = &settings.dir else { return Ok(()) };
    let files = Files::open(dir, settings.file_bytes, settings.files).map_err(|error| format!("{}: {error}", dir.display()))?;
    if let Some(orders) = ORDERS.get() {
        // There is a moment to wait for room at the start.
        let _ = orders.send_timeout(Order::Files(files), FLUSH_WAIT);
    }
    Ok(())
}

/// Says something to whoever reads standard error, as it stands. Does not wait.
pub fn say(what: &str) {
    if !enqueue(Order::Line(format!("{what}\n"))) && ORDERS.get().is_none() {
        use io::Write as _;
        let _ = writeln!(io::stderr(), "{what}");
    }
}

/// How many lines were left out because the queue was full.
#[must_use]
pub fn left_out() -> u64 {
    LEFT_OUT.load(Ordering::Relaxed)
}

/// Waits until everything is written, but not for long: nobody may read it.
pub fn finish() {
    let Some(orders) = ORDERS.get() else { return };
    let (done, is_done) = bounded(1);
    if orders.send_timeout(Order::Flush(done), FLUSH_WAIT).is_ok() {
        let _ = is_done.recv_timeout(FLUSH_WAIT);
    }
}

/// Whether the queue has taken it.
fn enqueue(order: Order) -> bool {
    let Some(orders) = ORDERS.get() else { return false };
    match orders.try_send(order) {
        Ok(()) => true,
        Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
            false
        }
    }
}

/// Where `env_logger` writes: each call is one record, line end included.
struct Queue;

impl io::Write for Queue {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        enqueue(Order::Line(String::from_utf8_lossy(bytes).into_owned()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
