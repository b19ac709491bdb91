//! One HTTP connection to the store, on which sending and receiving are two calls: a thread can have several requests under way at once.
//!
//! Never blocks for longer than it is told to, and never says what it sends: requests carry signatures.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use ureq_proto::Error;
use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use ureq_proto::http::Request;
use url::Url;

/// Room for the head of a request: a signed URL with the token of temporary keys has some 3 KiB.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// The largest answer that is taken; pages of listings are the largest, beside objects.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// How much is read at a time.
const STEP: usize = 16 << 10;

/// A request that is sent and not answered.
pub(super) type Sent = Call<RecvResponse>;

/// What the store has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The store's clock, as its header `Date` tells it.
    pub date: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    #[cfg(feature = "ssl")]
    Tls(Box<native_tls::TlsStream<TcpStream>>),
}

/// See the module.
pub(super) struct Connection {
    stream: Stream,
    input: Vec<u8>,
    answers: u64,
    is_open: bool,
}

impl Connection {
    /// Opens a connection to the endpoint within `limit`.
    pub fn open(endpoint: &Url, limit: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + limit;
        let mut failure = io::Error::new(ErrorKind::NotFound, "the host has no address");
        for address in endpoint.socket_addrs(|| None)? {
            match TcpStream::connect_timeout(&address, left(deadline)) {
                Ok(stream) => {
                    // An object is one small message: it must not wait for the peer's acknowledgement of its head.
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(left(deadline)))?;
                    stream.set_write_timeout(Some(left(deadline)))?;
                    return Ok(Self { stream: secured(endpoint, stream)?, input: Vec::new(), answers: 0, is_open: true });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Sends a request with its body, whose length a header of it tells.
    pub fn send(&mut self, request: Request<()>, body: &[u8], deadline: Instant) -> io::Result<Sent> {
        self.is_open = false;
        let mut call = Call::new(request).map_err(odd)?.proceed();
        let mut output = vec![0; HEAD_BYTES_MAX];
        let length = call.write(&mut output).map_err(odd)?;
        output.truncate(length);
        // One write: one segment where it fits.
        output.extend_from_slice(body);
        self.socket().set_write_timeout(Some(left(deadline)))?;
        self.stream.write_all(&output)?;
        match call.proceed().map_err(odd)? {
            Some(SendRequestResult::RecvResponse(sent)) => Ok(sent),
            Some(SendRequestResult::SendBody(mut sending)) => {
                sending.consume_direct_write(body.len()).map_err(odd)?;
                sending.proceed().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "a body is not as long as its request says"))
            }
            _ => Err(io::Error::new(ErrorKind::InvalidInput, "a request's head is too long")),
        }
    }

    /// Receives the answer; after it the connection may be closed, see [`Connection::is_open`].
    pub fn receive(&mut self, mut sent: Sent, deadline: Instant) -> io::Result<Answer> {
        self.input.clear();
        let (status, date) = loop {
            let (used, response) = sent.try_response(&self.input, false).map_err(odd)?;
            self.input.drain(..used);
            if let Some(response) = response {
                let date = response.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
                break (response.status().as_u16(), date);
            }
            if self.fill(deadline)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        };
        let mut body = Vec::new();
        let must_close = match sent.proceed() {
            Some(RecvResponseResult::RecvBody(receiving)) => self.body(receiving, &mut body, deadline)?,
            // What is asked of one host must not be sent, signed, to another: a redirection is an answer as any other.
            Some(RecvResponseResult::Redirect(_)) | None => true,
            Some(RecvResponseResult::Cleanup(done)) => done.must_close_connection(),
        };
        self.answers += 1;
        self.is_open = !must_close && self.input.is_empty();
        Ok(Answer { status, date, body })
    }

    /// Receives a body; says whether the connection must be closed after it.
    fn body(&mut self, mut receiving: Call<RecvBody>, body: &mut Vec<u8>, deadline: Instant) -> io::Result<bool> {
        let mut output = [0; STEP];
        loop {
            let (used, length) = receiving.read(&self.input, &mut output).map_err(odd)?;
            self.input.drain(..used);
            body.extend_from_slice(&output[..length]);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(io::Error::new(ErrorKind::InvalidData, "the answer is too long"));
            }
            let is_close_delimited = receiving.body_mode() == ureq_proto::BodyMode::CloseDelimited;
            if receiving.can_proceed() && !is_close_delimited {
                return Ok(match receiving.proceed() {
                    Some(RecvBodyResult::Cleanup(done)) => done.must_close_connection(),
                    _ => true,
                });
            }
            if used == 0 && length == 0 && self.fill(deadline)? == 0 {
                return if is_close_delimited { Ok(true) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Reads what is there, or waits for it.
    fn fill(&mut self, deadline: Instant) -> io::Result<usize> {
        if Instant::now() >= deadline {
            return Err(ErrorKind::TimedOut.into());
        }
        self.socket().set_read_timeout(Some(left(deadline)))?;
        let mut bytes = [0; STEP];
        let length = self.stream.read(&mut bytes)?;
        self.input.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    /// Whether another request can be sent.
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether an answer has come on it: the store may close a connection that it has answered on at any time, which says nothing about the store.
    pub const fn is_used(&self) -> bool {
        self.answers > 0
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => stream,
            #[cfg(feature = "ssl")]
            Stream::Tls(stream) => stream.get_ref(),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl Stream {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes),
            #[cfg(feature = "ssl")]
            Self::Tls(stream) => stream.write_all(bytes),
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(bytes),
            #[cfg(feature = "ssl")]
            Self::Tls(stream) => stream.read(bytes),
        }
    }
}

#[cfg(feature = "ssl")]
fn secured(endpoint: &Url, stream: TcpStream) -> io::Result<Stream> {
    if endpoint.scheme() != "https" {
        return Ok(Stream::Plain(stream));
    }
    let host = endpoint.host_str().unwrap_or_default();
    let connector = native_tls::TlsConnector::new().map_err(io::Error::other)?;
    let secured = connector.connect(host, stream).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Stream::Tls(Box::new(secured)))
}

/// The settings refuse `https` in a build without TLS.
#[cfg(not(feature = "ssl"))]
#[expect(clippy::unnecessary_wraps, reason = "the twin with TLS can fail")]
fn secured(_: &Url, stream: TcpStream) -> io::Result<Stream> {
    Ok(Stream::Plain(stream))
}

/// What is left until the deadline; never zero, which would mean for ever.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

fn odd(error: Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("no HTTP that can be understood: {error}"))
}
