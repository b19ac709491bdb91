//! A web server of the tests, which answers what it is told to: what a real worker does at times that nobody can choose, and what is no worker at all.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;

/// Status and body for a request line (`PUT /connectors/a/config`), and how many times the same was asked before.
type Script = dyn Fn(&str, usize) -> (u16, String) + Send + Sync;

/// See the module. Dropped, it ends.
pub struct Scripted {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    pub fn new(script: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, ends): (Arc<Mutex<Vec<String>>>, Arc<AtomicBool>) = Default::default();
        let thread = thread::spawn({
            let (asked, ends) = (Arc::clone(&asked), Arc::clone(&ends));
            move || serve(&listener, &script, &asked, &ends)
        });
        Self { port, asked, ends, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The request lines so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(listener: &TcpListener, script: &Script, asked: &Mutex<Vec<String>>, ends: &AtomicBool) {
    for stream in listener.incoming().map_while(Result::ok) {
        if ends.load(Ordering::Acquire) {
            return;
        }
        // Who breaks off is no concern of the server.
        let _ = answer(stream, script, asked);
    }
}

/// One request a connection.
fn answer(stream: TcpStream, script: &Script, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (Vec::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        head.push(std::mem::take(&mut line));
    }
    let length = head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    reader.by_ref().take(length).read_to_end(&mut Vec::new())?;
    let Some(request) = head.first().and_then(|line| line.rsplit_once(' ')).map(|(request, _)| request.to_owned()) else { return Ok(()) };
    let before = {
        let mut asked = asked.lock();
        asked.push(request.clone());
        asked.iter().filter(|earlier| **earlier == request).count() - 1
    };
    let (status, body) = script(&request, before);
    let kind = if body.starts_with(['{', '[']) { "application/json" } else { "text/html" };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    reader.get_mut().write_all(format!("{head}{body}").as_bytes())
}
