//! `cargo xtask soak`: everything it needs, then the Python program that goes on and on.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::layout::Layout;
use crate::prepare::{Build, prepare};
use crate::process::Step;
use crate::setup::Part;

#[derive(Args, Debug)]
pub struct SoakOptions {
    /// How many cycles: 100 unless said otherwise, 12 with a Blender.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cycles: Option<u32>,
    /// What happens follows from it, and from a cycle's number; a new one unless said otherwise.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// The number of the first cycle.
    #[arg(long, value_name = "K", default_value_t = 1)]
    from: u32,
    /// Tell how it stands each time after so many cycles.
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..))]
    report_every: u32,
    /// A real Blender on a virtual display, in place of the host alone.
    #[arg(long)]
    blender: bool,
}

impl SoakOptions {
    fn words(&self) -> Vec<OsString> {
        let numbers = [
            ("--cycles", self.cycles.map(u64::from)),
            ("--seed", self.seed),
            ("--from", Some(u64::from(self.from))),
            ("--report-every", Some(u64::from(self.report_every))),
        ]
        .into_iter()
        .filter_map(|(word, number)| Some([word.to_string(), number?.to_string()]))
        .flatten();
        let switch = self.blender.then(|| "--blender".to_string());
        numbers.chain(switch).map(OsString::from).collect()
    }
}

/// The exit code is the soak's own.
pub fn run(layout: &Layout, options: &SoakOptions) -> Result<ExitCode> {
    let mut parts = vec![Part::Venv];
    parts.extend(options.blender.then_some(Part::Blender));
    let environment = prepare(layout, &parts, &[Build::TestPolicies, Build::Wheel])?;
    let step = Step::new("the soak", layout.venv_program("python"))
        .args(["-m", "lifeline_soak"])
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
    use super::SoakOptions;

    #[test]
    fn what_is_not_said_is_left_to_the_soak() {
        let options = SoakOptions {
            cycles: None,
            seed: Some(7),
            from: 3,
            report_every: 50,
            blender: true,
        };
        let words = [
            "--seed",
            "7",
            "--from",
            "3",
            "--report-every",
            "50",
            "--blender",
        ];
        assert_eq!(options.words(), words);
    }
}
