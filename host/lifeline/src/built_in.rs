//! The default policy, embedded: also what decides when another policy fails.

use lifeline_sandbox::Embedded;

/// With its machine code, compiled when the library was built; empty if it was built without.
pub const FIVE_MINUTES: Embedded = Embedded {
    component: include_bytes!(concat!(env!("OUT_DIR"), "/five-minutes.wasm")),
    code: include_bytes!(concat!(env!("OUT_DIR"), "/five-minutes.cwasm")),
};
