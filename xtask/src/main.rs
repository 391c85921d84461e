//! `cargo xtask`: set up, build, test and show Lifeline.
//!
//! Progress goes to stderr; stdout carries what was asked for (test output, the demo's last line).
#![allow(clippy::print_stdout)] // the results of a command-line program belong there

mod bench;
mod build;
mod demo;
mod fuzz;
mod layout;
mod mutants;
mod package;
mod prepare;
mod process;
mod setup;
mod soak;
mod suites;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::bench::BenchOptions;
use crate::demo::DemoOptions;
use crate::fuzz::FuzzOptions;
use crate::layout::Layout;
use crate::mutants::Subject;
use crate::prepare::Build;
use crate::setup::Part;
use crate::soak::SoakOptions;
use crate::suites::TestOptions;

/// Set up, build, test and show Lifeline.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// Install whatever is missing for everything below (each does so for itself, too).
    Setup,
    /// Build the policy components, the Python wheel, and the command `lifeline`.
    Build,
    /// Make the zips that people install, in `target/packages`.
    Package,
    /// Collect the licences of all that the packages contain, after a change of Cargo.lock.
    Licenses,
    /// Run test suites; none named: all.
    Test(TestOptions),
    /// Plant small mistakes, and see whether the tests notice each (half an hour or more).
    Mutants {
        /// Where; nothing named: everywhere.
        #[arg(value_enum)]
        subject: Vec<Subject>,
    },
    /// Watch a real Blender lose its server, count down, save, quit and come back.
    Demo(DemoOptions),
    /// Throw arbitrary input at the machine, the guard, the sandbox, the parsers and the link.
    Fuzz(FuzzOptions),
    /// Measure everything beside what people use today, and write docs/performance.md (20 minutes
    /// or so, on a machine that does nothing else).
    Bench(BenchOptions),
    /// Faults at random against the real server and the real host; after each, nothing is left over.
    Soak(SoakOptions),
}

fn run(task: Task) -> Result<ExitCode> {
    let layout = Layout::find()?;
    match task {
        Task::Setup => setup::ensure(&layout, Part::ALL)?,
        Task::Build => {
            let all = [Build::PythonPolicies, Build::Wheel, Build::Command];
            prepare::prepare(&layout, &[], &all)?;
        }
        Task::Licenses => package::licenses::collect(&layout)?,
        Task::Package => package::run(&layout)?,
        Task::Test(options) => return suites::run(&layout, &options),
        Task::Mutants { subject } => return mutants::run(&layout, &subject),
        Task::Demo(options) => return demo::run(&layout, &options),
        Task::Fuzz(options) => fuzz::run(&layout, &options)?,
        Task::Bench(options) => return bench::run(&layout, &options),
        Task::Soak(options) => return soak::run(&layout, &options),
    }
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Task};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn suites_are_parsed_by_name_and_words_after_two_dashes_are_kept() -> anyhow::Result<()> {
        let cli = Cli::try_parse_from(["xtask", "test", "policy", "--", "-k", "tick"])?;
        let Task::Test(options) = cli.command else {
            anyhow::bail!("not the test command: {cli:?}");
        };
        let text = format!("{options:?}");
        assert!(text.contains("[Policy]"), "{text}");
        assert!(text.contains(r#"["-k", "tick"]"#), "{text}");
        Ok(())
    }

    #[test]
    fn quick_is_a_choice_of_its_own() {
        for others in [&["policy"][..], &["--timings"], &["--", "-k", "tick"]] {
            let words = ["xtask", "test", "--quick"].iter().chain(others);
            let Err(error) = Cli::try_parse_from(words) else {
                panic!("--quick was taken with {others:?}");
            };
            let text = error.to_string();
            assert!(text.contains("cannot be used with"), "{text}");
        }
    }

    #[test]
    fn an_unknown_suite_is_answered_with_the_list() {
        let Err(error) = Cli::try_parse_from(["xtask", "test", "units"]) else {
            panic!("`units` was taken for a suite");
        };
        let text = error.to_string();
        for name in [
            "units", "lint", "unit", "link", "policy", "model", "fuzz", "blender", "faults", "ui",
            "browser", "tasks",
        ] {
            assert!(text.contains(name), "{name} is not in: {text}");
        }
    }
}
