//! How many bytes of a kind a text begins with, eight at a time.

/// Bytes that stand in a JSON string for themselves and do not end it.
pub(super) const IS_PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        plain[control] = false;
        control += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// How many bytes at the start of `text` stand for themselves.
#[inline]
pub(super) fn plain_bytes(text: &[u8]) -> usize {
    let mut count = 0;
    while let Some(eight) = text[count..].first_chunk::<8>() {
        let plain = plain_of_eight(*eight);
        count += plain;
        if plain < 8 {
            return count;
        }
    }
    count + text[count..].iter().take_while(|&&byte| IS_PLAIN[usize::from(byte)]).count()
}

/// As [`plain_bytes`], of eight at once: the top bit of each byte of `special` marks a quote, a backslash or a control
/// character. Marks above the first may be wrong, for a subtraction borrows from above only; the first is right.
#[inline]
pub(super) fn plain_of_eight(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let word = u64::from_le_bytes(bytes);
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let special = (equal(b'"') | equal(b'\\') | below(word, 0x20)) & TOPS;
    (special.trailing_zeros() / 8) as usize
}

/// How many digits `text` begins with.
#[inline]
pub(super) fn digits(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let mut count = 0;
    while let Some(eight) = text[count..].first_chunk::<8>() {
        // Digits become the numbers below 10; what is not below has the top bit then, or with 118 added. A carry reaches upwards only: the first mark is
        // right.
        let values = u64::from_le_bytes(*eight) ^ (ONES * 0x30);
        let marks = (values | values.wrapping_add(ONES * 118)) & (ONES << 7);
        count += (marks.trailing_zeros() / 8) as usize;
        if marks != 0 {
            return count;
        }
    }
    count + text[count..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_bytes_are_looked_at_as_one(bytes in any::<[u8; 8]>(), at in 0_usize..8, special in prop_oneof![Just(b'"'), Just(b'\\'), 0_u8..0x22, Just(0x7f), Just(0x80), Just(0xff)]) {
            let mut bytes = bytes.map(|byte| byte | 0x40);
            bytes[at] = special;
            prop_assert_eq!(plain_of_eight(bytes), bytes.iter().take_while(|&&byte| IS_PLAIN[usize::from(byte)]).count());
        }

        #[test]
        fn digits_are_counted(digits in "[0-9]{0,20}", rest: Vec<u8>) {
            let text = [digits.as_bytes(), &rest].concat();
            prop_assert_eq!(super::digits(&text), text.iter().take_while(|byte| byte.is_ascii_digit()).count());
        }
    }
}
