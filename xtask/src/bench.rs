//! `cargo xtask bench`: everything it needs, then the Python program that measures.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::layout::Layout;
use crate::prepare::{Build, prepare};
use crate::process::Step;
use crate::setup::Part;

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
    let parts = [
        Part::Venv,
        Part::Blender,
        Part::Bpy,
        Part::Balanced,
        Part::Bench,
        Part::Store,
    ];
    let builds = [
        Build::PythonPolicies,
        Build::TestPolicies,
        Build::Bindings,
        Build::Command,
        Build::Packages,
    ];
    let environment = prepare(layout, &parts, &builds)?;
    let document = layout.root().join("docs/performance.md");
    let step = Step::new("measuring", layout.venv_program("python"))
        .args(["-m", "lifeline_bench", "--write"])
        .arg(document)
        .args(options.words())
        .env("PYTHONPATH", layout.test_python_path()?);
    environment
        .apply(step)
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
