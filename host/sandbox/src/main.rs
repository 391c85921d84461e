//! `lifeline-precompile COMPONENT CODE`: compiles the built-in policy, for the library to embed.
//! `lifeline-precompile --child`: compiles what comes in, for the tests of the sandbox.

use std::error::Error;
use std::ffi::OsString;
use std::process::exit;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "files of the build")]
fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    if words == ["--child"] {
        exit(lifeline_sandbox::serve().into());
    }
    let [component, code] = words.as_slice() else {
        return Err("expected two files: the component to read, the code to write".into());
    };
    let made = lifeline_sandbox::precompiled::make(&fs::read(component)?)?;
    // A file whose content stays the same is not touched: the library is built anew when it is.
    if !fs::read(code).is_ok_and(|old| old == made) {
        fs::write(code, made)?;
    }
    Ok(())
}
