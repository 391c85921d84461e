//! The whole driver with a scripted line, in virtual time.

use super::run::Driver;
use super::{Command, PolicySource, Shared};
use crate::clock::Clock;
use crate::contract::{ConnectError, Loss, Place, Request};
use crate::event::{Event, Queue};
use crate::link::{Connection, Connector, Failure, LinkEvent, Sink};
use crate::settings::Settings;
use crate::status::Snapshot;
use crate::tickets::Tickets;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

/// A server that is up or down, and remembers when it was asked.
#[derive(Default)]
struct Script {
    up: bool,
    line: Option<(u64, Sink)>,
    attempts: Vec<Instant>,
}

#[derive(Clone, Default)]
struct Server(Arc<Mutex<Script>>);

impl Server {
    fn set(&self, up: bool) {
        self.0.lock().unwrap().up = up;
    }

    fn lose(&self) {
        let mut script = self.0.lock().unwrap();
        script.up = false;
        if let Some((id, sink)) = script.line.take() {
            let detail = "killed".to_string();
            let _ = sink.send((
                id,
                LinkEvent::Lost {
                    why: Loss::TransportError,
                    detail,
                },
            ));
        }
    }

    fn attempts(&self) -> Vec<Instant> {
        self.0.lock().unwrap().attempts.clone()
    }
}

struct Nothing;

impl Connection for Nothing {
    fn emit(&self, _: String, _: Option<Value>) {}
    fn end(self: Box<Self>, _: Duration) -> bool {
        true
    }
}

impl Connector for Server {
    fn connect(&self, id: u64, _: Value, _: Duration, sink: Sink) -> Box<dyn Connection> {
        let mut script = self.0.lock().unwrap();
        script.attempts.push(Instant::now());
        if script.up {
            let _ = sink.send((id, LinkEvent::Connected));
            script.line = Some((id, sink));
        } else {
            let why = ConnectError::Unreachable;
            let detail = "refused".to_string();
            let _ = sink.send((id, LinkEvent::Failed(Failure { why, detail })));
        }
        Box::new(Nothing)
    }
}

fn shared() -> Arc<Shared> {
    Arc::new(Shared {
        clock: Clock::start(),
        events: Queue::default(),
        tickets: Tickets::default(),
        snapshot: Mutex::new(Snapshot::default()),
    })
}

/// A driver at work, and Blender's side of it.
struct Stage {
    server: Server,
    shared: Arc<Shared>,
    commands: UnboundedSender<Command>,
    seen: Vec<Event>,
}

impl Stage {
    fn open(settings: &[(&str, &str)], up: bool) -> Self {
        let environment: BTreeMap<String, String> = settings
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let settings = Settings::resolve(&Map::new(), &environment).unwrap();
        let server = Server::default();
        server.set(up);
        let shared = shared();
        let (commands, mut inbox) = unbounded_channel();
        let driver = Driver::new(Arc::new(server.clone()), settings, Arc::clone(&shared)).unwrap();
        tokio::spawn(async move { driver.run(&mut inbox).await });
        Stage {
            server,
            shared,
            commands,
            seen: vec![],
        }
    }

    /// Lets virtual time pass.
    async fn pass(&mut self, seconds: f64) {
        sleep(Duration::from_secs_f64(seconds)).await;
        self.seen.extend(self.shared.events.drain());
    }

    fn phase(&self) -> String {
        let status = self.shared.snapshot().json(self.shared.clock.now());
        status["phase"].as_str().unwrap().to_string()
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
            Event::Save { ticket, place } => Some((*ticket, *place)),
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

    /// What Blender does with a save: claims it, and answers.
    async fn answer_save(&mut self, outcome: Result<String, String>) {
        let (ticket, _) = *self.saves().last().unwrap();
        assert!(self.shared.tickets.claim(ticket));
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
        .map(|at| (*at - lost).as_secs())
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
    stage.answer_save(Ok("/tmp/a.blend".into())).await;
    assert_eq!(stage.quits().len(), 1);
    assert!(stage.shared.tickets.claim(stage.quits()[0]));
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
    assert!(!stage.shared.tickets.claim(ticket));
}

#[tokio::test(start_paused = true)]
async fn a_server_back_during_a_save_prevents_the_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(335.0).await;
    let (ticket, _) = stage.saves()[0];
    assert!(stage.shared.tickets.claim(ticket));
    stage.server.set(true);
    stage.pass(20.0).await;
    stage.send(Command::Saved {
        ticket,
        outcome: Ok("/tmp/a.blend".into()),
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
    assert!(stage.shared.tickets.claim(ticket));
    stage.server.set(true);
    stage.pass(20.0).await;
    stage.server.lose();
    stage.pass(334.5).await;
    assert_eq!(stage.saves().len(), 2);
    stage.send(Command::Saved {
        ticket,
        outcome: Ok("/tmp/a.blend".into()),
    });
    stage.pass(5.0).await;
    assert!(stage.quits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_save_leads_to_a_recovery_copy_and_then_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(335.0).await;
    stage.answer_save(Err("read-only".into())).await;
    assert_eq!(
        stage.saves().last().map(|save| save.1),
        Some(Place::Recovery)
    );
    assert!(stage.quits().is_empty());
    stage.answer_save(Err("disk full".into())).await;
    assert_eq!(stage.quits().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn blender_does_not_close_before_the_floor() {
    let settings = [("CR8_RETRY_ATTEMPTS", "0"), ("CR8_CLEANUP_TIMEOUT", "1")];
    let mut stage = Stage::open(&settings, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(2.0).await;
    stage.answer_save(Ok("/tmp/a.blend".into())).await;
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
    stage.answer_save(Ok("/tmp/a.blend".into())).await;
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
    let mut stage = Stage::open(NO_JITTER, true);
    for _ in 0..20 {
        stage.pass(1.0).await;
        stage.server.lose();
        stage.pass(1.0).await;
        stage.server.set(true);
        stage.pass(2.0).await;
        assert_eq!(stage.phase(), "connected");
    }
    stage.pass(1_000.0).await;
    assert!(stage.saves().is_empty());
    let snapshot = stage.shared.snapshot().clone();
    assert_eq!((snapshot.outages, snapshot.recoveries), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn hold_extend_release_close_now() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(40.0).await;
    let before = stage.remaining();
    stage.send(Command::Request(Request::Extend(60_000)));
    stage.pass(0.001).await;
    assert!((stage.remaining() - before - 60.0).abs() < 0.1);
    stage.send(Command::Request(Request::Hold));
    stage.pass(5_000.0).await;
    assert_eq!((stage.phase().as_str(), stage.saves().len()), ("held", 0));
    stage.send(Command::Request(Request::Release));
    stage.pass(0.001).await;
    assert!((stage.remaining() - 300.0).abs() < 0.1);
    stage.send(Command::Request(Request::CloseNow));
    stage.pass(0.001).await;
    assert_eq!(stage.saves().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hold_withdraws_an_unclaimed_quit() {
    let mut stage = Stage::open(NO_JITTER, true);
    stage.pass(1.0).await;
    stage.server.lose();
    stage.pass(335.0).await;
    stage.answer_save(Ok("/tmp/a.blend".into())).await;
    stage.send(Command::Request(Request::Hold));
    stage.pass(1.0).await;
    assert!(!stage.shared.tickets.claim(stage.quits()[0]));
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
    let bytes = crate::sandbox::FIVE_MINUTES.to_vec();
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
            "not a WebAssembly component",
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
async fn a_request_before_the_start_is_kept_for_after_it() {
    let environment = BTreeMap::from([("CR8_RETRY_JITTER".to_string(), "0".to_string())]);
    let settings = Settings::resolve(&Map::new(), &environment).unwrap();
    let shared = shared();
    let (commands, mut inbox) = unbounded_channel();
    commands.send(Command::Request(Request::Hold)).unwrap();
    let driver = Driver::new(Arc::new(Server::default()), settings, Arc::clone(&shared)).unwrap();
    tokio::spawn(async move { driver.run(&mut inbox).await });
    sleep(Duration::from_secs(1_000)).await;
    let status = shared.snapshot().json(shared.clock.now());
    assert_eq!(status["phase"], "held");
    assert_eq!(status["policy"]["failures"], 0);
}

/// Panics at the first attempt, then works.
struct Faulty(Server, AtomicBool);

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
    let server = Server::default();
    server.set(true);
    let connector = Arc::new(Faulty(server, AtomicBool::new(false)));
    let settings = Settings::resolve(&Map::new(), &BTreeMap::new()).unwrap();
    let shared = shared();
    let (commands, inbox) = unbounded_channel();
    let host = {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || super::host_thread(connector, &settings, None, inbox, &shared))
    };
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
