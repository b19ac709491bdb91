//! What others wrote, made harmless for terminals: nothing that is printed moves a cursor, hides a line or turns the direction of text.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Bytes for people: text as it is, with a backslash before what terminals would act on, and `\xff` for what is no text.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' => text.push(character),
                other => text.extend(other.escape_debug()),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// A value as JSON in one line of printable ASCII: all else is escaped as JSON does it.
pub(super) fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    let mut line = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut line, AsciiOnly))?;
    line.push(b'\n');
    // Nothing but ASCII is written.
    Ok(String::from_utf8_lossy(&line).into_owned())
}

struct AsciiOnly;

impl Formatter for AsciiOnly {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if character == ' ' || character.is_ascii_graphic() {
                writer.write_all(&[character as u8])?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_comes_through() {
        let text = "a\"b\\\u{1b}[2J\u{7f}\u{9b}\u{202e}\n\t\u{d55c}\u{0}";
        assert_eq!(escaped(text.as_bytes()), "a\"b\\\\\\u{1b}[2J\\u{7f}\\u{9b}\\u{202e}\\n\\t\u{d55c}\\0");
        assert_eq!(escaped(b"x\xff\xed\xa0\x80y"), "x\\xff\\xed\\xa0\\x80y");
        let line = json_line(&text).unwrap();
        assert!(line.trim_end().bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        assert_eq!(json_line(&"\u{1f600}").unwrap(), "\"\\ud83d\\ude00\"\n");
    }

    #[test]
    fn every_character_comes_back_from_json() {
        let all: String = ('\0'..=char::MAX).step_by(7).collect();
        assert_eq!(serde_json::from_str::<String>(&json_line(&all).unwrap()).unwrap(), all);
    }
}
