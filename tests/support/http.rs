//! A client of HTTP/1.1 that is as plain as the protocol allows: it shares no code with what it asks.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long an answer may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub head: String,
    pub body: String,
}

/// Connects.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    stream.set_write_timeout(Some(PATIENCE)).expect("a time limit");
    stream
}

/// GETs a path.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

/// POSTs JSON.
pub fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    let length = body.len();
    ask(
        address,
        &format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"),
    )
}

/// Sends a request as it stands, and reads the one answer.
pub fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).expect("the request is sent");
    read(&mut stream, !request.starts_with("HEAD"))
}

/// Reads one answer, and not a byte more.
pub fn read(stream: &mut TcpStream, has_body: bool) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("no whole head: {error} after {}", head.escape_ascii()));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("a head in UTF-8");
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let mut body = vec![0; if has_body { length.expect("an answer has a length") } else { 0 }];
    stream.read_exact(&mut body).expect("a whole body");
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a code");
    Answer { code, head, body: String::from_utf8(body).expect("a body in UTF-8") }
}
