//! The programs that envelopes go through.

use std::path::Path;
use std::process::{Child, Command};

use crate::input::LaneInput;
use crate::onlooker::Onlooker;
use crate::pass_through;
use crate::support::hub::{Hub, HubCommand};
use crate::support::names::Names;

/// What takes its turn.
pub enum Contender {
    PassThrough,
    /// Reads and writes like the pass-through, and decodes by sonic-rs into structs.
    Straightforward,
    /// With these arguments, variables, or as another build.
    Hub(Vec<String>),
    /// Any other program, with these first arguments; those of the pass-through follow.
    Other(Vec<String>),
}

impl Contender {
    pub fn name(&self) -> String {
        match self {
            Self::PassThrough => "pass-through".to_owned(),
            Self::Straightforward => "straightforward, sonic-rs".to_owned(),
            Self::Hub(words) => format!("hub {}", words.join(" ")),
            Self::Other(words) => words.join(" "),
        }
    }
}

/// A program that runs.
pub enum Program {
    Plain(Child),
    /// With whoever looks at it, who goes first.
    Hub(Option<Onlooker>, Hub),
}

impl Program {
    /// Starts what reads the input of one set of names and writes the output of another, as a group that has not read anything.
    /// `at` is where the brokers are, and where a hub's log goes.
    pub fn start(at: (&str, &Path), contender: &Contender, low_latency: bool, lanes: &[LaneInput], input: &Names, output: &Names) -> Self {
        let (brokers, dir) = at;
        let plain = |program: &Path, first: &[String]| {
            let words = pass_through::arguments(brokers, &output.group(lanes[0].stream), low_latency, lanes, input, output);
            Self::Plain(Command::new(program).args(first).args(words).spawn().unwrap())
        };
        let own = |name: &str| plain(&std::env::current_exe().unwrap(), &[name.to_owned()]);
        let arguments = match contender {
            Contender::PassThrough => return own(pass_through::NAME),
            Contender::Straightforward => return own(pass_through::STRAIGHTFORWARD),
            Contender::Other(words) => return plain(Path::new(&words[0]), &words[1..]),
            Contender::Hub(arguments) => arguments,
        };
        let mut command = HubCommand::run_at(brokers, dir, output).with(&["--lanes", &lanes.iter().map(LaneInput::lane).collect::<Vec<_>>().join(" ")]);
        for (variable, value) in input.environment().into_iter().filter(|(variable, _)| variable.ends_with("_INPUT")) {
            command = command.env(&variable, &value);
        }
        for word in arguments {
            command = match word.split_once('=') {
                Some((variable, value)) if variable.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') => command.env(variable, value),
                _ if word.starts_with('/') && word.contains("market-hub") => command.built_as(Path::new(word)),
                _ => command.with(&[word]),
            };
        }
        Self::Hub(Onlooker::of(arguments), command.start())
    }

    pub fn pid(&self) -> u32 {
        match self {
            Self::Plain(child) => child.id(),
            Self::Hub(_, hub) => hub.pid(),
        }
    }

    pub const fn has_onlooker(&self) -> bool {
        matches!(self, Self::Hub(Some(_), _))
    }

    /// Whether the onlooker, if there is one, looks from now on; it does until it is told otherwise.
    pub fn be_looked_at(&self, looks: bool) {
        if let Self::Hub(Some(onlooker), _) = self {
            onlooker.look(looks);
        }
    }

    pub fn end(self) {
        match self {
            Self::Plain(mut child) => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            Self::Hub(onlooker, hub) => {
                drop(onlooker);
                drop(hub.terminate());
            }
        }
    }
}
