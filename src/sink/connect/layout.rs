//! Under which keys a connector's objects appear, as far as its properties tell: in the words of `--s3-object-key`.

use super::connector::Connector;
use super::preset::Preset;
use crate::config::KeyPattern;

/// The keys of a connector's objects: `topics/{topic}/year={year}/.../{topic}+{partition}+{offset10}.json.gz`, where the offset is that of an object's first
/// record, of so many digits. `None` where only the class knows.
#[must_use]
pub fn keys(connector: &Connector) -> Option<String> {
    match connector.preset {
        Preset::Confluent => confluent(connector),
        Preset::Aiven => Some(aiven(connector)),
        Preset::Other(_) => None,
    }
}

/// The same as a pattern that reads keys.
///
/// # Errors
/// Why they cannot be read, in a sentence.
pub fn key_pattern(connector: &Connector) -> Result<KeyPattern, String> {
    let text = keys(connector).ok_or_else(|| format!("{}: where objects of {} appear is not known", connector.name, connector.preset.class()))?;
    // A number is read whatever its width; an hour is read, and not looked at, as a day is.
    let readable = text.replace("{offset20}", "{offset}").replace("{partition10}", "{partition}").replace("{hour}", "{day}");
    KeyPattern::parse(&readable).map_err(|wrong| format!("{}: keys such as {text} cannot be read: {}", connector.name, wrong.join("; ")))
}

fn confluent(connector: &Connector) -> Option<String> {
    let or = |name: &str, default: &str| Some(connector.property(name)).filter(|value| !value.is_empty()).unwrap_or(default).to_owned();
    let last = |name: &str| connector.property(name).rsplit('.').next().unwrap_or_default();
    let path = match last("partitioner.class") {
        "DailyPartitioner" => "year={year}/month={month}/day={day}".to_owned(),
        "HourlyPartitioner" => "year={year}/month={month}/day={day}/hour={hour}".to_owned(),
        "TimeBasedPartitioner" => joda(connector.property("path.format"))?,
        "" | "DefaultPartitioner" => "partition={partition}".to_owned(),
        _ => return None,
    };
    let offset = match or("filename.offset.zero.pad.width", "10").as_str() {
        "10" => "{offset10}",
        _ => "{offset}",
    };
    let gz = if connector.property("s3.compression.type") == "gzip" { ".gz" } else { "" };
    let extension = match last("format.class") {
        "ByteArrayFormat" => or("format.bytearray.extension", ".bin") + gz,
        "JsonFormat" => format!(".json{gz}"),
        "AvroFormat" => ".avro".to_owned(),
        "ParquetFormat" => ".parquet".to_owned(),
        _ => return None,
    };
    let (folder, slash, delimiter) = (or("topics.dir", "topics"), or("directory.delim", "/"), or("file.delim", "+"));
    Some(format!("{folder}{slash}{{topic}}{slash}{path}{slash}{{topic}}{delimiter}{{partition}}{delimiter}{offset}{extension}"))
}

/// A `path.format`, in which text stands in quotes and fields do not; `None` for fields that are none of ours.
fn joda(format: &str) -> Option<String> {
    let mut path = String::new();
    for (index, piece) in format.split('\'').enumerate() {
        if index % 2 == 1 {
            path.push_str(piece);
            continue;
        }
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            let length = if first.is_ascii_alphabetic() { rest.len() - rest.trim_start_matches(first).len() } else { first.len_utf8() };
            let (field, left) = rest.split_at(length);
            path.push_str(match field {
                "YYYY" | "yyyy" => "{year}",
                "MM" => "{month}",
                "dd" => "{day}",
                "HH" => "{hour}",
                _ if first.is_ascii_alphabetic() => return None,
                text => text,
            });
            rest = left;
        }
    }
    Some(path)
}

fn aiven(connector: &Connector) -> String {
    let template = match connector.property("file.name.template") {
        "" => "{{topic}}-{{partition}}-{{start_offset}}",
        template => template,
    };
    let (mut key, mut rest) = (connector.property("file.name.prefix").to_owned(), template);
    while let Some((before, (inner, after))) = rest.split_once("{{").and_then(|(before, open)| Some((before, open.split_once("}}")?))) {
        key.push_str(before);
        let compact: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
        match compact.as_str() {
            "topic" => key.push_str("{topic}"),
            "partition" | "partition:padding=false" => key.push_str("{partition}"),
            "partition:padding=true" => key.push_str("{partition10}"),
            "start_offset" | "start_offset:padding=false" => key.push_str("{offset}"),
            "start_offset:padding=true" => key.push_str("{offset20}"),
            "timestamp:unit=yyyy" => key.push_str("{year}"),
            "timestamp:unit=MM" => key.push_str("{month}"),
            "timestamp:unit=dd" => key.push_str("{day}"),
            "timestamp:unit=HH" => key.push_str("{hour}"),
            other => key.extend(["{", other, "}"]),
        }
        rest = after;
    }
    key + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn connector(class: &str, properties: &[(&str, &str)]) -> Connector {
        let mut config = Config::default();
        config.connect.class = class.to_owned();
        config.connect.properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Connector::all(&config).swap_remove(0)
    }

    #[test]
    fn confluents_keys_are_those_of_our_own_writer_and_follow_its_properties() {
        assert_eq!(keys(&connector("confluent", &[])).as_deref(), Some(KeyPattern::CONFLUENT));
        let with = |name: &str, value: &str| keys(&connector("confluent", &[(name, value)]));
        let daily = with("partitioner.class", "a.b.DailyPartitioner");
        assert_eq!(daily.as_deref(), Some(KeyPattern::CONFLUENT), "it has a path of its own, which is the same");
        assert_eq!(with("path.format", "'d'=YYYYMMdd").as_deref(), Some("topics/{topic}/d={year}{month}{day}/{topic}+{partition}+{offset10}.json.gz"));
        assert_eq!(with("path.format", "'w'=ww"), None);
        assert!(with("file.delim", "-").is_some_and(|keys| keys.ends_with("/{topic}-{partition}-{offset10}.json.gz")));
        assert!(with("partitioner.class", "").is_some_and(|keys| keys.contains("/partition={partition}/")));
    }

    #[test]
    fn keys_of_both_are_read_with_partition_and_offset() {
        let topic = "Region.Korea_TickerPreprocessing";
        for (class, offset) in [("confluent", "0000000040"), ("aiven", "00000000000000000040")] {
            let pattern = key_pattern(&connector(class, &[])).unwrap();
            let key = format!("topics/{topic}/year=2026/month=08/day=12/{topic}+3+{offset}.json.gz");
            assert_eq!(pattern.read(topic, &key), Some((3, 40)), "{class}");
        }
        let plain = key_pattern(&connector("aiven", &[("file.name.template", "")])).unwrap();
        assert_eq!(plain.read(topic, &format!("{topic}-3-40")), Some((3, 40)));
        assert!(key_pattern(&connector("aiven", &[("file.name.template", "{{key}}")])).unwrap_err().contains("cannot be read"));
        assert!(key_pattern(&connector("a.B", &[])).unwrap_err().contains("a.B"));
    }
}
