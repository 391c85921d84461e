//! The real connector: rust_socketio, one OS thread and one runtime for each attempt.
//!
//! rust_socketio leaves tasks and sockets behind when a connection ends in most of the ways in
//! which it can end. With a runtime of its own for each attempt, dropping the runtime clears all of
//! it away. Its own reconnecting is off: when to try is the policy's business.

use super::lookout::Asking;
use super::probe::Probe;
use super::session::{self, Command};
use super::{Connection, Connector, Failure, LinkEvent, Sink};
use crate::contract::Loss;
use crate::settings::{Probing, Secret, ServerUrl};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The namespace in which cr8_engine expects a Blender.
pub const NAMESPACE: &str = "/blender";

/// How long a runtime may take to end: a name lookup cannot be interrupted.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// The name of the threads that run while somebody asks beside the line, or looks a name up.
const ASIDE: &str = "lifeline-probe";
/// How long such a thread waits for more to do.
const KEEP_ALIVE: Duration = Duration::from_millis(100);

/// Connects to one server.
#[derive(Clone, Debug)]
pub struct SocketIo {
    server: ServerUrl,
    token: Secret,
    asking: Option<Asking>,
}

impl SocketIo {
    /// `token` is what must not be seen in any message.
    pub fn new(server: ServerUrl, token: Secret) -> Self {
        SocketIo {
            server,
            token,
            asking: None,
        }
    }

    /// A server that is silent is asked whether it lives.
    pub fn probing(mut self, probing: Probing) -> Self {
        let probe = Probe::new(self.server.reveal());
        self.asking = Some(Asking::new(probing, probe));
        self
    }
}

impl Connector for SocketIo {
    fn connect(&self, id: u64, auth: Value, timeout: Duration, sink: Sink) -> Box<dyn Connection> {
        let (commands, inbox) = unbounded_channel();
        let target = session::Target {
            url: self.server.reveal().to_string(),
            namespace: NAMESPACE.to_string(),
            auth,
            timeout,
            token: self.token.clone(),
            asking: self.asking.clone(),
        };
        let report = move |event: LinkEvent| {
            // The driver may be gone already: then nobody wants to know.
            let _ = sink.send((id, event));
        };
        let failed = report.clone();
        let thread = thread::Builder::new()
            .name(format!("lifeline-link-{id}"))
            .spawn(move || {
                match tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .thread_name(ASIDE)
                    .thread_keep_alive(KEEP_ALIVE)
                    .build()
                {
                    Ok(runtime) => {
                        let session = AssertUnwindSafe(|| {
                            runtime.block_on(session::run(target, inbox, &report));
                        });
                        // The client library may panic over what a server sends: a lost line, no more.
                        if catch_unwind(session).is_err() {
                            report(LinkEvent::Lost {
                                why: Loss::TransportError,
                                detail: "the connection's thread has panicked".to_string(),
                            });
                        }
                        runtime.shutdown_timeout(SHUTDOWN);
                    }
                    Err(error) => report(LinkEvent::Failed(Failure::unreachable(format!(
                        "the connection's event loop cannot be started: {error}"
                    )))),
                }
            });
        let thread = thread.map_err(|error| {
            failed(LinkEvent::Failed(Failure::unreachable(format!(
                "no thread for the connection can be started: {error}"
            ))));
        });
        Box::new(Attempt {
            commands,
            thread: thread.ok(),
        })
    }
}

struct Attempt {
    commands: UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Connection for Attempt {
    fn emit(&self, name: String, data: Option<Value>) {
        // A session that has ended takes nothing more; its end is reported on its own.
        let _ = self.commands.send(Command::Emit { name, data });
    }

    fn end(self: Box<Self>, timeout: Duration) -> bool {
        let Attempt { commands, thread } = *self;
        drop(commands);
        let begun = Instant::now();
        let Some(thread) = thread else { return true };
        while !thread.is_finished() {
            if begun.elapsed() >= timeout {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        thread.join().is_ok()
    }
}
