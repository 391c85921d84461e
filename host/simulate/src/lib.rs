//! What would happen: without Blender, without a server, and in no time. What decides is the core that
//! ships ([`lifeline_core`]), and what it asks is the policy in its sandbox.
//!
//! | module | what it answers |
//! |---|---|
//! | [`timeline`] | what would one Blender do? |
//! | [`explore`] | can this policy be led to break a rule? |
//! | [`fleet`] | what load is a server under that comes back to many Blenders? |
//! | `client` | one Blender: the core, and what answers it of itself |
//! | [`wave`] | calls and answers as `wasmtime run --invoke` takes and prints them |
//!
//! Nothing here prints, reads or writes anything.

mod client;
pub mod explore;
pub mod fleet;
pub mod timeline;
pub mod wave;

/// The built-in policy, as it was built.
#[cfg(test)]
const FIVE_MINUTES: lifeline_sandbox::Embedded = lifeline_sandbox::Embedded {
    component: include_bytes!("../../../target/policies/five-minutes.wasm"),
    code: include_bytes!("../../../target/policies/five-minutes.cwasm"),
};

/// These settings, and the rest as it is unless set.
#[cfg(test)]
fn config(timing: lifeline_contract::types::Settings) -> lifeline_core::Config {
    explore::Setup::all(&timing, 10_000, 3_600_000)
        .remove(0)
        .config()
}
