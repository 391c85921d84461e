//! Between the contract's types and those that wasmtime has made of the same `wit/policy.wit`: only
//! its own can it pass to a component.

pub(super) mod answer;
pub(super) mod arguments;
pub(super) mod v0_1;
