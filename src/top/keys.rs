//! What the keys choose: order, filter, help, and the end.

use std::cmp::Ordering;

use super::picture::Feed;

/// A key, or what belongs to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Character(char),
    /// The last character goes.
    Backspace,
    /// What is typed is done.
    Enter,
    /// What is typed, or shown, goes away.
    Escape,
}

/// By which column feeds are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As the hub tells them: by exchange.
    #[default]
    Exchange,
    /// The worst state first.
    State,
    /// The most frames a second first.
    Frames,
    /// The greatest lag first.
    Lag,
    /// The most dead letters first.
    DeadLetters,
    /// The most unverified books first.
    Unverified,
}

impl Sort {
    const ALL: [(char, Self); 6] =
        [('e', Self::Exchange), ('s', Self::State), ('f', Self::Frames), ('l', Self::Lag), ('d', Self::DeadLetters), ('u', Self::Unverified)];

    /// One word for the last line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::State => "state",
            Self::Frames => "frames",
            Self::Lag => "lag",
            Self::DeadLetters => "dead letters",
            Self::Unverified => "unverified",
        }
    }

    fn compare(self, left: &Feed, right: &Feed) -> Ordering {
        match self {
            Self::Exchange => Ordering::Equal,
            Self::State => badness(right).cmp(&badness(left)),
            Self::Frames => right.frames_per_s.total_cmp(&left.frames_per_s),
            Self::Lag => right.lag.cmp(&left.lag),
            Self::DeadLetters => right.dead_letters.cmp(&left.dead_letters),
            Self::Unverified => right.books_unverified.cmp(&left.books_unverified),
        }
    }
}

fn badness(feed: &Feed) -> u8 {
    match feed.state.as_str() {
        "OK" => 0,
        "START" => 1,
        "WARN" => 2,
        "STALE" => 3,
        "STALL" => 4,
        _ => 5,
    }
}

/// What the keys have chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The order.
    pub sort: Sort,
    /// Only feeds with this in exchange, kind or state, whatever the case.
    pub filter: String,
    /// Whether the filter is being typed.
    pub is_typing: bool,
    /// Whether help is shown.
    pub is_helping: bool,
    /// Whether it is over.
    pub is_over: bool,
}

impl View {
    /// Takes a key.
    pub fn press(&mut self, key: Key) {
        if self.is_typing {
            return self.type_in(key);
        }
        match key {
            Key::Character('q') => self.is_over = true,
            Key::Character('h' | '?') => self.is_helping = !self.is_helping,
            Key::Character('/') => self.is_typing = true,
            Key::Character(pressed) => {
                if let Some((_, sort)) = Sort::ALL.into_iter().find(|(key, _)| *key == pressed) {
                    self.sort = sort;
                }
            }
            Key::Escape if self.is_helping => self.is_helping = false,
            Key::Escape => self.filter.clear(),
            Key::Backspace | Key::Enter => {}
        }
    }

    fn type_in(&mut self, key: Key) {
        match key {
            Key::Character(typed) => self.filter.push(typed),
            Key::Backspace => drop(self.filter.pop()),
            Key::Enter => self.is_typing = false,
            Key::Escape => (self.is_typing, self.filter) = (false, String::new()),
        }
    }

    /// The feeds to show, in order.
    #[must_use]
    pub fn chosen<'p>(&self, feeds: &'p [Feed]) -> Vec<&'p Feed> {
        let wanted = self.filter.to_ascii_lowercase();
        let has = |feed: &&Feed| [&feed.exchange, &feed.kind, &feed.state].iter().any(|text| text.to_ascii_lowercase().contains(&wanted));
        let mut chosen: Vec<&Feed> = feeds.iter().filter(has).collect();
        // Those that are equal stay as the hub tells them.
        chosen.sort_by(|left, right| self.sort.compare(left, right));
        chosen
    }
}
