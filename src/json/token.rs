//! One value of a frame as its exchange wrote it: borrowed text, typed by its first byte, numbers unread.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use sonic_rs::LazyValue;

use super::text::unescape;

/// A value of a frame. A key that a frame does not have is [`Token::Absent`].
///
/// Borrowed from the frame but for what holds escapes, which real frames do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Token<'a> {
    /// The key is not there.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A bare number, as it is spelled.
    Number(Cow<'a, [u8]>),
    /// A string, without quotes and escapes.
    Text(Cow<'a, [u8]>),
    /// An array, brackets included.
    List(Cow<'a, str>),
    /// An object, braces included.
    Object(Cow<'a, str>),
}

impl<'a> Token<'a> {
    /// The token of a valid JSON value without white space around it.
    #[must_use]
    pub fn of(raw: Cow<'a, str>) -> Self {
        match raw.as_bytes().first() {
            Some(b'"') => Self::Text(match raw {
                Cow::Borrowed(raw) => unescape(&raw.as_bytes()[1..raw.len() - 1]).bytes,
                Cow::Owned(raw) => Cow::Owned(unescape(&raw.as_bytes()[1..raw.len() - 1]).bytes.into_owned()),
            }),
            Some(b'[') => Self::List(raw),
            Some(b'{') => Self::Object(raw),
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Bool,
            _ => Self::Number(match raw {
                Cow::Borrowed(raw) => Cow::Borrowed(raw.as_bytes()),
                Cow::Owned(raw) => Cow::Owned(raw.into_bytes()),
            }),
        }
    }

    /// Whether the key is there, `null` included.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Whether the key is there and its value is not `null`.
    #[must_use]
    pub const fn is_value(&self) -> bool {
        !matches!(self, Self::Absent | Self::Null)
    }

    /// The string, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is the string `text`.
    #[must_use]
    pub fn is_text(&self, text: &str) -> bool {
        self.text() == Some(text.as_bytes())
    }

    /// Text that begins with the object, or with the first element of the array if that is an object.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Object(text) => Some(text),
            Self::List(text) => text.get(1..).map(|rest| rest.trim_start_matches([' ', '\n', '\r', '\t'])).filter(|rest| rest.starts_with('{')),
            _ => None,
        }
    }

    /// What `read` makes of this token, or of its first element where it is a list, also through lists in lists; an
    /// empty list counts as `null`.
    pub fn with_scalar<R>(&self, read: impl FnOnce(&Token<'_>) -> R) -> R {
        match self {
            Self::List(text) => read(&first_scalar(text).map_or(Token::Null, |element| Token::of(Cow::Borrowed(element)))),
            _ => read(self),
        }
    }
}

/// The first element of a valid JSON array, or that of the first element while that is an array too.
fn first_scalar(list: &str) -> Option<&str> {
    let mut cursor = super::Cursor::new(list.as_bytes());
    while cursor.take(b'[') {}
    if cursor.peek() == Some(b']') {
        return None;
    }
    let element = cursor.skip(usize::MAX).ok()?;
    list.get(element.start..element.end)
}

impl<'de: 'a, 'a> Deserialize<'de> for Token<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = LazyValue::<'a>::deserialize(deserializer)?;
        Ok(Self::of(value.as_raw_cow()))
    }
}
