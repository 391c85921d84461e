//! `lifeline-model`: searches further than the test does, or walks along a trace that it has found.
//!
//! ```text
//! cargo run --release -p lifeline-model -- --bound 1            # one more fault everywhere
//! cargo run --release -p lifeline-model -- --only hostile --to-the-end
//! cargo run --release -p lifeline-model -- --courses target/courses.json   # for the user's page
//! cargo run --release -p lifeline-model -- --only traps --faults 4 --replay 0/0/1
//! ```
#![allow(clippy::print_stdout)] // a command for people

use lifeline_model::courses::courses;
use lifeline_model::report::replay;
use lifeline_model::{Configuration, configurations, search};
use std::process::ExitCode;

/// For the user's page.
const COURSES: u64 = 1_000;

#[derive(Default)]
struct Options {
    bound: u8,
    faults: Option<u8>,
    only: Option<String>,
    to_the_end: bool,
    replay: Option<String>,
    courses: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        match word.as_str() {
            "--bound" => options.bound = number(&value()?)?,
            "--faults" => options.faults = Some(number(&value()?)?),
            "--only" => options.only = Some(value()?),
            "--to-the-end" => options.to_the_end = true,
            "--replay" => options.replay = Some(value()?),
            "--courses" => options.courses = Some(value()?),
            _ => return Err(format!("unknown: {word}")),
        }
    }
    Ok(options)
}

fn number(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("no small number: {text}"))
}

fn chosen(options: &Options) -> Vec<Configuration> {
    let mut chosen = configurations(options.bound);
    chosen.retain(|it| options.only.as_ref().is_none_or(|only| only == it.name));
    for it in &mut chosen {
        it.bound.faults = options.faults.unwrap_or(it.bound.faults);
    }
    chosen
}

fn run(options: &Options) -> Result<bool, String> {
    if let Some(file) = &options.courses {
        std::fs::write(file, courses(COURSES)).map_err(|error| format!("{file}: {error}"))?;
        return Ok(true);
    }
    let chosen = chosen(options);
    if chosen.is_empty() {
        let names: Vec<_> = configurations(0).iter().map(|it| it.name).collect();
        return Err(format!("--only: one of {}", names.join(", ")));
    }
    let mut well = true;
    for configuration in chosen {
        if let Some(path) = &options.replay {
            let trace = replay(configuration, path).ok_or("the path leads nowhere")?;
            println!("{}", trace.lines.join("\n"));
        } else {
            let outcome = search(configuration, options.to_the_end);
            println!("{}", outcome.told());
            well &= outcome.broken.is_empty() && outcome.complete;
        }
    }
    Ok(well)
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}
