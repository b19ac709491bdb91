//! The exchange's own time of a frame: units by size, RFC 3339 text, and UTC text again (contract, section 5).
//!
//! Reads no clock: every time comes from the input.

use crate::decimal::{Decimal, eight_digits_text, two_digits, write_integer};
use crate::json::Token;

const SECONDS_A_DAY: i64 = 86_400;
const MICROS_A_SECOND: i64 = 1_000_000;

/// Microseconds since the epoch, never negative. Above 0 where it comes from a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventTime(i64);

impl EventTime {
    /// The time of an input record; a negative timestamp counts as 0 (contract, section 9).
    #[must_use]
    pub fn of_record(timestamp_ms: i64) -> Self {
        Self(timestamp_ms.max(0).saturating_mul(1_000))
    }

    /// A moment in microseconds since the epoch.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.max(0))
    }

    /// Reads a number, bare or quoted, of seconds, milliseconds, microseconds or nanoseconds, decided by its size.
    /// Anything else counts as absent.
    #[must_use]
    pub fn of_number(token: &Token<'_>, chars_max: usize) -> Option<Self> {
        let (Token::Number(text) | Token::Text(text)) = token else { return None };
        if text.len() > chars_max {
            return None;
        }
        let value = Decimal::parse(text).ok().filter(|value| value.is_positive())?;
        Self::of_whole(value.whole())
    }

    /// As [`EventTime::of_number`], of a number read before and cut to a whole one; below 10^20.
    #[must_use]
    pub fn of_whole(value: u128) -> Option<Self> {
        // Microseconds are below 10^17.
        let micros = match value {
            0 => return None,
            seconds @ ..100_000_000_000 => seconds * 1_000_000,
            millis @ ..100_000_000_000_000 => millis * 1_000,
            micros @ ..100_000_000_000_000_000 => micros,
            nanos => nanos / 1_000,
        };
        i64::try_from(micros).ok().map(Self)
    }

    /// Reads RFC 3339 text; digits finer than a microsecond are cut. Anything else, and any time at or before the
    /// epoch, counts as absent.
    #[must_use]
    pub fn of_text(token: &Token<'_>, chars_max: usize) -> Option<Self> {
        Self::of_rfc3339(token.text().filter(|text| text.len() <= chars_max)?)
    }

    /// As [`EventTime::of_text`], of a text read before.
    #[must_use]
    pub fn of_rfc3339(text: &[u8]) -> Option<Self> {
        let (seconds, micros) = rfc3339(text)?;
        Some(Self(seconds * MICROS_A_SECOND + micros)).filter(|time| time.0 > 0)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0 / 1_000
    }

    /// Appends `1786538789464.0`, as a ticker record writes it.
    pub fn write_millis(self, out: &mut Vec<u8>) {
        // Never negative.
        write_integer(self.millis().unsigned_abs().into(), out);
        out.extend_from_slice(b".0");
    }

    /// Appends `2024-10-23 10:25:00.050000+00:00`, as an order-book record writes it. Years from 10000 on take as many
    /// digits as they need.
    pub fn write_utc(self, out: &mut Vec<u8>) {
        let seconds = self.0.div_euclid(MICROS_A_SECOND);
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_A_DAY));
        let second = seconds.rem_euclid(SECONDS_A_DAY).unsigned_abs();
        let micros = self.0.rem_euclid(MICROS_A_SECOND).unsigned_abs();
        if year > 9_999 {
            write_integer((year / 100).into(), out);
        }
        let mut text = *b"0000-00-00 00:00:00.000000+00:00";
        let pairs = [
            (0, year / 100),
            (2, year),
            (5, month),
            (8, day),
            (11, second / 3_600),
            (14, second / 60 % 60),
            (17, second % 60),
            (20, micros / 10_000),
            (22, micros / 100),
            (24, micros),
        ];
        for (at, value) in pairs {
            text[at..at + 2].copy_from_slice(&two_digits(value % 100));
        }
        out.extend_from_slice(&text[if year > 9_999 { 2 } else { 0 }..]);
    }
}

/// Writes times as [`EventTime::write_utc`] does, and keeps the second: it is mostly that of the time before.
#[derive(Clone, Debug, Default)]
pub struct UtcWriter {
    second: i64,
    /// `2024-10-23 10:25:00.`, once there is one.
    text: Option<[u8; 20]>,
}

impl UtcWriter {
    /// Appends `2024-10-23 10:25:00.050000+00:00`.
    #[inline]
    pub fn write(&mut self, time: EventTime, out: &mut Vec<u8>) {
        let micros = time.0.unsigned_abs();
        let second = (micros / MICROS_A_SECOND.unsigned_abs()).cast_signed();
        match &self.text {
            Some(text) if self.second == second => {
                out.extend_from_slice(text);
                let [_, _, digits @ ..] = eight_digits_text(micros % MICROS_A_SECOND.unsigned_abs());
                out.extend_from_slice(&digits);
                out.extend_from_slice(b"+00:00");
            }
            _ => self.write_anew(time, second, out),
        }
    }

    #[inline(never)]
    fn write_anew(&mut self, time: EventTime, second: i64, out: &mut Vec<u8>) {
        let start = out.len();
        time.write_utc(out);
        // Years from 10000 on are longer, and not kept.
        let text = out[start..].first_chunk().filter(|text| text.ends_with(b"."));
        (self.second, self.text) = (second, text.copied());
    }
}

/// Seconds since the epoch and microseconds of RFC 3339 text. The separator may be `T`, `t` or a space; a leap second
/// is the first second of the next minute.
fn rfc3339(text: &[u8]) -> Option<(i64, i64)> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let field = |from: usize, to: usize| digits(&date_time[from..to]);
    let separators = [date_time[4], date_time[7], date_time[10].to_ascii_uppercase(), date_time[13], date_time[16]];
    if !matches!(&separators, b"--T::" | b"-- ::") {
        return None;
    }
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    if year == 0 || !(1..=12).contains(&month) || day == 0 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_from_civil(year, month, day);
    // A day that the month does not have comes out as another date; all have the first 28.
    if day > 28 && civil(days) != (year.unsigned_abs(), month.unsigned_abs(), day.unsigned_abs()) {
        return None;
    }
    let (micros, zone) = fraction(rest)?;
    let seconds = days * SECONDS_A_DAY + hour * 3_600 + minute * 60 + second;
    Some((seconds - offset(zone)?, micros))
}

/// Microseconds of an optional `.` and digits, and what follows them.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    if let Some((six, zone)) = rest.split_first_chunk::<6>()
        && !zone.first().is_some_and(u8::is_ascii_digit)
        && let Some(micros) = digits(six)
    {
        return Some((micros, zone));
    }
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let shown = digits(&rest[..count.min(6)])?;
    Some((shown * 10_i64.pow(6 - count.min(6) as u32), &rest[count..]))
}

/// Seconds east of Greenwich of `Z`, `z` or `+09:00`.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [h, hh, b':', m, mm] = *rest else { return None };
    let (hours, minutes) = (digits(&[h, hh])?, digits(&[m, mm])?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// A few digits, all of them digits.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Days since the epoch of a date of the Gregorian calendar. Counts in years that begin in March, so that the leap day
/// is the last one.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of days since the epoch; the inverse of [`days_from_civil`] from the year 0 on.
const fn civil(days: i64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + (month <= 2) as i64;
    (year.unsigned_abs(), month.unsigned_abs(), day.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of_number(text: &str) -> Option<i64> {
        EventTime::of_number(&Token::Text(text.as_bytes().into()), 64).map(EventTime::micros)
    }

    fn of_text(text: &str) -> Option<i64> {
        EventTime::of_text(&Token::Text(text.as_bytes().into()), 64).map(EventTime::micros)
    }

    fn utc(micros: i64) -> String {
        let mut out = Vec::new();
        EventTime::from_micros(micros).write_utc(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_unit_is_decided_by_size() {
        assert_eq!(of_number("1786538789"), Some(1_786_538_789_000_000));
        assert_eq!(of_number("99999999999.9"), Some(99_999_999_999_000_000));
        assert_eq!(of_number("100000000000"), Some(100_000_000_000_000));
        assert_eq!(of_number("1786538789464.999"), Some(1_786_538_789_464_000));
        assert_eq!(of_number("1786538789464123"), Some(1_786_538_789_464_123));
        assert_eq!(of_number("1786538789464999999"), Some(1_786_538_789_464_999));
        assert_eq!(of_number("1.786538789464e12"), Some(1_786_538_789_464_000));
        for text in ["0", "-1", "0.5", "-0", "abc", "", "1e20", "1e-19", "NaN", " 1"] {
            assert_eq!(of_number(text), None, "{text}");
        }
    }

    #[test]
    fn rfc_3339_in_its_variants() {
        let expected = Some(1_786_539_989_464_123);
        for text in ["2026-08-12T13:06:29.464123Z", "2026-08-12t13:06:29.4641239z", "2026-08-12 22:06:29.464123+09:00", "2026-08-12T05:06:29.464123-08:00"] {
            assert_eq!(of_text(text), expected, "{text}");
        }
        assert_eq!(of_text("2026-12-31T23:59:60Z"), of_text("2027-01-01T00:00:00Z"));
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-08-12T13:06:29",
            "2026-08-12T13:06:29.Z",
            "2026-08-12T24:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-8-12T13:06:29Z",
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "0000-00-00T00:00:00Z",
            "2026-08-12T13:06:29+0900",
            "",
            "2026-08-12T13:06:29é",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn utc_text_is_that_of_the_contract() {
        assert_eq!(utc(1_729_679_100_050_000), "2024-10-23 10:25:00.050000+00:00");
        assert_eq!(utc(0), "1970-01-01 00:00:00.000000+00:00");
        assert_eq!(utc(i64::MAX), "294247-01-10 04:00:54.775807+00:00");
        assert_eq!(EventTime::of_record(-5).micros(), 0);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(micros in 1..253_402_300_800 * MICROS_A_SECOND) {
            prop_assert_eq!(of_text(&utc(micros)), Some(micros));
        }

        #[test]
        fn a_kept_second_changes_nothing(times in prop::collection::vec(prop_oneof![0..3_000_000_i64, 253_402_300_799_000_000..253_402_300_801_000_000_i64, 0..i64::MAX], 1..9)) {
            let mut writer = UtcWriter::default();
            for micros in times {
                let mut out = Vec::new();
                writer.write(EventTime::from_micros(micros), &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), utc(micros));
            }
        }

        #[test]
        fn any_text_is_read_or_absent(text in ".{0,40}") {
            of_text(&text);
            of_number(&text);
        }
    }
}
