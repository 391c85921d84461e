//! What happens to a saved file before Blender may close: it is read back whole, unless whoever
//! saved it has done so, and uploaded if that was asked for. On a thread of its own, so that neither
//! the driver nor Blender waits.

mod answer;
mod checksum;
mod digest;
mod upload;

pub use lifeline_core::{Digest, Uploaded};
pub use upload::{Progress, UploadError};

use crate::settings::{Headers, Secret, Trust};
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
    /// Where it goes, if anywhere.
    pub url: Option<Secret>,
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
    let known = order.digest.clone().filter(|_| order.url.is_none());
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
    let digest = match known(order, &file) {
        Some(digest) => Ok(Some(digest)),
        None => digest::read(&mut file, cancelled),
    };
    let bytes = match digest {
        Ok(Some(digest)) => {
            let bytes = digest.bytes;
            say(KeepEvent::Digested(digest));
            bytes
        }
        Ok(None) => return,
        Err(error) => return say(unreadable(error)),
    };
    let Some(url) = &order.url else { return };
    let begun = Instant::now();
    let progress = |progress| say(KeepEvent::Progress(progress));
    let what = upload::What {
        file: &file,
        total: bytes,
        url,
        headers: &order.headers,
        trust: &order.trust,
    };
    let outcome = upload::put(&what, order.timeout, cancelled, &progress);
    if cancelled.load(Ordering::Relaxed) {
        return;
    }
    let (attempts, error) = match outcome {
        Ok(attempts) => (attempts, None),
        Err((attempts, error)) => (attempts, Some(error.to_string())),
    };
    say(KeepEvent::Uploaded(Uploaded {
        bytes,
        attempts,
        seconds: begun.elapsed().as_secs_f64(),
        error,
    }));
}

/// What was read back already. Not of a file that is uploaded: others may have written another one
/// under its name meanwhile, and the upload's is the one that counts.
fn known(order: &Order, file: &File) -> Option<Digest> {
    let digest = order.digest.as_ref().filter(|_| order.url.is_none())?;
    let same = file.metadata().is_ok_and(|it| it.len() == digest.bytes);
    same.then(|| digest.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tokio::sync::mpsc::unbounded_channel;

    fn order(path: &Path) -> Order {
        Order {
            id: 7,
            path: path.to_path_buf(),
            digest: None,
            url: None,
            headers: Headers::default(),
            trust: Trust::default(),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_file_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.blend");
        std::fs::write(&path, b"abc").unwrap();
        let (sink, mut events) = unbounded_channel();
        let _keeping = begin(order(&path), sink);
        let Some((7, KeepEvent::Digested(digest))) = events.blocking_recv() else {
            panic!()
        };
        assert_eq!(digest.bytes, 3);
        assert!(digest.sha256.starts_with("ba7816bf"), "{}", digest.sha256);
        assert!(events.blocking_recv().is_none());
    }

    #[test]
    fn a_file_that_was_read_back_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.blend");
        std::fs::write(&path, b"abc").unwrap();
        let given = Digest {
            bytes: 3,
            sha256: "ab".repeat(32),
            seconds: 0.25,
        };
        let order = Order {
            digest: Some(given.clone()),
            ..order(&path)
        };
        let (sink, mut events) = unbounded_channel();
        let _keeping = begin(order, sink);
        let Some((7, KeepEvent::Digested(digest))) = events.blocking_recv() else {
            panic!()
        };
        assert_eq!(digest, given);
        assert!(events.blocking_recv().is_none());
    }

    #[test]
    fn what_was_read_back_is_not_believed_of_another_file_or_of_one_that_is_uploaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.blend");
        std::fs::write(&path, b"abc").unwrap();
        let given = |bytes| Digest {
            bytes,
            sha256: "ab".repeat(32),
            seconds: 0.25,
        };
        let another = Order {
            digest: Some(given(4)),
            ..order(&path)
        };
        let uploaded = Order {
            digest: Some(given(3)),
            url: Some(Secret::new("http://127.0.0.1:9/a")),
            ..order(&path)
        };
        for order in [another, uploaded] {
            let (sink, mut events) = unbounded_channel();
            let _keeping = begin(order, sink);
            let Some((7, KeepEvent::Digested(digest))) = events.blocking_recv() else {
                panic!()
            };
            assert_eq!(digest.bytes, 3);
            assert!(digest.sha256.starts_with("ba7816bf"), "{}", digest.sha256);
        }
    }

    #[test]
    fn a_file_that_is_gone_is_unreadable() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            folder.path().join("none.blend"),
            folder.path().to_path_buf(),
        ] {
            let (sink, mut events) = unbounded_channel();
            let _keeping = begin(order(&path), sink);
            let Some((7, KeepEvent::Unreadable(reason))) = events.blocking_recv() else {
                panic!()
            };
            assert!(reason.contains(&path.display().to_string()), "{reason}");
        }
    }
}
