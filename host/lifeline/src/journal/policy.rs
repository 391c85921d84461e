//! The shape of a line about policies: who decides from now on, or why it is not another one.

use super::entry::{PolicyName, SCHEMA, utc_now};
use serde::Serialize;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyNews {
    /// Another policy decides.
    Taken,
    /// Another one was not taken.
    Refused,
    /// An answer was dropped, and the built-in policy decided in its place.
    #[serde(rename = "overruled")]
    Rejected,
    /// The same, for the last time: the built-in one decides until another policy is taken.
    #[serde(rename = "set-aside")]
    Disabled,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyLine {
    schema: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    at: String,
    username: String,
    pid: u32,
    version: &'static str,
    outcome: PolicyNews,
    /// The one that was taken or rejected; of one that was refused, the one that decides still.
    policy: PolicyName,
    /// `built-in`, a path, `bytes`, or `server`.
    origin: String,
    /// Of the bytes that were refused, if they could be read.
    refused_sha256: Option<String>,
    reason: Option<String>,
}

impl PolicyLine {
    /// As of now.
    pub fn new(
        username: &str,
        outcome: PolicyNews,
        policy: PolicyName,
        origin: &str,
        reason: Option<&str>,
    ) -> Self {
        PolicyLine {
            schema: SCHEMA,
            kind: "policy",
            at: utc_now(),
            username: username.into(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            outcome,
            policy,
            origin: origin.into(),
            refused_sha256: None,
            reason: reason.map(str::to_string),
        }
    }

    /// The digest of what was refused.
    pub fn refused(self, sha256: Option<String>) -> Self {
        PolicyLine {
            refused_sha256: sha256,
            ..self
        }
    }
}
