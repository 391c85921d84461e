//! `cargo xtask demo`: everything it needs, then the Python program that shows it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

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

/// What is done on the way, and how many seconds of one processor it takes the first time.
const STEPS: [(&str, u64); 6] = [
    ("what the system has to bring: Blender and a display", 60),
    ("the policies, for WebAssembly", 80),
    ("the sandbox: wasmtime, by far the longest step", 300),
    ("the module for Blender's Python", 190),
    ("the page", 30),
    ("the demo itself", 35),
];
/// What is there once everything was built.
const LAST_BUILT: &str = "blender-python/cr8_lifeline";

/// Says which step it is in, and at the beginning how long it will take.
struct Progress {
    number: usize,
    of: usize,
}

impl Progress {
    fn begin(layout: &Layout, browser: bool) -> Self {
        let built = layout.target().join(LAST_BUILT).exists();
        let processors = thread::available_parallelism().map_or(1, usize::from);
        eprintln!("{}", forecast(processors, browser, built));
        Self {
            number: 0,
            of: STEPS.len() - usize::from(!browser),
        }
    }

    /// step: which of STEPS.
    fn step(&mut self, step: usize) {
        self.number += 1;
        eprintln!("\nStep {} of {}: {}", self.number, self.of, STEPS[step].0);
    }
}

/// What a person who has just typed the command wants to know.
fn forecast(processors: usize, browser: bool, built: bool) -> String {
    let what = "A real Blender loses its server, counts down, saves, closes, and comes back with the \
                work in it.";
    if built {
        return format!("{what} In a minute or two: most of it is built.");
    }
    let work: u64 = STEPS.iter().map(|(_, seconds)| seconds).sum();
    let work = if browser { work } else { work - STEPS[4].1 };
    // More than a few cannot help: the longest step has one large crate in it.
    let minutes = work.div_ceil(60 * processors.clamp(1, 4) as u64).max(1);
    format!(
        "{what} First everything is built, about {minutes} minutes on this machine's {processors} \
         processors (once)."
    )
}

/// The exit code is the demo's own.
pub fn run(layout: &Layout, options: &DemoOptions) -> Result<ExitCode> {
    let mut progress = Progress::begin(layout, options.browser);
    progress.step(0);
    let mut parts = vec![Part::Blender, Part::Guest, Part::Venv];
    if options.browser {
        parts.push(Part::Browser);
    }
    setup::ensure(layout, &parts)?;
    progress.step(1);
    build::components(layout)?;
    progress.step(2);
    build::built_in_policy(layout)?;
    progress.step(3);
    build::wheel(layout)?;
    if options.browser {
        progress.step(4);
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
    progress.step(5);
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
    use super::{DemoOptions, forecast};

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

    #[test]
    fn how_long_it_will_take_follows_from_the_processors() {
        assert!(forecast(2, false, false).contains("about 6 minutes"));
        assert!(forecast(1, false, false).contains("about 12 minutes"));
        assert!(forecast(64, true, false).contains("about 3 minutes"));
        assert!(forecast(2, false, true).contains("In a minute or two"));
    }
}
