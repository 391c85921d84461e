//! The test suites: what each needs, and what it runs.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::build;
use crate::fuzz;
use crate::layout::{Bpy, Layout};
use crate::package;
use crate::process::{self, Step};
use crate::setup::{self, Part};

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
    /// The machine, the guard and an adversary, searched exhaustively within a bound.
    Model,
    /// Arbitrary input, for a few seconds each.
    Fuzz,
    /// The whole thing in a real Blender.
    Blender,
    /// The same, with faults: what is on disk afterwards, and whether Blender closes or stays.
    Faults,
    /// What a person installs, sees and presses, in each Blender.
    Ui,
    /// The page: its modules, then in a real Chromium with a real Blender at the same server.
    Browser,
}

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
        }
    }

    fn run(self, layout: &Layout, extra: &[String]) -> Result<()> {
        match self {
            Self::Lint => lint(layout, extra),
            Self::Unit => unit(layout, extra),
            Self::Link => link(layout, extra),
            Self::Policy => policy(layout, extra),
            Self::Model => model(layout, extra),
            Self::Fuzz => fuzz_targets(layout, extra),
            Self::Blender => blender(layout, extra),
            Self::Faults => faults(layout, extra),
            Self::Ui => ui(layout, extra),
            Self::Browser => browser(layout, extra),
        }
    }
}

/// All if none is named; each once, in the usual order.
fn selection(named: &[Suite]) -> Vec<Suite> {
    Suite::value_variants()
        .iter()
        .copied()
        .filter(|suite| named.is_empty() || named.contains(suite))
        .collect()
}

struct Outcome {
    suite: Suite,
    passed: bool,
    took: Duration,
}

/// A table, and a last line that counts the suites for whoever reads the log by program.
fn summary(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for Outcome {
        suite,
        passed,
        took,
    } in outcomes
    {
        let verdict = if *passed { "passed" } else { "FAILED" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<8} {verdict} {:>7.1} s",
            suite.name(),
            took.as_secs_f64()
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

/// Run these suites, all if none is named. extra: for the runner of the one suite named.
pub fn run(layout: &Layout, named: &[Suite], extra: &[String]) -> Result<ExitCode> {
    let chosen = selection(named);
    if !extra.is_empty() && chosen.len() != 1 {
        bail!("words after `--` go to one suite's test runner: name that suite");
    }
    let mut outcomes = Vec::new();
    for suite in chosen {
        println!("\n━━ {} ━━", suite.name());
        let begun = Instant::now();
        let result = suite.run(layout, extra);
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
        }
        outcomes.push(Outcome {
            suite,
            passed: result.is_ok(),
            took: begun.elapsed(),
        });
    }
    println!("\n━━ suites ━━");
    print!("{}", summary(&outcomes));
    let all_passed = outcomes.iter().all(|it| it.passed);
    Ok(if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cargo_test(layout: &Layout, what: &str) -> Step {
    process::cargo(what)
        .args(["test", "--release"])
        .dir(layout.root())
        .env("LIFELINE_TEST_POLICIES", layout.test_policies())
        .with_our_stdout()
}

fn pytest(layout: &Layout, folder: &str) -> Result<Step> {
    Ok(
        Step::new(format!("pytest {folder}"), layout.venv_program("python"))
            .args(["-m", "pytest", folder])
            .env("PYTHONPATH", layout.test_python_path()?)
            .env("LIFELINE_TEST_POLICIES", layout.test_policies())
            .dir(layout.root())
            .with_our_stdout(),
    )
}

fn lint(layout: &Layout, extra: &[String]) -> Result<()> {
    if !extra.is_empty() {
        bail!("lint runs several programs, and takes no words for one of them");
    }
    let parts = [Part::Native, Part::Guest, Part::Venv, Part::Fuzz];
    setup::ensure(layout, &parts)?;
    // The host embeds the policies, and the stubs are compared with the wheel.
    build::policies(layout)?;
    build::wheel(layout)?;
    build::python_bindings(layout)?;
    let python = ["addon", "guest", "tests", "host/python/python"];
    let check = |step: Step| step.dir(layout.root()).with_our_stdout();
    process::run_all([
        check(process::cargo("cargo fmt").args(["fmt", "--all", "--check"])),
        check(
            process::cargo("cargo clippy")
                .args(["clippy", "--release", "--workspace", "--all-targets"])
                .args(["--", "-D", "warnings"]),
        ),
        // For a change of pyproject.toml alone nothing is installed anew.
        check(setup::uv(layout, "uv lock")?.args(["lock", "--check"])),
        check(
            Step::new("ruff check", layout.venv_program("ruff"))
                .arg("check")
                .args(python),
        ),
        check(
            Step::new("ruff format", layout.venv_program("ruff"))
                .args(["format", "--check"])
                .args(python),
        ),
        check(
            Step::new("mypy", layout.venv_program("python"))
                .args(["-m", "mypy", "--strict"])
                .args(python),
        ),
        check(
            Step::new("the stubs against the wheel", layout.venv_program("python")).args([
                "-m",
                "mypy.stubtest",
                "cr8_lifeline._native",
            ]),
        ),
    ])
}

fn unit(layout: &Layout, extra: &[String]) -> Result<()> {
    setup::ensure(layout, &[Part::Native, Part::Guest, Part::Venv])?;
    build::policies(layout)?;
    build::test_policies(layout)?;
    // Apart from each other: together they would share features that neither has alone, and
    // more would be compiled twice.
    let rust = [
        (
            "cargo test: the default policy's machine",
            &["lifeline-machine"][..],
            "--lib",
        ),
        // The engine alone would have other features, and wasmtime be compiled twice.
        (
            "cargo test: the host library and its engine",
            &["lifeline", "lifeline-engine"],
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
    });
    if !extra.is_empty() {
        eprintln!("  the words after `--` go to cargo test; tests/python is left out");
        return process::run_all(rust);
    }
    build::wheel(layout)?;
    process::run_all(rust.chain([pytest(layout, "tests/python")?]))
}

fn link(layout: &Layout, extra: &[String]) -> Result<()> {
    setup::ensure(layout, &[Part::Native, Part::Guest, Part::Venv])?;
    build::policies(layout)?;
    build::test_policies(layout)?;
    cargo_test(layout, "cargo test: the link against the stand-in engine")
        .args(["--package", "lifeline", "--test", "link", "--"])
        .args(extra)
        .env("LIFELINE_ENGINE_PYTHON", layout.venv_program("python"))
        .env("PYTHONPATH", layout.test_python_path()?)
        .run()
}

fn policy(layout: &Layout, extra: &[String]) -> Result<()> {
    setup::ensure(layout, &[Part::Guest, Part::Venv])?;
    build::policies(layout)?;
    build::python_policies(layout)?;
    build::test_policies(layout)?;
    pytest(layout, "tests/policy")?
        .args(extra)
        .env("LIFELINE_WASMTIME", setup::wasmtime(layout)?)
        .env("LIFELINE_COMMAND", build::command(layout)?)
        .env("LIFELINE_POLICIES", layout.policies())
        .run()
}

fn model(layout: &Layout, extra: &[String]) -> Result<()> {
    setup::ensure(layout, &[Part::Native, Part::Guest])?;
    build::policies(layout)?;
    // What was searched, and how much of it, is told on the way.
    cargo_test(layout, "cargo test: the model")
        .args(["--package", "lifeline-model", "--", "--nocapture"])
        .args(extra)
        .run()
}

/// How long each fuzz target runs in the suite; `cargo xtask fuzz` has as long as one likes.
const FUZZ_EACH: Duration = Duration::from_secs(10);

fn fuzz_targets(layout: &Layout, extra: &[String]) -> Result<()> {
    if !extra.is_empty() {
        bail!("fuzz takes no words: `cargo xtask fuzz` has options");
    }
    fuzz::suite(layout, FUZZ_EACH)
}

/// What a Blender with the add-on needs.
const WITH_BLENDER: &[Part] = &[Part::Native, Part::Guest, Part::Venv, Part::Blender];

/// pytest with a Blender, and the add-on's native module for it.
fn blender_pytest(layout: &Layout, folder: &str, parts: &[Part]) -> Result<Step> {
    setup::ensure(layout, parts)?;
    build::policies(layout)?;
    build::python_policies(layout)?;
    build::test_policies(layout)?;
    build::wheel(layout)?;
    Ok(pytest(layout, folder)?
        .env("LIFELINE_PYTHON", layout.blender_python())
        .env("LIFELINE_POLICIES", layout.policies()))
}

fn blender(layout: &Layout, extra: &[String]) -> Result<()> {
    blender_pytest(layout, "tests/blender", WITH_BLENDER)?
        .args(extra)
        .run()
}

fn faults(layout: &Layout, extra: &[String]) -> Result<()> {
    let parts = [WITH_BLENDER, &[Part::Bpy, Part::Faults]].concat();
    blender_pytest(layout, "tests/faults", &parts)?
        .args(extra)
        .env("LIFELINE_BPY_PYTHON", layout.bpy_python(Bpy::V4_5))
        .run()
}

fn ui(layout: &Layout, extra: &[String]) -> Result<()> {
    let parts = [WITH_BLENDER, &[Part::Bpy, Part::LaterBpy, Part::Pointer]].concat();
    let step = blender_pytest(layout, "tests/ui", &parts)?;
    package::build(layout)?;
    step.args(extra)
        .env("LIFELINE_PACKAGES", layout.packages())
        .env("LIFELINE_BPY_PYTHON", layout.bpy_python(Bpy::V4_5))
        .env("LIFELINE_BPY_PYTHON_5_0", layout.bpy_python(Bpy::V5_0))
        .env("LIFELINE_BPY_PYTHON_5_2", layout.bpy_python(Bpy::V5_2))
        .run()
}

fn browser(layout: &Layout, extra: &[String]) -> Result<()> {
    let parts = [WITH_BLENDER, &[Part::Browser]].concat();
    let blender = blender_pytest(layout, "tests/browser", &parts)?.args(extra);
    build::page(layout)?;
    process::run_all([
        build::npm_run(layout, "tsc: the page's types", "check")?.with_our_stdout(),
        build::npm_run(layout, "vitest: the page's modules", "test")?.with_our_stdout(),
        build::npm_run(layout, "what the policy costs a page", "size")?.with_our_stdout(),
        blender,
    ])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Outcome, Suite, selection, summary};

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
    fn the_last_line_counts_the_suites() {
        let outcome = |suite, passed| Outcome {
            suite,
            passed,
            took: Duration::from_millis(1500),
        };
        let text = summary(&[
            outcome(Suite::Lint, true),
            outcome(Suite::Unit, false),
            outcome(Suite::Blender, true),
        ]);
        assert_eq!(text.lines().last(), Some("2 passed, 1 failed"));
        assert!(text.contains("unit     FAILED     1.5 s"), "{text}");
    }
}
