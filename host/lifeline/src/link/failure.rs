//! How an attempt to connect failed.

use crate::contract::ConnectError;
use std::error::Error;
use std::io;

/// A failed attempt: the contract's kind of it, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For the policy.
    pub why: ConnectError,
    /// For people. Holds no secrets.
    pub detail: String,
}

impl Failure {
    /// No answer in time.
    pub fn timed_out() -> Self {
        Failure {
            why: ConnectError::TimedOut,
            detail: "the server did not answer in time".into(),
        }
    }

    /// The server answered, and refused.
    pub fn refused(reason: &str) -> Self {
        Failure {
            why: ConnectError::Refused,
            detail: format!("the server refused the connection: {reason}"),
        }
    }

    /// Anything else.
    pub fn unreachable(detail: impl Into<String>) -> Self {
        Failure {
            why: ConnectError::Unreachable,
            detail: detail.into(),
        }
    }

    /// From the error of a transport. The innermost cause says most.
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        let mut cause = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let text = cause.to_string();
        if cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::TimedOut)
        {
            return Failure {
                detail: text,
                ..Failure::timed_out()
            };
        }
        // A gateway that answers for a dead server is no refusal.
        match text.strip_prefix("HTTP error: ") {
            Some(status)
                if !["502", "503", "504"]
                    .iter()
                    .any(|code| status.starts_with(code)) =>
            {
                Failure::refused(&format!("HTTP {status}"))
            }
            _ => Failure::unreachable(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Inner(&'static str);

    fn why(text: &'static str) -> (ConnectError, String) {
        let failure = Failure::from_error(&Outer(Inner(text)));
        (failure.why, failure.detail)
    }

    #[test]
    fn the_innermost_cause_is_told() {
        let text = "Connection refused (os error 111)";
        assert_eq!(why(text), (ConnectError::Unreachable, text.to_string()));
    }

    #[test]
    fn a_refusal_is_told_from_a_gateway_without_a_server() {
        assert_eq!(why("HTTP error: 403 Forbidden").0, ConnectError::Refused);
        assert_eq!(
            why("HTTP error: 502 Bad Gateway").0,
            ConnectError::Unreachable
        );
    }
}
