//! What the core wants done is done.

use super::NOTIFY;
use super::effects::Watch;
use super::run::{Attempt, Driver};
use crate::clock::as_millis;
use crate::event::Event;
use crate::keep::Order;
use lifeline_core::{Input, Outcome, Output, Task, Upload};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Why nothing can be uploaded.
const NO_TARGET: &str = "no save target is known";
const NO_PLACE: &str = "what is open is not the file that the save target is for, or is to be left as \
                        it is there, and no recovery URL is left for a copy";

/// The exit code of a process that was ended.
fn exit_code(safe: bool) -> i32 {
    if safe { 0 } else { 1 }
}

impl Driver {
    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect(attempt) => self.connect(attempt),
            Output::Disconnect => self.attempt = None,
            Output::Save(ticket, place, reason) => {
                self.shared.tickets.issue(ticket, Task::Save(place));
                self.shared.events.push(Event::Save {
                    ticket,
                    place,
                    reason,
                });
            }
            Output::Quit(ticket) => {
                self.shared.tickets.issue(ticket, Task::Quit);
                self.shared.events.push(Event::Quit { ticket });
                // A poll from before has not seen it.
                self.shared.polled.store(0, Ordering::Relaxed);
            }
            Output::Keep {
                order,
                saved,
                upload,
            } => {
                self.kept = Some(saved);
                self.keep(order, upload);
            }
            Output::KeepAgain { order, upload } => self.keep(order, upload),
            Output::StopKeeping => self.keeping = None,
            Output::EarlyCopy { needed } => {
                if !needed {
                    self.record.copied_early(None);
                }
                self.shared.events.push(Event::EarlyCopy { needed });
            }
            Output::WriteDown(outcome) => self.write_down(outcome),
            Output::EndProcess { safe } => {
                // Not before: to Blender a line that has ended is one to be made anew.
                let shared = Arc::clone(&self.shared);
                let last = Box::new(move || shared.finish());
                self.effects.end_process(exit_code(safe), last);
            }
            Output::Close { within, safe } => self.close_blender(within, safe),
            Output::Tell(telling) => self.tell(telling),
        }
    }

    fn connect(&mut self, attempt: u64) {
        self.look_at_token();
        let auth = json!({
            "token": self.settings.token.reveal(),
            "username": self.settings.username,
            "blend_file_path": self.path,
        });
        let timeout = self.connect_timeout();
        // An attempt that was under way is given up.
        let connection = self
            .connector
            .connect(attempt, auth, timeout, self.sink.clone());
        self.attempt = Some(Attempt {
            number: attempt,
            connection,
            accepted: false,
            reported: BTreeMap::new(),
        });
    }

    fn keep(&mut self, order: u64, upload: Upload) {
        let Some(saved) = self.kept.clone() else {
            return; // nothing is kept again that was not kept
        };
        self.shared.snapshot().upload = None;
        let source = match upload {
            Upload::No => None,
            Upload::Target => Some(self.settings.save.clone().ok_or(NO_TARGET)),
            Upload::Copy => Some(self.place_of(&saved).ok_or(NO_PLACE)),
        };
        let order = Order {
            id: order,
            path: saved.path,
            digest: saved.digest,
            source,
            ledger: self.ledger.clone(),
            headers: self.settings.upload_headers.clone(),
            trust: self.settings.trust.clone(),
            timeout: Duration::from_millis(self.settings.bounds.upload),
        };
        self.keeping = Some(self.effects.keep(order, self.keep_sink.clone()));
    }

    fn write_down(&mut self, outcome: Outcome) {
        self.record
            .stand(self.core.attempts(), self.deciding.identity());
        self.tell_end(outcome);
        let Some(entry) = self.end_outage(outcome) else {
            return self.step(Input::Written);
        };
        self.last_entry = Some(entry);
    }

    fn close_blender(&mut self, within: u64, safe: bool) {
        self.shared.ends_well.store(safe, Ordering::Relaxed);
        self.shared.told.store(true, Ordering::Relaxed);
        // Nor longer than leaves Blender time to close.
        let notify_until = self.now().saturating_add(as_millis(NOTIFY).min(within / 2));
        self.shared
            .notify_until
            .store(notify_until, Ordering::Relaxed);
        self.effects.watch(Watch {
            after: Duration::from_millis(within),
            code: exit_code(safe),
            entry: self.last_entry.clone(),
            journal: self.settings.journal.clone(),
            called_off: self.shared.watch_called_off.clone(),
            shared: self.shared.clone(),
        });
        self.shared.events.push(Event::Close);
    }
}
