//! The policy contract of `wit/policy.wit` as Rust, for policies written in Rust and for the host.
//!
//! | module | what it has |
//! |---|---|
//! | [`types`] | the contract's types, documented in the contract itself |
//! | `names` | how the contract spells them, and the outage of a phase |
//! | `defaults` | the settings when nobody has set them, and a bare moment |
//! | `call` | a call as a value, and what answers one |
//!
//! A policy is a `cdylib` with one implementation of [`Policy`] and one line,
//! `lifeline_contract::policy!(Mine);`.
#![no_std]

extern crate alloc;

#[allow(missing_docs, clippy::all)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "lifeline",
        path: "../../wit",
        additional_derives: [PartialEq, Eq, Hash],
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

mod call;
#[cfg(target_arch = "wasm32")]
#[allow(missing_docs)]
pub mod component;
mod defaults;
mod names;

pub use bindings::exports::cr8::lifeline::policy::Guest as Policy;
pub use bindings::exports::cr8::lifeline::types;
pub use call::{Call, Decide};

/// Makes a component of the crate: the exports of this [`Policy`], an allocator, and a panic that
/// becomes a trap. For the native target it is nothing, for its linker takes no such names.
#[macro_export]
macro_rules! policy {
    ($policy:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[global_allocator]
        static ALLOCATOR: $crate::component::Shared =
            $crate::component::allocator();

        #[cfg(target_arch = "wasm32")]
        #[panic_handler]
        fn panic(_: &::core::panic::PanicInfo<'_>) -> ! {
            $crate::component::trap()
        }

        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export!($policy with_types_in $crate::bindings);
    };
}
