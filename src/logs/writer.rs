//! The thread that writes: nobody waits for it, and nothing that goes wrong here concerns anybody else.

use std::io::Write;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::files::Files;
use super::left_out;

/// How often trouble with the files is said, and how long they are left alone after it.
const TROUBLE_PAUSE: Duration = Duration::from_secs(30);

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Write this, line end included.
    Line(String),
    /// Write lines to these files too.
    Files(Files),
    /// Say when everything before is written.
    Flush(Sender<()>),
}

/// See the module.
pub(super) struct Writer {
    console: Box<dyn Write + Send>,
    files: Option<Files>,
    /// Files are left alone until then.
    files_at: Instant,
    /// How many lines that were left out have been told.
    told: u64,
    /// Lines that are in no file.
    unfiled: u64,
}

impl Writer {
    pub(super) fn new(console: Box<dyn Write + Send>) -> Self {
        Self { console, files: None, files_at: Instant::now(), told: 0, unfiled: 0 }
    }

    /// Works until nobody can order any more.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            self.obey(order, left_out());
        }
    }

    fn obey(&mut self, order: Order, left_out: u64) {
        match order {
            Order::Line(line) => self.write(&line),
            Order::Files(files) => self.files = Some(files),
            Order::Flush(done) => {
                let _ = self.console.flush();
                let _ = done.send(());
            }
        }
        if left_out > self.told {
            let lines = left_out - std::mem::replace(&mut self.told, left_out);
            self.write(&format!("{lines} lines of the log were left out: they came faster than they could be written\n"));
        }
    }

    fn write(&mut self, line: &str) {
        // A terminal that is gone, a full disk: there is nobody to tell.
        let _ = self.console.write_all(line.as_bytes());
        let Some(files) = &mut self.files else { return };
        if Instant::now() < self.files_at {
            self.unfiled += 1;
            return;
        }
        match files.write(line) {
            Ok(()) if self.unfiled > 0 => {
                let lines = std::mem::take(&mut self.unfiled);
                let _ = files.write(&format!("{lines} lines are missing here: they could not be written\n"));
            }
            Ok(()) => {}
            Err(error) => {
                self.unfiled += 1;
                self.files_at = Instant::now() + TROUBLE_PAUSE;
                let _ = writeln!(self.console, "the log's file cannot be written and is tried again: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Console(Arc<Mutex<Vec<u8>>>);

    impl Write for Console {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Console {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().clone()).unwrap()
        }
    }

    #[test]
    fn what_was_left_out_is_told_once() {
        let console = Console::default();
        let mut writer = Writer::new(Box::new(console.clone()));
        for (line, left_out) in [("a\n", 0), ("b\n", 7), ("c\n", 7), ("d\n", 9)] {
            writer.obey(Order::Line(line.to_owned()), left_out);
        }
        let lines: Vec<String> = console.text().lines().map(|line| line.chars().take(16).collect()).collect();
        assert_eq!(lines, ["a", "b", "7 lines of the l", "c", "d", "2 lines of the l"]);
    }

    #[test]
    fn files_that_cannot_be_written_do_not_stop_the_console() {
        let (console, dir) = (Console::default(), tempfile::tempdir().unwrap());
        let below = dir.path().join("logs");
        let mut writer = Writer::new(Box::new(console.clone()));
        writer.obey(Order::Files(Files::open(&below, 4, 1).unwrap()), 0);
        writer.obey(Order::Line("one\n".to_owned()), 0);
        std::fs::remove_dir_all(&below).unwrap();
        std::fs::write(&below, "a file in its place").unwrap();
        for line in ["two\n", "three\n"] {
            writer.obey(Order::Line(line.to_owned()), 0);
        }
        let text = console.text();
        assert!(text.starts_with("one\ntwo\nthe log's file cannot be written") && text.ends_with("three\n"), "{text}");
        assert_eq!(writer.unfiled, 2);
        // Mended.
        std::fs::remove_file(&below).unwrap();
        writer.files_at = Instant::now();
        writer.obey(Order::Line("four\n".to_owned()), 0);
        assert_eq!(std::fs::read_to_string(below.join("market-hub.log.1")).unwrap(), "four\n");
        assert!(std::fs::read_to_string(below.join("market-hub.log")).unwrap().starts_with("2 lines are missing here"));
    }
}
