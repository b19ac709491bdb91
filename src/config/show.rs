//! Shows the table of settings: as options of a command, and as the README's table.

use super::ENV_FILE;
use super::knobs::{self, Kind, Knob, Unit};
use clap::{Arg, ArgAction, Command, value_parser};
use std::fmt::Write;
use std::path::PathBuf;

/// Adds every setting, and `--env-file`, to a command. Nothing is checked here beyond the names: [`super::load`] reports all problems at once.
#[must_use]
pub fn args(command: Command) -> Command {
    let env_file = Arg::new(ENV_FILE)
        .long(ENV_FILE)
        .value_name("FILE")
        .help("Read settings from lines NAME=value; the command line and the environment win over it, and of several files the last")
        .help_heading("Settings")
        .action(ArgAction::Append)
        .value_parser(value_parser!(PathBuf));
    let (secrets, options): (Vec<&Knob>, Vec<&Knob>) = knobs::ALL.iter().partition(|knob| matches!(knob.kind, Kind::Secret));
    let secrets: String = secrets.into_iter().map(|knob| format!("\n  {}", help(knob))).collect();
    command
        .arg(env_file)
        .args(options.into_iter().map(arg))
        .after_help(format!("Secrets, which are no options since every user of a machine can read those:{secrets}"))
}

fn arg(knob: &'static Knob) -> Arg {
    let arg = Arg::new(knob.flag).long(knob.flag).value_name(value_name(knob)).help(help(knob)).help_heading(knob.group).overrides_with(knob.flag);
    match knob.kind {
        Kind::Flag => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        // Values such as `-dlt` or `-1` belong to the option before them; whether they are good is said with all other problems.
        Kind::Number { .. } | Kind::Choice(_) | Kind::Text(_) | Kind::Secret => arg.num_args(1).allow_hyphen_values(true),
    }
}

fn value_name(knob: &Knob) -> &'static str {
    match knob.kind {
        Kind::Number { unit: Unit::Count, .. } => "N",
        Kind::Number { unit: Unit::Bytes, .. } => "BYTES",
        Kind::Number { unit: Unit::Kibibytes, .. } => "KIB",
        Kind::Number { unit: Unit::Microseconds, .. } => "US",
        Kind::Number { unit: Unit::Milliseconds, .. } => "MS",
        Kind::Number { unit: Unit::Seconds, .. } => "S",
        Kind::Choice(_) => "WORD",
        Kind::Flag => "true|false",
        Kind::Text(_) | Kind::Secret => "TEXT",
    }
}

fn help(knob: &Knob) -> String {
    let default = if knob.default.is_empty() { "empty" } else { knob.default };
    format!("{} [env: {}] [default: {default}] [allowed: {}]", knob.doc.trim_end_matches('.'), knob.env, knob.allowed())
}

/// The settings as Markdown: one table a group, for the README.
#[must_use]
pub fn markdown_table() -> String {
    let mut text = String::new();
    let mut group = "";
    for knob in knobs::ALL {
        if knob.group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            group = knob.group;
            // Writing to a String cannot fail.
            let _ = write!(text, "{gap}### {group}\n\n| option | variable | default | allowed | what it does |\n|---|---|---|---|---|\n");
        }
        let default = if knob.default.is_empty() { "(empty)".to_owned() } else { format!("`{}`", knob.default) };
        let option = if matches!(knob.kind, Kind::Secret) { "(none)".to_owned() } else { format!("`--{}`", knob.flag) };
        let row = [&option, &format!("`{}`", knob.env), &default, &knob.allowed(), knob.doc].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_sound_and_its_help_tells_all() {
        let mut command = args(Command::new("run"));
        command.clone().debug_assert();
        let help = command.render_long_help().to_string();
        for knob in knobs::ALL {
            let is_option = help.contains(&format!("--{}", knob.flag));
            assert!(
                is_option != matches!(knob.kind, Kind::Secret) && help.contains(&format!("[env: {}]", knob.env)) && help.contains(&knob.allowed()),
                "{}",
                knob.flag
            );
        }
    }

    #[test]
    fn the_table_has_a_row_of_five_cells_a_knob_and_one_heading_a_group() {
        let table = markdown_table();
        for knob in knobs::ALL {
            let rows: Vec<&str> = table.lines().filter(|line| line.contains(&format!("| `{}` |", knob.env))).collect();
            assert_eq!(rows.len(), 1, "{}", knob.flag);
            assert_eq!(rows[0].matches(" | ").count(), 4, "{}", rows[0]);
            assert_eq!(table.matches(&format!("### {}\n", knob.group)).count(), 1, "the rows of {} stand together", knob.group);
        }
    }

    #[test]
    fn hyphens_repeats_and_bare_flags_are_taken() {
        let line = ["run", "--dlt-suffix", "-dead", "--create-topics", "--workers", "1", "--workers", "2", "--pin=false", "--env-file", "a", "--env-file", "b"];
        let matches = args(Command::new("run")).try_get_matches_from(line).expect("good");
        let text = |flag: &str| matches.get_one::<String>(flag).map(String::as_str);
        assert_eq!([text("dlt-suffix"), text("create-topics"), text("workers"), text("pin")], [Some("-dead"), Some("true"), Some("2"), Some("false")]);
        assert_eq!(matches.get_many::<PathBuf>(ENV_FILE).map(Iterator::count), Some(2));
        assert_eq!(text("linger-ms"), None, "no default hides that nothing was given");
    }
}
