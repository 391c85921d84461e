//! The default policy's state machine.
//!
//! One input, one answer: each function takes the state and the moment and
//! returns the next state, the actions wanted, and when to be called again.
//! There is no clock, no randomness and no I/O in here; time and entropy are
//! parameters, so every story can be told in a test (see `stories.rs`), and every input tried
//! (`properties/`), against a second machine that was written another way (`reference/`).
//!
//! | function | when |
//! |---|---|
//! | [`start`] | Blender has started, nothing is connected yet |
//! | [`on_connect`] | the server accepted |
//! | [`on_connect_error`] | an attempt failed |
//! | [`on_disconnect`] | the server was lost |
//! | [`on_saved`] | a save has ended |
//! | [`on_request`] | a person asks for something |
//! | [`tick`] | the time that the last decision asked for has come |
//!
//! A policy that is this machine with other numbers is one [`policy!`].
//!
//! All times are milliseconds, as in `wit/policy.wit`, which also documents the types.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod backoff;
mod countdown;
mod machine;
mod policy;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod stories;

pub use lifeline_contract::types as contract;

#[doc(hidden)] // for `policy!`
pub use lifeline_contract;
pub use machine::{
    LATE_AFTER, on_connect, on_connect_error, on_disconnect, on_request, on_saved, start, tick,
};
pub use policy::{Character, Machine, with_settings};
