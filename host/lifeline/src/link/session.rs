//! One attempt, from the first packet to the loss.
//!
//! What rust_socketio does not tell, found here:
//! - `connect()` returns when the transport is up; the namespace is up at `Event::Connect`;
//! - a refusal is an `Event::Error` after an Ok; its tasks stay;
//! - a server that is stopped closes the websocket without any event: only the poll task ends, so
//!   the runtime's tasks are counted;
//! - a send into a frozen server never returns: each has a time limit;
//! - an application event named `error`, `open` or `close` looks like the crate's own: an error
//!   counts as a loss only when the poll task has ended, too;
//! - an event without data arrives under the name `message`.

use super::lookout::{Asking, Lookout};
use super::{Failure, LinkEvent};
use crate::contract::Loss;
use crate::settings::Secret;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use serde_json::Value;
use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

/// Where to, and as whom.
pub(super) struct Target {
    pub url: String,
    pub namespace: String,
    pub auth: Value,
    pub timeout: Duration,
    pub token: Secret,
    /// None: a silent server is left to the pings.
    pub asking: Option<Asking>,
}

/// What the owner of a connection wants.
pub(super) enum Command {
    Emit { name: String, data: Option<Value> },
}

/// What the callbacks say. They only send it on: a callback that blocks delays the PONG.
enum Signal {
    Open,
    Close,
    Error(String),
    Event { name: String, args: Vec<Value> },
}

/// How often the poll task is looked after, for the ends that come without an event.
const LOOK: Duration = Duration::from_millis(20);
/// A send that takes longer than this has no reader.
const SEND: Duration = Duration::from_secs(10);
/// A goodbye is not worth waiting for.
const GOODBYE: Duration = Duration::from_millis(250);
/// How a refusal begins in the crate's error text; the server's JSON follows.
const REFUSAL: &str = "Received an ConnectError frame: ";

/// Runs until the attempt has failed, the connection is lost, or its owner has gone.
pub(super) async fn run(
    target: Target,
    mut inbox: UnboundedReceiver<Command>,
    report: &impl Fn(LinkEvent),
) {
    let deadline = Instant::now() + target.timeout;
    let (signals, mut heard) = unbounded_channel();
    let connecting = async {
        let client = timeout_at(deadline, builder(&target, &signals).connect())
            .await
            .map_err(|_| Failure::timed_out())?
            .map_err(|error| Failure::from_error(&error))?;
        match timeout_at(deadline, accepted(&mut heard, &target.token)).await {
            Ok(Ok(())) => Ok(client),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::timed_out()),
        }
    };
    let client = tokio::select! {
        outcome = connecting => match outcome {
            Ok(client) => client,
            Err(Failure { why, detail }) => {
                let detail = target.token.redact(&detail);
                return report(LinkEvent::Failed(Failure { why, detail }));
            }
        },
        // Nothing is sent before the connection is up: this is the owner going away.
        () = gone(&mut inbox) => return,
    };
    report(LinkEvent::Connected);
    let lookout = target.asking.map(Lookout::new);
    let redacted = |detail: String| target.token.redact(&detail);
    match talk(&client, &mut heard, &mut inbox, lookout, report).await {
        End::Lost(why, detail) => report(LinkEvent::Lost {
            why,
            detail: redacted(detail),
        }),
        End::Frozen(detail) => report(LinkEvent::Frozen {
            detail: redacted(detail),
        }),
        End::Unwanted => {
            // Sent or not: the server finds out by itself.
            let _ = timeout(GOODBYE, client.disconnect()).await;
        }
    }
}

async fn gone(inbox: &mut UnboundedReceiver<Command>) {
    while inbox.recv().await.is_some() {}
}

/// Waits until the server has accepted the namespace.
async fn accepted(heard: &mut UnboundedReceiver<Signal>, token: &Secret) -> Result<(), Failure> {
    let mut look = ticker();
    let mut error = None;
    loop {
        tokio::select! {
            biased;
            signal = heard.recv() => match signal {
                Some(Signal::Open) => return Ok(()),
                Some(Signal::Error(text)) => match text.strip_prefix(REFUSAL) {
                    Some(reason) => return Err(Failure::refused(&refusal(reason, token))),
                    None => error = Some(text),
                },
                Some(Signal::Close) => return Err(Failure::refused("it said goodbye at once")),
                Some(Signal::Event { .. }) => {}
                None => return Err(ended(error)),
            },
            _ = look.tick() => if poll_task_has_ended() {
                return Err(ended(error));
            },
        }
    }
}

fn ended(error: Option<String>) -> Failure {
    Failure::unreachable(error.unwrap_or_else(|| "the server closed the connection".into()))
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
    client: &Client,
    heard: &mut UnboundedReceiver<Signal>,
    inbox: &mut UnboundedReceiver<Command>,
    mut lookout: Option<Lookout>,
    report: &impl Fn(LinkEvent),
) -> End {
    let mut look = ticker();
    let mut error: Option<String> = None;
    let mut waiting = VecDeque::new();
    let mut sending: Option<BoxFuture<'_, Result<(), String>>> = None;
    loop {
        if sending.is_none() {
            sending = waiting
                .pop_front()
                .map(|(name, data)| send(client, name, data));
        }
        tokio::select! {
            biased;
            signal = heard.recv() => match signal {
                Some(Signal::Event { name, args }) => {
                    if let Some(lookout) = &mut lookout {
                        lookout.heard();
                    }
                    report(LinkEvent::Server { name, args });
                }
                Some(Signal::Close) => {
                    return End::Lost(Loss::ServerDisconnect, "the server said goodbye".into());
                }
                // Only the poll task's end makes it a loss; it comes at once if it comes.
                Some(Signal::Error(text)) => {
                    error = Some(text);
                    look.reset_immediately();
                }
                Some(Signal::Open) => {}
                None => return loss(client, error).await,
            },
            _ = look.tick() => if poll_task_has_ended() {
                return loss(client, error).await;
            },
            sent = async { sending.as_mut()?.await.err().or_else(|| Some(String::new())) },
                if sending.is_some() => {
                sending = None;
                match sent.as_deref() {
                    Some(TOO_LONG) => return End::Lost(Loss::PingTimeout, TOO_LONG.into()),
                    Some("") | None => {}
                    // A transport that cannot send ends its poll task as well.
                    Some(text) => error = Some(text.to_string()),
                }
            }
            command = inbox.recv() => match command {
                Some(Command::Emit { name, data }) => {
                    if let Some(lookout) = &mut lookout {
                        lookout.sent();
                    }
                    waiting.push_back((name, data));
                }
                None => return End::Unwanted,
            },
            () = async { match &mut lookout {
                Some(lookout) => lookout.wait().await,
                None => pending().await,
            }} => if let Some(frozen) = lookout.as_mut().and_then(Lookout::look) {
                return End::Frozen(frozen);
            },
        }
    }
}

const TOO_LONG: &str = "the server takes nothing any more";

fn send(client: &Client, name: String, data: Option<Value>) -> BoxFuture<'_, Result<(), String>> {
    async move {
        let payload = Payload::Text(data.into_iter().collect());
        match timeout(SEND, client.emit(Event::Custom(name), payload)).await {
            Ok(sent) => sent.map_err(|error| Failure::from_error(&error).detail),
            Err(_) => Err(TOO_LONG.to_string()),
        }
    }
    .boxed()
}

/// Which kind of loss it was. The crate's errors all read "EngineIO Error", but it closes the
/// connection itself, and only then, when no PING came in time: after that it sends nothing more.
async fn loss(client: &Client, error: Option<String>) -> End {
    if error.is_none() {
        return End::Lost(
            Loss::TransportError,
            "the server closed the connection".into(),
        );
    }
    match timeout(GOODBYE, client.disconnect()).await {
        Ok(Err(rust_socketio::Error::IllegalActionBeforeOpen())) => {
            End::Lost(Loss::PingTimeout, "the server stopped answering".into())
        }
        _ => End::Lost(Loss::TransportError, "the connection broke".into()),
    }
}

/// The crate's poll task is the only task in this runtime.
fn poll_task_has_ended() -> bool {
    Handle::current().metrics().num_alive_tasks() == 0
}

fn ticker() -> tokio::time::Interval {
    let mut ticker = interval(LOOK);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticker
}

fn builder(target: &Target, signals: &UnboundedSender<Signal>) -> ClientBuilder {
    let (open, close, error, any) = (
        signals.clone(),
        signals.clone(),
        signals.clone(),
        signals.clone(),
    );
    let say = |signals: &UnboundedSender<Signal>, signal| {
        // The session may have ended already.
        let _ = signals.send(signal);
        async {}.boxed()
    };
    ClientBuilder::new(&target.url)
        .namespace(&target.namespace)
        .transport_type(TransportType::Websocket)
        .auth(target.auth.clone())
        .reconnect(false)
        .reconnect_on_disconnect(false)
        .on(Event::Connect, move |_, _| say(&open, Signal::Open))
        .on(Event::Close, move |payload, _| {
            // The crate's own close has an empty text; an application event of that name has data.
            let own = matches!(&payload, Payload::Text(args) if args.as_slice() == [Value::String(String::new())]);
            let args = arguments(payload);
            say(&close, if own { Signal::Close } else { Signal::Event { name: "close".into(), args } })
        })
        .on(Event::Error, move |payload, _| say(&error, Signal::Error(words(payload))))
        .on_any(move |event, payload, _| say(&any, server_event(event, payload)))
}

fn server_event(event: Event, payload: Payload) -> Signal {
    let args = arguments(payload);
    match (event, args.as_slice()) {
        (Event::Message, [Value::String(name)]) => Signal::Event {
            name: name.clone(),
            args: Vec::new(),
        },
        (event, _) => Signal::Event {
            name: String::from(event),
            args,
        },
    }
}

/// Binary payloads are not part of this protocol, and the crate cannot carry all of them.
fn arguments(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(args) => args,
        _ => Vec::new(),
    }
}

fn words(payload: Payload) -> String {
    let words: Vec<String> = arguments(payload)
        .into_iter()
        .map(|arg| match arg {
            Value::String(text) => text,
            other => other.to_string(),
        })
        .collect();
    words.join(" ")
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

    #[test]
    fn an_event_without_data_has_its_own_name() {
        let signal = server_event(Event::Message, Payload::Text(vec![json!("ping_blender")]));
        let Signal::Event { name, args } = signal else {
            panic!()
        };
        assert_eq!((name.as_str(), args), ("ping_blender", vec![]));
    }

    #[test]
    fn an_event_with_data_keeps_it() {
        let payload = Payload::Text(vec![json!({"a": 1})]);
        let Signal::Event { name, args } = server_event(Event::Custom("x".into()), payload) else {
            panic!()
        };
        assert_eq!((name.as_str(), args), ("x", vec![json!({"a": 1})]));
    }
}
