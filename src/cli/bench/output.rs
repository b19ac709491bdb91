//! Files that the bench reads and writes.

use std::fmt;
use std::fs;
use std::path::Path;

use super::options::Options;
use crate::bench::{Curve, Data, Outcome, Sample, hgrm, svg};
use crate::cli::Failure;
use crate::config::Config;

/// An earlier run.
pub(super) fn read(path: &Path) -> Result<Outcome, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::new(Failure::NO_INPUT, format_args!("--compare {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(Failure::BAD_INPUT, format_args!("--compare {}: it is no output of --json: {error}", path.display())))
}

/// Everything that was asked for.
pub(super) fn write(options: &Options, outcome: &Outcome) -> Result<(), Failure> {
    if let Some(path) = &options.json {
        write_file(path, format_args!("{}\n", outcome.json()))?;
    }
    if let Some(folder) = &options.hgrm {
        fs::create_dir_all(folder).map_err(|error| Failure::new(Failure::IO, format_args!("--hgrm {}: {error}", folder.display())))?;
        for curve in &outcome.curves {
            write_file(&folder.join(format!("{}.hgrm", file_name(curve))), hgrm(&curve.histogram))?;
        }
    }
    if let Some(path) = &options.svg {
        // Through a broker, where that was measured: that is what users see.
        let through: Vec<&Curve> = outcome.curves.iter().filter(|curve| curve.part.starts_with("paced")).collect();
        let shown = if through.is_empty() { outcome.curves.iter().collect() } else { through };
        let title = shown.first().map_or_else(|| "Latency".to_owned(), |curve| format!("Latency: {}", curve.part));
        write_file(path, svg(&title, &outcome.machine, &shown))?;
    }
    Ok(())
}

/// Envelopes as a record file, opening and all.
pub(super) fn write_input(path: &Path, sample: &Sample, bytes: usize, config: &Config) -> Result<(), Failure> {
    let data = Data::up_to(sample, bytes);
    let topic = &config.names(sample.stream()).input;
    let mut text = String::new();
    for (offset, envelope) in data.opening.iter().chain(&data.envelopes).enumerate() {
        let (key, value) = (&envelope.key, String::from_utf8_lossy(&envelope.value));
        let partition = sample.exchange.partition();
        let line =
            serde_json::json!({"topic": topic, "partition": partition, "offset": offset, "timestamp_ms": envelope.timestamp_ms, "key": key, "value": value});
        text.push_str(&format!("{line}\n"));
    }
    write_file(path, text)
}

fn write_file(path: &Path, content: impl fmt::Display) -> Result<(), Failure> {
    fs::write(path, content.to_string()).map_err(|error| Failure::new(Failure::IO, format_args!("{}: {error}", path.display())))
}

/// What a file of a curve is called: letters, digits and hyphens.
fn file_name(curve: &Curve) -> String {
    let plain = format!("{} {}", curve.part, curve.name).to_lowercase();
    let words: Vec<&str> = plain.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}
