//! `market-hub top`: a running hub in a terminal.

use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use super::run::stop_on_signals;
use super::{Failure, print};
use crate::top::{Key, Picture, Source, View, draw, plain};

pub(super) const NAME: &str = "top";

/// How long one look at the keys takes.
const KEY_WAIT: Duration = Duration::from_millis(100);

pub(super) fn command() -> Command {
    let interval = Arg::new("interval").long("interval-ms").value_name("MS").default_value("1000").value_parser(value_parser!(u64).range(100..=60_000));
    Command::new(NAME)
        .about("Watch a running hub in a terminal: feeds, latencies, lanes that do not work, dead letters")
        .long_about(
            "Watch a running hub in a terminal: feeds, latencies, lanes that do not work, dead letters. Asks its endpoint, which is at --endpoint of `run`.\n\n\
             Keys: e s f l d u sort, / filter, h help, q quit.",
        )
        .arg(Arg::new("address").value_name("HOST:PORT").default_value("127.0.0.1:9464").help("The hub's endpoint, or a URL"))
        .arg(Arg::new("once").long("once").action(ArgAction::SetTrue).help("Print it once as plain lines, and end"))
        .arg(interval.help("How often to ask"))
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let source = Source::at(matches.get_one::<String>("address").map_or("", String::as_str));
    if matches.get_flag("once") {
        let picture = source.ask().map_err(|why| Failure::new(Failure::UNAVAILABLE, format_args!("no hub answers; is this its --endpoint? {why}")))?;
        return print(&plain(&picture, &View::default()));
    }
    let interval = Duration::from_millis(matches.get_one::<u64>("interval").copied().unwrap_or(1_000));
    let stop = stop_on_signals()?;
    // Restores the terminal also where the program panics.
    let terminal = ratatui::try_init().map_err(|error| terminal_fault(&error))?;
    let watched = watch(terminal, &source, interval, || stop.load(Ordering::Acquire));
    ratatui::restore();
    watched.map_err(|error| terminal_fault(&error))
}

fn watch(mut terminal: ratatui::DefaultTerminal, source: &Source, interval: Duration, is_stopped: impl Fn() -> bool) -> io::Result<()> {
    let mut view = View::default();
    let mut last: Option<Picture> = None;
    let (mut answered_at, mut silence): (Instant, Option<String>) = (Instant::now(), Some("no answer yet".to_owned()));
    let mut ask_at = Instant::now();
    while !view.is_over && !is_stopped() {
        if Instant::now() >= ask_at {
            ask_at = Instant::now() + interval;
            match source.ask() {
                Ok(picture) => (last, silence, answered_at) = (Some(picture), None, Instant::now()),
                Err(why) => silence = Some(format!("no answer for {} s: {why}", answered_at.elapsed().as_secs())),
            }
        }
        terminal.draw(|frame| draw(frame, last.as_ref(), silence.as_deref(), &view))?;
        if event::poll(KEY_WAIT.min(interval))?
            && let Event::Key(pressed) = event::read()?
            && pressed.kind == KeyEventKind::Press
        {
            match pressed.code {
                KeyCode::Char('c') if pressed.modifiers.contains(KeyModifiers::CONTROL) => view.is_over = true,
                KeyCode::Char(character) => view.press(Key::Character(character)),
                KeyCode::Backspace => view.press(Key::Backspace),
                KeyCode::Enter => view.press(Key::Enter),
                KeyCode::Esc => view.press(Key::Escape),
                _ => {}
            }
        }
    }
    Ok(())
}

fn terminal_fault(error: &io::Error) -> Failure {
    Failure::new(Failure::IO, format_args!("the terminal cannot be used: {error}; --once prints plain lines"))
}
