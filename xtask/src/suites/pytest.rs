//! The tests in Python, side by side.

use std::env;
use std::ffi::OsStr;
use std::thread;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::prepare::Environment;
use crate::process::Step;

/// How many tests run at once.
const JOBS: &str = "LIFELINE_JOBS";

/// As many as LIFELINE_JOBS says, else two for each processor, since they also wait.
pub fn jobs() -> Result<usize> {
    match env::var_os(JOBS) {
        Some(given) => parse_jobs(&given).with_context(|| {
            format!(
                "{JOBS}: expected how many tests may run at once, a whole number from 1 to 64, \
                 got `{}`",
                given.display()
            )
        }),
        None => Ok(2 * thread::available_parallelism().map_or(1, usize::from)),
    }
}

fn parse_jobs(given: &OsStr) -> Option<usize> {
    let jobs = given.to_str()?.parse().ok()?;
    (1..=64).contains(&jobs).then_some(jobs)
}

/// Run what is in these folders or files.
pub fn run(
    layout: &Layout,
    what: &[&str],
    jobs: usize,
    environment: &Environment,
    words: &[String],
) -> Result<()> {
    let step = Step::new(
        format!("pytest {}, {jobs} at a time", what.join(" ")),
        layout.venv_program("python"),
    )
    .args(["-m", "pytest"])
    .args(what)
    // In the order of tests/conftest.py.
    .args(["--no-loadscope-reorder", "--numprocesses"])
    .arg(jobs.to_string())
    .args(words)
    .env("PYTHONPATH", layout.test_python_path()?)
    .env("LIFELINE_TEST_REPORT", layout.test_report());
    environment
        .apply(step)
        .dir(layout.root())
        .with_our_stdout()
        .run()
}

#[cfg(test)]
mod tests {
    use super::parse_jobs;

    #[test]
    fn jobs_are_a_number_from_one_on() {
        assert_eq!(parse_jobs("3".as_ref()), Some(3));
        for wrong in ["0", "-1", "65", "two", "", "1.5"] {
            assert_eq!(parse_jobs(wrong.as_ref()), None, "{wrong}");
        }
    }
}
