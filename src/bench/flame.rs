//! A flame graph as SVG: every box is a function, as wide as its part of the samples, and stands on the one that called it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Pixels.
const WIDTH: f64 = 1_400.0;
const MARGIN: f64 = 12.0;
const ROW: f64 = 19.0;
const TOP: f64 = 52.0;
/// Narrower boxes are left out.
const NARROWEST: f64 = 0.4;
/// About as wide as a character of the labels is.
const CHARACTER: f64 = 6.7;
/// Light enough for black text; a function has the same one wherever it stands.
const COLOURS: [&str; 6] = ["#ffd8a8", "#ffc078", "#ffe8a0", "#f8c4b4", "#fcdc7c", "#f4d0a0"];

/// Everything that was sampled in one function, called in one way.
#[derive(Debug, Default)]
struct Node {
    samples: u64,
    calls: BTreeMap<String, Node>,
}

impl Node {
    fn add(&mut self, stack: &[String], samples: u64) {
        self.samples += samples;
        if let Some((first, rest)) = stack.split_first() {
            self.calls.entry(first.clone()).or_default().add(rest, samples);
        }
    }

    fn depth(&self) -> usize {
        1 + self.calls.values().map(Self::depth).max().unwrap_or(0)
    }
}

/// The graph of stacks, outermost function first, and how often each was seen.
#[must_use]
pub fn flame(title: &str, stacks: &[(Vec<String>, u64)]) -> String {
    let mut root = Node::default();
    stacks.iter().for_each(|(stack, samples)| root.add(stack, *samples));
    let height = TOP + ROW * root.depth() as f64 + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"DejaVu Sans Mono, Consolas, monospace\" font-size=\"11\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<text x=\"{MARGIN}\" y=\"28\" font-size=\"16\" fill=\"#111111\">{}, {} samples</text>", escaped(title), root.samples);
    let scale = (WIDTH - 2.0 * MARGIN) / root.samples.max(1) as f64;
    draw("all", &root, (MARGIN, height - MARGIN - ROW), scale, root.samples.max(1), &mut out);
    out.push_str("</svg>\n");
    out
}

fn draw(name: &str, node: &Node, (x, y): (f64, f64), scale: f64, all: u64, out: &mut String) {
    let width = node.samples as f64 * scale;
    if width < NARROWEST {
        return;
    }
    let colour = COLOURS[name.bytes().fold(0, |sum, byte| sum * 31 + usize::from(byte)) % COLOURS.len()];
    let percent = 100.0 * node.samples as f64 / all as f64;
    let _ = write!(out, "<g><title>{}: {} samples, {percent:.1} %</title>", escaped(name), node.samples);
    let _ = write!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\" stroke=\"#ffffff\"/>", ROW - 1.0);
    let room = ((width - 6.0) / CHARACTER).max(0.0) as usize;
    if room >= 3 {
        let _ = write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#111111\">{}</text>", x + 3.0, y + 13.0, escaped(&cut(name, room)));
    }
    out.push_str("</g>\n");
    let mut at = x;
    for (name, called) in &node.calls {
        draw(name, called, (at, y - ROW), scale, all, out);
        at += called.samples as f64 * scale;
    }
}

/// What of a name fits: its end says more than its beginning.
fn cut(name: &str, room: usize) -> String {
    let length = name.chars().count();
    if length <= room { name.to_owned() } else { format!("..{}", name.chars().skip(length - (room - 2)).collect::<String>()) }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_as_wide_as_its_part() {
        let stack = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let svg = flame("core", &[(stack(&["main", "read<T>"]), 3), (stack(&["main", "write"]), 1), (stack(&["main", "read<T>", "digits"]), 4)]);
        assert!(svg.contains("core, 8 samples") && svg.contains("<title>main: 8 samples, 100.0 %</title>"), "{svg}");
        assert!(svg.contains("<title>read&lt;T&gt;: 7 samples, 87.5 %</title>") && svg.contains("<title>digits: 4 samples, 50.0 %</title>"), "{svg}");
        assert!(svg.contains("width=\"1376.0\"") && svg.contains("width=\"1204.0\"") && svg.contains("width=\"688.0\""), "{svg}");
        assert_eq!(cut("market_hub::lane::process", 11), "..::process");
    }
}
