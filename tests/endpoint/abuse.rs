//! Clients that are idle, slow, large or foreign: each is bounded, answered or cut, and nobody else waits for it.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use super::{
    Served,
    support::{http, wait_until},
};

#[test]
fn two_hundred_idle_connections_cost_nobody_anything() {
    let served = Served::new();
    served.put(10, |_, _| {});
    let idle: Vec<TcpStream> = (0..200).map(|_| http::connect(served.address)).collect();
    assert_eq!(served.get("/health").code, 200);
    assert!(served.get("/metrics").body.contains("hub_lane_frames_total"));
    let is_open = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        let mut stream: &TcpStream = stream;
        matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    let open = wait_until("most are cut", Duration::from_secs(30), || idle.iter().filter(|stream| is_open(stream)).count(), |open| *open <= 32);
    assert!(open > 0, "no more than must be");
    // Half a request is no more than none.
    let half: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = http::connect(served.address);
            let _ = stream.write_all(b"GET /metrics HT");
            stream
        })
        .collect();
    assert_eq!(served.get("/health").code, 200);
    drop(half);
}

#[test]
fn readers_that_do_not_read_keep_nobody_waiting() {
    let served = Served::new();
    served.put(10, |_, _| {});
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", served.address);
    let slow: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut stream = http::connect(served.address);
            stream.set_nonblocking(true).unwrap();
            // Far more answers than any buffer holds; none of them is read.
            let _ = stream.write_all(request.repeat(2_000).as_bytes());
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(served.get("/status").code, 200);
    }
    drop(slow);
}

#[test]
fn a_connection_may_ask_again() {
    let served = Served::new();
    let mut stream = http::connect(served.address);
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // Three at once, then one more.
    stream.write_all((request("/health") + &request("/nothing") + &request("/version")).as_bytes()).unwrap();
    assert_eq!([(); 3].map(|()| http::read(&mut stream, true).code), [200, 404, 200]);
    stream.write_all(request("/health").as_bytes()).unwrap();
    assert_eq!(http::read(&mut stream, true).code, 200);
}

#[test]
fn a_megabyte_of_request_line_is_refused_and_seen_to_be() {
    let served = Served::new();
    for (request, code) in [
        (format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(1 << 20)), 414),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)), 431),
    ] {
        let answer = http::ask(served.address, &request);
        assert!(answer.code == code && answer.head.contains("Connection: close"), "{answer:?}");
    }
    let mut garbage = http::connect(served.address);
    garbage.write_all(&[0; 4096]).unwrap();
    assert_eq!(http::read(&mut garbage, true).code, 400);
    assert_eq!(served.get("/health").code, 200);
}

#[test]
fn nothing_can_be_changed() {
    let served = Served::new();
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"] {
        for path in ["/", "/config", "/status", "/nothing"] {
            let answer = http::ask(served.address, &format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}"));
            assert!(answer.code == 405 && answer.head.contains("Allow: GET, HEAD"), "{method} {path}: {answer:?}");
        }
    }
}

#[test]
fn a_name_that_was_made_to_point_here_reads_nothing() {
    let served = Served::new();
    let port = served.address.port();
    for host in ["evil.example".to_owned(), format!("evil.example:{port}"), format!("localhost.evil.example:{port}"), format!("192.168.0.7:{port}")] {
        let answer = http::ask(served.address, &format!("GET /config HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(answer.code == 421 && !answer.body.contains('['), "{host}: {answer:?}");
    }
    for host in [format!("localhost:{port}"), "LOCALHOST".to_owned(), format!("127.0.0.1:{port}"), "[::1]:80".to_owned()] {
        assert_eq!(http::ask(served.address, &format!("GET /config HTTP/1.1\r\nHost: {host}\r\n\r\n")).code, 200, "{host}");
    }
    assert!(!served.get("/status").head.contains("Access-Control-Allow-Origin"));
}
