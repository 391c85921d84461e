//! What a PUT sends: some bytes of a file.

use super::super::checksum::read_at;
use futures_util::stream::{self, Stream};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use md5::{Digest, Md5};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

pub(super) const CHUNK: usize = 256 << 10;
/// How long the last byte is held back: an answer that comes before it says nothing of the file.
const HELD: Duration = Duration::from_millis(250);

/// How much of a body was sent.
#[derive(Default)]
pub(super) struct Sent {
    pub bytes: AtomicU64,
    /// No more of it is asked for.
    pub over: AtomicBool,
    pub answered: Notify,
    /// The file has no such bytes any more.
    pub short: AtomicBool,
    /// Of all that was sent.
    pub md5: OnceLock<[u8; 16]>,
}

/// Bytes that are still to be sent.
struct Rest {
    file: File,
    bytes: Range<u64>,
    /// The last byte goes by itself, after a while.
    hold: bool,
    md5: Md5,
    sent: Arc<Sent>,
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.sent.over.store(true, Ordering::Relaxed);
    }
}

impl Rest {
    /// Reading blocks: the runtime is this upload's own, and a chunk is small.
    fn read(&mut self) -> io::Result<Bytes> {
        let left = self.bytes.end - self.bytes.start;
        let most = if self.hold && left > 1 {
            left - 1
        } else {
            left
        };
        let mut chunk = vec![0; CHUNK.min(usize::try_from(most).unwrap_or(CHUNK))];
        let count = read_at(&self.file, &mut chunk, self.bytes.start)?;
        if count == 0 {
            self.sent.short.store(true, Ordering::Relaxed);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        chunk.truncate(count);
        self.md5.update(&chunk);
        self.bytes.start += count as u64;
        if self.bytes.is_empty() {
            let md5 = self.md5.finalize_reset().into();
            // It comes to its end once.
            let _ = self.sent.md5.set(md5);
        }
        self.sent.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(chunk.into())
    }
}

/// These bytes, chunk by chunk; `sent` counts. `hold`: the last byte goes by itself, after a while, or
/// once there is an answer.
pub(super) fn body(
    file: &File,
    bytes: Range<u64>,
    hold: bool,
    sent: &Arc<Sent>,
) -> io::Result<StreamBody<impl Stream<Item = io::Result<Frame<Bytes>>> + use<>>> {
    if bytes.is_empty() {
        // Of a body that nobody knows yet.
        let _ = sent.md5.set(Md5::new().finalize().into());
    }
    let rest = Rest {
        file: file.try_clone()?,
        bytes,
        hold,
        md5: Md5::new(),
        sent: Arc::clone(sent),
    };
    Ok(StreamBody::new(stream::unfold(rest, |mut rest| async {
        if rest.bytes.is_empty() {
            return None;
        }
        if rest.hold && rest.bytes.end - rest.bytes.start == 1 {
            let _ = timeout(HELD, rest.sent.answered.notified()).await;
        }
        Some((rest.read().map(Frame::data), rest))
    })))
}
