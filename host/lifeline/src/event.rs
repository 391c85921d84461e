//! What the host thread tells Blender's main thread, and the queue in which it waits to be polled.

use crate::contract::Place;
use crate::link::ServerEvent;
pub use lifeline_core::Reason;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

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
    /// Make a copy of the work as it is, or delete the last one.
    EarlyCopy {
        /// A copy is needed.
        needed: bool,
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
        /// By which connection: an answer goes by no other.
        connection: u64,
        /// The event.
        event: ServerEvent,
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
const CAPACITY: usize = 100_000;
/// Bytes of memory that server events may take together: several of the largest that come in.
const BUDGET: usize = 256 << 20;

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    /// Bytes of those that the server has sent.
    bytes: usize,
}

/// Events on their way to the main thread.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    /// Something is there, or nothing will be any more.
    rung: Condvar,
    over: AtomicBool,
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
        let bytes = match &event {
            Event::Server { event, .. } => event.size(),
            _ => 0,
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let expendable = matches!(
            event,
            Event::Log(..) | Event::Server { .. } | Event::Warn { .. }
        );
        let too_large = bytes > BUDGET.saturating_sub(waiting.bytes);
        if expendable && (too_large || waiting.events.len() >= CAPACITY) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.bytes += bytes;
        waiting.events.push_back(event);
        self.length.store(waiting.events.len(), Ordering::Release);
        self.rung.notify_all();
        #[cfg(test)]
        self.pushed.notify_one();
    }

    /// Waits until there is an event, at most so long. True: there is one.
    pub fn wait(&self, timeout: Duration) -> bool {
        let empty =
            |waiting: &mut Waiting| waiting.events.is_empty() && !self.over.load(Ordering::Relaxed);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.rung.wait_timeout_while(waiting, timeout, empty);
        let (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !waiting.events.is_empty()
    }

    /// Nobody needs to wait any more.
    pub fn end(&self) {
        // Under the lock: whoever is about to wait has seen it, or is woken.
        let _waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.over.store(true, Ordering::Relaxed);
        self.rung.notify_all();
    }

    /// Takes all events, oldest first.
    pub fn drain(&self) -> Vec<Event> {
        if self.length.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.length.store(0, Ordering::Release);
        waiting.bytes = 0;
        // The room goes with them.
        let mut drained: Vec<Event> = std::mem::take(&mut waiting.events).into();
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let message = format!(
                "{dropped} events were dropped: more than Blender can take while it is busy"
            );
            let line = LogLine::warning("events-dropped", message).with("number", dropped);
            drained.push(Event::Log(line));
        }
        drained
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn server_event(name: &str, args: Vec<Value>) -> Event {
        Event::Server {
            connection: 1,
            event: ServerEvent {
                name: name.into(),
                args: args.into(),
                ack: None,
            },
        }
    }

    fn large(name: &str) -> Event {
        server_event(name, vec![json!({"a": [1, "x".repeat(BUDGET / 3)]})])
    }

    #[test]
    fn large_events_fill_no_memory() {
        let queue = Queue::default();
        for number in 0..5 {
            queue.push(large(&number.to_string()));
        }
        queue.push(Event::Quit { ticket: 1 });
        let drained = queue.drain();
        assert_eq!(drained.len(), 4);
        assert_eq!(drained[..2], [large("0"), large("1")]);
        assert_eq!(drained[2], Event::Quit { ticket: 1 });
        // What was taken out makes room.
        queue.push(large("5"));
        assert_eq!(queue.drain(), [large("5")]);
    }

    #[test]
    fn events_come_out_in_order_once() {
        let queue = Queue::default();
        queue.push(Event::Connected);
        queue.push(Event::Held);
        assert_eq!(queue.drain(), [Event::Connected, Event::Held]);
        assert_eq!(queue.drain(), []);
    }

    #[test]
    fn whoever_waits_is_woken_by_an_event_and_by_the_end() {
        let queue = Queue::default();
        assert!(!queue.wait(Duration::from_millis(1)));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.wait(Duration::from_secs(60)));
            queue.push(Event::Connected);
            assert!(waiting.join().unwrap());
        });
        assert!(queue.wait(Duration::from_secs(60)));
        queue.drain();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.wait(Duration::from_secs(60)));
            queue.end();
            assert!(!waiting.join().unwrap());
        });
        assert!(!queue.wait(Duration::from_secs(60)));
    }

    #[test]
    fn a_full_queue_drops_chatter_but_never_a_save() {
        let queue = Queue::default();
        for _ in 0..CAPACITY + 5 {
            queue.push(server_event("chatter", vec![]));
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
