//! Tells people, and the server while it can be reached, what becomes of an outage.
//!
//! Not one word per attempt, and none of an outage that ends within the first attempts.

use super::run::Driver;
use crate::journal::Entry;
use crate::journal::entry::utc_now;
use crate::notify::{About, Notification, Outcome, SCHEMA, Seconds, Work};
use lifeline_core::{Safe, as_seconds};

/// What the server is sent: Blender saves and closes; it does not.
const IMMINENT: &str = "cleanup_imminent";
const CANCELLED: &str = "cleanup_cancelled";
/// A policy that warns more often than this in one outage is not listened to any more.
const WARNINGS: u32 = 50;

/// What was told of the present outage.
#[derive(Default)]
pub(super) struct Notifications {
    /// Whose news this is.
    outage: String,
    sequence: u32,
    warnings: u32,
    /// A clean-up was foretold, or has begun.
    foretold: bool,
    /// It was not called off since.
    pending: bool,
    /// The server is back since, and that was told.
    recovered: bool,
    /// The last save was told of.
    saved: bool,
    /// Nothing was saved since it was told that nothing could be.
    failing: bool,
}

impl Notifications {
    /// The next number.
    fn next(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }
}

impl Driver {
    /// The policy counts down, or SIGTERM has come. `seconds`: until the save.
    pub(super) fn tell_warning(&mut self, seconds: f64) {
        let Some(it) = self.notification(About::Warn, Some(seconds), None) else {
            return;
        };
        self.foretell();
        if self.core.is_terminating() {
            self.tell_server(IMMINENT, &it);
        }
        self.notifications.warnings += 1;
        if self.notifications.warnings <= WARNINGS || self.core.is_terminating() {
            self.effects.notify(it);
        }
    }

    /// A save is asked for, whether it was warned of or not.
    pub(super) fn foretell(&mut self) {
        self.begin_news();
        self.notifications.foretold = true;
        self.notifications.pending = true;
        self.notifications.recovered = false;
        self.notifications.saved = false;
    }

    /// It was told that Blender saves and closes, and that has not been called off.
    pub(super) fn is_foretold(&mut self) -> bool {
        self.begin_news();
        self.notifications.pending
    }

    /// The server is back; told once, unless something was foretold since.
    pub(super) fn tell_recovered(&mut self) {
        self.begin_news();
        if !std::mem::replace(&mut self.notifications.recovered, true) {
            self.tell_cancelled(Outcome::Recovered);
        }
    }

    /// Blender stays, or ends without a clean-up. Before the outage is written down.
    pub(super) fn tell_cancelled(&mut self, outcome: Outcome) {
        self.begin_news();
        if !self.notifications.foretold {
            return;
        }
        let Some(it) = self.notification(About::Cancelled, None, Some(outcome)) else {
            return;
        };
        if outcome == Outcome::Recovered {
            self.tell_server(CANCELLED, &it);
        }
        if std::mem::take(&mut self.notifications.pending) {
            self.effects.notify(it);
        }
    }

    /// The file was verified.
    pub(super) fn tell_saved(&mut self) {
        let Some(it) = self.notification(About::Saved, None, None) else {
            return;
        };
        self.notifications.saved = true;
        self.notifications.failing = false;
        self.effects.notify(it);
    }

    /// Nothing is saved; told once, until something is.
    pub(super) fn tell_failing(&mut self) {
        self.begin_news();
        if self.notifications.failing {
            return;
        }
        self.notifications.failing = true;
        self.tell_failed(Outcome::Retrying);
    }

    /// Blender closes. Before the outage is written down.
    pub(super) fn tell_end(&mut self, outcome: lifeline_core::Outcome) {
        self.begin_news();
        if self.core.counts() {
            if !self.notifications.saved {
                self.tell_saved(); // not verified: there was no time
            }
            return;
        }
        self.tell_failed(match outcome {
            lifeline_core::Outcome::Terminated => Outcome::Terminated,
            lifeline_core::Outcome::EndedByHost => Outcome::EndedByHost,
            _ => Outcome::Quit,
        });
    }

    fn tell_failed(&mut self, outcome: Outcome) {
        if let Some(it) = self.notification(About::Failed, None, Some(outcome)) {
            self.effects.notify(it);
        }
    }

    /// Another outage is another story.
    fn begin_news(&mut self) {
        if let Some(entry) = self.record.entry()
            && entry.id != self.notifications.outage
        {
            self.notifications = Notifications {
                outage: entry.id.clone(),
                ..Notifications::default()
            };
        }
    }

    /// As of now; None outside an outage.
    fn notification(
        &mut self,
        event: About,
        left: Option<f64>,
        outcome: Option<Outcome>,
    ) -> Option<Notification> {
        self.begin_news();
        let attempts = self.core.attempts();
        self.record.stand(attempts, self.deciding.identity());
        let now = self.now();
        let outage = as_seconds(now.saturating_sub(self.record.begun()));
        let entry = self.record.entry()?;
        let it = Notification {
            schema: SCHEMA,
            event,
            text: String::new(),
            id: entry.id.clone(),
            sequence: self.notifications.next(),
            at: utc_now(),
            username: entry.username.clone(),
            server: entry.server.clone(),
            pid: entry.pid,
            version: entry.version.clone(),
            policy: entry.policy.clone(),
            file: Some(self.path.clone()).filter(|path| !path.is_empty()),
            reason: if self.core.is_terminating() {
                "sigterm".into()
            } else {
                entry.why.clone()
            },
            seconds: Seconds { left, outage },
            refusal: entry.refusal.clone(),
            outcome,
            save: work(entry),
            safe: entry.safe.map(Safe::name),
            failures: failures(entry),
        };
        Some(it.with_text())
    }
}

/// Of the last save, and of its upload.
fn failures(entry: &Entry) -> Vec<String> {
    let saved = entry.saves.last().map(|save| save.failures.clone());
    let upload = entry
        .upload
        .as_ref()
        .and_then(|upload| upload.error.clone());
    saved.into_iter().flatten().chain(upload).collect()
}

/// Where the last save is, if it is anywhere.
fn work(entry: &Entry) -> Option<Work> {
    let last = entry.saves.last().filter(|save| save.ok)?;
    Some(Work {
        path: last.path.clone()?,
        recovery: last.recovery,
        bytes: last.bytes,
        sha256: last.sha256.clone(),
    })
}
