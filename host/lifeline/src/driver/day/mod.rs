//! A whole day in less than a second: the real driver with the real sandbox, one Blender after the
//! other, in virtual time. A seed decides what happens, and gives the same trace each time.
//!
//! | module | what it is |
//! |---|---|
//! | [`plan`] | what a day has in store: outages, flaps, people, stops, swaps, the end of the machine |
//! | [`server`] | the server, which also knows the truth about the connection |
//! | [`machine`] | what becomes of saved files and of processes |
//! | [`policies`] | who may decide |
//! | [`blender`] | a process: its driver, and a main thread that polls, saves, and closes |
//! | [`bounds`] | how long anything may take |
//! | [`rules`] | what must hold, asked of everybody but the guard |
//! | [`trace`] | what has happened |
//!
//! `LIFELINE_DAYS` is the number of days, `LIFELINE_DAY_SEED` the seed of a single one, and with
//! `LIFELINE_DAY_TRACE=1` its trace goes to stdout.

mod blender;
mod bounds;
mod machine;
mod plan;
mod policies;
mod rules;
mod server;
mod tests;
mod trace;

use crate::driver::Command;
use crate::journal::Journal;
use crate::settings::Settings;
use blender::{Blender, Counts};
use bounds::Bounds;
use machine::Machine;
use plan::{Cue, DAY};
use policies::{FORETOLD, POOL};
use rules::{Broken, Rules, Verdict};
use server::Server;
use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{advance, sleep_until};
use trace::Trace;

/// What of the settings is not their default. (Seconds.)
const UNSAVED_WAIT: u64 = 600;
const OUTAGE_LIMIT: u64 = 2_200;

/// A day that has passed without anything wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Passed {
    /// Of all lines of its trace.
    hash: u64,
    lines: u64,
    counts: Counts,
}

/// A day on which a rule was broken.
#[derive(Debug)]
struct Failed {
    seed: u64,
    at: u64,
    broken: Broken,
    last: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failed {
            seed, at, broken, ..
        } = self;
        let at = trace::at(Duration::from_millis(*at));
        writeln!(f, "{}", self.last)?;
        writeln!(
            f,
            "day {seed}, {at}: {} is broken: {}",
            broken.rule, broken.why
        )?;
        write!(
            f,
            "the same again: LIFELINE_DAY_TRACE=1 LIFELINE_DAY_SEED={seed} \
             cargo test --release -p lifeline --lib day"
        )
    }
}

/// One day. `spoil`: the rules may be made stricter than anybody can be.
fn play(seed: u64, aloud: bool, spoil: impl FnOnce(&mut Bounds)) -> Result<Passed, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // For the journal.
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let folder = memory_folder();
    let journal = folder.path().join("journal.jsonl");
    runtime.block_on(async {
        let trace = Trace::begin(aloud);
        let settings = settings(&journal);
        let mut bounds = Bounds::new(&settings);
        spoil(&mut bounds);
        let mut day = Day::new(seed, settings, bounds, trace.clone());
        let passed = match day.pass().await {
            Ok(()) => day.end(&journal).await,
            Err(broken) => Err(broken),
        };
        let (hash, lines) = trace.digest();
        let counts = day.counts;
        passed
            .map(|()| Passed {
                hash,
                lines,
                counts,
            })
            .map_err(|broken| Failed {
                seed,
                at: trace.now(),
                broken,
                last: trace.last(),
            })
    })
}

/// A folder without a disk under it, if there is one: what a journal flushes costs a day its second.
fn memory_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn settings(journal: &Path) -> Settings {
    let environment: BTreeMap<String, String> = [
        ("CR8_JOURNAL", journal.to_str().unwrap().to_string()),
        ("CR8_UNSAVED_WAIT", UNSAVED_WAIT.to_string()),
        ("CR8_OUTAGE_LIMIT", OUTAGE_LIMIT.to_string()),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .into();
    Settings::resolve(&serde_json::Map::new(), &environment).unwrap()
}

/// What lasts all day.
struct Day {
    seed: u64,
    settings: Settings,
    server: Server,
    machine: Machine,
    rules: Rules,
    trace: Trace,
    chance: fastrand::Rng,
    /// The disk.
    full: bool,
    blender: Option<Blender>,
    /// Another one is started then (milliseconds of the day).
    start_at: Option<u64>,
    counts: Counts,
}

impl Day {
    fn new(seed: u64, settings: Settings, bounds: Bounds, trace: Trace) -> Self {
        let server = Server::new(trace.clone());
        let foretold = FORETOLD.to_vec();
        Day {
            rules: Rules::new(bounds, trace.clone(), server.truth(), foretold),
            machine: Machine::new(!seed),
            chance: fastrand::Rng::with_seed(seed.rotate_left(32)),
            full: false,
            blender: None,
            start_at: Some(0),
            counts: Counts::default(),
            seed,
            settings,
            server,
            trace,
        }
    }

    async fn pass(&mut self) -> Verdict {
        let mut plan = plan::plan(self.seed, POOL.others.len())
            .into_iter()
            .peekable();
        loop {
            self.look()?;
            let now = self.trace.now();
            if now >= DAY {
                return Ok(());
            }
            if let Some((_, cue)) = plan.next_if(|(at, _)| *at <= now) {
                self.cue(cue).await?;
                // The driver hears of it before anything else happens.
                tokio::task::yield_now().await;
                continue;
            }
            if self.start_at.is_some_and(|at| at <= now) {
                self.start();
            }
            if let Some(blender) = &mut self.blender {
                blender.act(self.full, &mut self.chance, &mut self.rules)?;
            }
            if self.is_gone() {
                self.bury().await?;
                continue;
            }
            let cue = plan.peek().map(|(at, _)| *at);
            self.wait(cue).await;
        }
    }

    /// Until something is due, or has happened.
    async fn wait(&self, cue: Option<u64>) {
        let of_blender = self.blender.as_ref().and_then(Blender::next);
        let next = [cue, of_blender, self.start_at].into_iter().flatten().min();
        let next = self.trace.instant(next.unwrap_or(DAY).min(DAY));
        let told = async {
            match &self.blender {
                Some(blender) => blender.shared.events.pushed.notified().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = told => {}
            () = self.server.changed.notified() => {}
            () = self.machine.changed.notified() => {}
            () = sleep_until(next) => {}
        }
    }

    fn start(&mut self) {
        self.start_at = None;
        let (server, machine) = (&self.server, &self.machine);
        self.blender = Some(Blender::start(&self.settings, server, machine, &self.trace));
        self.rules.begin_life(self.server.truth());
    }

    fn look(&mut self) -> Verdict {
        match &mut self.blender {
            Some(blender) => blender.look(&self.server, &self.machine, &mut self.rules),
            None => Ok(()),
        }
    }

    async fn cue(&mut self, cue: Cue) -> Verdict {
        self.trace.tell(format_args!("{cue:?}"));
        match cue {
            Cue::Weather(weather, why) => self.server.set(weather, why),
            Cue::Drop(why) => self.server.lose(why),
            Cue::Stop(millis) => {
                advance(Duration::from_millis(millis)).await;
                // Whatever has waited is heard of first.
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.rules.interrupted();
            }
            Cue::Kill => {
                if let Some(blender) = self.blender.take() {
                    self.rules.killed();
                    self.counts.add(blender.kill().await);
                    self.start_again();
                }
            }
            Cue::Request(request) => {
                if let Some(blender) = &self.blender {
                    blender.request(request);
                    self.rules.requested(request);
                }
            }
            Cue::Render(rendering) => {
                if let Some(blender) = &mut self.blender {
                    blender.render(rendering, &mut self.rules);
                }
            }
            Cue::Busy(millis) => {
                if let Some(blender) = &mut self.blender {
                    blender.be_busy(millis, &mut self.rules);
                }
            }
            Cue::Swap(number) => {
                let (origin, policy) = &POOL.others[number];
                self.trace.tell(format_args!("swap: {origin}"));
                if let (Some(blender), Some(policy)) = (&self.blender, policy) {
                    blender.send(Command::Take {
                        policy: Arc::new(policy.clone()),
                        origin: origin.clone(),
                    });
                    self.rules.interrupted();
                }
            }
            Cue::Full(full) => self.full = full,
            Cue::Terminate => {
                if let Some(blender) = &self.blender {
                    blender.send(Command::Terminate);
                    self.rules.terminated();
                }
            }
        }
        Ok(())
    }

    fn is_gone(&self) -> bool {
        let gone = |blender: &Blender| {
            let closed = blender.gone_at.is_some_and(|at| at <= self.trace.now());
            closed || blender.has_died()
        };
        self.blender.as_ref().is_some_and(gone)
    }

    async fn bury(&mut self) -> Verdict {
        if let Some(blender) = self.blender.take() {
            self.counts.add(blender.close().await?);
            self.start_again();
        }
        Ok(())
    }

    /// By the browser, soon if the server is there, and now and then although it is not.
    fn start_again(&mut self) {
        let soon = self.server.is_there() || self.chance.u32(..3) == 0;
        let pause = if soon {
            self.chance.u64(1_000..60_000)
        } else {
            self.chance.u64(60_000..3_600_000)
        };
        self.start_at = Some(self.trace.now() + pause);
    }

    /// Midnight: the line is closed, and the journal read.
    async fn end(&mut self, journal: &Path) -> Verdict {
        if self.blender.is_none() {
            // One that was killed has left something to the next.
            self.start();
        }
        self.rules.closed();
        self.bury().await?;
        let written = Journal::new(journal.to_path_buf()).read();
        let outcomes: Vec<_> = written.iter().map(|(entry, _)| entry.outcome).collect();
        self.rules.journal(&outcomes)
    }
}
