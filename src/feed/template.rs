//! Frames as texts with holes: `"ts":"$ms"`. A name is a run of the letters a to z after a dollar sign.

/// Appends `template` to `out`; `value` writes what stands at a name.
pub(super) fn fill(template: &str, out: &mut String, mut value: impl FnMut(&str, &mut String)) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, behind) = after.split_at(after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len()));
        value(name, out);
        rest = behind;
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_end_where_letters_end() {
        let mut out = String::new();
        super::fill("[$a,\"$bc@d$e\"]$f", &mut out, |name, out| out.push_str(&name.to_uppercase()));
        assert_eq!(out, "[A,\"BC@dE\"]F");
    }
}
