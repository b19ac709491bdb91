//! One process a lane on this host. A consumer that is assigned by hand is no member of its group, so that brokers let two processes
//! read the same lane and write everything twice; what one host can see, it refuses.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::config::Config;
use crate::kafka::Unavailable;

/// A name that only one process on this host can have. Linux's abstract sockets leave no file behind, and are free as soon as their
/// process is gone, however it went.
pub(super) struct HostLock {
    _socket: UnixDatagram,
}

impl HostLock {
    /// Takes the locks of all lanes; `cluster` tells one Kafka from another.
    ///
    /// # Errors
    /// The lanes that another process on this host has.
    pub(super) fn take_all(config: &Config, cluster: &str) -> Result<Vec<Self>, Unavailable> {
        let (mut locks, mut faults) = (Vec::new(), Vec::new());
        for lane in &config.lanes {
            let names = config.names(lane.stream);
            match Self::take(&format!("market-hub/{cluster}/{}/{}/{}", names.group, names.input, lane.partition)) {
                Ok(lock) => locks.push(lock),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => faults.push(format!(
                    "{lane}: another process on this host works on it with group {}: stop that one, or give this one other lanes (--lanes) or another group",
                    names.group
                )),
                // Without it nothing is worse than on two hosts.
                Err(error) => log::warn!("{lane}: whether another process on this host works on it cannot be told: {error}"),
            }
        }
        if faults.is_empty() { Ok(locks) } else { Err(Unavailable(faults)) }
    }

    fn take(name: &str) -> io::Result<Self> {
        // Names have at most 107 bytes: a longer one is told by its digest.
        let name = if name.len() <= 100 { name.to_owned() } else { format!("market-hub/{:016x}", fnv(name)) };
        Ok(Self { _socket: UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)? })
    }
}

/// FNV-1a, 64 bits.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_free_when_it_is_dropped() {
        for name in [format!("market-hub/test/{}", std::process::id()), format!("market-hub/{}/{}", "long".repeat(50), std::process::id())] {
            let lock = HostLock::take(&name).expect("nobody has it");
            assert_eq!(HostLock::take(&name).err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
            drop(lock);
            assert!(HostLock::take(&name).is_ok());
        }
    }
}
