//! The contract, generated from `wit/policy.wit`.
#![allow(missing_docs, clippy::all)]

/// The version of the contract that is spoken here. Until 1.0 a second number is another contract.
pub const CONTRACT: &str = "0.1.0";

wasmtime::component::bindgen!({
    world: "lifeline",
    path: "../../wit",
    additional_derives: [PartialEq, Eq],
});
