//! Runs a policy component: no imports, a fresh instance for each call, everything bounded. The only
//! crate that names wasmtime.
//!
//! | module | what it does |
//! |---|---|
//! | `boundary` | what a component imports and exports, before anything is compiled |
//! | `engine` | wasmtime's settings: an engine that runs and cannot compile, and ones that compile |
//! | `compiler`, `child`, `cache`, [`precompiled`] | machine code: made in a child process, by an earlier process, or with the library |
//! | `policy` | loading, and a call in an instance of its own |
//! | `contract` | its versions that are taken |
//! | `functions`, `convert` | the contract's functions, and its types on both sides |
//! | `error`, `text` | why not, in words that may be shown |
//! | `budget`, `limits`, `watchdog` | what a call may use |
//! | `warm` | many calls in one instance, for simulations |
//!
//! The built-in policy is compiled before the library that embeds it, by `lifeline-precompile`, with the
//! very settings that it runs with.

#![cfg_attr(test, allow(clippy::disallowed_methods))] // `host/clippy.toml`

mod bindings;
#[cfg(test)]
mod bombs;
mod boundary;
mod budget;
#[cfg(unix)]
mod cache;
#[cfg(not(unix))]
#[path = "no_cache.rs"]
mod cache;
mod child;
mod compiler;
mod contract;
mod convert;
mod engine;
mod error;
mod functions;
mod limits;
mod policy;
pub mod precompiled;
mod text;
mod warm;
mod watchdog;

pub use boundary::Boundary;
pub use cache::{Cache, CacheError};
pub use child::{Child, serve};
pub use compiler::{Code, Compiling};
pub use contract::Contract;
pub use error::{CallError, LoadError};
pub use limits::{Limits, Usage};
pub use policy::{Embedded, Identity, Policy, Sandbox};
pub use text::told;
pub use warm::Warm;

/// The built-in policy, as it was built.
#[cfg(test)]
const FIVE_MINUTES: Embedded = Embedded {
    component: include_bytes!("../../../target/policies/five-minutes.wasm"),
    code: include_bytes!("../../../target/policies/five-minutes.cwasm"),
};
