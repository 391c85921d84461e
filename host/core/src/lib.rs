//! What the host decides, without input, output, clock, threads or randomness.
//!
//! Something happens ([`Input`]), [`Core::handle`] decides, [`Core::poll`] says what is to be done and
//! told ([`Output`]), and [`Core::wake_at`] when to come again. What it needs in the middle of a step
//! (a policy's answer, a ticket back from the main thread) it asks its [`Host`] for.
//!
//! | module | what it does |
//! |---|---|
//! | `core` | the state, and a step of it |
//! | `core::connections` | attempts to connect, and what they come to |
//! | `core::deciding` | a policy's decision, and what follows from it |
//! | `judging` | which policy decides, and when it is disabled |
//! | `core::closing` | from a save to Blender's end |
//! | `tickets` | `save` and `quit` wait for Blender's main thread, and can be withdrawn |
//! | [`guard`] | what no policy can break |
//! | [`pace`] | how often a policy is woken at most |
//! | [`entropy`] | the bits that Blender and the user's browser share |
//! | `core::relative` | what two cores have in common that go on alike |
//! | `failure` | why a policy's answer was not taken |

mod config;
mod core;
pub mod entropy;
mod failure;
pub mod guard;
mod host;
mod input;
mod judging;
mod output;
pub mod pace;
mod saved;
#[cfg(test)]
mod tests;
mod tickets;

pub use config::Config;
pub use core::{Core, End, LOOK_AGAIN, Limits, RETRY_DECISION};
pub use failure::Failure;
pub use host::{Answer, Host, Question, Who};
pub use input::{Before, Connection, Input, Origin};
pub use judging::FAILURES;
pub use output::{Ignored, Outcome, Output, Reason, Telling, Upload, Why, Withdrawn, Work};
pub use saved::{Digest, Multipart, Part, Safe, SaveOutcome, Saved, Uploaded};
pub use tickets::{Open, Task};

/// Milliseconds as seconds, for people.
pub fn as_seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}
