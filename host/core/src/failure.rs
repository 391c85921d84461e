//! Why a policy's answer was not taken.

use crate::guard::Violation;
use thiserror::Error;

/// Either kind, in a sentence.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// It gave none: why.
    #[error("{0}")]
    NoAnswer(String),
    /// It broke a rule.
    #[error(transparent)]
    Violation(#[from] Violation),
}
