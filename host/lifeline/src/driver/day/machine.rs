//! What the driver does to the world in a day: files are verified, or not, and processes ended.

use crate::driver::{Effects, LastAct, Watch};
use crate::keep::{Digest, KeepEvent, KeepSink, Keeping, Order};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// What has become of it.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Whether the file that was saved last could be verified.
    pub verified: Option<bool>,
    /// Nothing is ever heard of a file.
    pub silent: bool,
    /// The process was ended by the host, with this code.
    pub ended_with: Option<i32>,
    /// The code of a Blender that was told to close, should it not close.
    pub watched: Option<i32>,
}

struct Fate {
    chance: Rng,
    record: Record,
    /// The last file that was handed over.
    file: u64,
}

/// Clones are the same machine.
#[derive(Clone)]
pub(super) struct Machine {
    fate: Arc<Mutex<Fate>>,
    /// Something is in the record.
    pub changed: Arc<Notify>,
}

impl Machine {
    pub fn new(seed: u64) -> Self {
        let fate = Fate {
            chance: Rng::with_seed(seed),
            record: Record::default(),
            file: 0,
        };
        Machine {
            fate: Arc::new(Mutex::new(fate)),
            changed: Arc::default(),
        }
    }

    /// Since the last time.
    pub fn record(&self) -> Record {
        std::mem::take(&mut self.fate.lock().unwrap().record)
    }

    fn was_read(&self, file: u64, whole: bool) {
        let mut fate = self.fate.lock().unwrap();
        // Of an earlier one nobody cares.
        if fate.file == file {
            fate.record.verified = Some(whole);
            self.changed.notify_one();
        }
    }
}

impl Effects for Machine {
    fn keep(&self, order: Order, sink: KeepSink) -> Keeping {
        let mut fate = self.fate.lock().unwrap();
        fate.file += 1;
        let (file, machine) = (fate.file, self.clone());
        let after = Duration::from_millis(match fate.chance.u32(..3) {
            0 => fate.chance.u64(1..20_000),
            _ => fate.chance.u64(1..200),
        });
        let whole = match fate.chance.u32(..12) {
            0 => false,
            1 if fate.chance.bool() => {
                fate.record.silent = true;
                self.changed.notify_one();
                return Keeping::default();
            }
            _ => true,
        };
        tokio::spawn(async move {
            sleep(after).await;
            machine.was_read(file, whole);
            let event = if whole {
                KeepEvent::Digested(Digest {
                    bytes: 3,
                    sha256: "ba78".into(),
                    seconds: after.as_secs_f64(),
                })
            } else {
                KeepEvent::Unreadable("gone".into())
            };
            // The driver may have ended.
            let _ = sink.send((order.id, event));
        });
        Keeping::default()
    }

    fn watch(&self, watch: Watch) {
        self.fate.lock().unwrap().record.watched = Some(watch.code);
    }

    fn end_process(&self, code: i32, last: LastAct) {
        last();
        self.fate.lock().unwrap().record.ended_with = Some(code);
        self.changed.notify_one();
    }

    fn entropy(&self) -> Option<u64> {
        Some(self.fate.lock().unwrap().chance.u64(..))
    }
}
