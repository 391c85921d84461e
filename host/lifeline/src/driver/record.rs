//! What the journal will say of the present outage.

use crate::contract::{Place, Request};
use crate::journal::entry::{PolicyName, SCHEMA, utc_now};
use crate::journal::{Entry, Kind, Multipart, Outcome, Requested, Save, Seconds, Upload};
use crate::metrics::Metrics;
use crate::settings::Settings;
use lifeline_core::{Digest, Safe, SaveOutcome, Uploaded, as_seconds};
use lifeline_sandbox::Identity;
use std::path::Path;
use std::sync::Arc;

/// An outage in which saving fails for hours has this many saves in the journal.
const SAVES_MAX: usize = 40;

/// Keeps the entry from the loss to the end, and counts what it says.
pub(super) struct OutageRecord {
    metrics: Arc<Metrics>,
    entry: Option<Entry>,
    /// It has changed since it was written down last.
    changed: bool,
    /// Of the driver's clock, milliseconds.
    begun: u64,
    save_began: Option<(u64, String)>,
}

/// How a connection was lost, for the entry.
pub(super) struct Cause<'a> {
    pub kind: Kind,
    pub why: &'a str,
    pub detail: Option<&'a str>,
}

impl OutageRecord {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        OutageRecord {
            metrics,
            entry: None,
            changed: false,
            begun: 0,
            save_began: None,
        }
    }

    /// An outage begins, unless one lasts already.
    pub fn begin(&mut self, settings: &Settings, cause: &Cause<'_>, now: u64) {
        if self.entry.is_some() {
            return;
        }
        let mut id = [0; 16];
        // Without random bits the process and the time have to do.
        if getrandom::fill(&mut id).is_err() {
            id[..8].copy_from_slice(&now.to_be_bytes());
            id[8..12].copy_from_slice(&std::process::id().to_be_bytes());
        }
        let lost = matches!(cause.kind, Kind::Outage).then(utc_now);
        self.changed = true;
        self.begun = now;
        self.save_began = None;
        self.entry = Some(Entry {
            schema: SCHEMA,
            kind: cause.kind,
            id: hex::encode(id),
            username: settings.username.clone(),
            server: settings
                .server
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            policy: PolicyName::default(),
            lost_at: lost,
            why: cause.why.into(),
            detail: cause.detail.map(|detail| settings.redact(detail)),
            refusal: None,
            attempts: 0,
            countdown_at: None,
            early_copy: None,
            requests: Vec::new(),
            saves: Vec::new(),
            upload: None,
            outcome: Outcome::Interrupted,
            safe: None,
            wanted: settings.safe,
            ended_at: None,
            seconds: Seconds::default(),
        });
    }

    /// How it stands.
    pub fn entry(&self) -> Option<&Entry> {
        self.entry.as_ref()
    }

    /// When the last outage began: milliseconds of the driver's clock.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// How it stands, if that has changed since the last time.
    pub fn news(&mut self) -> Option<Entry> {
        let changed = std::mem::take(&mut self.changed);
        self.entry.as_ref().filter(|_| changed).cloned()
    }

    /// To be changed.
    fn change(&mut self) -> Option<&mut Entry> {
        self.changed = true;
        self.entry.as_mut()
    }

    /// Attempts, and who decides.
    pub fn stand(&mut self, attempts: Option<u32>, policy: &Identity) {
        let Some(entry) = &mut self.entry else { return };
        if let Some(attempts) = attempts {
            entry.attempts = entry.attempts.max(attempts);
        }
        let policy = PolicyName::from(policy);
        if entry.policy != policy {
            entry.policy = policy;
            self.changed = true;
        }
    }

    /// The last attempt was refused, in the server's words; None: it has failed in another way.
    pub fn refused(&mut self, refusal: Option<&str>) {
        let Some(entry) = &mut self.entry else { return };
        if entry.refusal.as_deref() != refusal {
            entry.refusal = refusal.map(str::to_string);
            self.changed = true;
        }
    }

    /// A countdown begins.
    pub fn counts_down(&mut self) {
        if let Some(entry) = self.change() {
            entry.countdown_at.get_or_insert_with(utc_now);
        }
    }

    /// A copy was made in case Blender does not live to save; None: it is not needed any more.
    pub fn copied_early(&mut self, path: Option<&Path>) {
        if let Some(entry) = self.change() {
            entry.early_copy = path.map(|path| path.to_string_lossy().into_owned());
        }
    }

    /// Somebody asks for something.
    pub fn requested(&mut self, request: &Request, by: &str) {
        let Some(entry) = self.change() else { return };
        let seconds = match request {
            Request::Extend(by) => Some(as_seconds(*by)),
            Request::Hold | Request::Release | Request::CloseNow => None,
        };
        entry.requests.push(Requested {
            at: utc_now(),
            request: request.name().into(),
            seconds,
            by: by.into(),
        });
    }

    /// Blender is asked to save: until it answers, nothing is safe.
    pub fn save_asked(&mut self) {
        if let Some(entry) = self.change() {
            entry.safe = Some(Safe::No);
        }
    }

    /// It is not asked any more, and had not begun.
    pub fn save_withdrawn(&mut self) {
        if let Some(entry) = self.change() {
            entry.safe = entry.reached();
        }
    }

    /// Blender has begun a save.
    pub fn save_begins(&mut self, now: u64) {
        self.save_began = Some((now, utc_now()));
        self.changed = true;
    }

    /// Blender has ended it.
    pub fn save_ends(
        &mut self,
        place: Place,
        outcome: &SaveOutcome,
        settings: &Settings,
        now: u64,
    ) {
        let (began, at) = self.save_began.take().unwrap_or_else(|| (now, utc_now()));
        let seconds = as_seconds(now.saturating_sub(began));
        self.metrics.saved(outcome, seconds);
        let Some(entry) = self.change() else { return };
        let render = outcome
            .as_ref()
            .ok()
            .and_then(|saved| saved.render.as_ref());
        let (path, recovery, failures) = match outcome {
            Ok(saved) => (
                Some(saved.path.to_string_lossy().into_owned()),
                saved.recovery,
                &saved.failures,
            ),
            Err(reasons) => (None, false, reasons),
        };
        entry.saves.push(Save {
            at,
            place: place.name().into(),
            ok: outcome.is_ok(),
            path,
            recovery,
            bytes: None,
            sha256: None,
            seconds,
            failures: failures.iter().map(|text| settings.redact(text)).collect(),
            render: render.map(|path| path.to_string_lossy().into_owned()),
        });
        if entry.saves.len() > SAVES_MAX {
            // The first and the last ones tell the story.
            entry.saves.remove(SAVES_MAX / 2);
        }
        entry.seconds.save = Some(entry.seconds.save.unwrap_or(0.0) + seconds);
        entry.upload = None;
        entry.safe = entry.reached();
    }

    /// The last save could be verified.
    pub fn digested(&mut self, digest: &Digest) {
        let Some(entry) = self.change() else { return };
        if let Some(save) = entry.saves.last_mut() {
            save.bytes = Some(digest.bytes);
            save.sha256 = Some(digest.sha256.clone());
        }
        entry.seconds.digest = Some(digest.seconds);
        self.metrics.verified(true);
    }

    /// The last save cannot be verified.
    pub fn unreadable(&mut self, reason: &str) {
        let Some(entry) = self.change() else { return };
        if let Some(save) = entry.saves.last_mut() {
            save.ok = false;
            save.failures.push(reason.into());
        }
        entry.safe = Some(Safe::No);
        self.metrics.verified(false);
    }

    /// The upload of the last save has ended.
    pub fn uploaded(&mut self, uploaded: &Uploaded) {
        let Some(entry) = self.change() else { return };
        entry.seconds.upload = Some(uploaded.seconds);
        entry.upload = Some(Upload {
            ok: uploaded.error.is_none(),
            bytes: uploaded.bytes,
            attempts: uploaded.attempts,
            seconds: uploaded.seconds,
            error: uploaded.error.clone(),
            multipart: uploaded.multipart.as_ref().map(Multipart::from),
        });
        entry.safe = entry.reached();
        self.metrics.uploaded(uploaded.error.is_none());
    }

    /// The outage is over: its entry.
    pub fn end(&mut self, outcome: Outcome, now: u64) -> Option<Entry> {
        let mut entry = self.entry.take()?;
        entry.outcome = outcome;
        entry.ended_at = Some(utc_now());
        entry.seconds.outage = Some(as_seconds(now.saturating_sub(self.begun)));
        self.metrics.ended(&entry);
        Some(entry)
    }
}
