//! Numbers of any length and spelling, digit by digit or by eights.

use super::lanes::{not_digits, two_numbers};
use super::{DECIMALS, INTEGER_DIGITS, NotANumber, POWERS};

/// Reads a whole number of up to 18 digits, without a superfluous leading zero, from the start of `text`. Returns it with
/// its length; `None` where the text starts otherwise. What follows is not looked at.
#[inline]
#[must_use]
pub fn parse_whole(text: &[u8]) -> Option<(u64, usize)> {
    if let Some(window) = text.first_chunk::<16>()
        && let length @ 1..16 = not_digits(window).trailing_zeros() as usize
        && (window[0] != b'0' || length == 1)
    {
        let [high, low] = [0, length.saturating_sub(8)].map(|at| window[at..].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight)));
        // The last eight digits, and those before them; zeros before the first.
        let (high, low) = if length <= 8 { (0, low << (64 - 8 * length)) } else { (high << (64 - 8 * (length - 8)), low) };
        let (high, low) = two_numbers(high.to_le_bytes(), low.to_le_bytes());
        return Some((u64::from(high) * POWERS[8] + u64::from(low), length));
    }
    let window = &text[..text.len().min(DECIMALS + 1)];
    let (value, length) = leading_digits(window, 0);
    let is_common = (1..=DECIMALS).contains(&length) && (window[0] != b'0' || length == 1);
    is_common.then_some((value, length))
}

/// `value` with the digits at the start of `text` behind it, and how many there are. It wraps where there are too many.
#[inline]
pub(super) fn leading_digits(text: &[u8], mut value: u64) -> (u64, usize) {
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
pub(super) fn digits_of_eight(bytes: [u8; 8]) -> (u64, usize) {
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

/// Any accepted text without its sign.
pub(super) fn parse_long(text: &[u8]) -> Result<u128, NotANumber> {
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
