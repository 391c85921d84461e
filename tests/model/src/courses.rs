//! Courses of events, and what the core makes of them: the user's page replays them with its own driver
//! (`browser/test/courses.test.ts`), and must come to the same.
//!
//! A policy that decides in the page as it does here is needed for that, and calls that fail in the same
//! way. What a page does otherwise is left out: it has no hold, it decides after the fact what it was too
//! late for, it closes no Blender, and to it each connection has ended the outage, however short.

use lifeline_contract::types::{
    Action, Attempt, ConnectError, Loss, Outage, Phase, Request, Settings, State,
};
use lifeline_core::guard::Bounds;
use lifeline_core::{
    Answer, Before, Config, Connection, Core, Digest, End, Host, Input, Origin, Output, Question,
    Safe, Saved, Task, Who,
};
use lifeline_machine::Machine;
use std::fmt::Write;

/// Steps of a course at most.
const STEPS: u32 = 60;
/// A connection has ended the outage after three of the longest pauses between attempts (milliseconds).
const LASTING: u64 = 15_000;
/// When a page is opened (milliseconds).
const START: u64 = 1_700_000_000_000;

/// SplitMix64: the same courses each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of so many.
    fn of(&mut self, many: u64) -> u64 {
        self.next() % many
    }
}

/// How a policy's answer is spoilt.
const SPOILS: [&str; 7] = [
    "",
    "traps",
    "never-wakes",
    "stale",
    "quits",
    "saves",
    "connects-twice",
];

/// The machine, whose next answer may be spoilt.
struct Policies {
    entropy: u64,
    spoil: &'static str,
}

impl Host for Policies {
    fn decide(&mut self, it: &Question) -> Answer {
        let mut decision = it.call.of::<Machine<()>>(it.state, it.moment);
        if it.who == Who::Current {
            match self.spoil {
                "never-wakes" => decision.wake_at = None,
                "stale" => decision.state.seen += 1,
                "quits" => decision.actions.push(Action::Quit),
                "saves" => {
                    let place = lifeline_contract::types::Place::InPlace;
                    decision.actions.push(Action::Save(place));
                }
                "connects-twice" => decision.actions.extend([Action::Connect, Action::Connect]),
                _ => {}
            }
        }
        let traps = it.who == Who::Current && self.spoil == "traps";
        Answer {
            decision: if traps {
                Err("it trapped".into())
            } else {
                Ok(decision)
            },
            took: 0,
        }
    }

    fn entropy(&mut self) -> Option<u64> {
        Some(self.entropy)
    }

    fn take_back(&mut self, _: u64) -> bool {
        true
    }

    fn polled(&self) -> u64 {
        0
    }
}

/// One page's course.
struct Course {
    core: Core,
    policies: Policies,
    chance: Chance,
    now: u64,
    steps: String,
}

/// So many courses, as one JSON document.
pub fn courses(count: u64) -> String {
    let all: Vec<String> = (0..count).map(course).collect();
    format!("[{}]\n", all.join(",\n"))
}

fn course(seed: u64) -> String {
    let mut chance = Chance(seed);
    let timing = Settings {
        retry_attempts: chance.of(4) as u32,
        retry_delay: 1_000 * (1 + chance.of(3)),
        retry_delay_max: 5_000,
        retry_jitter: 500 * chance.of(2),
        connect_timeout: 2_000,
        cleanup_timeout: 1_000 * chance.of(30),
        warn_before: vec![3_000],
        render_wait: 0,
    };
    let entropy = chance.next();
    let set = format!(
        r#""retry_attempts":{},"retry_delay":{},"retry_jitter":{},"cleanup_timeout":{}"#,
        timing.retry_attempts, timing.retry_delay, timing.retry_jitter, timing.cleanup_timeout,
    );
    let config = Config {
        username: format!("user-{seed}"),
        timing,
        bounds: Bounds::default(),
        quit_floor: 0,
        outage_limit: 0,
        unsaved_wait: 0,
        upload: 0,
        target: false,
        copies: false,
        safe: Safe::Local,
        early_copy: false,
        quit: 30_000,
        stuck: 0,
        recover: false,
        terminate: 0,
    };
    let mut it = Course {
        core: Core::new(config, START),
        policies: Policies { entropy, spoil: "" },
        chance,
        now: START,
        steps: String::new(),
    };
    it.hand(Input::Policy(Origin::Other));
    it.step("start", Input::Start(Before::default()));
    for _ in 0..STEPS {
        if it.core.end() != End::No {
            break; // the page's session ends
        }
        it.goes_on();
    }
    format!(
        r#"{{"username":"user-{seed}","entropy":"{entropy}","set":{{{set}}},"steps":[{}]}}"#,
        it.steps
    )
}

impl Course {
    /// Something that can happen now.
    fn goes_on(&mut self) {
        // Most answers are as they should be.
        self.policies.spoil = match self.chance.of(8) {
            0 => SPOILS[self.chance.of(SPOILS.len() as u64) as usize],
            _ => "",
        };
        let saving = self.core.open_ticket().filter(|it| it.task != Task::Quit);
        if let Some(open) = saving {
            self.hand(Input::Claimed(open.ticket));
            let fails = self.chance.of(3) == 0;
            let saved = Saved {
                path: "/work.blend".into(),
                recovery: false,
                failures: Vec::new(),
                digest: None,
                render: None,
            };
            return match fails {
                true => self.step(
                    "not-saved",
                    Input::Saved(open.ticket, Err(vec!["full".into()])),
                ),
                false => self.step("saved", Input::Saved(open.ticket, Ok(saved))),
            };
        }
        if self.core.guard().is_connected() {
            self.now += LASTING + self.chance.of(60_000);
            let why = Loss::ALL[self.chance.of(Loss::ALL.len() as u64) as usize];
            return self.connection(why.name(), Connection::Lost(why, String::new()));
        }
        match (self.chance.of(20), self.core.attempt()) {
            (0, _) => {
                let by = 1_000 * (1 + self.chance.of(20));
                let extend = Input::Request(Request::Extend(by), String::new());
                self.step(&format!("extend {by}"), extend);
            }
            (1, _) => self.step(
                "close-now",
                Input::Request(Request::CloseNow, String::new()),
            ),
            (2, Some(_)) => self.connection("accepted", Connection::Accepted),
            (3..12, Some(_)) => {
                // Before anything else is due.
                let due = self.core.tick_due().unwrap_or(self.now);
                self.now += self
                    .chance
                    .of(due.saturating_sub(self.now).max(1))
                    .min(1_900);
                let why = ConnectError::ALL[self.chance.of(3) as usize];
                self.connection(why.name(), Connection::Failed(why, String::new()));
            }
            _ => {
                self.now = self.core.tick_due().unwrap_or(self.now).max(self.now);
                self.step("tick", Input::Time);
            }
        }
    }

    fn connection(&mut self, what: &str, event: Connection) {
        if let Some(attempt) = self.core.attempt() {
            self.step(what, Input::Connection(attempt, event));
        }
    }

    fn step(&mut self, what: &str, input: Input) {
        self.hand(input);
        let (at, spoil) = (self.now - START, self.policies.spoil);
        let comma = if self.steps.is_empty() { "" } else { ",\n" };
        let stands = self.stands();
        // Writing to a String cannot fail.
        let _ = write!(
            self.steps,
            r#"{comma}{{"at":{at},"what":"{what}","spoil":"{spoil}","stands":"{stands}"}}"#
        );
    }

    fn hand(&mut self, input: Input) {
        self.core.handle(self.now, input, &mut self.policies);
        while let Some(output) = self.core.poll() {
            if let Output::Keep { order, .. } = output {
                let digest = Digest {
                    bytes: 0,
                    sha256: String::new(),
                    seconds: 0.0,
                };
                let whole = Input::Verified(order, Ok(digest));
                self.core.handle(self.now, whole, &mut self.policies);
            }
        }
    }

    /// What the page's driver must show now.
    fn stands(&self) -> String {
        let State { phase, seen, .. } = self.core.state();
        let from_start = |at: u64| at.wrapping_sub(START) as i64;
        let (failures, disabled) = self.core.failures();
        let mut text = format!("{} seen {}", phase.name(), from_start(*seen));
        let wake = self.core.tick_due().map(from_start);
        let _ = write!(
            text,
            " wakes {}",
            wake.map_or("never".into(), |at| at.to_string())
        );
        let _ = write!(text, " failures {failures} {disabled}");
        if let Some(outage) = phase.outage() {
            let Outage {
                lost_at,
                why,
                attempts,
                attempt,
                extended,
            } = *outage;
            let (tag, at) = match attempt {
                Attempt::Due(at) => ("due", at),
                Attempt::UnderWay(at) => ("under-way", at),
            };
            let (lost_at, at, why) = (from_start(lost_at), from_start(at), why.name());
            let _ = write!(
                text,
                " lost {lost_at} {why} {attempts} {tag} {at} {extended}"
            );
        }
        match phase {
            Phase::CountingDown(it) => {
                let _ = write!(text, " deadline {} {}", from_start(it.deadline), it.warned);
            }
            Phase::Saving(it) => {
                let _ = write!(text, " {} since {}", it.place.name(), from_start(it.since));
            }
            _ => {}
        }
        text
    }
}
