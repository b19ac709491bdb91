//! A thread beside another one, for calls that may never come back.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender};

/// How often it is looked at how long an answer is still waited for.
const STEP: Duration = Duration::from_millis(100);

type Job = Box<dyn FnOnce() + Send>;

/// See the module. Dropped, the thread ends with the call that it is in.
#[derive(Debug)]
pub(super) struct Aside {
    jobs: Sender<Job>,
}

impl Aside {
    pub(super) fn new(name: &str) -> io::Result<Self> {
        let (jobs, asked) = crossbeam_channel::unbounded::<Job>();
        thread::Builder::new().name(name.to_owned()).spawn(move || asked.iter().for_each(|job| job()))?;
        Ok(Self { jobs })
    }

    /// What a call gives; `None` where it has not come back within `patience`, which may change on the way. A call after that one would wait for it.
    pub(super) fn call<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static, patience: impl Fn() -> Duration) -> Option<T> {
        let (answer, answers) = crossbeam_channel::bounded(1);
        // Nobody may be waiting any more.
        let job = move || drop(answer.send(call()));
        self.jobs.send(Box::new(job)).ok()?;
        let began = Instant::now();
        loop {
            match answers.recv_timeout(STEP) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Timeout) if began.elapsed() < patience() => {}
                Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_in_time_is_had_and_what_does_not_is_left() {
        let aside = Aside::new("aside").expect("a thread");
        assert_eq!(aside.call(|| 7, || Duration::from_secs(60)), Some(7));
        let (release, wait) = crossbeam_channel::bounded::<()>(0);
        let stuck = move || wait.recv().is_ok();
        assert_eq!(aside.call(stuck, || Duration::ZERO), None);
        release.send(()).expect("it still waits");
        assert_eq!(aside.call(|| 8, || Duration::from_secs(60)), Some(8), "of an answer that comes too late nobody hears");
    }
}
