//! Runs a policy component: no imports, a fresh instance for each call, everything bounded.

mod bindings;
mod boundary;
#[cfg(unix)]
mod cache;
#[cfg(not(unix))]
#[path = "no_cache.rs"]
mod cache;
mod engine;
mod functions;
mod limits;
mod policy;
mod watchdog;

pub use bindings::contract;
pub use boundary::{Boundary, CONTRACT};
pub use cache::{Cache, CacheError};
pub use limits::{Limits, Usage};
pub(crate) use policy::told;
pub use policy::{Call, CallError, Code, Identity, LoadError, Policy, Sandbox};

/// The default policy, embedded: also what decides when another policy fails.
pub const FIVE_MINUTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/five-minutes.wasm"));
