//! Runs a policy component: no imports, a fresh instance for each call, everything bounded.

mod bindings;
mod boundary;
mod budget;
#[cfg(unix)]
mod cache;
#[cfg(not(unix))]
#[path = "no_cache.rs"]
mod cache;
mod compiler;
mod convert;
mod functions;
mod policy;
mod warm;
mod watchdog;

pub use boundary::{Boundary, CONTRACT};
pub use cache::{Cache, CacheError};
pub use lifeline_engine::{Limits, Usage};
pub(crate) use policy::told;
pub use policy::{CallError, Code, Identity, LoadError, Policy, Sandbox};
pub use warm::Warm;

/// The default policy, embedded: also what decides when another policy fails.
pub const FIVE_MINUTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/five-minutes.wasm"));

/// The same, compiled when the library was built (see `lifeline_engine::precompiled`); empty if it
/// was built without.
const PRECOMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/five-minutes.cwasm"));
