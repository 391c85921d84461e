//! Blender in a day: one process after the other, each with a driver of its own, and a main thread
//! that does what the add-on does.

use super::machine::Machine;
use super::policies::POOL;
use super::rules::{Broken, Rules, Verdict};
use super::server::Server;
use super::trace::Trace;
use crate::contract::{Request, Scene};
use crate::driver::deciding::Deciding;
use crate::driver::{Command, Driver, FirstPolicy, Shared};
use crate::event::{Event, Level};
use crate::settings::Settings;
use crate::status::Snapshot;
use fastrand::Rng;
use lifeline_core::Saved;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// How often the main thread polls, connected and in an outage (milliseconds).
const POLL: u64 = 1_000;
const POLL_IN_AN_OUTAGE: u64 = 250;

/// A process.
pub(super) struct Blender {
    pub shared: Arc<Shared>,
    commands: UnboundedSender<Command>,
    driver: JoinHandle<()>,
    trace: Trace,
    /// What was told and not acted upon.
    inbox: VecDeque<Event>,
    /// When the main thread comes by next, if there is anything for it; milliseconds of the day, as
    /// are all of these.
    poll_at: Option<u64>,
    busy_until: u64,
    saving: Option<Saving>,
    /// When the last save was asked for.
    asked: u64,
    /// A quit that is put off until then.
    putting_off: Option<(u64, u64)>,
    /// The process is gone then.
    pub gone_at: Option<u64>,
    rendering: Option<u64>,
    counts: Counts,
}

/// A save that runs.
struct Saving {
    ticket: u64,
    asked: u64,
    ends: u64,
    ok: bool,
    /// Nobody has called it off.
    counts: bool,
}

/// How often things have happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub outages: u32,
    pub recoveries: u32,
    pub holds: u32,
    pub saves: u32,
    pub failed_saves: u32,
    pub saved_first: u32,
    pub quits: u32,
    pub ended_by_host: u32,
    pub rejected: u32,
    pub swaps: u32,
    pub unsaved: u32,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.outages += other.outages;
        self.recoveries += other.recoveries;
        self.holds += other.holds;
        self.saves += other.saves;
        self.failed_saves += other.failed_saves;
        self.saved_first += other.saved_first;
        self.quits += other.quits;
        self.ended_by_host += other.ended_by_host;
        self.rejected += other.rejected;
        self.swaps += other.swaps;
        self.unsaved += other.unsaved;
    }
}

impl Blender {
    /// Starts one, which connects.
    pub fn start(settings: &Settings, server: &Server, machine: &Machine, trace: &Trace) -> Self {
        server.begin_life();
        machine.record();
        trace.tell(format_args!("Blender starts"));
        let shared = Arc::new(Shared::new(Snapshot::default()));
        let (commands, mut inbox) = unbounded_channel();
        let pool = &*POOL;
        let driver = Driver::with(
            Deciding::with(pool.sandbox.clone(), Arc::new(pool.built_in.clone())),
            Arc::new(server.clone()),
            Arc::new(machine.clone()),
            settings.clone(),
            Arc::clone(&shared),
            FirstPolicy {
                fresh: true,
                ..FirstPolicy::default()
            },
        );
        let driver = tokio::spawn(async move { driver.run(&mut inbox).await });
        Blender {
            shared,
            commands,
            driver,
            trace: trace.clone(),
            inbox: VecDeque::new(),
            poll_at: None,
            busy_until: 0,
            saving: None,
            asked: 0,
            putting_off: None,
            gone_at: None,
            rendering: None,
            counts: Counts::default(),
        }
    }

    pub fn send(&self, command: Command) {
        // Once the driver has ended, nothing is left to be done.
        let _ = self.commands.send(command);
    }

    pub fn request(&self, request: Request) {
        self.send(Command::Request(request, "a person".into()));
    }

    /// A render puts off the end of an outage, if the policy lets it.
    pub fn render(&mut self, rendering: bool, rules: &mut Rules) {
        let now = self.trace.now();
        if rendering {
            self.rendering.get_or_insert(now);
        } else if let Some(since) = self.rendering.take() {
            rules.was_busy(now - since);
        }
        let scene = Scene {
            modified: false,
            untitled: false,
            rendering,
        };
        let path = "/work.blend".into();
        self.send(Command::Scene { scene, path });
    }

    /// The main thread is at work for so long.
    pub fn be_busy(&mut self, millis: u64, rules: &mut Rules) {
        self.busy_until = self.busy_until.max(self.trace.now() + millis);
        rules.was_busy(millis);
    }

    /// Whether the driver's end has come without its having been asked for.
    pub fn has_died(&self) -> bool {
        self.driver.is_finished()
    }

    /// What there is to be heard, and whether everything is in order.
    pub fn look(&mut self, server: &Server, machine: &Machine, rules: &mut Rules) -> Verdict {
        let now = self.trace.now();
        rules.follow(server.truth());
        for event in self.shared.events.drain() {
            self.hear(&event);
            rules.event(&event)?;
            self.inbox.push_back(event);
        }
        if !self.inbox.is_empty() {
            let pace = match self.shared.snapshot().connected {
                true => POLL,
                false => POLL_IN_AN_OUTAGE,
            };
            // Never in this very instant: what the driver does in it is one thing.
            let poll_at = now / pace * pace + pace;
            self.poll_at = Some(self.poll_at.map_or(poll_at, |at| at.min(poll_at)));
        }
        let record = machine.record();
        if let Some(whole) = record.verified {
            rules.verified(whole);
        }
        if record.silent {
            rules.never_verified();
        }
        if let Some(code) = record.watched {
            self.ends_with("is told to close", code, rules)?;
            self.counts.quits += 1;
            rules.closes(false);
        }
        if let Some(code) = record.ended_with {
            self.ends_with("is ended by the host", code, rules)?;
            self.counts.ended_by_host += 1;
            rules.closes(true);
            self.gone_at = Some(now);
        }
        let snapshot = self.shared.snapshot().clone();
        rules.agrees(&snapshot, self.shared.clock.now())?;
        let open = self.shared.tickets.standing();
        rules.look(&snapshot, open, self.saving.is_some())
    }

    fn ends_with(&mut self, what: &str, code: i32, rules: &Rules) -> Verdict {
        self.trace.tell(format_args!("Blender {what}: {code}"));
        self.counts.unsaved += u32::from(code != 0);
        rules.exit_code(code)
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::Log(line) => {
                self.counts.rejected += u32::from(matches!(
                    line.event,
                    "policy-overruled" | "policy-set-aside"
                ));
                if line.event == "clean-up-withdrawn"
                    && let Some(saving) = &mut self.saving
                {
                    saving.counts = false;
                }
                if line.level >= Level::Warning {
                    let level = line.level.name();
                    self.trace.tell(format_args!("{level}: {}", line.message));
                }
            }
            Event::Lost { .. } => self.counts.outages += 1,
            Event::Recovered { .. } => self.counts.recoveries += 1,
            Event::Held => self.counts.holds += 1,
            Event::Save { .. } => self.asked = self.trace.now(),
            Event::Policy { .. } => self.counts.swaps += 1,
            _ => {}
        }
        if !matches!(event, Event::Log(..)) {
            self.trace.tell(format_args!("{event:?}"));
        }
    }

    /// When the main thread has something to do.
    pub fn next(&self) -> Option<u64> {
        let quit = self.putting_off.map(|(at, _)| at);
        let work = match &self.saving {
            Some(saving) => Some(saving.ends),
            None => self.poll_at.into_iter().chain(quit).min(),
        };
        let work = work.map(|at| at.max(self.busy_until));
        work.into_iter().chain(self.gone_at).min()
    }

    /// Does what is due on the main thread. `full`: the disk.
    pub fn act(&mut self, full: bool, chance: &mut Rng, rules: &mut Rules) -> Verdict {
        let now = self.trace.now();
        // One thing after the other, on one thread.
        if self.busy_until > now {
            return Ok(());
        }
        if let Some(saving) = self.saving.take_if(|saving| saving.ends <= now) {
            self.end_save(&saving, rules);
        }
        if self.saving.is_some() {
            return Ok(());
        }
        if let Some((_, ticket)) = self.putting_off.take_if(|(at, _)| *at <= now) {
            self.quit(ticket, rules)?;
        }
        if self.poll_at.is_some_and(|at| at <= now) {
            self.poll_at = None;
            let polled = self.shared.clock.now();
            self.shared.polled.store(polled, Ordering::Relaxed);
            while let Some(event) = self.inbox.pop_front() {
                self.do_as(&event, full, chance, rules)?;
            }
        }
        Ok(())
    }

    fn do_as(&mut self, event: &Event, full: bool, chance: &mut Rng, rules: &mut Rules) -> Verdict {
        let now = self.trace.now();
        match *event {
            Event::Save { ticket, .. } if self.claim(ticket) => {
                rules.save_begins()?;
                self.counts.saves += 1;
                let takes = match chance.u32(..10) {
                    0 => chance.u64(10_000..600_000),
                    1 => chance.u64(600_000..1_800_000),
                    _ => chance.u64(1..3_000),
                };
                let ok = chance.u32(..5) > 0 && !full;
                self.trace.tell(format_args!("a save begins"));
                let path = "/work.blend".into();
                self.send(Command::Saving { ticket, path });
                self.saving = Some(Saving {
                    ticket,
                    asked: self.asked,
                    ends: now + takes,
                    ok,
                    counts: true,
                });
            }
            Event::Quit { ticket } => match chance.u32(..6) {
                0 => {
                    self.counts.saved_first += 1;
                    self.trace.tell(format_args!("changed since the save"));
                    if self.shared.tickets.take(ticket) {
                        self.send(Command::SaveFirst { ticket });
                    }
                }
                1 => {
                    let later = chance.u64(1_000..120_000);
                    rules.was_busy(later);
                    self.putting_off = Some((now + later, ticket));
                }
                _ => self.quit(ticket, rules)?,
            },
            Event::Close => self.gone_at = Some(now + chance.u64(1..3_000)),
            _ => {}
        }
        Ok(())
    }

    fn quit(&self, ticket: u64, rules: &mut Rules) -> Verdict {
        if self.claim(ticket) {
            self.trace.tell(format_args!("Blender agrees to close"));
            rules.quits()?;
        }
        Ok(())
    }

    fn end_save(&mut self, saving: &Saving, rules: &mut Rules) {
        let word = if saving.ok { "has ended" } else { "has failed" };
        self.trace.tell(format_args!("a save {word}"));
        self.counts.failed_saves += u32::from(!saving.ok);
        let took = self.trace.now() - saving.asked;
        rules.save_ends(saving.ok, saving.counts, took);
        let outcome = if saving.ok {
            Ok(Saved {
                path: "/work.blend".into(),
                recovery: false,
                failures: vec![],
                digest: None,
                render: None,
            })
        } else {
            Err(vec!["disk full".into()])
        };
        let ticket = saving.ticket;
        self.send(Command::Saved { ticket, outcome });
    }

    fn claim(&self, ticket: u64) -> bool {
        let stands = self.shared.tickets.take(ticket);
        if stands {
            self.send(Command::Claimed { ticket });
        }
        stands
    }

    /// The line is closed, as when the add-on is disabled.
    pub async fn close(self) -> Result<Counts, Broken> {
        self.send(Command::Close);
        let ended = self.driver.await;
        self.trace.tell(format_args!("Blender is gone"));
        ended.map(|()| self.counts).map_err(|error| Broken {
            rule: "the driver runs",
            why: error.to_string(),
        })
    }

    /// As by SIGKILL.
    pub async fn kill(self) -> Counts {
        self.driver.abort();
        // Cancelled.
        let _ = self.driver.await;
        self.trace.tell(format_args!("Blender is killed"));
        self.counts
    }
}
