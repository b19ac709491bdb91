//! Reads files of `NAME=value` lines, as `--env-file` takes them.

use std::collections::BTreeMap;

/// One file's variables, and what could not be read of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Value and line number (from 1) by name; of a name given more than once the last.
    pub variables: BTreeMap<String, (String, usize)>,
    /// Line number and one sentence for each bad line. Never quotes the line: it may hold a secret.
    pub wrong: Vec<(usize, String)>,
    /// Line number and one sentence for what works but is hardly meant.
    pub odd: Vec<(usize, String)>,
}

/// Takes `text` apart: `#` comments (at the start of a line or after white space), blank lines, and `NAME=value` with an optional `export ` before it.
/// A value may stand in single quotes (taken as it is) or double quotes (`\"`, `\\`, `\n` and `\t` are replaced).
#[must_use]
pub fn parse(text: &str) -> Lines {
    let mut lines = Lines::default();
    for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let number = index + 1;
        match assignment(line.trim()) {
            Ok(None) => {}
            Err(why) => lines.wrong.push((number, why)),
            Ok(Some((name, value))) => {
                if let Some((_, earlier)) = lines.variables.insert(name.to_owned(), (value, number)) {
                    lines.odd.push((number, format!("{name} is given again; line {earlier} has no effect")));
                }
            }
        }
    }
    lines
}

/// The name and value of one trimmed line; `None` for a blank line or a comment.
fn assignment(line: &str) -> Result<Option<(&str, String)>, String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).map_or(line, str::trim_start);
    let Some((name, value)) = line.split_once('=') else {
        return Err("no NAME=value".to_owned());
    };
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("a name is made of letters, digits and _, with no space before the =".to_owned());
    }
    Ok(Some((name, value_of(value)?)))
}

fn value_of(text: &str) -> Result<String, String> {
    let trimmed = text.trim_start();
    match trimmed.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(trimmed, quote),
        _ => Ok(before_comment(text).trim().to_owned()),
    }
}

/// What stands before a `#` that follows white space.
fn before_comment(text: &str) -> &str {
    let mut blank = false;
    let end = text.char_indices().find(|&(_, c)| {
        let starts_comment = c == '#' && blank;
        blank = c.is_whitespace();
        starts_comment
    });
    end.map_or(text, |(end, _)| &text[..end])
}

fn quoted(text: &str, quote: char) -> Result<String, String> {
    let mut value = String::new();
    let mut rest = text[1..].chars();
    loop {
        match rest.next() {
            None => return Err(format!("the closing {quote} is missing")),
            Some(c) if c == quote => break,
            Some('\\') if quote == '"' => match rest.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(c @ ('"' | '\\')) => value.push(c),
                _ => return Err("in double quotes a \\ stands only before \", \\, n or t".to_owned()),
            },
            Some(c) => value.push(c),
        }
    }
    let after = rest.as_str();
    if before_comment(after).trim().is_empty() { Ok(value) } else { Err(format!("text follows the closing {quote}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_values_comments_and_quotes() {
        for (line, value) in [
            ("A=1", "1"),
            ("  export  A=1  ", "1"),
            ("export\tA=1", "1"),
            ("A= 1 2 ", "1 2"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=x#y", "x#y"),
            ("A=x # y", "x"),
            ("A=b=c", "b=c"),
            ("A='x # \"y\" \\n' # z", "x # \"y\" \\n"),
            (r#"A="x \"y\" \\ \n""#, "x \"y\" \\ \n"),
            ("A=it's", "it's"),
        ] {
            let lines = parse(line);
            assert_eq!(lines.variables.get("A"), Some(&(value.to_owned(), 1)), "{line}");
            assert_eq!(lines.wrong, [], "{line}");
        }
        assert_eq!(parse("\u{feff}# only\n\n   \r\n\t# comments\r\n"), Lines::default());
    }

    #[test]
    fn names_the_line_of_each_mistake_without_quoting_it() {
        let lines = parse("A=1\nsecret\nB =2\n1C=3\n=4\nD='secret\nE=\"a\" secret\nF=\"\\x\"\nexport\nA=5\n");
        assert_eq!(lines.wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(lines.wrong.iter().all(|(_, why)| !why.contains("secret")));
        assert_eq!(lines.variables, BTreeMap::from([("A".to_owned(), ("5".to_owned(), 10))]));
        assert_eq!(lines.odd, [(10, "A is given again; line 1 has no effect".to_owned())]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(([A-Z]{1,3}=)?[\"' #\\\\=a-z\u{e9}\u{3000}]{0,12}\n){0,6}|\\PC{0,40}") {
            let lines = parse(&text);
            prop_assert!(lines.variables.len() + lines.wrong.len() <= text.lines().count());
        }

        #[test]
        fn a_quoted_value_reads_back(value in "\\PC{0,30}") {
            let line = format!("A=\"{}\" # end", value.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(parse(&line).variables.remove("A").map(|(value, _)| value), Some(value));
        }
    }
}
