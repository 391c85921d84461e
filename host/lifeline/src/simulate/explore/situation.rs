//! One client in one situation: what can happen to it, and what follows.

use super::Setup;
use super::property::Property;
use super::step::{Answer, ENTROPIES, Event, Step, Weather};
use crate::contract::{
    Action, Attempt, ConnectError, Decision, Loss, Moment, Phase, Place, Request, Scene,
};
use crate::simulate::{Client, wave};
use crate::{Call, Decide};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How long a line holds, or a policy that asks for nothing is left alone (milliseconds).
const QUIET: u64 = 60_000;
/// A busy machine is late by this much (milliseconds).
const SLIGHTLY_LATE: u64 = 500;
/// The process was stopped, or the computer slept, for this long (milliseconds).
const VERY_LATE: u64 = 3_600_000;
/// While Blender is held, saves, or closes, this many calls are looked at.
const PATIENCE: u8 = 4;
/// Attempts beyond this many are one to the search (and not to the policy).
const ATTEMPTS: u32 = 16;
/// A policy that is called this often at one instant runs in a circle.
const AT_ONE_INSTANT: u8 = 50;
/// Beside the countdown of the settings, an outage that nobody holds must end within this long
/// (milliseconds): what `CR8_OUTAGE_LIMIT` is unless set.
const OUTAGE_LIMIT: u64 = 86_400_000;
/// A countdown longer than any setting (milliseconds).
const WITHOUT_END: u64 = 30 * 86_400_000;

/// Something that can happen.
#[derive(Clone, Copy)]
pub(super) struct Next {
    pub step: Step,
    pub weather: Weather,
    /// Not what happens to most outages; their number is bounded.
    pub surprise: bool,
    /// A person, a stopped process, a busy Blender: the end of the outage is not the policy's alone.
    pub disturbs: bool,
}

/// A rule that was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub property: Property,
    pub why: String,
}

/// A call, for the trace.
pub(super) struct Called {
    pub call: Call,
    pub moment: Moment,
    pub answer: Result<Decision, String>,
}

#[derive(Clone)]
pub(super) struct Situation {
    pub client: Client,
    pub now: u64,
    pub weather: Weather,
    /// Nothing has disturbed this outage.
    pub clean: bool,
    /// Calls in this outage.
    pub calls: u32,
    /// An attempt was begun then, and nothing was heard of it.
    connecting: Option<u64>,
    /// A save was asked for, and is not answered.
    saving: Option<Place>,
    /// How the last save of this outage ended.
    saved: Option<(Place, bool)>,
    rendering: bool,
    /// Calls while Blender is held, saves, or closes.
    waited: u8,
    /// Further calls at this instant.
    repeated: u8,
}

impl Situation {
    pub fn new(setup: &Setup, weather: Weather) -> Self {
        Situation {
            client: Client::new(setup.floor, setup.unsaved_wait, setup.start),
            now: setup.start,
            weather,
            clean: true,
            calls: 0,
            connecting: None,
            saving: None,
            saved: None,
            rendering: false,
            waited: 0,
            repeated: 0,
        }
    }

    /// Time since the loss.
    pub fn lost_for(&self) -> Option<u64> {
        let lost_at = self.client.guard.lost_at()?;
        Some(self.now.saturating_sub(lost_at))
    }

    pub fn phase(&self) -> &Phase {
        &self.client.state().phase
    }

    /// Everything that the future depends on, with all instants relative to now.
    pub fn key(&self) -> u128 {
        let half = |salt: u64| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            self.hash_relative(&mut hasher);
            u128::from(hasher.finish())
        };
        half(1) << 64 | half(2)
    }

    fn hash_relative(&self, hasher: &mut impl Hasher) {
        let since = |at: u64| at.wrapping_sub(self.now);
        let state = self.client.state();
        std::mem::discriminant(&state.phase).hash(hasher);
        match &state.phase {
            Phase::Connected => {}
            Phase::CountingDown(countdown) => {
                (since(countdown.deadline), countdown.warned).hash(hasher);
            }
            Phase::Saving(saving) => (saving.place as u8, since(saving.since)).hash(hasher),
            Phase::Reconnecting(_) | Phase::Quitting(_) | Phase::Held(_) => {}
        }
        if let Some(outage) = state.phase.outage() {
            let (begun, at) = match outage.attempt {
                Attempt::Due(at) => (false, at),
                Attempt::UnderWay(until) => (true, until),
            };
            (since(outage.lost_at), outage.why as u8).hash(hasher);
            (outage.attempts.min(ATTEMPTS), begun, since(at)).hash(hasher);
            outage.extended.hash(hasher);
        }
        (since(state.seen), &state.memo).hash(hasher);
        let guard = &self.client.guard;
        (guard.lost_at().map(since), guard.is_safe()).hash(hasher);
        (guard.quit_from().map(since)).hash(hasher);
        guard.is_held().hash(hasher);
        self.client.wake_at().map(since).hash(hasher);
        self.connecting.map(since).hash(hasher);
        self.saving.map(|place| place as u8).hash(hasher);
        self.saved.map(|(place, ok)| (place as u8, ok)).hash(hasher);
        self.rendering.hash(hasher);
        // While connected the outage to come is open.
        if !guard.is_connected() {
            (self.weather, self.clean).hash(hasher);
            (self.waited, self.repeated).hash(hasher);
        }
    }

    /// Everything that can happen next.
    pub fn next(&self, setup: &Setup) -> Vec<Next> {
        let mut found = Vec::new();
        if self.client.guard.is_connected() {
            self.next_connected(setup, &mut found);
        } else {
            self.next_course(setup, &mut found);
            self.next_surprises(setup, &mut found);
        }
        found
    }

    fn plain(&self, at: u64, event: Event, weather: Weather) -> Next {
        Next {
            step: Step {
                at,
                event,
                entropy: weather.entropy,
            },
            weather,
            surprise: false,
            disturbs: false,
        }
    }

    fn surprise(&self, at: u64, event: Event) -> Next {
        Next {
            surprise: true,
            ..self.plain(at, event, self.weather)
        }
    }

    fn disturbance(&self, at: u64, event: Event) -> Next {
        Next {
            disturbs: true,
            ..self.surprise(at, event)
        }
    }

    fn next_connected(&self, setup: &Setup, found: &mut Vec<Next>) {
        let later = self.now.saturating_add(QUIET);
        for why in [
            Loss::TransportError,
            Loss::PingTimeout,
            Loss::ServerDisconnect,
        ] {
            let lost = |weather| self.plain(later, Event::Lost(why), weather);
            found.extend(Weather::after(why).map(lost));
        }
        // As after a swap of policies.
        found.push(self.surprise(later, Event::Tick));
        found.extend(requests(setup).map(|request| self.surprise(later, Event::Request(request))));
    }

    /// The server stays away, nobody interferes, and the machine keeps time.
    fn next_course(&self, setup: &Setup, found: &mut Vec<Next>) {
        if self.saving.is_some() {
            for ok in [true, false] {
                found.push(self.plain(self.now, Event::Saved { ok }, self.weather));
            }
            if self.waited == 0 {
                return; // a busy Blender is a surprise
            }
        }
        if self.rendering {
            found.push(self.plain(self.now, Event::Rendering(false), self.weather));
        }
        if self.waited < PATIENCE
            && let Some((at, event)) = self.course(setup, self.weather.answer)
        {
            found.push(self.plain(at, event, self.weather));
        }
    }

    /// What comes next of itself, if attempts are answered so.
    fn course(&self, setup: &Setup, answer: Answer) -> Option<(u64, Event)> {
        let tick = self.client.wake_at().map(|at| (at, Event::Tick));
        let Some(since) = self.connecting else {
            return tick;
        };
        let failed = match answer {
            Answer::Unreachable => (self.now, Event::Failed(ConnectError::Unreachable)),
            Answer::Refused => (self.now, Event::Failed(ConnectError::Refused)),
            Answer::TimesOut => {
                let at = since.saturating_add(setup.connect_timeout());
                (at.max(self.now), Event::Failed(ConnectError::TimedOut))
            }
            Answer::Late => {
                let at = since.saturating_add(setup.connect_timeout());
                let late = at.saturating_add(SLIGHTLY_LATE).max(self.now);
                (late, Event::Failed(ConnectError::TimedOut))
            }
        };
        match tick {
            // The line first, as in the driver.
            Some((at, _)) if at < failed.0 => tick,
            _ => Some(failed),
        }
    }

    fn next_surprises(&self, setup: &Setup, found: &mut Vec<Next>) {
        let wake = self.client.wake_at();
        let now = self.now;
        let between = match wake {
            Some(wake) => now.saturating_add(wake.saturating_sub(now) / 2),
            None => now.saturating_add(QUIET),
        };
        if between > now {
            found.push(self.surprise(between, Event::Tick));
        }
        let course = self.course(setup, self.weather.answer);
        if let Some((at, Event::Tick)) = course {
            found.push(self.disturbance(at.saturating_add(SLIGHTLY_LATE), Event::Tick));
        }
        if let Some((at, event @ Event::Failed(_))) = course {
            found.push(self.disturbance(at.saturating_add(VERY_LATE), event));
        }
        if let Some(wake) = wake {
            found.push(self.disturbance(wake.saturating_add(VERY_LATE), Event::Tick));
        }
        if self.connecting.is_some() {
            self.next_answers(setup, between, found);
        }
        found.extend(requests(setup).map(|it| self.disturbance(between, Event::Request(it))));
        if !self.rendering {
            found.push(self.disturbance(now, Event::Rendering(true)));
        }
        if self.saving.is_some()
            && self.waited == 0
            && let Some((at, event)) = course
        {
            found.push(self.disturbance(at, event));
        }
    }

    /// Of the attempt under way: the server is back, or it fails in another way.
    fn next_answers(&self, setup: &Setup, between: u64, found: &mut Vec<Next>) {
        // To be accepted at once is what most Blenders live to see at their start.
        let first = self.calls == 1 && self.client.state().seen == setup.start;
        found.push(Next {
            surprise: !first,
            ..self.plain(self.now, Event::Accepted, self.weather)
        });
        if between > self.now {
            found.push(self.surprise(between, Event::Accepted));
        }
        // This attempt, for once, fares differently.
        for answer in Answer::ALL {
            if answer != self.weather.answer
                && let Some((at, event @ Event::Failed(_))) = self.course(setup, answer)
            {
                found.push(self.surprise(at, event));
            }
        }
        if let Some((at, event @ Event::Failed(_))) = self.course(setup, self.weather.answer) {
            for entropy in ENTROPIES {
                if entropy != self.weather.entropy {
                    let mut next = self.surprise(at, event);
                    next.step.entropy = entropy;
                    found.push(next);
                }
            }
        }
    }

    /// Lets it happen. What was called comes with it, for the trace.
    pub fn apply<P: Decide + ?Sized>(
        &mut self,
        policy: &P,
        setup: &Setup,
        next: &Next,
    ) -> (Option<Called>, Result<Vec<Action>, Fault>) {
        let Step { at, event, entropy } = next.step;
        self.weather = next.weather;
        // A save that is not answered at once is Blender's delay, not the policy's.
        self.clean &= !next.disturbs && (self.saving.is_none() || at == self.now);
        let call = match event {
            Event::Start => Call::Start,
            Event::Tick => Call::Tick,
            Event::Accepted => {
                self.client.guard.connected();
                (self.connecting, self.saving, self.saved) = (None, None, None);
                Call::OnConnect
            }
            Event::Failed(why) => {
                self.connecting = None;
                Call::OnConnectError(why)
            }
            Event::Lost(why) => {
                self.client.guard.lost(at);
                (self.clean, self.calls) = (true, 0);
                Call::OnDisconnect(why)
            }
            Event::Saved { ok } => {
                self.client.guard.save_answered(ok, at);
                self.saved = self.saving.take().map(|place| (place, ok));
                Call::OnSaved(if ok { Ok(()) } else { Err("disk full".into()) })
            }
            Event::Request(request) => {
                self.client.guard.requested(&request, at);
                Call::OnRequest(request)
            }
            Event::Rendering(rendering) => {
                self.rendering = rendering;
                return (None, Ok(Vec::new()));
            }
        };
        self.repeated = if at == self.now && self.calls > 0 {
            self.repeated.saturating_add(1)
        } else {
            0
        };
        self.now = at;
        self.calls += 1;
        let (called, decision) = self.call(policy, setup, call, entropy);
        let taken = decision.map(|decision| self.take(decision));
        let outcome = taken.and_then(|actions| match self.repeated {
            AT_ONE_INSTANT.. => Err(Fault {
                property: Property::Ends,
                why: format!(
                    "it runs in a circle: {} calls at one instant",
                    self.repeated
                ),
            }),
            _ => Ok(actions),
        });
        (Some(called), outcome)
    }

    fn call<P: Decide + ?Sized>(
        &self,
        policy: &P,
        setup: &Setup,
        call: Call,
        entropy: Option<u64>,
    ) -> (Called, Result<Decision, Fault>) {
        let scene = (setup.scene_known || self.rendering).then_some(Scene {
            modified: true,
            untitled: false,
            rendering: self.rendering,
        });
        let settings = setup.settings.clone();
        let moment = self.client.moment(self.now, entropy, settings, scene);
        let state = self.client.state();
        let (first, second) = (
            policy.decide(&call, state, &moment),
            policy.decide(&call, state, &moment),
        );
        let answer = first.clone();
        let outcome = match (first, second) {
            (Ok(first), Ok(second)) if first != second => Err(Fault {
                property: Property::Deterministic,
                why: format!("asked again it answered {}", wave::decision(&second)),
            }),
            (Ok(decision), Ok(_)) => self.judge(&call, &moment, decision),
            (Err(error), _) | (_, Err(error)) => Err(Fault {
                property: Property::Limits,
                why: error,
            }),
        };
        let called = Called {
            call,
            moment,
            answer,
        };
        (called, outcome)
    }

    fn judge(&self, call: &Call, moment: &Moment, decision: Decision) -> Result<Decision, Fault> {
        let fault = |property, why: &str| {
            Err(Fault {
                property,
                why: why.into(),
            })
        };
        let guard = &self.client.guard;
        let quits = decision.actions.contains(&Action::Quit);
        if quits && !guard.is_connected() && guard.quit_from().is_none() {
            return fault(
                Property::SaveBeforeQuit,
                "it asked to quit before a save was answered",
            );
        }
        let reconnecting = matches!(call, Call::OnConnect);
        let state = self.client.state();
        if let Err(violation) = guard.check(state, call, moment, &decision) {
            return Err(Fault {
                property: Property::of_violation(&violation, reconnecting),
                why: violation.to_string(),
            });
        }
        // As the host does with a policy that is not its own.
        let countdown = moment.settings.as_ref().map_or(0, |it| it.cleanup_timeout);
        let within = OUTAGE_LIMIT.saturating_add(countdown);
        if let Err(violation) = guard.check_end(moment, &decision, within) {
            return fault(Property::Ends, &violation.to_string());
        }
        if quits && self.saved == Some((Place::InPlace, false)) {
            return fault(
                Property::SaveBeforeQuit,
                "the save in place has failed, and no recovery copy was asked for",
            );
        }
        if reconnecting && decision.wake_at.is_some() {
            return fault(
                Property::Reconnects,
                "it asks to be woken although nothing is pending",
            );
        }
        Ok(decision)
    }

    fn take(&mut self, decision: Decision) -> Vec<Action> {
        let waited = self.waits();
        let actions = self.client.follow(decision, self.now);
        for action in &actions {
            match action {
                Action::Connect => self.connecting = Some(self.now),
                Action::Save(place) => (self.saving, self.saved) = (Some(*place), None),
                Action::Warn(_) | Action::Quit => {}
            }
        }
        let phase = &self.client.state().phase;
        // A plan that has changed withdraws the save.
        if !matches!(phase, Phase::Saving(saving) if self.saving == Some(saving.place)) {
            self.saving = None;
        }
        // The guard has forgotten an answer that got old.
        if self.client.guard.quit_from().is_none() {
            self.saved = None;
        }
        let asked = actions.iter().any(|it| matches!(it, Action::Save(_)));
        self.waited = if waited && self.waits() && !asked {
            self.waited.saturating_add(1)
        } else {
            0
        };
        actions
    }

    /// Milliseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// It is somebody else's turn: a person's, or Blender's. A countdown without end is a hold.
    fn waits(&self) -> bool {
        match self.phase() {
            Phase::Held(_) | Phase::Quitting(_) => true,
            Phase::CountingDown(countdown) => {
                countdown.deadline.saturating_sub(self.now) > WITHOUT_END
            }
            _ => self.saving.is_some(),
        }
    }
}

/// What people ask for: a countdown longer by half, and one without end, among the rest.
fn requests(setup: &Setup) -> impl Iterator<Item = Request> {
    [
        Request::Hold,
        Request::Release,
        Request::CloseNow,
        Request::Extend(setup.cleanup_timeout() / 2 + 1_000),
        Request::Extend(u64::MAX),
    ]
    .into_iter()
}
