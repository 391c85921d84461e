//! The server of a day, and what it knows of the connection: the truth that the driver is held against.

use super::trace::Trace;
use crate::contract::{ConnectError, Loss};
use crate::link::{Args, Connection, Connector, Failure, LinkEvent, Sink};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// How it treats attempts to connect. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// Accepted after so long; too long is too late.
    Up(u64),
    /// Nobody listens.
    Unreachable,
    /// Refused after so long.
    Refusing(u64),
    /// Never answered.
    Silent,
}

/// Of the connection to the present Blender.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    /// It is up, since then; or it is not.
    pub connection: Result<Instant, Instant>,
    /// Outages that this Blender should have noticed: lines lost, and a server that was not there at
    /// the first attempt.
    pub outages: u32,
    /// Grows with each change of it.
    pub changes: u64,
}

struct Attempt {
    number: u64,
    id: u64,
    sink: Sink,
    accepted: bool,
}

struct Script {
    weather: Weather,
    attempt: Option<Attempt>,
    attempts: u64,
    /// Blender has not been told yet whether there is a server.
    fresh: bool,
    truth: Truth,
}

/// Clones are the same server.
#[derive(Clone)]
pub(super) struct Server {
    script: Arc<Mutex<Script>>,
    trace: Trace,
    /// An attempt was answered.
    pub changed: Arc<Notify>,
}

impl Server {
    pub fn new(trace: Trace) -> Self {
        let truth = Truth {
            connection: Err(Instant::now()),
            outages: 0,
            changes: 0,
        };
        Server {
            script: Arc::new(Mutex::new(Script {
                weather: Weather::Unreachable,
                attempt: None,
                attempts: 0,
                fresh: true,
                truth,
            })),
            trace,
            changed: Arc::default(),
        }
    }

    /// Another Blender, which has not connected yet.
    pub fn begin_life(&self) {
        let mut script = self.script();
        script.attempt = None;
        script.fresh = true;
        script.truth.outages = 0;
        script.went(false);
    }

    pub fn set(&self, weather: Weather, why: Loss) {
        self.script().weather = weather;
        if !matches!(weather, Weather::Up(_)) {
            self.lose(why);
        }
    }

    /// Drops the connection, if there is one.
    pub fn lose(&self, why: Loss) {
        let mut script = self.script();
        let Some(attempt) = script.attempt.take_if(|attempt| attempt.accepted) else {
            return;
        };
        script.truth.outages += 1;
        script.went(false);
        drop(script);
        self.trace.tell(format_args!("lost: {}", why.name()));
        let detail = "lost".to_string();
        // The driver may have ended.
        let _ = attempt
            .sink
            .send((attempt.id, LinkEvent::Lost { why, detail }));
    }

    pub fn truth(&self) -> Truth {
        self.script().truth
    }

    pub fn is_there(&self) -> bool {
        matches!(self.script().weather, Weather::Up(_))
    }

    fn answer(&self, number: u64, in_time: bool) {
        let mut script = self.script();
        let weather = script.weather;
        let Some(attempt) = script.attempt.as_mut().filter(|it| it.number == number) else {
            return; // given up
        };
        let (id, sink) = (attempt.id, attempt.sink.clone());
        attempt.accepted = in_time && matches!(weather, Weather::Up(_));
        let event = if attempt.accepted {
            script.fresh = false;
            script.went(true);
            LinkEvent::Connected
        } else {
            script.attempt = None;
            script.truth.outages += u32::from(script.fresh);
            script.fresh = false;
            let why = match weather {
                _ if !in_time => ConnectError::TimedOut,
                Weather::Refusing(_) => ConnectError::Refused,
                _ => ConnectError::Unreachable,
            };
            let detail = format!("{why:?}");
            LinkEvent::Failed(Failure { why, detail })
        };
        drop(script);
        self.trace.tell(format_args!("attempt {number}: {event:?}"));
        // As above.
        let _ = sink.send((id, event));
        self.changed.notify_one();
    }

    fn hang_up(&self, number: u64) {
        let mut script = self.script();
        let current = script.attempt.take_if(|attempt| attempt.number == number);
        if current.is_some_and(|attempt| attempt.accepted) {
            script.went(false);
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

impl Script {
    fn went(&mut self, up: bool) {
        let now = Instant::now();
        self.truth.connection = if up { Ok(now) } else { Err(now) };
        self.truth.changes += 1;
    }
}

struct Dialled {
    server: Server,
    number: u64,
}

impl Connection for Dialled {
    fn emit(&self, _: String, _: Args) {}

    fn answer(&self, _: u64, _: Args) {}

    fn end(self: Box<Self>, _: Duration) -> bool {
        true
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        self.server.hang_up(self.number);
    }
}

impl Connector for Server {
    fn connect(&self, id: u64, _: Value, timeout: Duration, sink: Sink) -> Box<dyn Connection> {
        let mut script = self.script();
        script.attempts += 1;
        let number = script.attempts;
        script.attempt = Some(Attempt {
            number,
            id,
            sink,
            accepted: false,
        });
        let millis = Duration::from_millis;
        let after = match script.weather {
            Weather::Up(after) | Weather::Refusing(after) => millis(after),
            // Time must pass, or a policy that tries again at once would do so for ever.
            Weather::Unreachable => millis(1),
            Weather::Silent => timeout,
        };
        drop(script);
        let (server, in_time) = (self.clone(), after < timeout);
        tokio::spawn(async move {
            sleep(after.min(timeout)).await;
            server.answer(number, in_time);
        });
        let server = self.clone();
        Box::new(Dialled { server, number })
    }
}
