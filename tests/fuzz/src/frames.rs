//! A server that accepts a websocket and then sends anything.

use arbitrary::{Arbitrary, Result, Unstructured};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

/// What comes of sending. What went wrong is of no interest: the server is done.
type Sent = std::result::Result<(), Over>;

/// The client is gone, or nothing more can be sent.
struct Over;

impl From<tungstenite::Error> for Over {
    fn from(_: tungstenite::Error) -> Self {
        Over
    }
}

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Over
    }
}

/// How long the server waits for what the client has to say (each time).
const LISTENS: Duration = Duration::from_millis(3);

/// What the server sends, in this order.
#[derive(Debug)]
pub struct Script {
    /// Answers the upgrade as it should; otherwise it sends `greeting` instead.
    pub upgrades: bool,
    /// In place of an answer to the upgrade.
    pub greeting: Vec<u8>,
    /// What comes after it.
    pub frames: Vec<Frame>,
    /// It says goodbye; otherwise it is gone.
    pub closes: bool,
}

impl<'a> Arbitrary<'a> for Script {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let upgrades = u.ratio(9, 10)?;
        Ok(Script {
            upgrades,
            greeting: if upgrades { Vec::new() } else { u.arbitrary()? },
            closes: u.arbitrary()?,
            frames: u.arbitrary()?,
        })
    }
}

/// One thing that is sent.
#[derive(Debug)]
pub enum Frame {
    /// The engine's OPEN, with a ping interval and time-out (milliseconds).
    Open(u16, u16),
    /// The namespace is accepted.
    Connect,
    /// It is refused.
    Refuse(String),
    /// An event.
    Event(String, String),
    /// A packet of any type, for our namespace or not.
    Packet(u8, bool, String),
    /// Any text.
    Text(String),
    /// Any bytes.
    Binary(Vec<u8>),
    /// The websocket's own.
    Ping,
    /// Bytes that are no websocket frame.
    Raw(Vec<u8>),
    /// What the client has said is read first.
    Listen,
}

impl<'a> Arbitrary<'a> for Frame {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=13)? {
            0 | 1 => Frame::Open(u.arbitrary()?, u.arbitrary()?),
            2 | 3 => Frame::Connect,
            4 => Frame::Refuse(u.arbitrary()?),
            5 | 6 => Frame::Event(u.arbitrary()?, u.arbitrary()?),
            7 | 8 => Frame::Packet(u.arbitrary()?, u.arbitrary()?, u.arbitrary()?),
            9 => Frame::Text(u.arbitrary()?),
            10 => Frame::Binary(u.arbitrary()?),
            11 => Frame::Ping,
            12 => Frame::Raw(u.arbitrary()?),
            _ => Frame::Listen,
        })
    }
}

impl Frame {
    fn send(&self, socket: &mut WebSocket<TcpStream>) -> Sent {
        let text = |text: String| Message::text(text);
        let message = match self {
            Frame::Open(interval, timeout) => text(format!(
                r#"0{{"sid":"s","upgrades":[],"pingInterval":{interval},"pingTimeout":{timeout}}}"#
            )),
            Frame::Connect => text(r#"40/blender,{"sid":"n"}"#.into()),
            Frame::Refuse(reason) => text(format!(r#"44/blender,{{"message":{reason:?}}}"#)),
            Frame::Event(name, data) => text(format!("42/blender,[{name:?},{data}]")),
            Frame::Packet(kind, ours, rest) => {
                let namespace = if *ours { "/blender," } else { "" };
                text(format!("{}{namespace}{rest}", u32::from(*kind) % 80))
            }
            Frame::Text(it) => text(it.clone()),
            Frame::Binary(bytes) => Message::binary(bytes.clone()),
            Frame::Ping => Message::Ping(Default::default()),
            Frame::Raw(bytes) => {
                io::Write::write_all(socket.get_mut(), bytes)?;
                return Ok(());
            }
            Frame::Listen => {
                socket.get_mut().set_read_timeout(Some(LISTENS))?;
                return match socket.read() {
                    Err(tungstenite::Error::Io(error))
                        if error.kind() == io::ErrorKind::WouldBlock =>
                    {
                        Ok(())
                    }
                    other => Ok(other.map(drop)?),
                };
            }
        };
        Ok(socket.send(message)?)
    }
}

impl Script {
    /// Serves one client on a free port of this computer. The thread ends by itself once there was
    /// one, and the script is over.
    pub fn serve(self) -> io::Result<(SocketAddr, JoinHandle<()>)> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let thread = std::thread::Builder::new()
            .name("fuzz-server".into())
            .spawn(move || {
                if let Ok((stream, _)) = listener.accept() {
                    // Whatever the client makes of it, the server is done.
                    let _ = self.talk(stream);
                }
            })?;
        Ok((address, thread))
    }

    fn talk(self, mut stream: TcpStream) -> Sent {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.set_nodelay(true)?;
        let mut socket = if self.upgrades {
            tungstenite::accept(stream).map_err(|_| Over)?
        } else {
            io::Write::write_all(&mut stream, &self.greeting)?;
            WebSocket::from_raw_socket(stream, Role::Server, None)
        };
        for frame in &self.frames {
            frame.send(&mut socket)?;
        }
        if self.closes {
            socket.close(None)?;
            socket.flush()?;
        }
        Ok(())
    }
}
