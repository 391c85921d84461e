//! The test suites: what each needs, and what it runs.

mod circles;
mod pytest;
mod quick;
mod report;
mod sizes;
mod sources;
mod timings;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};

use crate::build;
use crate::fuzz;
use crate::layout::Layout;
use crate::prepare::{self, Build, Environment};
use crate::process::{self, Step};
use crate::setup::{self, Part};
use report::{Outcome, Report, summary};

/// In the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Formatting, lints, types, and the wheel's stubs against the wheel.
    Lint,
    /// Rust's unit tests, and the wheel in plain Python.
    Unit,
    /// The connection against the stand-in engine.
    Link,
    /// The built policies, called through the wasmtime command.
    Policy,
    /// What the host decides, against an adversary, searched exhaustively within a bound.
    Model,
    /// Arbitrary input, for a few seconds each.
    Fuzz,
    /// The whole thing in a real Blender.
    Blender,
    /// The same, with faults: what is on disk afterwards, and whether Blender closes or stays.
    Faults,
    /// What a person installs, sees and presses, in each Blender.
    Ui,
    /// The page: its modules, then in a real Chromium and Firefox with a real Blender at the same server.
    Browser,
    /// Each task of `cargo xtask`, where nothing that it needs was made.
    Tasks,
}

#[derive(Args, Debug)]
pub struct TestOptions {
    /// Suites to run; none named: all.
    #[arg(value_enum, conflicts_with = "quick")]
    suite: Vec<Suite>,
    /// What tells soonest whether a change is sound: two minutes, once everything is built.
    #[arg(long)]
    quick: bool,
    /// Tell at the end where the time went, and keep it: tests/seconds.json, docs/proof.md.
    #[arg(long, conflicts_with = "quick")]
    timings: bool,
    /// Passed on to the test runner of the one suite named.
    #[arg(last = true, value_name = "WORDS", conflicts_with = "quick")]
    extra: Vec<String>,
}

/// How long each fuzz target runs in the suite; `cargo xtask fuzz` has as long as one likes.
const FUZZ_EACH: Duration = Duration::from_secs(10);

/// The tests in Python, which stand in folders of their own.
const PYTHON: [&str; 4] = ["addon", "guest", "tests", "host/python/python"];

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Unit => "unit",
            Self::Link => "link",
            Self::Policy => "policy",
            Self::Model => "model",
            Self::Fuzz => "fuzz",
            Self::Blender => "blender",
            Self::Faults => "faults",
            Self::Ui => "ui",
            Self::Browser => "browser",
            Self::Tasks => "tasks",
        }
    }

    /// Where its tests in Python are. Those of all suites run together, side by side.
    fn folder(self) -> Option<&'static str> {
        match self {
            Self::Lint | Self::Link | Self::Model | Self::Fuzz => None,
            Self::Unit => Some("tests/python"),
            Self::Policy => Some("tests/policy"),
            Self::Blender => Some("tests/blender"),
            Self::Faults => Some("tests/faults"),
            Self::Ui => Some("tests/ui"),
            Self::Browser => Some("tests/browser"),
            Self::Tasks => Some("tests/tasks"),
        }
    }

    /// What must be installed, besides what its builds need.
    fn parts(self) -> &'static [Part] {
        match self {
            Self::Lint | Self::Fuzz => &[Part::Fuzz],
            Self::Unit => &[Part::Venv, Part::Balanced, Part::Store],
            Self::Link => &[Part::Venv],
            Self::Policy => &[Part::Venv, Part::WasmtimeCli],
            Self::Model => &[],
            Self::Blender => &[Part::Blender, Part::Balanced],
            Self::Faults => &[Part::Blender, Part::Bpy, Part::Faults, Part::Store],
            Self::Ui => &[Part::Blender, Part::Bpy, Part::LaterBpy, Part::Pointer],
            Self::Browser => &[Part::Blender, Part::Browser, Part::Firefox],
            Self::Tasks => Part::ALL,
        }
    }

    fn builds(self) -> &'static [Build] {
        use Build::{
            Bindings, Command, Packages, Page, Policies, PythonPolicies, TestPolicies, Wheel,
        };
        match self {
            Self::Lint => &[Wheel, Bindings],
            Self::Unit => &[TestPolicies, Wheel],
            Self::Link => &[Policies, TestPolicies],
            Self::Policy => &[PythonPolicies, TestPolicies, Command],
            Self::Model | Self::Fuzz => &[Policies],
            Self::Blender | Self::Faults => &[PythonPolicies, TestPolicies, Wheel],
            Self::Ui => &[PythonPolicies, TestPolicies, Packages],
            Self::Browser => &[PythonPolicies, TestPolicies, Wheel, Page],
            Self::Tasks => &[Wheel],
        }
    }

    /// All of it but the tests in Python.
    fn run(self, layout: &Layout, extra: &[String]) -> Result<()> {
        match self {
            Self::Lint => process::run_all(lint(layout, true)?).and(shape(layout)),
            Self::Unit => process::run_all(unit(layout, extra)),
            Self::Link => link(layout, extra),
            Self::Model => model(layout, extra),
            Self::Fuzz => fuzz::suite(layout, FUZZ_EACH),
            Self::Browser => process::run_all(page(layout)?),
            Self::Policy | Self::Blender | Self::Faults | Self::Ui | Self::Tasks => Ok(()),
        }
    }

    /// It waits, or uses one processor, for most of its time: it runs beside the others that do.
    fn leaves_room(self) -> bool {
        matches!(self, Self::Link | Self::Model | Self::Fuzz | Self::Browser)
    }

    /// Whose are the words after `--`?
    fn check_words(self) -> Result<()> {
        match self {
            Self::Lint => bail!("lint runs several programs, and takes no words for one of them"),
            Self::Fuzz => bail!("fuzz takes no words: `cargo xtask fuzz` has options"),
            _ => Ok(()),
        }
    }
}

/// Install and build all that these suites need.
fn prepare(layout: &Layout, suites: &[Suite]) -> Result<Environment> {
    let parts: Vec<Part> = suites.iter().flat_map(|it| it.parts()).copied().collect();
    let builds: Vec<Build> = suites.iter().flat_map(|it| it.builds()).copied().collect();
    prepare::prepare(layout, &parts, &builds)
}

/// All if none is named; each once, in the usual order.
fn selection(named: &[Suite]) -> Vec<Suite> {
    Suite::value_variants()
        .iter()
        .copied()
        .filter(|suite| named.is_empty() || named.contains(suite))
        .collect()
}

/// Run these suites, all if none is named.
pub fn run(layout: &Layout, options: &TestOptions) -> Result<ExitCode> {
    let jobs = pytest::jobs()?;
    if options.quick {
        return quick::run(layout, jobs);
    }
    let chosen = selection(&options.suite);
    let extra = options.extra.as_slice();
    let mut folders: Vec<&str> = chosen.iter().filter_map(|it| it.folder()).collect();
    if !extra.is_empty() {
        let [suite] = chosen.as_slice() else {
            bail!("words after `--` go to one suite's test runner: name that suite");
        };
        suite.check_words()?;
        if *suite == Suite::Unit {
            eprintln!("  the words after `--` go to cargo test; tests/python is left out");
            folders.clear();
        }
    }

    println!("\n━━ what the suites need ━━");
    let begun = Instant::now();
    let environment = prepare(layout, &chosen)?;
    let prepared = begun.elapsed();

    let mut outcomes = run_each(layout, &chosen, extra)?;

    let mut report = Report::default();
    let begun = Instant::now();
    if !folders.is_empty() {
        println!("\n━━ {} ━━", folders.join(", "));
        let words = if chosen.len() == 1 { extra } else { &[] };
        let result = pytest::run(layout, &folders, jobs, &environment, words);
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
        }
        report = Report::read(&layout.test_report())?;
        for (suite, outcome) in chosen.iter().zip(&mut outcomes) {
            if let Some(folder) = suite.folder().filter(|it| folders.contains(it)) {
                let tests = report.of(folder);
                // Whatever went wrong outside of a test is held against each.
                outcome.passed &= match &result {
                    Ok(()) => true,
                    Err(_) => report.failures() > 0 && tests.failed == 0 && tests.count > 0,
                };
                outcome.tests = Some(tests);
            }
        }
    }
    println!("\n━━ suites ━━");
    let text = summary(&outcomes, prepared, begun.elapsed());
    print!("{text}");
    if options.timings {
        timings::keep(layout, &text, &report)?;
    }
    let all_passed = outcomes.iter().all(|it| it.passed);
    Ok(if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// All but the tests in Python, in the order given.
fn run_each(layout: &Layout, suites: &[Suite], extra: &[String]) -> Result<Vec<Outcome>> {
    let run = &|suite: Suite| {
        let begun = Instant::now();
        let result = suite.run(layout, extra);
        if let Err(error) = &result {
            eprintln!("error: {}: {error:#}", suite.name());
        }
        Outcome {
            suite: suite.name(),
            passed: result.is_ok(),
            took: begun.elapsed(),
            tests: None,
        }
    };
    let (beside, alone): (Vec<Suite>, Vec<Suite>) = suites.iter().partition(|it| it.leaves_room());
    let mut outcomes = Vec::new();
    for suite in alone {
        println!("\n━━ {} ━━", suite.name());
        outcomes.push(run(suite));
    }
    if !beside.is_empty() {
        let names: Vec<&str> = beside.iter().map(|it| it.name()).collect();
        println!("\n━━ {} ━━", names.join(", "));
    }
    thread::scope(|scope| {
        let running: Vec<_> = beside
            .iter()
            .map(|suite| scope.spawn(move || process::kept_back(|| run(*suite))))
            .collect();
        for (suite, running) in beside.iter().zip(running) {
            let (outcome, said) = running
                .join()
                .map_err(|_| anyhow!("the thread of the suite {} has panicked", suite.name()))?;
            println!("\n━━ {} ━━", suite.name());
            io::stdout().write_all(&said)?;
            outcomes.push(outcome);
        }
        anyhow::Ok(())
    })?;
    outcomes.sort_by_key(|outcome| suites.iter().position(|it| it.name() == outcome.suite));
    Ok(outcomes)
}

fn cargo_test(layout: &Layout, what: &str) -> Step {
    process::cargo(what)
        .args(["test", "--release"])
        .dir(layout.root())
        .env("LIFELINE_TEST_POLICIES", layout.test_policies())
        .with_our_stdout()
}

/// whole: also what asks the wheel, or the package index.
fn lint(layout: &Layout, whole: bool) -> Result<Vec<Step>> {
    let check = |step: Step| step.dir(layout.root()).with_our_stdout();
    let python = || Step::new("mypy", layout.venv_program("python"));
    let mut steps = vec![
        check(process::cargo("cargo fmt").args(["fmt", "--all", "--check"])),
        check(
            Step::new("ruff check", layout.venv_program("ruff"))
                .arg("check")
                .args(PYTHON),
        ),
        check(
            Step::new("ruff format", layout.venv_program("ruff"))
                .args(["format", "--check"])
                .args(PYTHON),
        ),
        check(python().args(["-m", "mypy", "--strict"]).args(PYTHON)),
        check(
            Step::new(
                "who opens files, or writes to a terminal, by themselves",
                layout.venv_program("python"),
            )
            .arg("tests/lint/ways_around.py"),
        ),
        check(
            process::cargo("cargo clippy")
                .args(["clippy", "--release", "--workspace", "--all-targets"])
                .args(["--", "-D", "warnings"]),
        ),
    ];
    if whole {
        // For a change of pyproject.toml alone nothing is installed anew.
        steps.push(check(
            setup::uv(layout, "uv lock")?.args(["lock", "--check"]),
        ));
        steps.push(check(
            Step::new("the stubs against the wheel", layout.venv_program("python")).args([
                "-m",
                "mypy.stubtest",
                "cr8_lifeline._native",
            ]),
        ));
    }
    Ok(steps)
}

/// What no linter has: how the host's modules import each other, and how long they are.
fn shape(layout: &Layout) -> Result<()> {
    circles::check(layout).and(sizes::check(layout))
}

fn unit(layout: &Layout, extra: &[String]) -> Vec<Step> {
    // Apart from each other: together they would share features that neither has alone, and
    // more would be compiled twice.
    [
        (
            "cargo test: the default policy's machine, and what the host decides",
            &["lifeline-machine", "lifeline-core"][..],
            "--lib",
        ),
        // The engine alone would have other features, and wasmtime be compiled twice.
        (
            "cargo test: the host library, its sandbox, and simulations",
            &[
                "lifeline",
                "lifeline-sandbox",
                "lifeline-files",
                "lifeline-simulate",
            ],
            "--lib",
        ),
        ("cargo test: the command", &["lifeline-cli"], "--lib"),
        ("cargo test: xtask", &["xtask"], "--bins"),
    ]
    .into_iter()
    .map(|(what, packages, targets)| {
        let packages = packages.iter().flat_map(|it| ["--package", it]);
        cargo_test(layout, what)
            .args(packages)
            .args([targets, "--"])
            .args(extra)
    })
    .collect()
}

fn link(layout: &Layout, extra: &[String]) -> Result<()> {
    cargo_test(layout, "cargo test: the link against the stand-in engine")
        .args(["--package", "lifeline", "--test", "link", "--"])
        // They wait.
        .env("RUST_TEST_THREADS", "12")
        .args(extra)
        .env("LIFELINE_ENGINE_PYTHON", layout.venv_program("python"))
        .env("PYTHONPATH", layout.test_python_path()?)
        .run()
}

fn model(layout: &Layout, extra: &[String]) -> Result<()> {
    // What was searched, and how much of it, is told on the way.
    cargo_test(layout, "cargo test: the model")
        .args(["--package", "lifeline-model", "--", "--nocapture"])
        .args(extra)
        .run()
}

fn page(layout: &Layout) -> Result<[Step; 4]> {
    Ok([
        process::cargo("what the core makes of a thousand courses of events")
            .args(["run", "--release", "--package", "lifeline-model", "--"])
            .arg("--courses")
            .arg(layout.target().join("courses.json"))
            .dir(layout.root()),
        build::npm_run(layout, "tsc: the page's types", "check")?.with_our_stdout(),
        build::npm_run(layout, "vitest: the page's modules", "test")?.with_our_stdout(),
        build::npm_run(layout, "what the policy costs a page", "size")?.with_our_stdout(),
    ])
}

#[cfg(test)]
mod tests {
    use super::{Suite, selection};

    #[test]
    fn none_named_means_all_in_order() {
        let all = [
            Suite::Lint,
            Suite::Unit,
            Suite::Link,
            Suite::Policy,
            Suite::Model,
            Suite::Fuzz,
            Suite::Blender,
            Suite::Faults,
            Suite::Ui,
            Suite::Browser,
            Suite::Tasks,
        ];
        assert_eq!(selection(&[]), all);
    }

    #[test]
    fn each_named_suite_runs_once_and_in_order() {
        let named = [Suite::Policy, Suite::Unit, Suite::Policy];
        assert_eq!(selection(&named), [Suite::Unit, Suite::Policy]);
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        use clap::ValueEnum as _;
        for suite in Suite::value_variants() {
            assert_eq!(Suite::from_str(suite.name(), false), Ok(*suite));
        }
    }

    #[test]
    fn words_go_to_a_runner_that_takes_some() {
        assert!(Suite::Blender.check_words().is_ok());
        assert!(Suite::Lint.check_words().is_err());
        assert!(Suite::Fuzz.check_words().is_err());
    }
}
