//! A server that is up or down as it is told.

use crate::contract::{ConnectError, Loss};
use crate::link::{Args, Connection, Connector, Failure, LinkEvent, ServerEvent, Sink};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The answer to a second attempt at one instant takes this long: who tries again at once would do
/// so for ever in a virtual time that stands still.
const AGAIN: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Script {
    up: bool,
    connection: Option<(u64, Sink)>,
    attempts: Vec<(Instant, bool)>,
}

/// Accepts or refuses every attempt at once, and remembers when it was asked. Clones are the same
/// server.
#[derive(Clone, Default)]
pub(crate) struct ScriptedServer(Arc<Mutex<Script>>);

impl ScriptedServer {
    /// From now on.
    pub fn set(&self, up: bool) {
        self.script().up = up;
    }

    /// It is killed, and stays down.
    pub fn lose(&self) {
        self.end_with(LinkEvent::Lost {
            why: Loss::TransportError,
            detail: "killed".to_string(),
        });
    }

    /// It freezes, and that is found out.
    pub fn freeze(&self) {
        self.end_with(LinkEvent::Frozen {
            detail: "asked twice".to_string(),
        });
    }

    /// It sends an event.
    pub fn say(&self, name: &str, args: Vec<Value>) {
        if let Some((id, sink)) = &self.script().connection {
            // The driver may have ended.
            let event = ServerEvent {
                name: name.to_string(),
                args: args.into(),
                ack: None,
            };
            let _ = sink.send((*id, LinkEvent::Server(event)));
        }
    }

    fn end_with(&self, event: LinkEvent) {
        let mut script = self.script();
        script.up = false;
        if let Some((id, sink)) = script.connection.take() {
            // The driver may have ended.
            let _ = sink.send((id, event));
        }
    }

    /// When it was asked, and whether it has accepted.
    pub fn attempts(&self) -> Vec<(Instant, bool)> {
        self.script().attempts.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Silent;

impl Connection for Silent {
    fn emit(&self, _: String, _: Args) {}

    fn answer(&self, _: u64, _: Args) {}

    fn end(self: Box<Self>, _: Duration) -> bool {
        true
    }
}

impl Connector for ScriptedServer {
    fn connect(&self, id: u64, _: Value, _: Duration, sink: Sink) -> Box<dyn Connection> {
        let mut script = self.script();
        let up = script.up;
        let now = Instant::now();
        let again = script.attempts.last().is_some_and(|(at, _)| *at == now);
        script.attempts.push((now, up));
        let answer = if up {
            LinkEvent::Connected
        } else {
            LinkEvent::Failed(Failure {
                why: ConnectError::Unreachable,
                detail: "refused".to_string(),
            })
        };
        script.connection = up.then_some((id, sink.clone()));
        tokio::spawn(async move {
            if again {
                sleep(AGAIN).await;
            }
            // The driver may have ended.
            let _ = sink.send((id, answer));
        });
        Box::new(Silent)
    }
}
