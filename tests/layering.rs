//! What may know of what: a frame flows through the modules in the order of the `mod` lines of `src/lib.rs`, and none of them imports one that comes after
//! it. Reads the sources, test modules included: a test that needs what comes later belongs into tests/.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use Allowed::{In, OutsideCore};

/// The core ends here: bytes and a timestamp in, messages and counts out.
const LAST_OF_CORE: &str = "delivery";

/// A model of the core proves something only as long as it shares nothing with it: this module imports that one alone.
const APART: (&str, &str) = ("feed", "market");

/// A word of Rust, whom it is for, and what the others do instead.
struct Rule {
    word: &'static str,
    allowed: Allowed,
    instead: &'static str,
}

enum Allowed {
    In(&'static str),
    OutsideCore,
}

impl Allowed {
    const fn module(&self) -> Option<&'static str> {
        match *self {
            In(module) => Some(module),
            OutsideCore => None,
        }
    }
}

const RULES: [Rule; 8] = [
    Rule { word: "rdkafka", allowed: In("kafka"), instead: "put what talks to brokers into src/kafka/" },
    Rule { word: "std::env", allowed: In("config"), instead: "make it a knob of src/config/" },
    Rule { word: "std::thread", allowed: OutsideCore, instead: "start threads in src/runtime/" },
    Rule { word: "std::time", allowed: OutsideCore, instead: "take the time from the caller, as lane::Input does" },
    Rule { word: "log::", allowed: OutsideCore, instead: "return or count it, and let src/runtime/ or src/observe/ tell" },
    Rule { word: "parking_lot", allowed: OutsideCore, instead: "share nothing: a lane belongs to one worker" },
    Rule { word: "f64", allowed: OutsideCore, instead: "use crate::decimal, which is exact" },
    Rule { word: "f32", allowed: OutsideCore, instead: "use crate::decimal, which is exact" },
];

#[test]
fn nothing_knows_what_comes_after_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    collect(&source, &source, &mut files);
    assert!(files.len() > 60, "only {} files in {}", files.len(), source.display());
    let order = Order::of(&files["lib.rs"]);
    let faults: Vec<String> = files.iter().flat_map(|(path, text)| order.faults(path, text)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_fault_names_file_line_and_the_better_place() {
    let order = Order::of(
        "mod market;\npub mod decimal;\npub mod json;\npub mod book;\npub mod exchange;\npub mod lane;\npub mod delivery;\npub mod config;\npub mod kafka;\npub mod runtime;\npub mod feed;\npub mod cli;",
    );
    let one = |path: &str, text: &str| {
        let faults = order.faults(path, text);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].clone()
    };
    assert!(one("book/mod.rs", "//! crate::lane\nuse crate::lane::Lane;").starts_with("src/book/mod.rs:2: book comes before lane"));
    assert!(one("decimal.rs", "\n\nfn f() { crate::json::read(); }").starts_with("src/decimal.rs:3: "));
    assert!(
        one("lane/mod.rs", "use crate::{\n    book, // config\n    config::{Config, lane},\n};").starts_with("src/lane/mod.rs:1: lane comes before config")
    );
    assert!(one("feed/mod.rs", "use crate::decimal::Decimal;").contains("feed imports only market"));
    assert!(one("sink.rs", "").contains("does not list sink"));
    assert!(one("exchange/okx.rs", "use super::bybit::Layout;").contains("another exchange"));
    assert!(one("exchange/okx.rs", "use super::{Decoded, bybit, levels::{self, Sides}};").contains("another exchange"));
    assert!(one("exchange/okx.rs", "use crate::exchange::bybit::Layout;").contains("another exchange"));
    assert!(one("lane/mod.rs", "use std::{sync::Arc, time::Instant};").contains("as lane::Input does"));
    assert!(one("runtime/worker.rs", "let x = std::env::var(\"X\");").contains("src/config/"));
    assert!(one("book/side.rs", "fn f(x: f64) {}").contains("exact"));
    assert!(one("book/side.rs", "log::warn!(\"x\");").contains("count it"));
    for (path, text) in [
        ("book/side.rs", "// std::time, f64\nlet log = dialog::open(); let a = \"std::env\"; let xf64 = 1;"),
        ("exchange/mod.rs", "use okx::Layout;"),
        ("exchange/okx.rs", "use super::levels::{self, Sides}; use super::okx_like;"),
        ("cli/run.rs", "use crate::{config, kafka}; use std::time::Duration;"),
        ("main.rs", "use market_hub::cli;"),
    ] {
        assert_eq!(order.faults(path, text), [""; 0], "{path}: {text}");
    }
}

/// The modules of the crate, as `lib.rs` lists them.
struct Order(Vec<String>);

impl Order {
    fn of(lib: &str) -> Self {
        let module = |line: &str| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned);
        let order = Self(lib.lines().filter_map(module).collect());
        for module in [LAST_OF_CORE, APART.0, APART.1].into_iter().chain(RULES.iter().filter_map(|rule| rule.allowed.module())) {
            assert!(order.place(module).is_some(), "src/lib.rs has no {module} any more: tell tests/layering.rs");
        }
        order
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.0.iter().position(|name| name == module)
    }

    fn allows(&self, rule: &Rule, module: &str) -> bool {
        match rule.allowed {
            In(only) => module == only,
            OutsideCore => self.place(module) > self.place(LAST_OF_CORE),
        }
    }

    /// What is wrong in a file, whose path is that inside `src`.
    fn faults(&self, path: &str, text: &str) -> Vec<String> {
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            return Vec::new();
        }
        let Some(own_place) = self.place(module) else { return vec![format!("src/{path}:1: src/lib.rs does not list {module} in the order of the flow")] };
        let code = without_comments_and_strings(text);
        let mut faults = Vec::new();
        for (at, imported) in paths(&code) {
            let what =
                self.wrong_module(module, own_place, &imported).or_else(|| other_exchange(path, &imported)).or_else(|| self.wrong_word(module, &imported));
            let line = code[..at].matches('\n').count() + 1;
            faults.extend(what.map(|what| format!("src/{path}:{line}: {what}")));
        }
        faults.dedup();
        faults
    }

    fn wrong_module(&self, module: &str, own_place: usize, imported: &str) -> Option<String> {
        let target = imported.strip_prefix("crate::")?.split("::").next()?;
        if self.place(target)? > own_place {
            let better = format!("put what both need into {module} or before it, or what needs {target} into {target} or behind it");
            return Some(format!("{module} comes before {target}: {better}"));
        }
        let is_apart = module == APART.0 && target != APART.0 && target != APART.1;
        is_apart.then(|| format!("{module} imports only {}: put what it needs into src/{module}/", APART.1))
    }

    fn wrong_word(&self, module: &str, imported: &str) -> Option<String> {
        let is_meant = |word: &str| match imported.strip_prefix(word) {
            Some(rest) => word.ends_with("::") || rest.is_empty() || rest.starts_with("::"),
            None => false,
        };
        let rule = RULES.iter().find(|rule| is_meant(rule.word) && !self.allows(rule, module))?;
        Some(format!("{imported} has no place in {module}: {}", rule.instead))
    }
}

/// No exchange's file imports that of another.
fn other_exchange(path: &str, imported: &str) -> Option<String> {
    let own = path.strip_prefix("exchange/")?.trim_end_matches(".rs");
    let sibling = imported.strip_prefix("super::").or_else(|| imported.strip_prefix("crate::exchange::"))?.split("::").next()?;
    let better = "put what both need into src/exchange/levels.rs, tickers.rs or mod.rs";
    (is_exchange(own) && is_exchange(sibling) && own != sibling).then(|| format!("{own} imports {sibling}, the file of another exchange: {better}"))
}

/// The paths of the code, each with where it starts, groups taken apart: `use std::{a, b::c}` has `std::a` and `std::b::c`. Single words are paths too.
fn paths(code: &str) -> Vec<(usize, String)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut paths, mut at) = (Vec::new(), 0);
    while let Some(start) = code[at..].find(is_word).map(|offset| at + offset) {
        let length = code[start..].find(|c| !is_word(c) && c != ':').unwrap_or(code.len() - start);
        let end = start + length;
        let head = code[start..end].trim_end_matches(':');
        if code[start..end].ends_with("::") && code[end..].starts_with('{') {
            let mut depth = 0;
            let close = code[end..].find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0
            });
            let inner = &code[end + 1..end + close.unwrap()];
            paths.extend(self::paths(inner).into_iter().map(|(_, tail)| (start, format!("{head}::{tail}"))));
            at = end + inner.len() + 2;
        } else {
            paths.push((start, head.to_owned()));
            at = end;
        }
    }
    paths
}

/// The code with blanks in place of comments and of what strings hold; lines stay lines.
fn without_comments_and_strings(text: &str) -> String {
    let blank = |text: &str| text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>();
    let (mut code, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let raw = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r').map(|hashes| hashes.chars().take_while(|&c| c == '#').count());
        let raw =
            raw.filter(|hashes| rest.trim_start_matches(['b', 'r', '#']).starts_with('"') && rest[..rest.find('"').unwrap()].matches('#').count() == *hashes);
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) = raw.filter(|_| !code.ends_with(|c: char| c.is_alphanumeric() || c == '_')) {
            let (open, close) = (rest.find('"').unwrap() + 1, format!("\"{}", "#".repeat(hashes)));
            open + rest[open..].find(&close).unwrap() + close.len()
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let is_end = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                is_end
            });
            end.unwrap() + 2
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") || rest.starts_with("'\\") {
            rest[2..].find('\'').map_or(1, |end| end + 3)
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.push_str(&blank(&rest[..length]));
        rest = &rest[length..];
    }
    code
}

fn is_exchange(file: &str) -> bool {
    ["upbit", "bithumb", "coinone", "korbit", "okx", "bybit", "gateio", "binance", "kraken"].contains(&file)
}

/// The Rust files of a folder and its folders, by their path inside `source`.
fn collect(source: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(source, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(source).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}
