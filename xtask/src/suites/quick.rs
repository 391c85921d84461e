//! `cargo xtask test --quick`: what tells soonest whether a change is sound.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use super::report::{Outcome, summary};
use super::{Suite, lint, prepare, pytest, shape, unit};
use crate::layout::Layout;
use crate::process;

/// One lost-for-good outage in a real Blender.
const SCENARIO: [&str; 2] = [
    "tests/blender/test_lost_for_good.py::test_killed_blender_closes_with_exit_code_0",
    "tests/blender/test_lost_for_good.py::test_killed_the_edit_is_in_the_file",
];

/// Formatting, lints and types; Rust's unit tests; the tests in Python that take no time, and one
/// scenario in a real Blender.
pub fn run(layout: &Layout, jobs: usize) -> Result<ExitCode> {
    let begun = Instant::now();
    let environment = prepare(layout, &[Suite::Lint, Suite::Unit, Suite::Blender])?;
    let prepared = begun.elapsed();
    let begun = Instant::now();
    let checked = process::run_all(lint(layout, false)?.into_iter().chain(unit(layout, &[])))
        .and(shape(layout));
    let took = begun.elapsed();
    let begun = Instant::now();
    let what = [SCENARIO[0], SCENARIO[1], "tests/python"];
    let words = ["--quick".to_owned()];
    let tested = pytest::run(layout, &what, jobs, &environment, &words);
    let outcomes = [
        Outcome {
            suite: "checks",
            passed: checked.is_ok(),
            took,
            tests: None,
        },
        Outcome {
            suite: "pytest",
            passed: tested.is_ok(),
            took: begun.elapsed(),
            tests: None,
        },
    ];
    let results = [checked, tested];
    for error in results.iter().filter_map(|it| it.as_ref().err()) {
        eprintln!("error: {error:#}");
    }
    println!("\n━━ quick ━━");
    print!("{}", summary(&outcomes, prepared, begun.elapsed()));
    Ok(if results.iter().all(Result::is_ok) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
