//! One record as a line.

use std::io::{self, Write};

use log::Record;
use serde_json::json;

/// Writes a record with the present time.
pub(super) fn write(out: &mut impl Write, record: &Record<'_>, is_json: bool) -> io::Result<()> {
    let time = jiff::Timestamp::now();
    let module = record.module_path().unwrap_or_default();
    if is_json {
        let line = json!({
            "time": format!("{time:.3}"),
            "level": record.level().as_str(),
            "module": module,
            "message": record.args().to_string(),
        });
        return writeln!(out, "{line}");
    }
    writeln!(out, "[{time:.0} {:<5} {module}] {}", record.level(), record.args())
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    fn written(is_json: bool) -> String {
        let mut out = Vec::new();
        let record = |out: &mut Vec<u8>| {
            write(out, &Record::builder().level(Level::Warn).module_path(Some("hub::lane")).args(format_args!("a \"word\"\nand more")).build(), is_json)
        };
        record(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_has_time_level_and_module() {
        let line = written(false);
        assert!(line.starts_with("[20") && line.contains("Z WARN  hub::lane] a \"word\""), "{line}");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let line = written(true);
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((object["level"].as_str(), object["message"].as_str()), (Some("WARN"), Some("a \"word\"\nand more")));
        assert!(object["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
    }
}
