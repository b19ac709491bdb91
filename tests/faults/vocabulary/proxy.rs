//! A network between hub and broker that can be made bad: slow, narrow, cut, silent, lying. It knows so much of Kafka's protocol that requests and responses
//! begin with their length, and requests go on with the number of their kind.
//!
//! ```text
//! hub ─▶ reader ─▶ queue (delay, bandwidth) ─▶ writer ─▶ broker        and the same back
//! ```

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::support::broker::Broker;

/// How often threads that wait for bytes look around.
const LOOK_AROUND: Duration = Duration::from_millis(20);
/// How long a line that shall be reset waits for bytes that nobody will read: with them unread, the system closes it with RST.
const RESET_BOUND: Duration = Duration::from_secs(1);

/// The number of the request that ends a transaction.
pub const END_TRANSACTION: i16 = 26;

/// Something that happens once, to whichever line it befits first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The connection ends after this many bytes of a response.
    CutAfter(usize),
    /// A digit of a price that the hub fetches is another one.
    FlippedByte,
    /// A request of this kind is lost with its connection, and arrives by another one this much later.
    HeldBack(i16, Duration),
}

/// See the module. Ends when dropped.
pub struct Proxy {
    network: Arc<Network>,
    port: u16,
    acceptor: Option<JoinHandle<()>>,
}

struct Network {
    broker: u16,
    up: Pipe,
    down: Pipe,
    /// Nobody comes through, and nobody is told.
    is_cut: AtomicBool,
    is_over: AtomicBool,
    /// Lines of an earlier generation than these are reset, or silent.
    reset: AtomicU64,
    silent: AtomicU64,
    lines: AtomicU64,
    requests: AtomicU64,
    mishaps: Mutex<Vec<Mishap>>,
}

/// One direction of all lines.
#[derive(Default)]
struct Pipe {
    delay_ms: AtomicU64,
    /// 0 for no limit.
    bytes_per_s: AtomicU64,
    free_at: Mutex<Option<Instant>>,
}

impl Proxy {
    /// Listens where the broker tells proxied clients to go.
    pub fn before(broker: &Broker) -> Self {
        let (listens, told) = broker.proxied_ports();
        let network = Arc::new(Network {
            broker: listens,
            up: Pipe::default(),
            down: Pipe::default(),
            is_cut: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            reset: AtomicU64::new(0),
            silent: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            mishaps: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, told)).expect("the proxy's port");
        let of_thread = Arc::clone(&network);
        let acceptor = thread::spawn(move || of_thread.accept(&listener));
        Self { network, port: told, acceptor: Some(acceptor) }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Delay and bandwidth of both directions; no delay and no bytes a second for none.
    pub fn set_weather(&self, delay: Duration, bytes_per_s: u64) {
        for pipe in [&self.network.up, &self.network.down] {
            pipe.delay_ms.store(u64::try_from(delay.as_millis()).expect("a short delay"), Ordering::Relaxed);
            pipe.bytes_per_s.store(bytes_per_s, Ordering::Relaxed);
        }
    }

    /// Ends all lines and lets nobody through until [`Proxy::mend`].
    pub fn cut(&self) {
        self.network.is_cut.store(true, Ordering::Relaxed);
    }

    pub fn mend(&self) {
        self.network.is_cut.store(false, Ordering::Relaxed);
    }

    /// Resets all lines that there are.
    pub fn reset_all(&self) {
        self.network.reset.store(self.network.lines.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// From now on nothing comes through the lines that there are, and nobody is told.
    pub fn silence_all(&self) {
        self.network.silent.store(self.network.lines.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub fn befall(&self, mishap: Mishap) {
        self.network.mishaps.lock().push(mishap);
    }

    /// How many mishaps are still to happen.
    pub fn pending(&self) -> usize {
        self.network.mishaps.lock().len()
    }

    /// Requests, and attempts to connect, since the start.
    pub fn requests(&self) -> u64 {
        self.network.requests.load(Ordering::Relaxed) + self.network.lines.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.network.is_over.store(true, Ordering::Relaxed);
        // Wakes the acceptor.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let ended = self.acceptor.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))), "the proxy died");
    }
}

impl Network {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((hub, _)) = listener.accept() {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let number = self.lines.fetch_add(1, Ordering::Relaxed) + 1;
            if self.is_cut.load(Ordering::Relaxed) {
                continue;
            }
            // A broker that is away refuses; so does the proxy then.
            let Ok(broker) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.broker)) else { continue };
            for stream in [&hub, &broker] {
                stream.set_read_timeout(Some(LOOK_AROUND)).expect("a time limit");
                stream.set_nodelay(true).expect("no delay");
            }
            let line = Arc::new(Line { number, network: Arc::clone(self), hub, broker, is_over: AtomicBool::new(false) });
            line.start();
        }
    }

    /// Takes the first mishap that `befits`.
    fn mishap(&self, befits: impl Fn(&Mishap) -> bool) -> Option<Mishap> {
        let mut mishaps = self.mishaps.lock();
        let index = mishaps.iter().position(befits)?;
        Some(mishaps.remove(index))
    }
}

impl Pipe {
    /// Waits as long as these bytes take.
    fn carry(&self, bytes: usize, since: Instant) {
        let due = since + Duration::from_millis(self.delay_ms.load(Ordering::Relaxed));
        let bytes_per_s = self.bytes_per_s.load(Ordering::Relaxed);
        let through = if bytes_per_s == 0 {
            due
        } else {
            let mut free_at = self.free_at.lock();
            let from = free_at.map_or(since, |free_at| free_at.max(since));
            let free = from + Duration::from_secs_f64(bytes as f64 / bytes_per_s as f64);
            *free_at = Some(free);
            free.max(due)
        };
        thread::sleep(through.saturating_duration_since(Instant::now()));
    }
}

/// One connection of the hub's.
struct Line {
    number: u64,
    network: Arc<Network>,
    hub: TcpStream,
    broker: TcpStream,
    is_over: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

type Packet = (Vec<u8>, Instant);

impl Line {
    fn start(self: &Arc<Self>) {
        for direction in [Direction::Up, Direction::Down] {
            let (packets, queue) = mpsc::channel::<Packet>();
            let (reader, writer) = (Arc::clone(self), Arc::clone(self));
            thread::spawn(move || reader.read_all(direction, &packets));
            thread::spawn(move || writer.write_all(direction, &queue));
        }
    }

    /// Whoever ends first ends all: the last of the four closes both connections.
    fn read_all(&self, direction: Direction, packets: &mpsc::Sender<Packet>) {
        while let Ok(packet) = self.read(direction) {
            let packet = match direction {
                Direction::Up => self.request(packet),
                Direction::Down => Some(self.response(packet)),
            };
            let Some(packet) = packet else { break };
            if packets.send((packet, Instant::now())).is_err() {
                break;
            }
        }
        if direction == Direction::Up && self.is_before(&self.network.reset) {
            let began = Instant::now();
            while began.elapsed() < RESET_BOUND && self.hub.peek(&mut [0]).is_err() {}
        }
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn write_all(&self, direction: Direction, queue: &mpsc::Receiver<Packet>) {
        let (pipe, mut to) = match direction {
            Direction::Up => (&self.network.up, &self.broker),
            Direction::Down => (&self.network.down, &self.hub),
        };
        while let Ok((packet, since)) = queue.recv() {
            pipe.carry(packet.len(), since);
            let cut = |mishap: &Mishap| matches!(mishap, Mishap::CutAfter(bytes) if direction == Direction::Down && *bytes < packet.len());
            let cut = self.network.mishap(cut);
            let whole = if let Some(Mishap::CutAfter(bytes)) = cut { &packet[..bytes] } else { &packet };
            if to.write_all(whole).is_err() || cut.is_some() {
                break;
            }
        }
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// One request or response with its length.
    fn read(&self, direction: Direction) -> io::Result<Vec<u8>> {
        let mut packet = vec![0; 4];
        self.fill(direction, &mut packet)?;
        let length = u32::from_be_bytes([packet[0], packet[1], packet[2], packet[3]]);
        packet.resize(4 + length as usize, 0);
        self.fill(direction, &mut packet[4..])?;
        Ok(packet)
    }

    fn fill(&self, direction: Direction, mut rest: &mut [u8]) -> io::Result<()> {
        let mut from = if direction == Direction::Up { &self.hub } else { &self.broker };
        while !rest.is_empty() {
            let network = &self.network;
            let is_cut = network.is_cut.load(Ordering::Relaxed) || network.is_over.load(Ordering::Relaxed);
            if is_cut || self.is_over.load(Ordering::Relaxed) || self.is_before(&network.reset) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            if self.is_before(&network.silent) {
                thread::sleep(LOOK_AROUND);
                continue;
            }
            match from.read(rest) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => rest = &mut rest[count..],
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_before(&self, generation: &AtomicU64) -> bool {
        self.number <= generation.load(Ordering::Relaxed)
    }

    /// A request on its way; `None` where the connection ends with it.
    fn request(&self, packet: Vec<u8>) -> Option<Vec<u8>> {
        self.network.requests.fetch_add(1, Ordering::Relaxed);
        let kind = i16::from_be_bytes([packet[4], packet[5]]);
        let Some(Mishap::HeldBack(_, delay)) = self.network.mishap(|mishap| matches!(mishap, Mishap::HeldBack(held, _) if *held == kind)) else {
            return Some(packet);
        };
        let broker = self.network.broker;
        thread::spawn(move || {
            thread::sleep(delay);
            let mut late = TcpStream::connect((Ipv4Addr::LOCALHOST, broker)).expect("a broker");
            late.write_all(&packet).expect("a request that comes late");
            // Not closed before the broker has read it.
            let _ = late.read(&mut [0; 4]);
        });
        None
    }

    fn response(&self, mut packet: Vec<u8>) -> Vec<u8> {
        const BEFORE_PRICE: &[u8] = br#"\": \""#;
        let price = packet.windows(BEFORE_PRICE.len() + 1).position(|window| window.starts_with(BEFORE_PRICE) && window[BEFORE_PRICE.len()].is_ascii_digit());
        if let Some(at) = price
            && self.network.mishap(|mishap| *mishap == Mishap::FlippedByte).is_some()
        {
            packet[at + BEFORE_PRICE.len()] ^= 1;
        }
        packet
    }
}
