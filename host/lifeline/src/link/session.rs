//! One attempt, from the first packet to the loss.
//!
//! [`transport`] opens the connection, takes the server's events and knows how it ends; rust_socketio
//! says who we are, and what becomes of that. All of it comes by one channel. An event may be heard
//! before the crate has said what came earlier, so none is told before the namespace is accepted: that
//! is also what keeps those that a server sends while it still makes up its mind.

use super::pace::Pace;
use super::silence_watch::{ProbeSchedule, SilenceWatch};
use super::transport::{self, Closed, GOODBYE, Heard, Kind, LONGEST, Wire, packets};
use super::{Args, Failure, LinkEvent};
use crate::contract::{ConnectError, Loss};
use crate::net::{Client as Net, Place};
use crate::settings::Secret;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rust_engineio::{Connection, Packet};
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use serde_json::Value;
use std::cell::Cell;
use std::future::pending;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use url::Url;

/// Where to, and as whom.
pub(super) struct Target {
    pub url: Url,
    pub namespace: String,
    pub auth: Value,
    pub timeout: Duration,
    pub token: Secret,
    pub net: Net,
    pub pace: Pace,
    /// None: a silent server is left to the pings.
    pub schedule: Option<ProbeSchedule>,
}

/// What the owner of a connection wants.
pub(super) enum Command {
    Emit { name: String, args: Args },
    Answer { ack: u64, args: Args },
}

/// What is said of the server.
enum Signal {
    /// The namespace is accepted.
    Open,
    /// It is refused: the server's JSON.
    Refused(String),
    /// The server has said goodbye.
    Close,
    Heard(Heard),
    /// The server has sent something else than Socket.IO: nothing more is taken.
    Error(String),
    /// The connection has ended, and all that came before has been told.
    Ended,
}

/// Packets that rust_socketio has not taken yet. More than these wait in the socket.
const QUEUE: usize = 64;
/// After the end of a connection rust_socketio takes what has come at once, unless it has panicked.
const DRAIN: Duration = Duration::from_secs(1);
/// The connection is open already.
const NOWHERE: &str = "ws://handed.over/socket.io/";
/// How a refusal begins in the crate's error text; the server's JSON follows.
const REFUSAL: &str = "Received an ConnectError frame: ";

/// Runs until the attempt has failed, the connection is lost, or its owner has gone.
pub(super) async fn run(
    target: Target,
    mut inbox: UnboundedReceiver<Command>,
    report: &impl Fn(LinkEvent),
) {
    let place = Cell::default();
    let begun = Instant::now();
    let deadline = begun + target.pace.attempt(target.timeout);
    let connected = tokio::select! {
        outcome = timeout_at(deadline, connect(&target, &place)) => outcome.unwrap_or_else(|_| {
            Err(Failure::timed_out(transport::too_late(place.get(), &target.url)))
        }),
        // Nothing is sent before the connection is up: this is the owner going away.
        () = gone(&mut inbox) => {
            // By a policy that has waited for as long as was set.
            if begun.elapsed() >= target.timeout {
                target.pace.timed_out();
            }
            return;
        }
    };
    let mut line = match connected {
        Ok(line) => {
            target.pace.in_time();
            line
        }
        Err(Failure { why, detail }) => {
            if why == ConnectError::TimedOut {
                target.pace.timed_out();
            } else {
                target.pace.in_time();
            }
            let detail = target.token.redact(&detail);
            return report(LinkEvent::Failed(Failure { why, detail }));
        }
    };
    report(LinkEvent::Connected);
    for heard in std::mem::take(&mut line.early) {
        report(heard.into());
    }
    let silence_watch = target
        .schedule
        .clone()
        .map(|schedule| SilenceWatch::new(schedule, line.activity.clone()));
    let redacted = |detail: String| target.token.redact(&detail);
    match talk(&mut line, &mut inbox, silence_watch, &target, report).await {
        End::Lost(why, detail) => report(LinkEvent::Lost {
            why,
            detail: redacted(detail),
        }),
        End::Frozen(detail) => report(LinkEvent::Frozen {
            detail: redacted(detail),
        }),
        End::Unwanted => line.goodbye().await,
    }
}

async fn gone(inbox: &mut UnboundedReceiver<Command>) {
    while inbox.recv().await.is_some() {}
}

/// A connection, and who speaks over it.
struct Line {
    client: Client,
    /// The connection goes on while this is polled.
    wire: BoxFuture<'static, Closed>,
    activity: crate::net::Activity,
    /// How it has ended, and when.
    closed: Option<(Closed, Instant)>,
    heard: UnboundedReceiver<Signal>,
    /// Sends what rust_socketio cannot.
    outgoing: UnboundedSender<Packet>,
    /// What has come before the namespace was accepted.
    early: Vec<Heard>,
    early_bytes: usize,
}

impl From<Heard> for LinkEvent {
    fn from(heard: Heard) -> Self {
        match heard {
            Heard::Event(event) => LinkEvent::Server(event),
            Heard::Unreadable(why) => LinkEvent::Unreadable(why),
        }
    }
}

impl Line {
    /// Kept until the namespace is accepted. Only so much: a server that never accepts it fills no
    /// memory.
    fn keep(&mut self, heard: Heard) {
        let bytes = match &heard {
            Heard::Event(event) => event.size(),
            Heard::Unreadable(why) => why.len(),
        };
        self.early_bytes = self.early_bytes.saturating_add(bytes);
        if self.early_bytes <= LONGEST {
            self.early.push(heard);
        } else if let Some(Heard::Event(_)) = self.early.last() {
            let why = "more came before the connection was accepted than can be kept";
            self.early.push(Heard::Unreadable(why.into()));
        }
    }

    /// What the server says next. May be dropped.
    async fn next(&mut self) -> Signal {
        loop {
            let drained = self.closed.as_ref().map(|(_, at)| *at + DRAIN);
            tokio::select! {
                biased;
                closed = &mut self.wire, if drained.is_none() => {
                    self.closed = Some((closed, Instant::now()));
                }
                Some(signal) = self.heard.recv() => return signal,
                () = sleep_until(drained.unwrap_or_else(Instant::now)), if drained.is_some() => {
                    return Signal::Ended;
                }
            }
        }
    }

    /// How the connection has ended.
    fn closed(&mut self) -> Closed {
        self.closed
            .take()
            .map_or(Closed::Unwanted, |(closed, _)| closed)
    }

    /// It never waits. Where it cannot be sent, the connection ends, and says how.
    async fn send(&mut self, command: Command, namespace: &str) {
        let sent = match command {
            Command::Emit { name, args } if args.attachments.is_empty() => {
                let payload = Payload::Text(args.values);
                let _ = self.client.emit(Event::Custom(name), payload).await;
                return;
            }
            Command::Emit { name, mut args } => {
                args.values.insert(0, name.into());
                packets(Kind::Event, namespace, None, args)
            }
            Command::Answer { ack, args } => packets(Kind::Answer, namespace, Some(ack), args),
        };
        for packet in sent {
            let _ = self.outgoing.send(packet);
        }
    }

    /// Sent or not: the server finds out by itself.
    async fn goodbye(&mut self) {
        // It never waits: the packets are handed over.
        let _ = self.client.disconnect().await;
        if self.closed.is_none() {
            let _ = timeout(GOODBYE, &mut self.wire).await;
        }
    }
}

/// Until the server has accepted the namespace.
async fn connect(target: &Target, place: &Cell<Place>) -> Result<Line, Failure> {
    let wire = transport::open(&target.net, &target.url, &target.pace, place).await?;
    let mut line = speak(target, wire).await?;
    loop {
        match line.next().await {
            Signal::Open => return Ok(line),
            Signal::Refused(json) => {
                let reason = refusal(&json, &target.token);
                return Err(Failure::refused(&reason));
            }
            Signal::Close => return Err(Failure::refused("it said goodbye at once")),
            Signal::Heard(heard) => line.keep(heard),
            Signal::Error(what) => return Err(Failure::unreachable(no_socketio(&what))),
            Signal::Ended => return Err(Failure::unreachable(line.closed().words())),
        }
    }
}

/// Hands the connection to rust_socketio.
async fn speak(target: &Target, wire: Wire) -> Result<Line, Failure> {
    let (signals, heard) = unbounded_channel();
    let (packets, receiver) = channel(QUEUE);
    let (outgoing, taken) = unbounded_channel();
    let (ended, told) = (signals.clone(), signals.clone());
    let connection = Connection {
        packets: receiver,
        outgoing: outgoing.clone(),
        // The session may have ended already.
        drained: Box::new(move || drop(ended.send(Signal::Ended))),
    };
    let activity = wire.activity();
    let client = rust_engineio::over(connection, builder(target, &signals).connect())
        .await
        .map_err(|error| Failure::unreachable(error.to_string()))?;
    let namespace = target.namespace.clone();
    let wire = async move {
        // As above.
        let hear = move |heard| drop(told.send(Signal::Heard(heard)));
        wire.run(&namespace, hear, packets, taken).await
    };
    Ok(Line {
        client,
        wire: wire.boxed(),
        activity,
        closed: None,
        heard,
        outgoing,
        early: Vec::new(),
        early_bytes: 0,
    })
}

fn no_socketio(what: &str) -> String {
    format!("the server has sent what is no Socket.IO: {what}")
}

/// What of a refusal is told, in characters: it goes into status, journal and panel.
const REFUSAL_CHARACTERS: usize = 200;

/// The server's message out of its JSON, or the JSON, in one line of bounded length.
fn refusal(json: &str, token: &Secret) -> String {
    let said = said(json, token);
    said.chars()
        .filter(|it| !it.is_control())
        .take(REFUSAL_CHARACTERS)
        .collect()
}

/// Without the token: in the JSON it may stand with escapes, where nobody would find it.
fn said(json: &str, token: &Secret) -> String {
    let Ok(value) = serde_json::from_str::<Value>(json) else {
        return token.redact(json);
    };
    let message = match &value {
        Value::String(text) => Some(text.as_str()),
        Value::Object(map) => map.get("message").and_then(Value::as_str),
        _ => None,
    };
    message.map_or_else(
        || redacted(&value, token).to_string(),
        |text| token.redact(text),
    )
}

fn redacted(value: &Value, token: &Secret) -> Value {
    match value {
        Value::String(text) => Value::String(token.redact(text)),
        Value::Array(items) => items.iter().map(|item| redacted(item, token)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, item)| (token.redact(name), redacted(item, token)))
            .collect(),
        other => other.clone(),
    }
}

/// How a connection ends.
enum End {
    /// It is lost: how, and in words.
    Lost(Loss, String),
    /// It stands, but the server does not: in words.
    Frozen(String),
    /// Its owner has gone.
    Unwanted,
}

/// Until the connection ends.
async fn talk(
    line: &mut Line,
    inbox: &mut UnboundedReceiver<Command>,
    mut silence_watch: Option<SilenceWatch>,
    target: &Target,
    report: &impl Fn(LinkEvent),
) -> End {
    loop {
        tokio::select! {
            signal = line.next() => match signal {
                Signal::Heard(heard) => {
                    if let Some(silence_watch) = &mut silence_watch {
                        silence_watch.heard();
                    }
                    report(heard.into());
                }
                Signal::Close => {
                    return End::Lost(Loss::ServerDisconnect, "the server said goodbye".into());
                }
                Signal::Error(what) => return End::Lost(Loss::TransportError, no_socketio(&what)),
                Signal::Ended => {
                    let closed = line.closed();
                    return End::Lost(closed.loss(), closed.words());
                }
                Signal::Open => {}
                Signal::Refused(json) => {
                    let reason = refusal(&json, &target.token);
                    let said = format!("the server does not accept this Blender any more: {reason}");
                    return End::Lost(Loss::ServerDisconnect, said);
                }
            },
            command = inbox.recv() => match command {
                Some(command) => {
                    if let Some(silence_watch) = &mut silence_watch {
                        silence_watch.sent();
                    }
                    line.send(command, &target.namespace).await;
                }
                None => return End::Unwanted,
            },
            () = async { match &mut silence_watch {
                Some(silence_watch) => silence_watch.wait().await,
                None => pending().await,
            }} => if let Some(frozen) = silence_watch.as_mut().and_then(SilenceWatch::look) {
                return End::Frozen(frozen);
            },
        }
    }
}

fn builder(target: &Target, signals: &UnboundedSender<Signal>) -> ClientBuilder {
    let (open, close, error) = (signals.clone(), signals.clone(), signals.clone());
    let say = |signals: &UnboundedSender<Signal>, signal: Signal| {
        // The session may have ended already.
        let _ = signals.send(signal);
        async {}.boxed()
    };
    ClientBuilder::new(NOWHERE)
        .namespace(&target.namespace)
        .transport_type(TransportType::Websocket)
        .auth(target.auth.clone())
        .reconnect(false)
        .reconnect_on_disconnect(false)
        .on(Event::Connect, move |_, _| say(&open, Signal::Open))
        .on(Event::Close, move |_, _| say(&close, Signal::Close))
        .on(Event::Error, move |payload, _| {
            say(&error, trouble(words(payload)))
        })
}

/// As the crate's own error says it.
fn trouble(text: String) -> Signal {
    match text.strip_prefix(REFUSAL) {
        Some(json) => Signal::Refused(json.to_string()),
        None => Signal::Error(text),
    }
}

fn words(payload: Payload) -> String {
    match payload {
        Payload::Text(args) => match args.as_slice() {
            [Value::String(text)] => text.clone(),
            _ => Value::Array(args).to_string(),
        },
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_reason_for_a_refusal() {
        let token = Secret::new("a\"quoted\"token");
        let told = |json: &str| refusal(json, &token);
        let long = serde_json::json!("x\n".repeat(1000)).to_string();
        assert_eq!(told(&long), "x".repeat(REFUSAL_CHARACTERS));
        assert_eq!(told(r#"{"message":"bad token"}"#), "bad token");
        assert_eq!(told(r#""bad token""#), "bad token");
        assert_eq!(told("[1]"), "[1]");
        assert_eq!(
            told(r#"{"got":["a\"quoted\"token"]}"#),
            r#"{"got":["***"]}"#
        );
    }
}
