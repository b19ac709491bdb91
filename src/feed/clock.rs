//! Times as the exchanges and the contract write them, from integers, in UTC. Never reads a clock.

/// `YYYY-MM-DD`, then `between`, then `HH:MM:SS.ffffff`.
fn text(micros: i64, between: char) -> String {
    let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (year, month, day) = date(days);
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    format!("{year:04}-{month:02}-{day:02}{between}{:02}:{:02}:{:02}.{fraction:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// The civil date of a day since 1970-01-01: whole years first, then whole months.
fn date(mut days: i64) -> (i64, usize, i64) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let mut month = 1;
    for length in [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

/// As order-book records write it.
pub(super) fn utc(micros: i64) -> String {
    text(micros, ' ') + "+00:00"
}

/// As Kraken writes it.
pub(super) fn rfc3339(micros: i64) -> String {
    text(micros, 'T') + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        assert_eq!(utc(1_790_134_742_106_000), "2026-09-23 03:39:02.106000+00:00");
        assert_eq!(rfc3339(1_709_210_096_000_001), "2024-02-29T12:34:56.000001Z");
        assert_eq!(utc(951_868_799_999_999), "2000-02-29 23:59:59.999999+00:00");
        assert_eq!(utc(1_735_689_599_000_000), "2024-12-31 23:59:59.000000+00:00");
    }
}
