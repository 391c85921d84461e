//! What came of the suites.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

/// One test, as tests/conftest.py writes it down.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub name: String,
    pub failed: bool,
    pub seconds: f64,
    /// What it waited for, and for how many seconds; the longest first.
    pub waits: Vec<(String, f64)>,
}

/// The tests of one folder, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tests {
    pub count: usize,
    pub failed: usize,
    pub seconds: f64,
}

#[derive(Debug, Default)]
pub struct Report {
    tests: Vec<Test>,
}

impl Report {
    /// A file with a JSON object in each line.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read: pytest has not begun", file.display()))?;
        let tests = text
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line)
                    .ok()
                    .as_ref()
                    .and_then(test)
                    .with_context(|| format!("{}: not a test: {line}", file.display()))
            })
            .collect::<Result<_>>()?;
        Ok(Self { tests })
    }

    pub fn of(&self, folder: &str) -> Tests {
        let mut sum = Tests::default();
        for test in self.tests.iter().filter(|it| is_in(&it.name, folder)) {
            sum.count += 1;
            sum.failed += usize::from(test.failed);
            sum.seconds += test.seconds;
        }
        sum
    }

    pub fn failures(&self) -> usize {
        self.tests.iter().filter(|it| it.failed).count()
    }

    /// The slowest first.
    pub fn slowest(&self) -> Vec<&Test> {
        let mut sorted: Vec<&Test> = self.tests.iter().collect();
        sorted.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        sorted
    }
}

fn is_in(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn test(line: &Value) -> Option<Test> {
    let outcome = line["outcome"].as_str()?;
    let mut waits: Vec<(String, f64)> = line["waits"]
        .as_object()?
        .iter()
        .map(|(what, seconds)| Some((what.clone(), seconds.as_f64()?)))
        .collect::<Option<_>>()?;
    waits.sort_by(|a, b| b.1.total_cmp(&a.1));
    Some(Test {
        name: line["test"].as_str()?.to_owned(),
        failed: !matches!(outcome, "passed" | "skipped"),
        seconds: line["seconds"].as_f64()?,
        waits,
    })
}

/// What came of one suite.
#[derive(Debug)]
pub struct Outcome {
    pub suite: &'static str,
    pub passed: bool,
    /// Without its tests in Python, which run side by side with those of others.
    pub took: Duration,
    pub tests: Option<Tests>,
}

/// A table, and a last line that counts the suites for whoever reads the log by program.
///
/// prepared: what installing and building took; python: what all tests in Python took together.
pub fn summary(outcomes: &[Outcome], prepared: Duration, python: Duration) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:<8} {:>16.1} s", "prepare", prepared.as_secs_f64());
    for one in outcomes {
        let verdict = if one.passed { "passed" } else { "FAILED" };
        let _ = write!(
            text,
            "{:<8} {verdict} {:>9.1} s",
            one.suite,
            one.took.as_secs_f64()
        );
        if let Some(tests) = one.tests {
            let _ = write!(
                text,
                ", then {} tests in Python, {:.0} s one by one",
                tests.count, tests.seconds
            );
        }
        text.push('\n');
    }
    if outcomes.iter().any(|it| it.tests.is_some()) {
        let _ = writeln!(
            text,
            "{:<8} {:>16.1} s, side by side",
            "pytest",
            python.as_secs_f64()
        );
    }
    let failed = outcomes.iter().filter(|it| !it.passed).count();
    let _ = writeln!(
        text,
        "\n{} passed, {failed} failed",
        outcomes.len() - failed
    );
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Outcome, Report, Tests, summary, test};

    fn outcome(suite: &'static str, passed: bool) -> Outcome {
        Outcome {
            suite,
            passed,
            took: Duration::from_millis(1500),
            tests: None,
        }
    }

    #[test]
    fn the_last_line_counts_the_suites() {
        let none = Duration::ZERO;
        let text = summary(
            &[
                outcome("lint", true),
                outcome("unit", false),
                outcome("blender", true),
            ],
            none,
            none,
        );
        assert_eq!(text.lines().last(), Some("2 passed, 1 failed"));
        assert!(text.contains("unit     FAILED       1.5 s"), "{text}");
        assert!(!text.contains("pytest"), "{text}");
    }

    #[test]
    fn the_tests_of_a_folder_are_added_up() {
        let line = |name: &str, outcome: &str, seconds: f64| {
            test(
                &json!({"test": name, "outcome": outcome, "seconds": seconds,
                         "waits": {"a": 1.0, "b": 2.5}}),
            )
        };
        let tests = [
            line("tests/ui/test_a.py::test_a", "passed", 1.0),
            line("tests/ui/test_a.py::test_b", "failed", 2.0),
            line("tests/ui/test_a.py::test_c", "skipped", 0.5),
            line("tests/uix/test_a.py::test_a", "error", 4.0),
        ];
        let report = Report {
            tests: tests.into_iter().flatten().collect(),
        };
        let expected = Tests {
            count: 3,
            failed: 1,
            seconds: 3.5,
        };
        assert_eq!(report.of("tests/ui"), expected);
        assert_eq!(report.failures(), 2);
        let slowest = report.slowest();
        assert_eq!(slowest[0].name, "tests/uix/test_a.py::test_a");
        assert_eq!(slowest[0].waits[0], ("b".to_owned(), 2.5));
    }

    #[test]
    fn what_is_no_test_is_not_taken_for_one() {
        assert_eq!(test(&json!({"test": "a"})), None);
        assert_eq!(test(&json!([])), None);
    }
}
