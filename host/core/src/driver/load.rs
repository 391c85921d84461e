//! Reading and compiling a policy, on a thread of its own.

use crate::sandbox::{LoadError, Policy, Sandbox};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use thiserror::Error;
use tokio::sync::mpsc::UnboundedSender;

/// Where a policy's bytes come from.
#[derive(Clone)]
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

/// Why there is no policy.
#[derive(Debug, Error)]
pub enum SwapError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A folder, a pipe, a device.
    #[error("it is not an ordinary file")]
    NotAFile,
    /// The bytes are no policy.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A load that has ended.
pub(super) struct Loaded {
    pub origin: String,
    pub outcome: Result<Policy, SwapError>,
}

/// One load at a time: the sandbox has room for one trial call beside the driver's calls.
static TURN: Mutex<()> = Mutex::new(());

/// Loads in the background; the end is sent to `done`.
pub(super) fn begin(sandbox: Sandbox, source: PolicySource, done: UnboundedSender<Loaded>) {
    let origin = source.to_string();
    let failed = (origin.clone(), done.clone());
    let spawned = thread::Builder::new()
        .name("lifeline-load".into())
        .spawn(move || {
            let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = load(&sandbox, source);
            drop(turn);
            // The driver may have ended in the meantime.
            let _ = done.send(Loaded { origin, outcome });
        });
    if let Err(error) = spawned {
        let (origin, done) = failed;
        let _ = done.send(Loaded {
            origin,
            outcome: Err(SwapError::Read(error)),
        });
    }
}

fn load(sandbox: &Sandbox, source: PolicySource) -> Result<Policy, SwapError> {
    let bytes = match source {
        PolicySource::Bytes(bytes) => bytes,
        PolicySource::Path(path) => {
            let metadata = fs::metadata(&path)?;
            // Opening a pipe would wait for its writer.
            if !metadata.is_file() {
                return Err(SwapError::NotAFile);
            }
            sandbox.check_size(metadata.len())?;
            fs::read(&path)?
        }
    };
    Ok(sandbox.load(&bytes)?)
}
