//! No file and no function of the host is longer than one can keep in mind: tests left out.
//!
//! clippy counts the lines of functions, too, but those of tests with them, and of no file.

use anyhow::{Result, bail};

use super::sources;
use crate::layout::Layout;

/// Lines.
const FILE: usize = 500;
const FUNCTION: usize = 60;

/// Fails with all that are too long.
pub fn check(layout: &Layout) -> Result<()> {
    let mut files = Vec::new();
    for folder in sources::of_the_host(layout)? {
        sources::read(&folder, &mut files)?;
    }
    let mut long = Vec::new();
    for file in &files {
        let shown = file.path.strip_prefix(layout.root()).unwrap_or(&file.path);
        let lines = file.text.lines().count();
        if lines > FILE {
            long.push(format!("{}: {lines} lines", shown.display()));
        }
        for (name, lines) in functions(&file.text).filter(|(_, lines)| *lines > FUNCTION) {
            long.push(format!("{}: {name} has {lines} lines", shown.display()));
        }
    }
    if !long.is_empty() {
        long.sort();
        bail!(
            "of the host no file has more than {FILE} lines, and no function more than {FUNCTION}: \
             split by what changes together\n  {}",
            long.join("\n  ")
        );
    }
    Ok(())
}

/// Each function with its lines, from its name to its brace: as rustfmt lays it out.
fn functions(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    (0..lines.len()).filter_map(move |at| {
        let name = function(lines[at])?;
        let indent = lines[at].len() - lines[at].trim_start().len();
        let ends = |line: &&str| line.strip_prefix(&" ".repeat(indent)) == Some("}");
        // One without a body of its own lines has none.
        let length = lines[at..].iter().position(ends)? + 1;
        let opens = |line: &&str| line.trim_end().ends_with('{');
        lines[at..at + length]
            .iter()
            .take_while(|line| !line.trim_end().ends_with(';'))
            .any(opens)
            .then_some((name, length))
    })
}

fn function(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let qualified = |word: &str| {
        matches!(word, "async" | "const" | "unsafe" | "extern" | "\"C\"") || word.starts_with("pub")
    };
    let inner = |word: &str| matches!(word, "crate)" | "super)");
    if !before
        .split_whitespace()
        .all(|word| qualified(word) || inner(word))
    {
        return None;
    }
    rest.split(|it: char| !it.is_alphanumeric() && it != '_')
        .next()
}

#[cfg(test)]
mod tests {
    use super::{function, functions};

    #[test]
    fn a_function_is_as_long_as_from_its_name_to_its_brace() {
        let text = "fn one() {\n    a\n}\n\nimpl A {\n    pub(super) async fn two(\n        &self,\n    ) {\n        \
                    if b {\n        }\n    }\n}\ntrait B {\n    fn declared(&self);\n    fn three() {\n    }\n}\n";
        let found: Vec<_> = functions(text).collect();
        assert_eq!(found, [("one", 3), ("two", 6), ("three", 2)]);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for line in ["/// a fn b", "let f: fn (u8) = g;", "    // pub fn c() {"] {
            assert_eq!(function(line), None, "{line}");
        }
    }
}
