//! The contract, generated from `wit/policy.wit`.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    world: "lifeline",
    path: "../../wit",
    additional_derives: [PartialEq, Eq],
});

/// The contract's types, documented in `wit/policy.wit`.
pub mod contract {
    pub use super::exports::cr8::lifeline::types::*;
}
