//! The list of mistakes that make no difference.
//!
//! Entries are apart by blank lines; the first line of one is the mutant's name without its place in
//! the source, the others say why nobody could notice. Lines with `#` are for readers.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::outcome::Outcome;

/// The names, and how often each is listed.
#[derive(Debug, Default)]
pub struct Equivalents(BTreeMap<String, usize>);

/// How a list and an outcome agree.
#[derive(Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Survivors that are listed.
    pub equivalent: usize,
    /// Sentences.
    pub faults: Vec<String>,
}

impl Equivalents {
    pub fn parse(text: &str) -> Result<Self> {
        let mut names = BTreeMap::new();
        let text: Vec<&str> = text.lines().filter(|it| !it.starts_with('#')).collect();
        for entry in text.split(|line| line.trim().is_empty()) {
            match entry {
                [] => {}
                [name] => bail!("no reason is given for `{name}`"),
                [name, ..] => *names.entry(name.trim().to_owned()).or_default() += 1,
            }
        }
        Ok(Self(names))
    }

    /// Survivors must be listed, and who is listed must survive: as often, if several have one name.
    /// source: what the names of these mutants begin with.
    pub fn compare(&self, source: &str, outcome: &Outcome) -> Comparison {
        let mut survivors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let names = outcome.missed.iter().map(|it| (it, without_place(it)));
        let names: Vec<_> = names.collect();
        for (mutant, name) in &names {
            survivors.entry(name).or_default().push(mutant);
        }
        let mut equivalent = 0;
        let mut faults = Vec::new();
        for (name, mutants) in &survivors {
            let listed = self.0.get(*name).copied().unwrap_or(0);
            equivalent += listed.min(mutants.len());
            if listed < mutants.len() {
                let which = mutants.join("\n    ");
                faults.push(format!(
                    "survived ({} of this name, {listed} listed):\n    {which}",
                    mutants.len()
                ));
            }
        }
        for (name, &listed) in self.0.iter().filter(|(name, _)| name.starts_with(source)) {
            let found = survivors.get(name.as_str()).map_or(0, Vec::len);
            if found < listed {
                faults.push(format!(
                    "listed {listed} times, but only {found} survived: {name}"
                ));
            }
        }
        Comparison { equivalent, faults }
    }
}

/// `guest/machine/src/backoff.rs:9:5: replace …` → `guest/machine/src/backoff.rs: replace …`
fn without_place(mutant: &str) -> String {
    let Some((place, what)) = mutant.split_once(": ") else {
        return mutant.to_owned();
    };
    let file = place.split(':').next().unwrap_or(place);
    format!("{file}: {what}")
}

#[cfg(test)]
mod tests {
    use super::{Equivalents, without_place};
    use crate::mutants::outcome::Outcome;

    const LIST: &str = "# a comment\n\na/x.rs: replace < with <= in f\n  never equal\n\n\
                        a/x.rs: replace < with <= in f\n  never equal here either\n\n\
                        b/y.rs: replace g with ()\n  it does nothing\n";

    fn missed(names: &[&str]) -> Outcome {
        Outcome {
            missed: names.iter().map(|&it| it.to_owned()).collect(),
            ..Outcome::default()
        }
    }

    fn compare(names: &[&str]) -> anyhow::Result<(usize, Vec<String>)> {
        let found = Equivalents::parse(LIST)?.compare("a/", &missed(names));
        Ok((found.equivalent, found.faults))
    }

    #[test]
    fn a_mutants_place_in_the_source_is_no_part_of_its_name() {
        assert_eq!(
            without_place("a/x.rs:9:5: replace f -> X::Y with Default::default()"),
            "a/x.rs: replace f -> X::Y with Default::default()"
        );
    }

    #[test]
    fn the_list_must_be_exact() -> anyhow::Result<()> {
        let first = "a/x.rs:1:2: replace < with <= in f";
        let second = "a/x.rs:3:4: replace < with <= in f";
        assert_eq!(compare(&[first, second])?, (2, vec![]));
        let (equivalent, faults) = compare(&[first])?;
        assert_eq!((equivalent, faults.len()), (1, 1), "{faults:?}");
        assert!(
            faults[0].contains("listed 2 times, but only 1"),
            "{faults:?}"
        );
        let third = "a/x.rs:5:6: replace < with <= in f";
        let (equivalent, faults) = compare(&[first, second, third])?;
        assert_eq!((equivalent, faults.len()), (2, 1));
        assert!(faults[0].contains(third), "{faults:?}");
        Ok(())
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        assert!(Equivalents::parse("a/x.rs: replace f with ()\n").is_err());
    }

    #[test]
    fn who_never_ends_is_killed() {
        let outcome = Outcome {
            caught: vec!["1".into(), "2".into()],
            timed_out: vec!["3".into()],
            unviable: vec!["4".into()],
            missed: vec!["5".into()],
        };
        assert_eq!(
            outcome.summary(1),
            "5 mutants, 3 killed, 1 unviable, 1 equivalent"
        );
    }
}
