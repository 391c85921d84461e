//! One connection to the server after another.
//!
//! [`Connector`] is what the driver sees; [`SocketIo`] is the real one. Each attempt has an id,
//! under which everything that becomes of it is reported.

mod bucket;
mod failure;
mod message;
mod pace;
mod probe;
mod session;
mod silence;
mod silence_watch;
mod socketio;
pub mod transport;

pub use failure::Failure;
pub use message::{Args, ServerEvent};
pub use socketio::SocketIo;

use crate::contract::Loss;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// What became of an attempt, or of the connection that it led to.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEvent {
    /// The server accepted the namespace.
    Connected,
    /// The attempt has failed. Nothing more comes from it.
    Failed(Failure),
    /// The connection is lost. Nothing more comes from it.
    Lost {
        /// How.
        why: Loss,
        /// As a sentence.
        detail: String,
    },
    /// The connection stands, but the server has answered nothing, and nobody either who asked it
    /// beside the connection: lost. Nothing more comes from it.
    Frozen {
        /// As a sentence.
        detail: String,
    },
    /// The server sent an event. None comes before [`LinkEvent::Connected`], even if it was sent before.
    Server(ServerEvent),
    /// The server sent an event that cannot be taken: why. The connection goes on.
    Unreadable(String),
}

/// Where the events of attempt number `u64` go.
pub type Sink = UnboundedSender<(u64, LinkEvent)>;

/// Begins attempts.
pub trait Connector: Send + Sync {
    /// Begins attempt `id`. `auth` goes to the server; `timeout` is for all of the attempt.
    /// It never waits.
    fn connect(&self, id: u64, auth: Value, timeout: Duration, sink: Sink) -> Box<dyn Connection>;

    /// How long the next attempt needs if `timeout` is too short for a way like the last one's: it is not
    /// to be given up, and followed by another one, before.
    fn needs(&self, timeout: Duration) -> Duration {
        timeout
    }
}

/// An attempt under way, or what came of it. Dropping it says goodbye and ends it, in the background.
pub trait Connection: Send {
    /// Sends an event. Nothing happens unless connected.
    fn emit(&self, name: String, args: Args);

    /// Answers the event that has asked for it under this number. Nothing happens unless connected.
    fn answer(&self, ack: u64, args: Args);

    /// Says goodbye and ends it; true if it has ended within `timeout`.
    fn end(self: Box<Self>, timeout: Duration) -> bool;
}
