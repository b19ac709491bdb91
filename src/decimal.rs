//! Exact decimals: parse, add, subtract, divide to six places, write in plain form (contract, section 3).
//!
//! Every price and quantity is an integer count of [`SCALE`]ths (10^-18). An accepted token is below 10^20 in absolute
//! value, so its magnitude is below 10^38; the sum or difference of two is below 2 * 10^38 and fits a `u128`. Sums over
//! a side of a book may not: they are kept in a [`Total`]. No binary floating point anywhere.

/// Decimals after the point that a value can have.
const DECIMALS: usize = 18;
/// Units in one.
const SCALE: u128 = 10_u128.pow(DECIMALS as u32);
/// Digits before the point that a value can have.
const INTEGER_DIGITS: i64 = 20;

/// `POWERS[n]` is 10^n.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// The longest text that [`Decimal::parse_short`] reads.
pub const SHORT_CHARS_MAX: usize = 19;

/// The text is no number, or lies outside the accepted range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

/// A signed decimal, `|value| < 2 * 10^20`, exact to 18 places. Zero is never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    magnitude: u128,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn from_integer(value: u64) -> Self {
        Self { negative: false, magnitude: value as u128 * SCALE }
    }

    /// Reads an unquoted, unescaped number token: optional sign, digits, optional fraction, optional exponent.
    ///
    /// # Errors
    /// [`NotANumber`] where the text is anything else, or the value is 10^20 or more, or has more than 18 decimals.
    pub fn parse(text: &[u8]) -> Result<Self, NotANumber> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        // Nearly every token that occurs is short.
        let magnitude = match Self::parse_short(digits) {
            Some((amount, _, length)) if length == digits.len() => amount.0,
            _ => parse_long(digits)?,
        };
        Ok(Self { negative: negative && magnitude != 0, magnitude })
    }

    /// Reads an amount in the common spelling from the start of `text`: up to 19 characters, digits with perhaps a point
    /// among them, no sign, no exponent, no superfluous leading zero. Returns it with its decimals and its length;
    /// `None` where the text starts otherwise. What follows is not looked at.
    #[inline]
    #[must_use]
    pub fn parse_short(text: &[u8]) -> Option<(Amount, u8, usize)> {
        let window = &text[..text.len().min(SHORT_CHARS_MAX + 1)];
        let (value, integer) = leading_digits(window, 0);
        let (value, decimals) = match window.get(integer) {
            Some(b'.') => leading_digits(&window[integer + 1..], value),
            _ => (value, 0),
        };
        let point = usize::from(window.get(integer) == Some(&b'.'));
        let length = integer + point + decimals;
        let is_common = integer > 0 && length <= SHORT_CHARS_MAX && point == usize::from(decimals > 0) && (window[0] != b'0' || integer == 1);
        if !is_common {
            return None;
        }
        let units = u128::from(value) * u128::from(*POWERS.get(DECIMALS.checked_sub(decimals)?)?);
        Some((Amount(units), decimals as u8, length))
    }

    /// The value as a price or quantity of a book; `None` if it is negative.
    #[must_use]
    pub const fn amount(self) -> Option<Amount> {
        if self.negative { None } else { Some(Amount(self.magnitude)) }
    }

    /// Whether the value is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        !self.negative && self.magnitude != 0
    }

    /// The digits before the point, without sign; below 2 * 10^20.
    #[must_use]
    pub const fn whole(self) -> u128 {
        self.magnitude / SCALE
    }

    /// The value as a 64-bit integer; `None` if it is none.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        if !self.magnitude.is_multiple_of(SCALE) {
            return None;
        }
        let value = i128::try_from(self.whole()).ok()?;
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    /// `self - other`, exactly. Both must come from [`Decimal::parse`].
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        if self.negative != other.negative {
            return Self { negative: self.negative, magnitude: self.magnitude + other.magnitude };
        }
        let magnitude = self.magnitude.abs_diff(other.magnitude);
        let smaller = self.magnitude < other.magnitude;
        Self { negative: magnitude != 0 && self.negative != smaller, magnitude }
    }

    /// Appends the plain form: no exponent, no superfluous zeros, at least one fractional digit.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        write_units(self.magnitude, out);
    }
}

/// A price or a quantity of a book: not negative, below 10^20, exact to 18 places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

impl Amount {
    /// Nothing: the quantity that removes a level.
    pub const ZERO: Self = Self(0);

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The count of 10^-18ths; below 10^38.
    #[must_use]
    pub const fn units(self) -> u128 {
        self.0
    }

    /// `self - other`, which may be negative.
    #[must_use]
    pub const fn minus(self, other: Self) -> Decimal {
        Decimal { negative: self.0 < other.0, magnitude: self.0.abs_diff(other.0) }
    }

    /// Appends the plain form.
    pub fn write(self, out: &mut Vec<u8>) {
        write_units(self.0, out);
    }

    /// Appends the shortest spelling: as the plain form, but a whole number has neither point nor fraction.
    pub fn write_shortest(self, out: &mut Vec<u8>) {
        let whole = self.0 / SCALE;
        write_integer(whole, out);
        let fraction = (self.0 - whole * SCALE) as u64;
        if fraction != 0 {
            out.push(b'.');
            write_fraction(fraction, out);
        }
    }

    /// Appends the amount with exactly `decimals` digits after the point (no point for 0), as an exchange would spell
    /// it; `decimals <= 18`. `None`, with nothing appended, if that would lose digits.
    pub fn write_fixed(self, decimals: usize, point: bool, out: &mut Vec<u8>) -> Option<()> {
        let cut = u128::from(*POWERS.get(DECIMALS.checked_sub(decimals)?)?);
        // One division of 128 bits, which is a call: the remainder follows from the quotient.
        let units = self.0 / cut;
        if units * cut != self.0 {
            return None;
        }
        if !point || decimals == 0 {
            write_integer(units, out);
            return Some(());
        }
        let one = u128::from(POWERS[decimals]);
        write_integer(units / one, out);
        out.push(b'.');
        // A fraction of at most 18 digits fits a u64.
        write_padded((units % one) as u64, decimals, out);
        Some(())
    }
}

/// The exact sum of any number of amounts up to 2^64 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    low: u128,
    high: u64,
}

impl Total {
    /// The sum of nothing.
    pub const ZERO: Self = Self { low: 0, high: 0 };

    /// The sum with one more amount.
    #[must_use]
    pub const fn plus(mut self, amount: Amount) -> Self {
        self.add(amount);
        self
    }

    /// Adds an amount.
    pub const fn add(&mut self, amount: Amount) {
        let (low, carry) = self.low.overflowing_add(amount.0);
        self.low = low;
        self.high += carry as u64;
    }

    /// Takes away an amount that was added before.
    pub const fn subtract(&mut self, amount: Amount) {
        let (low, borrow) = self.low.overflowing_sub(amount.0);
        self.low = low;
        self.high -= borrow as u64;
    }

    /// The count of 10^-18ths in 64-bit words, the lowest first.
    #[must_use]
    pub const fn words(self) -> [u64; 3] {
        [self.low as u64, (self.low >> 64) as u64, self.high]
    }

    /// Appends the plain form.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.high == 0 {
            write_units(self.low, out);
            return;
        }
        // Long division by 10^18 in 64-bit digits: every partial remainder is below 10^18 < 2^64.
        let digits = [self.high, (self.low >> 64) as u64, self.low as u64];
        let mut quotient = [0_u64; 3];
        let mut remainder = 0_u128;
        for (digit, quotient) in digits.into_iter().zip(&mut quotient) {
            let partial = (remainder << 64) | u128::from(digit);
            *quotient = (partial / SCALE) as u64;
            remainder = partial % SCALE;
        }
        // 2^192 / 10^18 is below 2^133, but a sum of 2^64 amounts below 10^38 stays below 2^128 whole ones.
        write_integer((u128::from(quotient[1]) << 64) | u128::from(quotient[2]), out);
        out.push(b'.');
        write_fraction(remainder as u64, out);
    }
}

/// A quotient rounded half away from zero to six decimals, as `signed_change_rate` is written. Zero has no sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    negative: bool,
    whole: u128,
    millionths: u32,
}

impl Rate {
    /// `numerator / denominator`; `None` if the denominator is zero.
    #[must_use]
    pub fn of(numerator: Decimal, denominator: Decimal) -> Option<Self> {
        let divisor = denominator.magnitude;
        if divisor == 0 {
            return None;
        }
        let mut whole = numerator.magnitude / divisor;
        let mut remainder = numerator.magnitude % divisor;
        let mut millionths = 0;
        for _ in 0..6 {
            let digit;
            (digit, remainder) = times_ten(remainder, divisor);
            millionths = millionths * 10 + digit;
        }
        if remainder >= divisor - remainder {
            millionths += 1;
        }
        if millionths == 1_000_000 {
            millionths = 0;
            whole += 1;
        }
        let negative = numerator.negative != denominator.negative && (whole != 0 || millionths != 0);
        Some(Self { negative, whole, millionths })
    }

    /// `value` itself, as a rate.
    #[must_use]
    pub fn fraction(value: Decimal) -> Option<Self> {
        Self::of(value, Decimal::from_integer(1))
    }

    /// `value` per cent, as a rate.
    #[must_use]
    pub fn percent(value: Decimal) -> Option<Self> {
        Self::of(value, Decimal::from_integer(100))
    }

    /// Appends the rate with all six decimals.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        write_integer(self.whole, out);
        out.push(b'.');
        write_padded(u64::from(self.millionths), 6, out);
    }
}

/// Reads a whole number of up to 18 digits, without a superfluous leading zero, from the start of `text`. Returns it with
/// its length; `None` where the text starts otherwise. What follows is not looked at.
#[inline]
#[must_use]
pub fn parse_whole(text: &[u8]) -> Option<(u64, usize)> {
    let window = &text[..text.len().min(DECIMALS + 1)];
    let (value, length) = leading_digits(window, 0);
    let is_common = (1..=DECIMALS).contains(&length) && (window[0] != b'0' || length == 1);
    is_common.then_some((value, length))
}

/// `value` with the digits at the start of `text` behind it, and how many there are. It wraps where there are too many.
#[inline]
fn leading_digits(text: &[u8], mut value: u64) -> (u64, usize) {
    let mut count = 0;
    while let Some(eight) = text[count..].first_chunk::<8>() {
        let (digits, read) = digits_of_eight(*eight);
        value = value.wrapping_mul(POWERS[read]).wrapping_add(digits);
        count += read;
        if read < 8 {
            return (value, count);
        }
    }
    for byte in &text[count..] {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (value, count)
}

/// The number that the digits at the start of eight bytes make, and how many there are; all at once, without a loop.
#[inline]
fn digits_of_eight(bytes: [u8; 8]) -> (u64, usize) {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let word = u64::from_le_bytes(bytes);
    // A digit has the high half 3, and still has it with 6 added. A carry reaches upwards only: the first mark is right.
    let high_half_is_not_3 = |word: u64| (word & (ONES * 0xf0)) ^ (ONES * 0x30);
    let marks = high_half_is_not_3(word) | high_half_is_not_3(word.wrapping_add(ONES * 6));
    let count = (marks.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    // Zeros before the digits instead of what stands behind them; then pairs, fours and all eight.
    let digits = (word ^ (ONES * 0x30)) << (64 - 8 * count);
    let pairs = (digits * 10) + (digits >> 8);
    let low_pair = u64::from_le_bytes([0xff, 0, 0, 0, 0xff, 0, 0, 0]);
    let fours = (pairs & low_pair).wrapping_mul(100 + (1_000_000 << 32)).wrapping_add(((pairs >> 16) & low_pair).wrapping_mul(1 + (10_000 << 32)));
    (fours >> 32, count)
}

/// Digit and remainder of `10 * remainder / divisor`, for `remainder < divisor < 2^128`, without overflow.
const fn times_ten(remainder: u128, divisor: u128) -> (u32, u128) {
    if let Some(product) = remainder.checked_mul(10) {
        return ((product / divisor) as u32, product % divisor);
    }
    let (mut digit, mut sum, mut count) = (0, 0, 0);
    while count < 10 {
        if sum >= divisor - remainder {
            sum -= divisor - remainder;
            digit += 1;
        } else {
            sum += remainder;
        }
        count += 1;
    }
    (digit, sum)
}

/// Any accepted text without its sign.
fn parse_long(text: &[u8]) -> Result<u128, NotANumber> {
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (integer, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
        Some(at) => (&mantissa[..at], Some(&mantissa[at + 1..])),
        None => (mantissa, None),
    };
    let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !all_digits(integer) || !fraction.is_none_or(all_digits) {
        return Err(NotANumber);
    }
    // The value is `digits * 10^shift`, with neither leading nor trailing zeros among the digits.
    let digits = || integer.iter().chain(fraction.unwrap_or_default()).map(|byte| byte - b'0');
    let count = integer.len() + fraction.unwrap_or_default().len();
    let leading = digits().take_while(|&digit| digit == 0).count();
    if leading == count {
        return Ok(0);
    }
    let trailing = digits().rev().take_while(|&digit| digit == 0).count();
    let significant = count - leading - trailing;
    let shift = exponent.saturating_sub(fraction.unwrap_or_default().len() as i64).saturating_add(trailing as i64);
    if shift < -(DECIMALS as i64) || shift.saturating_add(significant as i64) > INTEGER_DIGITS {
        return Err(NotANumber);
    }
    // At most 38 digits and `shift + 18 >= 0`: the product is below 10^38.
    let value = digits().skip(leading).take(significant).fold(0, |value: u128, digit| value * 10 + u128::from(digit));
    Ok(value * 10_u128.pow((shift + DECIMALS as i64) as u32))
}

/// The exponent after `e`; beyond the range of an `i64` it sticks there, which is out of range for any value but zero.
fn parse_exponent(text: &[u8]) -> Result<i64, NotANumber> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotANumber);
    }
    let value = digits.iter().fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    // Far below the limits of an i64, so that a few more digits cannot bring it back.
    let value = value.min(i64::MAX / 4);
    Ok(if negative { -value } else { value })
}

fn write_units(units: u128, out: &mut Vec<u8>) {
    let whole = units / SCALE;
    write_integer(whole, out);
    out.push(b'.');
    write_fraction((units - whole * SCALE) as u64, out);
}

/// Appends a fraction of 10^-18ths without trailing zeros, at least one digit.
fn write_fraction(mut fraction: u64, out: &mut Vec<u8>) {
    let mut digits = DECIMALS;
    if fraction == 0 {
        out.push(b'0');
        return;
    }
    // Most values have eight decimals or fewer.
    if fraction.is_multiple_of(10_000_000_000) {
        fraction /= 10_000_000_000;
        digits -= 10;
    }
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        digits -= 1;
    }
    write_padded(fraction, digits, out);
}

/// Appends an integer in decimal digits.
pub fn write_integer(value: u128, out: &mut Vec<u8>) {
    match u64::try_from(value) {
        Ok(value) => write_padded(value, decimal_digits(value), out),
        Err(_) => {
            let high = value / SCALE;
            write_integer(high, out);
            write_padded((value - high * SCALE) as u64, DECIMALS, out);
        }
    }
}

/// How many digits `value` has; 1 for zero.
#[must_use]
pub fn decimal_digits(value: u64) -> usize {
    // 1233 / 4096 is a little more than the logarithm of 2: the estimate is right or one too large.
    let estimate = ((64 - (value | 1).leading_zeros() as usize) * 1_233) >> 12;
    estimate + usize::from(value >= POWERS[estimate]).max(usize::from(estimate == 0))
}

/// The digits of 0 to 99, two each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < pairs.len() {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

/// Appends `value` with leading zeros up to `width` digits; `value < 10^width`, `width <= 20`.
pub fn write_padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let (first, pairs) = text[..width].as_rchunks_mut::<2>();
    for pair in pairs.iter_mut().rev() {
        *pair = PAIRS[(value % 100) as usize];
        value /= 100;
    }
    if let [digit] = first {
        *digit = b'0' + (value % 10) as u8;
    }
    out.extend_from_slice(&text[..width]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::RoundingStrategy;
    use std::str::FromStr;

    fn plain(text: &str) -> Option<String> {
        let mut out = Vec::new();
        Decimal::parse(text.as_bytes()).ok()?.write(&mut out);
        Some(String::from_utf8(out).unwrap())
    }

    fn rate(numerator: &str, denominator: &str) -> Option<String> {
        let mut out = Vec::new();
        Rate::of(Decimal::parse(numerator.as_bytes()).unwrap(), Decimal::parse(denominator.as_bytes()).unwrap())?.write(&mut out);
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_plain_form_is_that_of_the_contract() {
        for (text, expected) in [
            ("64324", "64324.0"),
            ("0E-8", "0.0"),
            ("5.1e-05", "0.000051"),
            ("-0.00", "0.0"),
            ("+5", "5.0"),
            ("007", "7.0"),
            ("0e99999999999999999999", "0.0"),
            ("1.16539E8", "116539000.0"),
            ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
            ("12345678901234567890", "12345678901234567890.0"),
            ("1.0000000000000000000000", "1.0"),
            ("-0.10", "-0.1"),
            ("1e-18", "0.000000000000000001"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_a_number() {
        for text in [
            "",
            "-",
            "+",
            ".5",
            "5.",
            "-.5",
            "5.e1",
            "e5",
            "1e",
            "1e+",
            "1.2.3",
            "--1",
            "1_0",
            " 1",
            "1 ",
            "NaN",
            "0x10",
            "\u{663}",
            "1e20",
            "1e-19",
            "100000000000000000000",
            "1.0000000000000000001",
            "9e-99999999999999999999",
            "1e99999999999999999999",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn rates_round_half_away_from_zero() {
        assert_eq!(rate("-295.4", "64324").as_deref(), Some("-0.004592"));
        assert_eq!(rate("0.0000005", "1").as_deref(), Some("0.000001"));
        assert_eq!(rate("-0.0000005", "1").as_deref(), Some("-0.000001"));
        assert_eq!(rate("-0.0000004", "1").as_deref(), Some("0.000000"));
        assert_eq!(rate("0.9999995", "1").as_deref(), Some("1.000000"));
        assert_eq!(rate("1", "-3").as_deref(), Some("-0.333333"));
        assert_eq!(rate("1", "0"), None);
        assert_eq!(rate("99999999999999999999", "0.000000000000000001").as_deref(), Some("99999999999999999999000000000000000000.000000"));
    }

    #[test]
    fn a_total_outgrows_128_bits() {
        let mut total = Total::default();
        let amount = Decimal::parse(b"99999999999999999999.999999999999999999").unwrap().amount().unwrap();
        for _ in 0..5_000 {
            total.add(amount);
        }
        let mut out = Vec::new();
        total.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "499999999999999999999999.999999999999995");
        for _ in 0..4_999 {
            total.subtract(amount);
        }
        let mut out = Vec::new();
        total.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "99999999999999999999.999999999999999999");
    }

    #[test]
    fn fixed_decimals_lose_nothing() {
        let amount = Decimal::parse(b"0.0000510").unwrap().amount().unwrap();
        let fixed = |decimals, point| {
            let mut out = Vec::new();
            amount.write_fixed(decimals, point, &mut out).map(|()| String::from_utf8(out).unwrap())
        };
        assert_eq!(fixed(8, false).as_deref(), Some("5100"));
        assert_eq!(fixed(7, true).as_deref(), Some("0.0000510"));
        assert_eq!(fixed(5, true), None);
    }

    #[test]
    fn integers_are_written_as_the_library_does() {
        for exponent in 0..38 {
            for value in [10_u128.pow(exponent) - 1, 10_u128.pow(exponent), 10_u128.pow(exponent) + 1] {
                let mut out = Vec::new();
                write_integer(value, &mut out);
                assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
            }
        }
    }

    proptest! {
        #[test]
        fn eight_bytes_are_read_as_one(text in "[0-9]{0,8}[./:e\"\u{e9}]{8}") {
            let bytes: [u8; 8] = *text.as_bytes().first_chunk().unwrap();
            let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let value = text[..count].parse().unwrap_or(0);
            prop_assert_eq!(digits_of_eight(bytes), (value, count));
        }

        #[test]
        fn the_common_spelling_is_read_alike(text in "[0-9]{0,20}(\\.[0-9]{0,19})?[,\"e]?") {
            if let Some((amount, decimals, length)) = Decimal::parse_short(text.as_bytes()) {
                prop_assert_eq!(Decimal::parse(&text.as_bytes()[..length]).map(Decimal::amount), Ok(Some(amount)));
                let mut out = Vec::new();
                amount.write_fixed(usize::from(decimals), true, &mut out);
                prop_assert_eq!(&out, &text.as_bytes()[..length]);
            }
        }

        #[test]
        fn whole_numbers_are_read_alike(text in "[0-9]{0,20}[.,\"e]?") {
            if let Some((value, length)) = parse_whole(text.as_bytes()) {
                prop_assert_eq!(text[..length].parse(), Ok(value));
                prop_assert_eq!(&value.to_string(), &text[..length]);
            }
        }

        #[test]
        fn short_and_long_readers_agree(text in "[0-9]{1,21}(\\.[0-9]{1,20})?") {
            if let Some((amount, _, length)) = Decimal::parse_short(text.as_bytes()) {
                prop_assert_eq!(parse_long(&text.as_bytes()[..length]), Ok(amount.0));
            }
        }

        #[test]
        fn agrees_with_rust_decimal(a in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?", b in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?") {
            let (x, y) = (Decimal::parse(a.as_bytes()).unwrap(), Decimal::parse(b.as_bytes()).unwrap());
            let (p, q) = (rust_decimal::Decimal::from_str(&a).unwrap(), rust_decimal::Decimal::from_str(&b).unwrap());
            let mut out = Vec::new();
            x.minus(y).write(&mut out);
            let difference = rust_decimal::Decimal::from_str(std::str::from_utf8(&out).unwrap()).unwrap();
            prop_assert_eq!(difference, p - q);
            if !q.is_zero() {
                let expected = (p / q).round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero);
                let mut out = Vec::new();
                Rate::of(x, y).unwrap().write(&mut out);
                let text = String::from_utf8(out).unwrap();
                prop_assert_eq!(rust_decimal::Decimal::from_str(&text).unwrap(), expected);
                prop_assert!(text != "-0.000000");
            }
        }

        #[test]
        fn what_is_written_reads_back(text in "-?[0-9]{1,20}(\\.[0-9]{1,18})?(e-?[0-9])?") {
            if let Ok(value) = Decimal::parse(text.as_bytes()) {
                let mut out = Vec::new();
                value.write(&mut out);
                prop_assert_eq!(Decimal::parse(&out), Ok(value));
            }
        }
    }
}
