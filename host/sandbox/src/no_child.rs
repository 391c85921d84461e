//! Where no process can be held to its memory and time, nothing foreign is compiled.

use crate::Limits;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use thiserror::Error;

/// It is never started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Unused.
    pub programs: Vec<PathBuf>,
    /// Unused.
    pub arguments: Vec<OsString>,
}

/// Why there is no machine code.
#[derive(Debug, Error)]
pub(crate) enum ChildError {
    /// No child.
    #[error("{0}")]
    NotStarted(String),
    /// Never.
    #[error("{0}")]
    TooMuch(&'static str),
    /// Nobody wants it any more.
    #[error("given up")]
    GivenUp,
    /// Never.
    #[error("{0}")]
    Refused(String),
    /// Never.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Child {
    /// This very program.
    pub fn this_program(argument: &str) -> Self {
        Child {
            programs: std::env::current_exe().into_iter().collect(),
            arguments: vec![argument.into()],
        }
    }

    pub(crate) fn compile(
        &self,
        _: &Limits,
        _: &[u8],
        _: &[u8; 32],
        _: &AtomicBool,
    ) -> Result<Vec<u8>, ChildError> {
        Err(ChildError::NotStarted("not on this system".to_string()))
    }
}

/// Nothing is served. Gives the exit code.
pub fn serve() -> u8 {
    1
}
