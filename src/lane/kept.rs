//! One kept book of a lane, and what must be known of its past: where it can be rebuilt from, since when it is in doubt, and
//! whether its snapshot was asked for.

use super::At;
use crate::book::{Action, Applied, Book, BookRules, Digest, Frame, Instrument, Summary, Texts};
use crate::envelope::Symbol;
use crate::event_time::EventTime;
use crate::market::Exchange;
use crate::outcome::ResyncReason;

/// What a frame did to its book, and the book after it.
pub(super) struct Change {
    pub(super) applied: Applied,
    pub(super) summary: Summary,
    pub(super) is_live: bool,
    /// Why its snapshot must be asked for: it has become unverified just now.
    pub(super) doubt: Option<ResyncReason>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Kept {
    of: (Exchange, Symbol, Instrument),
    book: Book,
    rules: BookRules,
    /// The digest of the key.
    name: Digest,
    /// Whether no frame was applied yet.
    is_new: bool,
    /// The offset of its last snapshot, or of the delta that it began with.
    since: i64,
    has_snapshot: bool,
    /// Whether a checksum could be held against it.
    is_checked: bool,
    /// When it became unverified, if it is.
    unverified_since_ms: i64,
    /// Whether a restart may have lost it, so that nobody has asked for its snapshot yet.
    is_lost: bool,
}

impl Kept {
    /// An empty book that begins with the frame at hand.
    pub(super) fn new(key: &[u8], rules: BookRules, at: &At<'_>, frame: &Frame) -> Self {
        Self {
            of: (at.exchange, *at.symbol, frame.instrument.clone()),
            book: Book::new(rules.depth),
            rules,
            name: Digest::of(key),
            is_new: true,
            since: at.input.offset,
            has_snapshot: false,
            is_checked: false,
            unverified_since_ms: 0,
            is_lost: false,
        }
    }

    /// Whether it is the book that the frame belongs to.
    #[inline]
    pub(super) fn is_of(&self, at: &At<'_>, frame: &Frame) -> bool {
        let (exchange, symbol, instrument) = &self.of;
        *exchange == at.exchange && *symbol == *at.symbol && *instrument == frame.instrument
    }

    /// Applies a snapshot or a delta. Where deep books may be lost (`lost_deep`), a checksum does not suffice without a snapshot. `texts`
    /// is scratch space for the checksum.
    pub(super) fn apply(&mut self, at: &At<'_>, frame: &Frame, lost_deep: bool, texts: &mut Texts) -> Change {
        let is_snapshot = self.rules.can_be_live && frame.action == Action::Snapshot;
        let suffices = self.rules.checksum_suffices && (!lost_deep || self.has_snapshot);
        let rules = BookRules { checksum_suffices: suffices, ..self.rules };
        if is_snapshot {
            (self.since, self.has_snapshot) = (at.input.offset, true);
        }
        // A snapshot makes it live, if only for the moment until its checksum is seen not to fit.
        let was_live = self.book.is_live() || is_snapshot;
        let applied = self.book.apply(frame, &rules, texts);
        let is_live = self.book.is_live();
        let doubt = match applied {
            Applied::Stale => None,
            Applied::Changed { gap, checksum } => {
                self.is_checked |= checksum.is_some();
                self.doubt(was_live, gap)
            }
        };
        if self.is_new || was_live && !is_live {
            self.unverified_since_ms = if at.input.timestamp_ms > 0 { at.input.timestamp_ms } else { frame.time.map_or(0, EventTime::millis) };
        }
        self.is_new = false;
        self.is_lost &= doubt.is_none() && !is_live;
        Change { applied, summary: self.book.summary(), is_live, doubt }
    }

    /// Why the snapshot must be asked for, after a frame that was applied.
    const fn doubt(&self, was_live: bool, gap: bool) -> Option<ResyncReason> {
        if !self.rules.can_be_live {
            return None;
        }
        match (was_live, self.book.is_live()) {
            (true, false) => Some(if gap { ResyncReason::Gap } else { ResyncReason::Checksum }),
            (false, _) if self.is_new => Some(ResyncReason::NoSnapshot),
            (false, false) if self.is_lost => Some(ResyncReason::NoSnapshot),
            (true, true) | (false, _) => None,
        }
    }

    /// A replay that began in the middle is over: if no snapshot made the book live, nothing tells whether it was live before.
    pub(super) const fn doubt_unverified(&mut self) {
        self.is_lost = !self.has_snapshot && !self.book.is_live();
    }

    /// Whether it comes back when the frames from [`Kept::since`] on are read again, and must: later frames may give a record that shows no
    /// doubt without another snapshot, since it is live, or since a checksum can make it so. Where deep books may be lost, a checksum
    /// cannot.
    pub(super) const fn comes_back(&self, deep: bool) -> bool {
        let may_live = self.is_checked && self.book.lives_by_checksum();
        if deep { self.has_snapshot && self.book.is_live() } else { self.book.is_live() || may_live }
    }

    pub(super) const fn since(&self) -> i64 {
        self.since
    }

    pub(super) fn digest(&self) -> u64 {
        self.book.digest(self.name).value()
    }

    pub(super) const fn is_deep(&self) -> bool {
        self.book.is_deep()
    }

    pub(super) const fn can_be_live(&self) -> bool {
        self.rules.can_be_live
    }

    /// `None` if it is live.
    pub(super) const fn unverified_since_ms(&self) -> Option<i64> {
        if self.book.is_live() { None } else { Some(self.unverified_since_ms) }
    }
}
