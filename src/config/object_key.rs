//! The pattern of object keys: how a key is made of topic, partition, first offset and day, and how those are read out of it again.

use std::fmt::Write as _;

/// The longest key that S3 allows, in bytes.
const KEY_BYTES_MAX: usize = 1024;

/// A day of the Gregorian calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// `1970..=9999`.
    pub year: i16,
    /// `1..=12`.
    pub month: i8,
    /// `1..=31`.
    pub day: i8,
}

impl Day {
    /// The day of a Kafka timestamp in milliseconds since the epoch. What lies before the epoch, or after the year 9999, is the first or the last day.
    #[must_use]
    pub fn of_millis(millis: i64) -> Self {
        const LAST: i64 = 253_402_300_799_999 - 26 * 3_600_000;
        // Within these bounds there is no time that jiff does not know.
        let time = jiff::Timestamp::from_millisecond(millis.clamp(0, LAST)).unwrap_or_default();
        let date = jiff::tz::Offset::UTC.to_datetime(time).date();
        Self { year: date.year(), month: date.month(), day: date.day() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Topic,
    Partition,
    Offset,
    Offset10,
    Year,
    Month,
    Day,
}

impl Field {
    const ALL: [(&'static str, Self); 7] = [
        ("topic", Self::Topic),
        ("partition", Self::Partition),
        ("offset", Self::Offset),
        ("offset10", Self::Offset10),
        ("year", Self::Year),
        ("month", Self::Month),
        ("day", Self::Day),
    ];
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
}

/// See the module. Different (topic, partition, first offset) have different keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern(Vec<Part>);

impl KeyPattern {
    /// The pattern of Confluent's S3 sink with a time-based partitioner by day, and of our own writer.
    pub const CONFLUENT: &str = "topics/{topic}/year={year}/month={month}/day={day}/{topic}+{partition}+{offset10}.json.gz";

    /// Reads a pattern: text with `{topic}`, `{partition}`, `{offset}` (or `{offset10}`, of at least ten digits), `{year}`, `{month}`, `{day}` in it.
    ///
    /// # Errors
    /// A sentence for each thing that is wrong: unknown fields, and whatever would let two objects have one key.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let pattern = Self(parts(text).map_err(|why| vec![why])?);
        let wrong = pattern.faults(text);
        if wrong.is_empty() { Ok(pattern) } else { Err(wrong) }
    }

    fn faults(&self, text: &str) -> Vec<String> {
        let has = |fields: &[Field]| self.0.iter().any(|part| matches!(part, Part::Field(field) if fields.contains(field)));
        let mut wrong = Vec::new();
        for (fields, name, why) in [
            (&[Field::Topic][..], "{topic}", "topics"),
            (&[Field::Partition], "{partition}", "partitions"),
            (&[Field::Offset, Field::Offset10], "{offset} or {offset10}", "offsets"),
        ] {
            if !has(fields) {
                wrong.push(format!("has no {name}: objects of different {why} would have the same key"));
            }
        }
        if self.0.windows(2).any(|pair| matches!(pair, [Part::Field(_), Part::Field(_)])) {
            wrong.push("has two fields without text between them: nobody could tell where one ends".to_owned());
        }
        let is_number = |part: &Part| matches!(part, Part::Field(field) if *field != Field::Topic);
        let touches = |pair: &[Part]| match pair {
            [Part::Text(text), number] if is_number(number) => text.ends_with(|c: char| c.is_ascii_digit()),
            [number, Part::Text(text)] if is_number(number) => text.starts_with(|c: char| c.is_ascii_digit()),
            _ => false,
        };
        if self.0.windows(2).any(touches) {
            wrong.push("has a digit beside a number: nobody could tell where the number ends".to_owned());
        }
        let odd_segment = text.split('/').any(|segment| segment.is_empty() || segment == "." || segment == "..");
        if odd_segment || text.chars().any(|c| c.is_control() || c == '\\') || text.len() > KEY_BYTES_MAX / 2 {
            wrong.push("is no good key: it has an empty segment, a segment of dots, a backslash or a control character, or is too long".to_owned());
        }
        wrong
    }

    /// The key of the object of a topic's partition whose first record has this offset, and this day.
    #[must_use]
    pub fn key(&self, topic: &str, partition: i32, offset: i64, day: Day) -> String {
        let mut key = String::with_capacity(128);
        for part in &self.0 {
            // Writing to a String cannot fail.
            let _ = match part {
                Part::Text(text) => key.write_str(text),
                Part::Field(Field::Topic) => key.write_str(topic),
                Part::Field(Field::Partition) => write!(key, "{partition}"),
                Part::Field(Field::Offset) => write!(key, "{offset}"),
                Part::Field(Field::Offset10) => write!(key, "{offset:010}"),
                Part::Field(Field::Year) => write!(key, "{:04}", day.year),
                Part::Field(Field::Month) => write!(key, "{:02}", day.month),
                Part::Field(Field::Day) => write!(key, "{:02}", day.day),
            };
        }
        key
    }

    /// What all keys of a topic begin with, for listings.
    #[must_use]
    pub fn prefix(&self, topic: &str) -> String {
        let known = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Field(Field::Topic) => Some(topic.to_owned()),
            Part::Field(_) => None,
        };
        self.0.iter().map_while(known).collect()
    }

    /// Partition and first offset of an object of `topic`; `None` for a key that is none of this pattern and topic.
    #[must_use]
    pub fn read(&self, topic: &str, key: &str) -> Option<(i32, i64)> {
        let (mut rest, mut partition, mut offset) = (key, None, None);
        for part in &self.0 {
            let fixed = match part {
                Part::Text(text) => text.as_str(),
                Part::Field(Field::Topic) => topic,
                Part::Field(field) => {
                    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    let number: i64 = rest[..digits].parse().ok()?;
                    rest = &rest[digits..];
                    match field {
                        Field::Partition => partition = Some(i32::try_from(number).ok()?),
                        Field::Offset | Field::Offset10 => offset = Some(number),
                        _ => {}
                    }
                    continue;
                }
            };
            rest = rest.strip_prefix(fixed)?;
        }
        if rest.is_empty() { Some((partition?, offset?)) } else { None }
    }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("has a { without its }")?;
        let (_, field) = Field::ALL.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known = Field::ALL.map(|(known, _)| format!("{{{known}}}")).join(", ");
            format!("{{{name}}} is no field; they are {known}")
        })?;
        parts.extend(Some(before).filter(|text| !text.is_empty()).map(|text| Part::Text(text.to_owned())));
        parts.push(Part::Field(*field));
        rest = after;
    }
    if rest.contains('}') {
        return Err("has a } without its {".to_owned());
    }
    parts.extend(Some(rest).filter(|text| !text.is_empty()).map(|text| Part::Text(text.to_owned())));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Day = Day { year: 2026, month: 8, day: 9 };

    #[test]
    fn keys_are_those_of_confluents_sink() {
        let pattern = KeyPattern::parse(KeyPattern::CONFLUENT).expect("good");
        let key = "topics/Region.Korea_TickerPreprocessing/year=2026/month=08/day=09/Region.Korea_TickerPreprocessing+3+0000004711.json.gz";
        assert_eq!(pattern.key("Region.Korea_TickerPreprocessing", 3, 4711, DAY), key);
        assert_eq!(pattern.read("Region.Korea_TickerPreprocessing", key), Some((3, 4711)));
        assert_eq!(pattern.prefix("a"), "topics/a/year=");
        for other in [&key[1..], &key[..key.len() - 1], &key.replace("+3+", "+x+"), &key.replace("+3+", "+99999999999+")] {
            assert_eq!(pattern.read("Region.Korea_TickerPreprocessing", other), None, "{other}");
        }
        assert_eq!(pattern.read("Region.Korea_Ticker", key), None);
    }

    #[test]
    fn patterns_that_would_give_one_key_twice_are_refused() {
        for (text, why) in [
            ("{topic}/{partition}.gz", "has no {offset}"),
            ("{topic}/{offset}", "has no {partition}"),
            ("{partition}/{offset}", "has no {topic}"),
            ("{topic}/{partition}{offset}", "without text between"),
            ("{topic}{partition}/{offset}", "without text between"),
            ("{topic}/{partition}/0{offset}", "a digit beside"),
            ("{topic}/{partition}/{offset}0", "a digit beside"),
            ("/{topic}/{partition}/{offset}", "no good key"),
            ("../{topic}/{partition}/{offset}", "no good key"),
            ("{topic}/{partition}/{offset}/{hour}", "{hour} is no field"),
            ("{topic}/{partition}/{offset", "without its }"),
            ("{topic}/{partition}/{offset}}", "without its {"),
        ] {
            let wrong = KeyPattern::parse(text).expect_err(text);
            assert!(wrong.len() == 1 && wrong[0].contains(why), "{text}: {wrong:?}");
        }
    }

    #[test]
    fn days_are_those_of_utc_and_every_timestamp_has_one() {
        assert_eq!(Day::of_millis(1_786_538_789_464), Day { year: 2026, month: 8, day: 12 });
        assert_eq!(Day::of_millis(86_399_999), Day { year: 1970, month: 1, day: 1 });
        assert_eq!(Day::of_millis(86_400_000), Day { year: 1970, month: 1, day: 2 });
        assert_eq!(Day::of_millis(i64::MIN).year, 1970);
        assert_eq!(Day::of_millis(i64::MAX).year, 9999);
    }

    proptest! {
        #[test]
        fn what_a_key_is_made_of_is_read_back(topic in "[a-zA-Z0-9._-]{1,20}", partition in 0..10_000_i32, offset in 0..i64::MAX,
            text in prop::sample::select(vec![KeyPattern::CONFLUENT, "{topic}-{partition}-{offset}.json.gz", "{offset}_{partition}_{topic}", "a/{day}/{partition}/{offset10}-{topic}"])) {
            let pattern = KeyPattern::parse(text).expect("good");
            let key = pattern.key(&topic, partition, offset, DAY);
            prop_assert_eq!(pattern.read(&topic, &key), Some((partition, offset)));
            prop_assert!(key.starts_with(&pattern.prefix(&topic)));
        }
    }
}
