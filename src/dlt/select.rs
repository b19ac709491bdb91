//! Which letters are meant: where they stand, why they died, whose they are, when their input was written.

use super::letter::Letter;
use crate::market::Exchange;
use crate::outcome::Reason;

/// What a letter must be. Empty and `None` ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Its dead-letter topic, or the input topic that this belongs to.
    pub topic: Option<String>,
    /// Its partition.
    pub partition: Option<i32>,
    /// Its own offset in the dead-letter topic.
    pub offset: Option<i64>,
    /// Its reason is one of these.
    pub reasons: Vec<Reason>,
    /// Its exchange is one of these.
    pub exchanges: Vec<Exchange>,
    /// Its timestamp, which is that of its input record, is not below this one.
    pub from_ms: Option<i64>,
    /// Its timestamp is below this one.
    pub to_ms: Option<i64>,
}

impl Selection {
    /// Whether a letter of a partition that is selected is meant.
    #[must_use]
    pub fn takes(&self, letter: &Letter<'_>) -> bool {
        let timestamp_ms = letter.record.timestamp_ms;
        self.offset.is_none_or(|offset| offset == letter.record.offset)
            && (self.reasons.is_empty() || letter.reason.is_some_and(|reason| self.reasons.contains(&reason)))
            && (self.exchanges.is_empty() || letter.exchange.is_some_and(|exchange| self.exchanges.contains(&exchange)))
            && self.from_ms.is_none_or(|from| from <= timestamp_ms)
            && self.to_ms.is_none_or(|to| timestamp_ms < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlt::letter::tests::{OF_A_FRAME, record};

    #[test]
    fn every_condition_must_hold() {
        let letter = Letter::of(record(&OF_A_FRAME, None));
        let at = letter.record.timestamp_ms;
        let all = Selection {
            offset: Some(7),
            reasons: vec![Reason::Json, Reason::Levels],
            exchanges: vec![Exchange::Bybit],
            from_ms: Some(at),
            to_ms: Some(at + 1),
            ..Selection::default()
        };
        assert!(all.takes(&letter) && Selection::default().takes(&letter));
        for not in [
            Selection { offset: Some(8), ..all.clone() },
            Selection { reasons: vec![Reason::Json], ..all.clone() },
            Selection { exchanges: vec![Exchange::Okx], ..all.clone() },
            Selection { from_ms: Some(at + 1), ..all.clone() },
            Selection { to_ms: Some(at), ..all },
        ] {
            assert!(!not.takes(&letter), "{not:?}");
        }
        let nobodys = Letter::of(record(&[], None));
        assert!(Selection::default().takes(&nobodys));
        assert!(!Selection { exchanges: vec![Exchange::Bybit], ..Selection::default() }.takes(&nobodys));
    }
}
