//! In the place of rust_engineio, for rust_socketio 0.6.
//!
//! rust_socketio speaks Socket.IO; below it, rust_engineio would open a socket, dial only the first
//! address of a name, bring OpenSSL, take a byte 0x1E within a message for the end of it, and tell
//! nobody how a connection ended. This crate has the names that rust_socketio uses of it, and opens
//! nothing: a [`Connection`] that the caller has opened is handed over by [`over`].
//!
//! What of rust_engineio is not about such a connection (polling, headers, TLS, the client that
//! blocks) is refused.

pub mod asynchronous;
pub mod client;
pub mod header;
mod packet;

pub use asynchronous::{Connection, over};
pub use client::{Client, ClientBuilder};
pub use packet::{Packet, PacketId};

use thiserror::Error;

/// Why there is no connection, or none any more.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// Asked for something else than a connection that was handed over.
    #[error("only a connection that was handed over can be used")]
    NotHandedOver,
    /// It has ended.
    #[error("the connection has ended")]
    Ended,
}

/// As everywhere in this crate.
pub type Result<T> = std::result::Result<T, Error>;
