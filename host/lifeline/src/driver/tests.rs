//! The whole driver with a scripted server, in virtual time.

mod notifications;
mod server;
mod slow;

use super::Driver;
use super::deciding::{Decider, Deciding};
use super::host_thread::Host;
use super::{Command, FirstPolicy, PolicySource, Shared};
use super::{Effects, LastAct, Watch};
use crate::contract::{
    Action, Countdown, Decision, Loss, Moment, Phase, Place, Request, Scene, State,
};
use crate::event::{Event, Reason};
use crate::journal::{Entry, Journal, Outcome};
use crate::keep::{Digest, KeepEvent, KeepSink, Keeping, Order, Uploaded};
use crate::link::{Args, Connection, Connector, Sink};
use crate::notify::Notification;
use crate::reload;
use crate::settings::Settings;
use crate::status::Snapshot;
use crate::{Call, Decide};
use lifeline_core::{Safe, SaveOutcome, Saved};
use lifeline_sandbox::{Code, Compiling, Identity, Limits, Policy, Sandbox};
use serde_json::{Map, Value};
use server::ScriptedServer;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

/// Every saved file is whole, unless told otherwise; what else was done is remembered.
#[derive(Default)]
struct Record {
    /// What becomes of the next files, if not "whole, and uploaded at once".
    script: Vec<KeepEvent>,
    /// Nothing is said of files by themselves.
    silent: bool,
    orders: Vec<(Order, KeepSink)>,
    watched: Vec<Watch>,
    notified: Vec<Notification>,
    ended_with: Option<i32>,
}

#[derive(Clone, Default)]
struct World(Arc<Mutex<Record>>);

impl World {
    fn whole() -> KeepEvent {
        KeepEvent::Digested(Digest {
            bytes: 3,
            sha256: "ba78".into(),
            seconds: 0.0,
        })
    }

    /// The last file that was handed over fares like this.
    fn say(&self, event: KeepEvent) {
        let record = self.0.lock().unwrap();
        let (order, sink) = record.orders.last().unwrap();
        sink.send((order.id, event)).unwrap();
    }

    fn ended_with(&self) -> Option<i32> {
        self.0.lock().unwrap().ended_with
    }
}

impl Effects for World {
    fn keep(&self, order: Order, sink: KeepSink) -> Keeping {
        let mut record = self.0.lock().unwrap();
        if !record.silent {
            let event = record.script.pop().unwrap_or_else(World::whole);
            let _ = sink.send((order.id, event));
        }
        record.orders.push((order, sink));
        Keeping::default()
    }

    fn watch(&self, watch: Watch) {
        self.0.lock().unwrap().watched.push(watch);
    }

    fn end_process(&self, code: i32, last: LastAct) {
        last();
        self.0.lock().unwrap().ended_with = Some(code);
    }

    fn notify(&self, notification: Notification) {
        self.0.lock().unwrap().notified.push(notification);
    }
}

/// What the driver sends to the server.
type Said = Arc<Mutex<Vec<(String, Value)>>>;

/// A server of which everything that it is sent is kept.
struct Overheard(ScriptedServer, Said);

struct OverheardLine(Box<dyn Connection>, Said);

impl Connector for Overheard {
    fn connect(&self, id: u64, auth: Value, timeout: Duration, sink: Sink) -> Box<dyn Connection> {
        let line = self.0.connect(id, auth, timeout, sink);
        Box::new(OverheardLine(line, Arc::clone(&self.1)))
    }
}

impl Connection for OverheardLine {
    fn emit(&self, name: String, args: Args) {
        let mut said = self.1.lock().unwrap();
        let data = args.values.first().cloned();
        said.push((name.clone(), data.unwrap_or_default()));
        self.0.emit(name, args);
    }

    fn answer(&self, ack: u64, args: Args) {
        self.0.answer(ack, args);
    }

    fn end(self: Box<Self>, timeout: Duration) -> bool {
        self.0.end(timeout)
    }
}

fn saved(path: &str) -> SaveOutcome {
    Ok(Saved {
        path: path.into(),
        recovery: false,
        failures: vec![],
        digest: None,
        render: None,
    })
}

fn failed(reason: &str) -> SaveOutcome {
    Err(vec![reason.into()])
}

fn shared() -> Arc<Shared> {
    Arc::new(Shared::new(Snapshot::default()))
}

fn resolve(settings: &[(&str, &str)]) -> Settings {
    let environment: BTreeMap<String, String> = settings
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let mut settings = Settings::resolve(&Map::new(), &environment).unwrap();
    settings.policy.compiling = Compiling::Here;
    settings
}

type Answer = Result<Decision, String>;

/// The built-in policy as somebody else's, of whose answers something else is made.
struct Spoiled<F>(Policy, F);

impl<F> std::fmt::Debug for Spoiled<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<F: Fn(&Call, &State, Answer) -> Answer> Decide for Spoiled<F> {
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Answer {
        (self.1)(call, state, self.0.decide(call, state, moment))
    }
}

impl<F: Fn(&Call, &State, Answer) -> Answer + Send + Sync> Decider for Spoiled<F> {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }

    fn code(&self) -> &Code {
        self.0.code()
    }
}

fn built_in() -> Policy {
    let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
    sandbox.load_embedded(&crate::FIVE_MINUTES).unwrap()
}

fn taken(policy: Arc<dyn Decider>) -> Command {
    Command::Take {
        policy,
        origin: "a test".into(),
    }
}

fn spoiled(spoil: impl Fn(&Call, &State, Decision) -> Decision + Send + Sync + 'static) -> Command {
    let spoil = move |call: &Call, state: &State, answer: Answer| Ok(spoil(call, state, answer?));
    taken(Arc::new(Spoiled(built_in(), spoil)))
}

fn never_counts_down(mut decision: Decision) -> Decision {
    if let Phase::CountingDown(countdown) = decision.state.phase {
        decision.state.phase = Phase::Reconnecting(countdown.outage);
        decision.actions.clear();
    }
    decision
}

/// A driver at work, and Blender's side of it.
struct Stage {
    server: ScriptedServer,
    said: Said,
    world: World,
    shared: Arc<Shared>,
    commands: UnboundedSender<Command>,
    seen: Vec<Event>,
    /// The main thread does not poll (what it would get is looked at all the same).
    busy: bool,
}

impl Stage {
    fn open(settings: &[(&str, &str)], up: bool) -> Self {
        Stage::open_with(settings, up, |built_in| Arc::new(built_in))
    }

    /// With another policy in place of the built-in one.
    fn open_with(
        settings: &[(&str, &str)],
        up: bool,
        built_in: impl FnOnce(Policy) -> Arc<dyn Decider>,
    ) -> Self {
        let settings = resolve(settings);
        let server = ScriptedServer::default();
        server.set(up);
        let shared = shared();
        let (commands, mut inbox) = unbounded_channel();
        let world = World::default();
        let said = Said::default();
        let sandbox = Sandbox::new(settings.policy.limits, None, Compiling::Here).unwrap();
        let policy = built_in(sandbox.load_embedded(&crate::FIVE_MINUTES).unwrap());
        let driver = Driver::with(
            Deciding::with(sandbox, policy),
            Arc::new(Overheard(server.clone(), Arc::clone(&said))),
            Arc::new(world.clone()),
            settings,
            Arc::clone(&shared),
            FirstPolicy::default(),
        );
        tokio::spawn(async move { driver.run(&mut inbox).await });
        Stage {
            server,
            said,
            world,
            shared,
            commands,
            seen: vec![],
            busy: false,
        }
    }

    /// Lets virtual time pass.
    async fn pass(&mut self, seconds: f64) {
        sleep(Duration::from_secs_f64(seconds)).await;
        if !self.busy {
            let now = self.shared.clock.now();
            self.shared.polled.store(now, Ordering::Relaxed);
        }
        self.seen.extend(self.shared.events.drain());
    }

    fn phase(&self) -> String {
        let status = self.shared.snapshot().json(self.shared.clock.now());
        status["phase"].as_str().unwrap().to_string()
    }

    /// What was counted under this name with its labels.
    fn counted(&self, sample: &str) -> u64 {
        let snapshot = self.shared.snapshot().clone();
        let text = self.shared.metrics.openmetrics(&snapshot, 0);
        let line = format!("cr8_lifeline_{sample} ");
        let found = text.lines().find_map(|it| it.strip_prefix(&line));
        found.unwrap().parse().unwrap()
    }

    fn remaining(&self) -> f64 {
        let status = self.shared.snapshot().json(self.shared.clock.now());
        status["remaining"].as_f64().unwrap()
    }

    fn send(&self, command: Command) {
        self.commands.send(command).unwrap();
    }

    fn saves(&self) -> Vec<(u64, Place)> {
        let save = |event: &Event| match event {
            Event::Save { ticket, place, .. } => Some((*ticket, *place)),
            _ => None,
        };
        self.seen.iter().filter_map(save).collect()
    }

    fn quits(&self) -> Vec<u64> {
        let quit = |event: &Event| match event {
            Event::Quit { ticket } => Some(*ticket),
            _ => None,
        };
        self.seen.iter().filter_map(quit).collect()
    }

    fn claim(&self, ticket: u64) -> bool {
        let stands = self.shared.tickets.take(ticket);
        if stands {
            self.send(Command::Claimed { ticket });
        }
        stands
    }

    /// False: it had been withdrawn.
    fn save_first(&self, ticket: u64) -> bool {
        let stands = self.shared.tickets.take(ticket);
        if stands {
            self.send(Command::SaveFirst { ticket });
        }
        stands
    }

    fn told_to_close(&self) -> bool {
        self.seen.contains(&Event::Close)
    }

    /// Until the save is asked for.
    async fn lose_for_good(&mut self) {
        self.pass(1.0).await;
        self.server.lose();
        self.pass(335.0).await;
        assert_eq!(self.saves().len(), 1);
    }

    /// What Blender does with a save: claims it, and answers.
    async fn answer_save(&mut self, outcome: SaveOutcome) {
        let (ticket, _) = *self.saves().last().unwrap();
        assert!(self.claim(ticket));
        self.send(Command::Saved { ticket, outcome });
        self.pass(0.001).await;
    }
}

const NO_JITTER: &[(&str, &str)] = &[("CR8_RETRY_JITTER", "0")];

#[tokio::test(start_paused = true)]
async fn a_server_lost_for_good_ends_in_save_and_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    assert_eq!(stage.phase(), "connected");
    let lost = Instant::now();
    stage.server.lose();
    stage.pass(34.1).await;
    let first: Vec<u64> = stage.server.attempts()[1..6]
        .iter()
        .map(|(at, _)| (*at - lost).as_secs())
        .collect();
    assert_eq!(first, [2, 6, 14, 24, 34]);
    let countdown = Event::Countdown {
        attempts: 5,
        seconds: 300.0,
    };
    assert!(stage.seen.contains(&countdown), "{:?}", stage.seen);
    stage.pass(299.8).await;
    assert_eq!(
        (stage.phase().as_str(), stage.saves().len()),
        ("counting-down", 0)
    );
    stage.pass(0.2).await;
    assert_eq!(stage.saves().len(), 1);
    assert!(
        stage.quits().is_empty(),
        "no quit before the save is answered"
    );
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.quits().len(), 1);
    assert!(stage.shared.tickets.take(stage.quits()[0]));
}

#[tokio::test(start_paused = true)]
async fn a_server_back_withdraws_a_save_that_nobody_has_claimed() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(335.0).await;
    let (ticket, _) = stage.saves()[0];
    stage.server.set(true);
    stage.pass(20.0).await;
    assert_eq!(stage.phase(), "connected");
    assert!(!stage.shared.tickets.take(ticket));
}

#[tokio::test(start_paused = true)]
async fn a_server_back_during_a_save_prevents_the_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(335.0).await;
    let (ticket, _) = stage.saves()[0];
    assert!(stage.shared.tickets.take(ticket));
    stage.server.set(true);
    stage.pass(20.0).await;
    stage.send(Command::Saved {
        ticket,
        outcome: saved("/tmp/a.blend"),
    });
    stage.pass(600.0).await;
    assert_eq!(
        (stage.phase().as_str(), stage.quits().len()),
        ("connected", 0)
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_save_of_an_earlier_outage_does_not_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(335.0).await;
    let (ticket, _) = stage.saves()[0];
    assert!(stage.shared.tickets.take(ticket));
    stage.server.set(true);
    stage.pass(20.0).await;
    stage.server.lose();
    stage.pass(334.5).await;
    assert_eq!(stage.saves().len(), 2);
    stage.send(Command::Saved {
        ticket,
        outcome: saved("/tmp/a.blend"),
    });
    stage.pass(5.0).await;
    assert!(stage.quits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_save_leads_to_a_recovery_copy_and_then_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    stage.answer_save(failed("read-only")).await;
    assert_eq!(
        stage.saves().last().map(|save| save.1),
        Some(Place::Recovery)
    );
    assert!(stage.quits().is_empty());
    stage.answer_save(saved("/tmp/copy.blend")).await;
    assert_eq!(stage.quits().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn blender_does_not_close_before_the_floor() {
    let settings = [("CR8_RETRY_ATTEMPTS", "0"), ("CR8_CLEANUP_TIMEOUT", "1")];
    let mut stage = Stage::open(&settings, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(2.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    stage.pass(7.9).await;
    assert!(stage.quits().is_empty());
    stage.pass(0.2).await;
    assert_eq!(stage.quits().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_quit_that_waits_for_the_floor_is_withdrawn_by_the_server() {
    let settings = [
        ("CR8_RETRY_ATTEMPTS", "0"),
        ("CR8_CLEANUP_TIMEOUT", "1"),
        ("CR8_RETRY_DELAY_MAX", "1"),
    ];
    let mut stage = Stage::open(&settings, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(2.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    stage.server.set(true);
    stage.pass(60.0).await;
    assert_eq!(
        (stage.phase().as_str(), stage.quits().len()),
        ("connected", 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_never_there_counts_down_too() {
    let mut stage = Stage::open(NO_JITTER, false);
    stage.pass(335.0).await;
    assert_eq!(stage.saves().len(), 1);
    assert!(stage.seen.contains(&Event::Lost {
        reason: "never-connected"
    }));
    assert_eq!(stage.shared.snapshot().outages, 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_server_is_lost_to_people_by_its_own_name_and_to_a_policy_as_one_that_is_silent() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.freeze();
    stage.pass(1.0).await;
    assert!(stage.seen.contains(&Event::Lost { reason: "frozen" }));
    {
        let snapshot = stage.shared.snapshot();
        assert_eq!(snapshot.reason, Some("frozen"));
        let outage = snapshot.phase.as_ref().and_then(Phase::outage);
        assert_eq!(outage.map(|outage| outage.why), Some(Loss::PingTimeout));
    }
    stage.pass(334.0).await;
    assert_eq!(stage.saves().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_first_connection_is_no_recovery() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    assert!(stage.seen.contains(&Event::Connected));
    assert!(
        !stage
            .seen
            .iter()
            .any(|event| matches!(event, Event::Recovered { .. }))
    );
    assert_eq!(stage.shared.snapshot().outages, 0);
}

#[tokio::test(start_paused = true)]
async fn many_flaps_are_one_outage_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = [NO_JITTER[0], ("CR8_JOURNAL", path.to_str().unwrap())];
    let mut stage = Stage::open(&journal, true);
    for flap in 0..20 {
        stage.pass(1.0).await;
        stage.server.lose();
        stage.pass(1.0).await;
        stage.server.set(true);
        // The first ones cost no time, and no other one costs more than the longest pause.
        stage.pass(if flap < 5 { 2.0 } else { 10.0 }).await;
        assert_eq!(stage.phase(), "connected");
    }
    // It is written in real time.
    let written = |number: usize| {
        let waits = (0..1_000).find(|_| {
            std::thread::sleep(Duration::from_millis(10));
            journal_of(&path).len() >= number
        });
        assert!(waits.is_some());
        journal_of(&path).len()
    };
    assert_eq!(written(1), 1, "the rest is not over yet");
    stage.pass(1_000.0).await;
    assert!(stage.saves().is_empty());
    let snapshot = stage.shared.snapshot().clone();
    assert_eq!((snapshot.outages, snapshot.recoveries), (20, 20));
    assert_eq!(written(2), 2);
}

#[tokio::test(start_paused = true)]
async fn hold_extend_release_close_now() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(40.0).await;
    let before = stage.remaining();
    stage.send(Command::Request(Request::Extend(60_000), String::new()));
    stage.pass(0.001).await;
    assert!((stage.remaining() - before - 60.0).abs() < 0.1);
    stage.send(Command::Request(Request::Hold, String::new()));
    stage.pass(5_000.0).await;
    assert_eq!((stage.phase().as_str(), stage.saves().len()), ("held", 0));
    stage.send(Command::Request(Request::Release, String::new()));
    stage.pass(0.001).await;
    assert!((stage.remaining() - 300.0).abs() < 0.1);
    stage.send(Command::Request(Request::CloseNow, String::new()));
    stage.pass(0.001).await;
    assert_eq!(stage.saves().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_a_person_asks_for_changes_nothing_but_its_success() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    let lost = Instant::now();
    stage.server.lose();
    stage.pass(3.0).await;
    for _ in 0..3 {
        stage.send(Command::TryNow);
        stage.pass(0.5).await;
    }
    stage.pass(30.0).await;
    let attempts: Vec<u64> = stage.server.attempts()[1..]
        .iter()
        .map(|(at, _)| (*at - lost).as_millis() as u64 / 500)
        .collect();
    // Half seconds: the three beside the plan, and the plan.
    assert_eq!(attempts[..8], [4, 6, 7, 8, 12, 28, 48, 68]);
    assert_eq!(stage.phase(), "counting-down");
    let deadline = stage.remaining();
    stage.send(Command::TryNow);
    stage.pass(0.001).await;
    assert!((deadline - stage.remaining()).abs() < 0.1);
    stage.server.set(true);
    stage.send(Command::TryNow);
    stage.pass(0.001).await;
    assert_eq!(stage.phase(), "connected");
    // There is nothing to try any more.
    let made = stage.server.attempts().len();
    stage.send(Command::TryNow);
    stage.pass(600.0).await;
    assert_eq!(stage.server.attempts().len(), made);
    assert!(stage.saves().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_outage_is_told_once_it_has_ended() {
    let mut stage = Stage::open(NO_JITTER, true);
    let last = |stage: &Stage| stage.shared.snapshot().json(0)["last_outage"].clone();
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(60.0).await;
    assert_eq!(last(&stage), Value::Null);
    stage.server.set(true);
    stage.pass(20.0).await;
    assert_eq!(last(&stage)["outcome"], "recovered");
    stage.lose_for_good().await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert!(stage.claim(stage.quits()[0]));
    stage.pass(0.001).await;
    assert_eq!(last(&stage)["outcome"], "quit");
    assert_eq!(last(&stage)["saves"][0]["path"], "/tmp/a.blend");
}

#[tokio::test(start_paused = true)]
async fn an_outage_without_a_save_does_not_hide_where_the_work_is() {
    let mut stage = Stage::open(NO_JITTER, true);
    let last = |stage: &Stage| stage.shared.snapshot().json(0)["last_outage"].clone();
    stage.lose_for_good().await;
    let (ticket, _) = stage.saves()[0];
    assert!(stage.claim(ticket));
    stage.server.set(true);
    stage.pass(20.0).await;
    let outcome = saved("/tmp/a.blend");
    stage.send(Command::Saved { ticket, outcome });
    stage.pass(1.0).await;
    assert_eq!(last(&stage)["saves"][0]["path"], "/tmp/a.blend");
    stage.server.lose();
    stage.pass(1.0).await;
    stage.server.set(true);
    stage.pass(20.0).await;
    assert_eq!(stage.phase(), "connected");
    assert_eq!(last(&stage)["saves"][0]["path"], "/tmp/a.blend");
}

#[tokio::test(start_paused = true)]
async fn a_hold_withdraws_an_unclaimed_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(335.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    stage.send(Command::Request(Request::Hold, String::new()));
    stage.pass(1.0).await;
    assert!(!stage.shared.tickets.take(stage.quits()[0]));
}

fn ask(request: Request) -> Command {
    Command::Request(request, String::new())
}

/// Goes on counting down whatever a person wants.
fn ignores_hold() -> Command {
    spoiled(|_, before, mut decision| {
        if let Phase::Held(outage) = decision.state.phase {
            let now = decision.state.seen;
            decision.state.phase = match before.phase {
                Phase::Held(_) | Phase::Reconnecting(_) => Phase::CountingDown(Countdown {
                    outage,
                    deadline: now + 300_000,
                    warned: 0,
                }),
                before => before,
            };
        }
        decision
    })
}

/// Holds whatever a person wants.
fn ignores_release() -> Command {
    spoiled(|call, before, mut decision| {
        if let (Call::OnRequest(_), Phase::Held(_)) = (call, before.phase) {
            decision.state.phase = before.phase;
            decision.actions.clear();
        }
        decision
    })
}

impl Stage {
    /// As the log tells.
    fn has_ignored_a_hold_in(&self, phase: &str) -> bool {
        let why = format!("in on-request: a person keeps Blender open, but its phase is {phase};");
        self.seen
            .iter()
            .any(|event| matches!(event, Event::Log(line) if line.message.contains(&why)))
    }

    fn failures(&self) -> (u32, String) {
        let policy = self.shared.snapshot().policy.clone();
        (policy.failures, policy.last_failure.unwrap_or_default())
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_obeyed_whatever_the_policy() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.send(ignores_hold());
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(40.0).await;
    stage.send(ask(Request::Hold));
    stage.pass(0.001).await;
    assert_eq!(stage.phase(), "held");
    assert!(stage.has_ignored_a_hold_in("counting-down"));
    stage.pass(5_000.0).await;
    assert_eq!((stage.phase().as_str(), stage.saves().len()), ("held", 0));
    assert!(stage.shared.snapshot().policy.set_aside);
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_obeyed_while_blender_saves_and_quits() {
    for quitting in [false, true] {
        let mut stage = Stage::open(NO_JITTER, true);
        stage.send(ignores_hold());
        stage.lose_for_good().await;
        let mut ticket = stage.saves()[0].0;
        if quitting {
            stage.answer_save(saved("/tmp/a.blend")).await;
            ticket = stage.quits()[0];
        }
        stage.send(ask(Request::Hold));
        stage.pass(0.001).await;
        assert_eq!(
            (stage.phase().as_str(), stage.claim(ticket)),
            ("held", false)
        );
        let phase = if quitting { "quitting" } else { "saving" };
        assert!(stage.has_ignored_a_hold_in(phase), "{:?}", stage.seen);
        stage.pass(5_000.0).await;
        assert_eq!((stage.saves().len(), stage.phase().as_str()), (1, "held"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_does_not_end_a_hold() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(40.0).await;
    stage.send(ask(Request::Hold));
    stage.send(ignores_hold());
    stage.pass(5_000.0).await;
    assert_eq!((stage.phase().as_str(), stage.saves().len()), ("held", 0));
    assert_eq!(stage.failures().0, 3);
    // As if nobody had meddled.
    stage.send(ask(Request::Release));
    stage.pass(0.001).await;
    assert!((stage.remaining() - 300.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_release_and_a_close_now_are_obeyed_whatever_the_policy() {
    for (end, phase) in [
        (Request::Release, "counting-down"),
        (Request::CloseNow, "saving"),
    ] {
        let mut stage = Stage::open(NO_JITTER, true);
        stage.send(ignores_release());
        stage.pass(1.0).await;
        stage.server.lose();
        stage.pass(40.0).await;
        stage.send(ask(Request::Hold));
        stage.pass(5_000.0).await;
        assert_eq!((stage.phase().as_str(), stage.failures().0), ("held", 0));
        stage.send(ask(end));
        stage.pass(0.001).await;
        assert_eq!((stage.phase().as_str(), stage.failures().0), (phase, 1));
        let why = stage.failures().1;
        assert!(
            why.ends_with("it holds although nobody asked for it"),
            "{why}"
        );
    }
}

/// A stage on which, while the switch is on, nobody decides anything.
fn stage_with_a_switch(settings: &[(&str, &str)]) -> (Stage, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let stage = Stage::open_with(settings, true, |built_in| {
        let spoil = move |_: &Call, _: &State, answer: Answer| match broken.load(Ordering::Relaxed)
        {
            true => Err("no memory".into()),
            false => answer,
        };
        Arc::new(Spoiled(built_in, spoil))
    });
    (stage, switch)
}

#[tokio::test(start_paused = true)]
async fn a_hold_needs_nobodys_decision() {
    let (mut stage, broken) = stage_with_a_switch(NO_JITTER);
    stage.lose_for_good().await;
    let ticket = stage.saves()[0].0;
    broken.store(true, Ordering::Relaxed);
    stage.send(ask(Request::Hold));
    stage.pass(0.5).await;
    assert!(!stage.claim(ticket));
    broken.store(false, Ordering::Relaxed);
    stage.pass(2.0).await;
    assert_eq!(stage.phase(), "held");
    stage.pass(5_000.0).await;
    assert_eq!((stage.phase().as_str(), stage.saves().len()), ("held", 1));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_decide_is_made_up_for_in_its_order() {
    let (mut stage, broken) = stage_with_a_switch(NO_JITTER);
    stage.pass(1.0).await;
    broken.store(true, Ordering::Relaxed);
    stage.server.lose();
    stage.pass(0.1).await;
    stage.send(ask(Request::Hold));
    stage.send(ask(Request::Release));
    stage.pass(10.0).await;
    assert_eq!(stage.phase(), "connected", "as the policy knows");
    broken.store(false, Ordering::Relaxed);
    stage.pass(2.0).await;
    assert_eq!(stage.phase(), "reconnecting");
    assert!(stage.seen.contains(&Event::Held));
}

#[tokio::test(start_paused = true)]
async fn an_extension_counts_once_however_often_it_is_decided() {
    let settings = [NO_JITTER[0], ("CR8_OUTAGE_LIMIT", "60")];
    let (mut stage, broken) = stage_with_a_switch(&settings);
    let switch = Arc::clone(&broken);
    let spoil = move |_: &Call, _: &State, answer: Answer| match answer {
        _ if switch.load(Ordering::Relaxed) => Err("no memory".into()),
        Ok(decision) => Ok(never_counts_down(decision)),
        error => error,
    };
    stage.send(taken(Arc::new(Spoiled(built_in(), spoil))));
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(40.0).await;
    broken.store(true, Ordering::Relaxed);
    stage.send(ask(Request::Extend(60_000)));
    stage.pass(1.5).await;
    broken.store(false, Ordering::Relaxed);
    // The longest outage, the limit, and the extension: from the request on.
    stage.pass(400.0 + 60.0 + 55.0).await;
    assert_eq!(
        (stage.phase().as_str(), stage.failures().0),
        ("reconnecting", 2)
    );
    stage.pass(20.0).await;
    assert_eq!(stage.phase(), "counting-down");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_nobody_knew_of_and_that_is_lost_again_begins_a_new_outage() {
    let broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&broken);
    let mut stage = Stage::open_with(NO_JITTER, true, |built_in| {
        let spoil = move |call: &Call, before: &State, answer: Answer| {
            let saving = matches!(before.phase, Phase::Saving(_));
            match (call, saving && broken.load(Ordering::Relaxed)) {
                (Call::OnConnect, true) => Err("no memory".into()),
                _ => answer,
            }
        };
        Arc::new(Spoiled(built_in, spoil))
    });
    stage.lose_for_good().await;
    stage.server.set(true);
    while !stage.shared.snapshot().connected {
        stage.pass(0.1).await;
    }
    assert_eq!(stage.failures().0, 1);
    assert_eq!(stage.phase(), "connected");
    stage.pass(31.0).await;
    stage.server.lose();
    switch.store(false, Ordering::Relaxed);
    stage.pass(40.0).await;
    assert_eq!(stage.phase(), "counting-down");
    stage.pass(300.0).await;
    assert_eq!(stage.saves().len(), 2);
}

/// Waits for the compiler, which runs on a thread of its own in real time.
async fn swap(stage: &mut Stage, source: PolicySource) -> Option<String> {
    stage.send(Command::Swap(source));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(10));
        stage.seen.extend(stage.shared.events.drain());
        let ended = stage
            .seen
            .iter()
            .position(|event| matches!(event, Event::Policy { .. }));
        if let Some(Event::Policy { message, .. }) = ended.map(|at| stage.seen.remove(at)) {
            return message;
        }
    }
    panic!("the swap has not ended");
}

#[tokio::test]
async fn a_swap_in_mid_countdown_keeps_the_deadline() {
    let mut stage = Stage::open(&[("CR8_RETRY_ATTEMPTS", "0")], true);
    stage.pass(0.05).await;
    stage.server.lose();
    stage.pass(0.05).await;
    let before = stage.remaining();
    let bytes = crate::FIVE_MINUTES.component.to_vec();
    assert_eq!(swap(&mut stage, PolicySource::Bytes(bytes)).await, None);
    assert_eq!(stage.phase(), "counting-down");
    assert!(stage.remaining() <= before && stage.remaining() > before - 20.0);
    assert_eq!(stage.shared.snapshot().policy.origin, "bytes");
}

#[tokio::test]
async fn a_policy_that_cannot_be_loaded_leaves_the_old_one() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(0.05).await;
    for (source, reason) in [
        (
            PolicySource::Bytes(b"junk".to_vec()),
            "it is not WebAssembly",
        ),
        (
            PolicySource::Path("/nowhere/at/all.wasm".into()),
            "cannot be read",
        ),
        (
            PolicySource::Path(std::env::temp_dir()),
            "not an ordinary file",
        ),
    ] {
        let message = swap(&mut stage, source).await.unwrap();
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(stage.shared.snapshot().policy.origin, "built-in");
}

#[tokio::test(start_paused = true)]
async fn the_way_back_is_not_taken_for_an_order_that_was_overtaken() {
    let shared = shared();
    let mut driver = Driver::new(
        Arc::new(ScriptedServer::default()),
        Arc::new(World::default()),
        resolve(NO_JITTER),
        Arc::clone(&shared),
        FirstPolicy::default(),
    )
    .unwrap();
    let Command::Take { policy, origin } = spoiled(|_, _, decision| decision) else {
        panic!()
    };
    driver.take(policy, origin);
    let revert = |error| reload::Verdict {
        order: reload::Order::Revert(None),
        sha256: None,
        outcome: Err(error),
        trouble: None,
    };
    driver.loaded(revert(reload::SwapError::Superseded));
    assert_eq!(shared.snapshot().policy.origin, "a test");
    driver.loaded(revert(reload::SwapError::NothingSet));
    assert_eq!(shared.snapshot().policy.origin, "built-in");
}

/// Loses its server, and a policy that never ends an outage.
async fn endless(settings: &[(&str, &str)], spoil: Command) -> Stage {
    let mut stage = Stage::open(settings, true);
    stage.send(spoil);
    stage.pass(1.0).await;
    stage.server.lose();
    stage
}

#[tokio::test(start_paused = true)]
async fn a_countdown_that_the_host_makes_is_told() {
    let settings = [NO_JITTER[0], ("CR8_OUTAGE_LIMIT", "60")];
    let reconnects = spoiled(|_, _, decision| never_counts_down(decision));
    let never_saves = spoiled(|_, before, mut decision| {
        if let Phase::Saving(_) = decision.state.phase {
            decision.state.phase = before.phase;
            decision.actions.clear();
        }
        decision
    });
    for (policy, phase, before) in [
        (reconnects, "reconnecting", 0),
        (never_saves, "counting-down", 1),
    ] {
        let mut stage = endless(&settings, policy).await;
        let told = |stage: &Stage| {
            let countdown = |event: &&Event| matches!(event, Event::Countdown { seconds, .. } if *seconds == 300.0);
            stage.seen.iter().filter(countdown).count()
        };
        stage.pass(450.0).await;
        assert_eq!((stage.phase().as_str(), told(&stage)), (phase, before));
        // The attempts with all that each may take, the countdown, and the limit.
        stage.pass(20.0).await;
        assert_eq!(stage.phase(), "counting-down");
        assert_eq!(told(&stage), before + 1, "{:?}", stage.seen);
        stage.pass(300.0).await;
        assert_eq!(stage.saves().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_end_of_an_outage_a_policy_is_woken_as_it_wants() {
    let settings = [NO_JITTER[0], ("CR8_OUTAGE_LIMIT", "60")];
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    let counts = spoiled(move |_, _, decision| {
        count.fetch_add(1, Ordering::Relaxed);
        decision
    });
    let mut stage = endless(&settings, counts).await;
    // The save is asked for, and not begun: that may be waited for.
    stage.pass(600.0).await;
    assert_eq!((stage.phase().as_str(), stage.failures().0), ("saving", 0));
    calls.store(0, Ordering::Relaxed);
    stage.pass(100.0).await;
    // Two for each attempt, of which there is one every five seconds.
    let calls = calls.load(Ordering::Relaxed);
    assert!((10..200).contains(&calls), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn an_old_file_that_cannot_be_verified_is_no_answered_save() {
    let saves_and_waits = spoiled(|call, before, mut decision| {
        if let (Call::OnSaved(_), Phase::Saving(saving)) = (call, before.phase) {
            decision.state.phase = Phase::Reconnecting(saving.outage);
            decision.actions.clear();
            decision.wake_at = Some(decision.state.seen + 10_000);
        } else if let Phase::Reconnecting(outage) = before.phase
            && outage.attempts >= 5
            && decision.state.seen > outage.lost_at + 300_000
        {
            decision.state.phase = Phase::Quitting(outage);
            decision.actions = vec![Action::Quit];
        }
        decision
    });
    let mut stage = endless(NO_JITTER, saves_and_waits).await;
    stage.world.0.lock().unwrap().silent = true;
    stage.pass(335.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.phase(), "reconnecting");
    stage
        .world
        .say(KeepEvent::Unreadable("a broken disk".into()));
    stage.pass(11.0).await;
    let (failures, why) = stage.failures();
    assert!(
        failures > 0 && why.ends_with("quit before a save was answered"),
        "{why}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_save_that_was_waited_for_too_long_is_no_reason_to_wait_another_day() {
    let settings = [NO_JITTER[0], ("CR8_OUTAGE_LIMIT", "60")];
    let tired = spoiled(move |_, before, mut decision| {
        // Long after the end it wants no save any more, but to sleep.
        if let Phase::Saving(saving) = before.phase
            && decision.state.seen > saving.since + 600_000
        {
            decision.state.phase = Phase::Reconnecting(saving.outage);
            decision.actions.clear();
            decision.wake_at = Some(decision.state.seen + 86_400_000);
        }
        decision
    });
    let mut stage = endless(&settings, tired).await;
    stage.pass(335.0).await;
    assert_eq!(stage.phase(), "saving");
    stage.pass(620.0).await;
    assert_eq!(stage.phase(), "counting-down");
}

#[tokio::test(start_paused = true)]
async fn a_request_before_the_start_is_kept_for_after_it() {
    let environment = BTreeMap::from([("CR8_RETRY_JITTER".to_string(), "0".to_string())]);
    let settings = Settings::resolve(&Map::new(), &environment).unwrap();
    let shared = shared();
    let (commands, mut inbox) = unbounded_channel();
    commands
        .send(Command::Request(Request::Hold, String::new()))
        .unwrap();
    let driver = Driver::new(
        Arc::new(ScriptedServer::default()),
        Arc::new(World::default()),
        settings,
        Arc::clone(&shared),
        FirstPolicy::default(),
    )
    .unwrap();
    tokio::spawn(async move { driver.run(&mut inbox).await });
    sleep(Duration::from_secs(1_000)).await;
    let status = shared.snapshot().json(shared.clock.now());
    assert_eq!(status["phase"], "held");
    assert_eq!(status["policy"]["failures"], 0);
}

/// Panics at the first attempt, then works.
struct Faulty(ScriptedServer, AtomicBool);

impl Connector for Faulty {
    fn connect(&self, id: u64, auth: Value, timeout: Duration, sink: Sink) -> Box<dyn Connection> {
        assert!(
            self.1.swap(true, Ordering::SeqCst),
            "the fault of this test"
        );
        self.0.connect(id, auth, timeout, sink)
    }
}

#[test]
fn a_host_thread_that_panics_is_started_again() {
    let server = ScriptedServer::default();
    server.set(true);
    let connector = Arc::new(Faulty(server, AtomicBool::new(false)));
    let settings = Settings::resolve(
        &Map::new(),
        &BTreeMap::from([("CR8_TERMINATE_TIMEOUT".into(), "0".into())]),
    )
    .unwrap();
    let shared = shared();
    let (commands, inbox) = unbounded_channel();
    let host = Host {
        connector,
        effects: Arc::new(World::default()),
        settings,
        shared: Arc::clone(&shared),
        commands: commands.downgrade(),
    };
    let host = std::thread::spawn(move || host.run(None, inbox));
    for _ in 0..500 {
        std::thread::sleep(Duration::from_millis(10));
        if shared.snapshot().connected {
            break;
        }
    }
    assert!(shared.snapshot().connected);
    commands.send(Command::Close).unwrap();
    host.join().unwrap();
    assert!(shared.snapshot().closed);
}

#[test]
fn a_hold_outlives_the_host_thread_and_a_policy_does_not() {
    let settings = resolve(&[
        ("CR8_TERMINATE_TIMEOUT", "0"),
        ("CR8_RETRY_ATTEMPTS", "0"),
        ("CR8_CLEANUP_TIMEOUT", "0"),
    ]);
    let shared = shared();
    let scene = Scene {
        modified: true,
        untitled: false,
        rendering: false,
    };
    *shared.scene() = Some((scene, "/work.blend".into()));
    let (commands, inbox) = unbounded_channel();
    let host = Host {
        connector: Arc::new(ScriptedServer::default()),
        effects: Arc::new(World::default()),
        settings,
        shared: Arc::clone(&shared),
        commands: commands.downgrade(),
    };
    commands.send(taken(Arc::new(built_in()))).unwrap();
    commands.send(ask(Request::Hold)).unwrap();
    commands.send(Command::InjectFault).unwrap();
    let host = std::thread::spawn(move || host.run(None, inbox));
    let mut seen = Vec::new();
    let mut wait_for = |what: &str, found: &dyn Fn(&[Event]) -> bool| {
        for _ in 0..1_000 {
            seen.extend(shared.events.drain());
            if found(&seen) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{what}: {seen:?}");
    };
    let held = |events: &[Event]| events.iter().filter(|it| **it == Event::Held).count();
    wait_for("held once more", &|events| held(events) == 2);
    let disabled = |event: &Event| matches!(event, Event::Log(line) if line.event == "policy-set-aside-after-fault");
    wait_for("another policy", &|events| events.iter().any(disabled));
    // Without the hold it would have been asked for at once.
    let asked = |events: &[Event]| events.iter().any(|it| matches!(it, Event::Save { .. }));
    wait_for("nothing saved", &|events| !asked(events));
    commands.send(ask(Request::Release)).unwrap();
    wait_for("saved once it is released", &asked);
    commands.send(Command::Close).unwrap();
    host.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_acknowledges_what_it_was_sent_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let entry = crate::journal::entry::tests::entry("an earlier one");
    Journal::new(path.clone()).append(&entry).unwrap();
    let journal = [
        ("CR8_USERNAME", entry.username.as_str()),
        ("CR8_JOURNAL", path.to_str().unwrap()),
    ];
    let mut stage = Stage::open(&journal, true);
    stage.pass(1.0).await;
    let said = || stage.said.lock().unwrap().clone();
    // The journal is read and written in real time.
    let sent = || said().iter().any(|(name, _)| name == "cleanup_report");
    for _ in 0..1_000 {
        if sent() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
        sleep(Duration::from_millis(1)).await;
    }
    let reports = said().into_iter().filter(|(it, _)| it == "cleanup_report");
    let [(_, report)] = &reports.collect::<Vec<_>>()[..] else {
        panic!("{:?}", said())
    };
    let written = || std::fs::read_to_string(&path).unwrap();
    let before = written();
    let acknowledge = |id: Value| {
        let args = vec![serde_json::json!({ "id": id })];
        stage.server.say("cleanup_report_received", args);
    };
    for forged in ["x".repeat(1_100_000), String::new(), "a\nb".into()] {
        acknowledge(forged.into());
    }
    acknowledge(report["id"].clone());
    acknowledge(report["id"].clone());
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(5));
        sleep(Duration::from_millis(1)).await;
    }
    let after = written();
    let added: Vec<&str> = after.strip_prefix(&before).unwrap().lines().collect();
    assert_eq!(added.len(), 1, "{added:?}");
    assert!(added[0].contains("acknowledged"), "{added:?}");
}

/// What the journal says in the end, one entry for each outage.
fn journal_of(path: &std::path::Path) -> Vec<Entry> {
    let read = Journal::new(path.to_path_buf()).read();
    read.into_iter().map(|(entry, _)| entry).collect()
}

#[tokio::test(start_paused = true)]
async fn blender_is_told_to_close_only_when_the_outage_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = [NO_JITTER[0], ("CR8_JOURNAL", path.to_str().unwrap())];
    let mut stage = Stage::open(&journal, true);
    stage.lose_for_good().await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert!(!stage.told_to_close());
    assert!(journal_of(&path).is_empty());
    assert!(stage.claim(stage.quits()[0]));
    stage.pass(0.01).await;
    assert!(stage.told_to_close());
    let [entry] = &journal_of(&path)[..] else {
        panic!()
    };
    assert_eq!(
        (entry.outcome, entry.safe),
        (Outcome::Quit, Some(Safe::Local))
    );
    assert_eq!(
        (entry.attempts >= 5, entry.why.as_str()),
        (true, "transport-error")
    );
    let save = &entry.saves[0];
    assert_eq!(save.path.as_deref(), Some("/tmp/a.blend"));
    assert_eq!(
        (save.bytes, save.sha256.as_deref()),
        (Some(3), Some("ba78"))
    );
    assert!(entry.countdown_at.is_some());
    let record = stage.world.0.lock().unwrap();
    assert_eq!(record.watched[0].after, Duration::from_secs(30));
    assert_eq!(record.watched[0].code, 0);
}

#[tokio::test(start_paused = true)]
async fn no_server_can_come_back_once_blender_is_told_to_close() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert!(stage.claim(stage.quits()[0]));
    stage.pass(0.01).await;
    stage.server.set(true);
    let attempts = stage.server.attempts().len();
    stage.send(Command::Request(Request::Hold, String::new()));
    stage.pass(1_000.0).await;
    assert_eq!(stage.server.attempts().len(), attempts);
    assert_eq!(stage.shared.snapshot().recoveries, 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_back_before_the_claim_is_handled_keeps_blender() {
    let mut stage = Stage::open(&[("CR8_RETRY_DELAY_MAX", "0.1"), NO_JITTER[0]], true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(320.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    let ticket = stage.quits()[0];
    stage.server.set(true);
    stage.pass(1.0).await;
    assert!(!stage.claim(ticket));
    stage.send(Command::Claimed { ticket });
    stage.pass(10.0).await;
    assert!(!stage.told_to_close());
    assert_eq!(stage.phase(), "connected");
}

#[tokio::test(start_paused = true)]
async fn when_nothing_can_be_saved_it_is_tried_again_and_blender_closes_in_the_end() {
    let mut stage = Stage::open(&[NO_JITTER[0], ("CR8_UNSAVED_WAIT", "100")], true);
    stage.lose_for_good().await;
    stage.answer_save(failed("read-only")).await;
    stage.answer_save(failed("disk full")).await;
    assert!(stage.quits().is_empty());
    stage.pass(1.9).await;
    assert_eq!(stage.saves().len(), 2);
    stage.pass(0.2).await;
    assert_eq!(stage.saves().len(), 3);
    assert_eq!(stage.saves()[2].1, Place::InPlace);
    for _ in 0..8 {
        if stage.quits().is_empty() {
            let asked = stage.saves().len();
            stage.answer_save(failed("disk full")).await;
            stage.pass(61.0).await;
            assert!(stage.saves().len() > asked || !stage.quits().is_empty());
        }
    }
    assert_eq!(stage.quits().len(), 1);
    assert!(stage.claim(stage.quits()[0]));
    stage.pass(0.01).await;
    assert!(stage.told_to_close());
    assert_eq!(stage.world.0.lock().unwrap().watched[0].code, 1);
}

#[tokio::test(start_paused = true)]
async fn a_save_that_works_at_last_ends_the_waiting() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    stage.answer_save(failed("read-only")).await;
    stage.answer_save(failed("disk full")).await;
    stage.pass(5.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.quits().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_verified_is_saved_again() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    let gone = KeepEvent::Unreadable("gone".into());
    stage.world.0.lock().unwrap().script.push(gone);
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert!(stage.quits().is_empty());
    stage.pass(1.1).await;
    assert_eq!(stage.saves().len(), 2);
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.quits().len(), 1);
}

fn uploaded() -> KeepEvent {
    KeepEvent::Uploaded(Uploaded {
        bytes: 3,
        attempts: 1,
        seconds: 0.5,
        error: None,
        multipart: None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_quit_waits_for_the_upload_and_a_server_ends_both() {
    let url = ("CR8_SAVE_URL", "http://h/f?sig=abcdef");
    for back in [false, true] {
        let mut stage = Stage::open(&[NO_JITTER[0], url], true);
        stage.lose_for_good().await;
        stage.answer_save(saved("/tmp/a.blend")).await;
        stage.pass(100.0).await;
        assert!(stage.quits().is_empty());
        stage.server.set(back);
        stage.pass(20.0).await;
        stage.world.say(uploaded());
        stage.pass(1.0).await;
        assert_eq!(stage.quits().len(), usize::from(!back));
        let status = stage.shared.snapshot().json(0);
        assert_eq!(status["last_save"]["sha256"], "ba78");
        assert!(!status.to_string().contains("abcdef"), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_saved_first_but_not_for_ever() {
    let url = ("CR8_SAVE_URL", "http://h/f?sig=abcdef");
    let mut stage = Stage::open(&[NO_JITTER[0], url], true);
    stage.lose_for_good().await;
    for number in 1..=5 {
        stage.answer_save(saved("/tmp/a.blend")).await;
        if number < 5 {
            stage.world.say(uploaded());
            stage.pass(0.01).await;
        }
        // The last save is not uploaded: that would leave time for more changes.
        assert_eq!(stage.quits().len(), number);
        let ticket = stage.quits()[number - 1];
        assert!(stage.save_first(ticket));
        stage.pass(0.01).await;
        assert!(!stage.claim(ticket), "it was taken back");
    }
    assert_eq!((stage.saves().len(), stage.quits().len()), (5, 6));
    assert!(stage.claim(stage.quits()[5]));
    stage.pass(0.01).await;
    assert!(stage.told_to_close());
}

#[tokio::test(start_paused = true)]
async fn each_outage_has_its_own_upload() {
    let url = ("CR8_SAVE_URL", "http://h/f?sig=abcdef");
    let mut stage = Stage::open(&[NO_JITTER[0], url], true);
    stage.lose_for_good().await;
    for number in 0..4 {
        stage.answer_save(saved("/tmp/a.blend")).await;
        stage.world.say(uploaded());
        stage.pass(0.01).await;
        let ticket = stage.quits()[number];
        assert!(stage.save_first(ticket));
        stage.pass(0.01).await;
    }
    stage.server.set(true);
    stage.pass(20.0).await;
    assert_eq!(stage.phase(), "connected");
    stage.server.lose();
    stage.pass(335.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    let urls = |stage: &Stage| -> Vec<bool> {
        let record = stage.world.0.lock().unwrap();
        record
            .orders
            .iter()
            .map(|it| it.0.source.is_some())
            .collect()
    };
    assert_eq!(urls(&stage).last(), Some(&true));
    stage.world.say(uploaded());
    stage.pass(0.01).await;
    assert_eq!(stage.quits().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_can_never_be_verified_is_unsaved_work() {
    let mut stage = Stage::open(&[NO_JITTER[0], ("CR8_UNSAVED_WAIT", "100")], true);
    stage.lose_for_good().await;
    let begun = Instant::now();
    while stage.quits().is_empty() {
        let asked = stage.saves().len();
        let gone = KeepEvent::Unreadable("gone".into());
        stage.world.0.lock().unwrap().script.push(gone);
        stage.answer_save(saved("/tmp/a.blend")).await;
        while stage.saves().len() == asked && stage.quits().is_empty() {
            stage.pass(1.0).await;
        }
        assert!(begun.elapsed().as_secs() < 200, "for ever");
    }
    assert!(stage.saves().len() < 12, "further and further apart");
}

#[tokio::test(start_paused = true)]
async fn unsaved_work_waits_from_the_last_file_that_could_be_verified() {
    let mut stage = Stage::open(&[NO_JITTER[0], ("CR8_UNSAVED_WAIT", "100")], true);
    stage.lose_for_good().await;
    stage.answer_save(failed("full")).await;
    stage.answer_save(failed("full")).await;
    stage.pass(90.0).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    let ticket = stage.quits()[0];
    assert!(stage.save_first(ticket));
    stage.pass(0.01).await;
    // Tried again after 1, 2, 4, 8 and 16 seconds.
    for pause in [1.1, 2.1, 4.1, 8.1, 16.1] {
        stage.answer_save(failed("full")).await;
        stage.pass(pause).await;
    }
    assert_eq!(
        stage.quits().len(),
        1,
        "since the first failures it is 120 s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_never_answers_is_not_waited_for_for_ever() {
    let url = ("CR8_SAVE_URL", "http://h/f?sig=abcdef");
    let mut stage = Stage::open(&[NO_JITTER[0], url, ("CR8_UNSAVED_WAIT", "5000")], true);
    stage.lose_for_good().await;
    stage.world.0.lock().unwrap().silent = true;
    stage.answer_save(saved("/tmp/a.blend")).await;
    stage.pass(590.0).await;
    assert_eq!((stage.saves().len(), stage.quits().len()), (1, 0));
    stage.pass(20.0).await;
    assert_eq!(stage.saves().len(), 2);
    stage.answer_save(saved("/tmp/a.blend")).await;
    stage.world.say(World::whole());
    stage.pass(300.0).await;
    assert!(stage.quits().is_empty());
    stage.pass(20.0).await;
    assert_eq!(stage.quits().len(), 1);
    assert_eq!(stage.shared.snapshot().json(0)["upload"]["state"], "failed");
}

#[tokio::test(start_paused = true)]
async fn a_main_thread_at_work_has_longer_to_close() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    let asked = stage.shared.clock.now();
    stage.shared.polled.store(asked - 1_000, Ordering::Relaxed);
    stage.busy = true;
    stage.pass(290.0).await;
    assert_eq!(stage.world.ended_with(), None);
    stage.pass(20.0).await;
    assert_eq!(stage.world.ended_with(), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_safe_although_the_open_file_stays_changed() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    let scene = Scene {
        modified: true,
        untitled: true,
        rendering: false,
    };
    let path = String::new();
    stage.send(Command::Scene { scene, path });
    let copy = Saved {
        path: "/tmp/copy.blend".into(),
        recovery: true,
        failures: vec![],
        digest: None,
        render: None,
    };
    stage.answer_save(Ok(copy)).await;
    stage.pass(31.0).await;
    assert_eq!(stage.world.ended_with(), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_save_that_is_never_answered_is_not_safe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let settings = [
        NO_JITTER[0],
        ("CR8_JOURNAL", path.to_str().unwrap()),
        ("CR8_STUCK_TIMEOUT", "50"),
    ];
    let mut stage = Stage::open(&settings, true);
    stage.lose_for_good().await;
    stage.pass(60.0).await;
    assert_eq!(stage.world.ended_with(), Some(1));
    let [entry] = &journal_of(&path)[..] else {
        panic!()
    };
    assert_eq!(
        (entry.outcome, entry.safe, entry.saves.len()),
        (Outcome::EndedByHost, Some(Safe::No), 0)
    );
    assert_eq!(
        Journal::new(path).pending("").len(),
        1,
        "the server is told"
    );
}

#[tokio::test(start_paused = true)]
async fn a_blender_that_never_closes_is_ended_if_its_work_is_safe() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    stage.pass(29.0).await;
    assert_eq!(stage.world.ended_with(), None);
    stage.pass(2.0).await;
    assert_eq!(stage.world.ended_with(), Some(0));
    assert!(!stage.claim(stage.quits()[0]), "nothing is begun any more");
    assert_eq!(
        stage.counted("cleanups_total{outcome=\"ended-by-host\"}"),
        1
    );
    assert_eq!(stage.phase(), "closed");
}

#[tokio::test(start_paused = true)]
async fn a_blender_with_changes_since_the_save_is_not_ended() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.lose_for_good().await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    let scene = Scene {
        modified: true,
        untitled: false,
        rendering: false,
    };
    let path = "/tmp/a.blend".to_string();
    stage.send(Command::Scene { scene, path });
    stage.pass(10_000.0).await;
    assert_eq!(stage.world.ended_with(), None);
}

#[tokio::test(start_paused = true)]
async fn a_main_thread_that_never_begins_to_save_is_waited_for_unless_set_otherwise() {
    for (setting, code) in [("0", None), ("50", Some(1))] {
        let mut stage = Stage::open(&[NO_JITTER[0], ("CR8_STUCK_TIMEOUT", setting)], true);
        stage.lose_for_good().await;
        stage.pass(40.0).await;
        assert_eq!(stage.world.ended_with(), None);
        stage.pass(100_000.0).await;
        assert_eq!(stage.world.ended_with(), code);
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_since_the_save_is_not_safe() {
    let mut stage = Stage::open(&[NO_JITTER[0], ("CR8_STUCK_TIMEOUT", "5")], true);
    stage.lose_for_good().await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    let ticket = stage.quits()[0];
    assert!(stage.save_first(ticket));
    stage.pass(10.0).await;
    assert_eq!(stage.world.ended_with(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_save_that_runs_is_never_interrupted() {
    let mut stage = Stage::open(&[NO_JITTER[0], ("CR8_STUCK_TIMEOUT", "5")], true);
    stage.lose_for_good().await;
    assert!(stage.claim(stage.saves()[0].0));
    stage.pass(100_000.0).await;
    assert_eq!(stage.world.ended_with(), None);
}

#[tokio::test(start_paused = true)]
async fn sigterm_saves_and_closes_under_a_living_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = [NO_JITTER[0], ("CR8_JOURNAL", path.to_str().unwrap())];
    let mut stage = Stage::open(&journal, true);
    stage.pass(1.0).await;
    stage.send(Command::Terminate);
    stage.pass(0.01).await;
    let asked = stage
        .seen
        .iter()
        .any(|event| matches!(event, Event::Save { reason, .. } if *reason == Reason::Termination));
    assert!(asked, "{:?}", stage.seen);
    assert_eq!(stage.phase(), "saving");
    stage.answer_save(saved("/tmp/a.blend")).await;
    assert_eq!(stage.phase(), "quitting");
    assert!(stage.claim(stage.quits()[0]));
    stage.pass(0.01).await;
    assert!(stage.told_to_close());
    let [entry] = &journal_of(&path)[..] else {
        panic!()
    };
    assert_eq!(
        (entry.outcome, entry.safe),
        (Outcome::Terminated, Some(Safe::Local))
    );
    assert_eq!((entry.why.as_str(), &entry.lost_at), ("sigterm", &None));
    assert_eq!(stage.counted("cleanups_total{outcome=\"terminated\"}"), 1);
    assert_eq!(stage.counted("outages_total"), 0);
}

#[tokio::test(start_paused = true)]
async fn sigterm_cuts_an_upload_off_at_its_bound() {
    let url = ("CR8_SAVE_URL", "http://h/f?sig=abcdef");
    let save = ("CR8_TERMINATE", "save");
    let settings = [NO_JITTER[0], url, save, ("CR8_TERMINATE_TIMEOUT", "25")];
    let mut stage = Stage::open(&settings, true);
    stage.pass(1.0).await;
    stage.send(Command::Terminate);
    stage.pass(0.01).await;
    stage.answer_save(saved("/tmp/a.blend")).await;
    stage.pass(19.0).await;
    assert!(stage.quits().is_empty());
    stage.pass(1.1).await;
    assert_eq!(stage.quits().len(), 1);
    assert_eq!(stage.counted("uploads_total{outcome=\"failed\"}"), 1);
    stage.pass(4.0).await;
    assert_eq!(stage.world.ended_with(), None);
    stage.pass(1.1).await;
    assert_eq!(stage.world.ended_with(), Some(0));
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_ends_well_is_written_down_and_reported_with_its_late_save() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = [NO_JITTER[0], ("CR8_JOURNAL", path.to_str().unwrap())];
    let mut stage = Stage::open(&journal, true);
    stage.lose_for_good().await;
    let (ticket, _) = stage.saves()[0];
    assert!(stage.claim(ticket));
    stage.server.set(true);
    stage.pass(20.0).await;
    assert_eq!(stage.phase(), "connected");
    assert!(journal_of(&path).is_empty(), "the save still runs");
    let outcome = saved("/tmp/a.blend").map(|saved| Saved {
        digest: Some(Digest {
            bytes: 9,
            sha256: "cd".repeat(32),
            seconds: 0.5,
        }),
        ..saved
    });
    stage.send(Command::Saved { ticket, outcome });
    stage.pass(1.0).await;
    let [entry] = &journal_of(&path)[..] else {
        panic!()
    };
    assert_eq!((entry.outcome, entry.saves.len()), (Outcome::Recovered, 1));
    assert_eq!(entry.saves[0].bytes, Some(9));
    assert_eq!(entry.saves[0].sha256, Some("cd".repeat(32)));
    assert_eq!(stage.counted("saves_total{outcome=\"in-place\"}"), 1);
    assert_eq!(stage.counted("cleanups_total{outcome=\"recovered\"}"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_closed_in_an_outage_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = [NO_JITTER[0], ("CR8_JOURNAL", path.to_str().unwrap())];
    let mut stage = Stage::open(&journal, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(40.0).await;
    stage.send(Command::Request(Request::Hold, "panel".into()));
    stage.send(Command::Close);
    stage.pass(1.0).await;
    let [entry] = &journal_of(&path)[..] else {
        panic!()
    };
    assert_eq!((entry.outcome, entry.safe), (Outcome::Closed, None));
    assert_eq!(
        (
            entry.requests[0].request.as_str(),
            entry.requests[0].by.as_str()
        ),
        ("hold", "panel")
    );
    assert_eq!(stage.counted("cleanups_total{outcome=\"closed\"}"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_built_in_policy_that_had_to_be_compiled_is_told() {
    let told = |stage: &Stage| {
        let reason = |event: &Event| match event {
            Event::Log(line) if line.event == "compiled-policy-not-used" => {
                Some(line.message.clone())
            }
            _ => None,
        };
        stage.seen.iter().find_map(reason)
    };
    let mut usual = Stage::open(&[], true);
    usual.pass(1.0).await;
    assert_eq!(told(&usual), None);
    // Code for so much memory is other code.
    let mut other = Stage::open(&[("CR8_POLICY_MEMORY", "65")], true);
    other.pass(1.0).await;
    assert_eq!(other.phase(), "connected");
    let message = told(&other).unwrap_or_default();
    let begin = "The built-in policy was compiled at the start: ";
    assert!(message.starts_with(begin), "{message:?}");
}
