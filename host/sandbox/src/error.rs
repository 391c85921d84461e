//! Why there is no policy, and why a call of one gave no decision.

use crate::child::ChildError;
use crate::contract::{Contract, INTERFACE, taken};
use crate::text::told;
use thiserror::Error;

/// Why bytes are not a policy.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The engine could not be set up on this machine.
    #[error("the sandbox cannot be set up on this machine: {0}")]
    Engine(String),
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Larger than any policy needs to be.
    #[error("the file has {size} bytes; a policy may have {limit}")]
    TooLarge {
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: usize,
    },
    /// Something else.
    #[error("it is not WebAssembly (a text, perhaps)")]
    NotWasm,
    /// WebAssembly, but not a component.
    #[error("it is a core module; a policy is a component (see wasm-tools component new)")]
    CoreModule,
    /// Half written, or broken.
    #[error("it cannot be read to its end, so it is cut off or broken: {0}")]
    Malformed(String),
    /// More than can be compiled beside a Blender at work.
    #[error("it has more {0} than any policy needs")]
    TooMuch(&'static str),
    /// It wants something from the outside.
    #[error("it imports {}; a policy imports nothing", told(&.0.join(", "), 400))]
    Imports(Vec<String>),
    /// Of another contract.
    #[error("it speaks version {0} of the contract; this host takes {taken}", taken = taken())]
    Version(String),
    /// It does not export the contract.
    #[error("it does not export {INTERFACE}@{0} as wit/policy.wit has it: {1}")]
    Contract(Contract, String),
    /// The compiler refuses it.
    #[error("it cannot be compiled: {0}")]
    Compile(String),
    /// Compiling it was given up.
    #[error("compiling it takes more {0} than any policy needs")]
    CompileTooMuch(&'static str),
    /// Somebody wants something else.
    #[error("compiling it was given up")]
    GivenUp,
    /// Nothing foreign is compiled.
    #[error("no process can be started that compiles it: {0}")]
    NoCompiler(String),
    /// `describe` failed.
    #[error("its describe() failed: {0}")]
    Describe(CallError),
}

impl From<ChildError> for LoadError {
    fn from(error: ChildError) -> Self {
        match error {
            ChildError::NotStarted(why) => LoadError::NoCompiler(why),
            ChildError::GivenUp => LoadError::GivenUp,
            ChildError::TooMuch(what) => LoadError::CompileTooMuch(what),
            ChildError::Refused(why) => LoadError::Compile(why),
            ChildError::Io(error) => LoadError::Compile(error.to_string()),
        }
    }
}

/// Why a call gave no decision.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum CallError {
    /// It ran for too long.
    #[error("it used up its fuel ({0} units)")]
    Fuel(u64),
    /// It ran for too long by the clock.
    #[error("it did not come back within {0} s")]
    Time(f64),
    /// It trapped: a panic, a bad memory access, too deep a stack.
    #[error("it trapped: {0}")]
    Trap(String),
    /// It answered with too much.
    #[error("its answer has more than {0} bytes")]
    Answer(usize),
    /// Called again in one instance it answers otherwise than in a fresh one.
    #[error("it keeps something outside its state: a fresh instance decides otherwise")]
    Remembers,
    /// Its answer could not be read, or it could not be started.
    #[error("it could not be called: {0}")]
    Other(String),
}
