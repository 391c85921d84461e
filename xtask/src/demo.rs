//! `cargo xtask demo`: everything it needs, then the Python program that shows it.

use std::ffi::OsString;
use std::path::PathBuf;
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
    /// With the user's page in a browser: it counts down, too, and relaunches Blender.
    #[arg(long)]
    browser: bool,
    /// Let this policy decide instead of the built-in one.
    #[arg(long, value_name = "P.wasm")]
    policy: Option<PathBuf>,
}

impl DemoOptions {
    fn words(&self) -> Vec<OsString> {
        let switches = [
            (self.real_time, "--real-time"),
            (self.json, "--json"),
            (self.window, "--window"),
            (self.browser, "--browser"),
        ]
        .into_iter()
        .filter_map(|(given, word)| given.then_some(OsString::from(word)));
        let policy = self
            .policy
            .iter()
            .flat_map(|file| ["--policy".into(), file.clone().into_os_string()]);
        switches.chain(policy).collect()
    }
}

/// The exit code is the demo's own.
pub fn run(layout: &Layout, options: &DemoOptions) -> Result<ExitCode> {
    let mut parts = vec![Part::Blender, Part::Native, Part::Guest, Part::Venv];
    if options.browser {
        parts.push(Part::Browser);
    }
    setup::ensure(layout, &parts)?;
    build::policies(layout)?;
    build::wheel(layout)?;
    if options.browser {
        build::page(layout)?;
    }
    // The demo runs in another folder.
    let options = DemoOptions {
        policy: options
            .policy
            .as_ref()
            .map(std::path::absolute)
            .transpose()?,
        ..*options
    };
    Step::new("the demo", layout.venv_program("python"))
        .args(["-m", "lifeline_demo"])
        .args(options.words())
        .env("PYTHONPATH", layout.test_python_path()?)
        .env("LIFELINE_PYTHON", layout.blender_python())
        .dir(layout.root())
        .with_our_stdout()
        .exit_code()
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
            browser: true,
            policy: Some("mine.wasm".into()),
        };
        let words = [
            "--real-time",
            "--json",
            "--browser",
            "--policy",
            "mine.wasm",
        ];
        assert_eq!(options.words(), words);
    }
}
