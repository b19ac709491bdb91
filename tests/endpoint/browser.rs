//! A real Chromium without a window, driven by chromedriver over plain HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::Engine as _;
use serde_json::{Value, json};

use super::support::{http, report};

/// Nothing of it asks for anything but what it is told to.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A browser with one page.
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// `None`, with a word about it, where there is no Chromium; with `CI` in the environment that is a failure.
    pub fn start() -> Option<Self> {
        let spawned = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let (Ok(mut driver), Some(chromium)) = (spawned, chromium()) else {
            assert!(std::env::var_os("CI").is_none(), "chromium or chromedriver is missing");
            report("not looked at in a browser: there is no chromium with chromedriver here");
            return None;
        };
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "chromedriver ended");
            if let Some((_, port)) = line.trim().trim_end_matches('.').rsplit_once("on port ")
                && let Some(port) = port.parse::<u16>().ok().filter(|port| *port > 0)
            {
                break port;
            }
        };
        // It must not be stopped by a pipe that nobody reads.
        std::thread::spawn(move || said.read_to_end(&mut Vec::new()));
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let options = json!({"binary": chromium, "args": arguments});
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let mut browser = Self { driver, address: SocketAddr::from(([127, 0, 0, 1], port)), session: String::new(), _profile: profile };
        let session = browser.command("/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Goes to an address.
    pub fn open(&self, url: &str) {
        self.ask("/url", &json!({ "url": url }));
    }

    /// The value of a script that returns one.
    pub fn run(&self, script: &str) -> Value {
        self.ask("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// As a screen of so many pixels, light or dark.
    pub fn look(&self, width: u32, height: u32, scheme: &str) {
        let is_phone = width < 600;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": if is_phone { 2 } else { 1 }, "mobile": is_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}));
    }

    /// All of the page as a picture, for people to look at.
    pub fn photograph(&self, path: &Path) {
        let picture = self.devtools("Page.captureScreenshot", &json!({"captureBeyondViewport": true, "format": "png"}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        report(format_args!("a picture of the page: {}", path.display()));
    }

    /// What has been written to the console since the last time that was asked.
    pub fn console(&self) -> Vec<Value> {
        self.ask("/se/log", &json!({"type": "browser"})).as_array().unwrap().clone()
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        self.command(&format!("{}{path}", self.session), body)
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        let answer = http::post(self.address, path, &body.to_string());
        assert_eq!(answer.code, 200, "{path}: {}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // Ends Chromium; without an answer there is none left to end.
            let request = format!("DELETE {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.session, self.address);
            let _ = std::panic::catch_unwind(|| http::ask(self.address, &request));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn chromium() -> Option<&'static str> {
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].into_iter().find(|path| Path::new(path).exists())
}
