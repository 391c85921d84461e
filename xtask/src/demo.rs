//! `cargo xtask demo`: everything it needs, then the Python program that shows it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::build;
use crate::layout::Layout;
use crate::process::Step;
use crate::setup::{self, Part};

#[derive(Args, Debug)]
pub struct DemoOptions {
    /// The true times, 34 s of attempts and 300 s of countdown, instead of compressed ones.
    #[arg(long)]
    real_time: bool,
    /// End with one line of JSON on stdout.
    #[arg(long)]
    json: bool,
    /// Show Blender on this display instead of a virtual one.
    #[arg(long)]
    window: bool,
}

impl DemoOptions {
    fn words(&self) -> Vec<&'static str> {
        [
            (self.real_time, "--real-time"),
            (self.json, "--json"),
            (self.window, "--window"),
        ]
        .into_iter()
        .filter_map(|(given, word)| given.then_some(word))
        .collect()
    }
}

/// The exit code is the demo's own.
pub fn run(layout: &Layout, options: &DemoOptions) -> Result<ExitCode> {
    setup::ensure(
        layout,
        &[Part::Blender, Part::Native, Part::Guest, Part::Venv],
    )?;
    build::policies(layout)?;
    build::wheel(layout)?;
    let status = Step::new("the demo", layout.venv_program("python"))
        .args(["-m", "lifeline_demo"])
        .args(options.words())
        .env("PYTHONPATH", layout.test_python_path()?)
        .env("LIFELINE_PYTHON", layout.blender_python())
        .dir(layout.root())
        .with_our_stdout()
        .status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::DemoOptions;

    #[test]
    fn only_the_options_given_are_passed_on() {
        let options = DemoOptions {
            real_time: true,
            json: true,
            window: false,
        };
        assert_eq!(options.words(), ["--real-time", "--json"]);
    }
}
