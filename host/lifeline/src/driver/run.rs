//! The loop: what happens goes to the core, and what follows from it is done.

use super::answers::Answers;
use super::aside::Places;
use super::credentials::{CREDENTIALS, Credentials};
use super::deciding::Deciding;
use super::effects::Effects;
use super::notifications::Notifications;
use super::policies::{Sources, UPDATE};
use super::record::OutageRecord;
use super::{Command, FirstPolicy, Shared};
use crate::clock::as_millis;
use crate::event::{Event, LogLine};
use crate::journal::{Entry, JournalWriter, News};
use crate::keep::{KeepEvent, KeepSink, Keeping, Ledger};
use crate::link::{Args, Connection, Connector, LinkEvent, ServerEvent, Sink};
use crate::reload::Verdict;
use crate::settings::Settings;
use lifeline_core::{Before, Core, End, Input, Saved};
use lifeline_sandbox::LoadError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry::Vacant;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until, timeout};

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(1_500);
/// How long writing down an outage may hold up the end.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What the server is sent of earlier clean-ups, and what it answers, with the `id`.
const REPORT: &str = "cleanup_report";
const REPORT_RECEIVED: &str = "cleanup_report_received";

/// The shell around the core: it has the sockets, threads and files, and decides nothing.
pub(crate) struct Driver {
    pub(super) settings: Settings,
    pub(super) shared: Arc<Shared>,
    pub(super) effects: Arc<dyn Effects>,
    pub(super) core: Core,
    pub(super) deciding: Deciding,
    pub(super) sources: Sources,
    pub(super) record: OutageRecord,
    pub(super) notifications: Notifications,
    pub(super) journal: JournalWriter,
    /// The entry of the outage that Blender closes over.
    pub(super) last_entry: Option<Entry>,
    /// What is open in Blender.
    pub(super) path: String,
    pub(super) attempt: Option<Attempt>,
    pub(super) keeping: Option<Keeping>,
    pub(super) keep_sink: KeepSink,
    pub(super) ledger: Ledger,
    /// What was saved last.
    pub(super) kept: Option<Saved>,
    pub(super) places: Places,
    /// Orders beside that one.
    pub(super) aside: BTreeMap<u64, Keeping>,
    pub(super) credentials: Credentials,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) sink: Sink,
    first_policy: Option<FirstPolicy>,
    inboxes: Option<Inboxes>,
}

/// The connection, or the attempt under way.
pub(super) struct Attempt {
    pub number: u64,
    pub connection: Box<dyn Connection>,
    pub accepted: bool,
    /// The entries of the journal that were sent over it: have they been acknowledged?
    pub reported: BTreeMap<String, bool>,
}

/// What comes in beside commands.
struct Inboxes {
    links: UnboundedReceiver<(u64, LinkEvent)>,
    loads: UnboundedReceiver<Verdict>,
    keeps: UnboundedReceiver<(u64, KeepEvent)>,
    news: UnboundedReceiver<News>,
}

impl Driver {
    /// In a tokio runtime.
    pub fn new(
        connector: Arc<dyn Connector>,
        effects: Arc<dyn Effects>,
        settings: Settings,
        shared: Arc<Shared>,
        policy: FirstPolicy,
    ) -> Result<Self, LoadError> {
        let deciding = Deciding::new(&settings)?;
        Ok(Driver::with(
            deciding, connector, effects, settings, shared, policy,
        ))
    }

    /// With policies that are compiled already.
    pub(super) fn with(
        deciding: Deciding,
        connector: Arc<dyn Connector>,
        effects: Arc<dyn Effects>,
        settings: Settings,
        shared: Arc<Shared>,
        mut policy: FirstPolicy,
    ) -> Self {
        let now = shared.clock.now();
        shared.snapshot().save = None;
        let metrics = Arc::clone(&shared.metrics);
        let (sink, links) = unbounded_channel();
        let (loader, loads) = unbounded_channel();
        let (keep_sink, keeps) = unbounded_channel();
        let (paper, news) = unbounded_channel();
        let file = policy.file.take();
        Driver {
            core: Core::new(settings.core(), now),
            sources: Sources::new(&settings, deciding.sandbox(), file, loader),
            deciding,
            journal: JournalWriter::start(settings.journal.clone(), paper),
            settings,
            shared,
            effects,
            record: OutageRecord::new(metrics),
            notifications: Notifications::default(),
            last_entry: None,
            path: String::new(),
            attempt: None,
            keeping: None,
            keep_sink,
            ledger: Ledger::default(),
            kept: None,
            places: Places::default(),
            aside: BTreeMap::new(),
            credentials: Credentials::default(),
            connector,
            sink,
            first_policy: Some(policy),
            inboxes: Some(Inboxes {
                links,
                loads,
                keeps,
                news,
            }),
        }
    }

    /// Connects, and runs until it is told to close.
    pub async fn run(mut self, commands: &mut UnboundedReceiver<Command>) {
        let Some(mut inboxes) = self.inboxes.take() else {
            return;
        };
        // A fault may lie behind. The first step publishes how things stand now.
        let before = Before {
            held: self.shared.held.load(Ordering::Relaxed),
            terminating: self.shared.terminating.load(Ordering::Relaxed),
            recover: self.shared.recovers.load(Ordering::Relaxed),
            tickets: self.shared.tickets.issued(),
        };
        // What is open is sent with the first attempt, if the main thread has said it by now.
        let mut open = self.shared.scene().clone();
        let mut early = Vec::new();
        while let Ok(command) = commands.try_recv() {
            match command {
                Command::Scene { scene, path } => open = Some((scene, path)),
                other => early.push(other),
            }
        }
        self.schedule_expiry();
        if let Some(policy) = self.first_policy.take() {
            self.begin_with(policy);
        }
        self.recall_first_file();
        if let Some((scene, path)) = open {
            self.command(Command::Scene { scene, path });
        }
        self.journal.ask_last(&self.settings.username);
        self.step(Input::Start(before));
        let mut going_on = early.into_iter().all(|command| self.command(command));
        while going_on {
            let wake_at = self.core.wake_at();
            let clock = self.shared.clock;
            let due = reach(wake_at.map(|at| clock.instant(at)));
            let nears = reach(self.credentials.nears_at);
            tokio::select! {
                // The connection first: a server that is back beats a deadline of the same instant.
                biased;
                Some((id, event)) = inboxes.links.recv() => self.link_event(id, event),
                command = commands.recv() => {
                    going_on = command.is_some_and(|command| self.command(command));
                }
                Some(loaded) = inboxes.loads.recv() => self.loaded(loaded),
                Some((id, event)) = inboxes.keeps.recv() => self.kept(id, event),
                Some(news) = inboxes.news.recv() => self.news(news),
                () = due => self.step(Input::Time),
                () = nears => self.tell_expiry(),
            }
        }
        self.close(&mut inboxes.news).await;
    }

    /// An outage that lasts is written down, and the server hears of the end.
    async fn close(&mut self, news: &mut UnboundedReceiver<News>) {
        self.step(Input::Close);
        self.journal.flush();
        let flushed = async {
            while let Some(item) = news.recv().await {
                if matches!(item, News::Flushed) {
                    return;
                }
            }
        };
        // A disk that hangs does not hold Blender up.
        let _ = timeout(LAST_WORDS, flushed).await;
        if let Some(last) = self.attempt.take() {
            last.connection.end(GOODBYE);
        }
    }

    /// One thing that has happened, and all that follows from it.
    pub(super) fn step(&mut self, input: Input) {
        let now = self.now();
        let mut host = Answers {
            deciding: &self.deciding,
            effects: &*self.effects,
            shared: &self.shared,
            attempt: as_millis(self.connector.needs(self.connect_timeout())),
        };
        self.core.handle(now, input, &mut host);
        // First of all: whoever hears of it may ask at once how things stand.
        self.publish();
        while let Some(output) = self.core.poll() {
            self.carry_out(output);
        }
        self.note();
        self.publish();
        // Last: a file of metrics does not run ahead of what it counts.
        self.shared.metrics.stands(self.shared.snapshot().state());
    }

    /// The setting.
    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.settings.timing.connect_timeout)
    }

    /// False: the end.
    fn command(&mut self, command: Command) -> bool {
        match command {
            Command::Scene { scene, path } => {
                if path != self.path {
                    self.path = path;
                    self.file_opened();
                }
                self.step(Input::Scene(scene));
            }
            Command::Claimed { ticket } => self.step(Input::Claimed(ticket)),
            Command::Saving { ticket, path } => self.step(Input::Saving(ticket, path)),
            Command::Saved { ticket, outcome } => self.step(Input::Saved(ticket, outcome)),
            Command::SaveFirst { ticket } => self.step(Input::SaveFirst(ticket)),
            Command::CopiedEarly { path } => {
                self.record.copied_early(path.as_deref());
                self.early_copy_aside(path.as_deref());
                self.note();
            }
            Command::Request(request, by) => self.step(Input::Request(request, by)),
            Command::TryNow => self.step(Input::TryNow),
            Command::Terminate => {
                // Whatever goes wrong from here on, a host thread that starts again knows of it.
                if !self.shared.terminating.swap(true, Ordering::Relaxed) {
                    let recovers = self.core.recovers();
                    self.shared.recovers.store(recovers, Ordering::Relaxed);
                }
                self.step(Input::Terminate);
            }
            Command::Credentials(renewed) => self.renew(*renewed),
            Command::InjectFault => panic!("a fault that a test has asked for"),
            Command::Emit { name, args } => {
                if let Some(attempt) = &self.attempt {
                    attempt.connection.emit(name, args);
                }
            }
            Command::Answer {
                connection,
                ack,
                args,
            } => {
                let asked = self.attempt.as_ref().filter(|it| it.number == connection);
                if let Some(attempt) = asked {
                    attempt.connection.answer(ack, args);
                }
            }
            Command::Swap(source) => self.swap(source),
            Command::Revert => self.revert(),
            #[cfg(test)]
            Command::Take { policy, origin } => self.take(policy, origin),
            Command::Close => return false,
        }
        true
    }

    fn link_event(&mut self, attempt: u64, event: LinkEvent) {
        let Some(current) = self.attempt.as_mut().filter(|it| it.number == attempt) else {
            return; // of an attempt, or a server, that was given up
        };
        let event = match event {
            LinkEvent::Server(event) => return self.server_says(attempt, event),
            LinkEvent::Unreadable(why) => {
                let message = format!("An event of the server's was not taken: {why}");
                return self.say(LogLine::warning("event-not-taken", message).with("reason", why));
            }
            LinkEvent::Connected => {
                current.accepted = true;
                lifeline_core::Connection::Accepted
            }
            LinkEvent::Failed(failure) => {
                self.attempt = None;
                // What a server refuses with may repeat what it was sent.
                let detail = self.with_expiry(self.settings.redact(&failure.detail));
                lifeline_core::Connection::Failed(failure.why, detail)
            }
            LinkEvent::Lost { why, detail } => {
                self.attempt = None;
                lifeline_core::Connection::Lost(why, self.settings.redact(&detail))
            }
            LinkEvent::Frozen { detail } => {
                self.attempt = None;
                lifeline_core::Connection::Frozen(detail)
            }
        };
        self.step(Input::Connection(attempt, event));
    }

    fn server_says(&mut self, connection: u64, event: ServerEvent) {
        if !matches!(event.name.as_str(), REPORT_RECEIVED | CREDENTIALS | UPDATE) {
            let event = Event::Server { connection, event };
            return self.shared.events.push(event);
        }
        // Whoever waits for an answer to these gets none that says more.
        if let (Some(ack), Some(attempt)) = (event.ack, &self.attempt) {
            attempt.connection.answer(ack, Args::default());
        }
        let args = event.args.values;
        if event.name == REPORT_RECEIVED {
            let id = args.first().and_then(|it| it.get("id")?.as_str());
            let reported = self.attempt.as_mut().map(|it| &mut it.reported);
            // Any other one would make the journal grow as the server pleases.
            match reported
                .zip(id)
                .and_then(|(sent, id)| Some((sent.get_mut(id)?, id)))
            {
                Some((known, id)) => {
                    if !std::mem::replace(known, true) {
                        self.journal.acknowledge(id.to_string());
                    }
                }
                None => self.say(LogLine::info(
                    "acknowledgement-of-nothing",
                    format!("{REPORT_RECEIVED} for nothing that was sent"),
                )),
            }
        } else if event.name == CREDENTIALS {
            self.server_renews(&args);
        } else {
            self.pushed(&args);
        }
    }

    /// What the journal has to say.
    fn news(&mut self, news: News) {
        let closes_over = |id: &str| self.last_entry.as_ref().is_some_and(|it| it.id == id);
        match news {
            News::Written(id) if closes_over(&id) => self.written(),
            News::NotWritten(id, error) => {
                let closes_over = closes_over(&id);
                self.journal_trouble(&error.to_string());
                if closes_over {
                    self.step(Input::Written);
                }
            }
            News::Written(_) | News::Flushed => {}
            News::Trouble(error) => self.journal_trouble(&error.to_string()),
            News::Adopted(number) => {
                self.shared.metrics.interrupted(number);
                let message = format!(
                    "{number} earlier outage(s) ended with a process that died: written down"
                );
                self.say(LogLine::info("outages-adopted", message).with("number", number));
            }
            News::Pending(entries) => {
                for entry in entries {
                    let connected = self.attempt.as_mut().filter(|it| it.accepted);
                    let sent = connected.map(|it| it.reported.entry(entry.id.clone()));
                    if let Some(Vacant(place)) = sent {
                        place.insert(false);
                        self.tell_server(REPORT, &entry);
                    }
                }
            }
            News::Last(entry) => {
                // One of this process is newer.
                self.shared
                    .snapshot()
                    .last_outage
                    .get_or_insert_with(|| Arc::new(*entry));
            }
        }
    }

    fn journal_trouble(&self, error: &str) {
        self.shared.metrics.journal_failed();
        let known = self
            .shared
            .snapshot()
            .journal_error
            .replace(error.to_string());
        // The same trouble comes with each entry.
        if known.as_deref() != Some(error) {
            self.say(LogLine::error("journal-not-written", error).with("error", error));
        }
    }

    /// What the server does not know of earlier clean-ups is looked up, and sent: at each connection,
    /// until the server says that it has it.
    pub(super) fn ask_pending(&self) {
        self.journal.ask_pending(&self.settings.username);
    }

    /// Sends this if the server is connected.
    pub(super) fn tell_server(&self, name: &str, it: &impl serde::Serialize) {
        if let Some(attempt) = self.attempt.as_ref().filter(|it| it.accepted) {
            // Plain fields and string keys: there is nothing in it that JSON cannot carry.
            let data: Value = serde_json::to_value(it).unwrap_or_default();
            attempt.connection.emit(name.to_string(), Some(data).into());
        }
    }

    /// Writes down how the outage stands, if there is news of it.
    fn note(&mut self) {
        self.record
            .stand(self.core.attempts(), self.deciding.identity());
        if let Some(entry) = self.record.news() {
            self.journal.note(entry);
        }
    }

    /// Writes down where everything stands.
    pub(super) fn publish(&self) {
        let core = &self.core;
        let mut snapshot = self.shared.snapshot();
        if core.is_started() {
            // Not before: after a fault, a hold is not forgotten until it is asked for again.
            let held = core.guard().is_held();
            self.shared.held.store(held, Ordering::Relaxed);
            snapshot.phase = Some(core.state().phase);
        }
        snapshot.terminating = core.is_terminating().then(|| match core.end() {
            End::No | End::Wanted => "saving",
            End::Asked | End::Writing { .. } | End::Told => "quitting",
        });
        snapshot.connected = core.guard().is_connected();
        snapshot.attempting = core.is_attempting();
        snapshot.lost_at = core.lost_at();
        if snapshot.lost_at.is_none() {
            snapshot.reason = None;
        }
        snapshot.policy = self.deciding.status(core.failures());
    }

    pub(super) fn now(&self) -> u64 {
        self.shared.clock.now()
    }

    pub(super) fn server(&self) -> String {
        self.settings
            .server
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    pub(super) fn say(&self, line: LogLine) {
        self.shared.events.push(Event::Log(line));
    }
}

/// Never, without an instant.
async fn reach(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
