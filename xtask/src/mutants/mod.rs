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
mod planted;
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
    /// The way to Blender's end, against the model: mistakes that people have planted.
    Closing,
}

/// What cargo-mutants is set on.
#[derive(Clone, Copy, Debug)]
struct Source {
    name: &'static str,
    package: &'static str,
    /// What the names of its mutants begin with.
    folder: &'static str,
}

impl Subject {
    /// None: it is none of cargo-mutants' business.
    fn source(self) -> Option<Source> {
        match self {
            Self::Machine => Some(Source {
                name: "machine",
                package: "lifeline-machine",
                folder: "guest/machine/src/",
            }),
            Self::Core => Some(Source {
                name: "core",
                package: "lifeline-core",
                folder: "host/core/src/",
            }),
            Self::Closing => None,
        }
    }
}

/// Longer than any test runs, in seconds; a mutant that takes longer goes round in circles.
const TEST_LIMIT: &str = "30";

/// Plants mistakes in these, all if none is named.
pub fn run(layout: &Layout, named: &[Subject]) -> Result<ExitCode> {
    let list = layout.root().join("tests/mutants/equivalent.txt");
    let text =
        fs::read_to_string(&list).with_context(|| format!("{} cannot be read", list.display()))?;
    let equivalents = Equivalents::parse(&text).with_context(|| list.display().to_string())?;
    let folder = layout.target().join("mutants");
    let mut faults = Vec::new();
    for subject in Subject::value_variants() {
        if !named.is_empty() && !named.contains(subject) {
            continue;
        }
        let Some(source) = subject.source() else {
            tree::seed_target(layout, &folder.join("target"))?;
            faults.extend(planted::run(layout, &folder)?);
            continue;
        };
        let begun = Instant::now();
        let outcome = plant(layout, &folder, source)?;
        if outcome.is_empty() {
            bail!("cargo-mutants has found nothing in {}", source.folder);
        }
        let found = equivalents.compare(source.folder, &outcome);
        println!(
            "{}: {} (in {} s)",
            source.name,
            outcome.summary(found.equivalent),
            begun.elapsed().as_secs()
        );
        faults.extend(found.faults);
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

fn plant(layout: &Layout, folder: &Path, source: Source) -> Result<Outcome> {
    let tool = setup::cargo_mutants(layout)?;
    let tree = folder.join("tree");
    tree::copy(layout, &tree)?;
    let target = folder.join("target");
    tree::seed_target(layout, &target)?;
    let Source {
        name,
        package,
        folder: sources,
    } = source;
    let results = folder.join(name);
    let status = Step::new(format!("mutants of {name}"), tool)
        .args(["mutants", "--in-place", "--no-config", "--colors", "never"])
        .args(["--package", package])
        .args(["--file", &format!("{sources}*")])
        .args(["--file", &format!("{sources}*/**")])
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
