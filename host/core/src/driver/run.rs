//! The loop: one event, one decision, what follows from it.

use super::judge::Judge;
use super::load::{self, Loaded, PolicySource};
use super::{Command, Shared};
use crate::clock::as_seconds;
use crate::contract::{Action, Decision, Loss, Moment, Phase, Request, Scene, State};
use crate::event::{Event, Level};
use crate::guard::Guard;
use crate::link::{Connection, Connector, LinkEvent, Sink};
use crate::sandbox::{Call, Limits, LoadError};
use crate::settings::Settings;
use crate::tickets::Task;
use serde_json::json;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

/// No policy is woken sooner than this after its last decision (milliseconds).
const WAKE_FLOOR: u64 = 10;
/// When nobody could decide, the next try is this much later (milliseconds).
const RETRY_DECISION: u64 = 1_000;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(1_500);

pub(super) struct Driver {
    settings: Settings,
    shared: Arc<Shared>,
    connector: Arc<dyn Connector>,
    judge: Judge,
    guard: Guard,
    state: State,
    /// When the policy asked to be woken.
    wake_at: Option<u64>,
    /// A call that nobody could decide: it is made again.
    undecided: Option<Call>,
    /// A quit that waits for the floor.
    quit_at: Option<u64>,
    /// The outage has been told of: the first connect of all is no outage while it is under way.
    announced: bool,
    scene: Option<Scene>,
    path: String,
    connection: Option<(u64, Box<dyn Connection>)>,
    attempts: u64,
    sink: Sink,
    links: Option<UnboundedReceiver<(u64, LinkEvent)>>,
    loader: UnboundedSender<Loaded>,
    loads: Option<UnboundedReceiver<Loaded>>,
}

impl Driver {
    pub fn new(
        connector: Arc<dyn Connector>,
        settings: Settings,
        shared: Arc<Shared>,
    ) -> Result<Self, LoadError> {
        let now = shared.clock.now();
        let (sink, links) = unbounded_channel();
        let (loader, loads) = unbounded_channel();
        Ok(Driver {
            judge: Judge::new(Limits::default())?,
            guard: Guard::new(settings.quit_floor, now),
            settings,
            shared,
            connector,
            state: State {
                phase: Phase::Connected,
                seen: now,
                memo: Vec::new(),
            },
            wake_at: None,
            undecided: None,
            quit_at: None,
            announced: false,
            scene: None,
            path: String::new(),
            connection: None,
            attempts: 0,
            sink,
            links: Some(links),
            loader,
            loads: Some(loads),
        })
    }

    /// Loads a policy in the background.
    pub fn swap(&self, source: PolicySource) {
        load::begin(self.judge.sandbox().clone(), source, self.loader.clone());
    }

    /// Connects, and runs until it is told to close.
    pub async fn run(mut self, commands: &mut UnboundedReceiver<Command>) {
        let (Some(mut links), Some(mut loads)) = (self.links.take(), self.loads.take()) else {
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
        self.info(format!("Connecting to {}", self.server()));
        self.decide(Call::Start);
        for command in early {
            if !self.command(command) {
                return self.say_goodbye();
            }
        }
        loop {
            let wake = self.wake_at;
            let quit = self.quit_at;
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
                Some((id, event)) = links.recv() => self.link_event(id, event),
                command = commands.recv() => match command {
                    Some(command) => if !self.command(command) { break },
                    None => break,
                },
                Some(loaded) = loads.recv() => self.loaded(loaded),
                () = sleep(quit) => self.quit(),
                () = sleep(wake) => {
                    let call = self.undecided.take().unwrap_or(Call::Tick);
                    self.decide(call);
                }
            }
        }
        self.say_goodbye();
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
            Command::Saved { ticket, outcome } => self.saved(ticket, outcome),
            Command::Request(request) => self.request(request),
            Command::Emit { name, data } => {
                if let Some((_, connection)) = &self.connection {
                    connection.emit(name, data);
                }
            }
            Command::Swap(source) => self.swap(source),
            Command::Close => return false,
        }
        true
    }

    fn open_file(&mut self, scene: Scene, path: String) {
        self.scene = Some(scene);
        self.path = path;
    }

    fn request(&mut self, request: Request) {
        if self.guard.is_connected() {
            self.info("The server is connected: there is no countdown to change".into());
        }
        self.decide(Call::OnRequest(request));
    }

    fn saved(&mut self, ticket: u64, outcome: Result<String, String>) {
        match self.shared.tickets.settle(ticket) {
            Some(Task::Save(_)) => {
                self.guard.save_answered();
                self.decide(Call::OnSaved(outcome.map(drop)));
            }
            _ => self.info("A save has ended that was no longer needed: Blender stays open".into()),
        }
    }

    fn loaded(&mut self, loaded: Loaded) {
        let message = match loaded.outcome {
            Ok(policy) => {
                self.judge.swap(policy, loaded.origin);
                // Its view of the present state is wanted at once.
                if self.shared.snapshot().phase.is_some() {
                    self.decide(Call::Tick);
                }
                None
            }
            Err(error) => Some(format!(
                "{}: {error}; {} still decides",
                loaded.origin,
                self.judge.identity()
            )),
        };
        self.publish();
        let name = self.judge.identity().name.clone();
        self.shared.events.push(Event::Policy { name, message });
    }

    fn link_event(&mut self, id: u64, event: LinkEvent) {
        if self
            .connection
            .as_ref()
            .is_none_or(|(current, _)| *current != id)
        {
            return; // of an attempt that was given up
        }
        let now = self.now();
        match event {
            LinkEvent::Connected => {
                self.withdraw("The server is back");
                let outage = self.guard.lost_at().filter(|_| self.announced);
                self.guard.connected();
                self.shared.events.push(Event::Connected);
                if let Some(lost_at) = outage {
                    let seconds = as_seconds(now.saturating_sub(lost_at));
                    self.shared.events.push(Event::Recovered { seconds });
                    self.shared.snapshot().recoveries += 1;
                }
                self.announced = false;
                self.shared.snapshot().last_error = None;
                self.undecided = None;
                self.decide(Call::OnConnect);
            }
            LinkEvent::Failed(failure) => {
                self.connection = None;
                let detail = Some(failure.detail.clone());
                let news =
                    std::mem::replace(&mut self.shared.snapshot().last_error, detail.clone())
                        != detail;
                if !self.announced {
                    self.announce(Loss::NeverConnected, &failure.detail);
                } else if news {
                    self.info(format!("Not connected: {}", failure.detail));
                }
                self.decide(Call::OnConnectError(failure.why));
            }
            LinkEvent::Lost { why, detail } => {
                self.connection = None;
                self.guard.lost(now);
                self.announce(why, &detail);
                self.undecided = None;
                self.decide(Call::OnDisconnect(why));
            }
            LinkEvent::Server { name, args } => {
                self.shared.events.push(Event::Server { name, args });
            }
        }
    }

    /// Tells of an outage, once.
    fn announce(&mut self, why: Loss, detail: &str) {
        self.announced = true;
        let reason = loss_name(why);
        {
            let mut snapshot = self.shared.snapshot();
            snapshot.outages += 1;
            snapshot.reason = Some(reason);
            snapshot.last_error = Some(detail.to_string());
        }
        self.shared.events.push(Event::Lost { reason });
        self.info(format!("Not connected: {detail}"));
    }

    fn decide(&mut self, call: Call) {
        let now = self.now();
        let moment = Moment {
            now,
            due: self.wake_at,
            entropy: getrandom::u64().ok(),
            settings: Some(self.settings.timing.clone()),
            scene: self.scene,
        };
        let verdict = self.judge.decide(&self.guard, &call, &self.state, &moment);
        for complaint in verdict.complaints {
            self.log(Level::Error, complaint);
        }
        match verdict.decision {
            Some(decision) => self.carry_out(decision, now),
            None => {
                self.wake_at = Some(now.saturating_add(RETRY_DECISION));
                self.undecided = Some(call);
            }
        }
        self.publish();
    }

    fn carry_out(&mut self, decision: Decision, now: u64) {
        let before = std::mem::replace(&mut self.state, decision.state);
        self.wake_at = decision
            .wake_at
            .map(|at| at.max(now.saturating_add(WAKE_FLOOR)));
        self.guard.entered(&self.state.phase);
        self.keep_tickets_to_the_phase();
        let countdown_begins = self.tell_phase(&before.phase, now);
        for action in decision.actions {
            match action {
                Action::Connect => self.connect(),
                // The event that begins the countdown says the same.
                Action::Warn(_) if countdown_begins => {}
                Action::Warn(left) => {
                    self.shared.events.push(Event::Warn {
                        seconds: as_seconds(left),
                    });
                }
                Action::Save(place) => {
                    self.guard.save_asked();
                    let ticket = self.shared.tickets.issue(Task::Save(place));
                    self.shared.events.push(Event::Save { ticket, place });
                }
                Action::Quit if self.shared.tickets.open() == Some(Task::Quit) => {}
                Action::Quit => self.quit_at = self.guard.quit_from(),
            }
        }
        if self.quit_at.is_some_and(|at| at <= now) {
            self.quit();
        }
    }

    /// The floor has passed: Blender may close.
    fn quit(&mut self) {
        self.quit_at = None;
        let ticket = self.shared.tickets.issue(Task::Quit);
        self.shared.events.push(Event::Quit { ticket });
    }

    /// A ticket stands only as long as the phase that it belongs to.
    fn keep_tickets_to_the_phase(&mut self) {
        let fits = match self.shared.tickets.open() {
            Some(Task::Save(place)) => {
                matches!(&self.state.phase, Phase::Saving(saving) if saving.place == place)
            }
            Some(Task::Quit) => matches!(self.state.phase, Phase::Quitting(_)),
            None => true,
        };
        if !fits || !matches!(self.state.phase, Phase::Quitting(_)) && self.quit_at.is_some() {
            self.withdraw("The plan has changed");
        }
    }

    fn withdraw(&mut self, why: &str) {
        let waiting = self.quit_at.take().is_some();
        let what = match self.shared.tickets.withdraw() {
            Some((Task::Save(_), true)) => "the save that is running ends, and Blender stays open",
            Some((Task::Save(_), false)) => "nothing is saved, and Blender stays open",
            Some((Task::Quit, true)) => "too late, Blender is closing",
            Some((Task::Quit, false)) => "Blender stays open",
            None if waiting => "Blender stays open",
            None => return,
        };
        self.info(format!("{why}: {what}"));
    }

    /// True if a countdown begins.
    fn tell_phase(&mut self, before: &Phase, now: u64) -> bool {
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
                true
            }
            (Phase::Held(_), _) => {
                self.shared.events.push(Event::Held);
                false
            }
            _ => false,
        }
    }

    fn connect(&mut self) {
        self.attempts += 1;
        let id = self.attempts;
        if let Phase::Reconnecting(outage) = &self.state.phase
            && outage.attempts > 0
        {
            let of = self.settings.timing.retry_attempts;
            self.info(format!("Reconnecting: attempt {} of {of}", outage.attempts));
        }
        let auth = json!({
            "token": self.settings.token.reveal(),
            "username": self.settings.username,
            "blend_file_path": self.path,
        });
        let timeout = Duration::from_millis(self.settings.timing.connect_timeout);
        // An attempt that was under way is given up.
        let connection = self.connector.connect(id, auth, timeout, self.sink.clone());
        self.connection = Some((id, connection));
    }

    /// Writes down where everything stands.
    fn publish(&self) {
        let mut snapshot = self.shared.snapshot();
        snapshot.phase = Some(self.state.phase);
        snapshot.connected = self.guard.is_connected();
        snapshot.lost_at = self.guard.lost_at().filter(|_| self.announced);
        if !self.announced {
            snapshot.reason = None;
        }
        snapshot.policy = self.judge.status();
    }

    fn now(&self) -> u64 {
        self.shared.clock.now()
    }

    fn server(&self) -> String {
        self.settings
            .server
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    fn info(&self, message: String) {
        self.log(Level::Info, message);
    }

    fn log(&self, level: Level, message: String) {
        self.shared.events.push(Event::Log(level, message));
    }
}

fn loss_name(why: Loss) -> &'static str {
    match why {
        Loss::NeverConnected => "never-connected",
        Loss::TransportError => "transport-error",
        Loss::PingTimeout => "ping-timeout",
        Loss::ServerDisconnect => "server-disconnect",
    }
}
