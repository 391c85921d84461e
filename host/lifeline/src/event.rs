//! What the host thread tells Blender's main thread, and the queue in which it waits to be polled.

use crate::contract::Place;
pub use lifeline_core::Reason;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For developers.
    Debug,
    /// For everybody.
    Info,
    /// Something is wrong.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    /// The name that Python's logging gives it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// A line for the log: a sentence for people, and the same for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// How loud.
    pub level: Level,
    /// What has happened: a name in kebab-case that stays the same, whatever the sentence.
    pub event: &'static str,
    /// The sentence.
    pub message: String,
    /// The values in it, by name; lengths of time are seconds.
    pub fields: Map<String, Value>,
}

impl LogLine {
    fn new(level: Level, event: &'static str, message: impl Into<String>) -> Self {
        LogLine {
            level,
            event,
            message: message.into(),
            fields: Map::new(),
        }
    }

    /// For everybody.
    pub fn info(event: &'static str, message: impl Into<String>) -> Self {
        LogLine::new(Level::Info, event, message)
    }

    /// Something is wrong.
    pub fn warning(event: &'static str, message: impl Into<String>) -> Self {
        LogLine::new(Level::Warning, event, message)
    }

    /// Something failed.
    pub fn error(event: &'static str, message: impl Into<String>) -> Self {
        LogLine::new(Level::Error, event, message)
    }

    /// Adds a value. Like the sentence it must not hold a secret.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_string(), value.into());
        self
    }
}

/// Something that happened. Times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// For the log.
    Log(LogLine),
    /// The server accepted the connection.
    Connected,
    /// The connection is lost, or was not to be had in the first place.
    Lost {
        /// The contract's name of the reason.
        reason: &'static str,
    },
    /// The server is back.
    Recovered {
        /// How long the outage was.
        seconds: f64,
    },
    /// Unreachable: save and quit will follow.
    Countdown {
        /// Attempts made so far.
        attempts: u32,
        /// Until the deadline.
        seconds: f64,
    },
    /// The policy warns.
    Warn {
        /// Until the deadline.
        seconds: f64,
    },
    /// A person keeps Blender open.
    Held,
    /// Claim the ticket, save, answer.
    Save {
        /// To be claimed.
        ticket: u64,
        /// Where to.
        place: Place,
        /// Why.
        reason: Reason,
    },
    /// Claim the ticket, or ask for another save first.
    Quit {
        /// To be claimed.
        ticket: u64,
    },
    /// The claimed quit is written down: close Blender now.
    Close,
    /// The server sent an event.
    Server {
        /// Its name.
        name: String,
        /// Its arguments.
        args: Vec<Value>,
    },
    /// A swap of policies has ended.
    Policy {
        /// Of the policy that decides now.
        name: String,
        /// Why the new one was not taken.
        message: Option<String>,
    },
}

/// Server events, warnings and log lines beyond this many are dropped: a main thread that is blocked for
/// hours must not fill the memory. What saves and closes Blender is never dropped.
const CAPACITY: usize = 10_000;

/// Events on their way to the main thread.
#[derive(Debug, Default)]
pub struct Queue {
    events: Mutex<VecDeque<Event>>,
    /// Lets an empty poll go without the lock.
    length: AtomicUsize,
    dropped: AtomicUsize,
    /// For a test that waits for an event.
    #[cfg(test)]
    pub(crate) pushed: tokio::sync::Notify,
}

impl Queue {
    /// Adds an event.
    pub fn push(&self, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let expendable = matches!(
            event,
            Event::Log(..) | Event::Server { .. } | Event::Warn { .. }
        );
        if expendable && events.len() >= CAPACITY {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        events.push_back(event);
        self.length.store(events.len(), Ordering::Release);
        #[cfg(test)]
        self.pushed.notify_one();
    }

    /// Takes all events, oldest first.
    pub fn drain(&self) -> Vec<Event> {
        if self.length.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        self.length.store(0, Ordering::Release);
        let mut drained: Vec<Event> = events.drain(..).collect();
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let message = format!("{dropped} events were dropped: Blender was busy too long");
            let line = LogLine::warning("events-dropped", message).with("number", dropped);
            drained.push(Event::Log(line));
        }
        drained
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_in_order_once() {
        let queue = Queue::default();
        queue.push(Event::Connected);
        queue.push(Event::Held);
        assert_eq!(queue.drain(), [Event::Connected, Event::Held]);
        assert_eq!(queue.drain(), []);
    }

    #[test]
    fn a_full_queue_drops_chatter_but_never_a_save() {
        let queue = Queue::default();
        for _ in 0..CAPACITY + 5 {
            queue.push(Event::Server {
                name: "chatter".into(),
                args: vec![],
            });
        }
        queue.push(Event::Save {
            ticket: 1,
            place: Place::InPlace,
            reason: Reason::Outage,
        });
        let drained = queue.drain();
        assert_eq!(drained.len(), CAPACITY + 2);
        assert_eq!(
            drained[CAPACITY],
            Event::Save {
                ticket: 1,
                place: Place::InPlace,
                reason: Reason::Outage
            }
        );
        let Event::Log(line) = &drained[CAPACITY + 1] else {
            panic!()
        };
        assert!(line.message.starts_with("5 events"), "{}", line.message);
        assert_eq!((line.level, line.event), (Level::Warning, "events-dropped"));
        assert_eq!(line.fields["number"], 5);
    }
}
