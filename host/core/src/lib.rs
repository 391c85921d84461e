//! The line between a Blender and the server that owns it, without any Python.
//!
//! | module | what it does |
//! |---|---|
//! | [`link`] | one Socket.IO connection after another (the only place that names rust_socketio) |
//! | [`sandbox`] | runs a policy component (the only place that names wasmtime) |
//! | [`guard`] | what no policy can break |
//! | [`driver`] | one thread: events in, decisions out |
//! | [`tickets`] | `save` and `quit` wait for Blender's main thread, and can be withdrawn |
//! | [`settings`] | environment, preferences, defaults |
//! | [`clock`] | time that stands still while the computer sleeps |
//! | [`event`], [`status`] | what the main thread gets to see |

pub mod clock;
pub mod driver;
pub mod event;
pub mod guard;
pub mod link;
pub mod sandbox;
pub mod settings;
pub mod status;
pub mod tickets;

pub use driver::{Lifeline, LifelineError, PolicySource};
pub use sandbox::contract;
