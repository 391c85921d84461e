//! What happens to a saved file before Blender may close: it is read back whole, unless whoever
//! saved it has done so, and uploaded if that was asked for. On a thread of its own, so that neither
//! the driver nor Blender waits.

mod answer;
mod checksum;
mod digest;
mod upload;

pub use lifeline_core::{Digest, Multipart, Uploaded};
pub use upload::{Ledger, Progress, UploadError};

use crate::settings::{Headers, SaveSource, SaveTarget, Trust};
use lifeline_files::Links;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// What is to be done with a file.
#[derive(Clone, Debug)]
pub struct Order {
    /// Told back with each event.
    pub id: u64,
    /// The saved file.
    pub path: PathBuf,
    /// It was read back already: that is not done again.
    pub digest: Option<Digest>,
    /// Where it is uploaded to, if at all; or why it cannot be.
    pub source: Option<Result<SaveSource, &'static str>>,
    /// What is there already.
    pub ledger: Ledger,
    /// What is sent with it.
    pub headers: Headers,
    /// Who may vouch for that place.
    pub trust: Trust,
    /// For all requests of the upload.
    pub timeout: Duration,
}

/// What becomes of it.
#[derive(Debug)]
pub enum KeepEvent {
    /// All of it could be read. Without an upload the last event.
    Digested(Digest),
    /// It cannot be read: it is not safe. The last event.
    Unreadable(String),
    /// The upload goes on.
    Progress(Progress),
    /// The upload has ended. The last event.
    Uploaded(Uploaded),
}

/// Where the events of order `u64` go.
pub type KeepSink = UnboundedSender<(u64, KeepEvent)>;

/// Work under way; dropping it ends it soon.
#[derive(Debug, Default)]
pub struct Keeping(Arc<AtomicBool>);

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Begins. The events go to `sink`, the last one as documented at [`KeepEvent`].
pub fn begin(order: Order, sink: KeepSink) -> Keeping {
    let keeping = Keeping::default();
    let cancelled = Arc::clone(&keeping.0);
    let id = order.id;
    let known = order.digest.clone().filter(|_| order.source.is_none());
    let out = sink.clone();
    let spawned = thread::Builder::new()
        .name("lifeline-keep".into())
        .spawn(move || {
            // The driver may have ended.
            let say = |event| drop(sink.send((id, event)));
            work(&order, &cancelled, &say);
        });
    if let Err(error) = spawned {
        let reason = format!("no thread to read it back: {error}");
        let event = known.map_or(KeepEvent::Unreadable(reason), KeepEvent::Digested);
        // As above.
        let _ = out.send((id, event));
    }
    keeping
}

fn work(order: &Order, cancelled: &AtomicBool, say: &impl Fn(KeepEvent)) {
    let unreadable =
        |error: io::Error| KeepEvent::Unreadable(format!("{}: {error}", order.path.display()));
    // A pipe would be waited for, and a link is not what was saved.
    let mut file = match lifeline_files::open_to_read(&order.path, Links::Refused) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return say(unreadable(io::Error::other("not an ordinary file")));
        }
        Err(error) => return say(unreadable(error)),
    };
    if let Some(digest) = known(order, &file) {
        return say(KeepEvent::Digested(digest));
    }
    let target = order.source.as_ref().map(|source| match source {
        Ok(source) => source.target(),
        Err(fault) => Err((*fault).into()),
    });
    let part = target
        .as_ref()
        .map(|it| it.as_ref().map_or(u64::MAX, SaveTarget::part_size));
    let mut upload = Upload {
        order,
        begun: None,
        attempts: 0,
    };
    loop {
        let content = match digest::read(&mut file, part, cancelled) {
            Ok(Some(content)) => content,
            Ok(None) => return,
            Err(error) => return say(unreadable(error)),
        };
        say(KeepEvent::Digested(content.digest.clone()));
        let result = match &target {
            None => return,
            Some(Ok(target)) => upload.send(target, &file, &content, cancelled, say),
            Some(Err(fault)) => Err(UploadError::Local(fault.clone())),
        };
        if cancelled.load(Ordering::Relaxed) {
            return;
        }
        // What was read of it is no more: from the beginning.
        if result != Err(UploadError::Changed) || upload.left().is_zero() {
            return say(KeepEvent::Uploaded(upload.ended(&content, result)));
        }
    }
}

/// An upload, however often it begins anew.
struct Upload<'a> {
    order: &'a Order,
    begun: Option<Instant>,
    attempts: u32,
}

impl Upload<'_> {
    fn left(&self) -> Duration {
        let took = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        self.order.timeout.saturating_sub(took)
    }

    fn send(
        &mut self,
        target: &SaveTarget,
        file: &File,
        content: &digest::Content,
        cancelled: &AtomicBool,
        say: &impl Fn(KeepEvent),
    ) -> Result<Option<Multipart>, UploadError> {
        self.begun.get_or_insert_with(Instant::now);
        let what = upload::What {
            file,
            content,
            target,
            headers: &self.order.headers,
            trust: &self.order.trust,
            ledger: &self.order.ledger,
        };
        let progress = |progress| say(KeepEvent::Progress(progress));
        let (attempts, result) = upload::send(&what, self.left(), cancelled, &progress);
        self.attempts += attempts;
        result
    }

    fn ended(
        self,
        content: &digest::Content,
        result: Result<Option<Multipart>, UploadError>,
    ) -> Uploaded {
        let (multipart, error) = match result {
            Ok(multipart) => (multipart, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Uploaded {
            bytes: content.digest.bytes,
            attempts: self.attempts,
            seconds: self
                .begun
                .map_or(0.0, |begun| begun.elapsed().as_secs_f64()),
            error,
            multipart,
        }
    }
}

/// What was read back already. Not of a file that is uploaded: others may have written another one
/// under its name meanwhile, and the upload's is the one that counts.
fn known(order: &Order, file: &File) -> Option<Digest> {
    let digest = order.digest.as_ref().filter(|_| order.source.is_none())?;
    let same = file.metadata().is_ok_and(|it| it.len() == digest.bytes);
    same.then(|| digest.clone())
}

#[cfg(test)]
mod tests;
