//! The loop: one event, one decision, what follows from it.

use super::account::{Account, Cause};
use super::closing::{Closing, End};
use super::effects::Effects;
use super::herald::Herald;
use super::judge::Judge;
use super::policies::{Sources, UPDATE};
use super::{Command, FirstPolicy, Shared};
use crate::Call;
use crate::contract::{Action, Decision, Loss, Moment, Phase, Request, Scene, State};
use crate::event::{Event, LogLine};
use crate::journal::{Entry, Kind, News, Outcome, Scribe};
use crate::keep::{KeepEvent, KeepSink};
use crate::link::{Connection, Connector, LinkEvent, Sink};
use crate::notify;
use crate::reload::Verdict;
use crate::sandbox::LoadError;
use crate::settings::Settings;
use crate::tickets::Task;
use lifeline_core::as_seconds;
use lifeline_core::entropy;
use lifeline_core::guard::Guard;
use lifeline_core::pace::Pace;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep_until, timeout};

/// A wake-up that comes later than this means that nobody was awake, as the contract has it
/// (milliseconds).
const LATE_AFTER: u64 = 1_000;
/// When nobody could decide, the next try is this much later (milliseconds).
const RETRY_DECISION: u64 = 1_000;
/// An outage that has lasted for too long, but waits for the main thread, is looked at again this
/// often (milliseconds).
const LOOK_AGAIN: u64 = 5_000;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(1_500);
/// How long writing down an outage may hold up the end of the line.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The reason of a loss that the host has found by asking, beside those that the contract names.
const FROZEN: &str = "frozen";
/// What the server is sent of earlier clean-ups, and what it answers, with the `id`.
const REPORT: &str = "cleanup_report";
const REPORT_RECEIVED: &str = "cleanup_report_received";

pub(crate) struct Driver {
    pub(super) settings: Settings,
    pub(super) shared: Arc<Shared>,
    pub(super) effects: Arc<dyn Effects>,
    pub(super) judge: Judge,
    pub(super) guard: Guard,
    pub(super) state: State,
    /// When the policy asked to be woken.
    pub(super) wake_at: Option<u64>,
    /// Calls that nobody could decide: they are made again, before any other.
    pub(super) undecided: VecDeque<Call>,
    pub(super) closing: Closing,
    pub(super) account: Account,
    pub(super) herald: Herald,
    pub(super) scribe: Scribe,
    /// The entry of the outage that Blender closes over.
    pub(super) last_entry: Option<Entry>,
    pub(super) scene: Option<Scene>,
    pub(super) connection: Option<(u64, Box<dyn Connection>)>,
    pub(super) keep_sink: KeepSink,
    connector: Arc<dyn Connector>,
    /// The outage has been told of: the first connect of all is no outage while it is under way.
    announced: bool,
    pub(super) pace: Pace,
    pub(super) path: String,
    attempts: u64,
    /// The attempt that a person has asked for, of which the policy knows nothing.
    asked: Option<u64>,
    sink: Sink,
    pub(super) sources: Sources,
    first_policy: Option<FirstPolicy>,
    inboxes: Option<Inboxes>,
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
        let judge = Judge::new(&settings)?;
        Ok(Driver::with(
            judge, connector, effects, settings, shared, policy,
        ))
    }

    /// With policies that are compiled already.
    pub(super) fn with(
        judge: Judge,
        connector: Arc<dyn Connector>,
        effects: Arc<dyn Effects>,
        settings: Settings,
        shared: Arc<Shared>,
        mut policy: FirstPolicy,
    ) -> Self {
        let now = shared.clock.now();
        shared.snapshot().save = None;
        let metrics = Arc::clone(&shared.metrics);
        let (scene, path) = shared.scene().clone().unzip();
        let (sink, links) = unbounded_channel();
        let (loader, loads) = unbounded_channel();
        let (keep_sink, keeps) = unbounded_channel();
        let (paper, news) = unbounded_channel();
        let file = policy.file.take();
        Driver {
            sources: Sources::new(&settings, judge.sandbox(), file, loader),
            judge,
            guard: Guard::new(settings.quit_floor, settings.bounds.unsaved_wait, now)
                .bounded(settings.policy.bounds),
            scribe: Scribe::start(settings.journal.clone(), paper),
            settings,
            shared,
            effects,
            connector,
            state: State {
                phase: Phase::Connected,
                seen: now,
                memo: Vec::new(),
            },
            wake_at: None,
            undecided: VecDeque::new(),
            closing: Closing::default(),
            account: Account::new(metrics),
            herald: Herald::default(),
            last_entry: None,
            announced: false,
            pace: Pace::default(),
            scene,
            path: path.unwrap_or_default(),
            connection: None,
            keep_sink,
            attempts: 0,
            asked: None,
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
        // What is open is sent with the first attempt, if the main thread has said it by now.
        let mut early = Vec::new();
        while let Ok(command) = commands.try_recv() {
            match command {
                Command::Scene { scene, path } => self.open_file(scene, path),
                other => early.push(other),
            }
        }
        if let Some(policy) = self.first_policy.take() {
            self.begin_with(policy);
        }
        let server = self.server();
        let line = LogLine::info("connecting", format!("Connecting to {server}"));
        self.say(line.with("server", server));
        self.scribe.ask_last(&self.settings.username);
        let held = self.shared.held.load(Ordering::Relaxed);
        self.decide(Call::Start);
        if held {
            // Asked for before the fault. Nobody is to ask again.
            self.request(Request::Hold, "");
        }
        if self.shared.terminating.load(Ordering::Relaxed) {
            self.terminate(); // heard by a host thread that has died since
        }
        let mut going_on = early.into_iter().all(|command| self.command(command));
        while going_on {
            let wake = self.wake_at;
            let alarm = self.alarm();
            let clock = self.shared.clock;
            let sleep = |at: Option<u64>| async move {
                match at {
                    Some(at) => sleep_until(clock.instant(at)).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                // The line first: a server that is back beats a deadline of the same instant.
                biased;
                Some((id, event)) = inboxes.links.recv() => self.link_event(id, event),
                command = commands.recv() => {
                    going_on = command.is_some_and(|command| self.command(command));
                }
                Some(loaded) = inboxes.loads.recv() => self.loaded(loaded),
                Some((id, event)) = inboxes.keeps.recv() => self.kept(id, event),
                Some(news) = inboxes.news.recv() => self.news(news),
                () = sleep(alarm) => self.proceed(),
                () = sleep(wake) => self.decide(Call::Tick),
            }
        }
        self.close_account(&mut inboxes.news).await;
        self.say_goodbye();
    }

    /// An outage that lasts when the line is closed.
    async fn close_account(&mut self, news: &mut UnboundedReceiver<News>) {
        let late = self.guard.is_connected();
        let outcome = if late {
            Outcome::Recovered
        } else {
            self.tell_cancelled(notify::Outcome::Closed);
            Outcome::Closed
        };
        self.end_outage(outcome);
        self.scribe.flush();
        let flushed = async {
            while let Some(item) = news.recv().await {
                if matches!(item, News::Flushed) {
                    return;
                }
            }
        };
        // A disk that hangs does not hold Blender up.
        let _ = timeout(LAST_WORDS, flushed).await;
    }

    fn say_goodbye(&mut self) {
        if let Some((_, connection)) = self.connection.take() {
            connection.end(GOODBYE);
        }
    }

    /// False: the end.
    fn command(&mut self, command: Command) -> bool {
        match command {
            Command::Scene { scene, path } => self.open_file(scene, path),
            Command::Claimed { ticket } => self.claimed(ticket),
            Command::Saving { ticket, path } => self.saving(ticket, path),
            Command::Saved { ticket, outcome } => self.saved(ticket, outcome),
            Command::SaveFirst { ticket } => self.save_first(ticket),
            Command::Request(request, by) => self.request(request, &by),
            Command::TryNow => self.try_now(),
            Command::Terminate => self.terminate(),
            Command::InjectFault => panic!("a fault that a test has asked for"),
            Command::Emit { name, data } => {
                if let Some((_, connection)) = &self.connection {
                    connection.emit(name, data);
                }
            }
            Command::Swap(source) => self.swap(source),
            Command::Revert => self.revert(),
            Command::Take { policy, origin } => self.take(*policy, origin),
            Command::Close => return false,
        }
        true
    }

    fn open_file(&mut self, scene: Scene, path: String) {
        self.scene = Some(scene);
        self.path = path;
    }

    fn request(&mut self, request: Request, by: &str) {
        let ignored = |why: &str| {
            let message = format!("{why}: there is no countdown to change");
            LogLine::info("request-ignored", message).with("request", request.name())
        };
        if self.closing.is_out_of_hand() {
            self.say(ignored("Blender is closing"));
            return;
        }
        if self.guard.is_connected() {
            self.say(ignored("The server is connected"));
        }
        self.account.requested(&request, by);
        self.decide(Call::OnRequest(request));
        if request == Request::Hold && !self.undecided.is_empty() {
            // Nobody has to decide that.
            self.withdraw("A person keeps Blender open");
        }
        self.note();
    }

    fn link_event(&mut self, id: u64, event: LinkEvent) {
        if self
            .connection
            .as_ref()
            .is_none_or(|(current, _)| *current != id)
        {
            return; // of an attempt that was given up
        }
        if self.closing.is_out_of_hand() {
            return; // the server was given up
        }
        match event {
            LinkEvent::Connected => {
                let now = self.now();
                self.shared.metrics.attempted(Ok(()));
                self.withdraw("The server is back");
                let outage = self.guard.lost_at().filter(|_| self.announced);
                self.guard.connected();
                self.announced = false;
                {
                    // First of all: whoever hears of it may ask at once how things stand.
                    let mut snapshot = self.shared.snapshot();
                    snapshot.phase = Some(Phase::Connected);
                    snapshot.connected = true;
                    snapshot.attempting = false;
                    (snapshot.lost_at, snapshot.reason) = (None, None);
                    snapshot.last_error = None;
                    if outage.is_some() {
                        snapshot.recoveries += 1;
                    }
                }
                self.shared.events.push(Event::Connected);
                if let Some(lost_at) = outage {
                    let seconds = as_seconds(now.saturating_sub(lost_at));
                    self.shared.events.push(Event::Recovered { seconds });
                }
                self.undecided.clear();
                self.account
                    .stand(self.attempts_of_outage(), self.judge.identity());
                self.tell_cancelled(notify::Outcome::Recovered);
                self.outage_is_over();
                self.decide(Call::OnConnect);
                if !self.undecided.is_empty() {
                    // Nobody has to decide that: a line that is lost before somebody does would be
                    // one more loss in the old outage, whose save nobody waits for any more.
                    self.state.phase = Phase::Connected;
                    self.publish();
                }
                self.ask_pending();
            }
            LinkEvent::Failed(failure) => {
                self.shared.metrics.attempted(Err(failure.why));
                self.connection = None;
                let detail = Some(failure.detail.clone());
                let asked = self.asked.take() == Some(id);
                let news =
                    std::mem::replace(&mut self.shared.snapshot().last_error, detail.clone())
                        != detail;
                if !self.announced {
                    self.announce(Loss::NeverConnected.name(), &failure.detail);
                } else if news || asked {
                    let message = format!("Not connected: {}", failure.detail);
                    let line = LogLine::info("attempt-failed", message);
                    let line = line.with("attempt", self.attempts_of_outage());
                    self.say(line.with("detail", failure.detail));
                }
                if asked {
                    // Its outcome is no policy's business: none has lost an attempt by it.
                    self.publish();
                } else {
                    self.decide(Call::OnConnectError(failure.why));
                }
            }
            LinkEvent::Lost { why, detail } => self.lost(why, why.name(), &detail),
            // To a policy it is a server that stopped answering, found out sooner.
            LinkEvent::Frozen { detail } => self.lost(Loss::PingTimeout, FROZEN, &detail),
            LinkEvent::Server { name, args } if name == REPORT_RECEIVED => {
                let id = args.first().and_then(|it| it.get("id")?.as_str());
                match id {
                    Some(id) => self.scribe.acknowledge(id.to_string()),
                    None => self.say(LogLine::info(
                        "acknowledgement-without-id",
                        format!("{REPORT_RECEIVED} without an id"),
                    )),
                }
            }
            LinkEvent::Server { name, args } if name == UPDATE => self.pushed(&args),
            LinkEvent::Server { name, args } => {
                self.shared.events.push(Event::Server { name, args });
            }
        }
    }

    /// `reason`: how, for people.
    fn lost(&mut self, why: Loss, reason: &'static str, detail: &str) {
        self.connection = None;
        self.guard.lost(self.now());
        self.announce(reason, detail);
        self.undecided.clear();
        self.decide(Call::OnDisconnect(why));
    }

    /// What the server does not know of earlier clean-ups is looked up, and sent.
    pub(super) fn ask_pending(&self) {
        self.scribe.ask_pending(&self.settings.username);
    }

    /// Sent at each connection until the server says that it has it.
    pub(super) fn report(&self, entries: &[Entry]) {
        let Some((_, connection)) = &self.connection else {
            return;
        };
        if !self.guard.is_connected() {
            return; // the next connection asks again
        }
        for entry in entries {
            // Plain fields and string keys: there is nothing in it that JSON cannot carry.
            let data: Value = serde_json::to_value(entry).unwrap_or_default();
            connection.emit(REPORT.to_string(), Some(data));
        }
    }

    /// Tells of an outage, once.
    fn announce(&mut self, reason: &'static str, detail: &str) {
        self.announced = true;
        {
            let mut snapshot = self.shared.snapshot();
            snapshot.outages += 1;
            snapshot.reason = Some(reason);
            snapshot.last_error = Some(detail.to_string());
        }
        self.shared.events.push(Event::Lost { reason });
        let line = LogLine::info("not-connected", format!("Not connected: {detail}"));
        self.say(line.with("reason", reason).with("detail", detail));
        self.finish_late();
        let cause = Cause {
            kind: Kind::Outage,
            why: reason,
            detail: Some(detail),
        };
        let lost_at = self.guard.lost_at().unwrap_or_else(|| self.now());
        self.account.begin(&self.settings, &cause, lost_at);
        self.note();
    }

    /// Attempts begun, as the policy counts them.
    pub(super) fn attempts_of_outage(&self) -> Option<u32> {
        Some(self.state.phase.outage()?.attempts)
    }

    /// Has a call decided, after those that nobody could decide before.
    pub(super) fn decide(&mut self, call: Call) {
        let mut again = !self.undecided.is_empty();
        // Any other call does what a tick does.
        if !again || !matches!(call, Call::Tick) {
            self.undecided.push_back(call);
        }
        while let Some(call) = self.undecided.pop_front() {
            let now = self.now();
            if let Call::OnRequest(request) = &call
                && !again
            {
                self.guard.requested(request, now);
            }
            again = false;
            match self.decision(&call, now) {
                Some(decision) => self.carry_out(decision, now),
                None => {
                    self.undecided.push_front(call);
                    self.wake_at = Some(now.saturating_add(RETRY_DECISION));
                    break;
                }
            }
        }
        self.publish();
    }

    fn decision(&mut self, call: &Call, now: u64) -> Option<Decision> {
        if let Some(late) = self.wake_at.and_then(|due| now.checked_sub(due))
            && late > LATE_AFTER
        {
            self.guard.slept(late);
        }
        self.end_what_never_ends(now);
        let moment = Moment {
            now,
            due: self.wake_at,
            entropy: entropy::shared(&self.settings.username, &self.state)
                .or_else(|| self.effects.entropy()),
            settings: Some(self.settings.timing.clone()),
            scene: self.scene,
        };
        let verdict = self.judge.decide(&self.guard, call, &self.state, &moment);
        for complaint in verdict.complaints {
            self.say(complaint);
        }
        if let Some(overruled) = &verdict.overruled {
            self.overruled(overruled);
        }
        verdict.decision
    }

    fn carry_out(&mut self, decision: Decision, now: u64) {
        let before = std::mem::replace(&mut self.state, decision.state);
        // A call that takes long is followed by a pause as long.
        let done = self.now();
        let spent = done.saturating_sub(now);
        let floor = done.saturating_add(self.pace.floor(done).max(spent));
        // The end of the outage is looked at in time, whatever the policy wants.
        let end = self.judge.must_end(&self.guard);
        let end = end.map(|end| end.max(done.saturating_add(LOOK_AGAIN)));
        self.wake_at = decision
            .wake_at
            .map(|at| end.map_or(at, |end| at.min(end)).max(floor));
        if self.pace.is_news() {
            let policy = self.judge.identity();
            let message = format!(
                "Policy {policy} always asks to be woken at once: it is woken five times a second"
            );
            let line = LogLine::warning("policy-in-a-hurry", message);
            self.say(line.with("policy", policy.name.as_str()));
        }
        self.guard.entered(&self.state.phase);
        self.keep_tickets_to_the_phase();
        let countdown_begins = self.tell_phase(&before.phase, now);
        for action in decision.actions {
            match action {
                Action::Connect => self.connect(),
                // The event that begins the countdown says the same.
                Action::Warn(_) if countdown_begins => {}
                Action::Warn(left) => {
                    let seconds = as_seconds(left);
                    self.shared.events.push(Event::Warn { seconds });
                    self.tell_warning(seconds);
                }
                Action::Save(place) => {
                    self.guard.policy_saves();
                    self.ask_to_save(place);
                }
                Action::Quit => self.want_quit(),
            }
        }
    }

    /// A ticket stands only as long as the phase that it belongs to.
    fn keep_tickets_to_the_phase(&mut self) {
        let quitting = matches!(self.state.phase, Phase::Quitting(_));
        let fits = match self.shared.tickets.open() {
            Some(Task::Save(place)) => {
                // While quitting: one more try after a failed one, or late changes.
                quitting
                    || matches!(&self.state.phase, Phase::Saving(saving) if saving.place == place)
            }
            Some(Task::Quit) => quitting,
            None => true,
        };
        if !fits || !quitting && self.closing.end != End::No {
            self.withdraw("The plan has changed");
        }
    }

    /// True if a countdown begins.
    pub(super) fn tell_phase(&mut self, before: &Phase, now: u64) -> bool {
        match (&self.state.phase, before) {
            (Phase::CountingDown(_), Phase::CountingDown(_)) | (Phase::Held(_), Phase::Held(_)) => {
                false
            }
            (Phase::CountingDown(countdown), _) => {
                let attempts = countdown.outage.attempts;
                let seconds = as_seconds(countdown.deadline.saturating_sub(now));
                self.shared
                    .events
                    .push(Event::Countdown { attempts, seconds });
                self.account.counts_down();
                self.note();
                self.tell_warning(seconds);
                true
            }
            (Phase::Held(_), _) => {
                self.shared.events.push(Event::Held);
                self.tell_cancelled(notify::Outcome::Held);
                false
            }
            _ => false,
        }
    }

    /// The policy's attempt.
    fn connect(&mut self) {
        if let Phase::Reconnecting(outage) = &self.state.phase
            && outage.attempts > 0
        {
            let of = self.settings.timing.retry_attempts;
            // A policy may make more attempts than are set.
            let whole = if outage.attempts <= of {
                format!(" of {of}")
            } else {
                String::new()
            };
            let message = format!("Reconnecting: attempt {}{whole}", outage.attempts);
            let line = LogLine::info("attempt", message);
            self.say(line.with("attempt", outage.attempts).with("of", of));
        }
        self.dial();
    }

    fn dial(&mut self) {
        self.attempts += 1;
        let id = self.attempts;
        let auth = json!({
            "token": self.settings.token.reveal(),
            "username": self.settings.username,
            "blend_file_path": self.path,
        });
        let timeout = Duration::from_millis(self.settings.timing.connect_timeout);
        // An attempt that was under way is given up.
        let connection = self.connector.connect(id, auth, timeout, self.sink.clone());
        self.connection = Some((id, connection));
        self.asked = None;
    }

    /// A person does not want to wait for the next attempt. The plan stays as it is: the policy's own
    /// attempts come when they are due, and the deadline does not move.
    fn try_now(&mut self) {
        if self.closing.is_out_of_hand() {
            let message = "Blender is closing: there is no server to try";
            self.say(LogLine::info("try-now-ignored", message));
        } else if self.guard.is_connected() {
            self.say(LogLine::info("try-now-ignored", "The server is connected"));
        } else if self.connection.is_some() {
            let message = "An attempt to connect is under way";
            self.say(LogLine::info("try-now-ignored", message));
        } else {
            self.say(LogLine::info("try-now", "Trying to connect now"));
            self.dial();
            self.asked = Some(self.attempts);
            self.publish();
        }
    }

    /// Writes down where everything stands.
    pub(super) fn publish(&self) {
        self.shared
            .held
            .store(self.guard.is_held(), Ordering::Relaxed);
        let mut snapshot = self.shared.snapshot();
        snapshot.terminating = self.closing.terminating.map(|_| match self.closing.end {
            End::No | End::Wanted => "saving",
            _ => "quitting",
        });
        snapshot.phase = Some(self.state.phase);
        snapshot.connected = self.guard.is_connected();
        snapshot.attempting = self.connection.is_some() && !snapshot.connected;
        snapshot.lost_at = self.guard.lost_at().filter(|_| self.announced);
        if !self.announced {
            snapshot.reason = None;
        }
        snapshot.policy = self.judge.status();
        self.shared.metrics.stands(snapshot.state());
    }

    pub(super) fn now(&self) -> u64 {
        self.shared.clock.now()
    }

    fn server(&self) -> String {
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
