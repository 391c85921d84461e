//! From a save to Blender's end: what must be over before Blender closes, and what happens if it
//! does not close.
//!
//! A quit is *wanted* by the policy, or by SIGTERM. It is *asked* for once the work is safe, read
//! back and uploaded. The main thread claims it; then the line is cut, the outage *written* down,
//! and only then Blender is *told* to close: from there on no server can come back.

use super::NOTIFY;
use super::account::Cause;
use super::effects::Watch;
use super::run::Driver;
use crate::Call;
use crate::clock::as_millis;
use crate::contract::{Phase, Place};
use crate::event::{Event, LogLine, Reason};
use crate::journal::{Kind, News, Outcome};
use crate::keep::{Digest, KeepEvent, Keeping, Order, Uploaded};
use crate::settings::Secret;
use crate::status::{LastSave, UploadStatus};
use crate::tickets::Task;
use lifeline_core::as_seconds;
use lifeline_core::{SaveOutcome, Saved};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// When nothing could be saved, the next try is this much later; it doubles up to the longest.
/// (Milliseconds.)
const RETRY: u64 = 1_000;
const RETRY_MAX: u64 = 60_000;
/// How long a journal that hangs may hold up the end (milliseconds).
const WRITE: u64 = 3_000;
/// Of the bound of SIGTERM, this much is kept for closing, or half of it (milliseconds).
const CLOSING: u64 = 5_000;
/// After the bound of SIGTERM, Blender still has this long to close (milliseconds).
const LAST_MOMENT: u64 = 1_000;
/// Who goes on changing the file between save and quit is asked this often to save first; the
/// last time without an upload, which would leave time for more changes.
const SAVED_FIRST: u32 = 4;
/// A main thread that has not polled since it was asked to quit is at work: it has this many times
/// as long.
const AT_WORK: u64 = 10;
/// A saved file that cannot be read back within this long counts as unreadable (milliseconds).
const DIGEST: u64 = 600_000;
/// An upload that has not ended this long after its own limit never does (milliseconds).
const UPLOAD_GRACE: u64 = 10_000;
/// Of a process that was ended with its work safe, and with its work unsaved.
const EXIT_SAFE: i32 = 0;
const EXIT_UNSAFE: i32 = 1;

/// How far Blender's end is. Instants in milliseconds of the driver's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// Nobody wants it.
    #[default]
    No,
    /// Something must be over first.
    Wanted,
    /// The main thread has the ticket.
    Asked { since: u64 },
    /// The ticket is claimed, and the outage is being written down. Then the process is ended with
    /// the code, or Blender is told to close.
    Writing { since: u64, end_with: Option<i32> },
    /// Blender was told.
    Told,
}

/// After SIGTERM. Instants in milliseconds of the driver's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminating {
    /// The upload is not waited for any longer.
    upload_until: u64,
    /// Blender is to be gone by then.
    until: u64,
}

/// What the end needs to remember.
#[derive(Default)]
pub(super) struct Closing {
    pub end: End,
    /// The last save is being read back, or uploaded.
    keeping: Option<(u64, Keeping)>,
    keeping_since: u64,
    keeps: u64,
    /// When it had been read back.
    digested_at: Option<u64>,
    /// The last save is a copy, which leaves the open file as changed as it was.
    copied: bool,
    /// The file has changed since the last save, as the main thread says.
    outdated: bool,
    /// The next try after a failed save.
    retry_at: Option<u64>,
    retries: u32,
    saved_first: u32,
    /// After SIGTERM.
    pub terminating: Option<Terminating>,
    /// When the open save was asked for.
    save_asked: Option<u64>,
    /// A save that goes on although nobody needs it any more.
    late: Option<(u64, Place)>,
}

impl Closing {
    /// Nothing can stop it any more.
    pub fn is_final(&self) -> bool {
        matches!(self.end, End::Writing { .. } | End::Told)
    }

    /// The policy has nothing more to say.
    pub fn is_out_of_hand(&self) -> bool {
        self.is_final() || self.terminating.is_some()
    }
}

impl Driver {
    /// Asks for a save.
    pub(super) fn ask_to_save(&mut self, place: Place) {
        let ticket = self.shared.tickets.issue(Task::Save(place));
        self.closing.save_asked = Some(self.now());
        self.closing.keeping = None;
        self.account.save_asked();
        self.foretell();
        self.note();
        let reason = match self.closing.terminating {
            Some(_) => Reason::Termination,
            None => Reason::Outage,
        };
        let event = Event::Save {
            ticket,
            place,
            reason,
        };
        self.shared.events.push(event);
    }

    /// The policy, or SIGTERM, wants Blender to close.
    pub(super) fn want_quit(&mut self) {
        if self.closing.end == End::No {
            self.closing.end = End::Wanted;
        }
        self.proceed();
    }

    /// The main thread has claimed a ticket.
    pub(super) fn claimed(&mut self, ticket: u64) {
        match self.shared.tickets.claimed(ticket) {
            Some(Task::Save(_)) => {
                self.account.save_begins(self.now());
                self.note();
            }
            Some(Task::Quit) if !self.closing.is_final() => {
                let outcome = match self.closing.terminating {
                    Some(_) => Outcome::Terminated,
                    None => Outcome::Quit,
                };
                self.write_down(outcome, None);
            }
            _ => {}
        }
    }

    /// A rung of the main thread's ladder begins.
    pub(super) fn saving(&mut self, ticket: u64, path: PathBuf) {
        let now = self.now();
        if matches!(self.shared.tickets.claimed(ticket), Some(Task::Save(_)))
            || self.closing.late.is_some_and(|(late, _)| late == ticket)
        {
            self.shared.snapshot().begin_save(path, now);
        }
    }

    /// The file has changed since the save: another save before the quit.
    pub(super) fn save_first(&mut self, ticket: u64) {
        if self.closing.is_final() || !self.shared.tickets.take_back(ticket, Task::Quit) {
            return;
        }
        self.closing.end = End::Wanted;
        self.closing.outdated = true;
        self.closing.saved_first += 1;
        if self.closing.saved_first <= SAVED_FIRST {
            let message = "The file has changed since the save: it is saved again";
            let line = LogLine::info("saved-again", message);
            self.say(line.with("times", self.closing.saved_first));
            self.ask_to_save(Place::InPlace);
        } else {
            self.ask_to_quit();
        }
    }

    /// The main thread has answered.
    pub(super) fn saved(&mut self, ticket: u64, outcome: SaveOutcome) {
        let now = self.now();
        self.shared.snapshot().save = None;
        if let Ok(saved) = &outcome {
            (self.closing.copied, self.closing.outdated) = (saved.recovery, false);
            self.shared.snapshot().last_save = Some(LastSave::new(saved));
        }
        let Some(Task::Save(place)) = self.shared.tickets.settle(ticket) else {
            return self.saved_late(ticket, outcome);
        };
        self.closing.save_asked = None;
        self.account.save_ends(place, &outcome, &self.settings, now);
        self.guard.save_answered(outcome.is_ok(), now);
        match &outcome {
            Ok(saved) => self.begin_keeping(saved),
            Err(_) => self.retry_later(now),
        }
        self.note();
        let failed = outcome.is_err();
        if self.closing.is_out_of_hand() || matches!(self.state.phase, Phase::Quitting(_)) {
            self.proceed();
        } else {
            let answer = outcome.map(drop).map_err(|reasons| reasons.join("; "));
            self.decide(Call::OnSaved(answer));
        }
        if failed && self.shared.tickets.open().is_none() {
            self.tell_failing(); // no other place is tried at once
        }
    }

    /// A save that was withdrawn while it ran.
    fn saved_late(&mut self, ticket: u64, outcome: SaveOutcome) {
        let message = "A save has ended that was no longer needed: Blender stays open";
        let line = LogLine::info("save-not-needed", message);
        self.say(line.with("ok", outcome.is_ok()));
        let Some((_, place)) = self.closing.late.take_if(|(late, _)| *late == ticket) else {
            return;
        };
        let now = self.now();
        self.account.save_ends(place, &outcome, &self.settings, now);
        if let Ok(Saved {
            digest: Some(digest),
            ..
        }) = &outcome
        {
            self.account.digested(digest);
        }
        if self.guard.is_connected() {
            self.end_outage(Outcome::Recovered);
            self.ask_pending();
        } else {
            self.note();
        }
    }

    fn retry_later(&mut self, now: u64) {
        let delay = RETRY
            .checked_shl(self.closing.retries)
            .unwrap_or(RETRY_MAX)
            .min(RETRY_MAX);
        self.closing.retries = self.closing.retries.saturating_add(1);
        self.closing.retry_at = Some(now.saturating_add(delay));
    }

    fn begin_keeping(&mut self, saved: &Saved) {
        self.closing.retry_at = None;
        self.closing.digested_at = None;
        self.shared.snapshot().upload = None;
        self.closing.keeps += 1;
        let id = self.closing.keeps;
        let order = Order {
            id,
            path: saved.path.clone(),
            digest: saved.digest.clone(),
            url: self.upload_url(),
            timeout: Duration::from_millis(self.settings.bounds.upload),
        };
        self.closing.keeping_since = self.now();
        let keeping = self.effects.keep(order, self.keep_sink.clone());
        self.closing.keeping = Some((id, keeping));
    }

    fn upload_url(&self) -> Option<Secret> {
        let last = self.closing.saved_first >= SAVED_FIRST;
        self.settings.save_url.clone().filter(|_| !last)
    }

    /// How the file fares that was saved last.
    pub(super) fn kept(&mut self, id: u64, event: KeepEvent) {
        if self
            .closing
            .keeping
            .as_ref()
            .is_none_or(|(it, _)| *it != id)
        {
            return; // of an earlier save
        }
        match event {
            KeepEvent::Digested(digest) => self.digested(&digest),
            KeepEvent::Unreadable(reason) => self.unreadable(&reason),
            KeepEvent::Progress(progress) => {
                self.shared.snapshot().upload = Some(UploadStatus::running(progress));
            }
            KeepEvent::Uploaded(uploaded) => self.uploaded(&uploaded),
        }
    }

    fn unreadable(&mut self, reason: &str) {
        self.closing.keeping = None;
        let now = self.now();
        let message = format!("The saved file cannot be read back: {reason}");
        self.say(LogLine::error("save-unreadable", message).with("reason", reason));
        self.account.unreadable(&self.settings.redact(reason));
        // Of a save that has got old meanwhile it is no news.
        if self.guard.is_safe() {
            self.guard.save_answered(false, now);
            self.retry_later(now);
            self.tell_failing();
        }
        self.note();
        self.proceed();
    }

    fn digested(&mut self, digest: &Digest) {
        self.closing.digested_at = Some(self.now());
        self.closing.retries = 0;
        self.guard.save_read_back();
        self.account.digested(digest);
        if let Some(last) = &mut self.shared.snapshot().last_save {
            last.bytes = Some(digest.bytes);
            last.sha256 = Some(digest.sha256.clone());
        }
        self.note();
        self.tell_saved();
        if self.upload_url().is_none() {
            self.closing.keeping = None;
        } else {
            let message = format!("Uploading the saved file ({} bytes)", digest.bytes);
            self.say(LogLine::info("upload-begun", message).with("bytes", digest.bytes));
        }
        self.proceed();
    }

    fn uploaded(&mut self, uploaded: &Uploaded) {
        self.closing.keeping = None;
        self.account.uploaded(uploaded);
        self.shared.snapshot().upload = Some(UploadStatus::ended(uploaded));
        let line = match &uploaded.error {
            None => LogLine::info("uploaded", format!("Uploaded in {:.1} s", uploaded.seconds)),
            Some(error) => {
                let error = self.settings.redact(&error.to_string());
                let message = format!("The saved file stays on this machine: {error}");
                LogLine::error("upload-failed", message).with("error", error)
            }
        };
        self.say(
            line.with("seconds", uploaded.seconds)
                .with("bytes", uploaded.bytes)
                .with("attempts", uploaded.attempts),
        );
        self.note();
        self.proceed();
    }

    /// Does what the end still needs, if it is time. Called whenever something of it has changed.
    pub(super) fn proceed(&mut self) {
        let now = self.now();
        if self.stuck_from().is_some_and(|at| now >= at) {
            let safe = self.may_end_it();
            let message = if safe {
                "Blender is too busy to close: it is ended, its work is safe"
            } else {
                "Blender is too busy to save: it is ended with its work unsaved"
            };
            self.say(LogLine::error("blender-ended", message).with("safe", safe));
            return self.end_without(if safe { EXIT_SAFE } else { EXIT_UNSAFE });
        }
        match self.closing.end {
            End::Wanted => self.proceed_to_quit(now),
            End::Asked { since } if self.may_end_it() && now >= self.claim_bound(since) => {
                let message = "Blender does not close: it is ended, its work is safe";
                self.say(LogLine::error("blender-ended", message).with("safe", true));
                self.end_without(EXIT_SAFE);
            }
            End::Writing { since, .. } if now >= since.saturating_add(WRITE) => {
                let message = "The journal does not answer: Blender closes without it";
                self.say(LogLine::error("journal-silent", message));
                self.written();
            }
            _ => {}
        }
        if self.closing.terminating.is_some() {
            self.publish();
        }
    }

    fn proceed_to_quit(&mut self, now: u64) {
        if self.shared.tickets.open().is_some() {
            return; // a save
        }
        if self.guard.is_safe() && self.closing.keeping.is_some() {
            if now < self.keep_bound() {
                return;
            }
            if self.closing.digested_at.is_none() && self.closing.terminating.is_none() {
                return self.unreadable("reading it does not come to an end");
            }
            self.closing.keeping = None;
            self.cut_upload_off(now);
        }
        if self.guard.quit_from().is_some_and(|from| now >= from) {
            self.ask_to_quit();
        } else if !self.guard.is_safe() && self.closing.retry_at.is_some_and(|at| now >= at) {
            self.closing.retry_at = None;
            self.ask_to_save(Place::InPlace);
        }
    }

    /// The upload is not waited for any longer, if there is one.
    fn cut_upload_off(&mut self, now: u64) {
        if self.upload_url().is_none() || self.closing.digested_at.is_none() {
            return;
        }
        let mut upload = self.shared.snapshot().upload.clone().unwrap_or_default();
        let seconds = as_seconds(now.saturating_sub(self.closing.keeping_since));
        let why = "cut off: it has not come to an end in time";
        self.account
            .upload_cut_off(upload.total, upload.attempt, seconds, why);
        upload.state = "failed";
        upload.error = Some(why.into());
        self.shared.snapshot().upload = Some(upload);
    }

    /// Until when the read-back and the upload are waited for.
    fn keep_bound(&self) -> u64 {
        let bound = match self.closing.digested_at {
            None => self.closing.keeping_since.saturating_add(DIGEST),
            Some(at) => at
                .saturating_add(self.settings.bounds.upload)
                .saturating_add(UPLOAD_GRACE),
        };
        match self.closing.terminating {
            Some(it) => bound.min(it.upload_until),
            None => bound,
        }
    }

    fn ask_to_quit(&mut self) {
        self.closing.end = End::Asked { since: self.now() };
        let ticket = self.shared.tickets.issue(Task::Quit);
        self.shared.events.push(Event::Quit { ticket });
    }

    /// When something of the end is due next.
    pub(super) fn alarm(&self) -> Option<u64> {
        let stuck = self.stuck_from();
        let end = match self.closing.end {
            End::Wanted if self.shared.tickets.open().is_some() => None,
            End::Wanted if self.guard.is_safe() && self.closing.keeping.is_some() => {
                Some(self.keep_bound())
            }
            End::Wanted => match (self.guard.quit_from(), self.closing.retry_at) {
                (Some(quit), Some(retry)) => Some(quit.min(retry)),
                (quit, retry) => quit.or(retry),
            },
            End::Asked { since } => self.may_end_it().then(|| self.claim_bound(since)),
            End::Writing { since, .. } => Some(since.saturating_add(WRITE)),
            End::No | End::Told => None,
        };
        match (stuck, end) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// The work is safe, as far as anybody knows.
    fn may_end_it(&self) -> bool {
        let unchanged = self.closing.copied || self.scene.is_none_or(|scene| !scene.modified);
        self.guard.is_safe() && unchanged && !self.closing.outdated
    }

    /// When a main thread that begins nothing is waited for no longer, whatever becomes of its work.
    fn stuck_from(&self) -> Option<u64> {
        let bound = self.settings.bounds.stuck;
        if bound == 0 || self.closing.is_final() || self.shared.tickets.is_claimed() {
            return None;
        }
        let since = match (self.shared.tickets.open()?, self.closing.end) {
            (Task::Save(_), _) => self.closing.save_asked?,
            (Task::Quit, End::Asked { since }) => since,
            (Task::Quit, _) => return None,
        };
        Some(since.saturating_add(bound))
    }

    /// The main thread has this long to claim the quit.
    fn claim_bound(&self, since: u64) -> u64 {
        let bound = self.quit_bound(since);
        if self.closing.terminating.is_some() || self.shared.polled_since(since) {
            return bound;
        }
        since.saturating_add(self.settings.bounds.quit.saturating_mul(AT_WORK))
    }

    /// Blender has this long to close.
    fn quit_bound(&self, since: u64) -> u64 {
        let bound = since.saturating_add(self.settings.bounds.quit);
        match self.closing.terminating {
            Some(Terminating { until, .. }) => {
                bound.min(until.max(since.saturating_add(LAST_MOMENT)))
            }
            None => bound,
        }
    }

    /// The process is ended, and Blender not asked any more.
    fn end_without(&mut self, code: i32) {
        // Begun by the main thread in this very moment: then it is not stuck after all.
        if self.shared.tickets.withdraw_unclaimed() {
            self.write_down(Outcome::EndedByHost, Some(code));
        }
    }

    /// From here on no server can come back.
    fn write_down(&mut self, outcome: Outcome, end_with: Option<i32>) {
        self.connection = None;
        self.wake_at = None;
        self.undecided.clear();
        let since = self.now();
        self.closing.end = End::Writing { since, end_with };
        let attempts = self.attempts_of_outage();
        self.account.stand(attempts, self.judge.identity());
        self.tell_end(outcome);
        match self.account.end(outcome, since) {
            Some(entry) => {
                self.last_entry = Some(entry.clone());
                self.shared.snapshot().remember(entry.clone());
                self.scribe.finish(entry);
            }
            None => self.written(),
        }
    }

    /// The outage stands in the journal, or cannot.
    fn written(&mut self) {
        let End::Writing { end_with, .. } = self.closing.end else {
            return;
        };
        self.closing.end = End::Told;
        let safe = self.guard.is_safe();
        if let Some(code) = end_with {
            // Not before: to Blender a line that has ended is one to be made anew.
            let shared = Arc::clone(&self.shared);
            return self
                .effects
                .end_process(code, Box::new(move || shared.finish()));
        }
        self.shared.ends_well.store(safe, Ordering::Relaxed);
        self.shared.told.store(true, Ordering::Relaxed);
        let now = self.now();
        let after = self.quit_bound(now).saturating_sub(now);
        // Nor longer than leaves Blender time to close.
        let notify_until = now.saturating_add(as_millis(NOTIFY).min(after / 2));
        self.shared
            .notify_until
            .store(notify_until, Ordering::Relaxed);
        self.effects.watch(Watch {
            after: Duration::from_millis(after),
            code: if safe { EXIT_SAFE } else { EXIT_UNSAFE },
            entry: self.last_entry.clone(),
            journal: self.settings.journal.clone(),
            called_off: self.shared.watch_called_off.clone(),
            shared: self.shared.clone(),
        });
        self.shared.events.push(Event::Close);
    }

    /// What the journal has to say.
    pub(super) fn news(&mut self, news: News) {
        match news {
            News::Written(id) => {
                if self.last_entry.as_ref().is_some_and(|it| it.id == id) {
                    self.written();
                }
            }
            News::NotWritten(id, error) => {
                self.journal_trouble(&error.to_string());
                if self.last_entry.as_ref().is_some_and(|it| it.id == id) {
                    self.written();
                }
            }
            News::Flushed => {} // asked for when the line is closed
            News::Trouble(error) => self.journal_trouble(&error.to_string()),
            News::Adopted(number) => {
                self.shared.metrics.interrupted(number);
                let message = format!(
                    "{number} earlier outage(s) ended with a process that died: written down"
                );
                self.say(LogLine::info("outages-adopted", message).with("number", number));
            }
            News::Pending(entries) => self.report(&entries),
            News::Last(entry) => {
                // One of this process is newer.
                self.shared
                    .snapshot()
                    .last_outage
                    .get_or_insert_with(|| Arc::new(*entry));
            }
        }
    }

    fn journal_trouble(&self, error: &str) {
        self.shared.metrics.journal_failed();
        let known = self
            .shared
            .snapshot()
            .journal_error
            .replace(error.to_string());
        // The same trouble comes with each line.
        if known.as_deref() != Some(error) {
            self.say(LogLine::error("journal-not-written", error).with("error", error));
        }
    }

    /// SIGTERM: the machine is taken away. The server is given up, the policy not asked any more.
    pub(super) fn terminate(&mut self) {
        if self.closing.is_out_of_hand() {
            return;
        }
        let now = self.now();
        let bound = self.settings.bounds.terminate;
        let closing = CLOSING.min(bound / 2);
        self.closing.terminating = Some(Terminating {
            upload_until: now.saturating_add(bound - closing),
            until: now.saturating_add(bound),
        });
        let seconds = as_seconds(bound);
        let message = format!("SIGTERM: saving and closing; {seconds} s for upload and closing");
        self.say(LogLine::warning("sigterm", message).with("seconds", seconds));
        if self.guard.is_connected() {
            self.finish_late();
        } else {
            self.closing.late = None;
        }
        self.shared.terminating.store(true, Ordering::Relaxed);
        let cause = Cause {
            kind: Kind::Termination,
            why: "sigterm",
            detail: None,
        };
        self.account.begin(&self.settings, &cause, now);
        self.tell_warning(0.0);
        self.guard.give_up(now);
        self.connection = None;
        self.wake_at = None;
        self.undecided.clear();
        if self.closing.end == End::No {
            self.closing.end = End::Wanted;
            if self.shared.tickets.open().is_none() {
                self.ask_to_save(Place::InPlace);
            }
        }
        self.note();
        self.proceed();
        self.publish();
    }

    /// The plan has changed: no save, no quit. A save that runs goes on.
    pub(super) fn withdraw(&mut self, why: &str) {
        let waiting = std::mem::take(&mut self.closing.end) != End::No;
        self.closing.keeping = None;
        self.shared.snapshot().upload = None;
        self.closing.save_asked = None;
        self.closing.retry_at = None;
        self.closing.retries = 0;
        self.closing.saved_first = 0;
        self.closing.outdated = false;
        let what = match self.shared.tickets.withdraw() {
            Some((ticket, Task::Save(place), true)) => {
                self.closing.late = Some((ticket, place));
                "the save that is running ends, and Blender stays open"
            }
            Some((_, Task::Save(_), false)) => {
                self.account.save_withdrawn();
                "nothing is saved, and Blender stays open"
            }
            Some((_, Task::Quit, _)) => "Blender stays open",
            None if waiting => "Blender stays open",
            None => return,
        };
        let line = LogLine::info("clean-up-withdrawn", format!("{why}: {what}"));
        self.say(line.with("reason", why));
    }

    /// The server is back: the outage is written down, unless a save still runs.
    pub(super) fn outage_is_over(&mut self) {
        if self.closing.late.is_none() {
            self.end_outage(Outcome::Recovered);
        }
    }

    /// An outage that waited for a save to end is not kept open over the next one.
    pub(super) fn finish_late(&mut self) {
        if self.closing.late.take().is_some() {
            self.end_outage(Outcome::Recovered);
        }
    }

    /// Writes the outage down, if there is one.
    pub(super) fn end_outage(&mut self, outcome: Outcome) {
        let now = self.now();
        self.account.stand(None, self.judge.identity());
        if let Some(entry) = self.account.end(outcome, now) {
            self.shared.snapshot().remember(entry.clone());
            self.scribe.finish(entry);
        }
    }

    /// Writes down how the outage stands.
    pub(super) fn note(&mut self) {
        let attempts = self.attempts_of_outage();
        self.account.stand(attempts, self.judge.identity());
        if let Some(entry) = self.account.so_far() {
            self.scribe.note(entry);
        }
    }
}
