//! Fills a wire struct in one strict walk over the text, which checks syntax and depth on its way.

use std::borrow::Cow;

use super::guard::check;
use super::{Cursor, Skipped, Token, Wire, unescape};
use crate::outcome::Reason;

/// Reads the object in `text` into a wire struct.
///
/// # Errors
/// [`Reason::Json`] or [`Reason::Depth`], whichever comes first in the text; [`Reason::Shape`] if it is JSON but no
/// object.
pub fn walk<'a, W: Wire<'a>>(text: &'a str, depth_max: usize) -> Result<W, Reason> {
    let mut cursor = Cursor::new(text.as_bytes());
    if cursor.peek() != Some(b'{') {
        check(text, depth_max)?;
        return Err(Reason::Shape);
    }
    let wire = members(text, &mut cursor, |cursor| cursor.skip(depth_max - 1))?;
    cursor.end()?;
    Ok(wire)
}

/// Reads the object at the start of `text`, which is part of a frame that has been checked, up to its end.
///
/// # Errors
/// [`Reason::Json`] if it has not been checked.
pub fn walk_part<'a, W: Wire<'a>>(text: &'a str) -> Result<W, Reason> {
    members(text, &mut Cursor::new(text.as_bytes()), Cursor::skip_checked)
}

fn members<'a, W: Wire<'a>>(text: &'a str, cursor: &mut Cursor<'a>, skip: impl Fn(&mut Cursor<'a>) -> Result<Skipped, Reason>) -> Result<W, Reason> {
    let mut wire = W::default();
    cursor.expect(b'{')?;
    let mut first = true;
    while cursor.next_member(first, b'}')? {
        first = false;
        let key = cursor.key()?;
        let value = skip(cursor)?;
        let slot = if key.contains(&b'\\') { wire.slot(&unescape(key).bytes) } else { wire.slot(key) };
        if let Some(slot) = slot {
            *slot = Token::of(Cow::Borrowed(text.get(value.start..value.end).ok_or(Reason::Json)?));
        }
    }
    Ok(wire)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{read, wire_struct};
    use proptest::prelude::*;

    wire_struct!(Frame { price: "price", nested: "nested" });

    proptest! {
        #[test]
        fn a_walk_reads_what_sonic_reads(body in "(\"(price|a|nested|pr\\\\u0069ce)\":([\\[\\]{}\",:0-9.eE+\\- \\\\utrfalsn]{0,12}|\"[0-9.]{1,5}\"|\\[\\]|null),?){0,3}") {
            let text = format!("{{{body}}}");
            let fields = |frame: Frame<'_>| format!("{:?} {:?}", frame.price, frame.nested);
            prop_assert_eq!(walk::<Frame<'_>>(&text, 3).map(fields), read::<Frame<'_>>(&text, 3).map(fields));
        }
    }
}
