//! One price level, and how its exchange spelled it where that is not the common way.

use crate::decimal::Amount;

/// A price and the quantity resting there. In a delta, quantity 0 removes the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// In the quote currency.
    pub price: Amount,
    /// In the base currency, absolute.
    pub quantity: Amount,
}

impl Level {
    /// Whether the level counts: a price and a quantity above zero (contract, section 6).
    #[must_use]
    pub const fn counts(&self) -> bool {
        !self.price.is_zero() && !self.quantity.is_zero()
    }
}

/// Price and quantity as they were sent, of a level that was not sent in the shortest form (`10.50`, `1e5`, `007`).
///
/// Kept for OKX alone, whose checksum covers the texts as they were sent. It sends the shortest form, so that nearly no
/// level has one: books keep them apart from the levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddSpelling {
    price: Box<[u8]>,
    quantity: Box<[u8]>,
}

impl OddSpelling {
    /// The spelling of a level that was sent as these two texts; `None` if both are the shortest.
    #[must_use]
    pub fn of(price: &[u8], quantity: &[u8]) -> Option<Self> {
        let is_odd = !is_shortest(price) || !is_shortest(quantity);
        is_odd.then(|| Self { price: price.into(), quantity: quantity.into() })
    }
}

/// Appends `price:quantity` as they were sent.
pub(super) fn write_as_sent(level: &Level, odd: Option<&OddSpelling>, out: &mut Vec<u8>) {
    match odd {
        Some(odd) => {
            out.extend_from_slice(&odd.price);
            out.push(b':');
            out.extend_from_slice(&odd.quantity);
        }
        None => {
            level.price.write_shortest(out);
            out.push(b':');
            level.quantity.write_shortest(out);
        }
    }
}

/// Whether a number is spelled in the shortest form: digits without a superfluous leading zero, then perhaps a point and
/// digits of which the last is no zero. The text must be an accepted number.
fn is_shortest(text: &[u8]) -> bool {
    let (integer, fraction) = match text.iter().position(|&byte| byte == b'.') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[text.len()..]),
    };
    matches!(integer, b"0" | [b'1'..=b'9', ..])
        && integer.iter().chain(fraction).all(u8::is_ascii_digit)
        && fraction.last() != Some(&b'0')
        && fraction.is_empty() == (integer.len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_spelling_comes_back(price in "[+]?[0-9]{1,6}(\\.[0-9]{1,20})?(e[0-9])?", quantity in "[0-9]{1,12}(\\.0{0,9}[0-9]{1,9})?") {
            let amount = |text: &str| Decimal::parse(text.as_bytes()).ok().and_then(Decimal::amount);
            if let (Some(p), Some(q)) = (amount(&price), amount(&quantity)) {
                let odd = OddSpelling::of(price.as_bytes(), quantity.as_bytes());
                let mut out = Vec::new();
                write_as_sent(&Level { price: p, quantity: q }, odd.as_ref(), &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{price}:{quantity}"));
            }
        }
    }

    #[test]
    fn the_shortest_form_is_not_kept() {
        for (price, quantity, kept) in
            [("100", "0.05", false), ("0", "12.5", false), ("1.0", "1", true), ("1", "1.50", true), ("01", "1", true), ("1", "1e2", true)]
        {
            assert_eq!(OddSpelling::of(price.as_bytes(), quantity.as_bytes()).is_some(), kept, "{price} {quantity}");
        }
    }
}
