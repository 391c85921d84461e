//! Saves: asked for, begun, ended, withdrawn.

use super::End;
use crate::core::Turn;
use crate::output::{Output, Reason, Telling, Why, Withdrawn, Work};
use crate::saved::SaveOutcome;
use crate::tickets::{Open, Task};
use lifeline_contract::Call;
use lifeline_contract::types::{Phase, Place};
use std::path::PathBuf;

/// When nothing could be saved, the next try is this much later; it doubles up to the longest
/// (milliseconds).
const RETRY: u64 = 1_000;
const RETRY_MAX: u64 = 60_000;
/// Who goes on changing the file between save and quit is asked this often to save first; the last
/// time without an upload, which would leave time for more changes.
pub(super) const SAVED_FIRST: u32 = 4;

impl Turn<'_> {
    pub fn ask_to_save(&mut self, place: Place) {
        (self.core.closing.copied, self.core.closing.again) = (false, false);
        let ticket = self.issue(Task::Save(place));
        self.stop_keeping();
        let reason = match self.core.closing.terminating {
            Some(_) => Reason::Termination,
            None => Reason::Outage,
        };
        self.tell(Work::SaveAsked);
        self.output(Output::Save(ticket, place, reason));
    }

    /// The main thread has claimed a ticket.
    pub fn claimed(&mut self, ticket: u64) {
        match self.core.tickets.claim(ticket) {
            Some(Task::Save(_)) => self.tell(Work::SaveBegun),
            Some(Task::Quit) if !self.core.closing.is_final() => self.quit_claimed(),
            _ => {}
        }
    }

    /// The main thread writes this file: one after the other, until one is written.
    pub fn saving(&mut self, ticket: u64, path: PathBuf) {
        let runs = |open: Open| open.ticket == ticket && open.claimed;
        let late = |(late, _): (u64, Place)| late == ticket;
        if self.core.tickets.open().is_some_and(runs) || self.core.closing.late.is_some_and(late) {
            self.tell(Work::Saving(path));
        }
    }

    /// The file has changed since the save: another save before the quit.
    pub fn save_first(&mut self, ticket: u64) {
        if self.core.closing.is_final() || !self.core.tickets.hand_back(ticket) {
            return;
        }
        self.core.closing.end = End::Wanted;
        self.core.closing.outdated = true;
        self.core.closing.saved_first += 1;
        let times = self.core.closing.saved_first;
        if times <= SAVED_FIRST {
            self.tell(Work::SavedAgain(times));
            self.ask_to_save(self.core.closing.place());
        } else {
            self.ask_to_quit();
        }
    }

    /// The main thread has answered.
    pub fn saved(&mut self, ticket: u64, outcome: SaveOutcome) {
        if let Ok(saved) = &outcome {
            let closing = &mut self.core.closing;
            (closing.copied, closing.outdated) = (saved.recovery, false);
        }
        let Some(Task::Save(place)) = self.core.tickets.settle(ticket) else {
            return self.saved_late(ticket, outcome);
        };
        self.core.guard.save_answered(outcome.is_ok(), self.now);
        let answer = match &outcome {
            Ok(_) => Ok(()),
            Err(reasons) => Err(reasons.join("; ")),
        };
        let saved = outcome.as_ref().ok().cloned();
        let late = false;
        self.tell(Work::SaveEnded {
            place,
            outcome,
            late,
        });
        let failed = saved.is_none();
        match saved {
            Some(saved) => self.keep(saved),
            None => self.retry_later(),
        }
        let quitting = matches!(self.core.state.phase, Phase::Quitting(_));
        if self.core.closing.is_out_of_hand() || quitting {
            self.proceed();
        } else {
            self.decide(Call::OnSaved(answer));
        }
        if failed && self.core.tickets.open().is_none() {
            self.tell(Work::NotSaved); // no other place is tried at once
        }
    }

    /// A save that was withdrawn while it ran.
    fn saved_late(&mut self, ticket: u64, outcome: SaveOutcome) {
        let late = self.core.closing.late.take_if(|(late, _)| *late == ticket);
        let Some((_, place)) = late else {
            return self.tell(Work::StraySaveEnded(outcome));
        };
        let late = true;
        self.tell(Work::SaveEnded {
            place,
            outcome,
            late,
        });
        self.outage_is_over();
    }

    pub(super) fn retry_later(&mut self) {
        let closing = &mut self.core.closing;
        let delay = RETRY
            .checked_shl(closing.retries)
            .unwrap_or(RETRY_MAX)
            .min(RETRY_MAX);
        closing.retries = closing.retries.saturating_add(1);
        closing.retry_at = Some(self.now.saturating_add(delay));
    }

    /// One that was open before is withdrawn.
    pub(super) fn issue(&mut self, task: Task) -> u64 {
        self.withdraw_ticket();
        self.core.tickets.issue(task, self.now)
    }

    fn withdraw_ticket(&mut self) -> Option<Open> {
        self.take_back();
        self.core.tickets.close()
    }

    /// What is open the main thread cannot begin any more, unless it has begun it; of which may not
    /// have been heard yet.
    pub(super) fn take_back(&mut self) -> Option<Open> {
        let open = self.core.tickets.open()?;
        if !open.claimed && !self.is_unsaid(open.ticket) && !self.host.take_back(open.ticket) {
            self.core.tickets.claim(open.ticket);
        }
        self.core.tickets.open()
    }

    /// The main thread has not been asked yet; then it will not be.
    fn is_unsaid(&mut self, ticket: u64) -> bool {
        let asks = |output: &Output| match output {
            Output::Save(it, ..) | Output::Quit(it) => *it == ticket,
            _ => false,
        };
        let unsaid = self.core.outputs.iter().position(asks);
        unsaid.is_some_and(|at| self.core.outputs.remove(at).is_some())
    }

    /// A ticket stands only as long as the phase that it belongs to.
    pub fn keep_tickets_to_the_phase(&mut self) {
        let phase = &self.core.state.phase;
        let quitting = matches!(phase, Phase::Quitting(_));
        let fits = match self.core.tickets.open().map(|open| open.task) {
            Some(Task::Save(place)) => {
                // While quitting: one more try after a failed one, or late changes.
                quitting || matches!(phase, Phase::Saving(saving) if saving.place == place)
            }
            Some(Task::Quit) => quitting,
            None => true,
        };
        if !fits || !quitting && self.core.closing.end != End::No {
            self.withdraw(Why::Policy);
        }
    }

    /// The plan has changed: no save, no quit. A save that runs goes on.
    pub fn withdraw(&mut self, why: Why) {
        let waiting = std::mem::take(&mut self.core.closing.end) != End::No;
        self.stop_keeping();
        let closing = &mut self.core.closing;
        (closing.copied, closing.outdated, closing.retry_at) = (false, false, None);
        (closing.uploaded, closing.again) = (false, false);
        (closing.retries, closing.saved_first) = (0, 0);
        let what = match self.withdraw_ticket() {
            Some(Open {
                task: Task::Save(place),
                claimed: true,
                ticket,
                ..
            }) => {
                self.core.closing.late = Some((ticket, place));
                Withdrawn::RunningSave
            }
            Some(Open {
                task: Task::Save(_),
                ..
            }) => Withdrawn::Save,
            Some(_) => Withdrawn::Quit,
            None if waiting => Withdrawn::Quit,
            None => return,
        };
        self.tell(Telling::Withdrawn(why, what));
    }
}
