//! Compiling in a child process. Whoever writes a component can make it take any time and memory to
//! compile: of a process of its own, which ends.

#[cfg(not(unix))]
#[path = "none.rs"]
mod process;
#[cfg(unix)]
mod process;

use crate::Limits;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use thiserror::Error;

pub use process::serve;

/// Starts a child that calls [`serve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Tried one after the other, until one can be started.
    pub programs: Vec<PathBuf>,
    /// Their arguments.
    pub arguments: Vec<OsString>,
}

/// Why there is no machine code.
#[derive(Debug, Error)]
pub(crate) enum ChildError {
    /// No child.
    #[error("{0}")]
    NotStarted(String),
    /// It was more than a child may take.
    #[error("{0}")]
    TooMuch(&'static str),
    /// Nobody wants it any more.
    #[error("given up")]
    GivenUp,
    /// The compiler says why.
    #[error("{0}")]
    Refused(String),
    /// Something here.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Child {
    /// This very program, with an argument that makes it call [`serve`].
    pub fn this_program(argument: &str) -> Self {
        Child {
            programs: std::env::current_exe().into_iter().collect(),
            arguments: vec![argument.into()],
        }
    }

    /// Machine code for [`crate::engine::runner`] with these limits.
    pub(crate) fn compile(
        &self,
        limits: &Limits,
        component: &[u8],
        sha256: &[u8; 32],
        given_up: &AtomicBool,
    ) -> Result<Vec<u8>, ChildError> {
        process::compile_in(self, limits, component, sha256, given_up)
    }
}
