//! A snapshot of where everything stands, for the person and for tests.

use crate::contract::{Attempt, Phase};
use crate::journal::entry::utc_now;
use crate::journal::{Entry, beside};
use crate::keep::{Progress, Uploaded};
use lifeline_core::Saved;
use lifeline_core::as_seconds;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

/// The policy that decides now.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PolicyStatus {
    /// As it describes itself.
    pub name: String,
    /// As it describes itself.
    pub version: String,
    /// As it describes itself.
    pub about: String,
    /// Of its bytes.
    pub sha256: String,
    /// `built-in`, a path, `bytes`, or `server`.
    pub origin: String,
    /// Dropped calls since it was swapped in.
    pub failures: u32,
    /// The built-in policy decides in its place.
    pub set_aside: bool,
    /// Why the last dropped call was dropped.
    pub last_failure: Option<String>,
    /// The last one that was not taken, since one was.
    pub refused: Option<Refused>,
}

/// A policy that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// When: ISO 8601, UTC.
    pub at: String,
    /// A path, `bytes`, or `server`.
    pub origin: String,
    /// Of its bytes, if they could be read.
    pub sha256: Option<String>,
    /// Why.
    pub reason: String,
}

impl Refused {
    /// As of now.
    pub fn now(origin: &str, sha256: Option<String>, reason: &str) -> Self {
        Refused {
            at: utc_now(),
            origin: origin.into(),
            sha256,
            reason: reason.into(),
        }
    }

    /// The same one for the same reason.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.origin, &self.sha256, &self.reason) == (&other.origin, &other.sha256, &other.reason)
    }
}

/// A save that runs. Its instant in milliseconds of the driver's clock.
#[derive(Clone, Debug)]
pub struct SaveProgress {
    path: PathBuf,
    since: u64,
}

#[derive(Serialize)]
struct SaveReport<'a> {
    path: Cow<'a, str>,
    seconds: f64,
    bytes: Option<u64>,
}

impl SaveProgress {
    fn report(&self, now: u64) -> SaveReport<'_> {
        SaveReport {
            path: self.path.to_string_lossy(),
            seconds: as_seconds(now.saturating_sub(self.since)),
            // Blender writes beside the file, and renames at the end.
            bytes: std::fs::metadata(beside(&self.path, "@"))
                .ok()
                .map(|found| found.len()),
        }
    }
}

/// The last save that has ended well.
#[derive(Clone, Debug, Serialize)]
pub struct LastSave {
    /// Where it is.
    pub path: String,
    /// A copy in a recovery folder.
    pub recovery: bool,
    /// Once it was verified.
    pub bytes: Option<u64>,
    /// Once it was verified.
    pub sha256: Option<String>,
}

impl LastSave {
    /// not verified yet.
    pub fn new(saved: &Saved) -> Self {
        LastSave {
            path: saved.path.to_string_lossy().into_owned(),
            recovery: saved.recovery,
            bytes: None,
            sha256: None,
        }
    }
}

/// The upload of the last save.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UploadStatus {
    /// `running`, `done` or `failed`.
    pub state: &'static str,
    /// Bytes of this attempt.
    pub sent: u64,
    /// Bytes of the file.
    pub total: u64,
    /// From 1.
    pub attempt: u32,
    /// Why it failed.
    pub error: Option<String>,
}

impl UploadStatus {
    /// It goes on.
    pub fn running(progress: Progress) -> Self {
        UploadStatus {
            state: "running",
            sent: progress.sent,
            total: progress.total,
            attempt: progress.attempt,
            error: None,
        }
    }

    /// It has not ended.
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }

    /// It has ended.
    pub fn ended(uploaded: &Uploaded) -> Self {
        let done = uploaded.error.is_none();
        UploadStatus {
            state: if done { "done" } else { "failed" },
            sent: if done { uploaded.bytes } else { 0 },
            total: uploaded.bytes,
            attempt: uploaded.attempts,
            error: uploaded.error.clone(),
        }
    }
}

/// What a line can be at: the phases of the contract, and before and after them.
pub const STATES: &[&str] = &[
    "idle",
    "connected",
    "reconnecting",
    "counting-down",
    "saving",
    "quitting",
    "held",
    "closed",
];

/// What the driver writes after each step. Instants in milliseconds of its clock.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// None before `connect`.
    pub phase: Option<Phase>,
    /// After `close`, or when the host thread has ended.
    pub closed: bool,
    /// The guard's word.
    pub connected: bool,
    /// When the server was lost.
    pub lost_at: Option<u64>,
    /// The contract's name.
    pub reason: Option<&'static str>,
    /// How the last attempt failed.
    pub last_error: Option<String>,
    /// The server is there, and has refused the last attempt: its words.
    pub refusal: Option<String>,
    /// How long the credentials are good for: ISO 8601, UTC.
    pub expires_at: Option<String>,
    /// Outages so far.
    pub outages: u32,
    /// Outages that ended with the server back.
    pub recoveries: u32,
    /// Who decides.
    pub policy: PolicyStatus,
    /// For people: the server, without secrets.
    pub server: String,
    /// Whose Blender this is.
    pub username: String,
    /// The setting.
    pub attempts: u32,
    /// The setting, in milliseconds.
    pub cleanup_timeout: u64,
    /// SIGTERM: what is done about it, in place of the policy's phase.
    pub terminating: Option<&'static str>,
    /// A save that runs.
    pub save: Option<SaveProgress>,
    /// The last one that ended well.
    pub last_save: Option<LastSave>,
    /// Of the last save.
    pub upload: Option<UploadStatus>,
    /// Why the journal was not written, the last time that it was not.
    pub journal_error: Option<String>,
    /// An attempt to connect is under way, whoever wants it.
    pub attempting: bool,
    /// Of this process or of this user's last one: see [`Snapshot::remember`].
    pub last_outage: Option<Arc<Entry>>,
}

/// What is told: `Status` of the Python module. Times in seconds.
#[derive(Serialize)]
struct Report<'a> {
    phase: &'static str,
    connected: bool,
    server: &'a str,
    attempt: u32,
    attempts: u32,
    attempting: bool,
    next_attempt: Option<f64>,
    lost_for: Option<f64>,
    reason: Option<&'static str>,
    last_error: Option<&'a str>,
    refusal: Option<&'a str>,
    expires_at: Option<&'a str>,
    remaining: Option<f64>,
    cleanup_timeout: f64,
    outages: u32,
    recoveries: u32,
    save: Option<SaveReport<'a>>,
    last_save: Option<&'a LastSave>,
    upload: Option<&'a UploadStatus>,
    journal_error: Option<&'a str>,
    last_outage: Option<&'a Entry>,
    policy: &'a PolicyStatus,
}

impl Snapshot {
    /// An outage has ended. One in which nothing was to be saved does not push out of sight where
    /// the work of an earlier one is.
    pub fn remember(&mut self, entry: Entry) {
        let matters = entry.safe.is_some();
        if matters || self.last_outage.as_ref().is_none_or(|it| it.safe.is_none()) {
            self.last_outage = Some(Arc::new(entry));
        }
    }

    /// Blender begins to write this file.
    pub fn begin_save(&mut self, path: PathBuf, now: u64) {
        self.save = Some(SaveProgress { path, since: now });
    }

    /// One of [`STATES`].
    pub fn state(&self) -> &'static str {
        match &self.phase {
            _ if self.closed => "closed",
            None => "idle",
            Some(phase) => self.terminating.unwrap_or_else(|| phase.name()),
        }
    }

    /// As JSON, with times in seconds from `now`.
    pub fn json(&self, now: u64) -> Value {
        let until = |at: u64| as_seconds(at.saturating_sub(now));
        let outage = self.phase.as_ref().and_then(Phase::outage);
        let report = Report {
            phase: self.state(),
            connected: self.connected,
            server: &self.server,
            attempt: outage.map_or(0, |outage| outage.attempts),
            attempts: self.attempts,
            attempting: self.attempting,
            next_attempt: outage.and_then(|outage| match outage.attempt {
                Attempt::Due(at) => Some(until(at)),
                Attempt::UnderWay(_) => None,
            }),
            lost_for: self.lost_at.map(|at| as_seconds(now.saturating_sub(at))),
            reason: self.reason,
            last_error: self.last_error.as_deref(),
            refusal: self.refusal.as_deref(),
            expires_at: self.expires_at.as_deref(),
            remaining: match &self.phase {
                Some(Phase::CountingDown(countdown)) => Some(until(countdown.deadline)),
                _ => None,
            },
            cleanup_timeout: as_seconds(self.cleanup_timeout),
            outages: self.outages,
            recoveries: self.recoveries,
            save: self.save.as_ref().map(|save| save.report(now)),
            last_save: self.last_save.as_ref(),
            upload: self.upload.as_ref(),
            journal_error: self.journal_error.as_deref(),
            last_outage: self.last_outage.as_deref(),
            policy: &self.policy,
        };
        // Plain fields and string keys: there is nothing in it that JSON cannot carry.
        serde_json::to_value(report).unwrap_or_default()
    }
}
