//! Runs a policy component: no imports, a fresh instance for each call, fuel and memory bounded.

mod bindings;
mod engine;
mod policy;

pub use bindings::contract;
pub use engine::Limits;
pub use policy::{Call, CallError, Identity, LoadError, Policy, Sandbox};

/// The default policy, embedded: also what decides when another policy fails.
pub const FIVE_MINUTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/five-minutes.wasm"));
