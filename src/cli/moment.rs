//! Moments as people write and read them: RFC 3339 or milliseconds since the epoch, and ages.

use jiff::Timestamp;

/// Reads a moment, in milliseconds since the epoch.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| format!("{text:?} is no number of milliseconds"));
    }
    let moment: Timestamp = text.parse().map_err(|_| format!("{text:?} is neither RFC 3339, as 2026-08-12T13:06:29Z, nor milliseconds since the epoch"))?;
    Ok(moment.as_millisecond())
}

/// RFC 3339, to the millisecond.
pub(super) fn write(millis: i64) -> String {
    Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |moment| format!("{moment:.3}"))
}

/// Now, in milliseconds since the epoch.
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// How long ago a moment was, in its two largest units: `3d 4h`.
pub(super) fn age(millis: i64, now: i64) -> String {
    let seconds = now.saturating_sub(millis).max(0) / 1_000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(length, _)| seconds >= *length).unwrap_or(units.len() - 1);
    let (mut left, mut text) = (seconds, Vec::new());
    for (length, unit) in units.iter().skip(first).take(2) {
        text.push(format!("{}{unit}", left / length));
        left %= length;
    }
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_two_forms() {
        for text in ["1786539989464", "2026-08-12T13:06:29.464Z", "2026-08-12T22:06:29.464+09:00", "2026-08-12 13:06:29.464Z"] {
            assert_eq!(parse(text), Ok(1_786_539_989_464), "{text}");
        }
        for text in ["", "now", "2026-08-12T13:06:29", "-1", "99999999999999999999"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(write(1_786_539_989_464), "2026-08-12T13:06:29.464Z");
        assert_eq!(write(i64::MAX), i64::MAX.to_string());
    }

    #[test]
    fn ages_have_two_units() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (61, "1m 1s"), (7_199, "1h 59m"), (273_600, "3d 4h"), (-5, "0s")] {
            assert_eq!(age(0, seconds * 1_000), text);
        }
    }
}
