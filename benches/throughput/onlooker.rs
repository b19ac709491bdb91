//! Somebody who looks at a hub all the time: a scrape of its metrics every second, as Prometheus would, and what an open page asks for as often.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::http;

/// See the module. Looks until it is dropped.
pub struct Onlooker {
    is_over: Arc<AtomicBool>,
    looks: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Onlooker {
    /// Looks at the `--endpoint` among a hub's arguments, if they have one that is an address.
    pub fn of(arguments: &[String]) -> Option<Self> {
        let place = arguments.iter().position(|word| word == "--endpoint")?;
        let address: SocketAddr = arguments.get(place + 1)?.parse().ok()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let looks = Arc::new(AtomicBool::new(true));
        let is_looking = Arc::clone(&looks);
        let run = move || {
            while !stop.load(Ordering::Acquire) {
                // It listens soon, and not any more when the hub has ended.
                if is_looking.load(Ordering::Acquire) && TcpStream::connect(address).is_ok() {
                    for path in ["/metrics", "/status?symbol=BTC"] {
                        assert_eq!(http::get(address, path).code, 200, "{path}");
                    }
                }
                (0..20).take_while(|_| !stop.load(Ordering::Acquire)).for_each(|_| thread::sleep(Duration::from_millis(50)));
            }
        };
        Some(Self { is_over, looks, thread: Some(thread::spawn(run)) })
    }

    /// Looks from now on, or rests.
    pub fn look(&self, looks: bool) {
        self.looks.store(looks, Ordering::Release);
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
