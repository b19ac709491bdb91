//! Looks for the newest object of a connector: among those of today and of yesterday, else among all.

use std::time::Duration;

use jiff::Timestamp;

use super::connector::Connector;
use super::layout::{key_pattern, keys};
use super::watch::Newest;
use crate::config::{Config, Day, KeyPattern};
use crate::observe::wall_millis;
use crate::sink::s3::{Stop, Store};

/// How long the store may take for one answer: its age is not worth a long wait.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
const DAY_MS: i64 = 86_400_000;

/// The newest object of a connector, by the store's clock.
#[must_use]
pub fn newest(config: &Config, connector: &Connector) -> Newest {
    let mut config = config.clone();
    config.writer.timeout = config.writer.timeout.min(ANSWER_LIMIT);
    let found = key_pattern(connector).and_then(|pattern| {
        let store = Store::new(&config, [connector.source.bucket.clone()])?;
        look(&store, connector, &pattern).map_err(|stop| stop.message)
    });
    match found {
        Ok(Some(millis)) => Newest::At(millis),
        Ok(None) => Newest::None,
        Err(why) => Newest::Unknown(why),
    }
}

fn look(store: &Store, connector: &Connector, pattern: &KeyPattern) -> Result<Option<i64>, Stop> {
    let topic = &connector.source.topic;
    let of_days = [0, DAY_MS].into_iter().filter_map(|back| day_prefix(&keys(connector)?, topic, Day::of_millis(wall_millis() - back)));
    let mut newest: Option<i64> = None;
    for prefix in of_days.collect::<Vec<_>>().into_iter().chain([pattern.prefix(topic)]) {
        if newest.is_some() {
            break;
        }
        let objects = store.list(&connector.source.bucket, &prefix, ANSWER_LIMIT)?;
        // A topic's name may begin with that of another.
        let own = objects.iter().filter(|object| pattern.read(topic, &object.key).is_some());
        newest = own.filter_map(|object| object.modified.parse::<Timestamp>().ok()).map(Timestamp::as_millisecond).max();
    }
    Ok(newest)
}

/// What the keys of one day begin with; `None` where they do not begin with a day.
fn day_prefix(keys: &str, topic: &str, day: Day) -> Option<String> {
    let (before, _) = keys.split_once("{day}")?;
    let filled = before.replace("{topic}", topic).replace("{year}", &format!("{:04}", day.year)).replace("{month}", &format!("{:02}", day.month));
    (!filled.contains('{')).then(|| format!("{filled}{:02}", day.day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_prefix_where_keys_begin_with_it() {
        let day = Day { year: 2026, month: 8, day: 1 };
        assert_eq!(day_prefix(KeyPattern::CONFLUENT, "t", day).as_deref(), Some("topics/t/year=2026/month=08/day=01"));
        for keys in ["{topic}-{partition}-{offset}", "{topic}/{partition}/{day}/{offset}"] {
            assert_eq!(day_prefix(keys, "t", day), None, "{keys}");
        }
    }
}
