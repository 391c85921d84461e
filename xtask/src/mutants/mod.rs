//! `cargo xtask mutants`: would the tests see a small mistake?
//!
//! cargo-mutants plants one at a time (`<` becomes `<=`, a function answers at once, …), and the tests
//! must turn red. A mistake that makes no difference to anybody is no mistake: those are listed, each
//! with its reason, in `tests/mutants/equivalent.txt`, and that list must be exact.
//!
//! All of it happens in a copy of the work tree under `target/mutants`, which an interrupted run may
//! leave with a mistake in it.

mod equivalent;
mod outcome;
mod tree;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::layout::Layout;
use crate::process::Step;
use crate::setup;

use equivalent::Equivalents;
use outcome::Outcome;

/// What mistakes are planted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// The state machine, against its own tests.
    Machine,
    /// What the host decides, against its own tests.
    Core,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Core => "core",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Machine => "lifeline-machine",
            Self::Core => "lifeline-core",
        }
    }

    /// Where its source is: what the names of its mutants begin with.
    fn source(self) -> &'static str {
        match self {
            Self::Machine => "guest/machine/src/",
            Self::Core => "host/core/src/",
        }
    }
}

/// Longer than any test runs, in seconds; a mutant that takes longer goes round in circles.
const TEST_LIMIT: &str = "60";

/// Plants mistakes in these, all if none is named.
pub fn run(layout: &Layout, named: &[Subject]) -> Result<ExitCode> {
    let list = layout.root().join("tests/mutants/equivalent.txt");
    let text =
        fs::read_to_string(&list).with_context(|| format!("{} cannot be read", list.display()))?;
    let equivalents = Equivalents::parse(&text).with_context(|| list.display().to_string())?;
    let tool = setup::cargo_mutants(layout)?;
    let mut faults = Vec::new();
    for &subject in Subject::value_variants() {
        if named.is_empty() || named.contains(&subject) {
            let begun = Instant::now();
            let outcome = plant(layout, &tool, subject)?;
            if outcome.is_empty() {
                bail!("cargo-mutants has found nothing in {}", subject.source());
            }
            let found = equivalents.compare(subject.source(), &outcome);
            println!(
                "{}: {} (in {} s)",
                subject.name(),
                outcome.summary(found.equivalent),
                begun.elapsed().as_secs()
            );
            faults.extend(found.faults);
        }
    }
    for fault in &faults {
        println!("  {fault}");
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn plant(layout: &Layout, tool: &Path, subject: Subject) -> Result<Outcome> {
    let folder = layout.target().join("mutants");
    let tree = folder.join("tree");
    tree::copy(layout, &tree)?;
    let target = folder.join("target");
    tree::seed_target(layout, &target)?;
    let results = folder.join(subject.name());
    let package = subject.package();
    let status = Step::new(format!("mutants of {}", subject.name()), tool)
        .args(["mutants", "--in-place", "--no-config", "--colors", "never"])
        .args(["--package", package])
        .args(["--file", &format!("{}*", subject.source())])
        .args(["--file", &format!("{}*/**", subject.source())])
        // The one profile, so that nothing else is compiled anew; the one package as fast as can be.
        .args(["--profile", "release"])
        .arg(format!(
            "--cargo-arg=--config=profile.release.package.{package}.opt-level=1"
        ))
        .arg("--cargo-arg=--lib")
        .args(["--timeout", TEST_LIMIT])
        .arg("--output")
        .arg(&results)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_INCREMENTAL", "1")
        // The same cases each time, fewer than usual, and a failure is no news.
        .env("PROPTEST_RNG_SEED", "1")
        .env("PROPTEST_CASES", "300")
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .dir(&tree)
        .status()?;
    // 0: all were caught; 2: some were missed; 3: some ran into the time limit.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        bail!(
            "cargo-mutants ended with {status}; its logs are in {}",
            results.join("mutants.out/log").display()
        );
    }
    Outcome::read(&results.join("mutants.out"))
}
