//! `load_times [COMPONENT]`: how long loading a policy takes, compiled now, from the compile cache,
//! and for the built-in one precompiled; the median of several, in microseconds, as JSON.
#![allow(clippy::print_stdout)] // what was asked for

use lifeline::sandbox::{Cache, Code, FIVE_MINUTES, Limits, LoadError, Policy, Sandbox};
use serde_json::json;
use std::error::Error;
use std::time::{Duration, Instant};
use std::{env, fs};

const ROUNDS: usize = 101;
/// Compiling a large one takes half a minute.
const COMPILE_FOR: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let component = match env::args_os().nth(1) {
        Some(path) => fs::read(path)?,
        None => FIVE_MINUTES.to_vec(),
    };
    let folder = tempfile::tempdir()?;
    let cache = Cache::new(folder.path().join("policies"));
    let cached = Sandbox::new(Limits::default(), Some(cache))?;
    let plain = Sandbox::new(Limits::default(), None)?;
    // Into the cache.
    cached.load(&component)?;

    let begun = Instant::now();
    let mut compiled = Vec::new();
    while compiled.is_empty() || begun.elapsed() < COMPILE_FOR && compiled.len() < ROUNDS {
        compiled.push(lapse(&Code::Compiled, || plain.load(&component))?);
    }
    let load = || cached.load(&component);
    let from_cache = (0..ROUNDS).map(|_| lapse(&Code::Cached, load));
    let built_in = (0..ROUNDS).map(|_| lapse(&Code::Precompiled, || plain.built_in()));
    let figures = json!({
        "compiled_us": median(compiled),
        "cached_us": median(from_cache.collect::<Result<_, _>>()?),
        "built_in_us": median(built_in.collect::<Result<_, _>>()?),
    });
    println!("{figures}");
    Ok(())
}

/// Microseconds of one load, whose code has to come from there.
fn lapse(
    code: &Code,
    load: impl FnOnce() -> Result<Policy, LoadError>,
) -> Result<f64, Box<dyn Error>> {
    let begun = Instant::now();
    let policy = load()?;
    let lapse = begun.elapsed().as_secs_f64() * 1e6;
    if policy.code() == code {
        Ok(lapse)
    } else {
        Err(format!("{code:?} was expected, not {:?}", policy.code()).into())
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
