//! What can happen.

use crate::policy::{Who, describe_answer};
use lifeline_contract::types::{ConnectError, Request};
use std::fmt;

/// Something that happens to the host, or that Blender's main thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Blender starts.
    Start,
    /// Time passes until something is due.
    Pass,
    /// Time passes, and nothing is due yet.
    Between,
    /// The machine is busy beyond the instant at which something is due.
    Late,
    /// The process is stopped, or the computer sleeps.
    Sleep,
    /// What is due is done.
    Time,
    /// The server accepts the attempt.
    Accepted,
    /// The attempt fails.
    Failed(ConnectError),
    /// The server is lost.
    Lost,
    /// The server is lost before it has lasted.
    CutOff,
    /// The main thread takes the next ticket that it was told of, and acts if it stands.
    Claim,
    /// In place of that: the file has changed since the save.
    SaveFirst,
    /// The host hears what was claimed.
    Heard,
    /// The save has ended: is the work on the disk?
    Saved(bool),
    /// Was the saved file verified?
    Verified(bool),
    /// A person asks.
    Asked(Request),
    /// The settings change.
    Settings,
    /// Another policy is swapped in.
    Swap(Who),
    /// A render begins, or ends.
    Rendering(bool),
    /// SIGTERM.
    Terminate,
    /// The outage stands in the journal.
    Written,
}

/// Which calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// None.
    No,
    /// That of the policy.
    Policy,
    /// That of the built-in policy too.
    BuiltInToo,
}

/// One step of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens.
    pub event: Event,
    /// The random bits of the call that follows, if one does.
    pub entropy: Option<u64>,
    /// Whether that call fails.
    pub trap: Trap,
    /// What a hostile policy answers to it.
    pub answer: Option<u8>,
}

impl Event {
    /// Nothing but the event, with no jitter.
    pub fn plain(self) -> Step {
        Step {
            event: self,
            entropy: None,
            trap: Trap::No,
            answer: None,
        }
    }

    /// What is not the course of things: of these there is a bounded number in each outage.
    ///
    /// The others are the server that is back or stays away, attempts that fail in each way or are
    /// answered late, saves that succeed or fail at once or after any time, and a main thread
    /// that takes any time to begin.
    pub fn faults(self) -> u8 {
        match self {
            Event::Start
            | Event::Pass
            | Event::Time
            | Event::Accepted
            | Event::Failed(_)
            | Event::Lost
            | Event::CutOff
            | Event::Claim
            | Event::Heard
            | Event::Saved(_)
            | Event::Verified(true)
            | Event::Rendering(false)
            | Event::Written => 0,
            Event::Between
            | Event::Late
            | Event::Sleep
            | Event::SaveFirst
            | Event::Verified(false)
            | Event::Asked(_)
            | Event::Settings
            | Event::Swap(_)
            | Event::Rendering(true)
            | Event::Terminate => 1,
        }
    }
}

impl Step {
    /// See [`Event::faults`]; jitter and a call that fails are one each.
    pub fn faults(&self) -> u8 {
        self.event.faults() + u8::from(self.entropy.is_some()) + u8::from(self.trap != Trap::No)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Event::Start => "Blender starts",
            Event::Pass => "time passes until something is due",
            Event::Between => "time passes, and nothing is due yet",
            Event::Late => "the machine is busy, and slightly late",
            Event::Sleep => "the computer sleeps",
            Event::Time => "what is due is done",
            Event::Accepted => "the server accepts the connection",
            Event::Failed(ConnectError::Unreachable) => "the attempt fails: nobody listens",
            Event::Failed(ConnectError::Refused) => "the attempt fails: refused",
            Event::Failed(ConnectError::TimedOut) => "the attempt fails: no answer in time",
            Event::Lost => "the server is lost",
            Event::CutOff => "the connection is lost before it has lasted",
            Event::Claim => "the main thread takes its next ticket",
            Event::SaveFirst => "the main thread finds the file changed, and wants to save first",
            Event::Heard => "the host hears what the main thread has said",
            Event::Saved(true) => "the save has ended well",
            Event::Saved(false) => "the save has failed",
            Event::Verified(true) => "the saved file was verified",
            Event::Verified(false) => "the saved file cannot be verified",
            Event::Asked(Request::Hold) => "a person holds",
            Event::Asked(Request::Extend(by)) => return write!(f, "a person extends by {by} ms"),
            Event::Asked(Request::Release) => "a person releases",
            Event::Asked(Request::CloseNow) => "a person wants to close now",
            Event::Settings => "the settings change",
            Event::Swap(who) => return write!(f, "another policy is swapped in: {}", who.name()),
            Event::Rendering(true) => "a render begins",
            Event::Rendering(false) => "the render ends",
            Event::Terminate => "SIGTERM",
            Event::Written => "the outage stands in the journal",
        };
        f.write_str(words)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)?;
        match self.entropy {
            None => {}
            Some(0) => f.write_str("; with the smallest jitter")?,
            Some(_) => f.write_str("; with the largest jitter")?,
        }
        match self.trap {
            Trap::No => {}
            Trap::Policy => f.write_str("; the policy's call traps")?,
            Trap::BuiltInToo => f.write_str("; the policy's and the built-in one's calls trap")?,
        }
        match self.answer {
            None => Ok(()),
            Some(answer) => write!(f, "; it answers: {}", describe_answer(answer)),
        }
    }
}
