//! How far a command is that takes its time: a bar in a terminal, lines where they are asked for, nothing elsewhere. Always on standard error.

use std::io::{self, Read};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use super::say;

const NAME: &str = "progress";
const AUTO: &str = "auto";
const PLAIN: &str = "plain";
const OFF: &str = "off";

/// How often a line is written.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

static WANTED: OnceLock<String> = OnceLock::new();

/// The option, which all commands have.
pub(super) fn arg() -> Arg {
    Arg::new(NAME)
        .long(NAME)
        .value_name("HOW")
        .value_parser([AUTO, PLAIN, OFF])
        .default_value(AUTO)
        .global(true)
        .help("Where something takes its time: a bar if standard error is a terminal, a line every two seconds, or nothing")
        .help_heading("Progress")
}

/// Takes over what was asked for.
pub(super) fn set(matches: &ArgMatches) {
    let _ = WANTED.set(matches.get_one::<String>(NAME).cloned().unwrap_or_default());
}

/// What is done, in which unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Bytes out of so many.
    Bytes(u64),
    /// Records, objects, out of so many.
    Items(u64),
    /// Steps that have names; how many there are is not known.
    Steps,
}

/// Something that takes its time. Shown until it is dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    of: Of,
    lines: Option<Mutex<Lines>>,
}

struct Lines {
    what: String,
    written_at: Instant,
}

impl Progress {
    /// Begins with what is going on.
    pub(super) fn new(what: &str, of: Of) -> Self {
        let wanted = WANTED.get().map_or(AUTO, String::as_str);
        let target = if wanted == AUTO { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let (total, template) = match of {
            Of::Bytes(total) => (Some(total), "{msg} {wide_bar} {bytes}/{total_bytes} {eta}"),
            Of::Items(total) => (Some(total), "{msg} {wide_bar} {human_pos}/{human_len} {eta}"),
            Of::Steps => (None, "{spinner} {elapsed} {msg}"),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(total, target).with_style(style).with_message(what.to_owned());
        if of == Of::Steps && !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        // The first line comes after the interval: what is over by then needs none.
        let lines = (wanted == PLAIN).then(|| Mutex::new(Lines { what: what.to_owned(), written_at: Instant::now() }));
        Self { bar, of, lines }
    }

    /// Does something of which nothing is known until it is over.
    pub(super) fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
        let _shown = Self::new(what, Of::Steps);
        work()
    }

    /// Says what is going on now.
    pub(super) fn tell(&self, what: &str) {
        self.bar.set_message(what.to_owned());
        if let Some(lines) = &self.lines {
            what.clone_into(&mut lines.lock().what);
            self.line(self.bar.position());
        }
    }

    /// Says how much is done.
    pub(super) fn at(&self, done: u64) {
        // The bar draws itself only now and then.
        self.bar.set_position(done);
        self.line(done);
    }

    fn line(&self, done: u64) {
        let Some(lines) = &self.lines else { return };
        let mut lines = lines.lock();
        if lines.written_at.elapsed() < LINE_INTERVAL {
            return;
        }
        lines.written_at = Instant::now();
        match self.of {
            // A pipe has no length.
            Of::Bytes(0) => say(format_args!("market-hub: {}: {done} bytes", lines.what)),
            Of::Bytes(total) => say(format_args!("market-hub: {}: {done} of {total} bytes", lines.what)),
            Of::Items(total) => say(format_args!("market-hub: {}: {done} of {total}", lines.what)),
            Of::Steps => say(format_args!("market-hub: {}", lines.what)),
        }
    }

    /// A reader that says by itself how much it has read.
    pub(super) const fn reading<R>(self, inner: R) -> Reading<R> {
        Reading { inner, done: 0, progress: self }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// See [`Progress::reading`].
pub(super) struct Reading<R> {
    inner: R,
    done: u64,
    progress: Progress,
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.done += count as u64;
        self.progress.at(self.done);
        Ok(count)
    }
}
