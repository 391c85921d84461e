//! What the core tells goes to whom it concerns: the log and the main thread, the journal, people and
//! the server, metrics, the status.

use super::record::Cause;
use super::run::Driver;
use crate::contract::{ConnectError, Request};
use crate::event::{Event, LogLine};
use crate::journal::{Entry, Kind, PolicyNews};
use crate::link::Failure;
use crate::notify;
use crate::reload::Order;
use crate::status::{LastSave, UploadStatus};
use lifeline_core::{
    Digest, Failure as PolicyFailure, Ignored, Origin, Outcome, Safe, SaveOutcome, Telling,
    Uploaded, Why, Withdrawn, Work, as_seconds,
};

impl Driver {
    pub(super) fn tell(&mut self, telling: Telling) {
        let trouble = telling
            .trouble(self.deciding.identity())
            .unwrap_or_default();
        match telling {
            Telling::Connecting => {
                let server = self.server();
                let line = LogLine::info("connecting", format!("Connecting to {server}"));
                self.say(line.with("server", server));
            }
            Telling::Attempt(number) => self.tell_attempt(number),
            Telling::TryNow(ignored) => self.tell_try_now(ignored),
            Telling::Connected { outage, again } => self.tell_connected(outage, again),
            Telling::AttemptFailed {
                number,
                why,
                detail,
                asked,
            } => {
                self.tell_attempt_failed(number, why, detail, asked);
            }
            Telling::Lost { reason, detail, at } => self.tell_lost(reason, &detail, at),
            Telling::Terminating(bound) => self.tell_terminating(bound),
            Telling::Countdown { attempts, left } => self.tell_countdown(attempts, left, false),
            Telling::CountdownGoesOn { attempts, left } => {
                self.tell_countdown(attempts, left, true)
            }
            Telling::Warn(left) => {
                let seconds = as_seconds(left);
                self.shared.events.push(Event::Warn { seconds });
                self.tell_warning(seconds);
            }
            Telling::Held => {
                self.shared.events.push(Event::Held);
                self.tell_cancelled(notify::Outcome::Held);
            }
            Telling::Requested(request, by) => self.record.requested(&request, &by),
            Telling::RequestIgnored(request, ignored) => {
                self.tell_request_ignored(&request, ignored)
            }
            Telling::Rejected {
                call,
                failure,
                failures,
                disabled,
            } => self.tell_rejected(trouble, call, &failure, failures, disabled),
            Telling::BuiltInFailed(failure) => {
                let line = LogLine::error("built-in-policy-failed", trouble);
                self.say(line.with("reason", failure.to_string()));
            }
            Telling::Hurries => self.tell_hurries(),
            Telling::Work(work) => self.tell_work(work, trouble),
            Telling::Withdrawn(why, what) => self.tell_withdrawn(why, what),
            Telling::Ended { safe, .. } => {
                self.say(LogLine::error("blender-ended", trouble).with("safe", safe));
            }
            Telling::JournalSilent => self.say(LogLine::error("journal-silent", trouble)),
            Telling::Over(outcome) => self.tell_over(outcome),
        }
    }

    /// Of saves, and of the saved file.
    fn tell_work(&mut self, work: Work, trouble: String) {
        match work {
            Work::SaveAsked => {
                self.record.save_asked();
                self.foretell();
            }
            Work::SaveBegun => self.record.save_begins(self.now()),
            Work::Saving(path) => self.shared.snapshot().begin_save(path, self.now()),
            Work::SaveEnded {
                place,
                outcome,
                late,
            } => {
                self.tell_save_ended(&outcome, late);
                let now = self.now();
                self.record.save_ends(place, &outcome, &self.settings, now);
                if let Ok(digest) = outcome.map(|saved| saved.digest)
                    && let Some(digest) = digest.filter(|_| late)
                {
                    self.record.digested(&digest);
                }
            }
            Work::StraySaveEnded(outcome) => self.tell_save_ended(&outcome, true),
            Work::SavedAgain(times) => {
                let message = "The file has changed since the save: it is saved again";
                self.say(LogLine::info("saved-again", message).with("times", times));
            }
            Work::Verified(digest) => self.tell_verified(&digest),
            Work::Unreadable(reason) => {
                self.say(LogLine::error("save-unreadable", trouble).with("reason", &*reason));
                self.record.unreadable(&self.settings.redact(&reason));
            }
            Work::Uploading(digest) => {
                let message = format!("Uploading the saved file ({} bytes)", digest.bytes);
                self.say(LogLine::info("upload-begun", message).with("bytes", digest.bytes));
            }
            Work::Uploaded(uploaded) => self.tell_uploaded(uploaded),
            Work::UploadCutOff(took) => self.tell_upload_cut_off(took),
            Work::NotSaved => self.tell_failing(),
        }
    }

    /// `left`: milliseconds. `again`: it goes on, and whoever was warned of it need not be again.
    fn tell_countdown(&mut self, attempts: u32, left: u64, again: bool) {
        let seconds = as_seconds(left);
        let event = Event::Countdown { attempts, seconds };
        self.shared.events.push(event);
        self.record.counts_down();
        if !again || !self.is_foretold() {
            self.tell_warning(seconds);
        }
    }

    fn tell_over(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Closed => self.tell_cancelled(notify::Outcome::Closed),
            Outcome::Recovered => self.tell_recovered(),
            _ => {}
        }
        self.record.stand(None, self.deciding.identity());
        self.end_outage(outcome);
        if outcome == Outcome::Recovered {
            self.ask_pending();
        }
    }

    fn tell_hurries(&self) {
        let policy = self.deciding.identity();
        let message = format!(
            "Policy {policy} always asks to be woken at once: it is woken five times a second"
        );
        let line = LogLine::warning("policy-in-a-hurry", message);
        self.say(line.with("policy", policy.name.as_str()));
    }

    fn tell_attempt(&self, number: u32) {
        if number == 0 {
            return; // the first of all
        }
        let of = self.settings.timing.retry_attempts;
        // A policy may make more attempts than are set.
        let whole = if number <= of {
            format!(" of {of}")
        } else {
            String::new()
        };
        let message = format!("Reconnecting: attempt {number}{whole}");
        let line = LogLine::info("attempt", message);
        self.say(line.with("attempt", number).with("of", of));
    }

    fn tell_try_now(&self, ignored: Option<Ignored>) {
        let (event, message) = match ignored {
            None => ("try-now", "Trying to connect now"),
            Some(Ignored::Closing) => (
                "try-now-ignored",
                "Blender is closing: there is no server to try",
            ),
            Some(Ignored::Connected) => ("try-now-ignored", "The server is connected"),
            Some(Ignored::UnderWay) => ("try-now-ignored", "An attempt to connect is under way"),
        };
        self.say(LogLine::info(event, message));
    }

    fn tell_connected(&mut self, outage: Option<u64>, again: bool) {
        self.shared.metrics.attempted(Ok(()));
        {
            let mut snapshot = self.shared.snapshot();
            (snapshot.last_error, snapshot.refusal) = (None, None);
            snapshot.upload.take_if(|upload| upload.is_running());
            if outage.is_some() {
                snapshot.recoveries += 1;
            }
        }
        self.shared.events.push(Event::Connected);
        if let Some(outage) = outage {
            let seconds = as_seconds(outage);
            self.shared.events.push(Event::Recovered { seconds });
        }
        if !again {
            self.tell_recovered();
        }
        self.ask_pending();
    }

    fn tell_attempt_failed(
        &mut self,
        number: Option<u32>,
        why: ConnectError,
        detail: String,
        asked: bool,
    ) {
        self.shared.metrics.attempted(Err(why));
        let refusal = Failure::refusal(why, &detail);
        self.record.refused(refusal);
        let known = {
            let mut snapshot = self.shared.snapshot();
            snapshot.refusal = refusal.map(str::to_string);
            snapshot.last_error.replace(detail.clone())
        };
        if asked || known.as_ref() != Some(&detail) {
            let message = format!("Not connected: {detail}");
            let line = LogLine::info("attempt-failed", message);
            let line = line.with("attempt", number).with("why", why.name());
            self.say(line.with("detail", detail));
        }
    }

    fn tell_lost(&mut self, reason: &'static str, detail: &str, at: u64) {
        {
            let mut snapshot = self.shared.snapshot();
            snapshot.outages += 1;
            snapshot.reason = Some(reason);
            snapshot.last_error = Some(detail.to_string());
            snapshot.refusal = None;
        }
        self.shared.events.push(Event::Lost { reason });
        let line = LogLine::info("not-connected", format!("Not connected: {detail}"));
        self.say(line.with("reason", reason).with("detail", detail));
        let cause = Cause {
            kind: Kind::Outage,
            why: reason,
            detail: Some(detail),
        };
        self.record.begin(&self.settings, &cause, at);
    }

    fn tell_terminating(&mut self, bound: u64) {
        let seconds = as_seconds(bound);
        let message = format!("SIGTERM: saving and closing; {seconds} s for upload and closing");
        self.say(LogLine::warning("sigterm", message).with("seconds", seconds));
        let cause = Cause {
            kind: Kind::Termination,
            why: "sigterm",
            detail: None,
        };
        let now = self.now();
        self.record.begin(&self.settings, &cause, now);
        self.tell_warning(0.0);
    }

    fn tell_request_ignored(&self, request: &Request, ignored: Ignored) {
        let why = match ignored {
            Ignored::Closing => "Blender is closing",
            Ignored::Connected | Ignored::UnderWay => "The server is connected",
        };
        let message = format!("{why}: there is no countdown to change");
        let line = LogLine::info("request-ignored", message);
        self.say(line.with("request", request.name()));
    }

    fn tell_rejected(
        &mut self,
        trouble: String,
        call: &str,
        failure: &PolicyFailure,
        failures: u32,
        disabled: bool,
    ) {
        let reason = format!("{call}: {failure}");
        let event = if disabled {
            "policy-set-aside"
        } else {
            "policy-overruled"
        };
        let policy = self.deciding.identity();
        let line = LogLine::error(event, trouble)
            .with("policy", policy.name.as_str())
            .with("reason", reason.as_str())
            .with("failures", failures);
        self.say(line);
        self.shared.metrics.policy_failed();
        let news = if disabled {
            PolicyNews::Disabled
        } else {
            PolicyNews::Rejected
        };
        self.policy_line(news, Some(&reason), None);
        self.deciding.failed(reason);
        if disabled && self.deciding.kind() == Origin::Server {
            // It would fail again.
            let sha256 = self.deciding.identity().sha256.clone();
            self.sources.order(Order::Forget(sha256));
        }
    }

    fn tell_save_ended(&self, outcome: &SaveOutcome, late: bool) {
        {
            let mut snapshot = self.shared.snapshot();
            snapshot.save = None;
            if let Ok(saved) = outcome {
                snapshot.last_save = Some(LastSave::new(saved));
            }
        }
        if late {
            let message = "A save has ended that was no longer needed: Blender stays open";
            let line = LogLine::info("save-not-needed", message);
            self.say(line.with("ok", outcome.is_ok()));
        }
    }

    fn tell_verified(&mut self, digest: &Digest) {
        self.record.digested(digest);
        if let Some(last) = &mut self.shared.snapshot().last_save {
            last.bytes = Some(digest.bytes);
            last.sha256 = Some(digest.sha256.clone());
        }
        if self.settings.safe == Safe::Local {
            self.tell_saved();
        }
    }

    fn tell_uploaded(&mut self, mut uploaded: Uploaded) {
        // A store may repeat what it was sent.
        uploaded.error = uploaded.error.map(|error| self.settings.redact(&error));
        self.record.uploaded(&uploaded);
        self.shared.snapshot().upload = Some(UploadStatus::ended(&uploaded));
        if self.settings.safe == Safe::Uploaded && uploaded.error.is_none() {
            self.tell_saved();
        }
        let line = match &uploaded.error {
            None => LogLine::info("uploaded", format!("Uploaded in {:.1} s", uploaded.seconds)),
            Some(error) => {
                let message = format!("The saved file stays on this machine: {error}");
                LogLine::error("upload-failed", message).with("error", error.clone())
            }
        };
        self.say(
            line.with("seconds", uploaded.seconds)
                .with("bytes", uploaded.bytes)
                .with("attempts", uploaded.attempts),
        );
    }

    /// `took`: milliseconds.
    fn tell_upload_cut_off(&mut self, took: u64) {
        let progress = self.shared.snapshot().upload.clone().unwrap_or_default();
        let uploaded = Uploaded {
            bytes: progress.total,
            attempts: progress.attempt,
            seconds: as_seconds(took),
            error: Some("cut off: it has not come to an end in time".into()),
            multipart: None,
        };
        self.record.uploaded(&uploaded);
        self.shared.snapshot().upload = Some(UploadStatus {
            sent: progress.sent,
            ..UploadStatus::ended(&uploaded)
        });
    }

    fn tell_withdrawn(&mut self, why: Why, what: Withdrawn) {
        self.shared.snapshot().upload = None;
        let why = match why {
            Why::Back => "The server is back",
            Why::Held => "A person keeps Blender open",
            Why::Policy => "The plan has changed",
        };
        let what = match what {
            Withdrawn::RunningSave => "the save that is running ends, and Blender stays open",
            Withdrawn::Save => {
                self.record.save_withdrawn();
                "nothing is saved, and Blender stays open"
            }
            Withdrawn::Quit => "Blender stays open",
        };
        let line = LogLine::info("clean-up-withdrawn", format!("{why}: {what}"));
        self.say(line.with("reason", why));
    }

    /// Writes the outage down, if there is one.
    pub(super) fn end_outage(&mut self, outcome: Outcome) -> Option<Entry> {
        let entry = self.record.end(outcome.into(), self.now())?;
        self.shared.snapshot().remember(entry.clone());
        self.journal.finish(entry.clone());
        Some(entry)
    }
}
