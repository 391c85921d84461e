//! Where the time of a run went, kept in the repository.

use std::fmt::Write as _;
use std::fs;
use std::thread;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::report::{Report, Test};
use crate::layout::Layout;

/// So many of the slowest tests are shown.
const SHOWN: usize = 20;
/// A test that takes less may begin at any time (seconds).
const WORTH_KEEPING: f64 = 1.0;
/// Between these the document is written anew.
const BEGIN: &str = "<!-- timings: from cargo xtask test --timings -->\n";
const END: &str = "<!-- end of timings -->\n";

/// Show the slowest tests; write them and the table of suites into docs/proof.md, and the seconds
/// of each into tests/seconds.json, by which the tests are put in order.
pub fn keep(layout: &Layout, summary: &str, report: &Report) -> Result<()> {
    let slowest = report.slowest();
    let table = table(&slowest);
    println!("\n{table}");
    let file = layout.root().join("docs/proof.md");
    let old =
        fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let new = replaced(
        &old,
        &format!("On {processors} processors:\n\n```\n{summary}```\n\n{table}"),
    )
    .with_context(|| format!("{} has no lines `{BEGIN}` and `{END}`", file.display()))?;
    fs::write(&file, new).with_context(|| format!("{} cannot be written", file.display()))?;

    let file = layout.root().join("tests/seconds.json");
    let seconds = serde_json::to_string_pretty(&known(&slowest))?;
    fs::write(&file, seconds + "\n")
        .with_context(|| format!("{} cannot be written", file.display()))
}

fn table(slowest: &[&Test]) -> String {
    let mut text = String::from("| seconds | test | waits for |\n|---|---|---|\n");
    for test in slowest.iter().take(SHOWN) {
        let waits: Vec<String> = test
            .waits
            .iter()
            .map(|(what, seconds)| format!("{} {seconds:.1}", what.replace('|', "\\|")))
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {:.1} | `{}` | {} |",
            test.seconds,
            test.name,
            waits.join(", ")
        );
    }
    text
}

fn known(slowest: &[&Test]) -> Value {
    let mut sorted: Vec<_> = slowest
        .iter()
        .filter(|it| it.seconds >= WORTH_KEEPING)
        .collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let rounded = |test: &Test| Value::from(test.seconds.round() as u64);
    Value::Object(Map::from_iter(
        sorted.into_iter().map(|it| (it.name.clone(), rounded(it))),
    ))
}

/// None: there is no place for it.
fn replaced(document: &str, what: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{what}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, known, replaced, table};
    use crate::suites::report::Test;

    fn a_test(name: &str, seconds: f64) -> Test {
        Test {
            name: name.to_owned(),
            failed: false,
            seconds,
            waits: vec![("a line with a|b".to_owned(), 2.0)],
        }
    }

    #[test]
    fn only_what_is_between_the_marks_is_written_anew() {
        let document = format!("a\n{BEGIN}old{END}b\n");
        let once = replaced(&document, "new").unwrap_or_default();
        assert_eq!(once, format!("a\n{BEGIN}\nnew\n{END}b\n"));
        assert_eq!(replaced(&once, "new"), Some(once));
        assert_eq!(replaced("nothing", "new"), None);
    }

    #[test]
    fn the_slowest_are_shown_and_those_worth_it_kept() {
        let (slow, quick) = (a_test("t::slow", 12.34), a_test("t::quick", 0.4));
        let shown = table(&[&slow, &quick]);
        assert!(
            shown.contains("| 12.3 | `t::slow` | a line with a\\|b 2.0 |"),
            "{shown}"
        );
        assert_eq!(known(&[&slow, &quick]).to_string(), r#"{"t::slow":12}"#);
    }
}
