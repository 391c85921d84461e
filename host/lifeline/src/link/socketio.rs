//! The real connector: rust_socketio, one OS thread and one runtime for each attempt.
//!
//! rust_socketio leaves a task behind when a connection ends in most of the ways in which it can end.
//! With a runtime of its own for each attempt, dropping the runtime clears it away. Its own
//! reconnecting is off: when to try is the policy's business.

use super::pace::Pace;
use super::probe::Probe;
use super::session::{self, Command};
use super::silence_watch::ProbeSchedule;
use super::{Args, Connection, Connector, Failure, LinkEvent, Sink};
use crate::contract::Loss;
use crate::net::{Client, Names};
use crate::settings::{Headers, Probing, Secret, ServerUrl, Trust};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The namespace in which cr8_engine expects a Blender.
pub const NAMESPACE: &str = "/blender";

/// Connects to one server.
#[derive(Clone, Debug)]
pub struct SocketIo {
    server: ServerUrl,
    token: Secret,
    trust: Trust,
    headers: Headers,
    /// One for all attempts, as the pace.
    names: Names,
    pace: Pace,
    schedule: Option<ProbeSchedule>,
}

impl SocketIo {
    /// `token` is what must not be seen in any message.
    pub fn new(server: ServerUrl, token: Secret) -> Self {
        SocketIo {
            server,
            token,
            trust: Trust::default(),
            headers: Headers::default(),
            names: Names::default(),
            pace: Pace::default(),
            schedule: None,
        }
    }

    /// These may vouch for it.
    pub fn trusting(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// These go with the handshake, and with each probe.
    pub fn sending(mut self, headers: Headers) -> Self {
        self.headers = headers;
        self
    }

    fn client(&self, names: Names) -> Client {
        Client::direct(names, self.trust.clone(), self.headers.clone())
    }

    /// A server that is silent is asked whether it lives.
    pub fn probing(mut self, probing: Probing) -> Self {
        let net = self.client(self.names.or_the_last());
        let probe = Probe::new(self.server.reveal(), net, self.pace.clone());
        self.schedule = Some(ProbeSchedule::new(probing, probe, self.pace.clone()));
        self
    }
}

impl Connector for SocketIo {
    fn connect(&self, id: u64, auth: Value, timeout: Duration, sink: Sink) -> Box<dyn Connection> {
        let (commands, inbox) = unbounded_channel();
        // It may have been renewed.
        let shown = auth.get("token").and_then(Value::as_str);
        let token = shown.map_or_else(|| self.token.clone(), Secret::new);
        let target = session::Target {
            url: self.server.reveal().clone(),
            namespace: NAMESPACE.to_string(),
            auth,
            timeout,
            token,
            net: self.client(self.names.clone()),
            pace: self.pace.clone(),
            schedule: self.schedule.clone(),
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

    fn needs(&self, timeout: Duration) -> Duration {
        self.pace.needed(timeout)
    }
}

struct Attempt {
    commands: UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Connection for Attempt {
    fn emit(&self, name: String, args: Args) {
        // A session that has ended takes nothing more; its end is reported on its own.
        let _ = self.commands.send(Command::Emit { name, args });
    }

    fn answer(&self, ack: u64, args: Args) {
        // As above.
        let _ = self.commands.send(Command::Answer { ack, args });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ConnectError;
    use crate::net::{BlackHole, pretend};
    use std::io::{Read, Write};
    use std::net::TcpListener;

    async fn failed(name: &str, timeout: Duration) -> Failure {
        let server = ServerUrl::parse(&format!("ws://{name}:7")).unwrap();
        let (sink, mut events) = unbounded_channel();
        let connector = SocketIo::new(server, Secret::default());
        let _attempt = connector.connect(7, Value::Null, timeout, sink);
        match events.recv().await {
            Some((7, LinkEvent::Failed(failure))) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_second_address_is_connected_to_when_the_first_swallows_everything() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let hole = BlackHole::at("127.0.0.5:0".parse().unwrap()).await;
        pretend("line.test", vec![hole.address, good]);
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream
                .write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
        });
        let failure = failed("line.test", Duration::from_secs(10)).await;
        assert_eq!(failure.why, ConnectError::Refused, "{failure:?}");
        server.join().unwrap();
    }

    #[tokio::test]
    async fn what_there_was_no_more_time_for_is_named() {
        let short = Duration::from_millis(200);
        pretend("hangs.test", vec![]);
        let failure = failed("hangs.test", short).await;
        assert_eq!(failure.why, ConnectError::TimedOut);
        assert!(
            failure
                .detail
                .contains("name hangs.test could not be looked up"),
            "{failure:?}"
        );
        let hole = BlackHole::at("127.0.0.6:0".parse().unwrap()).await;
        pretend("hole.test", vec![hole.address]);
        let failure = failed("hole.test", short).await;
        assert_eq!(failure.why, ConnectError::TimedOut);
        assert!(failure.detail.contains("no address"), "{failure:?}");
    }
}
