//! `cargo xtask fuzz`: builds the targets of `tests/fuzz`, and runs each for a while.
//!
//! The targets are those of `cargo fuzz`, and can be run with it. Here the project's own compiler
//! builds them, in the one target folder: only this workspace's crates are instrumented, so nothing
//! else is compiled again.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use crate::layout::Layout;
use crate::prepare::{Build, prepare};
use crate::process;
use crate::setup::Part;

/// One input that takes longer than this hangs (seconds).
const HANGS: u32 = 25;
/// One input that needs more memory than this leaks (MiB).
const MEMORY: u32 = 4_096;
/// Where Linux keeps files in memory.
const MEMORY_DISK: &str = "/dev/shm";
/// Lines of a failed run that are shown.
const SHOWN: usize = 60;

#[derive(Args, Debug)]
pub struct FuzzOptions {
    /// Targets to run; none named: all.
    target: Vec<String>,
    /// How long each runs.
    #[arg(long, default_value_t = 1.0, conflicts_with = "input")]
    minutes: f64,
    /// Run the one target named once, on this input: what a failed run has left, for one.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
}

/// What a run tells of itself at its end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    runs: u64,
    per_second: u64,
    /// Edges of the program's flow that were seen.
    covered: u64,
    /// Inputs that were kept, each for something new.
    corpus: u64,
}

pub fn run(layout: &Layout, options: &FuzzOptions) -> Result<()> {
    let all = targets(layout)?;
    if let Some(unknown) = options.target.iter().find(|it| !all.contains(it)) {
        bail!(
            "there is no fuzz target `{unknown}`; there are: {}",
            all.join(", ")
        );
    }
    let chosen: Vec<String> = all
        .into_iter()
        .filter(|it| options.target.is_empty() || options.target.contains(it))
        .collect();
    build(layout)?;
    if let Some(input) = &options.input {
        let [target] = chosen.as_slice() else {
            bail!("an input is for one target: name it");
        };
        let input = std::path::absolute(input)?;
        return process::Step::new(
            format!("{target} on {}", input.display()),
            binary(layout, target),
        )
        .arg(input)
        .run();
    }
    if !options.minutes.is_finite() || options.minutes <= 0.0 {
        bail!(
            "--minutes: expected a number above 0, got {}",
            options.minutes
        );
    }
    for_each(
        layout,
        &chosen,
        Duration::from_secs_f64(options.minutes * 60.0),
    )
}

/// Runs all targets for so long each, as a test suite.
pub fn suite(layout: &Layout, each: Duration) -> Result<()> {
    let all = targets(layout)?;
    build(layout)?;
    for_each(layout, &all, each)
}

/// Runs every target, one on each processor, whatever fails, and says what came of it.
fn for_each(layout: &Layout, targets: &[String], each: Duration) -> Result<()> {
    let mut table = format!(
        "{:<14} {:>12} {:>9} {:>8} {:>7}\n",
        "target", "runs", "runs/s", "edges", "corpus"
    );
    let (mut runs, mut failures) = (0, Vec::new());
    for (target, result) in targets.iter().zip(side_by_side(layout, targets, each)) {
        match result {
            Ok(figures) => {
                runs += figures.runs;
                table += &format!(
                    "{target:<14} {:>12} {:>9} {:>8} {:>7}\n",
                    figures.runs, figures.per_second, figures.covered, figures.corpus
                );
            }
            Err(error) => {
                table += &format!("{target:<14} FAILED\n");
                failures.push(format!("{error:#}"));
            }
        }
    }
    println!(
        "\n{table}\nfuzz: {} targets, {runs} runs, {} failed",
        targets.len(),
        failures.len()
    );
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(())
}

/// What came of each target, in their order.
fn side_by_side(layout: &Layout, targets: &[String], each: Duration) -> Vec<Result<Figures>> {
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let batches = targets.chunks(at_once).map(|batch| {
        thread::scope(|scope| {
            let runs: Vec<_> = batch
                .iter()
                .map(|target| scope.spawn(|| fuzz(layout, target, each)))
                .collect();
            let ended = runs.into_iter().map(|run| {
                run.join()
                    .unwrap_or_else(|_| Err(anyhow!("a thread that ran a target has panicked")))
            });
            ended.collect::<Vec<_>>()
        })
    });
    batches.flatten().collect()
}

/// The names of the files.
fn targets(layout: &Layout) -> Result<Vec<String>> {
    let folder = layout.fuzz().join("fuzz_targets");
    let read = || format!("{} cannot be read", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(read)? {
        let path = entry.with_context(read)?.path();
        if path.extension().is_some_and(|it| it == "rs") {
            names.extend(
                path.file_stem()
                    .and_then(|it| it.to_str())
                    .map(String::from),
            );
        }
    }
    names.sort();
    Ok(names)
}

fn build(layout: &Layout) -> Result<()> {
    // The host embeds the built-in policy.
    prepare(layout, &[Part::Fuzz], &[Build::Policies])?;
    process::cargo("compiling the fuzz targets")
        .args(["build", "--release", "--package", "lifeline-fuzz", "--bins"])
        .env(
            "RUSTC_WORKSPACE_WRAPPER",
            layout.fuzz().join("coverage-rustc"),
        )
        .dir(layout.root())
        .run()
}

fn binary(layout: &Layout, target: &str) -> PathBuf {
    layout.target().join("release").join(target)
}

/// Runs one target.
fn fuzz(layout: &Layout, target: &str, each: Duration) -> Result<Figures> {
    eprintln!("▸ fuzzing {target} for {:.0} s", each.as_secs_f64());
    let ours = layout.target().join("fuzz");
    let corpus = ours.join("corpus").join(target);
    let artifacts = ours.join("artifacts").join(target);
    let logs = ours.join("logs");
    for folder in [&corpus, &artifacts, &logs] {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let log = logs.join(format!("{target}.log"));
    let status = run_logged(
        &binary(layout, target),
        &arguments(layout, target, each, &corpus, &artifacts),
        &log,
    )?;
    let said = fs::read(&log).with_context(|| format!("{} cannot be read", log.display()))?;
    let said = String::from_utf8_lossy(&said);
    if !status.success() {
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        let left = artifact(&said).unwrap_or("FILE");
        bail!(
            "the fuzz target {target} has failed ({status}):\n{last}\n  what helps: `cargo xtask fuzz {target} --input {left}` \
             repeats it; once it is mended, keep that file in tests/fuzz/regressions/{target}/"
        );
    }
    figures(&said)
        .with_context(|| format!("{target} has not said how it went: see {}", log.display()))
}

fn arguments(
    layout: &Layout,
    target: &str,
    each: Duration,
    corpus: &Path,
    artifacts: &Path,
) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![corpus.into()];
    // What is written new goes to the first folder; these are read.
    let kept = ["seeds", "regressions"].map(|kind| layout.fuzz().join(kind).join(target));
    words.extend(kept.into_iter().filter(|it| it.is_dir()).map(Into::into));
    words.extend(
        [
            format!("-max_total_time={}", each.as_secs().max(1)),
            format!("-timeout={HANGS}"),
            format!("-rss_limit_mb={MEMORY}"),
            "-print_final_stats=1".into(),
            // Short inputs first, so that a short run sees many.
            "-len_control=50".into(),
        ]
        .map(OsString::from),
    );
    let mut prefix = OsString::from("-artifact_prefix=");
    prefix.push(artifacts.join(""));
    words.push(prefix);
    words
}

fn run_logged(program: &Path, words: &[OsString], log: &Path) -> Result<ExitStatus> {
    let file = File::create(log).with_context(|| format!("{} cannot be made", log.display()))?;
    let mut command = Command::new(program);
    if Path::new(MEMORY_DISK).is_dir() {
        // A target that writes files would wait for the disk instead of running.
        command.env("TMPDIR", MEMORY_DISK);
    }
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("{} cannot be run", program.display()))
}

/// libFuzzer's last words.
fn figures(said: &str) -> Option<Figures> {
    let stat = |name: &str| {
        let line = said.lines().rev().find_map(|it| it.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    let done = said.lines().rev().find(|it| it.contains("DONE "))?;
    let word_after = |name: &str| {
        let mut words = done.split_whitespace();
        words.find(|it| *it == name)?;
        words.next()?.split('/').next()?.parse().ok()
    };
    Some(Figures {
        runs: stat("stat::number_of_executed_units:")?,
        per_second: stat("stat::average_exec_per_sec:")?,
        covered: word_after("cov:")?,
        corpus: word_after("corp:")?,
    })
}

/// The file that a failed run has left.
fn artifact(said: &str) -> Option<&str> {
    said.lines()
        .rev()
        .find_map(|it| it.split("Test unit written to ").nth(1))
}

#[cfg(test)]
mod tests {
    use super::{Figures, artifact, figures};

    const SAID: &str = "\
#2	INITED cov: 20 ft: 21 corp: 1/1b exec/s: 0 rss: 40Mb
#8000	DONE   cov: 812 ft: 3011 corp: 240/12Kb lim: 100 exec/s: 2000 rss: 61Mb
Done 8000 runs in 4 second(s)
stat::number_of_executed_units: 8000
stat::average_exec_per_sec:     2000
";

    #[test]
    fn figures_are_read_from_the_last_words() {
        let expected = Figures {
            runs: 8000,
            per_second: 2000,
            covered: 812,
            corpus: 240,
        };
        assert_eq!(figures(SAID), Some(expected));
        assert_eq!(figures("#2 INITED cov: 20"), None);
    }

    #[test]
    fn what_a_failed_run_has_left_is_found() {
        let said = "==1== ERROR: libFuzzer: deadly signal\n\
            artifact_prefix='/t/'; Test unit written to /t/crash-1\nBase64: AA==\n";
        assert_eq!(artifact(said), Some("/t/crash-1"));
        assert_eq!(artifact(SAID), None);
    }
}
