//! Java's stack traces, shortened to what tells the reason.

/// How many characters one exception may have, so that a configuration which is told in full does not fill a screen.
const CHARS_MAX: usize = 300;

/// The exceptions of a trace, the outermost first: `first; caused by: second; ...` in one line.
#[must_use]
pub fn shortened(trace: &str) -> String {
    let mut found: Vec<String> = Vec::new();
    for line in trace.lines() {
        let is_cause = line.trim_start().strip_prefix("Caused by: ");
        let frame = line.starts_with(['\t', ' ']) || line.trim().is_empty();
        match (is_cause, found.last_mut()) {
            (Some(cause), _) => found.push(cause.to_owned()),
            (None, None) => found.push(line.to_owned()),
            // Some messages have lines of their own.
            (None, Some(last)) if !frame => last.extend([" ", line]),
            _ => {}
        }
    }
    // A message often tells its cause already.
    found.dedup_by(|next, last| last.contains(next.as_str()));
    let cut = |text: &String| match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.clone(),
    };
    found.iter().map(cut).collect::<Vec<_>>().join("; caused by: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_stay_and_frames_go() {
        let trace = "org.apache.kafka.connect.errors.ConnectException: Couldn't find or create file '/no/out.txt' for FileStreamSinkTask\n\tat \
                     org.apache.kafka.connect.file.FileStreamSinkTask.start(FileStreamSinkTask.java:74)\nCaused by: java.nio.file.NoSuchFileException: \
                     /no/out.txt\n\tat java.base/sun.nio.fs.UnixException.translateToIOException(UnixException.java:92)\n\t... 10 more\n";
        assert_eq!(
            shortened(trace),
            "org.apache.kafka.connect.errors.ConnectException: Couldn't find or create file '/no/out.txt' for FileStreamSinkTask; caused by: \
             java.nio.file.NoSuchFileException: /no/out.txt"
        );
        assert_eq!(shortened("a: b\nmore of b\n\tat x\nCaused by: b\n"), "a: b more of b");
        assert_eq!(shortened(""), "");
        assert_eq!(shortened(&"\u{e9}".repeat(400)).chars().count(), CHARS_MAX + 3);
    }
}
