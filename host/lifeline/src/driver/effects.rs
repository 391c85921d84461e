//! What the driver does to the world beside its connections; another one in tests.

use super::Shared;
use crate::exit::end_process;
use crate::journal::{Entry, Journal, Outcome};
use crate::keep::{self, KeepSink, Keeping, Order};
use crate::notify::{Notification, Notifier};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

/// How long a journal that hangs may hold up the end, or a webhook.
const WRITE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(100);

/// What is done right before the process ends.
pub(crate) type LastAct = Box<dyn FnOnce() + Send>;

/// Files are verified, processes ended.
pub(crate) trait Effects: Send + Sync {
    /// See [`keep::begin`].
    fn keep(&self, order: Order, sink: KeepSink) -> Keeping;

    /// Ends the process, unless Blender does within `after`, or the watch is called off.
    fn watch(&self, watch: Watch);

    /// Ends the process now, after one last thing.
    fn end_process(&self, code: i32, last: LastAct);

    /// Tells people. It does not wait for them.
    fn notify(&self, _: Notification) {}

    /// 64 random bits for a policy; None: there are none to be had.
    fn entropy(&self) -> Option<u64> {
        getrandom::u64().ok()
    }
}

/// A Blender that was told to close.
#[derive(Debug)]
pub(crate) struct Watch {
    pub after: Duration,
    pub code: i32,
    /// What the journal says already.
    pub entry: Option<Entry>,
    pub journal: Option<PathBuf>,
    pub called_off: Arc<AtomicBool>,
    pub shared: Arc<Shared>,
}

/// The real ones.
pub(super) struct Process {
    /// None: there is nobody to tell.
    pub notifier: Option<Notifier>,
}

impl Effects for Process {
    fn keep(&self, order: Order, sink: KeepSink) -> Keeping {
        keep::begin(order, sink)
    }

    fn watch(&self, watch: Watch) {
        // Not the host thread: that one ends when the add-on is unregistered, which is a part of
        // Blender's closing, and not the last one that can hang.
        let spawned = thread::Builder::new()
            .name("lifeline-watch".into())
            .spawn(move || last_resort(watch));
        // Without a thread Blender closes, or not, by itself.
        drop(spawned);
    }

    fn end_process(&self, code: i32, last: LastAct) {
        let notifier = self.notifier.clone().filter(Notifier::is_busy);
        let end = move || {
            if let Some(notifier) = notifier {
                notifier.wait(Instant::now() + WRITE);
            }
            last();
            end_process(code);
        };
        // The host thread waits for nobody.
        let spawned = thread::Builder::new()
            .name("lifeline-end".into())
            .spawn(end);
        if spawned.is_err() {
            end_process(code);
        }
    }

    fn notify(&self, notification: Notification) {
        if let Some(notifier) = &self.notifier {
            notifier.send(notification);
        }
    }
}

fn last_resort(watch: Watch) {
    let begun = Instant::now();
    while begun.elapsed() < watch.after {
        if watch.called_off.load(Ordering::Relaxed) {
            return;
        }
        thread::sleep(LOOK);
    }
    if let (Some(mut entry), Some(path)) = (watch.entry, watch.journal) {
        entry.outcome = Outcome::EndedByHost;
        let (done, written) = sync_channel(1);
        let spawned = thread::Builder::new()
            .name("lifeline-watch".into())
            .spawn(move || {
                // Whether it is written or not, the process ends.
                let _ = Journal::new(path).append(&entry);
                let _ = done.send(());
            });
        if spawned.is_ok() {
            // As above.
            let _ = written.recv_timeout(WRITE);
        }
    }
    if !watch.called_off.load(Ordering::Relaxed) {
        watch.shared.finish();
        end_process(watch.code);
    }
}
