//! Why a decision was dropped.

use crate::as_seconds;
use thiserror::Error;

/// Why a decision was dropped.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Violation {
    /// Rule 1.
    #[error("it asked for {0} while the server is connected")]
    WhileConnected(&'static str),
    /// Rule 2.
    #[error("it asked to quit before a save was answered")]
    QuitBeforeSave,
    /// Its phase contradicts what is known of the server.
    #[error("its phase is {phase} although the server is {server}")]
    Phase {
        /// The contract's name.
        phase: &'static str,
        /// What the guard knows.
        server: &'static str,
    },
    /// It would never be called again.
    #[error("it left an outage without asking to be woken")]
    NeverWakes,
    /// Only people hold.
    #[error("it holds although nobody asked for it")]
    HeldUnasked,
    /// Rule 6.
    #[error("a person keeps Blender open, but its phase is {0}")]
    NotHeld(&'static str),
    /// The state is not of this call.
    #[error("its state was seen at {seen}, but it is {now}")]
    Seen {
        /// As answered.
        seen: u64,
        /// As told.
        now: u64,
    },
    /// A save or quit that does not fit the phase.
    #[error("its phase {phase} and its actions do not fit: {why}")]
    Misfit {
        /// The contract's name.
        phase: &'static str,
        /// What is missing or too much.
        why: &'static str,
    },
    /// It would sleep for days.
    #[error("it asked to be woken in {} s; at the latest in a day it must be", as_seconds(*.0))]
    SleepsTooLong(u64),
    /// Whoever decides next would wait for it.
    #[error("its attempt is due in {} s; at the latest in a day it must be", as_seconds(*.0))]
    AttemptTooFar(u64),
    /// The countdown to come would be longer by it, whoever decides then.
    #[error(
        "it adds {} s to the countdown, but people have added {} s",
        as_seconds(*by),
        as_seconds(*asked)
    )]
    ExtendedUnasked {
        /// Milliseconds.
        by: u64,
        /// Milliseconds.
        asked: u64,
    },
    /// Its countdown is longer than an outage may be.
    #[error(
        "its countdown ends in {} s, but the outage must end within {} s",
        as_seconds(*ends_in),
        as_seconds(*within)
    )]
    DeadlineTooFar {
        /// Milliseconds.
        ends_in: u64,
        /// Milliseconds.
        within: u64,
    },
    /// Each may be a copy that takes room.
    #[error("it has asked for {0} saves in this outage, and asks for another one")]
    SavesTooOften(u32),
    /// The outage does not end.
    #[error("it has not ended the outage within {} s, though nobody holds it", as_seconds(*.0))]
    NeverEnds(u64),
    /// More than the contract allows.
    #[error("it answered with {got} {what}; {limit} are allowed")]
    TooMany {
        /// Actions, or bytes of memo.
        what: &'static str,
        /// How many.
        got: usize,
        /// How many are allowed.
        limit: usize,
    },
}
