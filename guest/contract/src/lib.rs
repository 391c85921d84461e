//! The policy contract of `wit/policy.wit` as Rust, for policies written in Rust.
//!
//! A policy is a `cdylib` with one implementation of [`Policy`] and one line,
//! `lifeline_contract::policy!(Mine);`. The types are documented in the contract itself.
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

#[cfg(target_arch = "wasm32")]
pub mod component;

pub use bindings::exports::cr8::lifeline::policy::Guest as Policy;
pub use bindings::exports::cr8::lifeline::types;

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
