//! Where a policy's bytes come from, and how they are read.

use lifeline_files::{Links, open_to_read};
use lifeline_sandbox::{CallError, LoadError, Sandbox};
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where a policy's bytes come from.
#[derive(Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// A file.
    Path(PathBuf),
    /// The bytes themselves.
    Bytes(Vec<u8>),
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicySource::Path(path) => write!(f, "{}", path.display()),
            PolicySource::Bytes(_) => f.write_str("bytes"),
        }
    }
}

impl fmt::Debug for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why there is no new policy.
#[derive(Debug, Error)]
pub enum SwapError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It was there, and is not any more.
    #[error("the file is gone")]
    Gone,
    /// A folder, a pipe, a device.
    #[error("it is not an ordinary file")]
    NotAFile,
    /// Not one of the pinned ones.
    #[error("its SHA-256 is {0}, which is none of those in CR8_POLICY_SHA256")]
    NotPinned(String),
    /// Not what was announced.
    #[error("its SHA-256 is {found}, but {announced} was announced")]
    NotAsAnnounced {
        /// As computed.
        found: String,
        /// As told.
        announced: String,
    },
    /// The bytes are no policy.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A trial call failed.
    #[error("its {function}() failed: {error}")]
    Trial {
        /// The contract's name.
        function: &'static str,
        /// Why.
        error: CallError,
    },
    /// A trial call broke a rule.
    #[error("the answer of its {function}() cannot be taken: {violation}")]
    Rule {
        /// The contract's name.
        function: &'static str,
        /// Which.
        violation: lifeline_core::guard::Violation,
    },
    /// There is nothing to go back to but the built-in one.
    #[error("no other policy is set")]
    NothingSet,
    /// Something here is broken.
    #[error("a fault in Lifeline")]
    Fault,
    /// A later order has been carried out in the meantime.
    #[error("another policy was taken in the meantime")]
    Superseded,
}

/// All of an ordinary file that can be a policy.
pub(super) fn read(path: &Path, sandbox: &Sandbox) -> Result<Vec<u8>, SwapError> {
    let file = match open_to_read(path, Links::Followed) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return Err(SwapError::NotAFile);
        }
        file => file?,
    };
    let metadata = file.metadata()?;
    sandbox.check_size(metadata.len())?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    let limit = metadata.len().saturating_add(1);
    file.take(limit).read_to_end(&mut bytes)?;
    sandbox.check_size(bytes.len() as u64)?;
    Ok(bytes)
}
