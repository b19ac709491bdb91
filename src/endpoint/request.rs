//! Requests: read from bytes within bounds, and refused where they are none of ours. Decides alone by what the client has sent.

use std::net::{IpAddr, SocketAddr};

use super::response::Response;

/// How many bytes the request line and the headers may have together, and how many headers there may be.
pub(super) const HEAD_BYTES_MAX: usize = 8 << 10;
const HEADERS_MAX: usize = 64;

/// A request for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The path without its query.
    pub(super) path: String,
    /// What follows the `?`.
    pub(super) query: String,
    /// Whether only the head of the answer is wanted.
    pub(super) is_head: bool,
    /// Whether metrics are wanted in the form of OpenMetrics.
    pub(super) wants_openmetrics: bool,
    /// Whether another request may follow on the connection.
    pub(super) keeps_alive: bool,
}

/// What some bytes amount to.
#[derive(Debug)]
pub(super) enum Parsed {
    /// More has to come.
    Partial,
    /// A request, in so many bytes.
    Whole(Request, usize),
    /// Something that is answered so, after which the connection ends.
    Refused(Response),
}

/// Reads the first request of `bytes`; `own` is the address that the client has connected to.
pub(super) fn parse(bytes: &[u8], own: SocketAddr) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_BYTES_MAX => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES_MAX => return Parsed::Partial,
        Ok(_) if !bytes[..HEAD_BYTES_MAX].contains(&b'\n') => return Parsed::Refused(Response::refusal(414, "the request line is too long")),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Parsed::Refused(Response::refusal(431, "the headers are too many or too long")),
        Err(_) => return Parsed::Refused(Response::refusal(400, "this is not HTTP/1.0 or HTTP/1.1")),
    };
    let header = |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value);
    let is_11 = head.version == Some(1);
    match header("host").map(std::str::from_utf8) {
        None if is_11 => return Parsed::Refused(Response::refusal(400, "the Host header is missing")),
        Some(Ok(host)) if is_ours(host, own.ip()) => {}
        None => {}
        Some(_) => return Parsed::Refused(Response::refusal(421, "this host is not served here: use localhost or an address of this host")),
    }
    let is_head = head.method == Some("HEAD");
    if !is_head && head.method != Some("GET") {
        return Parsed::Refused(Response::refusal(405, "only GET and HEAD are served: nothing can be changed here").with("Allow", "GET, HEAD"));
    }
    let target = head.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let lower = |name: &str| header(name).map(|value| String::from_utf8_lossy(value).to_ascii_lowercase()).unwrap_or_default();
    // A body is not read: what follows cannot be told from it.
    let has_body = header("content-length").is_some_and(|length| length != b"0") || header("transfer-encoding").is_some();
    let connection = lower("connection");
    let keeps_alive = !has_body && if is_11 { !connection.contains("close") } else { connection.contains("keep-alive") };
    let request = Request {
        path: path.to_owned(),
        query: query.to_owned(),
        is_head,
        wants_openmetrics: lower("accept").contains("application/openmetrics-text"),
        keeps_alive,
    };
    Parsed::Whole(request, length)
}

/// Whether a client that has reached `own` may call it `host`. A page of a foreign site whose name was made to point to this host (DNS rebinding) must
/// not read what is served to this host alone. By which port a tunnel comes here does not matter.
fn is_ours(host: &str, own: IpAddr) -> bool {
    if !own.is_loopback() {
        return true;
    }
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(address, _)| address),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Request {
    /// Whether the same is asked for, in the same form.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        (&self.path, &self.query, self.wants_openmetrics) == (&other.path, &other.query, other.wants_openmetrics)
    }

    /// The value of a parameter of the query; percent signs and pluses stand for what they do in forms.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| unescape(value))
        })
    }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match (first, after.get(..2).and_then(escaped)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(first),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "127.0.0.1:9464";

    fn whole(text: &str) -> Request {
        match parse(text.as_bytes(), OWN.parse().expect("an address")) {
            Parsed::Whole(request, length) if length == text.len() => request,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    fn refused(text: &str, own: &str) -> u16 {
        match parse(text.as_bytes(), own.parse().expect("an address")) {
            Parsed::Refused(response) => response.code,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn a_request_has_path_query_and_wishes() {
        let request = whole("GET /status?symbol=BTC%2FUSD&x HTTP/1.1\r\nHost: localhost:1\r\nAccept: application/OpenMetrics-text;version=1.0.0\r\n\r\n");
        assert_eq!((request.path.as_str(), request.parameter("symbol").as_deref()), ("/status", Some("BTC/USD")));
        assert_eq!((request.parameter("x").as_deref(), request.parameter("y")), (Some(""), None));
        assert!(request.wants_openmetrics && request.keeps_alive && !request.is_head);
        assert!(whole("HEAD / HTTP/1.1\r\nHost: [::1]:9\r\n\r\n").is_head);
        assert!(!whole("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").keeps_alive);
        assert!(!whole("GET / HTTP/1.1\r\nHost: 127.9.9.9\r\nContent-Length: 5\r\n\r\n").keeps_alive, "a body is not read");
        assert!(!whole("GET / HTTP/1.0\r\n\r\n").keeps_alive, "HTTP/1.0 needs no host");
        assert_eq!(unescape("a%2fb+c%zz%4"), "a/b c%zz%4");
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        assert_eq!(refused("POST /config HTTP/1.1\r\nHost: localhost\r\n\r\n", OWN), 405);
        assert_eq!(refused("GET / HTTP/1.1\r\n\r\n", OWN), 400);
        assert_eq!(refused("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", OWN), 400);
        assert_eq!(refused("nonsense\r\n\r\n", OWN), 400);
        for host in ["evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "[2001:db8::1]", "", "10.0.0.1", "\u{e9}"] {
            assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), OWN), 421, "{host}");
        }
        assert!(matches!(parse(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "10.0.0.1:80".parse().expect("an address")), Parsed::Whole(..)));
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_whole() {
        assert!(matches!(parse(&b"GET /".repeat(100), OWN.parse().expect("an address")), Parsed::Refused(_) | Parsed::Partial));
        assert_eq!(refused(&format!("GET /{}", "x".repeat(HEAD_BYTES_MAX)), OWN), 414);
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_BYTES_MAX)), OWN), 431);
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX + 1)), OWN), 431);
    }
}
