//! What can go wrong, and the exit code that it has.

use crate::{FAILURE, NO, USAGE};
use lifeline_sandbox::LoadError;
use lifeline_simulate::fleet::FleetError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a command gave up.
#[derive(Debug, Error)]
pub enum CommandError {
    /// Something on the command line.
    #[error("{0}")]
    Usage(String),
    /// A file.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no policy.
    #[error("{name}: {error}")]
    Load {
        /// As it was named.
        name: String,
        /// Why.
        error: LoadError,
    },
    /// The policy fails.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Only fresh instances show what it would do.
    #[error("{0} (with --fresh it is played as Blender would)")]
    NeedsFresh(#[source] FleetError),
    /// Nobody to tell it.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl CommandError {
    pub fn exit_code(&self) -> u8 {
        match self {
            CommandError::Usage(_) => USAGE,
            CommandError::Load { .. } | CommandError::Fleet(_) | CommandError::NeedsFresh(_) => NO,
            CommandError::File { .. } | CommandError::Output(_) => FAILURE,
        }
    }
}
