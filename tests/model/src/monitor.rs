//! Watches the host from outside: it keeps its own books, and shares nothing with the guard.

use crate::configuration::Configuration;
use crate::policy::Who;
use crate::rule::{Flags, Rule, Sight};
use crate::world::World;
use lifeline_contract::Call;
use lifeline_contract::types::{
    Action, Attempt, Decision, Moment, Outage, Phase, Place, Request, Settings, State,
};
use lifeline_core::{End, LOOK_AGAIN, RETRY_DECISION};
use std::hash::{Hash, Hasher};

/// As the contract has it: a call later than this (milliseconds) was slept through.
const LATE_AFTER: u64 = 1_000;

/// The saves of this outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Saves {
    None,
    InPlace,
    InPlaceFailed,
    Recovery,
    NoneSucceeded,
}

/// What is remembered to judge by.
#[derive(Clone, Debug)]
pub struct Monitor {
    broken: Flags,
    /// Of the last step; no part of the state.
    seen: Flags,
    lost_at: Option<u64>,
    /// Announced losses, as they should be.
    to_count: u8,
    /// The first connect of all has not been answered yet.
    first: bool,
    /// Attempts of this outage, the first connect of all and those begun again after a sleep not
    /// counted.
    attempts: u32,
    /// The machine has decided alone and by one set of settings, and each call was answered.
    plain: bool,
    /// What people have added to a countdown to come.
    extended: u64,
    /// A save was answered, and no phase but saving and quitting came since, nor another save.
    answered: bool,
    /// The first failure of those that no verified file has ended.
    failed_since: Option<u64>,
    safe: bool,
    saves: Saves,
    /// A person holds, and has neither released nor wanted to close.
    held: bool,
    /// By when the outage must have come to its save; None: while held or connected.
    save_by: Option<u64>,
    /// SIGTERM was heard.
    terminated: bool,
    /// The server accepted: when, and what was remembered then.
    ended: Option<(u64, Box<Monitor>)>,
    /// A connection that is lost sooner has not ended the outage (milliseconds).
    lasting: u64,
    /// Connections in a row that did not last.
    short: u8,
    /// The policy counts down, or a person holds.
    counts: bool,
}

/// Who has answered a decision.
pub enum By {
    /// The machine, with these settings.
    Machine(Box<Settings>),
    /// The hostile policy.
    Hostile,
}

/// A decision that the host is about to follow.
pub struct Ruling<'a> {
    /// Before.
    pub before: &'a State,
    /// What was called.
    pub call: &'a Call,
    /// The circumstances.
    pub moment: &'a Moment,
    /// The answer.
    pub decision: &'a Decision,
    /// Whose.
    pub by: &'a By,
    /// The host has disabled a policy, and put the countdown there itself.
    pub overdue: bool,
    /// Nothing is left that nobody could decide.
    pub all_told: bool,
}

impl Monitor {
    /// Before Blender starts.
    pub fn new(configuration: &Configuration, now: u64) -> Self {
        Monitor {
            broken: Flags::default(),
            seen: Flags::default(),
            lost_at: Some(now),
            to_count: 0,
            first: true,
            attempts: 0,
            plain: true,
            extended: 0,
            answered: false,
            failed_since: None,
            safe: false,
            saves: Saves::None,
            held: false,
            save_by: Some(now + configuration.time_to_save() + SLACK),
            terminated: false,
            ended: None,
            // Three of the longest pauses between attempts.
            lasting: 3 * configuration.settings[0].retry_delay_max,
            short: 0,
            counts: false,
        }
    }

    /// The work is on the disk.
    pub fn is_safe(&self) -> bool {
        self.safe
    }

    /// SIGTERM: no floor, no hold and no policy counts any more.
    pub fn terminates(&mut self, now: u64) {
        self.sees(Sight::Terminated);
        self.terminated = true;
        self.lost_at.get_or_insert(now);
        self.held = false;
        self.save_by = None;
    }

    /// Rules that were broken on the way here.
    pub fn broken(&self) -> Flags {
        self.broken
    }

    /// What the last step has shown.
    pub fn seen(&self) -> Flags {
        self.seen
    }

    /// Another step begins.
    pub fn begin_step(&mut self) {
        self.seen = Flags::default();
    }

    /// A rule is broken.
    pub fn breaks(&mut self, rule: Rule) {
        self.broken.set(rule as u32);
    }

    /// Something worth seeing.
    pub fn sees(&mut self, sight: Sight) {
        self.seen.set(sight as u32);
    }

    pub(crate) fn hash_relative(&self, world: &World, hasher: &mut impl Hasher) {
        let at = |at: Option<u64>| at.map(|at| world.relative(at));
        let attempts = self.attempts.min(world.limits.attempts);
        (self.broken, at(self.lost_at), self.to_count, self.first).hash(hasher);
        (attempts, self.plain, self.extended, self.answered).hash(hasher);
        (at(self.failed_since), self.safe, self.saves).hash(hasher);
        (self.held, at(self.save_by), self.terminated).hash(hasher);
        (self.short, self.counts).hash(hasher);
        if let Some((since, before)) = &self.ended
            && world.limits.short
            && world.now < since + self.lasting
        {
            world.relative(*since).hash(hasher);
            before.hash_relative(world, hasher);
        }
    }

    /// The server is lost. `decided`: nothing is left over from before.
    pub fn lost(&mut self, configuration: &Configuration, now: u64, decided: bool) {
        let fresh = Monitor {
            plain: decided,
            broken: self.broken,
            seen: self.seen,
            to_count: self.to_count + 1,
            first: false,
            ..Monitor::new(configuration, now)
        };
        let ended = self.ended.take();
        *self = match ended.filter(|(since, _)| now < since + self.lasting) {
            Some((since, before)) => {
                let patience = configuration.settings[0].retry_attempts;
                self.goes_on(*before, now - since, patience, fresh)
            }
            None => fresh,
        };
    }

    /// The outage of before the connection goes on.
    /// `patience`: so many of these in a row cost no attempt.
    fn goes_on(&self, before: Monitor, lasted: u64, patience: u32, fresh: Monitor) -> Monitor {
        let short = self.short + 1;
        let mut goes_on = Monitor {
            short,
            lost_at: before.lost_at,
            held: before.held,
            ..fresh
        };
        if goes_on.held {
            goes_on.save_by = None;
        }
        // Then each one is a failed attempt, and the time of the connection does not count.
        if u32::from(short) > patience || before.counts {
            goes_on.sees(Sight::GoesOn);
            goes_on.attempts = before.attempts;
            goes_on.plain &= before.plain;
            goes_on.extended = before.extended;
            let due = before.save_by.map(|at| at.saturating_add(lasted));
            goes_on.save_by = goes_on.save_by.map(|at| due.unwrap_or(at).min(at));
        }
        goes_on
    }

    /// An attempt has failed: that of the start is an outage by now.
    pub fn failed(&mut self) {
        if std::mem::take(&mut self.first) {
            self.to_count += 1;
        }
    }

    /// The server has accepted.
    pub fn connected(&mut self, now: u64) {
        // Of a server that is there at the first attempt nobody has lost anything.
        self.ended = (!self.first).then(|| {
            let before = Monitor {
                ended: None,
                ..self.clone()
            };
            (now, Box::new(before))
        });
        self.lost_at = None;
        self.first = false;
        self.held = false;
        self.save_by = None;
        self.answered = false;
        self.failed_since = None;
        self.safe = false;
    }

    /// Nobody was awake: `late` beyond what was due. The attempt that was under way is begun again.
    pub fn late(&mut self, configuration: &Configuration, late: u64) {
        let more = if late > LATE_AFTER {
            self.sees(Sight::Slept);
            late + configuration.time_to_answer()
        } else {
            late
        };
        self.put_off(more);
    }

    /// The save comes this much later.
    pub fn put_off(&mut self, by: u64) {
        self.save_by = self.save_by.map(|at| at.saturating_add(by));
    }

    /// From here on the outage may last as long as from its loss.
    pub fn begins_afresh(&mut self, configuration: &Configuration, now: u64) {
        self.plain = false;
        if !self.held && self.lost_at.is_some() && !self.terminated {
            self.save_by = Some(now + configuration.time_to_save() + self.extended + SLACK);
        }
    }

    /// Nobody could decide.
    pub fn undecided(&mut self) {
        self.plain = false;
        self.sees(Sight::Undecided);
        self.put_off(RETRY_DECISION + SLACK);
    }

    /// A person asks, in an outage.
    pub fn asked(&mut self, configuration: &Configuration, request: &Request, now: u64) {
        if self.lost_at.is_none() || self.terminated {
            return;
        }
        match request {
            Request::Hold => {
                self.held = true;
                self.save_by = None;
            }
            Request::Release | Request::CloseNow => {
                self.held = false;
                let plain = self.plain;
                self.begins_afresh(configuration, now);
                self.plain = plain;
            }
            Request::Extend(by) => {
                self.extended = self.extended.saturating_add(*by);
                self.put_off(*by);
            }
        }
    }

    /// The policy asks for another save.
    pub fn save_asked(&mut self) {
        self.answered = false;
        self.failed_since = None;
        self.safe = false;
    }

    /// A save that the host waits for was answered.
    pub fn save_answered(&mut self, place: Place, ok: bool, now: u64) {
        self.answered = true;
        self.saves = match (place, ok, self.saves) {
            (Place::InPlace, true, _) => Saves::InPlace,
            (Place::InPlace, false, _) => Saves::InPlaceFailed,
            (Place::Recovery, true, Saves::InPlaceFailed) => Saves::Recovery,
            (Place::Recovery, true, it) => it,
            (Place::Recovery, false, _) => Saves::NoneSucceeded,
        };
        self.on_disk(ok, now);
    }

    /// Whether the work is on the disk.
    pub fn on_disk(&mut self, ok: bool, now: u64) {
        self.safe = ok;
        if !ok {
            self.failed_since.get_or_insert(now);
        }
    }

    /// It could be verified.
    pub fn verified(&mut self) {
        self.failed_since = None;
    }

    /// The main thread begins to save.
    pub fn save_begins(&mut self, connected: bool) {
        if connected {
            self.breaks(Rule::SaveWhileConnected);
        }
        if self.held {
            self.breaks(Rule::ActsWhileHeld);
        }
    }

    /// The main thread is asked to quit, or Blender quits.
    pub fn quits(&mut self, configuration: &Configuration, world: &QuitCircumstances) {
        if world.connected {
            self.breaks(Rule::QuitWhileConnected);
        }
        if !self.answered || world.save_open {
            self.breaks(Rule::QuitUnanswered);
        }
        if self.held {
            self.breaks(Rule::ActsWhileHeld);
        }
        let floor = self.lost_at.map(|at| at + configuration.floor);
        if !self.terminated && floor.is_none_or(|floor| world.now < floor) {
            self.breaks(Rule::QuitBeforeFloor);
        }
        let waited = self
            .failed_since
            .is_some_and(|since| world.now >= since + configuration.unsaved_wait);
        if self.answered && !self.safe && !waited {
            self.breaks(Rule::QuitUnsaved);
        }
        if world.acts {
            self.sees(match (self.safe, self.saves) {
                (false, _) => Sight::QuitUnsaved,
                (true, Saves::Recovery) => Sight::QuitRecovery,
                (true, _) => Sight::QuitInPlace,
            });
        }
    }

    /// An answer of a policy was dropped.
    pub fn dropped(&mut self, by: &By, trapped: bool) {
        self.plain = false;
        if matches!(by, By::Machine(_)) && !trapped {
            self.breaks(Rule::Rejected);
        }
    }

    /// The host follows a decision.
    pub fn follows(&mut self, configuration: &Configuration, world: &World, ruling: &Ruling) {
        self.judge_by_contract(world, ruling);
        if matches!(ruling.by, By::Hostile) {
            self.plain = false;
        }
        if let By::Machine(settings) = ruling.by {
            self.judge_people(ruling);
            self.judge_deadline(ruling, settings);
            self.judge_attempts(ruling, settings);
            self.judge_delay(ruling, settings);
        }
        self.look(ruling);
        let phase = &ruling.decision.state.phase;
        self.counts = matches!(phase, Phase::CountingDown(_) | Phase::Held(_));
        if !matches!(phase, Phase::Saving(_) | Phase::Quitting(_)) {
            self.save_asked();
            self.saves = Saves::None;
        }
        let closing = |phase: &Phase| matches!(phase, Phase::Saving(_) | Phase::Quitting(_));
        let left = closing(&ruling.before.phase) && !closing(phase);
        if closing(phase) {
            // From here on it is the main thread's turn, whose time does not count.
            self.save_by = None;
        } else if left && !self.held && self.lost_at.is_some() {
            let again = configuration.time_to_save() + LOOK_AGAIN + SLACK;
            self.save_by = Some(ruling.moment.now + again);
        }
        if ruling.overdue {
            self.plain = false;
            let left = configuration.time_to_save() + SLACK;
            self.save_by = Some(ruling.moment.now + left);
        }
        if let By::Machine(settings) = ruling.by
            && !self.held
            && !configuration.policies.contains(&Who::Hostile)
        {
            self.tighten(ruling, settings);
        }
    }

    /// A countdown of a machine ends at its deadline, which is less time than any policy has.
    fn tighten(&mut self, ruling: &Ruling, settings: &Settings) {
        if let Phase::CountingDown(countdown) = &ruling.decision.state.phase {
            let end = countdown.deadline.saturating_add(settings.render_wait) + SLACK;
            self.save_by = self.save_by.map(|at| at.min(end));
        }
    }

    /// In words of its own what the contract says of a decision.
    fn judge_by_contract(&mut self, world: &World, ruling: &Ruling) {
        let decision = ruling.decision;
        let phase = &decision.state.phase;
        let count =
            |what: fn(&Action) -> bool| decision.actions.iter().filter(|it| what(it)).count();
        let connects = count(|it| matches!(it, Action::Connect));
        let saves = count(|it| matches!(it, Action::Save(_)));
        let quits = count(|it| matches!(it, Action::Quit));
        let up = world.is_connected();
        let is_connected = matches!(phase, Phase::Connected);
        let held = matches!(phase, Phase::Held(_));
        let all_told = ruling.all_told;
        let was_quitting = matches!(ruling.before.phase, Phase::Quitting(_));
        let well = decision.state.seen == ruling.moment.now
            && up == is_connected
            && (!is_connected || decision.actions.is_empty())
            && connects <= 1
            && match phase {
                Phase::Saving(saving) => {
                    let same = matches!(&ruling.before.phase, Phase::Saving(it) if it.place == saving.place)
                        && !matches!(ruling.call, Call::OnSaved(_));
                    let asked = decision.actions.contains(&Action::Save(saving.place));
                    quits == 0 && saves == usize::from(!same) && asked != same
                }
                Phase::Quitting(_) => saves == 0 && self.answered && (was_quitting || quits > 0),
                _ => saves == 0 && quits == 0,
            }
            // What a person has asked for may wait behind a call that nobody could decide.
            && (is_connected || !all_told || held == self.held);
        if !well {
            self.breaks(Rule::BadDecision);
        }
        if decision.wake_at.is_none() && !is_connected && !held {
            self.breaks(Rule::NeverWakes);
        }
    }

    fn judge_people(&mut self, ruling: &Ruling) {
        let phase = &ruling.decision.state.phase;
        let obeyed = match ruling.call {
            _ if matches!(phase, Phase::Connected) => true,
            Call::OnRequest(Request::Hold) => matches!(phase, Phase::Held(_)),
            Call::OnRequest(Request::CloseNow) => {
                matches!(phase, Phase::Saving(_) | Phase::Quitting(_))
            }
            _ => true,
        };
        if !obeyed {
            self.breaks(Rule::PeopleObeyed);
        }
    }

    fn judge_deadline(&mut self, ruling: &Ruling, settings: &Settings) {
        let now = ruling.moment.now;
        let late = slept(ruling.moment);
        let request = match ruling.call {
            Call::OnRequest(request) => Some(request),
            _ => None,
        };
        match (&ruling.before.phase, &ruling.decision.state.phase) {
            (Phase::CountingDown(before), Phase::CountingDown(after)) => {
                let added = match request {
                    Some(Request::Extend(by)) => *by,
                    _ => 0,
                };
                let least = before.deadline.saturating_add(late);
                // After a sleep there is time for one attempt.
                let most = match late {
                    0 => least,
                    _ => least.max(now.saturating_add(settings.connect_timeout.min(late / 2))),
                };
                let moved = after.deadline.saturating_sub(added);
                if !(least..=most).contains(&moved) {
                    self.breaks(Rule::DeadlineMoved);
                }
            }
            (before, Phase::Saving(saving)) if saving.place == Place::InPlace => {
                let deadline = match before {
                    Phase::CountingDown(countdown) => Some(countdown.deadline),
                    _ => None,
                };
                let was_saving = matches!(before, Phase::Saving(_));
                let asked = matches!(request, Some(Request::CloseNow));
                if !was_saving && !asked && deadline.is_none_or(|at| now < at) {
                    self.breaks(Rule::SaveBeforeDeadline);
                }
            }
            _ => {}
        }
    }

    /// Counts the attempts along, and looks whether the countdown begins after the last of them.
    fn judge_attempts(&mut self, ruling: &Ruling, settings: &Settings) {
        let now = ruling.moment.now;
        let before = ruling.before.phase.outage();
        let under_way = |it: &Outage| matches!(it.attempt, Attempt::UnderWay(_));
        let again = slept(ruling.moment) > 0 && before.is_some_and(under_way);
        let connects = ruling.decision.actions.contains(&Action::Connect);
        let counted = connects && !again && !matches!(ruling.call, Call::Start);
        if counted {
            self.attempts = self.attempts.saturating_add(1);
        }
        if !self.plain {
            return;
        }
        let Some(outage) = ruling.decision.state.phase.outage() else {
            return;
        };
        if outage.attempts != self.attempts {
            self.breaks(Rule::AttemptsMiscounted);
        }
        match (&ruling.before.phase, &ruling.decision.state.phase) {
            (Phase::CountingDown(_), Phase::CountingDown(_)) => {}
            (Phase::Held(_), Phase::CountingDown(countdown)) => {
                let length = settings.cleanup_timeout + countdown.outage.extended;
                if countdown.deadline != now + length || self.attempts < settings.retry_attempts {
                    self.breaks(Rule::CountdownAtWrongTime);
                }
            }
            (_, Phase::CountingDown(countdown)) => {
                let length = settings.cleanup_timeout + countdown.outage.extended;
                let failed = !under_way(&countdown.outage);
                if self.attempts != settings.retry_attempts
                    || !failed
                    || countdown.deadline != now + length
                {
                    self.breaks(Rule::CountdownAtWrongTime);
                }
            }
            (_, Phase::Reconnecting(outage))
                if !under_way(outage) && self.attempts >= settings.retry_attempts =>
            {
                self.breaks(Rule::CountdownAtWrongTime);
            }
            _ => {}
        }
    }

    /// `min(retry-delay · 2^made, retry-delay-max) ± retry-jitter`, then once anything up to
    /// `retry-delay-max`, then that or up to a quarter of it less.
    fn judge_delay(&mut self, ruling: &Ruling, settings: &Settings) {
        let now = ruling.moment.now;
        let was_due = |it: &Outage| matches!(it.attempt, Attempt::Due(_));
        let begun = slept(ruling.moment) > 0 || !ruling.before.phase.outage().is_some_and(was_due);
        let Some(outage) = ruling.decision.state.phase.outage() else {
            return;
        };
        let Attempt::Due(at) = outage.attempt else {
            return;
        };
        if !begun {
            return; // it was due before
        }
        let delay = at.saturating_sub(now);
        let (least, most) = if outage.attempts < settings.retry_attempts {
            let factor = 1_u64.checked_shl(outage.attempts).unwrap_or(u64::MAX);
            let middle = settings
                .retry_delay
                .saturating_mul(factor)
                .min(settings.retry_delay_max);
            (
                middle.saturating_sub(settings.retry_jitter),
                middle.saturating_add(settings.retry_jitter),
            )
        } else if outage.attempts == settings.retry_attempts {
            (0, settings.retry_delay_max)
        } else {
            let longest = settings.retry_delay_max;
            (longest - longest / 4, longest)
        };
        if !(least.max(1)..=most.max(1)).contains(&delay) {
            self.breaks(Rule::Jitter);
        }
    }

    fn look(&mut self, ruling: &Ruling) {
        self.sees(match ruling.decision.state.phase {
            Phase::Connected => Sight::Connected,
            Phase::Reconnecting(_) => Sight::Reconnecting,
            Phase::CountingDown(_) => Sight::CountingDown,
            Phase::Saving(_) => Sight::Saving,
            Phase::Quitting(_) => Sight::Quitting,
            Phase::Held(_) => Sight::Held,
        });
        if ruling
            .decision
            .actions
            .iter()
            .any(|it| matches!(it, Action::Warn(_)))
        {
            self.sees(Sight::Warned);
        }
    }

    /// Looks at the state that a step has led to.
    pub fn look_at(&mut self, world: &World) {
        let core = &world.core;
        if !world.started || world.over {
            return;
        }
        if world.outages != self.to_count {
            self.breaks(Rule::CountedTwice);
        }
        let looked_after =
            core.open_ticket().is_some() || core.keeping().is_some() || core.end_due().is_some();
        if self.terminated || world.is_writing() {
            if !looked_after {
                self.breaks(Rule::Stalls);
            }
            return;
        }
        let decided = core.undecided().next().is_none();
        if world.is_connected() {
            self.look_at_connected(world);
            return;
        }
        let phase = &core.state().phase;
        if !decided && core.tick_due().is_none() {
            self.breaks(Rule::NeverWakes);
        }
        let closing = matches!(phase, Phase::Saving(_) | Phase::Quitting(_));
        // The next thing that the host does of itself must still be in time.
        let by = core.wake_at().unwrap_or(u64::MAX).max(world.now);
        if !closing && self.save_by.is_some_and(|at| by > at) {
            self.breaks(Rule::Overdue);
        }
        let stalls = match phase {
            Phase::Saving(_) => core.open_ticket().is_none(),
            Phase::Quitting(_) => core.end() == End::No || !looked_after,
            _ => false,
        };
        if decided && stalls {
            self.breaks(Rule::Stalls);
        }
    }

    fn look_at_connected(&mut self, world: &World) {
        let core = &world.core;
        let pending = core.open_ticket().is_some()
            || core.end() != End::No
            || core.keeping().is_some()
            || core.end_due().is_some();
        let decided = core.undecided().next().is_none();
        let phase = decided && core.state().phase != Phase::Connected;
        let machine = world.current != Who::Hostile;
        let wakes = decided && machine && core.tick_due().is_some();
        if pending || phase || wakes {
            self.breaks(Rule::PendingWhileConnected);
        }
    }
}

/// What Blender quits in.
pub struct QuitCircumstances {
    /// Milliseconds.
    pub now: u64,
    /// The server is connected.
    pub connected: bool,
    /// A save is asked for and not answered.
    pub save_open: bool,
    /// It happens; otherwise the main thread is asked for it.
    pub acts: bool,
}

/// The wake-ups are at least 10 ms apart, and a delay is 1 ms at least (milliseconds).
const SLACK: u64 = 100;

/// How much of the time before this call does not count.
fn slept(moment: &Moment) -> u64 {
    let late = moment.due.map_or(0, |due| moment.now.saturating_sub(due));
    if late > LATE_AFTER { late } else { 0 }
}
