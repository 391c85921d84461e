//! One host thread: events in, decisions out.
//!
//! [`Lifeline`] is the handle that Blender's main thread holds: nothing in it waits, but `close`.

mod answers;
mod aside;
mod credentials;
#[cfg(test)]
mod day;
mod deciding;
mod effects;
mod first_file;
mod host_thread;
mod notifications;
mod outputs;
mod policies;
mod record;
mod requests;
mod run;
mod telling;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::contract::{Request, Scene};
use crate::event::{Event, LogLine, Queue};
use crate::exit::succeed_at_exit;
use crate::link::{Args, SocketIo};
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::reload::PolicySource;
use crate::settings::{Renewed, Settings};
use crate::status::Snapshot;
use crate::tickets::Tickets;
use effects::{Effects, Process};
#[cfg(test)]
use effects::{LastAct, Watch};
use host_thread::FirstPolicy;
use host_thread::Host;
use lifeline_core::SaveOutcome;
use run::Driver;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the handle can refuse.
#[derive(Debug, Error)]
pub enum LifelineError {
    /// Nothing to connect to.
    #[error("no server is configured: set WS_URL, or server_url in the preferences")]
    NoServer,
    /// It was closed before.
    #[error("this line was closed; make a new one")]
    Closed,
    /// The system gives no thread.
    #[error("the host thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    /// A name that Socket.IO keeps for itself.
    #[error("{0:?} is a name that Socket.IO keeps for itself: choose another")]
    ReservedName(String),
    /// An extension that is no length of time.
    #[error("{0} is no length of time: expected seconds above 0")]
    Seconds(f64),
}

/// Once the line is closed, or Blender was told to close, notifications are given up after this long.
const NOTIFY: Duration = Duration::from_secs(3);

/// Names that Socket.IO gives a meaning of its own.
const RESERVED: [&str; 3] = ["connect", "connect_error", "disconnect"];

/// What the main thread asks of the host thread.
#[derive(Debug)]
pub(crate) enum Command {
    Scene {
        scene: Scene,
        path: String,
    },
    Claimed {
        ticket: u64,
    },
    Saving {
        ticket: u64,
        path: PathBuf,
    },
    Saved {
        ticket: u64,
        outcome: SaveOutcome,
    },
    SaveFirst {
        ticket: u64,
    },
    CopiedEarly {
        path: Option<PathBuf>,
    },
    Request(Request, String),
    TryNow,
    Credentials(Box<Renewed>),
    Terminate,
    InjectFault,
    Emit {
        name: String,
        args: Args,
    },
    Answer {
        connection: u64,
        ack: u64,
        args: Args,
    },
    Swap(PolicySource),
    Revert,
    /// A policy that is loaded already: nothing happens beside the driver.
    #[cfg(test)]
    Take {
        policy: Arc<dyn deciding::Decider>,
        origin: String,
    },
    Close,
}

/// What both threads see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) events: Queue,
    pub(crate) tickets: Tickets,
    pub(crate) metrics: Arc<Metrics>,
    snapshot: Mutex<Snapshot>,
    /// Blender does not close after all, or not because of us.
    watch_called_off: Arc<AtomicBool>,
    /// Blender was told to close, and its work is safe.
    ends_well: AtomicBool,
    /// Blender was told to close: no line must come back.
    told: AtomicBool,
    /// SIGTERM was heard.
    terminating: AtomicBool,
    /// That leaves the file as it is.
    recovers: AtomicBool,
    /// A person keeps Blender open: a host thread that is started again does so, too.
    held: AtomicBool,
    /// Until when a Blender that closes waits for notifications.
    notify_until: AtomicU64,
    /// When the main thread has polled last.
    pub(crate) polled: AtomicU64,
    /// Credentials that came after the settings.
    renewed: Mutex<Renewed>,
    /// What is open, as the main thread has told last.
    scene: Mutex<Option<(Scene, String)>>,
}

impl Shared {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Shared {
            clock: Clock::start(),
            events: Queue::default(),
            tickets: Tickets::default(),
            metrics: Arc::default(),
            snapshot: Mutex::new(snapshot),
            watch_called_off: Arc::default(),
            ends_well: AtomicBool::new(false),
            told: AtomicBool::new(false),
            terminating: AtomicBool::new(false),
            recovers: AtomicBool::new(false),
            held: AtomicBool::new(false),
            notify_until: AtomicU64::new(0),
            polled: AtomicU64::new(0),
            renewed: Mutex::default(),
            scene: Mutex::new(None),
        }
    }

    fn scene(&self) -> MutexGuard<'_, Option<(Scene, String)>> {
        // As below.
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshot(&self) -> MutexGuard<'_, Snapshot> {
        // Written as a whole: a poisoned one is still in order.
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, whoever collects the metrics finds them in this file.
    fn write_metrics_to(self: &Arc<Self>, path: PathBuf) {
        let (shared, out) = (Arc::clone(self), Arc::clone(self));
        let text = move || {
            let snapshot = shared.snapshot().clone();
            shared.metrics.prometheus(&snapshot, shared.clock.now())
        };
        let not_written = |message: String| LogLine::warning("metrics-not-written", message);
        let warn = move |message| out.events.push(Event::Log(not_written(message)));
        if let Err(error) = self.metrics.write_to(path, text, warn) {
            let message = format!("The metrics are not written to a file: {error}");
            self.events.push(Event::Log(not_written(message)));
        }
    }

    /// The line is closed, or the process about to end.
    pub(crate) fn finish(&self) {
        {
            let mut snapshot = self.snapshot();
            (snapshot.closed, snapshot.connected) = (true, false);
        }
        self.events.end();
        self.metrics.finish();
    }
}

/// One line to one server.
pub struct Lifeline {
    settings: Settings,
    policy: Option<PolicySource>,
    shared: Arc<Shared>,
    notifier: Option<Notifier>,
    commands: UnboundedSender<Command>,
    inbox: Mutex<Option<UnboundedReceiver<Command>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Lifeline {
    /// Nothing happens before [`Lifeline::connect`]. `policy` wins over the setting.
    pub fn new(settings: Settings, policy: Option<PolicySource>) -> Self {
        let (commands, inbox) = unbounded_channel();
        let snapshot = Snapshot {
            server: settings
                .server
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            username: settings.username.clone(),
            attempts: settings.timing.retry_attempts,
            cleanup_timeout: settings.timing.cleanup_timeout,
            ..Snapshot::default()
        };
        let shared = Arc::new(Shared::new(snapshot));
        let notifier = settings.notify_url.clone().map(|url| {
            let shared = Arc::clone(&shared);
            let limit = Duration::from_millis(settings.bounds.notify);
            let trust = settings.trust.clone();
            Notifier::new(url, trust, limit, move |line| {
                shared.events.push(Event::Log(line));
            })
        });
        Lifeline {
            policy: policy.or_else(|| settings.policy.file.clone().map(PolicySource::Path)),
            settings,
            shared,
            notifier,
            commands,
            inbox: Mutex::new(Some(inbox)),
            thread: Mutex::new(None),
        }
    }

    /// Starts the host thread, which connects. Later calls do nothing.
    pub fn connect(&self) -> Result<(), LifelineError> {
        let Some(server) = self.settings.server.clone() else {
            return Err(LifelineError::NoServer);
        };
        if self.is_closed() {
            return Err(LifelineError::Closed);
        }
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(commands) = inbox.take() else {
            return Ok(());
        };
        let Settings {
            token,
            trust,
            headers,
            ..
        } = &self.settings;
        let connector = SocketIo::new(server, token.clone())
            .trusting(trust.clone())
            .sending(headers.clone());
        let connector = Arc::new(match self.settings.probing {
            Some(probing) => connector.probing(probing),
            None => connector,
        });
        let settings = self.settings.clone();
        let policy = self.policy.clone();
        let shared = Arc::clone(&self.shared);
        let sender = self.commands.downgrade();
        let host = Host {
            connector,
            effects: Arc::new(Process {
                notifier: self.notifier.clone(),
            }),
            settings,
            shared,
            commands: sender,
        };
        let thread = thread::Builder::new()
            .name("lifeline".into())
            .spawn(move || host.run(policy, commands))
            .inspect_err(|_| self.shared.snapshot().closed = true)?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// What happened since the last call, oldest first.
    pub fn poll(&self) -> Vec<Event> {
        let now = self.shared.clock.now();
        self.shared.polled.store(now, Ordering::Relaxed);
        self.shared.events.drain()
    }

    /// Waits until there is something to poll, at most so long, or until the line is closed. True: there
    /// is. For a thread that may wait.
    pub fn wait(&self, timeout: Duration) -> bool {
        self.shared.events.wait(timeout)
    }

    /// Whether a `save` or `quit` still stands, right before acting.
    pub fn claim(&self, ticket: u64) -> bool {
        let stands = self.shared.tickets.take(ticket);
        if stands {
            self.send(Command::Claimed { ticket });
        }
        stands
    }

    /// The claimed save begins to write this file.
    pub fn saving(&self, ticket: u64, path: PathBuf) {
        self.send(Command::Saving { ticket, path });
    }

    /// Answers a claimed save.
    pub fn answer(&self, ticket: u64, outcome: SaveOutcome) {
        self.send(Command::Saved { ticket, outcome });
    }

    /// In place of claiming a quit: the file has changed since the save, so another save comes first.
    pub fn save_first(&self, ticket: u64) {
        if self.shared.tickets.take(ticket) {
            self.send(Command::SaveFirst { ticket });
        }
    }

    /// A copy was made, as [`Event::EarlyCopy`] has asked for; None: there is none any more.
    pub fn copied_early(&self, path: Option<PathBuf>) {
        self.send(Command::CopiedEarly { path });
    }

    /// For tests: the host thread panics.
    pub fn inject_fault(&self) {
        self.send(Command::InjectFault);
    }

    /// What is open in Blender; `path` is empty while it has no name.
    pub fn scene(&self, scene: Scene, path: String) {
        // A host thread that is started again asks nobody.
        *self.shared.scene() = Some((scene, path.clone()));
        self.send(Command::Scene { scene, path });
    }

    /// Sends an event to the server; false if it is not connected.
    pub fn emit(&self, name: &str, args: Args) -> Result<bool, LifelineError> {
        if RESERVED.contains(&name) {
            return Err(LifelineError::ReservedName(name.to_string()));
        }
        let connected = self.shared.snapshot().connected;
        if connected {
            self.send(Command::Emit {
                name: name.to_string(),
                args,
            });
        }
        Ok(connected)
    }

    /// Gives the server the answer that it waits for, if the connection by which it asked still stands.
    pub fn answer_server(&self, connection: u64, ack: u64, args: Args) {
        self.send(Command::Answer {
            connection,
            ack,
            args,
        });
    }

    /// Loads a policy beside the running one and switches to it; a policy event tells the end.
    pub fn swap_policy(&self, source: PolicySource) {
        self.send(Command::Swap(source));
    }

    /// Goes back to the policy that is set (else the built-in one), and forgets what the server has
    /// sent; a policy event tells the end.
    pub fn revert_policy(&self) {
        self.send(Command::Revert);
    }

    /// Where everything stands.
    pub fn status(&self) -> Value {
        // Telling it looks at a file, which may be on a disk that hangs: not under the lock.
        let snapshot = self.shared.snapshot().clone();
        snapshot.json(self.shared.clock.now())
    }

    /// What an administrator watches, as OpenMetrics 1.0.
    pub fn metrics(&self) -> String {
        let snapshot = self.shared.snapshot().clone();
        let now = self.shared.clock.now();
        self.shared.metrics.openmetrics(&snapshot, now)
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the host thread has ended.
    pub fn is_closed(&self) -> bool {
        self.shared.snapshot().closed
    }

    /// Says goodbye and ends the host thread; true if it has ended within `timeout`.
    ///
    /// `closing`: Blender is closing because it was told to. A Blender that then hangs is still
    /// ended (`quit_timeout`), and its exit code is 0 if its work is safe; otherwise nobody is
    /// watched any more. Notifications that are under way have until 3 s after Blender was told to
    /// close; otherwise nobody waits for them.
    pub fn close(&self, timeout: Duration, closing: bool) -> bool {
        if !closing {
            self.shared.watch_called_off.store(true, Ordering::Relaxed);
        } else if self.shared.ends_well.load(Ordering::Relaxed) {
            succeed_at_exit();
        }
        self.send(Command::Close);
        self.shared.tickets.withdraw();
        self.shared.snapshot().closed = true;
        self.shared.events.end();
        let begun = Instant::now();
        let ended = self.join(begun, timeout);
        if let Some(notifier) = &self.notifier {
            notifier.finish_by(Instant::now() + NOTIFY);
            if closing {
                let until = self.shared.notify_until.load(Ordering::Relaxed);
                notifier.wait(self.shared.clock.instant(until).into_std());
            }
        }
        ended
    }

    /// True if the host thread has ended in time.
    fn join(&self, begun: Instant, timeout: Duration) -> bool {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        while thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            if begun.elapsed() >= timeout {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        // It has ended: joining does not wait. A panic in it was reported when it happened.
        thread.take().is_none_or(|thread| thread.join().is_ok())
    }

    fn send(&self, command: Command) {
        // After close nobody listens, and nothing is left to be done.
        let _ = self.commands.send(command);
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.send(Command::Close);
        if let Some(notifier) = &self.notifier {
            notifier.finish_by(Instant::now() + NOTIFY);
        }
    }
}
