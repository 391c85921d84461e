//! `lifeline`, the command for people who write policies: what a policy is, what it would do, and
//! whether it keeps the rules.
//!
//! | module | what it does |
//! |---|---|
//! | [`check`] | `lifeline check`: can it be used, and what does it take |
//! | [`simulate`] | `lifeline simulate`: one outage as a time line |
//! | [`fleet`] | `lifeline fleet`: many Blenders and one server that comes back |
//! | [`verify`] | `lifeline verify`: the search for a broken rule |
//! | [`input`] | files, limits, settings |
//! | [`duration`], [`script`] | what people write on the command line |
//! | [`strip`], [`svg`] | drawing, in a terminal and as a picture |

#![allow(
    clippy::disallowed_methods,
    reason = "files that are named on the command line"
)]

mod check;
mod duration;
mod error;
mod fleet;
mod input;
mod script;
mod simulate;
mod strip;
mod svg;
mod verify;
#[cfg(test)]
mod versions;

use clap::{Parser, Subcommand};
use error::CommandError;
use input::PolicyFile;
use lifeline_sandbox::Compiling;
use std::ffi::OsString;
use std::io::{self, Write};

/// Everything is as it should be.
const YES: u8 = 0;
/// The policy is not one, or breaks a rule.
const NO: u8 = 1;
/// The command line cannot be understood.
const USAGE: u8 = 2;
/// A file cannot be read or written.
const FAILURE: u8 = 3;

const EXIT_CODES: &str = "Exit codes: 0 yes; 1 no (the policy cannot be used, or breaks a rule); \
    2 the command line cannot be understood; 3 a file cannot be read or written.";

/// Check, simulate and verify Lifeline's policies.
#[derive(Parser, Debug)]
#[command(name = "lifeline", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Can it be used? Contract, imports, size, fuel and memory of each function.
    Check(check::Options),
    /// What would it do in an outage? A time line, as a table, a strip and a picture.
    Simulate(Box<simulate::Options>),
    /// Can it be led to break a rule? A search, and the trace that leads there.
    Verify(verify::Options),
    /// What load do many Blenders put on a server that comes back?
    Fleet(fleet::Options),
}

impl Command {
    fn policy(&mut self) -> &mut PolicyFile {
        match self {
            Command::Check(options) => &mut options.policy,
            Command::Simulate(options) => &mut options.policy,
            Command::Verify(options) => &mut options.policy,
            Command::Fleet(options) => &mut options.policy,
        }
    }
}

/// Runs the command; the first argument is the program's name. `compiling`: where policies are
/// compiled. Gives the exit code.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    compiling: Compiling,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
) -> u8 {
    let mut cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(told) => {
            let wrong = told.use_stderr();
            let text = told.render();
            let written = if wrong {
                write!(err, "{text}")
            } else {
                write!(out, "{text}")
            };
            return match (wrong, written) {
                (true, _) => USAGE,
                (false, Ok(())) => YES,
                (false, Err(_)) => FAILURE,
            };
        }
    };
    cli.command.policy().compiling = compiling;
    let outcome = match cli.command {
        Command::Check(options) => check::run(&options, out),
        Command::Simulate(options) => simulate::run(&options, out),
        Command::Verify(options) => verify::run(&options, out, err),
        Command::Fleet(options) => fleet::run(&options, out, err),
    };
    match outcome {
        Ok(true) => YES,
        Ok(false) => NO,
        // Who reads has had enough, as `head` does.
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => YES,
        Err(error) => {
            // Where there is no stderr, the exit code has to do.
            let _ = writeln!(err, "lifeline: {error}");
            error.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn lifeline(words: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["lifeline"].iter().chain(words).map(OsString::from);
        let code = run(args, Compiling::Here, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(out), text(err))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_is_no_error_and_tells_the_exit_codes() {
        let (code, out, err) = lifeline(&["--help"]);
        assert_eq!((code, err.as_str()), (YES, ""));
        assert!(out.contains("Exit codes: 0 yes; 1 no"), "{out}");
        assert_eq!(lifeline(&["check"]).0, USAGE);
        assert_eq!(lifeline(&["chek", "five-minutes"]).0, USAGE);
    }

    #[test]
    fn a_good_policy_is_told_as_text_and_as_json() {
        let (code, out, _) = lifeline(&["check", "five-minutes"]);
        assert_eq!(code, YES);
        assert!(out.starts_with("five-minutes "), "{out}");
        assert!(out.ends_with("yes: it can be used\n"), "{out}");
        let (code, out, _) = lifeline(&["check", "five-minutes", "--json"]);
        assert_eq!(code, YES);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["usable"], true);
        assert_eq!(json["contract"], "0.2.0");
        assert_eq!(json["imports"], serde_json::json!([]));
        assert!(json["functions"]["tick"]["fuel"].as_u64().unwrap() > 100);
    }

    #[test]
    fn what_is_no_policy_is_a_no_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.wasm");
        std::fs::write(&file, b"(component)").unwrap();
        let name = file.to_str().unwrap();
        let (code, out, _) = lifeline(&["check", name]);
        assert_eq!(code, NO);
        assert!(
            out.ends_with("no: it is not WebAssembly (a text, perhaps)\n"),
            "{out}"
        );
        let (code, out, _) = lifeline(&["check", name, "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &json["usable"]), (NO, &false.into()));
        for words in [["simulate", name], ["verify", name], ["fleet", name]] {
            let (code, _, err) = lifeline(&words);
            assert_eq!(code, NO, "{err}");
            assert!(err.contains("it is not WebAssembly"), "{err}");
        }
    }

    #[test]
    fn limits_can_be_set() {
        let (code, out, _) = lifeline(&["check", "five-minutes", "--fuel", "100"]);
        assert_eq!(code, NO);
        assert!(out.contains("it used up its fuel (100 units)"), "{out}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let (code, _, err) = lifeline(&["check", "/nowhere/p.wasm"]);
        assert_eq!(code, FAILURE);
        assert!(err.starts_with("lifeline: /nowhere/p.wasm: "), "{err}");
    }

    #[test]
    fn a_time_line_is_told() {
        let words = ["simulate", "five-minutes", "--set", "retry-jitter=0"];
        let (code, out, err) = lifeline(&words);
        assert_eq!((code, err.as_str()), (YES, ""));
        for line in [
            "0:02.00  attempt 1: refused",
            "0:34.00  countdown begins: save and close in 300 s",
            "5:34.00  save in place",
        ] {
            assert!(out.contains(line), "{line} is not in\n{out}");
        }
        assert!(out.contains("Blender closes at 5:34.02"), "{out}");
        let (_, json, _) = lifeline(&[&words[..], &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["ending"]["closed_s"], 334.02);
        assert_eq!(json["entries"][2]["what"], "attempt");
    }

    #[test]
    fn what_cannot_be_understood_is_named_with_what_was_expected() {
        for (words, part) in [
            (
                &["--outage", "soon"][..],
                "soon: expected a length of time like 90s",
            ),
            (&["--flap", "3"], "3: expected COUNTxDOWN/UP"),
            (
                &["--set", "retry-delay"],
                "retry-delay: expected NAME=VALUE",
            ),
            (&["--set", "nap=1s"], "nap: there is no such setting"),
            (&["--set", "retry-delay=0s"], "retry-delay=0s: expected"),
            (&["--extend", "5m"], "5m: expected AT=VALUE"),
            (
                &["--save-fails", "often"],
                "often: expected in-place, all or a number",
            ),
        ] {
            let words = [&["simulate", "five-minutes"], words].concat();
            let (code, _, err) = lifeline(&words);
            assert_eq!(code, USAGE, "{words:?} {err}");
            assert!(err.contains(part), "{words:?}: {err}");
        }
    }

    #[test]
    fn a_search_is_told() {
        let words = [
            "verify",
            "five-minutes",
            "--states",
            "2000",
            "--faults",
            "1",
        ];
        let (code, out, _) = lifeline(&words);
        assert_eq!(code, YES, "{out}");
        assert!(out.contains("kept       ends"), "{out}");
        assert!(out.ends_with("yes: in none of these situations does it break a rule\n"));
        let (_, json, _) = lifeline(&[&words[..], &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["kept"], true);
        assert_eq!(json["looked_at"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn a_broken_rule_comes_with_its_trace() {
        // So little time that five-minutes has not quit.
        let words = ["verify", "five-minutes", "--faults", "0", "--within", "1m"];
        let (code, out, _) = lifeline(&words);
        assert_eq!(code, NO);
        assert!(out.contains("BROKEN     ends"), "{out}");
        assert!(out.contains("wasmtime run --invoke 'start({now: "), "{out}");
        assert!(out.contains("it has not asked to quit"), "{out}");
        assert!(out.ends_with("no: it breaks a rule\n"), "{out}");
    }

    #[test]
    fn a_fleet_is_told() {
        let words = [
            "fleet",
            "five-minutes",
            "--clients",
            "300",
            "--outage",
            "2m",
        ];
        let (code, out, _) = lifeline(&words);
        assert_eq!(code, YES);
        assert!(out.contains("python-socketio"), "{out}");
        let (_, json, _) = lifeline(&[&words[..], &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["policy"]["returned"], 300);
        assert_eq!(json["python_socketio"]["returned"], 300);
    }

    #[test]
    fn a_fleet_is_told_for_many_returns() {
        let words = [
            "fleet",
            "five-minutes",
            "--clients",
            "300",
            "--moments",
            "7",
        ];
        let (code, out, _) = lifeline(&words);
        assert_eq!(code, YES);
        assert!(out.contains("7 instants in the countdown"), "{out}");
        assert!(out.contains("in an instance that is used again"), "{out}");
        let (_, json, _) = lifeline(&[&words[..], &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let countdown = &json["moments"]["countdown"];
        let worst = |whose: &str| countdown[whose]["peak_per_s"]["worst"].as_u64().unwrap();
        assert_eq!(countdown["returns"], 7);
        assert!(worst("policy") * 2 < worst("python_socketio"), "{json}");
        assert_eq!(json["moments"]["each"].as_array().unwrap().len(), 17);
        assert!(json["steps"]["steps"].as_u64().unwrap() > 300 * 20);
        // A server with little room has a story of its own for each return.
        let (code, ..) = lifeline(&[&words[..], &["--capacity", "5"]].concat());
        assert_eq!(code, USAGE);
    }

    #[test]
    fn pictures_are_written() {
        let folder = tempfile::tempdir().unwrap();
        for words in [
            &["simulate", "five-minutes"][..],
            &["fleet", "five-minutes", "--clients", "50", "--moments", "2"],
        ] {
            let file = folder.path().join(format!("{}.svg", words[0]));
            let (code, ..) = lifeline(&[words, &["--svg", file.to_str().unwrap()]].concat());
            assert_eq!(code, YES);
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        }
        let (code, _, err) = lifeline(&["simulate", "five-minutes", "--svg", "/nowhere/a.svg"]);
        assert_eq!(code, FAILURE);
        assert!(err.contains("/nowhere/a.svg"), "{err}");
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let args = ["lifeline", "check", "five-minutes"].map(OsString::from);
        assert_eq!(run(args, Compiling::Here, &mut Gone, &mut Vec::new()), YES);
    }
}
