//! What the core asks for in the middle of a step.

use lifeline_contract::Call;
use lifeline_contract::types::{Decision, Moment, State};

/// Answers at once.
pub trait Host {
    /// A policy's answer.
    fn decide(&mut self, question: &Question) -> Answer;

    /// 64 random bits; None: there are none to be had.
    fn entropy(&mut self) -> Option<u64>;

    /// Takes a ticket back from the main thread; false: it has been claimed meanwhile.
    fn take_back(&mut self, ticket: u64) -> bool;

    /// When the main thread has polled last.
    fn polled(&self) -> u64;
}

/// Which policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The one that decides.
    Current,
    /// The one that decides when that one fails.
    BuiltIn,
}

/// What a policy is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Which one.
    pub who: Who,
    /// The contract's function.
    pub call: &'a Call,
    /// What was answered last.
    pub state: &'a State,
    /// The circumstances.
    pub moment: &'a Moment,
}

/// What a policy has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Err: why there is no decision, in a sentence.
    pub decision: Result<Decision, String>,
    /// How long it took, in milliseconds.
    pub took: u64,
}
