//! `market-hub sink connect status`: whether connectors run, how far behind they are, and since when nothing has come.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::super::super::escape::{escaped, json_line};
use super::super::super::{Failure, moment, print};
use super::{Asked, connectors_arg};
use crate::kafka::{PartitionLag, group_lag};
use crate::sink::connect::{Connector, Newest, Part, Rest, Status, Trouble, alarms, newest};

pub(super) const NAME: &str = "status";

/// Brokers and store add to what Kafka Connect tells: they are not waited for as it is.
const BESIDES_WAIT: Duration = Duration::from_secs(10);

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Print the states of connectors and tasks, their lag, and the age of their newest object; exit code 1 where one does not run or alarms")
        .long_about(
            "Print the states of connectors and tasks, the lag of their groups, and the age of their newest object. Exit code 1 where one does not run or alarms.\n\n\
             A connector can say that it runs while nothing reaches the store. So there is an alarm where more than --connect-lag-max records wait, and where \
             records wait that would fill an object while the newest one is older than --connect-age-max-s, or there is none.",
        )
        .arg(connectors_arg())
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print a JSON object a line and connector"))
}

pub(super) fn run(matches: &ArgMatches, asked: &Asked) -> Result<(), Failure> {
    let mut rest = asked.rest()?;
    let as_json = matches.get_flag("json");
    let mut besides = Besides::default();
    let mut unwell = 0;
    for connector in &asked.connectors {
        let seen = match Seen::of(connector, &mut rest, &mut besides, asked) {
            Ok(seen) => seen,
            Err(trouble) => return Err(asked.failure(&rest, &trouble)),
        };
        unwell += usize::from(!seen.is_well());
        let text = if as_json { seen.line(connector) } else { Ok(seen.page(connector)) };
        print(&rest.mask().text(&text.map_err(|error| Failure::new(Failure::SOFTWARE, error))?))?;
    }
    if unwell == 0 {
        Ok(())
    } else {
        Err(Failure::new(Failure::NOT_WELL, format_args!("{unwell} of {} connectors do not run or alarm", asked.connectors.len())))
    }
}

/// Why brokers or store do not tell: they are not asked again for every connector.
#[derive(Default)]
struct Besides {
    no_brokers: Option<String>,
    no_store: Option<String>,
}

impl Besides {
    fn lag(&mut self, connector: &Connector, asked: &Asked) -> Result<Vec<PartitionLag>, String> {
        if let Some(why) = &self.no_brokers {
            return Err(why.clone());
        }
        match group_lag(&asked.config, &connector.group(), &connector.source.topic, Instant::now() + BESIDES_WAIT) {
            Ok(Some(lag)) => Ok(lag),
            Ok(None) => Err(format!("there is no topic {}", connector.source.topic)),
            Err(unavailable) => Err(self.no_brokers.insert(unavailable.to_string()).clone()),
        }
    }

    fn newest(&mut self, connector: &Connector, asked: &Asked) -> Newest {
        if let Some(why) = &self.no_store {
            return Newest::Unknown(why.clone());
        }
        let newest = newest(&asked.config, connector);
        if let Newest::Unknown(why) = &newest {
            self.no_store = Some(why.clone());
        }
        newest
    }
}

/// All that is known of one connector.
struct Seen {
    /// `None`: there is no such connector.
    status: Option<Status>,
    lag: Result<Vec<PartitionLag>, String>,
    newest: Newest,
    alarms: Vec<String>,
    now: i64,
}

impl Seen {
    fn of(connector: &Connector, rest: &mut Rest, besides: &mut Besides, asked: &Asked) -> Result<Self, Trouble> {
        // Its own secrets may be others than those of the settings, and a trace may tell them.
        let there = rest.properties(&connector.name)?.is_some();
        let status = rest.status(&connector.name)?.filter(|_| there).map(|value| Status::read(&value, rest.mask()));
        let (lag, newest) = (besides.lag(connector, asked), besides.newest(connector, asked));
        let now = moment::now();
        let alarms = alarms(&asked.config.connect, connector, lag.as_deref().unwrap_or_default(), &newest, now);
        Ok(Self { status, lag, newest, alarms, now })
    }

    fn is_well(&self) -> bool {
        self.status.as_ref().is_some_and(Status::runs) && self.alarms.is_empty()
    }

    fn state(&self) -> &'static str {
        self.status.as_ref().map_or("MISSING", |status| status.connector.state.as_str())
    }

    fn records(&self) -> Option<u64> {
        self.lag.as_ref().ok().map(|lag| lag.iter().map(PartitionLag::records).sum())
    }

    fn page(&self, connector: &Connector) -> String {
        let tasks = self.status.as_ref().map_or_else(String::new, |status| format!("  tasks {}/{}", status.running_tasks(), status.tasks.len()));
        let lag = self.records().map_or_else(|| "?".to_owned(), |records| records.to_string());
        let newest = match &self.newest {
            Newest::At(millis) => format!("{} ago", moment::age(*millis, self.now)),
            Newest::None => "none".to_owned(),
            Newest::Unknown(_) => "?".to_owned(),
        };
        let mut text = format!("{}  {}{tasks}  lag {lag}  newest object {newest}\n", connector.name, self.state());
        let mut tell = |about: String, what: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {about}: {}", escaped(what.as_bytes()));
        };
        if self.status.is_none() {
            tell("missing".to_owned(), "`market-hub sink connect apply` makes it");
        }
        for Part { task, state, worker, trace } in self.status.iter().flat_map(Status::parts).filter(|part| part.state != crate::sink::connect::State::Running)
        {
            let part = task.map_or_else(|| "connector".to_owned(), |task| format!("task {task}"));
            let why = if trace.is_empty() { String::new() } else { format!(": {trace}") };
            tell(part, &format!("{} at {worker}{why}", state.as_str()));
        }
        if let Err(why) = &self.lag {
            tell("lag".to_owned(), &format!("not known: {why}"));
        }
        if let Newest::Unknown(why) = &self.newest {
            tell("newest object".to_owned(), &format!("not known: {why}"));
        }
        for alarm in &self.alarms {
            tell("alarm".to_owned(), alarm);
        }
        text
    }

    fn line(&self, connector: &Connector) -> serde_json::Result<String> {
        let tasks = |status: &Status| {
            status
                .tasks
                .iter()
                .map(|task| json!({"task": task.task, "state": task.state.as_str(), "worker": task.worker, "trace": task.trace}))
                .collect::<Vec<_>>()
        };
        let lag = self.lag.as_ref().ok().map(|lag| {
            lag.iter().map(|lag| json!({"partition": lag.partition, "committed": lag.committed, "end": lag.log.1, "lag": lag.records()})).collect::<Vec<_>>()
        });
        json_line(&json!({
            "name": connector.name,
            "topic": connector.source.topic,
            "state": self.state(),
            "trace": self.status.as_ref().map(|status| &status.connector.trace),
            "tasks": self.status.as_ref().map(tasks),
            "lag": self.records(),
            "partitions": lag,
            "newest_object_ms": match self.newest { Newest::At(millis) => Some(millis), _ => None },
            "alarms": self.alarms,
        }))
    }
}
