//! `market-hub sink connect`: S3 sink connectors planned, registered, watched and proved.

mod act;
mod apply;
mod plan;
mod status;
mod verify;

use std::sync::Arc;
use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::super::{Failure, load};
use crate::config::{Config, args, property};
use crate::sink::connect::{Connector, Mask, Preset, Rest, Trouble};

pub(in crate::cli) const NAME: &str = "connect";

pub(in crate::cli) fn command() -> Command {
    Command::new(NAME)
        .about("Register S3 sink connectors with Kafka Connect, and watch them")
        .long_about(
            "Register S3 sink connectors with Kafka Connect, and watch them.\n\n\
             There is one for each stream that --lanes names, and one for each topic of --s3-topics. Buckets and records to an object are those of the settings \
             of the S3 store. Secrets are masked in all that is printed.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(args(with_property(plan::command())))
        .subcommand(args(with_property(apply::command())))
        .subcommand(args(with_property(status::command())))
        .subcommand(args(act::restart_command()))
        .subcommand(args(act::pause_command()))
        .subcommand(args(act::resume_command()))
        .subcommand(args(act::delete_command()))
        .subcommand(args(with_property(verify::command())))
}

pub(in crate::cli) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let (name, matches) = matches.subcommand().ok_or_else(|| Failure::new(Failure::SOFTWARE, "no such command"))?;
    let asked = Asked::new(matches)?;
    match name {
        plan::NAME => plan::run(matches, &asked),
        apply::NAME => apply::run(&asked),
        status::NAME => status::run(matches, &asked),
        act::RESTART => act::restart(matches, &asked),
        act::PAUSE => act::pause(&asked),
        act::RESUME => act::resume(&asked),
        act::DELETE => act::delete(&asked),
        verify::NAME => verify::run(matches, &asked),
        _ => Err(Failure::new(Failure::SOFTWARE, "no such command")),
    }
}

/// What a command is about.
struct Asked {
    config: Arc<Config>,
    /// Those that were named, else all.
    connectors: Vec<Connector>,
}

impl Asked {
    fn new(matches: &ArgMatches) -> Result<Self, Failure> {
        let mut config = load(matches)?.config;
        for given in matches.try_get_many::<String>(PROPERTY).ok().flatten().into_iter().flatten() {
            // Not the text itself: it may be a secret.
            let (name, value) = property(given).ok_or_else(|| Failure::new(Failure::CONFIG, format_args!("--{PROPERTY}: what is given is not NAME=VALUE")))?;
            config.connect.properties.insert(name, value);
        }
        let all = Connector::all(&config);
        let named: Vec<&String> = matches.get_many(CONNECTOR).into_iter().flatten().collect();
        let is_one = |name: &str, connector: &Connector| connector.name == name || connector.called() == name;
        if let Some(unknown) = named.iter().find(|name| !all.iter().any(|connector| is_one(name, connector))) {
            let names: Vec<_> = all.iter().map(|connector| connector.name.as_str()).collect();
            return Err(Failure::new(Failure::CONFIG, format_args!("{unknown:?} is none of the connectors of these settings: {}", names.join(", "))));
        }
        let connectors = all.into_iter().filter(|connector| named.is_empty() || named.iter().any(|name| is_one(name, connector))).collect();
        Ok(Self { config: Arc::new(config), connectors })
    }

    /// What must not be shown: every secret of the settings.
    fn mask(&self) -> Mask {
        let mut mask = Mask::default();
        if let Some(credentials) = &self.config.store.credentials {
            mask.learn(&credentials.secret);
            credentials.session.iter().for_each(|session| mask.learn(session));
            mask.learn_properties(&[("access.key.id".to_owned(), credentials.access.expose().to_owned())].into());
        }
        for connector in &self.connectors {
            mask.learn_properties(&connector.properties);
        }
        mask
    }

    /// A worker that answers.
    fn rest(&self) -> Result<Rest, Failure> {
        let rest = Rest::new(&self.config.connect, self.mask(), Instant::now() + self.config.connect.deadline);
        let version = rest.version().map_err(|trouble| self.failure(&rest, &trouble))?;
        log::info!("Kafka Connect {version} at {}", self.config.connect.url);
        Ok(rest)
    }

    /// Says what is wrong, with the setting to look at and what to do.
    fn failure(&self, rest: &Rest, trouble: &Trouble) -> Failure {
        let connect = &self.config.connect;
        let url = format!("--connect-url / HUB_CONNECT_URL = {:?}", connect.url.as_str());
        let (code, text) = match trouble {
            Trouble::Unreachable(_) | Trouble::Busy(_) | Trouble::Starting => {
                (Failure::UNAVAILABLE, format!("{trouble} (waited up to {} s); is a worker of Kafka Connect running there?", connect.deadline.as_secs()))
            }
            Trouble::Denied(_) => (Failure::CONFIG, format!("{trouble}: give HUB_CONNECT_USER and HUB_CONNECT_PASSWORD")),
            Trouble::Foreign(_) => (Failure::CONFIG, format!("{trouble}; give the REST interface of a worker, whose port is 8083 unless set otherwise")),
            Trouble::NoSuchClass => return self.no_class(rest),
            Trouble::Missing(_) => (Failure::UNAVAILABLE, trouble.to_string()),
            Trouble::Refused(_) => (Failure::CONFIG, trouble.to_string()),
            Trouble::Failed(_, text) if text.is_empty() => (
                Failure::UNAVAILABLE,
                format!("{trouble}: look into the worker's log; its plugin.path must name the parent of the plugins' folders, not one of them"),
            ),
            Trouble::Failed(..) => (Failure::UNAVAILABLE, format!("{trouble}; the worker's log tells more")),
        };
        Failure::new(code, format_args!("{url}: {text}"))
    }

    fn no_class(&self, rest: &Rest) -> Failure {
        let class = &self.config.connect.class;
        let installed = match rest.sink_classes() {
            Ok(classes) if classes.is_empty() => "no sink is".to_owned(),
            Ok(classes) => format!("these sinks are: {}", classes.join(", ")),
            Err(trouble) => format!("which are is not known ({trouble})"),
        };
        let full = Preset::of(class);
        let full = if full.class() == class { String::new() } else { format!(" ({})", full.class()) };
        Failure::new(
            Failure::CONFIG,
            format_args!(
                "--connector-class / HUB_CONNECTOR_CLASS = {class:?}{full}: not installed at {}; {installed}. Put its folder under the worker's plugin.path and \
                 start the worker again, or choose another class",
                self.config.connect.url
            ),
        )
    }
}

const CONNECTOR: &str = "connector";
const PROPERTY: &str = "property";

fn with_property(command: Command) -> Command {
    let help = "A property of every connector, over those of the preset and of HUB_CONNECTOR_PROPERTIES; NAME= takes one away. {name}, {topic}, {stream}, {bucket} \
                and {records} become those of the connector. Secrets belong into HUB_CONNECTOR_PROPERTIES_FILE: every user of the machine can read the command line";
    command.arg(Arg::new(PROPERTY).long(PROPERTY).value_name("NAME=VALUE").action(ArgAction::Append).help(help))
}

fn connectors_arg() -> Arg {
    Arg::new(CONNECTOR)
        .value_name("CONNECTOR")
        .action(ArgAction::Append)
        .help("Only these, by connector or stream: s3-sink-ne-ticker-market or ne-ticker; none: all")
}
