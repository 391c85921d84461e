//! How an attempt to connect failed.

use crate::contract::ConnectError;
use crate::net::NetError;

/// Before the server's own words.
const REFUSES: &str = "the server refuses this Blender: ";

/// A failed attempt: the contract's kind of it, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For the policy.
    pub why: ConnectError,
    /// For people. Holds no secrets.
    pub detail: String,
}

impl Failure {
    /// No answer in time: what was waited for.
    pub fn timed_out(detail: impl Into<String>) -> Self {
        Failure {
            why: ConnectError::TimedOut,
            detail: detail.into(),
        }
    }

    /// The server answered, and refused: in its words.
    pub fn refused(reason: &str) -> Self {
        Failure {
            why: ConnectError::Refused,
            detail: format!("{REFUSES}{reason}"),
        }
    }

    /// The server's own words, if it has refused.
    pub fn refusal(why: ConnectError, detail: &str) -> Option<&str> {
        let refused = why == ConnectError::Refused;
        refused.then(|| detail.strip_prefix(REFUSES).unwrap_or(detail))
    }

    /// Anything else.
    pub fn unreachable(detail: impl Into<String>) -> Self {
        Failure {
            why: ConnectError::Unreachable,
            detail: detail.into(),
        }
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        let detail = error.to_string();
        match error {
            NetError::Dial(error) if error.timed_out() => Failure::timed_out(detail),
            _ => Failure::unreachable(detail),
        }
    }
}
