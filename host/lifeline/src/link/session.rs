//! One attempt, from the first packet to the loss.
//!
//! [`transport`] opens the connection and knows how it ends; rust_socketio speaks Socket.IO over it,
//! and says what the server says: its callbacks and the end of the connection come by one channel, in
//! the order in which they happened.

use super::pace::Pace;
use super::silence_watch::{ProbeSchedule, SilenceWatch};
use super::transport::{self, Closed, GOODBYE, Wire, unmark};
use super::{Failure, LinkEvent};
use crate::contract::{ConnectError, Loss};
use crate::net::{Client as Net, Place};
use crate::settings::Secret;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rust_engineio::Connection;
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
    Emit { name: String, data: Option<Value> },
}

/// What rust_socketio says of the server.
enum Signal {
    /// The namespace is accepted.
    Open,
    /// It is refused: the server's JSON.
    Refused(String),
    /// The server has said goodbye.
    Close,
    Event {
        name: String,
        args: Vec<Value>,
    },
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
    let silence_watch = target
        .schedule
        .map(|schedule| SilenceWatch::new(schedule, line.activity.clone()));
    let redacted = |detail: String| target.token.redact(&detail);
    match talk(&mut line, &mut inbox, silence_watch, &target.token, report).await {
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
}

impl Line {
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
            Signal::Event { .. } => {}
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
    let ended = signals.clone();
    let connection = Connection {
        packets: receiver,
        outgoing,
        // The session may have ended already.
        drained: Box::new(move || drop(ended.send(Signal::Ended))),
    };
    let activity = wire.activity();
    let client = rust_engineio::over(connection, builder(target, &signals).connect())
        .await
        .map_err(|error| Failure::unreachable(error.to_string()))?;
    Ok(Line {
        client,
        wire: wire.run(packets, taken).boxed(),
        activity,
        closed: None,
        heard,
    })
}

fn no_socketio(what: &str) -> String {
    format!("the server has sent what is no Socket.IO: {what}")
}

/// The server's message out of its JSON, or the JSON, without the token: in the JSON it may stand
/// with escapes, where nobody would find it.
fn refusal(json: &str, token: &Secret) -> String {
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
    token: &Secret,
    report: &impl Fn(LinkEvent),
) -> End {
    loop {
        tokio::select! {
            signal = line.next() => match signal {
                Signal::Event { name, args } => {
                    if let Some(silence_watch) = &mut silence_watch {
                        silence_watch.heard();
                    }
                    report(LinkEvent::Server { name, args });
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
                    let reason = refusal(&json, token);
                    let said = format!("the server does not accept this Blender any more: {reason}");
                    return End::Lost(Loss::ServerDisconnect, said);
                }
            },
            command = inbox.recv() => match command {
                Some(Command::Emit { name, data }) => {
                    if let Some(silence_watch) = &mut silence_watch {
                        silence_watch.sent();
                    }
                    let payload = Payload::Text(data.into_iter().collect());
                    // It never waits. Where it cannot be sent, the connection ends, and says how.
                    let _ = line.client.emit(Event::Custom(name), payload).await;
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
    let (open, close, error, any) = (
        signals.clone(),
        signals.clone(),
        signals.clone(),
        signals.clone(),
    );
    let say = |signals: &UnboundedSender<Signal>, signal: Option<Signal>| {
        if let Some(signal) = signal {
            // The session may have ended already.
            let _ = signals.send(signal);
        }
        async {}.boxed()
    };
    ClientBuilder::new(NOWHERE)
        .namespace(&target.namespace)
        .transport_type(TransportType::Websocket)
        .auth(target.auth.clone())
        .reconnect(false)
        .reconnect_on_disconnect(false)
        .on(Event::Connect, move |_, _| say(&open, Some(Signal::Open)))
        .on(Event::Close, move |_, _| say(&close, Some(Signal::Close)))
        .on(Event::Error, move |payload, _| {
            say(&error, Some(trouble(words(payload))))
        })
        .on_any(move |event, payload, _| say(&any, server_event(&event, payload)))
}

/// As the crate's own error says it.
fn trouble(text: String) -> Signal {
    match text.strip_prefix(REFUSAL) {
        Some(json) => Signal::Refused(json.to_string()),
        None => Signal::Error(text),
    }
}

/// The crate calls an event without data a message, with its name as the data.
fn server_event(event: &Event, payload: Payload) -> Option<Signal> {
    let Payload::Text(args) = payload else {
        return None; // none comes with attachments: see `transport`
    };
    let (name, args) = match (event, args.as_slice()) {
        (Event::Message, [Value::String(name)]) => (unmark(name)?.to_string(), Vec::new()),
        (Event::Custom(name), _) => (unmark(name)?.to_string(), args),
        _ => return None,
    };
    Some(Signal::Event { name, args })
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
    use serde_json::json;

    #[test]
    fn the_servers_reason_for_a_refusal() {
        let token = Secret::new("a\"quoted\"token");
        let told = |json: &str| refusal(json, &token);
        assert_eq!(told(r#"{"message":"bad token"}"#), "bad token");
        assert_eq!(told(r#""bad token""#), "bad token");
        assert_eq!(told("[1]"), "[1]");
        assert_eq!(
            told(r#"{"got":["a\"quoted\"token"]}"#),
            r#"{"got":["***"]}"#
        );
    }

    fn event(event: &Event, args: Vec<Value>) -> Option<(String, Vec<Value>)> {
        match server_event(event, Payload::Text(args))? {
            Signal::Event { name, args } => Some((name, args)),
            _ => None,
        }
    }

    #[test]
    fn an_event_has_its_own_name_with_data_and_without() {
        let bare = event(&Event::Message, vec![json!("+ping_blender")]);
        assert_eq!(bare, Some(("ping_blender".into(), vec![])));
        let args = vec![json!({"a": 1}), json!(2)];
        let full = event(&Event::Custom("+error".into()), args.clone());
        assert_eq!(full, Some(("error".into(), args)));
        assert_eq!(event(&Event::Message, vec![json!(1)]), None);
    }
}
