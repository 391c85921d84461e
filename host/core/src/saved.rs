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

/// Where the last save is, as far as was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safe {
    /// Nowhere.
    #[default]
    No,
    /// On the disk of this machine.
    Local,
    /// In the store, too.
    Uploaded,
}

impl Safe {
    /// The name that it has for programs.
    pub fn name(self) -> &'static str {
        match self {
            Safe::No => "no",
            Safe::Local => "local",
            Safe::Uploaded => "uploaded",
        }
    }
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
    /// The store has all of it, in these parts: whoever has begun the upload makes a file of them.
    pub multipart: Option<Multipart>,
}

/// An upload in parts of which no file was made yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// Given with the parts' places.
    pub key: Option<String>,
    /// Given with the parts' places.
    pub upload_id: Option<String>,
    /// All of them, in their order.
    pub parts: Vec<Part>,
}

/// One part, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: u32,
    /// As the store gave it, with its quotes.
    pub etag: String,
}
