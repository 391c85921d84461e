//! Sends a file by HTTP PUT, whole or in parts, as object stores with presigned URLs take it.
//!
//! The URLs and the headers' values are secrets: no error here carries them.

mod body;
mod complete;
mod ledger;
mod piece;

pub use ledger::Ledger;

use super::digest::Content;
use crate::net::{Client, retry};
use crate::settings::{Headers, SaveTarget, Secret, Trust};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use lifeline_core::{Multipart, Part};
use std::cell::Cell;
use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::time::{sleep, timeout};
use url::Url;

/// Parts that are sent at once.
const PARALLEL: usize = 4;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of it that the system has taken, in the attempts that count so far.
    pub sent: u64,
    /// Bytes of the file.
    pub total: u64,
    /// From 1.
    pub attempt: u32,
}

/// Why the other side does not have the file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UploadError {
    /// A status that no retry will change, and what the store says of it.
    #[error("the upload was refused with status {0}{1}")]
    Refused(u16, String),
    /// One that may change.
    #[error("the upload was answered with status {0}{1}")]
    Status(u16, String),
    /// The store has other bytes, by this header of its own.
    #[error("the upload was taken, but the store's {0} is not that of the file")]
    Damaged(&'static str),
    /// A success before all was sent, which says nothing.
    #[error("the upload was answered before all of it was taken")]
    Early,
    /// The connection.
    #[error("the upload failed: {0}")]
    Transport(String),
    /// Nothing moved.
    #[error("nothing of the upload moved for {0} s")]
    Stalled(u64),
    /// All the time there was.
    #[error("the upload was given up after {seconds} s; the last attempt: {last}")]
    GivenUp {
        /// As set.
        seconds: u64,
        /// The last error.
        last: String,
    },
    /// The file is not what it was read as.
    #[error("the file has changed while it was sent")]
    Changed,
    /// Nothing is left to put it in.
    #[error("the file has {0} bytes, and the parts that the store has room for hold {1}")]
    NoRoom(u64, u64),
    /// Without one nobody can make a file of the parts.
    #[error("the store has given no ETag for part {0}")]
    NoTag(u32),
    /// By an earlier save.
    #[error("a file was made of this upload before: the next one needs a new save target")]
    Spent,
    /// The event loop, the file.
    #[error("the upload could not be begun: {0}")]
    Local(String),
}

/// What is sent, and where to.
pub(super) struct What<'a> {
    pub file: &'a File,
    /// As it was read, with the sums of its parts.
    pub content: &'a Content,
    pub target: &'a SaveTarget,
    pub headers: &'a Headers,
    /// Who may vouch for that place.
    pub trust: &'a Trust,
    pub ledger: &'a Ledger,
}

/// How it ended: the requests made; and the parts of which a file is still to be made, or why it failed.
pub(super) type Outcome = (u32, Result<Option<Multipart>, UploadError>);

/// Sends all of the file, each part again and again until it is taken.
pub(super) fn send(
    what: &What,
    limit: Duration,
    cancelled: &AtomicBool,
    tell: &impl Fn(Progress),
) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return (0, Err(UploadError::Local(error.to_string()))),
    };
    let sender = Sender {
        client: Client::by_proxy(what.trust.clone()),
        what,
        cancelled,
        tell,
        sent: what.content.parts.iter().map(|_| Cell::new(0)).collect(),
        requests: Cell::new(0),
        has_sums: Cell::new(false),
        limit,
        until: Instant::now() + limit,
    };
    let result = runtime.block_on(sender.all());
    (sender.requests.get(), result)
}

/// Bytes of the file that go by one request.
struct Piece<'a> {
    /// From 1.
    number: u32,
    url: &'a Secret,
    bytes: Range<u64>,
    md5: [u8; 16],
}

struct Sender<'a, F> {
    client: Client,
    what: &'a What<'a>,
    cancelled: &'a AtomicBool,
    tell: &'a F,
    /// Of each piece, in the attempt that counts.
    sent: Vec<Cell<u64>>,
    requests: Cell<u32>,
    /// The store has said what it has: an answer that comes early is one that can be checked.
    has_sums: Cell<bool>,
    limit: Duration,
    until: Instant,
}

impl<F: Fn(Progress)> Sender<'_, F> {
    async fn all(&self) -> Result<Option<Multipart>, UploadError> {
        let What {
            target, content, ..
        } = self.what;
        match target {
            SaveTarget::Whole(url) => {
                let bytes = 0..content.digest.bytes;
                let md5 = content.parts.first().copied().unwrap_or_default();
                let (number, url) = (1, url);
                self.take(&Piece {
                    number,
                    url,
                    bytes,
                    md5,
                })
                .await?;
                Ok(None)
            }
            SaveTarget::Parts(target) => {
                let ledger = self.what.ledger;
                ledger.open(target);
                match ledger.completed(&content.parts) {
                    Some(true) => return Ok(None), // by an earlier order
                    Some(false) => return Err(UploadError::Spent),
                    None => {}
                }
                let parts = self.parts(target).await?;
                let Some(url) = &target.complete_url else {
                    return Ok(Some(Multipart {
                        key: target.key.clone(),
                        upload_id: target.upload_id.clone(),
                        parts,
                    }));
                };
                self.until_taken(async |_| self.complete(url, &parts).await)
                    .await?;
                ledger.complete(content.parts.clone());
                Ok(None)
            }
        }
    }

    /// All of them are up, in their order.
    async fn parts(&self, target: &crate::settings::Parts) -> Result<Vec<Part>, UploadError> {
        let content = self.what.content;
        let total = content.digest.bytes;
        if content.parts.len() > target.part_urls.len() {
            let room = target
                .part_size
                .saturating_mul(target.part_urls.len() as u64);
            return Err(UploadError::NoRoom(total, room));
        }
        let starts = (0u64..).map(|index| index.saturating_mul(target.part_size));
        let pieces = starts.zip(&target.part_urls).zip(&content.parts);
        let pieces = pieces.zip(1..).map(|(((start, url), md5), number)| Piece {
            number,
            url,
            bytes: start..total.min(start.saturating_add(target.part_size)),
            md5: *md5,
        });
        let sending = pieces.map(async |piece| self.part(piece).await);
        stream::iter(sending).buffered(PARALLEL).try_collect().await
    }

    async fn part(&self, piece: Piece<'_>) -> Result<Part, UploadError> {
        let number = piece.number;
        if let Some(part) = self.what.ledger.part(number, &piece.md5) {
            self.moved(&piece, piece.bytes.end - piece.bytes.start, 1);
            return Ok(part);
        }
        let etag = self.take(&piece).await?;
        let etag = etag.ok_or(UploadError::NoTag(number))?;
        let part = Part { number, etag };
        self.what.ledger.took(piece.md5, &part);
        Ok(part)
    }

    /// The store takes it, with this ETag.
    async fn take(&self, piece: &Piece<'_>) -> Result<Option<String>, UploadError> {
        self.until_taken(async |attempt| self.once(piece, attempt).await)
            .await
    }

    /// Makes a request again until it succeeds, or never will.
    async fn until_taken<T>(
        &self,
        once: impl AsyncFn(u32) -> Result<T, UploadError>,
    ) -> Result<T, UploadError> {
        let left = || self.until.saturating_duration_since(Instant::now());
        let mut pauses = retry::Pauses::new();
        let (mut attempt, mut last) = (0, None);
        while !self.cancelled.load(Ordering::Relaxed) && !left().is_zero() {
            attempt += 1;
            self.requests.set(self.requests.get() + 1);
            match timeout(left(), once(attempt)).await {
                Ok(Ok(taken)) => return Ok(taken),
                Ok(Err(error @ (UploadError::Refused(..) | UploadError::Changed))) => {
                    return Err(error);
                }
                // Not twice by chance: what it says there is something else.
                Ok(Err(error @ UploadError::Damaged(_))) if last.as_ref() == Some(&error) => {
                    return Err(error);
                }
                Ok(Err(error)) => last = Some(error),
                Err(_) => break,
            }
            sleep(pauses.next().min(left())).await;
        }
        let last = last.map_or_else(|| "not answered".into(), |error| error.to_string());
        let seconds = self.limit.as_secs();
        Err(UploadError::GivenUp { seconds, last })
    }

    /// So much of the piece has gone.
    fn moved(&self, piece: &Piece, bytes: u64, attempt: u32) {
        if let Some(sent) = self.sent.get(piece.number as usize - 1) {
            sent.set(bytes);
        }
        (self.tell)(Progress {
            sent: self.sent.iter().map(Cell::get).sum(),
            total: self.what.content.digest.bytes,
            attempt,
        });
    }

    fn parsed(&self, url: &Secret) -> Result<Url, UploadError> {
        Url::parse(url.reveal()).map_err(|error| UploadError::Local(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
