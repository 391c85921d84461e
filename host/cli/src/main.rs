//! The command; all of it is in the library, for Python has it too.

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let code = lifeline_cli::run(std::env::args_os(), &mut stdout().lock(), &mut stderr());
    ExitCode::from(code)
}
