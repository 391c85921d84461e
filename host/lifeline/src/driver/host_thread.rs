//! The host thread: one driver after the other, should one panic.

use super::{Command, Driver, Effects, Shared};
use crate::event::{Event, LogLine};
use crate::link::Connector;
use crate::reload::PolicySource;
use crate::settings::Settings;
use crate::termination::Listening;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender};

/// A driver that panicked is replaced this often; then something is thoroughly wrong.
const RESTARTS: u32 = 5;
/// Before a replacement starts.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the journal's thread waits for the next line.
const KEEP_ALIVE: Duration = Duration::from_millis(500);
/// How long the event loop's own threads may take to end.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// What decides at first.
#[derive(Debug, Default)]
pub(crate) struct FirstPolicy {
    /// Watched; also what one goes back to.
    pub(super) file: Option<PathBuf>,
    /// In its place, at first.
    pub(super) given: Option<Vec<u8>>,
    /// Not after a fault.
    pub(super) fresh: bool,
}

/// What the host thread needs, life after life.
pub(super) struct Host {
    pub connector: Arc<dyn Connector>,
    pub effects: Arc<dyn Effects>,
    pub settings: Settings,
    pub shared: Arc<Shared>,
    pub commands: WeakUnboundedSender<Command>,
}

impl Host {
    /// The host thread.
    pub fn run(&self, mut policy: Option<PolicySource>, mut commands: UnboundedReceiver<Command>) {
        if let Some(path) = self.settings.metrics_file.clone() {
            self.shared.write_metrics_to(path);
        }
        let file = match &policy {
            Some(PolicySource::Path(path)) => Some(path.clone()),
            _ => None,
        };
        for life in 0..=RESTARTS {
            // The policy in force may have had its part in a fault: the built-in one goes on.
            let given = match policy.take() {
                Some(PolicySource::Bytes(bytes)) => Some(bytes),
                _ => None,
            };
            let first = FirstPolicy {
                file: file.clone(),
                given,
                fresh: life == 0,
            };
            let one_life = AssertUnwindSafe(|| self.one_life(first, &mut commands));
            let reason = match catch_unwind(one_life) {
                Ok(Ok(())) => break,
                Ok(Err(reason)) => reason,
                Err(_) => "a fault in Lifeline".to_string(),
            };
            self.shared.tickets.withdraw();
            if self.shared.told.load(Ordering::Relaxed) {
                break; // Blender closes, and is watched
            }
            let message = format!("The host thread has ended ({reason}); it is started again");
            let line = LogLine::error("host-thread-restarted", message);
            let line = line.with("reason", reason).with("life", life);
            self.shared.events.push(Event::Log(line));
            self.shared.metrics.restarted();
            thread::sleep(PAUSE);
        }
        self.shared.tickets.withdraw();
        self.shared.finish();
    }

    /// From the first attempt to connect until `close`.
    fn one_life(
        &self,
        policy: FirstPolicy,
        commands: &mut UnboundedReceiver<Command>,
    ) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // For the journal, which is written a line at a time.
            .max_blocking_threads(1)
            .thread_name("lifeline-file")
            .thread_keep_alive(KEEP_ALIVE)
            .build()
            .map_err(|error| format!("no event loop: {error}"))?;
        let life = async {
            let (connector, effects) = (Arc::clone(&self.connector), Arc::clone(&self.effects));
            let mut settings = self.settings.clone();
            settings.renew(self.shared.renewed());
            let shared = Arc::clone(&self.shared);
            let driver = Driver::new(connector, effects, settings, shared, policy)
                .map_err(|error| error.to_string())?;
            let _listening = self.listen_for_signals();
            driver.run(commands).await;
            Ok(())
        };
        let outcome = runtime.block_on(life);
        // A file on a disk that hangs is not waited for.
        runtime.shutdown_timeout(SHUTDOWN);
        outcome
    }

    fn listen_for_signals(&self) -> Option<Listening> {
        if self.settings.bounds.terminate == 0 {
            return None;
        }
        let commands = self.commands.clone();
        let shared = Arc::clone(&self.shared);
        let listening = Listening::begin(move |signal| {
            if signal != "SIGTERM" {
                let message = format!("{signal}: taken as SIGTERM");
                let line = LogLine::warning("signal", message).with("signal", signal);
                shared.events.push(Event::Log(line));
            }
            if let Some(commands) = commands.upgrade() {
                // The line may be closing.
                let _ = commands.send(Command::Terminate);
            }
        });
        listening
            .inspect_err(|error| {
                let message = format!("SIGTERM cannot be listened for: {error}");
                let line = LogLine::warning("sigterm-not-heard", message);
                let line = line.with("error", error.to_string());
                self.shared.events.push(Event::Log(line));
            })
            .ok()
    }
}
