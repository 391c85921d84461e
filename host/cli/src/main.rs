//! The command; all of it is in the library, for Python has it too.

use lifeline_sandbox::{Child, Compiling, serve};
use std::env::args_os;
use std::io::{stderr, stdout};
use std::process::ExitCode;

/// Makes this program the child that compiles.
const COMPILE: &str = "--compile";

fn main() -> ExitCode {
    if args_os().skip(1).eq([COMPILE]) {
        return ExitCode::from(serve());
    }
    let compiling = Compiling::Child(Child::this_program(COMPILE));
    let code = lifeline_cli::run(args_os(), compiling, &mut stdout().lock(), &mut stderr());
    ExitCode::from(code)
}
