//! Sends a file by HTTP PUT, as object stores with presigned URLs take it.
//!
//! The URL and the headers' values are secrets: no error here carries them.

use super::answer;
use super::checksum::{self, Compared};
use crate::net::{Client, Driver, retry};
use crate::settings::{Headers, Secret, Trust};
use futures_util::stream::{self, Stream, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{Method, Request, Response};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::{interval, sleep, timeout};
use url::Url;

const CHUNK: usize = 256 << 10;
/// A request of which nothing has moved for this long is given up, and made again.
const STALL: Duration = Duration::from_secs(30);
/// How long the last byte is held back: an answer that comes before it says nothing of the file.
const HELD: Duration = Duration::from_millis(250);
/// For what a store says when it does not take the file.
const SAID: Duration = Duration::from_secs(2);
/// How often progress is told, and the end looked for.
const LOOK: Duration = Duration::from_millis(200);

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of this attempt that the system has taken.
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
    /// The event loop, the file.
    #[error("the upload could not be begun: {0}")]
    Local(String),
}

/// What is sent, and where to.
pub(super) struct What<'a> {
    pub file: &'a File,
    /// Its bytes.
    pub total: u64,
    pub url: &'a Secret,
    pub headers: &'a Headers,
    /// Who may vouch for that place.
    pub trust: &'a Trust,
}

/// Sends all of the file, again and again until it is taken. The requests made, and why it failed.
pub(super) fn put(
    what: &What,
    limit: Duration,
    cancelled: &AtomicBool,
    tell: &impl Fn(Progress),
) -> Result<u32, (u32, UploadError)> {
    let local = |error: &dyn std::fmt::Display| (0, UploadError::Local(error.to_string()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| local(&error))?;
    let sender = Sender {
        client: Client::by_proxy(what.trust.clone()),
        url: Url::parse(what.url.reveal()).map_err(|error| local(&error))?,
        what,
    };
    runtime.block_on(sender.until_taken(limit, cancelled, tell))
}

struct Sender<'a> {
    client: Client,
    url: Url,
    what: &'a What<'a>,
}

impl Sender<'_> {
    async fn until_taken(
        &self,
        limit: Duration,
        cancelled: &AtomicBool,
        tell: &impl Fn(Progress),
    ) -> Result<u32, (u32, UploadError)> {
        let begun = Instant::now();
        let left = || limit.saturating_sub(begun.elapsed());
        let mut pauses = retry::Pauses::new();
        let mut attempt = 0;
        let mut last = None;
        while !cancelled.load(Ordering::Relaxed) && !left().is_zero() {
            attempt += 1;
            match timeout(left(), self.once(attempt, cancelled, tell)).await {
                Ok(Ok(())) => return Ok(attempt),
                Ok(Err(error @ UploadError::Refused(..))) => return Err((attempt, error)),
                // Not twice by chance: what it says there is something else.
                Ok(Err(error @ UploadError::Damaged(_))) if last.as_ref() == Some(&error) => {
                    return Err((attempt, error));
                }
                Ok(Err(error)) => last = Some(error),
                Err(_) => break,
            }
            sleep(pauses.next().min(left())).await;
        }
        let last = last.map_or_else(|| "not answered".into(), |error| error.to_string());
        let seconds = limit.as_secs();
        Err((attempt, UploadError::GivenUp { seconds, last }))
    }

    /// One request.
    async fn once(
        &self,
        attempt: u32,
        cancelled: &AtomicBool,
        tell: &impl Fn(Progress),
    ) -> Result<(), UploadError> {
        let total = self.what.total;
        let progress = |sent| {
            tell(Progress {
                sent,
                total,
                attempt,
            })
        };
        // At once: an attempt may be over before the first look.
        progress(0);
        let sent = Arc::new(Sent::default());
        let request = self.client.send(&self.url, self.request(&sent)?);
        tokio::pin!(request);
        let mut look = interval(LOOK);
        let mut moved = (0, Instant::now());
        let (mut taken, mut early) = (None, false);
        loop {
            tokio::select! {
                answer = &mut request, if taken.is_none() => {
                    // The rest of the file goes as long as the driver is kept.
                    let (answer, driver) = answer.map_err(|error| UploadError::Transport(error.to_string()))?;
                    if !answer.status().is_success() {
                        return Err(self.refusal(answer, driver).await);
                    }
                    early = sent.bytes.load(Ordering::Relaxed) < total;
                    sent.answered.notify_one();
                    taken = Some((answer, driver));
                }
                _ = look.tick() => {
                    let now = sent.bytes.load(Ordering::Relaxed);
                    progress(now);
                    if now != moved.0 {
                        moved = (now, Instant::now());
                    }
                    if moved.1.elapsed() > STALL {
                        return Err(UploadError::Stalled(STALL.as_secs()));
                    }
                    if cancelled.load(Ordering::Relaxed) {
                        return Err(UploadError::Local("cancelled".into()));
                    }
                }
            }
            if let Some((answer, _)) = &taken {
                if sent.bytes.load(Ordering::Relaxed) >= total {
                    return self.check(answer, early);
                }
                if sent.over.load(Ordering::Relaxed) {
                    return Err(UploadError::Early);
                }
            }
        }
    }

    fn request(
        &self,
        sent: &Arc<Sent>,
    ) -> Result<Request<impl Body<Data = Bytes, Error = io::Error> + Send + use<>>, UploadError>
    {
        let total = self.what.total;
        let body =
            body(self.what.file, total, sent).map_err(|e| UploadError::Local(e.to_string()))?;
        let mut request = Client::request(Method::PUT, &self.url)
            // Known beforehand: object stores take no chunked encoding.
            .header(CONTENT_LENGTH, total)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body)
            .map_err(|error| UploadError::Local(error.to_string()))?;
        request.headers_mut().extend(self.what.headers.0.clone());
        Ok(request)
    }

    /// The store has the bytes of the file, as far as it tells.
    fn check(&self, answer: &Response<Incoming>, early: bool) -> Result<(), UploadError> {
        match checksum::compare(self.what.file, answer.headers()) {
            Ok(Compared::Unknown) if early => Err(UploadError::Early),
            Ok(Compared::Same | Compared::Unknown) => Ok(()),
            Ok(Compared::Other(header)) => Err(UploadError::Damaged(header)),
            Err(error) => Err(UploadError::Local(error.to_string())),
        }
    }

    async fn refusal(&self, answer: Response<Incoming>, _driver: Driver) -> UploadError {
        let status = answer.status();
        let mut pieces = answer.into_body();
        let mut body = Vec::new();
        // What has come until then, and no more.
        let _ = timeout(SAID, async {
            while let Some(Ok(piece)) = pieces.frame().await {
                body.extend_from_slice(piece.data_ref().unwrap_or(&Bytes::new()));
                if body.len() > answer::BODY_MAX {
                    break;
                }
            }
        })
        .await;
        let body = String::from_utf8_lossy(&body);
        let refusal = answer::read(status, &body, self.what.url, self.what.headers);
        if refusal.again {
            UploadError::Status(status.as_u16(), refusal.said)
        } else {
            UploadError::Refused(status.as_u16(), refusal.said)
        }
    }
}

/// How much of a body was sent.
#[derive(Default)]
struct Sent {
    bytes: AtomicU64,
    /// No more of it is asked for.
    over: AtomicBool,
    answered: Notify,
}

struct Over(Arc<Sent>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

/// The file from its beginning, piece by piece, and the last byte by itself; `sent` counts.
fn body(
    file: &File,
    total: u64,
    sent: &Arc<Sent>,
) -> io::Result<StreamBody<impl Stream<Item = io::Result<Frame<Bytes>>> + use<>>> {
    let mut start = file.try_clone()?;
    start.rewind()?;
    let mut end = start.try_clone()?;
    let (over, sent) = (Over(Arc::clone(sent)), Arc::clone(sent));
    // Reading blocks: the runtime is this upload's own, and a piece is small.
    let mut start = start.take(total.saturating_sub(1));
    let read = move |from: &mut dyn Read| {
        let mut piece = vec![0; CHUNK];
        match from.read(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                over.0.bytes.fetch_add(count as u64, Ordering::Relaxed);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(error)),
        }
    };
    let read = Arc::new(read);
    let first = Arc::clone(&read);
    let pieces = stream::iter(std::iter::from_fn(move || first(&mut start)));
    let last = stream::once(async move {
        let _ = timeout(HELD, sent.answered.notified()).await;
        read(&mut (&mut end).take(1)).unwrap_or_else(|| Ok(Vec::new()))
    });
    let frames = |piece: io::Result<Vec<u8>>| piece.map(|it| Frame::data(Bytes::from(it)));
    Ok(StreamBody::new(pieces.chain(last).map(frames)))
}

#[cfg(test)]
mod tests;
