//! What must hold all day long. Nothing here asks the guard: the server knows of the connection, and the
//! main thread of saves and of what people want.

use super::bounds::Bounds;
use super::server::Truth;
use super::trace::Trace;
use crate::contract::{Phase, Request};
use crate::event::Event;
use crate::journal::Outcome;
use crate::status::Snapshot;
use lifeline_core::Task;

/// Milliseconds.
const SECOND: u64 = 1_000;
/// A person, a stop and the pace of the main thread may delay the end of an outage by this.
const LEEWAY: u64 = 60 * SECOND;

/// A rule that does not hold.
#[derive(Debug)]
pub(super) struct Broken {
    pub rule: &'static str,
    pub why: String,
}

pub(super) type Verdict = Result<(), Broken>;

fn broken(rule: &'static str, why: impl Into<String>) -> Verdict {
    Err(Broken {
        rule,
        why: why.into(),
    })
}

/// What is known of the present Blender.
pub(super) struct Rules {
    bounds: Bounds,
    trace: Trace,
    policies: Vec<&'static str>,
    truth: Truth,
    /// What had been answered when the machine was to be taken away.
    terminating: bool,
    /// Blender is told to close, or its process is ended.
    closing: bool,
    /// A person holds.
    held: bool,
    /// Since when that is so, or is not.
    held_or_not_since: u64,
    /// The outage began then, though it may have been interrupted by short connections.
    lost_at: u64,
    /// What the present connection has ended, if it lasts.
    before: Option<Before>,
    /// The present outage goes on from before a short connection, or did before the present one.
    resumed: bool,
    /// A save of this outage runs.
    saving: bool,
    /// The last save of this outage is on the disk, as far as the main thread knows.
    saved: Option<bool>,
    /// Whether it could be verified is not known.
    doubtful: bool,
    /// The first failure of the last row, which only a file that can be verified ends.
    failing_since: Option<u64>,
    /// The outage's end is due from here on, with what is allowed on top.
    ends_from: u64,
    allowance: u64,
    others: bool,
    deadline: Option<u64>,
    /// Who decided when it was looked at last does not move it for the fun of it.
    foretold: bool,
    /// Something was done that may move it, and when it was looked at last.
    disturbed_at: u64,
    looked_at: u64,
    told: Told,
    open: Option<Open>,
    /// How each outage should stand in the journal.
    pub outcomes: Vec<Outcome>,
}

/// The outage that is to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Lasts,
    /// The server is back, but a save still runs, or the connection must last until then.
    Back(u64),
}

/// An outage when the server was back.
#[derive(Clone, Copy)]
struct Before {
    lost_at: u64,
    held: bool,
}

/// What events have said.
#[derive(Default)]
struct Told {
    outages: u32,
    recoveries: u32,
    connected: bool,
    lost: bool,
    counting: bool,
    held: bool,
}

impl Rules {
    /// `policies`: whose end of an outage can be foretold.
    pub fn new(bounds: Bounds, trace: Trace, truth: Truth, policies: Vec<&'static str>) -> Self {
        let now = trace.now();
        Rules {
            bounds,
            trace,
            policies,
            truth,
            terminating: false,
            closing: false,
            held: false,
            held_or_not_since: now,
            lost_at: now,
            before: None,
            resumed: false,
            saving: false,
            saved: None,
            doubtful: false,
            failing_since: None,
            ends_from: now,
            allowance: 0,
            others: false,
            deadline: None,
            foretold: true,
            disturbed_at: now,
            looked_at: now,
            told: Told::default(),
            open: None,
            outcomes: Vec::new(),
        }
    }

    /// Another Blender.
    pub fn begin_life(&mut self, truth: Truth) {
        let outcomes = std::mem::take(&mut self.outcomes);
        let policies = std::mem::take(&mut self.policies);
        let fresh = Rules::new(self.bounds, self.trace.clone(), truth, policies);
        *self = Rules { outcomes, ..fresh };
    }

    fn is_up(&self) -> bool {
        self.truth.connection.is_ok()
    }

    /// The driver has had the time to hear of the last change.
    fn is_known(&self) -> bool {
        let (Ok(since) | Err(since)) = self.truth.connection;
        self.trace.when(since) < self.trace.now()
    }

    fn is_known_up(&self) -> bool {
        self.is_up() && self.is_known()
    }

    /// Before anything else is looked at: has the connection changed?
    pub fn follow(&mut self, truth: Truth) {
        if truth.changes != self.truth.changes {
            let goes_on = match (self.truth.connection, truth.connection) {
                (Ok(since), Err(lost)) => self.before.take().filter(|_| {
                    let lasted = self.trace.when(lost) - self.trace.when(since);
                    lasted < self.bounds.lasting
                }),
                _ => None,
            };
            match truth.connection {
                Ok(_) => {
                    let (lost_at, held) = (self.lost_at, self.held);
                    self.before = self.told.lost.then_some(Before { lost_at, held });
                }
                Err(at) => {
                    self.resumed = goes_on.is_some();
                    self.lost_at = goes_on.map_or(self.trace.when(at), |before| before.lost_at);
                }
            }
            self.holds(goes_on.is_some_and(|before| before.held));
            self.saved = None;
            self.doubtful = false;
            self.failing_since = None;
            self.ends_from = self.trace.now();
            self.allowance = 0;
            self.others = false;
            self.deadline = None;
        }
        self.truth = truth;
    }

    /// While nothing is on its way between the threads: status, tickets, and how things stand.
    pub fn look(&mut self, snapshot: &Snapshot, open: Option<Task>, saving: bool) -> Verdict {
        let now = self.trace.now();
        self.end_back();
        if self.closing {
            return Ok(());
        }
        if self.is_known_up() && !self.terminating && open.is_some() {
            return broken("quiet while connected", format!("{open:?} is open"));
        }
        let Some(phase) = &snapshot.phase else {
            return Ok(());
        };
        let held = matches!(phase, Phase::Held(_));
        if self.held != held && self.held_or_not_since < now && !self.terminating {
            let why = format!("held: {}, but {} is the phase", self.held, phase.name());
            return broken("a hold is obeyed", why);
        }
        if !matches!(phase, Phase::Saving(_) | Phase::Quitting(_)) && !self.terminating {
            // Work goes on.
            self.saved = None;
            self.failing_since = None;
        }
        let policy = &snapshot.policy;
        let foretold = policy.set_aside || self.policies.contains(&policy.name.as_str());
        self.others |= policy.name != "five-minutes" && !policy.set_aside;
        self.deadline_stays(phase, foretold)?;
        self.ends(now, saving, open)
    }

    fn deadline_stays(&mut self, phase: &Phase, foretold: bool) -> Verdict {
        let deadline = match phase {
            Phase::CountingDown(countdown) => Some(countdown.deadline),
            _ => None,
        };
        let before = std::mem::replace(&mut self.deadline, deadline);
        let looked_at = std::mem::replace(&mut self.looked_at, self.trace.now());
        let foretold = std::mem::replace(&mut self.foretold, foretold) && foretold;
        let may_move = self.disturbed_at >= looked_at || !foretold;
        match (before, deadline) {
            (Some(before), Some(now)) if before != now && !may_move => {
                broken("a deadline stays", format!("{before} has become {now}"))
            }
            _ => Ok(()),
        }
    }

    fn ends(&self, now: u64, saving: bool, open: Option<Task>) -> Verdict {
        let waits = saving || self.held || matches!(open, Some(Task::Save(_)));
        if self.is_up() || waits || self.terminating {
            return Ok(());
        }
        let bound = if self.others {
            self.bounds.outage_of_others
        } else {
            self.bounds.outage
        };
        let end = self.ends_from + bound + self.allowance + LEEWAY;
        if now > end {
            let over = (now - end) / SECOND;
            return broken(
                "an outage ends",
                format!("this one is {over} s over its bound"),
            );
        }
        Ok(())
    }

    /// The status against the events; both were taken at once.
    pub fn agrees(&self, snapshot: &Snapshot, now: u64) -> Verdict {
        let (told, differs) = (&self.told, |what: &str| {
            broken("the status says what events say", what)
        });
        if (snapshot.outages, snapshot.recoveries) != (told.outages, told.recoveries) {
            return differs("it counts other outages");
        }
        if self.terminating || self.closing {
            return Ok(());
        }
        let status = snapshot.json(now);
        let phase = status["phase"].as_str().unwrap_or_default();
        if snapshot.connected != told.connected || (phase == "connected") != told.connected {
            return differs(&format!("{phase}, but connected: {}", told.connected));
        }
        if status["lost_for"].is_null() == told.lost || status["reason"].is_null() == told.lost {
            return differs(&format!("lost: {}, but {status}", told.lost));
        }
        if phase == "counting-down" && !told.counting || phase == "held" && !told.held {
            return differs(&format!("{phase} was not told"));
        }
        if self.is_known() && snapshot.outages != self.truth.outages {
            let (counted, true_one) = (snapshot.outages, self.truth.outages);
            return broken(
                "outages are counted once",
                format!("{counted} are told, {true_one} there were"),
            );
        }
        Ok(())
    }

    /// An event, as soon as it is there.
    pub fn event(&mut self, event: &Event) -> Verdict {
        let told = &mut self.told;
        match event {
            Event::Lost { .. } => {
                if told.lost {
                    return broken("outages are counted once", "a second loss in one outage");
                }
                told.outages += 1;
                (told.lost, told.connected) = (true, false);
                if !self.resumed {
                    self.finish_back();
                    self.saving = false;
                }
                self.open = Some(Open::Lasts);
            }
            Event::Connected => {
                told.connected = true;
                (told.counting, told.held) = (false, false);
                if told.lost {
                    let now = self.trace.now();
                    let lasting = if self.resumed { self.bounds.lasting } else { 0 };
                    self.open = Some(Open::Back(now + lasting));
                    self.end_back();
                }
            }
            Event::Recovered { .. } => {
                if !told.lost {
                    return broken("outages are counted once", "a recovery without a loss");
                }
                told.recoveries += 1;
                told.lost = false;
            }
            Event::Countdown { .. } => {
                told.counting = true;
                self.deadline = None;
            }
            Event::Held => (told.held, told.counting) = (true, false),
            Event::Log(line) if line.event == "built-in-policy-failed" => {
                return broken("the built-in policy keeps the rules", line.message.as_str());
            }
            _ => {}
        }
        Ok(())
    }

    /// The outage is over, unless something is still waited for.
    fn end_back(&mut self) {
        if let Some(Open::Back(from)) = self.open
            && !self.saving
            && self.trace.now() >= from
        {
            self.finish_back();
        }
    }

    /// What was waited for is not waited for any more.
    fn finish_back(&mut self) {
        if let Some(Open::Back(_)) = self.open {
            self.end(Outcome::Recovered);
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.open = None;
        self.outcomes.push(outcome);
    }

    /// The deadline may move, and the time for the end begins anew.
    fn disturbed(&mut self) {
        self.disturbed_at = self.trace.now();
        self.ends_from = self.disturbed_at;
    }

    /// A person asks for something; the driver has not heard of it yet.
    pub fn requested(&mut self, request: Request) {
        if self.is_up() || self.terminating || self.closing {
            return;
        }
        self.disturbed();
        match request {
            Request::Hold => {
                self.holds(true);
                self.saved = None;
            }
            Request::Release | Request::CloseNow => self.holds(false),
            Request::Extend(by) => self.allowance += by,
        }
    }

    fn holds(&mut self, held: bool) {
        if std::mem::replace(&mut self.held, held) != held {
            self.held_or_not_since = self.trace.now();
        }
    }

    /// The process was stopped until now, or another policy was taken.
    pub fn interrupted(&mut self) {
        self.disturbed();
    }

    /// Nothing was begun for so long, or a render put the end off.
    pub fn was_busy(&mut self, millis: u64) {
        self.allowance += millis;
    }

    /// SIGTERM.
    pub fn terminated(&mut self) {
        if self.terminating || self.closing {
            return;
        }
        if self.is_up() {
            self.finish_back();
        }
        self.terminating = true;
        self.holds(false);
        self.open = Some(Open::Lasts);
    }

    /// A save was claimed.
    pub fn save_begins(&mut self) -> Verdict {
        self.saving = true;
        self.nothing_forbids_it("save")
    }

    /// It has ended; `counts`: nobody has called it off since.
    pub fn save_ends(&mut self, ok: bool, counts: bool, took: u64) {
        self.allowance += took;
        self.saving = false;
        if counts {
            self.save_is(ok);
        }
        self.end_back();
    }

    fn save_is(&mut self, ok: bool) {
        self.saved = Some(ok);
        if !ok {
            self.failing_since.get_or_insert(self.trace.now());
            self.allowance += self.bounds.unsaved_wait;
        }
    }

    /// With which code the process ends, or would have ended.
    pub fn exit_code(&self, code: i32) -> Verdict {
        let safe = self.saved == Some(true);
        if !self.doubtful && safe != (code == 0) {
            return broken(
                "the exit code tells whether the work is safe",
                format!("it is {code}, and the last save: {:?}", self.saved),
            );
        }
        Ok(())
    }

    /// The file that was saved last could be verified, or not.
    pub fn verified(&mut self, whole: bool) {
        if whole {
            self.failing_since = None;
        } else if self.terminating {
            // Perhaps nobody had the time to wait for it.
            self.doubtful = true;
        } else if self.saved.is_some() {
            self.save_is(false);
        }
    }

    /// It is never said whether the file can be verified.
    pub fn never_verified(&mut self) {
        self.doubtful = true;
        // It counts as a failure in the end.
        self.failing_since.get_or_insert(self.trace.now());
        self.allowance += self.bounds.verified + self.bounds.unsaved_wait;
    }

    /// The quit was claimed.
    pub fn quits(&mut self) -> Verdict {
        self.nothing_forbids_it("quit")?;
        let now = self.trace.now();
        if !self.is_up() && !self.terminating && now < self.lost_at + self.bounds.floor {
            return broken("a floor", "it quits too soon after the loss");
        }
        match (self.saved, self.failing_since) {
            (None, _) => broken("a save before the quit", "no save was answered"),
            (Some(false), Some(since)) if now < since + self.bounds.unsaved_wait => broken(
                "a save before the quit",
                "the save has failed a short while ago",
            ),
            _ => Ok(()),
        }
    }

    fn nothing_forbids_it(&self, what: &str) -> Verdict {
        if self.terminating {
            return Ok(());
        }
        if self.is_known_up() {
            return broken("quiet while connected", format!("a {what} was claimed"));
        }
        if self.held && self.held_or_not_since < self.trace.now() {
            return broken("a hold is obeyed", format!("a {what} was claimed"));
        }
        Ok(())
    }

    /// Blender is told to close, or its process was ended by the host.
    pub fn closes(&mut self, by_the_host: bool) {
        self.finish_back();
        self.closing = true;
        self.end(match (by_the_host, self.terminating) {
            (true, _) => Outcome::EndedByHost,
            (false, true) => Outcome::Terminated,
            (false, false) => Outcome::Quit,
        });
    }

    /// The process is killed.
    pub fn killed(&mut self) {
        self.closing = true;
        if self.open.is_some() {
            self.end(Outcome::Interrupted);
        }
    }

    /// The line is closed, at the end of the day.
    pub fn closed(&mut self) {
        self.finish_back();
        self.closing = true;
        if self.open.is_some() {
            self.end(Outcome::Closed);
        }
    }

    /// The journal's outcomes at the end of the day.
    pub fn journal(&self, written: &[Outcome]) -> Verdict {
        if written == self.outcomes {
            return Ok(());
        }
        let differs = (0..).find(|&at| written.get(at) != self.outcomes.get(at));
        broken(
            "one line of the journal for each outage",
            format!(
                "from line {differs:?} on: {written:?} in place of {:?}",
                self.outcomes
            ),
        )
    }
}
