//! One price level, and how its exchange spelled it.

use crate::decimal::Amount;

/// A price and the quantity resting there. In a delta, quantity 0 removes the price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// In the quote currency.
    pub price: Amount,
    /// In the base currency, absolute.
    pub quantity: Amount,
    /// Kept for OKX alone, whose checksum covers the texts as they were sent.
    pub spelling: Spelling,
}

impl Level {
    /// Whether the level counts: a price and a quantity above zero (contract, section 6).
    #[must_use]
    pub const fn counts(&self) -> bool {
        !self.price.is_zero() && !self.quantity.is_zero()
    }
}

/// What is needed to write price and quantity again as they were sent: their decimals, or both texts where they are
/// not in plain form with a fixed number of decimals (`1e5`, `007`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    price_decimals: u8,
    quantity_decimals: u8,
    odd: Option<Box<OddSpelling>>,
}

/// Price and quantity as they were sent.
type OddSpelling = (Box<[u8]>, Box<[u8]>);

impl Spelling {
    /// The spelling of a level that was sent as these two texts.
    #[must_use]
    pub fn of(price: &[u8], quantity: &[u8]) -> Self {
        match (fixed_decimals(price), fixed_decimals(quantity)) {
            (Some(price_decimals), Some(quantity_decimals)) => Self { price_decimals, quantity_decimals, odd: None },
            _ => Self { odd: Some(Box::new((price.into(), quantity.into()))), ..Self::default() },
        }
    }

    /// The spelling of a level whose texts have no superfluous zeros before, and these decimals.
    #[must_use]
    pub const fn fixed(price_decimals: u8, quantity_decimals: u8) -> Self {
        Self { price_decimals, quantity_decimals, odd: None }
    }

    /// Appends `price:quantity` as they were sent.
    pub fn write(&self, level: &Level, out: &mut Vec<u8>) {
        if let Some(odd) = &self.odd {
            out.extend_from_slice(&odd.0);
            out.push(b':');
            out.extend_from_slice(&odd.1);
            return;
        }
        // The decimals are those of the texts that were read, so no digit can be lost.
        let _ = level.price.write_fixed(self.price_decimals.into(), true, out);
        out.push(b':');
        let _ = level.quantity.write_fixed(self.quantity_decimals.into(), true, out);
    }
}

/// The number of decimals of a number in the common spelling: digits without a superfluous leading zero, then perhaps
/// a point and 1 to 18 digits.
fn fixed_decimals(text: &[u8]) -> Option<u8> {
    let (integer, fraction) = match text.iter().position(|&byte| byte == b'.') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[text.len()..]),
    };
    let common = matches!(integer, b"0" | [b'1'..=b'9', ..])
        && integer.iter().chain(fraction).all(u8::is_ascii_digit)
        && fraction.len() <= 18
        && (fraction.is_empty() == (integer.len() == text.len()));
    common.then_some(fraction.len() as u8)
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
                let level = Level { price: p, quantity: q, spelling: Spelling::of(price.as_bytes(), quantity.as_bytes()) };
                let mut out = Vec::new();
                level.spelling.write(&level, &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{price}:{quantity}"));
            }
        }
    }
}
