//! How a save has ended.

use crate::keep::Digest;
use std::path::PathBuf;

/// A save that has ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Where the work is.
    pub path: PathBuf,
    /// A copy in a recovery folder.
    pub recovery: bool,
    /// Why what was tried before has failed.
    pub failures: Vec<String>,
    /// Of what was read back from the disk, if it was.
    pub digest: Option<Digest>,
}

/// How a save has ended: where it is, or why there is none, a sentence for each place.
pub type SaveOutcome = Result<Saved, Vec<String>>;
