//! A connection that is open: events are told, what else comes goes to rust_socketio, what is to be sent
//! goes out, and pings are answered.

use super::frames::{Frames, Taken};
use super::{GOODBYE, LONGEST, mebibytes};
use crate::contract::Loss;
use crate::link::ServerEvent;
use crate::net::{Activity, Stream};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use rust_engineio::{Packet, PacketId};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, Utf8Bytes};

/// A connection of which nothing moves for so long while something is to be sent has no reader.
const STALL: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<Stream>;

/// How a connection has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::link) enum Closed {
    /// The server has closed it: its words, if any.
    ByServer(String),
    /// The server has ended the session.
    Session,
    /// The server has said goodbye to this Blender, however the connection ended then.
    Goodbye,
    /// It broke: the system's words.
    Broken(String),
    /// Nothing came for longer than the server has promised.
    Silent,
    /// Nothing can be sent any more.
    Stalled,
    /// The server has sent what it may not.
    Fault(String, CloseCode),
    /// Whoever had it has gone.
    Unwanted,
}

impl Closed {
    /// By a frame, or without one.
    pub fn by_server(frame: Option<CloseFrame>) -> Self {
        Closed::ByServer(frame.map_or_else(String::new, |frame| {
            let reason = frame.reason.chars().filter(|it| !it.is_control());
            let reason = String::from_iter(reason.take(100));
            let code = u16::from(frame.code);
            match reason.as_str() {
                "" => format!(" (code {code})"),
                reason => format!(" (code {code}: {reason})"),
            }
        }))
    }

    /// By an error of the websocket.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => Closed::by_server(None),
            Error::Io(error) => Closed::Broken(error.to_string()),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Closed::Broken("its other end is gone".into())
            }
            Error::Capacity(CapacityError::MessageTooLong { size, .. }) => Closed::Fault(
                format!(
                    "a message of {}; no more than {} are taken",
                    mebibytes(*size),
                    mebibytes(LONGEST)
                ),
                CloseCode::Size,
            ),
            other => Closed::Fault(other.to_string(), CloseCode::Protocol),
        }
    }

    /// The contract's kind of it.
    pub fn loss(&self) -> Loss {
        match self {
            Closed::Session | Closed::Goodbye => Loss::ServerDisconnect,
            Closed::Silent | Closed::Stalled => Loss::PingTimeout,
            _ => Loss::TransportError,
        }
    }

    /// As a sentence.
    pub fn words(&self) -> String {
        match self {
            Closed::ByServer(words) => format!("the server closed the connection{words}"),
            Closed::Session => "the server ended the session".into(),
            Closed::Goodbye => "the server said goodbye".into(),
            Closed::Broken(why) => format!("the connection broke: {why}"),
            Closed::Silent => "the server stopped answering".into(),
            Closed::Stalled => "the server takes nothing any more".into(),
            Closed::Fault(what, _) => format!("the server has sent what it may not: {what}"),
            Closed::Unwanted => "nobody wants the connection any more".into(),
        }
    }
}

/// What the server has sent beside packets of the session.
#[derive(Debug)]
pub(in crate::link) enum Heard {
    /// An event.
    Event(ServerEvent),
    /// One that cannot be taken: why.
    Unreadable(String),
}

/// One connection.
pub(in crate::link) struct Wire {
    socket: Socket,
    activity: Activity,
    /// How long the server may be silent.
    patience: Duration,
}

impl Wire {
    pub(super) fn new(socket: Socket, activity: Activity, patience: Duration) -> Self {
        Wire {
            socket,
            activity,
            patience,
        }
    }

    /// What moves on it.
    pub fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// Until it has ended. Events of `namespace` go to `hear`, other packets to `packets`, which is
    /// closed then.
    pub async fn run(
        self,
        namespace: &str,
        hear: impl Fn(Heard),
        packets: Sender<Packet>,
        outgoing: UnboundedReceiver<Packet>,
    ) -> Closed {
        let (mut sink, stream) = self.socket.split();
        let (pongs, pinged) = unbounded_channel();
        let mut frames = Frames::of(namespace);
        let mut reader = Reader {
            stream,
            activity: &self.activity,
            patience: self.patience,
            packets,
            pongs,
        };
        let closed = {
            let mut reading = pin!(reader.read(&mut frames, hear));
            tokio::select! {
                biased;
                closed = &mut reading => closed,
                closed = write(&mut sink, &self.activity, outgoing, pinged) => match closed {
                    Closed::Unwanted => closed,
                    // Why nothing can be sent any more may be on its way.
                    _ => timeout(GOODBYE, reading).await.unwrap_or(closed),
                },
            }
        };
        drop(reader);
        let closed = match closed {
            Closed::Unwanted => closed,
            _ if frames.said_goodbye() => Closed::Goodbye,
            _ => closed,
        };
        let last = match &closed {
            Closed::Broken(_) | Closed::Silent | Closed::Stalled => return closed,
            Closed::Fault(_, code) => Some(CloseFrame {
                code: *code,
                reason: Utf8Bytes::default(),
            }),
            _ => None,
        };
        // Sent or not: the server finds out by itself.
        let _ = timeout(GOODBYE, async {
            sink.send(Message::Close(last)).await?;
            sink.close().await
        })
        .await;
        closed
    }
}

/// The half that listens.
struct Reader<'a> {
    stream: SplitStream<Socket>,
    activity: &'a Activity,
    patience: Duration,
    packets: Sender<Packet>,
    pongs: UnboundedSender<String>,
}

impl Reader<'_> {
    async fn read(&mut self, frames: &mut Frames, hear: impl Fn(Heard)) -> Closed {
        loop {
            let taken = match self.message().await {
                Ok(Message::Text(text)) => frames.text(&text),
                Ok(Message::Binary(bytes)) => frames.binary(bytes.into()),
                Ok(Message::Close(frame)) => return Closed::by_server(frame),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Err(closed) => return closed,
            };
            match taken {
                Ok(Taken::Packet(packet)) => {
                    let packet = Packet::new(PacketId::Message, packet);
                    // It takes each at once, unless it has died.
                    match timeout(STALL, self.packets.send(packet)).await {
                        Ok(Ok(())) => {}
                        _ => return Closed::Unwanted,
                    }
                }
                Ok(Taken::Event(event)) => hear(Heard::Event(event)),
                Ok(Taken::Unreadable(why)) => hear(Heard::Unreadable(why)),
                // Whoever sends them goes first when the connection ends.
                Ok(Taken::Ping(with)) => drop(self.pongs.send(with)),
                Ok(Taken::Close) => return Closed::Session,
                Ok(Taken::Nothing) => {}
                Err(fault) => return Closed::Fault(fault.to_string(), CloseCode::Protocol),
            }
        }
    }

    async fn message(&mut self) -> Result<Message, Closed> {
        loop {
            // Half a message is a sign of life, too.
            let left = self
                .patience
                .saturating_sub(self.activity.read_at().elapsed());
            return match timeout(left, self.stream.next()).await {
                Ok(Some(message)) => message.map_err(|error| Closed::of(&error)),
                Ok(None) => Err(Closed::by_server(None)),
                Err(_) if self.activity.read_at().elapsed() < self.patience => continue,
                Err(_) => Err(Closed::Silent),
            };
        }
    }
}

async fn write(
    sink: &mut SplitSink<Socket, Message>,
    activity: &Activity,
    mut outgoing: UnboundedReceiver<Packet>,
    mut pinged: UnboundedReceiver<String>,
) -> Closed {
    loop {
        let packet = tokio::select! {
            biased;
            Some(with) = pinged.recv() => {
                match send(sink, activity, Message::text(format!("3{with}"))).await {
                    Ok(()) => continue,
                    Err(closed) => return closed,
                }
            }
            packet = outgoing.recv() => packet,
        };
        let Some(packet) = packet else {
            return Closed::Unwanted;
        };
        let message = match packet.packet_id {
            PacketId::Close => Message::text("1"),
            PacketId::Message => match std::str::from_utf8(&packet.data) {
                Ok(text) => Message::text(format!("4{text}")),
                Err(_) => continue, // the crate makes it of a String
            },
            PacketId::MessageBinary => Message::binary(packet.data),
        };
        if let Err(closed) = send(sink, activity, message).await {
            return closed;
        }
        if packet.packet_id == PacketId::Close {
            return Closed::Unwanted;
        }
    }
}

/// However slowly, as long as something moves.
async fn send(
    sink: &mut SplitSink<Socket, Message>,
    activity: &Activity,
    message: Message,
) -> Result<(), Closed> {
    let mut sending = std::pin::pin!(sink.send(message));
    loop {
        let before = activity.written();
        match timeout(STALL, &mut sending).await {
            Ok(sent) => return sent.map_err(|error| Closed::of(&error)),
            Err(_) if activity.written() > before => {}
            Err(_) => return Err(Closed::Stalled),
        }
    }
}
