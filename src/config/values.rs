//! Turns what was given into values, one knob at a time; collects what is wrong and goes on with the default.

use super::knobs::{Kind, Knob, Unit};
use super::secret::{Secret, without_passwords};
use super::source::{Given, Origin};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Reads knobs and gathers problems and warnings on the way.
pub(super) struct Values {
    given: Given,
    /// Flags of the knobs whose values are bad; what they say about other knobs is not known.
    bad: BTreeSet<&'static str>,
    pub problems: Vec<String>,
    pub warnings: Vec<String>,
}

impl Values {
    pub fn new(mut given: Given) -> Self {
        let (problems, warnings) = (std::mem::take(&mut given.problems), std::mem::take(&mut given.warnings));
        Self { given, bad: BTreeSet::new(), problems, warnings }
    }

    /// The number of a [`Kind::Number`], in the knob's unit.
    pub fn number(&mut self, knob: &'static Knob) -> u64 {
        let Kind::Number { min, max, .. } = knob.kind else { unreachable!("{} is no number", knob.flag) };
        self.parsed(knob, |text| match text.trim().parse::<i128>() {
            Ok(number) => match u64::try_from(number) {
                Ok(number) if (min..=max).contains(&number) => Ok(number),
                _ => Err(vec!["is out of bounds".to_owned()]),
            },
            Err(_) => Err(vec!["is no whole number".to_owned()]),
        })
    }

    /// A number as any narrower type; `max` of the knob must fit it.
    pub fn narrow<T: TryFrom<u64>>(&mut self, knob: &'static Knob) -> T {
        let number = self.number(knob);
        T::try_from(number).unwrap_or_else(|_| unreachable!("the bounds of {} fit its type", knob.flag))
    }

    /// A number of bytes or kibibytes, in bytes.
    pub fn bytes(&mut self, knob: &'static Knob) -> usize {
        let number: usize = self.narrow(knob);
        match knob.kind {
            Kind::Number { unit: Unit::Bytes, .. } => number,
            Kind::Number { unit: Unit::Kibibytes, .. } => number << 10,
            _ => unreachable!("{} counts no bytes", knob.flag),
        }
    }

    /// A number of a unit of time.
    pub fn duration(&mut self, knob: &'static Knob) -> Duration {
        let number = self.number(knob);
        match knob.kind {
            Kind::Number { unit: Unit::Microseconds, .. } => Duration::from_micros(number),
            Kind::Number { unit: Unit::Milliseconds, .. } => Duration::from_millis(number),
            Kind::Number { unit: Unit::Seconds, .. } => Duration::from_secs(number),
            _ => unreachable!("{} counts no time", knob.flag),
        }
    }

    /// The meaning of the word given; `meanings` stand in the order of the knob's words.
    pub fn choice<T: Clone, const N: usize>(&mut self, knob: &'static Knob, meanings: [T; N]) -> T {
        let Kind::Choice(words) = knob.kind else { unreachable!("{} is no choice", knob.flag) };
        assert_eq!(words.len(), N, "{}: one meaning a word", knob.flag);
        self.parsed(knob, |text| {
            let found = words.iter().position(|word| word.eq_ignore_ascii_case(text.trim()));
            found.map(|index| meanings[index].clone()).ok_or_else(|| vec!["is none of the words allowed".to_owned()])
        })
    }

    /// The value of a [`Kind::Flag`].
    pub fn flag(&mut self, knob: &'static Knob) -> bool {
        self.parsed(knob, |text| match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(vec!["is neither true nor false".to_owned()]),
        })
    }

    /// What `parse` makes of the text. It gives one sentence for each thing that is wrong, to be read after the value.
    pub fn parsed<T>(&mut self, knob: &'static Knob, parse: impl Fn(&str) -> Result<T, Vec<String>>) -> T {
        let (text, _) = self.given.value(knob);
        match parse(&text) {
            Ok(value) => value,
            Err(wrong) => {
                self.bad.insert(knob.flag);
                let described = self.described(knob);
                self.problems.extend(wrong.iter().map(|why| format!("{described}: {why}; allowed: {}", knob.allowed())));
                parse(knob.default).unwrap_or_else(|why| unreachable!("the default of {} is good: {why:?}", knob.flag))
            }
        }
    }

    /// The value of a [`Kind::Secret`], if there is one: of its variable, of the file that `NAME_FILE` names, else of another program's variable.
    pub fn secret(&mut self, knob: &'static Knob) -> Option<Secret> {
        let own = self.given.variables.get(knob.env).map(|(text, _)| text.clone());
        let variable = format!("{}_FILE", knob.env);
        let Some((path, origin)) = self.given.variables.get(&variable) else {
            return own.or_else(|| self.given.found(knob).map(|found| found.value.to_owned())).map(Secret::new);
        };
        let problem = match fs::read_to_string(path) {
            _ if own.is_some() => format!("{} is given too", knob.env),
            Ok(text) if text.trim().is_empty() => "the file is empty".to_owned(),
            Ok(text) => return Some(Secret::new(text.trim())),
            Err(error) => format!("cannot be read: {error}"),
        };
        self.problems.push(format!("{variable} = {path:?} ({origin}): {problem}"));
        self.bad.insert(knob.flag);
        None
    }

    /// Reports that the knobs cannot go together.
    pub fn contradiction(&mut self, knobs: &[&'static Knob], why: &str) {
        let line = self.together(knobs, why);
        self.problems.extend(line);
    }

    /// Warns about the knobs together.
    pub fn warn(&mut self, knobs: &[&'static Knob], why: &str) {
        let line = self.together(knobs, why);
        self.warnings.extend(line);
    }

    /// Whether somebody gave the knob a value.
    pub fn is_given(&self, knob: &'static Knob) -> bool {
        self.given.value(knob).1 != Origin::Default
    }

    /// What was given, for the parts that are no knobs.
    pub fn given(&self) -> &Given {
        &self.given
    }

    /// The knobs with their values and `why`; nothing when one of them is bad already, since its default stands in for what was meant.
    fn together(&self, knobs: &[&'static Knob], why: &str) -> Option<String> {
        let named: Vec<String> = knobs.iter().map(|knob| self.described(knob)).collect();
        knobs.iter().all(|knob| !self.bad.contains(knob.flag)).then(|| format!("{}: {why}", named.join(" and ")))
    }

    /// Names, value and origin of a knob; a secret is masked.
    fn described(&self, knob: &Knob) -> String {
        let (text, origin) = self.given.value(knob);
        let variable = self.given.found(knob).map_or(knob.env, |found| found.name);
        match knob.kind {
            Kind::Secret => format!("{variable} = {text} ({origin})"),
            _ => format!("--{} / {variable} = {:?} ({origin})", knob.flag, without_passwords(&text)),
        }
    }
}
