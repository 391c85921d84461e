//! The contract's types, generated from `wit/policy.wit`.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    world: "lifeline",
    path: "../../wit",
    additional_derives: [PartialEq, Eq],
});
