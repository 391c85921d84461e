//! Blender's end: wanted, asked for, written down, told.

use super::bounds::WRITE;
use super::{End, Terminating};
use crate::core::Turn;
use crate::output::{Outcome, Output, Telling};
use crate::tickets::Task;

/// Of the bound of SIGTERM, this much is kept for closing, or half of it (milliseconds).
const CLOSING: u64 = 5_000;

impl Turn<'_> {
    /// The policy, or SIGTERM, wants Blender to close.
    pub fn want_quit(&mut self) {
        if self.core.closing.end == End::No {
            self.core.closing.end = End::Wanted;
        }
        self.proceed();
    }

    /// Does what the end still needs, if it is time. Called whenever something of it has changed.
    pub fn proceed(&mut self) {
        let now = self.now;
        if self.core.stuck_from().is_some_and(|at| now >= at) {
            return self.end_without(true);
        }
        match self.core.closing.end {
            End::Wanted => self.proceed_to_quit(),
            End::Asked
                if self.core.may_be_ended()
                    && self.core.claim_until().is_some_and(|at| now >= at) =>
            {
                self.end_without(false);
            }
            // What is verified or uploaded meanwhile comes here, too.
            End::Writing { since, .. } if now >= since.saturating_add(WRITE) => {
                self.tell(Telling::JournalSilent);
                self.written();
            }
            _ => {}
        }
    }

    fn proceed_to_quit(&mut self) {
        let now = self.now;
        if self.core.tickets.open().is_some() {
            return; // a save
        }
        if let Some(keeping) = self.core.closing.keeping
            && self.core.guard.is_safe()
            && (now < self.core.keeping_until(keeping) || self.give_up_keeping(keeping))
        {
            return;
        }
        if self.core.guard.quit_from().is_some_and(|from| now >= from) {
            self.ask_to_quit();
        } else if !self.core.guard.is_safe()
            && self.core.closing.retry_at.is_some_and(|at| now >= at)
        {
            self.core.closing.retry_at = None;
            if self.core.lacks_store() {
                self.keep_again();
            } else {
                self.ask_to_save(self.core.closing.place());
            }
        }
    }

    pub(super) fn ask_to_quit(&mut self) {
        self.core.closing.end = End::Asked;
        let ticket = self.issue(Task::Quit);
        self.output(Output::Quit(ticket));
    }

    pub(super) fn quit_claimed(&mut self) {
        let outcome = match self.core.closing.terminating {
            Some(_) => Outcome::Terminated,
            None => Outcome::Quit,
        };
        self.write_down(outcome, None);
    }

    /// The process is ended, and Blender not asked any more.
    fn end_without(&mut self, busy: bool) {
        // Begun by the main thread in this very moment: then it is not stuck after all.
        if self.take_back().is_some_and(|open| !open.claimed) {
            self.core.tickets.close();
            let safe = self.core.may_be_ended() && self.core.counts();
            self.tell(Telling::Ended { busy, safe });
            self.write_down(Outcome::EndedByHost, Some(safe));
        }
    }

    /// From here on no server can come back.
    fn write_down(&mut self, outcome: Outcome, end: Option<bool>) {
        self.disconnect();
        self.core.wake_at = None;
        self.core.undecided.clear();
        // What is ended does nothing more.
        if end.is_none() && self.core.guard.is_safe() {
            self.drop_early_copy();
        }
        let since = self.now;
        self.core.closing.end = End::Writing { since, end };
        if std::mem::take(&mut self.core.closing.recorded) {
            self.output(Output::WriteDown(outcome));
        } else {
            self.written();
        }
    }

    /// The outage stands in the journal, or cannot.
    pub fn written(&mut self) {
        let End::Writing { end, .. } = self.core.closing.end else {
            return;
        };
        self.core.closing.end = End::Told;
        if let Some(safe) = end {
            return self.output(Output::EndProcess { safe });
        }
        let within = self.core.closed_until(self.now).saturating_sub(self.now);
        let safe = self.core.counts();
        self.output(Output::Close { within, safe });
    }

    /// The server is given up, the policy not asked any more.
    pub fn terminate(&mut self, recover: bool) {
        if self.core.closing.is_out_of_hand() {
            return;
        }
        let bound = self.core.config.terminate;
        let closing = CLOSING.min(bound / 2);
        self.core.closing.terminating = Some(Terminating {
            upload_until: self.now.saturating_add(bound - closing),
            until: self.now.saturating_add(bound),
            recover,
            heard_at: self.now,
        });
        if self.core.guard.is_connected() {
            self.lasts();
            self.finish_late();
        } else {
            self.core.closing.late = None;
        }
        self.open_record();
        self.tell(Telling::Terminating(bound));
        self.core.guard.give_up(self.now);
        self.disconnect();
        self.core.wake_at = None;
        self.core.undecided.clear();
        if self.core.closing.end == End::No {
            self.core.closing.end = End::Wanted;
            if self.core.tickets.open().is_none() {
                self.ask_to_save(self.core.closing.place());
            }
        } else if self.core.lacks_store() {
            self.keep_again(); // for the last time
        }
        self.proceed();
    }
}
