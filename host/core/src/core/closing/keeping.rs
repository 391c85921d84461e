//! The saved file is verified, and uploaded.

use super::Keeping;
use super::saving::SAVED_FIRST;
use crate::core::{Core, Turn};
use crate::output::{Output, Upload, Work};
use crate::saved::{Digest, Safe, Saved, Uploaded};
use lifeline_contract::types::Place;

impl Core {
    /// A save counts only once the store has it.
    fn needs_store(&self) -> bool {
        self.config.safe == Safe::Uploaded
    }

    /// The last save counts as safe.
    pub fn counts(&self) -> bool {
        self.guard.is_safe() && (self.closing.uploaded || !self.needs_store())
    }

    /// All that the last save lacks is the store, as far as anybody knows.
    pub(super) fn lacks_store(&self) -> bool {
        let closing = &self.closing;
        let changed = closing.outdated || self.scene.is_some_and(|scene| scene.modified);
        closing.again && (closing.copied || !changed)
    }

    /// Where the last save goes. Over what the store has of it, only if it is the same file's newest state,
    /// wherever on the disk it had to be saved.
    fn upload(&self) -> Upload {
        let in_place =
            self.closing.place() == Place::InPlace && self.target.is_for(&self.closing.of);
        // Not the last one of those that may go on for ever.
        let last = self.closing.saved_first >= SAVED_FIRST;
        if self.needs_store() {
            // If there is no such place, that is why it has failed.
            if in_place {
                Upload::Target
            } else {
                Upload::Copy
            }
        } else if !last && in_place && self.target.is_known() {
            Upload::Target
        } else if !last && !in_place && self.config.copies {
            Upload::Copy
        } else {
            Upload::No
        }
    }
}

impl Turn<'_> {
    pub(super) fn keep(&mut self, saved: Saved) {
        self.core.closing.of = self.core.target.open().cloned();
        let (order, upload) = self.begin_keeping();
        self.output(Output::Keep {
            order,
            saved,
            upload,
        });
    }

    /// The last file once more.
    pub(super) fn keep_again(&mut self) {
        self.core.guard.save_answered(true, self.now);
        let (order, upload) = self.begin_keeping();
        self.output(Output::KeepAgain { order, upload });
    }

    fn begin_keeping(&mut self) -> (u64, Upload) {
        self.stop_keeping();
        let upload = self.core.upload();
        let since = self.now;
        let closing = &mut self.core.closing;
        closing.retry_at = None;
        (closing.uploaded, closing.again) = (false, false);
        closing.orders += 1;
        let order = closing.orders;
        closing.keeping = Some(Keeping {
            order,
            since,
            upload,
            verified_at: None,
        });
        (order, upload)
    }

    pub(super) fn stop_keeping(&mut self) {
        if self.core.closing.keeping.take().is_some() {
            self.output(Output::StopKeeping);
        }
    }

    fn is_of(&self, order: u64) -> bool {
        let keeping = self.core.closing.keeping;
        keeping.is_some_and(|keeping| keeping.order == order)
    }

    pub fn verified(&mut self, order: u64, outcome: Result<Digest, String>) {
        match outcome {
            _ if !self.is_of(order) => {} // of an earlier save
            Ok(digest) => self.readable(digest),
            Err(reason) => self.unreadable(reason),
        }
    }

    fn readable(&mut self, digest: Digest) {
        if !self.core.needs_store() {
            self.is_safe();
        }
        self.tell(Work::Verified(digest.clone()));
        match &mut self.core.closing.keeping {
            Some(keeping) if keeping.upload != Upload::No => {
                keeping.verified_at = Some(self.now);
                self.tell(Work::Uploading(digest));
            }
            keeping => *keeping = None,
        }
        self.proceed();
    }

    fn unreadable(&mut self, reason: String) {
        self.stop_keeping();
        self.tell(Work::Unreadable(reason));
        // Of a save that has got old meanwhile it is no news.
        if self.core.guard.is_safe() {
            self.core.guard.save_answered(false, self.now);
            self.retry_later();
            self.tell(Work::NotSaved);
        }
        self.proceed();
    }

    pub fn uploaded(&mut self, order: u64, uploaded: Uploaded) {
        if self.is_of(order) {
            self.core.closing.keeping = None;
            let has = uploaded.error.is_none();
            self.tell(Work::Uploaded(uploaded));
            self.store_has(has);
            self.proceed();
        }
    }

    /// A row of failures has ended.
    fn is_safe(&mut self) {
        self.core.closing.retries = 0;
        self.core.guard.save_verified();
    }

    /// The upload has ended, well or not. On SIGTERM nobody waits for another one.
    fn store_has(&mut self, has: bool) {
        self.core.closing.uploaded = has;
        if !self.core.needs_store() {
            return;
        }
        if has {
            self.is_safe();
        } else if !self.core.closing.is_terminating() {
            self.core.guard.save_answered(false, self.now);
            self.core.closing.again = true;
            self.retry_later();
            self.tell(Work::NotSaved);
        }
    }

    /// Verifying and uploading have had their time. True: reading has not come to an end, which is
    /// as bad as if it had failed; or the store was to have it.
    pub(super) fn give_up_keeping(&mut self, keeping: Keeping) -> bool {
        if keeping.verified_at.is_none() && !self.core.closing.is_terminating() {
            self.unreadable("reading it does not come to an end".into());
            return true;
        }
        self.stop_keeping();
        if keeping.verified_at.is_some() {
            let took = self.now.saturating_sub(keeping.since);
            self.tell(Work::UploadCutOff(took));
            self.store_has(false);
        }
        !self.core.guard.is_safe()
    }
}
