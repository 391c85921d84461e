//! The policy contract of `wit/policy.wit` as Rust, for policies written in Rust.
//!
//! A policy implements [`Policy`] and names itself in `lifeline_contract::export!(Mine with_types_in
//! lifeline_contract::bindings);`. The types are documented in the contract itself.
#![no_std]
#![allow(missing_docs)]

#[allow(clippy::all)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "lifeline",
        path: "../../wit",
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

pub use bindings::export;
pub use bindings::exports::cr8::lifeline::policy::Guest as Policy;
pub use bindings::exports::cr8::lifeline::types;
