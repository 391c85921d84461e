//! Running programs: progress on stderr, and errors that name the command, the reason and a hint.

use std::cell::RefCell;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// Where a program's output goes.
#[derive(Clone, Copy, Debug)]
enum Output {
    /// To stderr, as it comes.
    Shown,
    /// To stderr, only if the program fails.
    OnFailure,
    /// Its stdout is ours.
    Ours,
}

thread_local! {
    /// What programs that this thread has run have said, while it is kept back.
    static KEPT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// What `work` gives, and what the programs have said that it has run on this thread: several such
/// threads would write into each other's lines.
pub fn kept_back<T>(work: impl FnOnce() -> T) -> (T, Vec<u8>) {
    KEPT.set(Some(Vec::new()));
    let result = work();
    (result, KEPT.take().unwrap_or_default())
}

/// One program to run.
#[derive(Debug)]
pub struct Step {
    what: String,
    command: Command,
    output: Output,
    limit: Option<Duration>,
    hint: Option<String>,
}

impl Step {
    /// what: what is being done, for the person who waits.
    pub fn new(what: impl Into<String>, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        forget_outer_cargo(&mut command);
        command.stdin(Stdio::null());
        Self {
            what: what.into(),
            command,
            output: Output::Shown,
            limit: None,
            hint: None,
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Keep the output back unless the program fails.
    pub fn quiet(mut self) -> Self {
        self.output = Output::OnFailure;
        self
    }

    /// Let the program write to our stdout.
    pub fn with_our_stdout(mut self) -> Self {
        self.output = Output::Ours;
        self
    }

    /// Kill the program after this long. Its output must be shown, not kept back.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// What a person can do if this fails.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Run it; anything but exit code 0 is an error.
    pub fn run(self) -> Result<()> {
        let line = self.line();
        let hint = self.hint.clone();
        let status = self.status()?;
        if !status.success() {
            return Err(failure(&line, &status.to_string(), hint.as_deref()));
        }
        Ok(())
    }

    /// Run it; whether it succeeded is whether we do.
    pub fn exit_code(self) -> Result<ExitCode> {
        Ok(if self.status()?.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Run it and hand its exit status on.
    pub fn status(mut self) -> Result<ExitStatus> {
        let begun = Instant::now();
        eprintln!("▸ {}", self.what);
        let line = self.line();
        let cannot = |error: io::Error, hint: Option<&str>| {
            failure(&line, &format!("it could not be run: {error}"), hint)
        };
        let hint = self.hint.as_deref();
        let status = match self.output {
            Output::OnFailure => {
                let output = self.command.output().map_err(|error| cannot(error, hint))?;
                if !output.status.success() {
                    eprint!("{}", String::from_utf8_lossy(&output.stdout));
                    eprint!("{}", String::from_utf8_lossy(&output.stderr));
                }
                output.status
            }
            Output::Shown | Output::Ours if KEPT.with_borrow(Option::is_some) => {
                let output = self.command.output().map_err(|error| cannot(error, hint))?;
                KEPT.with_borrow_mut(|kept| {
                    let kept = kept.get_or_insert_default();
                    kept.extend(output.stderr);
                    kept.extend(output.stdout);
                });
                output.status
            }
            Output::Shown | Output::Ours => {
                if matches!(self.output, Output::Shown) {
                    self.command.stdout(io::stderr());
                }
                let mut child = self.command.spawn().map_err(|error| cannot(error, hint))?;
                match self.limit {
                    None => child.wait()?,
                    Some(limit) => wait_at_most(&mut child, limit)?.ok_or_else(|| {
                        let reason = format!("no end within {} s, stopped", limit.as_secs());
                        failure(&line, &reason, hint)
                    })?,
                }
            }
        };
        let took = begun.elapsed();
        if took >= Duration::from_secs(3) {
            eprintln!("  {}: {:.0} s", self.what, took.as_secs_f64());
        }
        Ok(status)
    }

    /// Whether it succeeds: without a word, of it or about it.
    pub fn succeeds(mut self) -> bool {
        self.command.output().is_ok_and(|it| it.status.success())
    }

    fn line(&self) -> String {
        let mut line = self.command.get_program().to_string_lossy().into_owned();
        for arg in self.command.get_args() {
            let arg = arg.to_string_lossy();
            // Writing to a String cannot fail.
            let _ = if arg.contains(char::is_whitespace) || arg.is_empty() {
                write!(line, " '{arg}'")
            } else {
                write!(line, " {arg}")
            };
        }
        line
    }
}

fn failure(line: &str, reason: &str, hint: Option<&str>) -> anyhow::Error {
    match hint {
        Some(hint) => anyhow!("`{line}`: {reason}\n  what helps: {hint}"),
        None => anyhow!("`{line}`: {reason}"),
    }
}

/// None: it had to be killed. It is gone in either case.
fn wait_at_most(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child
                .kill()
                .context("a program that took too long could not be killed")?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ask a program something: its stdout, trimmed; None if it fails, or is not there.
pub fn ask<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    args: impl IntoIterator<Item = A>,
) -> Option<String> {
    let mut command = Command::new(program);
    forget_outer_cargo(&mut command);
    let output = command.args(args).stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A program on the search path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    env::split_paths(&env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| {
            path.metadata()
                .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
        })
}

/// The cargo that runs us, so that a nested run has the same toolchain.
pub fn cargo(what: impl Into<String>) -> Step {
    Step::new(what, env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Run all, whatever fails; the errors come together.
pub fn run_all(steps: impl IntoIterator<Item = Step>) -> Result<()> {
    let errors: Vec<String> = steps
        .into_iter()
        .filter_map(|step| step.run().err())
        .map(|error| format!("{error:#}"))
        .collect();
    if !errors.is_empty() {
        bail!("{}", errors.join("\n"));
    }
    Ok(())
}

/// Variables that `cargo run` sets for its program, and that are about this package alone.
fn is_outer_cargos(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || matches!(
            name,
            "CARGO" | "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH" | "CARGO_PRIMARY_PACKAGE"
        )
}

/// A nested cargo must not see the outer one's package, or it may build things anew; and Blender
/// and Python must not look for libraries among cargo's.
fn forget_outer_cargo(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_outer_cargos) {
            command.env_remove(&name);
        }
    }
    let Some(path) = env::var_os("LD_LIBRARY_PATH") else {
        return;
    };
    // …/bin/cargo → …
    let toolchain = env::var_os("CARGO").map(PathBuf::from);
    let toolchain = toolchain
        .as_deref()
        .and_then(Path::parent)
        .and_then(Path::parent);
    let built = env::current_exe().ok();
    let built = built.as_deref().and_then(Path::parent);
    match library_path_without(&path, &[toolchain, built]) {
        Some(rest) => command.env("LD_LIBRARY_PATH", rest),
        None => command.env_remove("LD_LIBRARY_PATH"),
    };
}

/// None: nothing is left.
fn library_path_without(path: &OsStr, folders: &[Option<&Path>]) -> Option<OsString> {
    let kept: Vec<PathBuf> = env::split_paths(path)
        .filter(|entry| !entry.as_os_str().is_empty())
        .filter(|entry| {
            !folders
                .iter()
                .flatten()
                .any(|folder| entry.starts_with(folder))
        })
        .collect();
    if kept.is_empty() {
        None
    } else {
        env::join_paths(kept).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::{Step, is_outer_cargos, kept_back, library_path_without};

    #[test]
    fn a_failure_names_command_reason_and_hint() {
        let step = Step::new("testing", "sh")
            .args(["-c", "exit 3"])
            .hint("ask a friend");
        let Err(error) = step.run() else {
            panic!("exit code 3 was taken for success")
        };
        let text = error.to_string();
        for part in ["sh -c 'exit 3'", "3", "ask a friend"] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }

    #[test]
    fn what_is_kept_back_is_what_was_said() {
        let say = || {
            let step = Step::new("saying", "sh").args(["-c", "echo out; echo err >&2; exit 3"]);
            step.with_our_stdout().run().is_err()
        };
        assert_eq!(kept_back(say), (true, b"err\nout\n".to_vec()));
        assert_eq!(kept_back(|| 7), (7, Vec::new()));
    }

    #[test]
    fn a_program_that_takes_too_long_is_killed() {
        let begun = Instant::now();
        let step = Step::new("testing", "sleep")
            .arg("60")
            .limit(Duration::from_millis(200));
        let Err(error) = step.run() else {
            panic!("sleep ended by itself")
        };
        assert!(error.to_string().contains("no end within"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn the_outer_cargos_variables_are_told_from_the_persons() {
        for name in ["CARGO", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(is_outer_cargos(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "RUSTFLAGS",
            "CARGO_PROFILE_RELEASE_LTO",
        ] {
            assert!(!is_outer_cargos(name), "{name}");
        }
    }

    #[test]
    fn the_library_path_loses_cargos_folders_only() {
        let (toolchain, built) = (Some(Path::new("/rust")), Some(Path::new("/t/release")));
        let path = "/t/release/deps:/t/release:/rust/lib:/opt/lib";
        let rest = library_path_without(path.as_ref(), &[toolchain, built]);
        assert_eq!(rest.as_deref(), Some("/opt/lib".as_ref()));
        assert_eq!(
            library_path_without("/rust/lib".as_ref(), &[toolchain, None]),
            None
        );
    }
}
