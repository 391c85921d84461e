//! What else goes to the store, beside the saved file: recovery copies with their records, early copies, the
//! journal. Nobody waits for it, but for the journal a moment.

use super::run::Driver;
use crate::event::LogLine;
use crate::keep::{KeepEvent, Order};
use crate::settings::{SaveSource, SaveTarget};
use crate::status::UploadStatus;
use lifeline_core::{Input, Saved};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Orders from here on are none of the core's.
const FIRST: u64 = 1 << 63;
const EARLY_COPY: u64 = FIRST;
const RECORD: u64 = FIRST + 1;
const JOURNAL: u64 = FIRST + 2;
/// Blender's end waits so long for the journal.
const JOURNAL_WAITS: Duration = Duration::from_millis(2_000);

/// Places for copies, and the one that holds the early copy of an outage: the next one replaces it.
#[derive(Debug, Default)]
pub(super) struct Places {
    used: usize,
    /// Of files: the newest state of each is what counts.
    of: BTreeMap<PathBuf, SaveSource>,
    early: Option<(String, SaveSource)>,
}

impl Driver {
    /// Of what was saved, which is not to replace what the save target is for. Its record goes beside it.
    pub(super) fn place_of(&mut self, saved: &Saved) -> Option<SaveSource> {
        if let Some(known) = self.places.of.get(&saved.path) {
            return Some(known.clone());
        }
        let place = self.copy_place(&name(&saved.path))?;
        self.places.of.insert(saved.path.clone(), place.clone());
        if saved.recovery {
            self.record_aside(&saved.path);
        }
        Some(place)
    }

    /// Of one copy more.
    fn copy_place(&mut self, name: &str) -> Option<SaveSource> {
        let url = self
            .settings
            .recovery
            .as_ref()?
            .place(name, self.places.used)?;
        self.places.used += 1;
        Some(SaveSource::Given(SaveTarget::Whole(url)))
    }

    /// The early copy that was made last; None: there is none any more, and what is there goes on to be there.
    pub(super) fn early_copy_aside(&mut self, path: Option<&Path>) {
        self.aside.remove(&EARLY_COPY);
        let Some((path, id)) = path.zip(self.record.entry().map(|entry| entry.id.clone())) else {
            return;
        };
        let known = self.places.early.take().filter(|(outage, _)| *outage == id);
        let place = match known {
            Some((_, place)) => Some(place),
            None => self.copy_place(&name(path)),
        };
        if let Some(place) = place {
            self.places.early = Some((id, place.clone()));
            let limit = Duration::from_millis(self.settings.bounds.upload);
            self.put_aside(EARLY_COPY, path.to_path_buf(), place, limit);
        }
    }

    /// Whose copy it is, of what, and when, as it stands beside it.
    fn record_aside(&mut self, copy: &Path) {
        let record = copy.with_extension("json");
        if let Some(place) = self.copy_place(&name(&record)) {
            let limit = Duration::from_millis(self.settings.bounds.upload);
            self.put_aside(RECORD, record, place, limit);
        }
    }

    /// The outage that Blender closes over stands in the journal.
    pub(super) fn written(&mut self) {
        let id = self.last_entry.as_ref().map(|entry| entry.id.clone());
        let path = self.settings.journal.clone();
        if let Some((id, path)) = id.zip(path)
            && let Some(place) = self.copy_place(&format!("journal-{id}.jsonl"))
        {
            return self.put_aside(JOURNAL, path, place, JOURNAL_WAITS);
        }
        self.step(Input::Written);
    }

    /// How the file fares that was saved last.
    pub(super) fn kept(&mut self, order: u64, event: KeepEvent) {
        if self.kept_aside(order, &event) {
            return;
        }
        match event {
            KeepEvent::Progress(progress) => {
                if self.core.keeping() == Some(order) {
                    self.shared.snapshot().upload = Some(UploadStatus::running(progress));
                }
            }
            KeepEvent::Digested(digest) => self.step(Input::Verified(order, Ok(digest))),
            KeepEvent::Unreadable(reason) => self.step(Input::Verified(order, Err(reason))),
            KeepEvent::Uploaded(uploaded) => self.step(Input::Uploaded(order, uploaded)),
        }
    }

    /// False: it is an order of the core's.
    fn kept_aside(&mut self, order: u64, event: &KeepEvent) -> bool {
        if order < FIRST {
            return false;
        }
        let error = match event {
            KeepEvent::Digested(_) | KeepEvent::Progress(_) => return true,
            KeepEvent::Unreadable(reason) => Some(reason.clone()),
            KeepEvent::Uploaded(uploaded) => uploaded.error.clone(),
        };
        self.aside.remove(&order);
        let what = match order {
            EARLY_COPY => "The early copy",
            RECORD => "The recovery copy's record",
            _ => "The journal",
        };
        self.say(match error {
            None => LogLine::info("uploaded-aside", format!("{what} was uploaded")),
            Some(error) => {
                let error = self.settings.redact(&error);
                let message = format!("{what} was not uploaded: {error}");
                LogLine::warning("not-uploaded-aside", message).with("error", error)
            }
        });
        if order == JOURNAL {
            self.step(Input::Written);
        }
        true
    }

    fn put_aside(&mut self, id: u64, path: PathBuf, source: SaveSource, timeout: Duration) {
        let order = Order {
            id,
            path,
            digest: None,
            source: Some(Ok(source)),
            ledger: self.ledger.clone(),
            headers: self.settings.upload_headers.clone(),
            trust: self.settings.trust.clone(),
            timeout,
        };
        let keeping = self.effects.keep(order, self.keep_sink.clone());
        self.aside.insert(id, keeping);
    }
}

/// As the store is to have it.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
