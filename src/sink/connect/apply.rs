//! Brings Kafka Connect to what is planned: validates everything, changes what differs, waits until it runs. The same again changes nothing.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::answer::Trouble;
use super::connector::{Connector, Properties};
use super::rest::Rest;
use super::status::{State, Status};

/// How often states are asked for.
const POLL: Duration = Duration::from_millis(250);
/// For how long a state must stay before it is believed: right after a change the worker still tells the states of before.
const SETTLED: Duration = Duration::from_secs(2);

/// What a connector that is there has otherwise than planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    New,
    /// It is as planned.
    Nothing,
    /// These properties differ, are missing or are too many; by name, since values may be secret.
    Properties(BTreeSet<String>),
}

impl Difference {
    /// Compares what is there with what is planned, both with the name.
    #[must_use]
    pub fn between(there: Option<&Properties>, planned: &Properties) -> Self {
        let Some(there) = there else { return Self::New };
        let names: BTreeSet<String> = there.keys().chain(planned.keys()).filter(|name| there.get(*name) != planned.get(*name)).cloned().collect();
        if names.is_empty() { Self::Nothing } else { Self::Properties(names) }
    }
}

/// What differs for each of the connectors.
///
/// # Errors
/// See [`Trouble`].
pub fn differences(rest: &mut Rest, connectors: &[Connector]) -> Result<Vec<Difference>, Trouble> {
    let mut difference = |connector: &Connector| Ok(Difference::between(rest.properties(&connector.name)?.as_ref(), &connector.sent()));
    connectors.iter().map(&mut difference).collect()
}

/// Everything that the worker has against the connectors, a sentence each with the name of the property.
///
/// # Errors
/// See [`Trouble`].
pub fn faults(rest: &Rest, connectors: &[Connector]) -> Result<Vec<String>, Trouble> {
    let mut faults = Vec::new();
    for connector in connectors {
        let found = rest.validate(connector.preset.class(), &connector.sent())?;
        faults.extend(found.into_iter().map(|(property, why)| {
            let value =
                connector.properties.get(&property).map_or_else(|| "(not set)".to_owned(), |value| format!("{:?}", rest.mask().value(&property, value)));
            let remedy = if property.starts_with("consumer.override.") {
                "; the worker's connector.client.config.override.policy must allow it, or leave it out with --property NAME="
            } else {
                ""
            };
            format!("{}: {property} = {value}: {why}{remedy}", connector.name)
        }));
    }
    Ok(faults)
}

/// How the wait for a connector ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the state that was waited for.
    Reached(Status),
    /// It is in another one from which it does not come by itself, or still on its way at the deadline; `None` where the worker knows nothing of it.
    Short(Option<Status>),
}

/// Waits until a connector and all its tasks are in `state`. `changed` says when something was changed, if anything was: what is told first may be of before.
///
/// # Errors
/// See [`Trouble`].
pub fn wait_for(rest: &Rest, name: &str, state: State, changed: Option<Instant>) -> Result<Outcome, Trouble> {
    let mut since = Instant::now();
    let mut last: Option<Status> = None;
    loop {
        // Right after a connector was made there may be no status of it.
        let status = rest.status(name)?.map(|value| Status::read(&value, rest.mask()));
        if status != last {
            since = Instant::now();
            last = status;
        }
        let is_settled = changed.is_none_or(|changed| changed.elapsed() >= SETTLED);
        if let Some(status) = &last {
            let reached = status.all(state) && (!status.tasks.is_empty() || state != State::Running);
            if reached && is_settled {
                return Ok(Outcome::Reached(status.clone()));
            }
            // It failed, or somebody has paused it: no waiting helps.
            let is_final = status.parts().any(|part| match part.state {
                State::Failed => !part.is_surplus(),
                State::Paused | State::Stopped => state == State::Running,
                _ => false,
            });
            if !reached && is_final && since.elapsed() >= SETTLED {
                return Ok(Outcome::Short(last));
            }
        }
        if Instant::now() + POLL >= rest.deadline() {
            return Ok(Outcome::Short(last));
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_again_is_no_difference() {
        let properties = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Properties>();
        let planned = properties(&[("name", "a"), ("topics", "t"), ("flush.size", "20")]);
        assert_eq!(Difference::between(None, &planned), Difference::New);
        assert_eq!(Difference::between(Some(&planned.clone()), &planned), Difference::Nothing);
        let there = properties(&[("name", "a"), ("topics", "t"), ("flush.size", "21"), ("more", "x")]);
        assert_eq!(Difference::between(Some(&there), &planned), Difference::Properties(["flush.size".to_owned(), "more".to_owned()].into()));
    }
}
