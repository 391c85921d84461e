//! The client that rust_socketio's asynchronous one is made of.

use crate::header::HeaderMap;
use crate::{Error, Packet, PacketId, Result};
use bytes::Bytes;
use futures_util::Stream;
use native_tls::TlsConnector;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::mpsc::{Receiver, UnboundedSender};
use url::Url;

/// A connection that is open: after the handshake of Engine.IO. Its pings are somebody else's
/// business.
pub struct Connection {
    /// What comes: messages alone. Closed by whoever fills it when the connection has ended.
    pub packets: Receiver<Packet>,
    /// What goes.
    pub outgoing: UnboundedSender<Packet>,
    /// Called once: the connection has ended, and rust_socketio has taken all that came before.
    pub drained: Box<dyn FnOnce() + Send>,
}

tokio::task_local! {
    static HANDED_OVER: RefCell<Option<Connection>>;
}

/// Runs `client`, which builds one client; it gets this connection.
pub async fn over<F: Future>(connection: Connection, client: F) -> F::Output {
    let slot = RefCell::new(Some(connection));
    HANDED_OVER.scope(slot, client).await
}

/// Takes what was handed over.
#[derive(Clone, Debug)]
pub struct ClientBuilder(());

impl ClientBuilder {
    /// The URL does not matter: the connection is open.
    pub fn new(_url: Url) -> Self {
        ClientBuilder(())
    }

    /// There is no connector to be had.
    pub fn tls_config(self, _connector: TlsConnector) -> Self {
        self
    }

    /// Nobody sends them.
    pub fn headers(self, _headers: HeaderMap) -> Self {
        self
    }

    /// Refused.
    pub async fn build_with_fallback(self) -> Result<Client> {
        Err(Error::NotHandedOver)
    }

    /// Refused.
    pub async fn build_polling(self) -> Result<Client> {
        Err(Error::NotHandedOver)
    }

    /// Refused.
    pub async fn build_websocket_with_upgrade(self) -> Result<Client> {
        Err(Error::NotHandedOver)
    }

    /// A client over the connection that was handed over.
    ///
    /// # Errors
    ///
    /// There was none, or another client has it.
    pub async fn build_websocket(self) -> Result<Client> {
        let connection = HANDED_OVER.try_with(|slot| slot.borrow_mut().take());
        let Ok(Some(connection)) = connection else {
            return Err(Error::NotHandedOver);
        };
        Ok(Client(Arc::new(Shared {
            outgoing: connection.outgoing,
            connected: AtomicBool::new(false),
            incoming: Mutex::new(Incoming {
                packets: connection.packets,
                drained: Some(connection.drained),
            }),
        })))
    }
}

/// One connection. Its clones are the same one.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    outgoing: UnboundedSender<Packet>,
    connected: AtomicBool,
    incoming: Mutex<Incoming>,
}

struct Incoming {
    packets: Receiver<Packet>,
    drained: Option<Box<dyn FnOnce() + Send>>,
}

impl Client {
    /// From now on packets are taken.
    ///
    /// # Errors
    ///
    /// None: the connection is open.
    pub async fn connect(&self) -> Result<()> {
        self.0.connected.store(true, Ordering::Release);
        Ok(())
    }

    /// Ends the session.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub async fn disconnect(&self) -> Result<()> {
        let sent = self.emit(Packet::new(PacketId::Close, Bytes::new())).await;
        self.0.connected.store(false, Ordering::Release);
        sent
    }

    /// Hands a packet over. It never waits.
    ///
    /// # Errors
    ///
    /// The connection has ended.
    pub async fn emit(&self, packet: Packet) -> Result<()> {
        self.0.outgoing.send(packet).map_err(|_| Error::Ended)
    }

    /// Whether packets are taken.
    pub fn is_connected(&self) -> bool {
        self.0.connected.load(Ordering::Acquire)
    }
}

impl Stream for Client {
    type Item = Result<Packet>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Nothing in here panics half way.
        let incoming = &mut *self
            .0
            .incoming
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let packet = std::task::ready!(incoming.packets.poll_recv(cx));
        if packet.is_none()
            && let Some(drained) = incoming.drained.take()
        {
            self.0.connected.store(false, Ordering::Release);
            drained();
        }
        Poll::Ready(packet.map(Ok))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use std::sync::atomic::AtomicUsize;
    use tokio::sync::mpsc::{channel, unbounded_channel};

    fn builder() -> ClientBuilder {
        ClientBuilder::new(Url::parse("ws://nowhere.invalid").unwrap())
    }

    #[tokio::test]
    async fn a_client_gets_what_was_handed_over_once() {
        let (_packets, receiver) = channel(1);
        let (outgoing, _taken) = unbounded_channel();
        let connection = Connection {
            packets: receiver,
            outgoing,
            drained: Box::new(|| {}),
        };
        assert_eq!(
            builder().build_websocket().await.unwrap_err(),
            Error::NotHandedOver
        );
        over(connection, async {
            builder().build_websocket().await.unwrap();
            builder().build_websocket().await.unwrap_err();
        })
        .await;
    }

    #[tokio::test]
    async fn the_end_is_told_after_all_that_came_before_and_once() {
        let (packets, receiver) = channel(2);
        let (outgoing, mut taken) = unbounded_channel();
        let told = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&told);
        let connection = Connection {
            packets: receiver,
            outgoing,
            drained: Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
            }),
        };
        let mut client = over(connection, builder().build_websocket()).await.unwrap();
        client.connect().await.unwrap();
        let packet = Packet::new(PacketId::Message, "x\u{1e}y");
        packets.send(packet.clone()).await.unwrap();
        drop(packets);
        assert_eq!(client.next().await, Some(Ok(packet)));
        assert_eq!(told.load(Ordering::Relaxed), 0);
        assert_eq!((client.next().await, client.next().await), (None, None));
        assert_eq!(told.load(Ordering::Relaxed), 1);
        assert!(!client.is_connected());
        client.disconnect().await.unwrap();
        assert_eq!(taken.recv().await.unwrap().packet_id, PacketId::Close);
        drop(taken);
        assert_eq!(client.disconnect().await, Err(Error::Ended));
    }
}
