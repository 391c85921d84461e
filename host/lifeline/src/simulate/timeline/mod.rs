//! One Blender loses its server: the very driver that runs in Blender, in virtual time, with a
//! server and a main thread that follow a script.

mod entry;
mod scenario;

pub use entry::{Ending, Entry, Span, Timeline, What};
pub use scenario::{Saves, Scenario, Swap};

use super::server::ScriptedServer;
use crate::contract::{Place, Scene};
use crate::driver::{Command, Driver, Effects, FirstPolicy, LastAct, Shared, Watch};
use crate::event::{Event, Level};
use crate::keep::{Digest, KeepEvent, KeepSink, Keeping, Order};
use crate::status::Snapshot;
use entry::Spans;
use lifeline_core::Saved;
use lifeline_sandbox::LoadError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, advance, sleep};

/// How often the main thread looks; the least difference between two times of a time line.
const STEP: u64 = 10;
/// Blender has been connected for this long when its server is lost.
const BEFORE: u64 = 1_000;

/// Why there is no time line.
#[derive(Debug, Error)]
pub enum TimelineError {
    /// The sandbox cannot be set up.
    #[error(transparent)]
    Sandbox(#[from] LoadError),
    /// No event loop.
    #[error("no event loop: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Plays a scenario. The same scenario gives the same time line.
pub fn play(scenario: &Scenario) -> Result<Timeline, TimelineError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(Stage::play(scenario))
}

/// What the driver does to the world: every saved file is whole, and chance comes from a seed.
struct Rehearsed(Mutex<fastrand::Rng>);

impl Effects for Rehearsed {
    fn keep(&self, order: Order, sink: KeepSink) -> Keeping {
        let whole = Digest {
            bytes: 0,
            sha256: String::new(),
            seconds: 0.0,
        };
        // The driver may have ended.
        let _ = sink.send((order.id, KeepEvent::Digested(whole)));
        Keeping::default()
    }

    fn watch(&self, _: Watch) {}

    fn end_process(&self, _: i32, _: LastAct) {}

    fn entropy(&self) -> Option<u64> {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(chance.u64(..))
    }
}

/// The main thread, and the script.
struct Stage<'a> {
    scenario: &'a Scenario,
    server: ScriptedServer,
    shared: Arc<Shared>,
    commands: UnboundedSender<Command>,
    begun: Instant,
    entries: Vec<Entry>,
    spans: Spans,
    /// A save that runs: its ticket and place, and when it ends.
    saving: Option<(u64, Place, u64)>,
    saves: u32,
    attempts_seen: usize,
    ended: Option<u64>,
}

impl<'a> Stage<'a> {
    async fn play(scenario: &'a Scenario) -> Result<Timeline, TimelineError> {
        let server = ScriptedServer::default();
        server.set(true);
        let shared = Arc::new(Shared::new(Snapshot::default()));
        let (commands, mut inbox) = unbounded_channel();
        let driver = Driver::new(
            Arc::new(server.clone()),
            Arc::new(Rehearsed(Mutex::new(fastrand::Rng::with_seed(
                scenario.seed,
            )))),
            scenario.settings.clone(),
            Arc::clone(&shared),
            FirstPolicy::default(),
        )?;
        let mut stage = Stage {
            scenario,
            server,
            shared,
            commands,
            begun: Instant::now() + Duration::from_millis(BEFORE),
            entries: Vec::new(),
            spans: Spans::default(),
            saving: None,
            saves: 0,
            attempts_seen: 0,
            ended: None,
        };
        stage.take(&scenario.policy);
        let running = tokio::spawn(async move { driver.run(&mut inbox).await });
        sleep(Duration::from_millis(BEFORE)).await;
        stage.shared.events.drain();
        stage.attempts_seen = stage.server.attempts().len();
        stage.go_through().await;
        stage.send(Command::Close);
        // It has nothing to say.
        let _ = running.await;
        Ok(stage.timeline())
    }

    async fn go_through(&mut self) {
        let mut script = self.scenario.script();
        loop {
            let now = self.now();
            while let Some(cue) = script.next_before(now) {
                self.cue(cue).await;
            }
            // What the driver makes of it.
            tokio::task::yield_now().await;
            self.look();
            if self.ended.is_some() || now >= self.scenario.until {
                return;
            }
            let at_rest = self.shared.snapshot().connected || self.spans.last() == "held";
            if script.is_over() && at_rest && self.saving.is_none() {
                return; // nothing happens any more
            }
            sleep(Duration::from_millis(STEP)).await;
        }
    }

    async fn cue(&mut self, cue: scenario::Cue<'_>) {
        use scenario::Cue;
        match cue {
            Cue::Server(up) => {
                self.tell(if up {
                    What::ServerBack
                } else {
                    What::ServerAway
                });
                if up {
                    self.server.set(true);
                } else {
                    self.server.lose();
                }
            }
            Cue::Render(rendering) => {
                self.tell(if rendering {
                    What::RenderBegins
                } else {
                    What::RenderEnds
                });
                let scene = Scene {
                    modified: true,
                    untitled: false,
                    rendering,
                };
                let path = String::from("/work.blend");
                self.send(Command::Scene { scene, path });
            }
            Cue::Request(request) => {
                self.tell(What::Request(request));
                self.send(Command::Request(request, "a person".into()));
            }
            Cue::Stop(millis) => {
                self.tell(What::Stopped(millis));
                advance(Duration::from_millis(millis)).await;
            }
            Cue::Swap(swap) => self.take(swap),
        }
    }

    fn take(&self, swap: &Swap) {
        self.send(Command::Take {
            policy: Arc::new(swap.policy.clone()),
            origin: swap.origin.clone(),
        });
    }

    /// What has happened since the last look.
    fn look(&mut self) {
        for (at, accepted) in self.server.attempts().split_off(self.attempts_seen) {
            self.attempts_seen += 1;
            let at = at.saturating_duration_since(self.begun);
            self.tell_at(crate::clock::as_millis(at), What::Attempt { accepted });
        }
        let now = self.now();
        self.shared.polled.store(
            self.shared.clock.now(),
            std::sync::atomic::Ordering::Relaxed,
        );
        for event in self.shared.events.drain() {
            self.event(event, now);
        }
        if let Some((ticket, place, at)) = self.saving
            && at <= now
        {
            self.saving = None;
            self.end_save(ticket, place);
        }
        let status = self.shared.snapshot().json(self.shared.clock.now());
        let phase = status["phase"].as_str().unwrap_or_default();
        self.spans.see(phase, now);
    }

    fn event(&mut self, event: Event, now: u64) {
        match event {
            Event::Log(line) if line.level == Level::Error => {
                self.tell(What::Trouble(line.message))
            }
            Event::Lost { .. } => self.tell(What::Lost),
            Event::Recovered { seconds } => self.tell(What::Recovered(seconds)),
            Event::Countdown { seconds, .. } => self.tell(What::Countdown(seconds)),
            Event::Warn { seconds } => self.tell(What::Warn(seconds)),
            Event::Held => self.tell(What::Held),
            Event::Policy { .. } => {
                let policy = self.shared.snapshot().policy.clone();
                self.tell(What::Policy(format!("{} {}", policy.name, policy.version)));
            }
            Event::Save { ticket, place, .. } => {
                if self.claim(ticket) {
                    self.tell(What::Save(place));
                    let ends = now.saturating_add(self.scenario.save_takes);
                    self.saving = Some((ticket, place, ends));
                }
            }
            Event::Quit { ticket } => {
                if self.claim(ticket) {
                    self.tell(What::Quit);
                }
            }
            Event::Close => {
                self.tell(What::Closed);
                self.ended = Some(now);
            }
            Event::Log(..) | Event::Connected | Event::EarlyCopy { .. } | Event::Server { .. } => {}
        }
    }

    fn end_save(&mut self, ticket: u64, place: Place) {
        self.saves += 1;
        let ok = self.scenario.saves.succeeds(self.saves, place);
        self.tell(What::Saved { place, ok });
        let outcome = if ok {
            Ok(Saved {
                path: "/work.blend".into(),
                recovery: place == Place::Recovery,
                failures: Vec::new(),
                digest: None,
                render: None,
            })
        } else {
            Err(vec!["as the scenario has it".into()])
        };
        self.send(Command::Saved { ticket, outcome });
    }

    fn claim(&self, ticket: u64) -> bool {
        let stands = self.shared.tickets.take(ticket);
        if stands {
            self.send(Command::Claimed { ticket });
        }
        stands
    }

    fn send(&self, command: Command) {
        // Once the driver has ended, nothing is left to be done.
        let _ = self.commands.send(command);
    }

    fn tell(&mut self, what: What) {
        self.tell_at(self.now(), what);
    }

    fn tell_at(&mut self, at: u64, what: What) {
        self.entries.push(Entry { at, what });
    }

    fn now(&self) -> u64 {
        crate::clock::as_millis(Instant::now().saturating_duration_since(self.begun))
    }

    fn timeline(self) -> Timeline {
        let now = self.ended.unwrap_or_else(|| self.now());
        let ending = match self.ended {
            Some(at) => Ending::Closed(at),
            None => Ending::Open(self.spans.last().to_string()),
        };
        let mut entries = self.entries;
        // Attempts have the exact time; what was told of them is seen a moment later.
        entries.sort_by_key(|entry| entry.at);
        Timeline {
            entries,
            spans: self.spans.until(now),
            ending,
            until: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Request;
    use crate::settings::Settings;
    use lifeline_sandbox::{Compiling, Limits, Sandbox};
    use serde_json::Map;
    use std::collections::BTreeMap;

    fn scenario() -> Scenario {
        let environment = BTreeMap::from([("CR8_RETRY_JITTER".to_string(), "0".to_string())]);
        let settings = Settings::resolve(&Map::new(), &environment).unwrap();
        let policy = Sandbox::new(Limits::default(), None, Compiling::Here)
            .unwrap()
            .load_embedded(&crate::FIVE_MINUTES)
            .unwrap();
        Scenario::new(settings, policy)
    }

    fn seconds(timeline: &Timeline, wanted: impl Fn(&What) -> bool) -> Vec<u64> {
        timeline
            .entries
            .iter()
            .filter(|entry| wanted(&entry.what))
            .map(|entry| entry.at / 1_000)
            .collect()
    }

    fn attempts(timeline: &Timeline) -> Vec<u64> {
        seconds(timeline, |what| matches!(what, What::Attempt { .. }))
    }

    #[test]
    fn lost_for_good() {
        let timeline = play(&scenario()).unwrap();
        assert_eq!(attempts(&timeline)[..5], [2, 6, 14, 24, 34]);
        let countdowns = seconds(&timeline, |what| *what == What::Countdown(300.0));
        assert_eq!(countdowns, [34]);
        let warnings = seconds(&timeline, |what| matches!(what, What::Warn(_)));
        assert_eq!(warnings, [274, 324]);
        assert_eq!(
            seconds(&timeline, |what| matches!(
                what,
                What::Saved { ok: true, .. }
            )),
            [334]
        );
        assert!(matches!(timeline.ending, Ending::Closed(at) if at / 1_000 == 334));
        let phases: Vec<&str> = timeline
            .spans
            .iter()
            .map(|span| span.phase.as_str())
            .collect();
        assert_eq!(phases[..2], ["reconnecting", "counting-down"]);
    }

    #[test]
    fn back_in_time_nothing_is_saved() {
        let scenario = Scenario {
            away: vec![(0, 90_000)],
            ..scenario()
        };
        let timeline = play(&scenario).unwrap();
        assert!(seconds(&timeline, |what| matches!(what, What::Save(_))).is_empty());
        assert!(matches!(&timeline.ending, Ending::Open(phase) if phase == "connected"));
        let back = seconds(&timeline, |what| matches!(what, What::Recovered(_)));
        assert!((90..101).contains(&back[0]), "{back:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_time_line() {
        let with = |seed| {
            let scenario = Scenario { seed, ..scenario() };
            play(&scenario).unwrap().entries
        };
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn held_and_released() {
        let scenario = Scenario {
            requests: vec![(100_000, Request::Hold), (1_000_000, Request::Release)],
            ..scenario()
        };
        let timeline = play(&scenario).unwrap();
        assert!(matches!(timeline.ending, Ending::Closed(at) if at / 1_000 == 1_300));
        assert_eq!(seconds(&timeline, |what| *what == What::Held), [100]);
    }

    #[test]
    fn held_for_good_is_an_end_too() {
        let scenario = Scenario {
            requests: vec![(100_000, Request::Hold)],
            ..scenario()
        };
        let timeline = play(&scenario).unwrap();
        assert_eq!(timeline.ending, Ending::Open("held".into()));
        assert!(timeline.until < 101_000);
    }

    #[test]
    fn stopped_for_an_hour_the_deadline_moves() {
        let scenario = Scenario {
            stops: vec![(100_000, 3_600_000)],
            ..scenario()
        };
        let timeline = play(&scenario).unwrap();
        let Ending::Closed(at) = timeline.ending else {
            panic!("{:?}", timeline.ending)
        };
        assert!((3_930_000..3_940_000).contains(&at), "{at}");
    }

    #[test]
    fn a_save_that_fails_in_place_is_made_elsewhere() {
        let scenario = Scenario {
            saves: Saves::FailInPlace,
            save_takes: 2_000,
            ..scenario()
        };
        let timeline = play(&scenario).unwrap();
        let saved: Vec<(Place, bool)> = timeline
            .entries
            .iter()
            .filter_map(|entry| match entry.what {
                What::Saved { place, ok } => Some((place, ok)),
                _ => None,
            })
            .collect();
        assert_eq!(saved, [(Place::InPlace, false), (Place::Recovery, true)]);
        assert!(matches!(timeline.ending, Ending::Closed(at) if at / 1_000 == 338));
    }
}
