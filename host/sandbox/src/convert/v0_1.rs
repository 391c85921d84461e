//! What version 0.1 of the contract has otherwise: all other types are the same in both.

use crate::bindings::exports::cr8::lifeline::types as wasm;
use crate::convert::arguments;
use lifeline_contract::types as native;
use wasmtime::component::{ComponentType, Lift, Lower};

/// The circumstances of a call, without how many connections did not last.
#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Moment {
    now: wasm::Instant,
    due: Option<wasm::Instant>,
    entropy: Option<u64>,
    settings: Option<wasm::Settings>,
    scene: Option<wasm::Scene>,
}

/// Who a policy is; it departs from nothing.
#[derive(ComponentType, Lift)]
#[component(record)]
pub struct Description {
    name: String,
    version: String,
    about: String,
}

pub fn moment(it: &native::Moment) -> Moment {
    let wasm::Moment {
        now,
        due,
        entropy,
        settings,
        scene,
        cut_off: _,
    } = arguments::moment(it);
    Moment {
        now,
        due,
        entropy,
        settings,
        scene,
    }
}

pub fn description(it: Description) -> native::Description {
    native::Description {
        name: it.name,
        version: it.version,
        about: it.about,
        departs: Vec::new(),
    }
}
