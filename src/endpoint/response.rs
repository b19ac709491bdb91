//! Responses: a status, a body, and the headers that keep browsers from doing more with it than show it.

use std::borrow::Cow;
use std::fmt::Write;

/// The page uses what this server gives it, and nothing else; no other page may show it in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) code: u16,
    kind: &'static str,
    body: Cow<'static, [u8]>,
    header: Option<(&'static str, &'static str)>,
}

impl Response {
    /// An answer with this type of content.
    pub(super) fn new(code: u16, kind: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { code, kind, body: body.into(), header: None }
    }

    /// A line that says why there is nothing else.
    pub(super) fn refusal(code: u16, why: &str) -> Self {
        Self::new(code, "text/plain; charset=utf-8", format!("{why}\n").into_bytes())
    }

    /// As JSON.
    pub(super) fn json(code: u16, value: &impl serde::Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::new(code, "application/json", body),
            Err(error) => Self::refusal(500, &format!("the status cannot be written: {error}")),
        }
    }

    /// With one header more.
    pub(super) const fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Appends the bytes to send.
    pub(super) fn write(&self, is_head: bool, keeps_alive: bool, out: &mut Vec<u8>) {
        let mut head = format!("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n", self.code, reason(self.code), self.kind, self.body.len());
        // Writing to a String cannot fail.
        let _ = write!(head, "Cache-Control: no-store\r\nContent-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\n");
        if let Some((name, value)) = self.header {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Connection: {}\r\n\r\n", if keeps_alive { "keep-alive" } else { "close" });
        out.extend_from_slice(head.as_bytes());
        if !is_head {
            out.extend_from_slice(&self.body);
        }
    }
}

const fn reason(code: u16) -> &'static str {
    match code {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
