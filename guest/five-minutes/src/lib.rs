//! `five-minutes`, Lifeline's default policy, as a component: `lifeline-machine` behind the
//! contract of `wit/policy.wit`. It imports nothing.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![allow(missing_docs)] // what is exported is documented in the contract

extern crate alloc;

use alloc::string::{String, ToString};
use lifeline_contract::Policy;
use lifeline_contract::types::{ConnectError, Decision, Description, Loss, Moment, Request, State};

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    // SAFETY: a component instance has one thread.
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

/// A panic becomes a trap; the host keeps the state and falls back.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The default policy.
pub struct FiveMinutes;

impl Policy for FiveMinutes {
    fn describe() -> Description {
        Description {
            name: "five-minutes".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            about: "Five attempts to reconnect, then five minutes, then save and quit.".to_string(),
        }
    }

    fn start(moment: Moment) -> Decision {
        lifeline_machine::start(moment)
    }

    fn on_connect(state: State, moment: Moment) -> Decision {
        lifeline_machine::on_connect(state, moment)
    }

    fn on_connect_error(state: State, moment: Moment, why: ConnectError) -> Decision {
        lifeline_machine::on_connect_error(state, moment, why)
    }

    fn on_disconnect(state: State, moment: Moment, why: Loss) -> Decision {
        lifeline_machine::on_disconnect(state, moment, why)
    }

    fn on_saved(state: State, moment: Moment, outcome: Result<(), String>) -> Decision {
        lifeline_machine::on_saved(state, moment, outcome)
    }

    fn on_request(state: State, moment: Moment, request: Request) -> Decision {
        lifeline_machine::on_request(state, moment, request)
    }

    fn tick(state: State, moment: Moment) -> Decision {
        lifeline_machine::tick(state, moment)
    }
}

// The symbol names of a component are none that a native linker takes.
#[cfg(target_arch = "wasm32")]
lifeline_contract::export!(FiveMinutes with_types_in lifeline_contract::bindings);
