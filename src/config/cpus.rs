//! Reads lists of CPUs as the kernel writes them: `2-5,8`.

/// The highest CPU number that can be pinned to (the kernel's `CPU_SETSIZE` less one).
pub const CPU_MAX: usize = 1023;

/// The CPUs of `text` in the order given, each once. Items are numbers or ranges, separated by commas or white space; nothing gives an empty list.
///
/// # Errors
/// One sentence for each item that is no CPU or range of CPUs, is above [`CPU_MAX`], or names a CPU again.
pub fn parse(text: &str) -> Result<Vec<usize>, Vec<String>> {
    let mut cpus = Vec::new();
    let mut wrong = Vec::new();
    for item in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty()) {
        match span(item, CPU_MAX) {
            Err(why) => wrong.push(why),
            Ok((first, last)) => {
                for cpu in first..=last {
                    if cpus.contains(&cpu) {
                        wrong.push(format!("CPU {cpu} is given twice"));
                    } else {
                        cpus.push(cpu);
                    }
                }
            }
        }
    }
    if wrong.is_empty() { Ok(cpus) } else { Err(wrong) }
}

/// Reads `3` or `2-5`, both ends included, with `first <= last <= max`.
pub(super) fn span(item: &str, max: usize) -> Result<(usize, usize), String> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let (Some(first), Some(last)) = (digits(first), digits(last)) else {
        return Err(format!("{item:?} is neither a number nor a range such as 2-5"));
    };
    if first > last {
        return Err(format!("the range {item} runs backwards"));
    }
    if last > max {
        return Err(format!("{item} goes beyond {max}"));
    }
    Ok((first, last))
}

/// Digits only: `usize::from_str` would also take a sign. A number too long to hold is the largest one, hence beyond every bound.
fn digits(text: &str) -> Option<usize> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists_in_the_order_given() {
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(parse("2-5,8"), Ok(vec![2, 3, 4, 5, 8]));
        assert_eq!(parse(" 7, 3-3\t0 "), Ok(vec![7, 3, 0]));
        assert_eq!(parse("1023"), Ok(vec![1023]));
    }

    #[test]
    fn says_what_is_wrong_with_each_item() {
        for (text, problems) in
            [("x", 1), ("-1", 1), ("1-", 1), ("5-2", 1), ("1024", 1), ("99999999999999999999", 1), ("+1", 1), ("1-2-3", 1), ("1,1", 1), ("a,b,3-2", 3)]
        {
            assert_eq!(parse(text).expect_err(text).len(), problems, "{text}");
        }
    }
}
