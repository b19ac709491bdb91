//! Latencies as a picture: a curve a distribution, over a logarithmic axis of percentiles, as SVG. Needs neither fonts nor a plotting library.

use std::fmt::Write as _;

use super::machine::Machine;
use super::outcome::Curve;

/// The picture and the field in it, in pixels; what is below the field grows with the curves.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 440.0;
/// Told apart by those who do not see all colours, too (Okabe and Ito).
const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a7500"];
/// Where the axis of percentiles has lines: the percentile, and one of so many that lies beyond it.
const LINES: [(&str, f64); 8] = [
    ("0 %", 1.0),
    ("50 %", 2.0),
    ("90 %", 10.0),
    ("99 %", 100.0),
    ("99.9 %", 1_000.0),
    ("99.99 %", 10_000.0),
    ("99.999 %", 100_000.0),
    ("99.9999 %", 1_000_000.0),
];
/// Names of curves in a line.
const COLUMNS: usize = 3;
/// Points of a curve in a tenfold of that.
const POINTS: usize = 40;

/// The picture of some curves; without any there is only the empty field.
#[must_use]
pub fn svg(title: &str, machine: &Machine, curves: &[&Curve]) -> String {
    let field = Field::around(curves);
    let height = BOTTOM + 74.0 + curves.len().div_ceil(COLUMNS) as f64 * 20.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"DejaVu Sans, Verdana, Helvetica, sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    text(&mut out, (LEFT, 28.0), "start", "font-size=\"17\" fill=\"#111111\"", title);
    text(
        &mut out,
        (LEFT, 48.0),
        "start",
        "font-size=\"12\" fill=\"#555555\"",
        &format!("{}; {}, {} CPUs; {}", machine.date, machine.cpu, machine.cpus, machine.profile),
    );
    field.axes(&mut out);
    for (index, curve) in curves.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        // Where there are more curves than colours, the second of a colour is dashed, the third dotted.
        let dashes = ["none", "7 4", "2 3"][index / COLOURS.len() % 3];
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\" stroke-linejoin=\"round\" points=\"{}\"/>",
            field.points(curve)
        );
        let at = (LEFT + (index % COLUMNS) as f64 * 290.0, BOTTOM + 72.0 + (index / COLUMNS) as f64 * 20.0);
        let _ = writeln!(out, "<path d=\"M{:.1} {:.1}h20\" stroke=\"{colour}\" stroke-width=\"3\" stroke-dasharray=\"{dashes}\"/>", at.0, at.1 - 4.5);
        text(&mut out, (at.0 + 25.0, at.1), "start", "fill=\"#111111\"", &curve.name);
    }
    out.push_str("</svg>\n");
    out
}

/// What the field spans.
struct Field {
    /// Powers of ten of nanoseconds.
    low: i32,
    high: i32,
    /// Powers of ten of one in how many.
    tail: f64,
}

impl Field {
    fn around(curves: &[&Curve]) -> Self {
        let power = |nanos: u64| (nanos.max(1) as f64).log10();
        let low = curves.iter().map(|curve| power(curve.histogram.min_nz())).fold(f64::INFINITY, f64::min);
        let high = curves.iter().map(|curve| power(curve.histogram.max())).fold(f64::NEG_INFINITY, f64::max);
        let tail = curves.iter().map(|curve| power(curve.histogram.len())).fold(1.0, f64::max).min(6.0);
        let low = if low.is_finite() { low.floor() as i32 } else { 0 };
        Self { low, high: if high.is_finite() { (high.ceil() as i32).max(low + 1) } else { low + 3 }, tail }
    }

    fn x(&self, one_in: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (one_in.log10() / self.tail).min(1.0)
    }

    fn y(&self, nanos: f64) -> f64 {
        let part = (nanos.max(1.0).log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        BOTTOM - (BOTTOM - TOP) * part.clamp(0.0, 1.0)
    }

    fn axes(&self, out: &mut String) {
        for power in self.low..=self.high {
            let y = self.y(10_f64.powi(power));
            let _ = writeln!(out, "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>");
            text(out, (LEFT - 8.0, y + 4.5), "end", "fill=\"#333333\"", &decade(power));
        }
        for (label, one_in) in LINES.into_iter().filter(|(_, one_in)| one_in.log10() <= self.tail + 1e-9) {
            let x = self.x(one_in);
            let _ = writeln!(out, "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\" stroke=\"#dddddd\"/>");
            text(out, (x, BOTTOM + 20.0), "middle", "fill=\"#333333\"", label);
        }
        let _ = writeln!(out, "<path d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\" fill=\"none\" stroke=\"#333333\"/>");
        text(out, ((LEFT + RIGHT) / 2.0, BOTTOM + 42.0), "middle", "fill=\"#333333\"", "percentile");
    }

    fn points(&self, curve: &Curve) -> String {
        let one_in_max = (curve.histogram.len() as f64).max(1.0).log10().min(self.tail);
        let steps = ((one_in_max * POINTS as f64).ceil() as usize).max(1);
        let point = |step: usize| {
            let one_in = 10_f64.powf(one_in_max * step as f64 / steps as f64);
            let nanos = curve.histogram.value_at_quantile(1.0 - 1.0 / one_in) as f64;
            format!("{:.1},{:.1}", self.x(one_in), self.y(nanos))
        };
        (0..=steps).map(point).collect::<Vec<_>>().join(" ")
    }
}

fn decade(power: i32) -> String {
    let unit = ["ns", "us", "ms", "s"].get(usize::try_from(power / 3).unwrap_or(0)).copied().unwrap_or("s");
    let rest = if power >= 12 { power - 9 } else { power % 3 };
    format!("{} {unit}", 10_u64.pow(rest.unsigned_abs()))
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, style: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{escaped}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_rise_from_left_to_right_within_the_field() {
        let mut curve = Curve::new("late", "a < b & c");
        (1..=10_000_u64).for_each(|micros| curve.record(micros * 1_000));
        let svg = svg("Latency", &Machine::here(0), &[&curve]);
        assert!(svg.contains(">a &lt; b &amp; c</text>") && svg.contains(">99.99 %</text>") && svg.contains(">10 ms</text>"), "{svg}");
        assert!(!svg.contains("99.999 %"), "10,000 latencies say nothing of one in 100,000");
        let points = svg.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a curve");
        let points: Vec<(f64, f64)> =
            points.split(' ').map(|point| point.split_once(',').map(|(x, y)| (x.parse().expect("x"), y.parse().expect("y"))).expect("a point")).collect();
        assert!(points.is_sorted_by(|one, next| one.0 <= next.0 && one.1 >= next.1), "{points:?}");
        assert!(points.iter().all(|(x, y)| (LEFT..=RIGHT).contains(x) && (TOP..=BOTTOM).contains(y)), "{points:?}");
    }

    #[test]
    fn nothing_gives_an_empty_field() {
        assert!(svg("Latency", &Machine::here(0), &[]).ends_with("</svg>\n"));
        assert_eq!([0, 2, 3, 6, 9, 12].map(decade), ["1 ns", "100 ns", "1 us", "1 ms", "1 s", "1000 s"]);
    }
}
