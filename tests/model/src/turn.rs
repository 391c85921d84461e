//! What a step does: the driver's part, after `driver/run.rs`, `judge.rs`, `policies.rs` and
//! `closing.rs`, with the real guard and the real tickets.
//!
//! The functions have the names that they have there. Left out is what no policy, server or person
//! notices (the journal, the log, the status), and what the model has nothing to say of: SIGTERM,
//! uploads, a read-back that never ends, `CR8_STUCK_TIMEOUT` (off unless set), and the pace of a
//! policy that is always in a hurry. A call takes no time.

use crate::configuration::{BETWEEN, Configuration, QUICK, QUIET, SLEEP, SLIGHTLY_LATE};
use crate::desk::LaidOut;
use crate::monitor::{By, LATE_AFTER, QuitCircumstances, Ruling};
use crate::policy::{Who, ask_machine, hostile_answer};
use crate::rule::{Rule, Sight};
use crate::step::{Event, Step, Trap};
use crate::world::{Connection, End, World, outage_of};
use lifeline::contract::{
    Action, ConnectError, Countdown, Decision, Loss, Moment, Phase, Place, Request, Scene,
};
use lifeline::guard::Violation;
use lifeline::sandbox::Call;
use lifeline::tickets::Task;

/// As in the driver: when nobody could decide, the next try is this much later (milliseconds).
const RETRY_DECISION: u64 = 1_000;
/// A policy that has failed this often is set aside until the next swap.
pub const FAILURES: u32 = 3;
/// An outage that has lasted for too long is looked at again this often (milliseconds).
pub const LOOK_AGAIN: u64 = 5_000;
/// A policy is never woken sooner than this after a decision (milliseconds).
const WAKE_FLOOR: u64 = 10;
/// When nothing could be saved, the next try is this much later; it doubles (milliseconds).
const RETRY: u64 = 1_000;
const RETRY_MAX: u64 = 60_000;
/// A changed file is saved first so often at most.
const SAVED_FIRST: u32 = 4;

/// One step.
pub struct Turn<'a> {
    configuration: &'a Configuration,
    world: &'a mut World,
    desk: LaidOut,
    step: Step,
}

/// A decision, whose, and whether it was the host that put the countdown there.
type Verdict = Option<(Decision, By)>;

impl<'a> Turn<'a> {
    /// Lets it happen.
    pub fn take(configuration: &'a Configuration, world: &'a mut World, step: Step) {
        world.monitor.begin_step();
        world.surprises = world.surprises.saturating_add(step.surprises());
        let alarm = |world: &World| world.alarm(configuration.quit_timeout);
        let before = (world.host.end, alarm(world));
        let desk = LaidOut::new(&world.desk);
        let mut turn = Turn {
            configuration,
            world,
            desk,
            step,
        };
        turn.happen();
        let Turn { world, desk, .. } = turn;
        world.desk = desk.gather();
        let mut monitor = world.monitor.clone();
        if step.event == Event::Alarm && before == (world.host.end, alarm(world)) {
            monitor.breaks(Rule::BusyLoop);
        }
        monitor.look_at(configuration, world);
        world.monitor = monitor;
    }

    fn happen(&mut self) {
        match self.step.event {
            Event::Start => {
                self.world.started = true;
                self.decide(Call::Start);
            }
            Event::Pass => self.pass(),
            Event::Between => self.world.now += BETWEEN,
            Event::Late => self.late(SLIGHTLY_LATE),
            Event::Sleep => self.late(SLEEP),
            Event::Tick => self.decide(Call::Tick),
            Event::Alarm => self.proceed(),
            Event::Accepted => self.connected(),
            Event::Failed(why) => self.failed(why),
            Event::Lost => self.lost(),
            Event::Claim => self.claim(),
            Event::SaveFirst => self.save_first(),
            Event::ClaimHeard => self.claimed(),
            Event::Saved(ok) => self.saved(ok),
            Event::ReadBack(true) => self.digested(),
            Event::ReadBack(false) => self.unreadable(),
            Event::Asked(request) => {
                let now = self.now();
                self.world.monitor.asked(self.configuration, &request, now);
                self.decide(Call::OnRequest(request));
                if request == Request::Hold && !self.world.host.undecided.is_empty() {
                    self.withdraw();
                }
            }
            Event::Settings => {
                self.world.other_settings = !self.world.other_settings;
                self.begins_afresh();
            }
            Event::Swap(who) => {
                (self.world.host.current, self.world.host.failures) = (who, 0);
                self.begins_afresh();
            }
            Event::Rendering(rendering) => self.world.rendering = rendering,
        }
    }

    fn now(&self) -> u64 {
        self.world.now
    }

    fn is_up(&self) -> bool {
        self.world.host.connection == Connection::Up
    }

    fn pass(&mut self) {
        if let Some(due) = self.world.due(self.configuration.quit_timeout) {
            self.world.now = due.max(self.world.now);
        }
    }

    fn late(&mut self, by: u64) {
        let due = self.world.host.wake_at.unwrap_or(self.world.now);
        self.world.now = due.max(self.world.now) + by;
        self.world.monitor.late(self.configuration, by);
    }

    fn begins_afresh(&mut self) {
        let now = self.now();
        self.world.monitor.begins_afresh(self.configuration, now);
        self.decide(Call::Tick);
    }

    // The line.

    fn connected(&mut self) {
        if self.desk.running.is_some() {
            self.world.monitor.sees(Sight::BackWhileSaving);
        }
        if self.desk.quit_claimed.is_some() {
            self.world.monitor.sees(Sight::BackAfterClaim);
        }
        self.withdraw();
        let host = &mut self.world.host;
        host.connection = Connection::Up;
        host.guard.connected();
        host.announced = false;
        host.undecided.clear();
        self.world.monitor.connected();
        self.decide(Call::OnConnect);
        if !self.world.host.undecided.is_empty() {
            self.world.host.state.phase = Phase::Connected;
        }
    }

    fn failed(&mut self, why: ConnectError) {
        self.world.now = fails_at(self.configuration, self.world, why).unwrap_or(self.world.now);
        self.world.host.connection = Connection::None;
        if !self.world.host.announced {
            self.announce();
        }
        self.world.monitor.failed();
        self.decide(Call::OnConnectError(why));
    }

    fn lost(&mut self) {
        let holds = self.world.now + QUIET;
        let due = self.world.host.wake_at.unwrap_or(holds);
        self.world.now = holds.min(due.max(self.world.now));
        self.world.losses += 1;
        self.world.surprises = 0;
        self.world.saves = 0;
        let now = self.now();
        self.world.host.connection = Connection::None;
        self.world.host.guard.lost(now);
        let decided = self.world.host.undecided.is_empty();
        self.world.monitor.lost(self.configuration, now, decided);
        self.world.monitor.sees(Sight::SecondOutage);
        self.announce();
        self.world.host.undecided.clear();
        self.decide(Call::OnDisconnect(Loss::TransportError));
    }

    fn announce(&mut self) {
        self.world.host.announced = true;
        self.world.host.outages += 1;
    }

    // Decisions.

    fn decide(&mut self, call: Call) {
        let mut again = !self.world.host.undecided.is_empty();
        if !again || !matches!(call, Call::Tick) {
            self.world.host.undecided.push_back(call);
        }
        while let Some(call) = self.world.host.undecided.pop_front() {
            let now = self.now();
            if let Call::OnRequest(request) = &call
                && !again
            {
                self.world.host.guard.requested(request, now);
            }
            again = false;
            match self.decision(&call, now) {
                Some(decision) => self.carry_out(decision, now),
                None => {
                    self.world.host.undecided.push_front(call);
                    self.world.host.wake_at = Some(now.saturating_add(RETRY_DECISION));
                    self.world.monitor.undecided(RETRY_DECISION);
                    break;
                }
            }
        }
    }

    fn decision(&mut self, call: &Call, now: u64) -> Option<Decision> {
        if let Some(late) = self.world.host.wake_at.and_then(|due| now.checked_sub(due))
            && late > LATE_AFTER
        {
            self.world.host.guard.slept(late);
        }
        let overdue = self.end_what_never_ends(now);
        let settings = &self.configuration.settings[usize::from(self.world.other_settings)];
        let moment = Moment {
            now,
            due: self.world.host.wake_at,
            entropy: self.step.entropy,
            settings: Some(settings.clone()),
            scene: self.configuration.adversary.renders.then_some(Scene {
                modified: false,
                untitled: false,
                rendering: self.world.rendering,
            }),
        };
        let (decision, by) = self.judge(call, &moment)?;
        let mut monitor = self.world.monitor.clone();
        let ruling = Ruling {
            before: &self.world.host.state,
            call,
            moment: &moment,
            decision: &decision,
            by,
            overdue,
        };
        monitor.follows(self.configuration, self.world, &ruling);
        self.world.monitor = monitor;
        Some(decision)
    }

    fn judge(&mut self, call: &Call, moment: &Moment) -> Verdict {
        let current = self.world.host.current;
        if self.world.host.failures < FAILURES {
            let trapped = self.step.trap != Trap::No;
            let (answer, by) = self.answer(current, call, moment);
            let checked = answer
                .filter(|_| !trapped)
                .filter(|decision| self.check(current, call, moment, decision).is_ok());
            if let Some(decision) = checked {
                return Some((decision, by));
            }
            self.world.host.failures += 1;
            self.world.monitor.dropped(&by, trapped);
            if current != Who::FiveMinutes {
                self.world.monitor.sees(Sight::FellBack);
            }
            if self.world.host.failures == FAILURES {
                self.world.monitor.sees(Sight::SetAside);
            }
        }
        let trapped = self.step.trap == Trap::BuiltInToo;
        let (answer, by) = self.answer(Who::FiveMinutes, call, moment);
        let checked = answer
            .filter(|_| !trapped)
            .filter(|it| self.check(Who::FiveMinutes, call, moment, it).is_ok());
        if checked.is_none() {
            self.world.monitor.dropped(&by, trapped);
        }
        checked.map(|decision| (decision, by))
    }

    fn answer(&self, who: Who, call: &Call, moment: &Moment) -> (Option<Decision>, By) {
        let state = &self.world.host.state;
        let settings = moment.settings.as_ref().and_then(|it| who.adapt(it));
        match settings {
            Some(settings) => {
                let decision = ask_machine(settings.clone(), call, state, moment);
                (Some(decision), By::Machine(Box::new(settings)))
            }
            None => {
                let answer = self.step.answer;
                let decision = answer.and_then(|it| hostile_answer(it, state, moment));
                (decision, By::Hostile)
            }
        }
    }

    fn check(
        &self,
        who: Who,
        call: &Call,
        moment: &Moment,
        decision: &Decision,
    ) -> Result<(), Violation> {
        let host = &self.world.host;
        host.guard.check(&host.state, call, moment, decision)?;
        if who != Who::FiveMinutes {
            let within = self.configuration.outage_limit;
            host.guard.check_end(moment, decision, within)?;
        }
        Ok(())
    }

    fn must_end(&self) -> Option<u64> {
        let host = &self.world.host;
        let foreign = host.failures < FAILURES && host.current != Who::FiveMinutes;
        let within = self.configuration.outage_limit;
        let end = host.guard.must_end(within);
        end.filter(|_| foreign && !host.guard.is_held())
    }

    fn end_what_never_ends(&mut self, now: u64) -> bool {
        let Some(outage) = outage_of(&self.world.host.state.phase).copied() else {
            return false;
        };
        let closing = matches!(self.world.host.state.phase, Phase::Quitting(_));
        if self.world.host.guard.is_held() || closing || self.desk.tickets.open().is_some() {
            return false;
        }
        if self.must_end().is_none_or(|end| now < end) {
            return false;
        }
        self.world.monitor.sees(Sight::OverdueSetAside);
        let settings = &self.configuration.settings[usize::from(self.world.other_settings)];
        let length = settings.cleanup_timeout;
        let host = &mut self.world.host;
        host.failures = FAILURES;
        host.state.phase = Phase::CountingDown(Countdown {
            outage,
            deadline: now.saturating_add(length),
            warned: length,
        });
        host.wake_at = None;
        true
    }

    fn carry_out(&mut self, decision: Decision, now: u64) {
        self.world.host.state = decision.state;
        let end = self.must_end();
        let end = end.map(|end| end.max(now.saturating_add(LOOK_AGAIN)));
        let floor = now.saturating_add(WAKE_FLOOR);
        let host = &mut self.world.host;
        host.wake_at = decision
            .wake_at
            .map(|at| end.map_or(at, |end| at.min(end)).max(floor));
        host.guard.entered(&host.state.phase);
        self.keep_tickets_to_the_phase();
        for action in decision.actions {
            match action {
                Action::Connect => self.world.host.connection = Connection::Trying(now),
                Action::Warn(_) => {}
                Action::Save(place) => {
                    self.world.host.guard.policy_saves();
                    self.world.monitor.save_asked();
                    if self.world.host.current == Who::Hostile {
                        self.world.saves = self.world.saves.saturating_add(1);
                    }
                    self.ask_to_save(place);
                }
                Action::Quit => self.want_quit(),
            }
        }
    }

    fn keep_tickets_to_the_phase(&mut self) {
        let phase = &self.world.host.state.phase;
        let quitting = matches!(phase, Phase::Quitting(_));
        let fits = match self.desk.tickets.open() {
            Some(Task::Save(place)) => {
                quitting || matches!(phase, Phase::Saving(saving) if saving.place == place)
            }
            Some(Task::Quit) => quitting,
            None => true,
        };
        if !fits || !quitting && self.world.host.end != End::No {
            self.withdraw();
        }
    }

    // Blender's end.

    fn withdraw(&mut self) {
        let host = &mut self.world.host;
        host.end = End::No;
        host.keeping = false;
        host.retry_at = None;
        host.retries = 0;
        host.saved_first = 0;
        self.desk.tickets.withdraw();
    }

    fn ask_to_save(&mut self, place: Place) {
        self.desk.issue(Task::Save(place));
        self.world.host.keeping = false;
    }

    fn want_quit(&mut self) {
        if self.world.host.end == End::No {
            self.world.host.end = End::Wanted;
        }
        self.proceed();
    }

    fn proceed(&mut self) {
        let now = self.now();
        match self.world.host.end {
            End::Wanted => self.proceed_to_quit(now),
            End::Asked { since }
                if self.world.host.guard.is_safe()
                    && now >= since.saturating_add(self.configuration.quit_timeout)
                    && self.desk.tickets.withdraw_unclaimed() =>
            {
                self.world.monitor.sees(Sight::EndedByHost);
                self.quit();
            }
            _ => {}
        }
    }

    fn proceed_to_quit(&mut self, now: u64) {
        if self.desk.tickets.open().is_some() {
            return;
        }
        let host = &mut self.world.host;
        if host.guard.is_safe() && host.keeping {
            return;
        }
        if host.guard.quit_from().is_some_and(|from| now >= from) {
            self.ask_to_quit();
        } else if !host.guard.is_safe() && host.retry_at.is_some_and(|at| now >= at) {
            host.retry_at = None;
            self.ask_to_save(Place::InPlace);
        }
    }

    fn ask_to_quit(&mut self) {
        let now = self.now();
        self.tell_monitor_of_quit(false);
        self.world.host.end = End::Asked { since: now };
        self.desk.issue(Task::Quit);
    }

    fn quit(&mut self) {
        self.tell_monitor_of_quit(true);
        self.world.host.end = End::Over;
    }

    fn tell_monitor_of_quit(&mut self, acts: bool) {
        let circumstances = QuitCircumstances {
            now: self.now(),
            connected: self.is_up(),
            save_open: matches!(self.desk.tickets.open(), Some(Task::Save(_))),
            acts,
        };
        let monitor = &mut self.world.monitor;
        monitor.quits(self.configuration, &circumstances);
    }

    /// The main thread asks whether to act, and does.
    fn claim(&mut self) {
        if self.desk.inbox.is_empty() {
            return;
        }
        let (ticket, task) = self.desk.inbox.remove(0);
        if !self.desk.tickets.claim(ticket) {
            self.world.monitor.sees(Sight::TicketRefused);
            return;
        }
        match task {
            Task::Save(_) => {
                self.desk.running = Some(ticket);
                let connected = self.is_up();
                self.world.monitor.save_begins(connected);
            }
            Task::Quit => self.desk.quit_claimed = Some(ticket),
        }
    }

    fn save_first(&mut self) {
        let (ticket, _) = self.desk.inbox.remove(0);
        if !self.desk.tickets.take_back(ticket, Task::Quit) {
            return;
        }
        self.world.host.end = End::Wanted;
        self.world.host.saved_first += 1;
        self.world.monitor.sees(Sight::SavedAgain);
        if self.world.host.saved_first <= SAVED_FIRST {
            self.ask_to_save(Place::InPlace);
        } else {
            self.ask_to_quit();
        }
    }

    fn claimed(&mut self) {
        let Some(ticket) = self.desk.quit_claimed.take() else {
            return;
        };
        if self.desk.tickets.claimed(ticket) == Some(Task::Quit) {
            self.quit();
        }
    }

    fn saved(&mut self, ok: bool) {
        let now = self.now();
        let Some(ticket) = self.desk.running.take() else {
            return;
        };
        let Some(Task::Save(place)) = self.desk.tickets.settle(ticket) else {
            return; // of a save that was withdrawn while it ran
        };
        let host = &mut self.world.host;
        host.guard.save_answered(ok, now);
        self.world.monitor.save_answered(place, ok, now);
        if ok {
            host.retry_at = None;
            host.keeping = true;
        } else {
            self.retry_later(now);
        }
        if matches!(self.world.host.state.phase, Phase::Quitting(_)) {
            self.proceed();
        } else {
            let answer = if ok { Ok(()) } else { Err("no".to_string()) };
            self.decide(Call::OnSaved(answer));
        }
    }

    fn retry_later(&mut self, now: u64) {
        let host = &mut self.world.host;
        let delay = RETRY
            .checked_shl(host.retries)
            .unwrap_or(RETRY_MAX)
            .min(RETRY_MAX);
        host.retries = host.retries.saturating_add(1);
        host.retry_at = Some(now.saturating_add(delay));
    }

    fn digested(&mut self) {
        let host = &mut self.world.host;
        host.retries = 0;
        host.guard.save_read_back();
        host.keeping = false;
        self.world.monitor.read_back();
        self.proceed();
    }

    fn unreadable(&mut self) {
        let now = self.now();
        self.world.host.keeping = false;
        if self.world.host.guard.is_safe() {
            self.world.host.guard.save_answered(false, now);
            self.world.monitor.on_disk(false, now);
            self.retry_later(now);
        }
        self.proceed();
    }
}

/// When the attempt under way fails, if it fails like this; None: something else comes before.
pub fn fails_at(configuration: &Configuration, world: &World, why: ConnectError) -> Option<u64> {
    let Connection::Trying(begun) = world.host.connection else {
        return None;
    };
    let settings = &configuration.settings[usize::from(world.other_settings)];
    let takes = match why {
        ConnectError::Unreachable | ConnectError::Refused => QUICK,
        ConnectError::TimedOut => settings.connect_timeout,
    };
    let at = world.now.max(begun.saturating_add(takes));
    let due = world.due(configuration.quit_timeout);
    (at == world.now || due.is_none_or(|due| at <= due)).then_some(at)
}
