//! librdkafka's waits, by a clock that nobody sets.
//!
//! librdkafka waits until a moment of the wall clock, for C11's `cnd_timedwait` knows no other. If that is set back by an hour while a thread waits for a
//! millisecond, the thread wakes up an hour late, unless somebody gives it something to do: transactions stood still until their messages had timed out,
//! for ten seconds, and a question with a limit of two seconds would have an hour. So there is a `cnd_timedwait` here, which the linker takes in place of
//! the C library's: it waits for as long as that moment is away when it is called.
#![expect(unsafe_code, reason = "a function of the C library is replaced")]

use std::ffi::c_int;

use libc::{CLOCK_MONOTONIC, CLOCK_REALTIME, ETIMEDOUT, clockid_t, pthread_cond_t, pthread_mutex_t, timespec};

/// What C11's waits give, in the C library's numbers.
const SUCCESS: c_int = 0;
const ERROR: c_int = 2;
const TIMED_OUT: c_int = 4;

const SECOND: i64 = 1_000_000_000;

unsafe extern "C" {
    /// As `pthread_cond_timedwait`, by a given clock.
    fn pthread_cond_clockwait(condition: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int;
}

/// C11's `cnd_timedwait`; see the module.
///
/// # Safety
/// As C11 says: a condition and a mutex that are initialised, the mutex held by this thread, and a moment of the wall clock.
#[unsafe(no_mangle)]
unsafe extern "C" fn cnd_timedwait(condition: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int {
    // SAFETY: the caller gives a moment.
    let until = unsafe { *until };
    let until = moment(now(CLOCK_MONOTONIC).saturating_add(nanoseconds(until) - now(CLOCK_REALTIME)));
    // SAFETY: condition and mutex are the caller's, and those of C11 are those of POSIX in this C library.
    match unsafe { pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &raw const until) } {
        0 => SUCCESS,
        ETIMEDOUT => TIMED_OUT,
        _ => ERROR,
    }
}

fn now(clock: clockid_t) -> i64 {
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: there is room for the answer. It fails for unknown clocks alone.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    nanoseconds(now)
}

const fn nanoseconds(moment: timespec) -> i64 {
    moment.tv_sec.saturating_mul(SECOND).saturating_add(moment.tv_nsec)
}

/// A moment that has passed is waited for no longer than one now.
const fn moment(nanoseconds: i64) -> timespec {
    let nanoseconds = if nanoseconds > 0 { nanoseconds } else { 0 };
    timespec { tv_sec: nanoseconds / SECOND, tv_nsec: nanoseconds % SECOND }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    /// A condition with its mutex, shared between threads as C does.
    struct Pair {
        condition: *mut pthread_cond_t,
        mutex: *mut pthread_mutex_t,
    }

    // SAFETY: both are made to be used by several threads.
    unsafe impl Sync for Pair {}

    impl Pair {
        fn wait(&self, seconds: i64) -> c_int {
            let until = moment(now(CLOCK_REALTIME) + seconds * SECOND);
            // SAFETY: both are initialised, and the mutex is held.
            unsafe { cnd_timedwait(self.condition, self.mutex, &raw const until) }
        }
    }

    #[test]
    fn a_wait_ends_with_its_time_or_a_signal() {
        let (mut condition, mut mutex) = (libc::PTHREAD_COND_INITIALIZER, libc::PTHREAD_MUTEX_INITIALIZER);
        let pair = Pair { condition: &raw mut condition, mutex: &raw mut mutex };
        let is_told = AtomicBool::new(false);
        // SAFETY: the mutex is initialised, and this thread does not hold it.
        assert_eq!(unsafe { libc::pthread_mutex_lock(pair.mutex) }, 0);
        assert_eq!(pair.wait(0), TIMED_OUT);
        assert_eq!(pair.wait(-3_600), TIMED_OUT);
        thread::scope(|scope| {
            let pair = &pair;
            scope.spawn(|| {
                // SAFETY: both are initialised; the mutex is given back by the thread that took it.
                unsafe {
                    libc::pthread_mutex_lock(pair.mutex);
                    is_told.store(true, Ordering::Relaxed);
                    libc::pthread_cond_signal(pair.condition);
                    libc::pthread_mutex_unlock(pair.mutex);
                }
            });
            while !is_told.load(Ordering::Relaxed) {
                assert_eq!(pair.wait(3_600), SUCCESS);
            }
        });
        // SAFETY: this thread holds it.
        assert_eq!(unsafe { libc::pthread_mutex_unlock(pair.mutex) }, 0);
    }
}
