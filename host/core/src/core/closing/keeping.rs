//! The saved file is verified, and uploaded.

use super::Keeping;
use super::saving::SAVED_FIRST;
use crate::core::Turn;
use crate::output::{Output, Work};
use crate::saved::{Digest, Saved, Uploaded};
use lifeline_contract::types::Place;

impl Turn<'_> {
    pub(super) fn keep(&mut self, saved: Saved) {
        self.stop_keeping();
        let since = self.now;
        let closing = &mut self.core.closing;
        closing.retry_at = None;
        closing.orders += 1;
        let order = closing.orders;
        // Not the last one of those that may go on for ever, nor what is not to replace the file.
        let upload = self.core.config.upload.is_some()
            && closing.saved_first < SAVED_FIRST
            && closing.place() == Place::InPlace;
        closing.keeping = Some(Keeping {
            order,
            since,
            upload,
            verified_at: None,
        });
        self.output(Output::Keep {
            order,
            saved,
            upload,
        });
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
        self.core.closing.retries = 0;
        self.core.guard.save_verified();
        self.tell(Work::Verified(digest.clone()));
        match &mut self.core.closing.keeping {
            Some(keeping) if keeping.upload => {
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
            self.tell(Work::Uploaded(uploaded));
            self.proceed();
        }
    }

    /// Verifying and uploading have had their time. True: reading has not come to an end, which is
    /// as bad as if it had failed.
    pub(super) fn give_up_keeping(&mut self, keeping: Keeping) -> bool {
        if keeping.verified_at.is_none() && !self.core.closing.is_terminating() {
            self.unreadable("reading it does not come to an end".into());
            return true;
        }
        self.stop_keeping();
        if keeping.verified_at.is_some() {
            let took = self.now.saturating_sub(keeping.since);
            self.tell(Work::UploadCutOff(took));
        }
        false
    }
}
