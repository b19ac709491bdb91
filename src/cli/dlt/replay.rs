//! `market-hub dlt replay`: letters back to where they came from.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::super::progress::{Of, Progress};
use super::super::run::stop_on_signals;
use super::super::{Failure, print};
use super::{group, group_arg, limit, selection, selection_args};
use crate::config::Config;
use crate::dlt::{Ended, Outcome, Plan, Replay};

pub(super) const NAME: &str = "replay";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Send dead letters back to their input topics")
        .long_about(
            "Send dead letters back to their input topics, once what they died of is mended.\n\n\
             A frame is wrapped into an envelope of its own; an envelope is sent as it was. Partition, key, headers and timestamp are those of the input \
             record, without the headers that the hub had added; the header hub.replays counts the replays. What dies again comes back with that count, and \
             stays where it is once --max-replays is reached.\n\n\
             What was replayed is remembered, whatever the filters, and is not replayed by the next call. What is skipped or left out is not remembered, and \
             is looked at again by the next call. The memory is the committed offset of --group and the words beside it, written after the brokers have \
             acknowledged what was sent: a call that is killed may send up to 500 letters again. One call at a time: two would send the same letters.\n\n\
             Order: a replayed frame comes behind everything that its input topic has by now. A ticker or a whole book is then written late, with its own time. \
             A delta of a kept book comes too late by nature: if its sequence is older than the book's it is dropped as stale, and where an exchange has no \
             sequence (Kraken) it is applied late, which its checksum tells.",
        )
        .args(selection_args())
        .arg(
            Arg::new("max-replays")
                .long("max-replays")
                .value_name("N")
                .default_value("3")
                .value_parser(value_parser!(u32).range(1..))
                .help("Leave letters where they are whose envelope is the result of so many replays")
                .help_heading("Letters"),
        )
        .arg(group_arg())
        .arg(Arg::new("again").long("again").action(ArgAction::SetTrue).help("Replay also what was replayed before").help_heading("Letters"))
        .arg(Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help("Say what would be sent; send and remember nothing").help_heading("Output"))
}

pub(super) fn run(matches: &ArgMatches, config: &Arc<Config>) -> Result<(), Failure> {
    let plan = Plan {
        selection: selection(matches),
        limit: limit(matches),
        group: group(matches),
        again: matches.get_flag("again"),
        dry_run: matches.get_flag("dry-run"),
        replays_max: matches.get_one("max-replays").copied().unwrap_or(3),
    };
    let replay = Replay::open(config, &plan)?;
    // Only from here on is there anything to leave in good order.
    let progress = Progress::new("dead letters", Of::Items(replay.span()));
    let outcome = replay.run(&*stop_on_signals()?, |passed| progress.at(passed))?;
    drop(progress);
    print(&told(&outcome, &plan, config))?;
    match outcome.ended {
        None | Some(Ended::Limit) => Ok(()),
        Some(Ended::Stopped) => Err(Failure::new(Failure::UNCOMMITTED, "stopped before the last letter; the next call goes on")),
        Some(Ended::Full) => Err(Failure::new(
            Failure::UNCOMMITTED,
            "stopped: so many letters between replayed ones were left out or skipped that no more can be remembered; replay without filters first, \
             raise --max-replays, or take a --group of its own",
        )),
    }
}

fn told(outcome: &Outcome, plan: &Plan, config: &Config) -> String {
    let Outcome { sent, skipped, sent_before, left_out, .. } = outcome;
    let (total_sent, total_skipped): (u64, u64) = (sent.values().sum(), skipped.values().sum());
    let verb = if plan.dry_run { "would be sent" } else { "sent" };
    let mut text = format!("{total_sent} {verb}, {total_skipped} skipped, {sent_before} passed over as sent before, {left_out} left out by filters\n");
    // Writing to a String cannot fail.
    for ((stream, reason), count) in sent {
        let _ = writeln!(text, "  {verb} to {}: {count}, reason {}", config.names(*stream).input, reason.as_str());
    }
    for (skip, count) in skipped {
        let _ = writeln!(text, "  skipped {count}, {}: {}", skip.as_str(), skip.explanation());
    }
    text
}
