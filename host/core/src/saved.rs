//! How a save has ended, and what becomes of the file.

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
    /// Of what was verified from the disk, if it was.
    pub digest: Option<Digest>,
    /// Where the finished render is that the file does not hold.
    pub render: Option<PathBuf>,
}

/// How a save has ended: where it is, or why there is none, a sentence for each place.
pub type SaveOutcome = Result<Saved, Vec<String>>;

/// Of a file that was verified from the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Digest {
    /// Its size.
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// How long reading took.
    pub seconds: f64,
}

/// How an upload ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Uploaded {
    /// Of the file.
    pub bytes: u64,
    /// Requests made.
    pub attempts: u32,
    /// All together.
    pub seconds: f64,
    /// Why it failed, without secrets.
    pub error: Option<String>,
}
