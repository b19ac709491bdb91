//! A store that misbehaves: it stands before the real one, reads whole requests, and answers some of them itself, or not at all.

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use parking_lot::Mutex;

/// What befalls one PUT of an object.
#[derive(Clone, Debug)]
pub enum Mishap {
    /// The real store is not asked; this is the answer.
    Answer(u16, String),
    /// The real store is not asked, and nobody answers.
    Hang,
    /// The real store does it, and the connection is closed before anybody hears of it.
    CloseAfterBody,
}

/// See the module. Its threads end with the process.
pub struct StoreProxy {
    state: Arc<State>,
    port: u16,
}

#[derive(Default)]
struct State {
    store: u16,
    mishaps: Mutex<VecDeque<Mishap>>,
    /// What every request is answered with, if anything.
    always: Mutex<Option<(u16, String)>>,
    delay_us: AtomicU64,
    puts: AtomicU64,
    is_over: AtomicBool,
}

impl StoreProxy {
    pub fn before(store: u16) -> Self {
        let state = Arc::new(State { store, ..State::default() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept()
                && !shared.is_over.load(Ordering::Relaxed)
            {
                let shared = Arc::clone(&shared);
                // A client that goes away is no fault of the proxy's.
                thread::spawn(move || drop(shared.serve(client)));
            }
        });
        Self { state, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Each of these befalls one PUT of an object, in order.
    pub fn befall(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.state.mishaps.lock().extend(mishaps);
    }

    /// How many mishaps are still to happen.
    pub fn pending(&self) -> usize {
        self.state.mishaps.lock().len()
    }

    /// Answers everything with this, or lets it through again.
    pub fn always(&self, answer: Option<(u16, String)>) {
        *self.state.always.lock() = answer;
    }

    /// Every PUT of an object takes this much longer.
    pub fn set_delay(&self, delay: Duration) {
        self.state.delay_us.store(u64::try_from(delay.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// How many PUTs of objects came.
    pub fn puts(&self) -> u64 {
        self.state.puts.load(Ordering::Relaxed)
    }
}

impl Drop for StoreProxy {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl State {
    fn serve(&self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let (mut requests, mut client) = (BufReader::new(client.try_clone()?), client);
        let mut store: Option<BufReader<TcpStream>> = None;
        while let Some((head, body)) = message(&mut requests)? {
            let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
            // A bucket has no slash behind its own.
            let is_object = head.starts_with("PUT ") && path.trim_matches('/').contains('/');
            if is_object {
                self.puts.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_micros(self.delay_us.load(Ordering::Relaxed)));
            }
            let always = self.always.lock().clone();
            if let Some((status, text)) = always {
                answer(&mut client, status, &text)?;
                continue;
            }
            let mishap = if is_object { self.mishaps.lock().pop_front() } else { None };
            match mishap {
                Some(Mishap::Answer(status, text)) => {
                    answer(&mut client, status, &text)?;
                    continue;
                }
                Some(Mishap::Hang) => {
                    // Until the client gives up.
                    let _ = requests.read(&mut [0]);
                    return Ok(());
                }
                Some(Mishap::CloseAfterBody) | None => {}
            }
            let mut line = match store.take() {
                Some(line) => line,
                None => {
                    let line = TcpStream::connect((Ipv4Addr::LOCALHOST, self.store))?;
                    line.set_nodelay(true)?;
                    BufReader::new(line)
                }
            };
            line.get_mut().write_all(&[head.as_bytes(), &body].concat())?;
            let Some((head, body)) = message(&mut line)? else { return Ok(()) };
            if mishap.is_some() {
                // One byte of the next request stays unread: the system then closes the line with RST.
                client.shutdown(std::net::Shutdown::Both)?;
                return Ok(());
            }
            client.write_all(&[head.as_bytes(), &body].concat())?;
            store = Some(line);
        }
        Ok(())
    }
}

/// Head and body of one request or answer; `None` where the line ends.
fn message(input: &mut BufReader<TcpStream>) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    loop {
        let length = input.read_line(&mut head)?;
        if length == 0 {
            return Ok(None);
        }
        if head.ends_with("\r\n\r\n") {
            break;
        }
    }
    let header = |name: &str| head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(|value| value.trim().to_owned()));
    let mut body = Vec::new();
    if header("transfer-encoding:").is_some() {
        while !body.ends_with(b"\r\n0\r\n\r\n") && body != b"0\r\n\r\n" {
            let mut byte = [0];
            input.read_exact(&mut byte)?;
            body.push(byte[0]);
        }
    } else if let Some(length) = header("content-length:") {
        body = vec![0; length.parse().unwrap()];
        input.read_exact(&mut body)?;
    }
    Ok(Some((head, body)))
}

fn answer(client: &mut TcpStream, status: u16, text: &str) -> io::Result<()> {
    client.write_all(format!("HTTP/1.1 {status} As Told\r\ncontent-length: {}\r\ndate: Tue, 09 Aug 2022 00:00:00 GMT\r\n\r\n{text}", text.len()).as_bytes())
}

/// An error as stores write it.
pub fn error(code: &str, message: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>")
}
