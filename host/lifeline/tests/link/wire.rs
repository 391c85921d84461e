//! One connection under test.

use crate::engine::TOKEN;
use lifeline::link::{Connection, Connector, LinkEvent, SocketIo};
use lifeline::settings::{Secret, ServerUrl};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::timeout;

static PROCESS: RwLock<()> = RwLock::const_new(());

/// Threads and sockets are counted for the whole process: no other test runs meanwhile.
pub async fn alone() -> RwLockWriteGuard<'static, ()> {
    PROCESS.write().await
}

/// Beside others that do not count.
pub async fn beside_others() -> RwLockReadGuard<'static, ()> {
    PROCESS.read().await
}

pub fn connector(url: &str, token: &str) -> SocketIo {
    let server = ServerUrl::parse(url).expect("a URL");
    SocketIo::new(server, Secret::new(token))
}

pub struct Wire {
    pub connection: Box<dyn Connection>,
    events: UnboundedReceiver<(u64, LinkEvent)>,
}

impl Wire {
    pub fn begin(url: &str, token: &str, limit: Duration) -> Self {
        Wire::by(&connector(url, token), token, limit)
    }

    /// By a connector that may have made others before.
    pub fn by(connector: &SocketIo, token: &str, limit: Duration) -> Self {
        let auth = json!({"token": token, "username": "ann", "blend_file_path": "/tmp/a.blend"});
        let (sink, events) = unbounded_channel();
        let connection = connector.connect(7, auth, limit, sink);
        Wire { connection, events }
    }

    /// Connected, as the right user.
    pub async fn up(url: &str) -> Self {
        Wire::up_by(&connector(url, TOKEN)).await
    }

    /// The same, by a connector that may have made others before.
    pub async fn up_by(connector: &SocketIo) -> Self {
        let mut wire = Wire::by(connector, TOKEN, Duration::from_secs(10));
        assert_eq!(wire.next(10.0).await, Some(LinkEvent::Connected));
        wire
    }

    /// The next event within so many seconds; None: there was none.
    pub async fn next(&mut self, seconds: f64) -> Option<LinkEvent> {
        let event = timeout(Duration::from_secs_f64(seconds), self.events.recv())
            .await
            .ok()??;
        assert_eq!(event.0, 7, "the id of the attempt");
        Some(event.1)
    }

    /// After its last event a connection ends by itself, and says no more.
    pub async fn assert_ended(mut self) {
        assert_eq!(self.next(0.2).await, None);
        assert!(
            self.connection.end(Duration::from_secs(5)),
            "its thread has ended"
        );
    }
}
