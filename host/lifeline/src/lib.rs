//! The line between a Blender and the server that owns it, without any Python.
//!
//! | module | what it does |
//! |---|---|
//! | [`link`] | one Socket.IO connection after another (the only place that names rust_socketio) |
//! | [`reload`] | another policy while Blender runs |
//! | [`driver`] | one thread: events in, decisions out |
//! | [`keep`] | reads a saved file back, and uploads it |
//! | [`notify`] | tells people what becomes of an outage, by a webhook |
//! | [`journal`] | what became of each outage, written down before Blender closes |
//! | [`termination`], [`exit`] | SIGTERM, and the end of a process that does not close by itself |
//! | [`tickets`] | `save` and `quit` wait for Blender's main thread, and can be withdrawn |
//! | [`settings`] | environment, preferences, defaults |
//! | [`clock`] | time that stands still while the computer sleeps |
//! | [`event`], [`status`] | what the main thread gets to see |
//! | `net`, `background` | what the connection, its probes, uploads and notifications have in common: names, addresses, TLS, HTTP, threads |
//! | `metrics` | what an administrator watches (the only place that names prometheus_client) |

#![cfg_attr(test, allow(clippy::disallowed_methods))] // `host/clippy.toml`

mod background;
mod built_in;
pub mod clock;
pub mod driver;
pub mod event;
pub mod exit;
pub mod journal;
pub mod keep;
pub mod link;
mod metrics;
mod net;
pub mod notify;
pub mod reload;
pub mod settings;
pub mod status;
pub mod termination;
pub mod tickets;

pub use built_in::FIVE_MINUTES;
pub use driver::{Lifeline, LifelineError};
pub use lifeline_contract::{Call, Decide, types as contract};
pub use lifeline_core::{SaveOutcome, Saved};
pub use reload::PolicySource;
