//! Packets as rust_socketio sees them.

use bytes::Bytes;

/// The types of packets that pass between rust_socketio and a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketId {
    /// The end of the session.
    Close,
    /// A packet of Socket.IO.
    Message,
    /// An attachment of the one before.
    MessageBinary,
}

impl From<PacketId> for u8 {
    fn from(id: PacketId) -> Self {
        match id {
            PacketId::Close => 1,
            PacketId::Message | PacketId::MessageBinary => 4,
        }
    }
}

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Of which type.
    pub packet_id: PacketId,
    /// What is in it.
    pub data: Bytes,
}

impl Packet {
    /// One of this type, with this in it.
    pub fn new<T: Into<Bytes>>(packet_id: PacketId, data: T) -> Self {
        Packet {
            packet_id,
            data: data.into(),
        }
    }
}
