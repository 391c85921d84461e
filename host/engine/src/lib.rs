//! How wasmtime is set up for policies: what runs them, what compiles them, and the built-in policy
//! compiled ahead of time.
//!
//! A crate of its own, since the built-in policy is compiled before the library that embeds it: by
//! `lifeline-precompile`, with the very settings that it runs with. Beside it only the sandbox of
//! the host library names wasmtime.
//!
//! | module | what it does |
//! |---|---|
//! | [`engine`] | wasmtime's settings: an engine that runs and cannot compile, and ones that compile |
//! | [`limits`] | what a policy may use |
//! | [`precompiled`] | machine code with the digest of what it was made from |

pub mod engine;
pub mod limits;
pub mod precompiled;

pub use limits::{Limits, Usage};
