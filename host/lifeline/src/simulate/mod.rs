//! What would happen: without Blender, without a server, and in no time.
//!
//! | module | what it answers |
//! |---|---|
//! | [`timeline`] | what would one Blender do? The real driver, in virtual time |
//! | [`explore`] | can this policy be led to break a rule? |
//! | [`fleet`] | what load is a server under that comes back to many Blenders? |
//! | [`client`] | one client without a line: the policy and the guard |
//! | [`wave`] | calls and answers as `wasmtime run --invoke` takes and prints them |
//!
//! Nothing here prints, reads or writes anything.

pub mod client;
pub mod explore;
pub mod fleet;
pub(crate) mod server;
pub mod timeline;
pub mod wave;

pub use client::Client;
