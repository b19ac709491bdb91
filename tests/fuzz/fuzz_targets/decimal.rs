//! Any bytes as a number token: accepted or refused, and written, as a model on big integers says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use market_hub::decimal::Decimal;
use num_bigint::BigUint;

fuzz_target!(|data: &[u8]| {
    let expected = std::str::from_utf8(data).ok().and_then(plain);
    let written = Decimal::parse(data).ok().map(|value| {
        let mut out = Vec::new();
        value.write(&mut out);
        String::from_utf8(out).expect("digits")
    });
    assert_eq!(written, expected, "{:?}", String::from_utf8_lossy(data));
});

/// The plain form of a token, or `None` where the contract refuses it (section 3): by the value in units of 10^-18, with no regard to speed.
fn plain(token: &str) -> Option<String> {
    let unsigned = token.strip_prefix(['-', '+']).unwrap_or(token);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent_digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(integer) || !all_digits(fraction) || !all_digits(exponent_digits) {
        return None;
    }
    let digits: BigUint = format!("{integer}{fraction}").parse().ok()?;
    if digits == BigUint::ZERO {
        return Some("0.0".to_owned());
    }
    let exponent: BigUint = exponent_digits.parse().ok()?;
    // An exponent beyond all digits of the token takes any other value than zero out of range.
    let size = i64::try_from(exponent).ok().filter(|&size| size < 1_000 + token.len() as i64)?;
    let exponent = if unsigned.contains("e-") || unsigned.contains("E-") { -size } else { size };
    let shift = exponent - fraction.len() as i64 + 18;
    let power = BigUint::from(10_u8).pow(shift.unsigned_abs() as u32);
    let units = if shift >= 0 {
        digits * power
    } else if &digits % &power == BigUint::ZERO {
        digits / power
    } else {
        return None;
    };
    if units >= BigUint::from(10_u8).pow(38) {
        return None;
    }
    let text = format!("{units:0>19}");
    let (whole, decimals) = text.split_at(text.len() - 18);
    let decimals = decimals.trim_end_matches('0');
    let sign = if token.starts_with('-') { "-" } else { "" };
    Some(format!("{sign}{whole}.{}", if decimals.is_empty() { "0" } else { decimals }))
}
