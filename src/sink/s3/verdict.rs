//! What an answer of the store, or none, means: done, try again, or stop and say which setting is to be mended.

use std::io;

use super::connection::Answer;
use crate::config::Config;
use crate::config::knobs::{S3_ENDPOINT, S3_ORDERBOOK_BUCKET, S3_REGION, S3_TICKER_BUCKET, S3_TOPICS};
use crate::sink::setting;

/// What to do about an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The store has done it.
    Done,
    /// It passes by itself: the store is away, slow or too busy.
    Again(String),
    /// It does not pass by itself.
    Stop(Stop),
}

/// Why nothing more can be written, in a sentence that names the setting and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What it is.
    pub cause: Cause,
    /// The sentence.
    pub message: String,
}

/// What an operator has to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The bucket is not there.
    NoBucket,
    /// The store does not know the keys, or a signature is not theirs.
    Keys,
    /// The keys are good, but may not do this.
    Rights,
    /// The clocks differ.
    Clock,
    /// The URL or the region is not the store's.
    Place,
    /// The store is not there, and nobody waits any longer.
    Away,
    /// Anything else that the store refuses.
    Refused,
}

/// What a failure to send or to receive means: nothing that would not pass. The names of a host that does not exist come here too, for name servers fail.
pub(super) fn of_failure(config: &Config, error: &io::Error) -> Verdict {
    use io::ErrorKind::{ConnectionRefused, TimedOut, UnexpectedEof, WouldBlock};
    let what = match error.kind() {
        WouldBlock | TimedOut => "did not answer in time".to_owned(),
        UnexpectedEof => "closed the connection without an answer".to_owned(),
        ConnectionRefused => "refuses connections".to_owned(),
        _ => format!("cannot be reached: {error}"),
    };
    Verdict::Again(format!("the store at {} {what}", setting(&S3_ENDPOINT, config.store.endpoint.as_str())))
}

/// What an answer to a request about `bucket` means.
pub(super) fn of_answer(config: &Config, bucket: &str, answer: &Answer) -> Verdict {
    let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(4096)]);
    let (code, said) = (element(&body, "Code").unwrap_or_default(), element(&body, "Message").unwrap_or_default());
    if (200..300).contains(&answer.status) {
        return Verdict::Done;
    }
    let words = [code, said].into_iter().filter(|word| !word.is_empty()).map(|word| word.chars().take(200).collect::<String>()).collect::<Vec<_>>();
    let told = if words.is_empty() { format!("status {}", answer.status) } else { format!("status {}: {}", answer.status, words.join(": ")) };
    let endpoint = setting(&S3_ENDPOINT, config.store.endpoint.as_str());
    let passes = matches!(code, "SlowDown" | "RequestTimeout" | "ServiceUnavailable" | "InternalError" | "OperationAborted" | "ClientDisconnected");
    // 499: a store that is going down says of requests it gives up that the client has gone.
    if answer.status >= 500 || matches!(answer.status, 408 | 425 | 429 | 499) || passes {
        return Verdict::Again(format!("the store at {endpoint} is in trouble ({told})"));
    }
    let cause = cause(answer.status, code, said);
    let keys = "HUB_S3_ACCESS_KEY and HUB_S3_SECRET_KEY (or their *_FILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) = ********";
    let remedy = match cause {
        Cause::NoBucket => format!("make it, use --create-bucket, or name another by {}", bucket_setting(config, bucket)),
        Cause::Keys => format!("the store does not accept {keys}: give it keys that it knows"),
        Cause::Rights => {
            format!("the store knows {keys}, but they may not do this: they need s3:PutObject on the bucket, and s3:ListBucket and s3:GetObject to verify")
        }
        Cause::Clock => format!("the clocks differ{}: set this machine's, or the store's", clocks(answer)),
        Cause::Place if code.is_empty() => format!("what answers at {endpoint} is no S3 store, or not where it is: correct the URL"),
        Cause::Place => format!("correct {} or {endpoint}", setting(&S3_REGION, &config.store.region)),
        Cause::Refused | Cause::Away => format!("see what the store at {endpoint} has against it"),
    };
    Verdict::Stop(Stop { cause, message: format!("bucket {bucket} at {}: {told}; {remedy}", config.store.endpoint) })
}

fn cause(status: u16, code: &str, said: &str) -> Cause {
    match code {
        "NoSuchBucket" => Cause::NoBucket,
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken" | "InvalidSecurity" => Cause::Keys,
        "RequestTimeTooSkewed" | "RequestNotReadyYet" | "ExpiredPresignRequest" => Cause::Clock,
        // Signed URLs that are too old, or not old enough.
        "AccessDenied" if said.contains("expired") || said.contains("not valid yet") => Cause::Clock,
        "AuthorizationHeaderMalformed"
        | "AuthorizationQueryParametersError"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "IllegalLocationConstraintException"
        | "InvalidRegion" => Cause::Place,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => Cause::Rights,
        _ if status == 401 || status == 403 => Cause::Rights,
        _ if (300..400).contains(&status) => Cause::Place,
        // Whoever speaks S3 gives a code.
        "" if status != 400 => Cause::Place,
        _ => Cause::Refused,
    }
}

/// How the clocks stand, where the store tells its own.
fn clocks(answer: &Answer) -> String {
    let store = answer.date.as_deref().and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
    let Some(store) = store else { return String::new() };
    let ahead = crate::observe::wall_millis().saturating_sub(store.as_millisecond()) / 1_000;
    format!(": this machine's is {} s {} the store's", ahead.unsigned_abs(), if ahead < 0 { "behind" } else { "ahead of" })
}

/// The text of the first element of this name.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0.trim())
}

/// The setting that names a bucket.
pub(super) fn bucket_setting(config: &Config, bucket: &str) -> String {
    let store = &config.store;
    let knob = match () {
        () if store.ticker.bucket == bucket => &S3_TICKER_BUCKET,
        () if store.orderbook.bucket == bucket => &S3_ORDERBOOK_BUCKET,
        () => &S3_TOPICS,
    };
    setting(knob, bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str) -> Verdict {
        let answer = Answer { status, date: Some("Tue, 09 Aug 2022 00:00:00 GMT".to_owned()), body: body.as_bytes().to_vec() };
        of_answer(&Config::default(), "ticker-data", &answer)
    }

    fn error(code: &str, message: &str) -> String {
        format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>")
    }

    #[test]
    fn what_passes_is_tried_again() {
        assert_eq!(verdict(200, ""), Verdict::Done);
        for (status, body) in [
            (500, ""),
            (503, &*error("SlowDown", "")),
            (502, "<html>"),
            (429, ""),
            (408, ""),
            (400, &error("RequestTimeout", "")),
            (499, &error("ClientDisconnected", "Client disconnected before response was ready")),
        ] {
            assert!(matches!(verdict(status, body), Verdict::Again(_)), "{status} {body}");
        }
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused, io::ErrorKind::NotFound] {
            let Verdict::Again(why) = of_failure(&Config::default(), &kind.into()) else { panic!("{kind}") };
            assert!(why.contains("--s3-endpoint / HUB_S3_ENDPOINT = \"http://127.0.0.1:9000/\""), "{why}");
        }
    }

    #[test]
    fn what_does_not_names_the_setting_and_the_remedy() {
        for (status, body, cause, words) in [
            (
                404,
                error("NoSuchBucket", "gone"),
                Cause::NoBucket,
                "--create-bucket, or name another by --s3-ticker-bucket / HUB_S3_TICKER_BUCKET = \"ticker-data\"",
            ),
            (403, error("InvalidAccessKeyId", ""), Cause::Keys, "HUB_S3_ACCESS_KEY"),
            (403, error("SignatureDoesNotMatch", ""), Cause::Keys, "********"),
            (403, error("RequestTimeTooSkewed", "too large"), Cause::Clock, "s ahead of the store's: set this machine's"),
            (403, error("AccessDenied", "Request has expired"), Cause::Clock, "the clocks differ"),
            (403, error("AccessDenied", "Access Denied"), Cause::Rights, "s3:PutObject"),
            (403, String::new(), Cause::Rights, "status 403"),
            (400, error("AuthorizationQueryParametersError", "the region is wrong"), Cause::Place, "HUB_S3_REGION"),
            (301, error("PermanentRedirect", ""), Cause::Place, "HUB_S3_ENDPOINT"),
            (404, "<html>".to_owned(), Cause::Place, "no S3 store"),
            (400, error("EntityTooLarge", ""), Cause::Refused, "EntityTooLarge"),
        ] {
            let Verdict::Stop(stop) = verdict(status, &body) else { panic!("{status} {body}") };
            assert_eq!(stop.cause, cause, "{body}");
            assert!(stop.message.contains(words), "{}", stop.message);
        }
    }
}
