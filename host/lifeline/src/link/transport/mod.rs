//! The socket under rust_socketio.
//!
//! The crate speaks Socket.IO; what carries it is opened here: the server's addresses are dialled, TLS
//! and the websocket are set up, Engine.IO's handshake is taken and its pings are answered. So what
//! becomes of a connection is known, and need not be guessed: whether anything moves on it, and how it
//! ended.

mod frames;
mod handshake;
mod packets;
mod wire;

pub use frames::{Fault, Frames, Taken};
pub(super) use packets::{Kind, packets};
pub(super) use wire::{Closed, Heard, Wire};

use super::Failure;
use super::pace::Pace;
use crate::net::{Client, Place};
use std::cell::Cell;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The longest message that is taken from a server, with its attachments. Bytes.
pub const LONGEST: usize = 64 << 20;

/// Opens a connection, up to Engine.IO's handshake. Nothing limits how long it takes; `place` tells how
/// far it has come.
pub(super) async fn open(
    client: &Client,
    url: &Url,
    pace: &Pace,
    place: &Cell<Place>,
) -> Result<Wire, Failure> {
    let (stream, round_trip) = client.connect(url, place).await?;
    pace.round_trip(round_trip);
    let asked = Instant::now();
    let activity = stream.activity();
    let mut socket = handshake::websocket(stream, url, client).await?;
    // What a probe beside the line takes, too.
    pace.answer(round_trip.saturating_add(asked.elapsed()));
    let patience = handshake::engine(&mut socket).await?;
    Ok(Wire::new(socket, activity, patience))
}

/// Which of the steps there was no more time for, in words.
pub(super) fn too_late(place: Place, url: &Url) -> String {
    match place {
        Place::Name => format!(
            "the name {} could not be looked up in time",
            url.host_str().unwrap_or_default()
        ),
        Place::Dial => "no address of the server could be connected to in time".into(),
        Place::Tls => "the server did not do its part of the TLS handshake in time".into(),
        Place::Server => "the server did not answer in time".into(),
    }
}

/// As people read it.
pub(super) fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// The pause after which nobody listens to a goodbye any more.
pub(super) const GOODBYE: Duration = Duration::from_millis(250);
