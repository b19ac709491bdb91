//! Decimals against the contract's examples, against each other, and against another library.

use super::read::digits_of_eight;
use super::*;
use crate::machine::Portable;
use proptest::prelude::*;
use rust_decimal::RoundingStrategy;
use std::str::FromStr;

/// The value, made together with that of another number, once before it and once behind it.
fn amount_of<N: Numbers>(numbers: N, value: N::Value) -> Option<Amount> {
    let window = |text: &str| *format!("{text:<32}").as_bytes().first_chunk().unwrap();
    let other = numbers.find(&window("9876543.21")).unwrap().value;
    let [first, second] = [numbers.amounts([value, other]), numbers.amounts([other, value])];
    assert_eq!(first.map(|[amount, _]| amount), second.map(|[_, amount]| amount));
    let expected = Decimal::parse(b"9876543.21").unwrap().amount();
    assert!(first.is_none_or(|[_, other]| Some(other) == expected) && second.is_none_or(|[other, _]| Some(other) == expected));
    first.map(|[amount, _]| amount)
}

/// Finds a number, and makes its value.
fn read<N: Numbers>(numbers: N, window: &[u8; NUMBER_WINDOW]) -> Option<Found<Amount>> {
    let Found { value, length, integer } = numbers.find(window)?;
    Some(Found { value: amount_of(numbers, value)?, length, integer })
}

/// A number with an exponent, and its length.
fn raised<N: Numbers>(numbers: N, text: &str) -> Option<(Amount, usize)> {
    let number = numbers.find(text.as_bytes().first_chunk().unwrap())?;
    let exponent = Exponent::read(text.as_bytes()[number.length..].first_chunk().unwrap())?;
    Some((amount_of(numbers, numbers.raise(number, exponent)?)?, number.length + exponent.length()))
}

fn plain(text: &str) -> Option<String> {
    let mut out = Vec::new();
    Decimal::parse(text.as_bytes()).ok()?.write(&mut out);
    Some(String::from_utf8(out).unwrap())
}

fn rate(numerator: &str, denominator: &str) -> Option<String> {
    let mut out = Vec::new();
    Rate::of(Decimal::parse(numerator.as_bytes()).unwrap(), Decimal::parse(denominator.as_bytes()).unwrap())?.write(&mut out);
    Some(String::from_utf8(out).unwrap())
}

#[test]
fn the_plain_form_is_that_of_the_contract() {
    for (text, expected) in [
        ("64324", "64324.0"),
        ("0E-8", "0.0"),
        ("5.1e-05", "0.000051"),
        ("-0.00", "0.0"),
        ("+5", "5.0"),
        ("007", "7.0"),
        ("0e99999999999999999999", "0.0"),
        ("1.16539E8", "116539000.0"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("12345678901234567890", "12345678901234567890.0"),
        ("1.0000000000000000000000", "1.0"),
        ("-0.10", "-0.1"),
        ("1e-18", "0.000000000000000001"),
    ] {
        assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn anything_else_is_not_a_number() {
    for text in [
        "",
        "-",
        "+",
        ".5",
        "5.",
        "-.5",
        "5.e1",
        "e5",
        "1e",
        "1e+",
        "1.2.3",
        "--1",
        "1_0",
        " 1",
        "1 ",
        "NaN",
        "0x10",
        "\u{663}",
        "1e20",
        "1e-19",
        "100000000000000000000",
        "1.0000000000000000001",
        "9e-99999999999999999999",
        "1e99999999999999999999",
    ] {
        assert_eq!(plain(text), None, "{text}");
    }
}

#[test]
fn rates_round_half_away_from_zero() {
    assert_eq!(rate("-295.4", "64324").as_deref(), Some("-0.004592"));
    assert_eq!(rate("0.0000005", "1").as_deref(), Some("0.000001"));
    assert_eq!(rate("-0.0000005", "1").as_deref(), Some("-0.000001"));
    assert_eq!(rate("-0.0000004", "1").as_deref(), Some("0.000000"));
    assert_eq!(rate("0.9999995", "1").as_deref(), Some("1.000000"));
    assert_eq!(rate("1", "-3").as_deref(), Some("-0.333333"));
    assert_eq!(rate("1", "0"), None);
    assert_eq!(rate("99999999999999999999", "0.000000000000000001").as_deref(), Some("99999999999999999999000000000000000000.000000"));
}

#[test]
fn a_total_outgrows_128_bits() {
    let mut total = Total::default();
    let amount = Decimal::parse(b"99999999999999999999.999999999999999999").unwrap().amount().unwrap();
    for _ in 0..5_000 {
        total.add(amount);
    }
    let mut out = Vec::new();
    total.write(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "499999999999999999999999.999999999999995");
    for _ in 0..4_999 {
        total.subtract(amount);
    }
    let mut out = Vec::new();
    total.write(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "99999999999999999999.999999999999999999");
}

#[test]
fn a_part_of_a_total_is_replaced_whatever_both_carry() {
    let amount = Decimal::parse(b"99999999999999999999.999999999999999999").unwrap().amount().unwrap();
    let of = |count| (0..count).fold(Total::ZERO, |total, _| total.plus(amount));
    for (all, went, came) in [(5_000, 4_999, 2), (3, 1, 4_998), (4, 4, 0), (0, 0, 7), (9, 0, 0)] {
        let mut total = of(all);
        total.replace(of(went), of(came));
        assert_eq!(total, of(all - went + came), "{all} {went} {came}");
    }
}

#[test]
fn fixed_decimals_lose_nothing() {
    let amount = Decimal::parse(b"0.0000510").unwrap().amount().unwrap();
    assert_eq!(amount.fixed(8), Some(5_100));
    assert_eq!(amount.fixed(6), Some(51));
    assert_eq!(amount.fixed(5), None);
    assert_eq!(amount.fixed(19), None);
}

#[test]
fn integers_are_written_as_the_library_does() {
    for exponent in 0..38 {
        for value in [10_u128.pow(exponent) - 1, 10_u128.pow(exponent), 10_u128.pow(exponent) + 1] {
            let mut out = Vec::new();
            write_integer(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}

#[test]
fn exponents_of_large_numbers_are_raised_where_digits_have_room() {
    let raised_on_avx2 = |text: &str| {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = crate::machine::Avx2::detect() {
            return raised(avx2, &format!("{text},{}", " ".repeat(32)));
        }
        Decimal::parse(text.as_bytes()).ok().and_then(Decimal::amount).map(|amount| (amount, text.len()))
    };
    for (text, plain) in [("1.16539E8", "116539000"), ("0.5E1", "5"), ("1e15", "1000000000000000"), ("9.99999999999999e15", "9999999999999990")] {
        let amount = Decimal::parse(plain.as_bytes()).ok().and_then(Decimal::amount);
        assert_eq!(raised_on_avx2(text), amount.map(|amount| (amount, text.len())), "{text}");
    }
}

#[test]
fn exponents_of_small_numbers_are_raised_by_every_machine() {
    for (text, expected) in [("5.1e-05,", "0.000051"), ("1E-8\"", "0.00000001"), ("1.25e1}", "12.5"), ("0e0,", "0"), ("5.1e-18,", ""), ("5.1e-051,", "")] {
        let padded = format!("{text}{}", " ".repeat(32));
        let expected = Decimal::parse(expected.as_bytes()).ok().and_then(Decimal::amount).map(|amount| (amount, text.len() - 1));
        assert_eq!(raised(Portable, &padded), expected, "{text}");
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = crate::machine::Avx2::detect() {
            assert_eq!(raised(avx2, &padded), expected, "{text}");
        }
    }
}

proptest! {
    #[test]
    fn eight_bytes_are_read_as_one(text in "[0-9]{0,8}[./:e\"\u{e9}]{8}") {
        let bytes: [u8; 8] = *text.as_bytes().first_chunk().unwrap();
        let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = text[..count].parse().unwrap_or(0);
        prop_assert_eq!(digits_of_eight(bytes), (value, count));
    }

    #[test]
    fn the_common_spelling_is_read_alike(text in "[0-9]{0,20}(\\.[0-9]{0,19})?[,\"e]?") {
        if let Some((amount, decimals, length)) = Decimal::parse_short(text.as_bytes()) {
            prop_assert_eq!(Decimal::parse(&text.as_bytes()[..length]).map(Decimal::amount), Ok(Some(amount)));
            let shown = &text[..length];
            prop_assert_eq!(shown.split_once('.').map_or(0, |(_, decimals)| decimals.len()), usize::from(decimals));
            prop_assert!(!shown.starts_with('0') || shown == "0" || shown.starts_with("0."));
        }
    }

    #[test]
    fn a_window_is_read_as_the_text(text in "[0-9]{0,17}(\\.[0-9]{0,10})?", behind in "[,\"eE}.\\\\]?[0-9. \"]{32}") {
        let both = [text.as_str(), &behind].concat();
        if let Some(found @ Found { value: amount, length, .. }) = read(Portable, both.as_bytes().first_chunk().unwrap()) {
            prop_assert_eq!(parse_long(&both.as_bytes()[..length]), Ok(amount.0));
            prop_assert_eq!(both[..length].split_once('.').map_or(0, |(_, decimals)| decimals.len()), found.decimals());
            prop_assert!(!both.as_bytes()[length].is_ascii_digit());
            prop_assert!(!both.starts_with('0') || !both.as_bytes()[1].is_ascii_digit());
        } else {
            let next = both.as_bytes()[text.len()];
            let (whole, decimals) = text.split_once('.').map_or((text.len(), 1), |(whole, decimals)| (whole.len(), decimals.len()));
            let is_common = (1..=15).contains(&whole) && (1..=8).contains(&decimals) && text.len() <= 14 && (!text.starts_with('0') || whole == 1);
            prop_assert!(!is_common || next.is_ascii_digit() || next == b'.', "{}", both);
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn avx2_reads_what_its_twin_reads(
        text in "[0-9]{0,18}(\\.[0-9]{0,18})?",
        behind in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'.'), Just(b'/'), Just(b':'), b'0'..=b'9'], 32),
    ) {
        let Some(avx2) = crate::machine::Avx2::detect() else { return Ok(()) };
        let both = [text.as_bytes(), &behind].concat();
        let window = both.first_chunk().unwrap();
        let (read, twin) = (self::read(avx2, window), self::read(Portable, window));
        prop_assert!(read == twin || twin.is_none(), "{:?} {:?} {:?}", both, read, twin);
        // It reads every number of up to 16 characters, and nothing else.
        let digits = |from: usize| both[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let integer = digits(0);
        let decimals = if both[integer] == b'.' { digits(integer + 1) } else { 0 };
        let length = integer + if both[integer] == b'.' { 1 + decimals } else { 0 };
        let is_number = integer > 0 && (integer == 1 || both[0] != b'0') && (both[integer] != b'.' || decimals > 0);
        prop_assert_eq!(read.is_some(), is_number && length <= 16, "{:?}", both);
        if let Some(common) = read {
            prop_assert_eq!((common.length, common.decimals()), (length, decimals));
            prop_assert_eq!(parse_long(&both[..length]), Ok(common.value.0));
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn two_numbers_of_known_length_are_read_as_one_by_one(
        texts in prop::array::uniform2("[0-9]{0,9}(\\.[0-9]{0,8})?([eE][-+]?[0-9]{0,3})?[-+./eE:]?"),
        behind in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'.'), Just(b'e'), b'0'..=b'9'], 16),
    ) {
        let Some(avx2) = crate::machine::Avx2::detect() else { return Ok(()) };
        let windows = texts.each_ref().map(|text| *[text.as_bytes(), &behind].concat().first_chunk().unwrap());
        let (windows, lengths) = (windows.each_ref(), texts.each_ref().map(String::len));
        let amount = |text: &String| Decimal::parse(text.as_bytes()).ok().and_then(Decimal::amount);
        let expected = amount(&texts[0]).zip(amount(&texts[1])).map(<[_; 2]>::from);
        let (read, shortest) = (avx2.two::<false>(windows, lengths), avx2.two::<true>(windows, lengths));
        prop_assert!(read.is_none() || read == expected, "{:?} {:?} {:?}", texts, read, expected);
        prop_assert!(shortest.is_none() || shortest == read);
        // What all machines read by themselves it reads, whatever stands behind; and all that it reads in the shortest form is.
        let common = |text: &String| Decimal::parse_short(text.as_bytes()).is_some_and(|(.., length)| length == text.len() && length <= 16);
        let is_shortest = |text: &String| !text.contains('.') || !text.ends_with('0');
        let are_common = texts.iter().all(common);
        prop_assert!(read.is_some() || !are_common, "{:?}", texts);
        prop_assert_eq!(shortest.is_some(), are_common && texts.iter().all(is_shortest), "{:?}", texts);
        for twin in [Portable.two::<false>(windows, lengths), Portable.two::<true>(windows, lengths)] {
            prop_assert!(twin.is_none() || twin == read, "{:?}", texts);
        }
    }

    #[test]
    fn numbers_are_as_long_as_json_says(text in "[0-9]{0,33}(\\.[0-9]{0,31})?", behind in "[,\"eE}./:+-][0-9.]{32}") {
        let both = [text.as_str(), &behind].concat();
        let pattern = |text: &str| serde_json::from_str::<serde_json::Number>(text).is_ok() && text.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
        // The longest text that is a number, if what follows it is neither a digit nor a point with one.
        let digits = |from: usize| both[from..].bytes().take_while(u8::is_ascii_digit).count();
        let integer = digits(0);
        let length = if both.as_bytes()[integer] == b'.' { integer + 1 + digits(integer + 1) } else { integer };
        let expected = (length < 32 && pattern(&both[..length])).then_some(length);
        prop_assert_eq!(number_length(both.as_bytes().first_chunk().unwrap()), expected, "{}", both);
    }

    #[test]
    fn exponents_are_read_alike(text in "[0-9]{1,3}(\\.[0-9]{1,13})?[eE][+-]?[0-9]{1,3}", behind in "[,\"}]") {
        let padded = [text.as_str(), &behind, &" ".repeat(32)].concat();
        let raised = raised(Portable, &padded);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = crate::machine::Avx2::detect() {
            let on_avx2 = self::raised(avx2, &padded);
            if let Some((amount, length)) = on_avx2 {
                prop_assert_eq!(length, text.len());
                prop_assert_eq!(Decimal::parse(text.as_bytes()).map(Decimal::amount), Ok(Some(amount)));
            }
        }
        if let Some((amount, length)) = raised {
            prop_assert_eq!(length, text.len());
            prop_assert_eq!(Decimal::parse(text.as_bytes()).map(Decimal::amount), Ok(Some(amount)));
        }
    }

    #[test]
    fn whole_numbers_are_read_alike(text in "[0-9]{0,20}[.,\"e]?") {
        if let Some((value, length)) = parse_whole(text.as_bytes()) {
            prop_assert_eq!(text[..length].parse(), Ok(value));
            prop_assert_eq!(&value.to_string(), &text[..length]);
        }
    }

    #[test]
    fn short_and_long_readers_agree(text in "[0-9]{1,21}(\\.[0-9]{1,20})?") {
        if let Some((amount, _, length)) = Decimal::parse_short(text.as_bytes()) {
            prop_assert_eq!(parse_long(&text.as_bytes()[..length]), Ok(amount.0));
        }
    }

    #[test]
    fn agrees_with_rust_decimal(a in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?", b in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?") {
        let (x, y) = (Decimal::parse(a.as_bytes()).unwrap(), Decimal::parse(b.as_bytes()).unwrap());
        let (p, q) = (rust_decimal::Decimal::from_str(&a).unwrap(), rust_decimal::Decimal::from_str(&b).unwrap());
        let mut out = Vec::new();
        x.minus(y).write(&mut out);
        let difference = rust_decimal::Decimal::from_str(std::str::from_utf8(&out).unwrap()).unwrap();
        prop_assert_eq!(difference, p - q);
        if !q.is_zero() {
            let expected = (p / q).round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero);
            let mut out = Vec::new();
            Rate::of(x, y).unwrap().write(&mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(rust_decimal::Decimal::from_str(&text).unwrap(), expected);
            prop_assert!(text != "-0.000000");
        }
    }

    #[test]
    fn what_is_written_reads_back(text in "-?[0-9]{1,20}(\\.[0-9]{1,18})?(e-?[0-9])?") {
        if let Ok(value) = Decimal::parse(text.as_bytes()) {
            let mut out = Vec::new();
            value.write(&mut out);
            prop_assert_eq!(Decimal::parse(&out), Ok(value));
        }
    }
}
