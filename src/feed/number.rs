//! Decimals as integers with a scale, and every way in which a number is spelled: by the nine exchanges, by Python, by the contract.
//!
//! The feed's own arithmetic: nothing here may be shared with the product, whose work it is there to check.

use std::fmt::Write as _;

/// The value `units / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) units: i128,
    /// `0..=18`
    pub(super) scale: u32,
}

/// How an exchange spells its decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// No trailing zeros, no point where there is no fraction: `64324`, `0.014`.
    Short,
    /// All digits of the scale: `0.00005100`.
    Full,
    /// So many decimals: `7790.20000000`.
    Fixed(u32),
    /// As `Fixed(8)`, but zero is `0E-8` (Upbit's tickers).
    ZeroExponent,
    /// As Java prints a double from 1e-3 up: `41840.0`, and from 1e7 up `1.16539E8` (Upbit's book prices).
    Java,
}

impl Number {
    pub(super) const fn new(units: i128, scale: u32) -> Self {
        Self { units, scale }
    }

    /// The contract's plain form (section 3).
    pub(super) fn plain(self) -> String {
        let digits = Digits::of(self);
        format!("{}{}.{}", digits.sign(), digits.whole(), if digits.fraction().is_empty() { "0" } else { digits.fraction() })
    }

    /// Appends the number as an exchange spells it.
    pub(super) fn write(self, form: Form, out: &mut String) {
        let digits = Digits::of(self);
        let (whole, fraction) = (digits.whole(), digits.fraction());
        out.push_str(digits.sign());
        let wide = whole.len();
        match form {
            Form::ZeroExponent if self.units == 0 => out.push_str("0E-8"),
            Form::Java if wide >= 8 => {
                let digits = format!("{whole}{fraction}");
                let (first, rest) = digits.split_at(1);
                let rest = rest.trim_end_matches('0');
                _ = write!(out, "{first}.{}E{}", if rest.is_empty() { "0" } else { rest }, wide - 1);
            }
            Form::Short if fraction.is_empty() => out.push_str(whole),
            Form::Full if self.scale == 0 => out.push_str(whole),
            _ => {
                let decimals = match form {
                    Form::Full => self.scale as usize,
                    Form::Fixed(decimals) => decimals as usize,
                    Form::ZeroExponent => 8,
                    Form::Short | Form::Java => 1,
                };
                out.push_str(whole);
                out.push('.');
                out.push_str(fraction);
                out.extend(std::iter::repeat_n('0', decimals.saturating_sub(fraction.len())));
            }
        }
    }

    /// The value at another scale, rounded half away from zero.
    pub(super) fn rounded(self, scale: u32) -> Self {
        let units = if scale >= self.scale { self.units * power(scale - self.scale) } else { divide(self.units, power(self.scale - scale)) };
        Self { units, scale }
    }

    /// `self / divisor` at `scale`, rounded half away from zero; `None` where the divisor is zero.
    pub(super) fn over(self, divisor: Self, scale: u32) -> Option<Self> {
        let (top, bottom) = (self.units * power(scale + divisor.scale), divisor.units * power(self.scale));
        (bottom != 0).then(|| Self { units: divide(top, bottom), scale })
    }

    /// `self - other`; both have the same scale.
    pub(super) fn minus(self, other: Self) -> Self {
        debug_assert_eq!(self.scale, other.scale, "prices of one coin have one scale");
        Self { units: self.units - other.units, scale: self.scale }
    }
}

/// A number's decimal digits, on the stack: a feed writes millions of levels.
struct Digits {
    /// Right-aligned.
    bytes: [u8; 48],
    start: usize,
    /// Where the fraction starts.
    point: usize,
    /// Where the fraction's trailing zeros start.
    end: usize,
    negative: bool,
}

impl Digits {
    fn of(number: Number) -> Self {
        let mut bytes = [b'0'; 48];
        let point = bytes.len() - number.scale as usize;
        let (mut start, mut rest) = (bytes.len(), number.units.unsigned_abs());
        while rest > 0 {
            start -= 1;
            // Nearly every number fits 64 bits, which divide many times faster.
            let (quotient, digit) =
                if let Ok(small) = u64::try_from(rest) { ((small / 10).into(), (small % 10) as u8) } else { (rest / 10, (rest % 10) as u8) };
            bytes[start] += digit;
            rest = quotient;
        }
        let zeros = bytes[point..].iter().rev().take_while(|&&digit| digit == b'0').count();
        Self { bytes, start: start.min(point - 1), point, end: bytes.len() - zeros, negative: number.units < 0 }
    }

    const fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    fn whole(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.start..self.point]).unwrap_or_default()
    }

    fn fraction(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.point..self.end]).unwrap_or_default()
    }
}

/// 10 to the `exponent`.
pub(super) const fn power(exponent: u32) -> i128 {
    10_i128.pow(exponent)
}

/// `top / bottom`, half away from zero.
const fn divide(top: i128, bottom: i128) -> i128 {
    let size = (2 * top.abs() + bottom.abs()) / (2 * bottom.abs());
    if (top < 0) == (bottom < 0) { size } else { -size }
}

/// Appends what Python's `json` makes of a bare number token: an integer stays, anything else goes through a 64-bit float and comes back as
/// its shortest text. With at most 15 significant digits, which is all that the feed spells, that text has the same digits.
pub(super) fn python(token: &str, out: &mut String) {
    if !token.contains(['.', 'e', 'E']) {
        return out.push_str(token);
    }
    let (sign, token) = token.strip_prefix('-').map_or(("", token), |rest| ("-", rest));
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let zeros = all.len() - digits.len();
    let digits = digits.trim_end_matches('0');
    debug_assert!(digits.len() <= 15, "{token} has more digits than a float keeps");
    // The value is 0.DIGITS times 10 to the `point`.
    let point = whole.len() as i64 - zeros as i64 + exponent.parse::<i64>().unwrap_or(0);
    out.push_str(sign);
    let count = digits.len() as i64;
    _ = match point {
        _ if digits.is_empty() => write!(out, "0.0"),
        point if !(-3..=16).contains(&point) => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let power = point - 1;
            write!(out, "{first}{dot}{rest}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
        }
        point if point <= 0 => write!(out, "0.{:0>width$}", digits, width = (count - point) as usize),
        point if point >= count => write!(out, "{digits:0<width$}.0", width = point as usize),
        point => {
            let (whole, fraction) = digits.split_at(point as usize);
            write!(out, "{whole}.{fraction}")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(units: i128, scale: u32, form: Form) -> String {
        let mut out = String::new();
        Number::new(units, scale).write(form, &mut out);
        out
    }

    #[test]
    fn plain_form_is_the_contracts() {
        for (units, scale, text) in [(64_324, 0, "64324.0"), (0, 8, "0.0"), (51, 6, "0.000051"), (-2_954, 1, "-295.4"), (1_500, 3, "1.5")] {
            assert_eq!(Number::new(units, scale).plain(), text);
        }
    }

    #[test]
    fn forms_are_those_of_the_wire_pages() {
        assert_eq!(spelled(116_539_000, 0, Form::Java), "1.16539E8");
        assert_eq!(spelled(100_000_000, 0, Form::Java), "1.0E8");
        assert_eq!(spelled(41_840, 0, Form::Java), "41840.0");
        assert_eq!(spelled(2_625, 1, Form::Java), "262.5");
        assert_eq!(spelled(643_240, 1, Form::Short), "64324");
        assert_eq!(spelled(14_000, 6, Form::Short), "0.014");
        assert_eq!(spelled(5_100, 8, Form::Full), "0.00005100");
        assert_eq!(spelled(779_020, 2, Form::Fixed(8)), "7790.20000000");
        assert_eq!(spelled(0, 0, Form::ZeroExponent), "0E-8");
        assert_eq!(spelled(-19_000, 0, Form::ZeroExponent), "-19000.00000000");
    }

    #[test]
    fn numbers_come_back_from_python_as_the_wire_page_says() {
        let pairs = [
            ("1.16539E8", "116539000.0"),
            ("0E-8", "0.0"),
            ("0.0000063211", "6.3211e-06"),
            ("0.00005100", "5.1e-05"),
            ("-0.00005", "-5e-05"),
            ("158219000.00000000", "158219000.0"),
            ("0.0001", "0.0001"),
            ("1E16", "1e+16"),
            ("123456789012345e1", "1234567890123450.0"),
            ("0", "0"),
            ("484500", "484500"),
            ("0.01775026", "0.01775026"),
        ];
        for (token, text) in pairs {
            let mut out = String::new();
            python(token, &mut out);
            assert_eq!(out, text, "{token}");
        }
    }

    #[test]
    fn quotients_round_half_away_from_zero() {
        let rate = |top, bottom| Number::new(top, 1).over(Number::new(bottom, 1), 6).map(|rate| rate.units);
        assert_eq!(rate(-2_954, 643_240), Some(-4_592), "the contract's example");
        assert_eq!(rate(1, 2_000_000), Some(1));
        assert_eq!(rate(-1, 2_000_000), Some(-1));
        assert_eq!(rate(1, 0), None);
        assert_eq!(Number::new(-126_713_295, 10).rounded(6).units, -12_671);
        assert_eq!(Number::new(25, 1).rounded(0).units, 3);
    }
}
