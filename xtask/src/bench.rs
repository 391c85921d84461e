//! `cargo xtask bench`: everything it needs, then the Python program that measures.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::build;
use crate::layout::Layout;
use crate::package;
use crate::process::Step;
use crate::setup::{self, Part};

#[derive(Args, Debug)]
pub struct BenchOptions {
    /// Rows to measure; none named: all, and the document is written.
    row: Vec<String>,
    /// End with one line of JSON instead of a table.
    #[arg(long)]
    json: bool,
}

impl BenchOptions {
    fn words(&self) -> impl Iterator<Item = OsString> {
        let json = self.json.then(|| "--json".to_owned());
        self.row.iter().cloned().chain(json).map(OsString::from)
    }
}

/// The exit code is that of the measuring program: 1 if something could not be measured.
pub fn run(layout: &Layout, options: &BenchOptions) -> Result<ExitCode> {
    setup::ensure(
        layout,
        &[
            Part::Native,
            Part::Guest,
            Part::Venv,
            Part::Blender,
            Part::Bpy,
            Part::Bench,
        ],
    )?;
    build::policies(layout)?;
    build::python_policies(layout)?;
    build::test_policies(layout)?;
    build::python_bindings(layout)?;
    build::wheel(layout)?;
    let command = build::command(layout)?;
    package::build(layout)?;
    let search = env::join_paths(
        env::split_paths(&layout.test_python_path()?).chain([layout.blender_python()]),
    )?;
    let document = layout.root().join("docs/performance.md");
    Step::new("measuring", layout.venv_program("python"))
        .args(["-m", "lifeline_bench", "--write"])
        .arg(document)
        .args(options.words())
        .env("PYTHONPATH", search)
        .env("LIFELINE_PYTHON", layout.blender_python())
        .env("LIFELINE_POLICIES", layout.policies())
        .env("LIFELINE_TEST_POLICIES", layout.test_policies())
        .env("LIFELINE_COMMAND", command)
        .env("LIFELINE_PEERS", layout.venv_bench().join("bin/python"))
        .dir(layout.root())
        .with_our_stdout()
        .exit_code()
}

#[cfg(test)]
mod tests {
    use super::BenchOptions;

    #[test]
    fn rows_and_the_form_are_passed_on() {
        let options = BenchOptions {
            row: vec!["step".to_owned(), "loss".to_owned()],
            json: true,
        };
        assert!(options.words().eq(["step", "loss", "--json"]));
    }
}
