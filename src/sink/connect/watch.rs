//! What `RUNNING` does not tell: how many records wait, and since when nothing has come. Judges figures, and asks nobody.

use super::connector::Connector;
use crate::config::ConnectConfig;
use crate::kafka::PartitionLag;

/// The newest object of a connector's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Newest {
    /// When it was written, in milliseconds since the epoch.
    At(i64),
    /// There is no object yet.
    None,
    /// It is not known, and why.
    Unknown(String),
}

/// What is wrong with a connector that may well say that it runs, a sentence each. `now` is in milliseconds since the epoch.
#[must_use]
pub fn alarms(connect: &ConnectConfig, connector: &Connector, lag: &[PartitionLag], newest: &Newest, now: i64) -> Vec<String> {
    let mut alarms = Vec::new();
    let total: u64 = lag.iter().map(PartitionLag::records).sum();
    if total > connect.lag_max {
        alarms.push(format!("{total} records wait, more than --connect-lag-max {}: it does not write, or not fast enough", connect.lag_max));
    }
    // Fewer rightly wait for their object to be full.
    let full = u64::try_from(connector.source.records).unwrap_or(u64::MAX);
    let waiting: u64 = lag.iter().map(PartitionLag::records).filter(|records| *records >= full).sum();
    if waiting == 0 {
        return alarms;
    }
    const REMEDY: &str = "look for the bucket, the keys and the store's address in its configuration, and into the worker's log";
    match newest {
        Newest::None => alarms.push(format!(
            "{waiting} records wait for full objects, and there is no object of {} in {} yet: {REMEDY}",
            connector.source.topic, connector.source.bucket
        )),
        Newest::At(written) if now.saturating_sub(*written) > i64::try_from(connect.age_max.as_millis()).unwrap_or(i64::MAX) => alarms.push(format!(
            "{waiting} records wait for full objects, and the newest object of {} is older than --connect-age-max-s {}: {REMEDY}",
            connector.source.topic,
            connect.age_max.as_secs()
        )),
        Newest::At(_) | Newest::Unknown(_) => {}
    }
    alarms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_rightly_waits_is_no_alarm() {
        let mut config = Config::default();
        config.connect.lag_max = 1_000;
        let connector = Connector::all(&config).swap_remove(0);
        let now = 1_000_000_000;
        let (old, young) = (Newest::At(now - 601_000), Newest::At(now - 599_000));
        let alarms = |lags: &[i64], newest: &Newest| {
            let lag: Vec<_> = lags.iter().map(|&end| PartitionLag { partition: 0, committed: None, log: (0, end) }).collect();
            super::alarms(&config.connect, &connector, &lag, newest, now).len()
        };
        assert_eq!(alarms(&[19, 19, 19, 19], &old), 0, "no object is full");
        assert_eq!((alarms(&[20, 0], &old), alarms(&[20, 0], &young)), (1, 0));
        assert_eq!((alarms(&[20], &Newest::None), alarms(&[20], &Newest::Unknown(String::new())), alarms(&[], &Newest::None)), (1, 0, 0));
        assert_eq!((alarms(&[500, 501], &young), alarms(&[500, 500], &young), alarms(&[2_000], &old)), (1, 0, 2));
    }
}
