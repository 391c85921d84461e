//! One client in one situation, and what follows from what happens to it.

use super::Setup;
use super::next::Next;
use super::step::{Event, Step, Weather};
use super::verdict::{Breach, Called, verdict};
use crate::client::{Answers, Client, save_outcome};
use lifeline_contract::types::{Action, Decision, Moment, Phase, Place, Scene, State};
use lifeline_contract::{Call, Decide};
use lifeline_core::{Before, Connection, Core, End, Input, Limits, Origin, Output, Question, Who};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A countdown longer than any setting (milliseconds).
const WITHOUT_END: u64 = 30 * 86_400_000;
/// No past is long enough to be forgotten, for nobody knows what a policy goes by; but attempts beyond
/// this many are one to the search (and not to the policy).
const LIMITS: Limits = Limits {
    horizon: u64::MAX,
    attempts: 16,
    short: true,
};

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
    pub connecting: Option<u64>,
    /// How the last save of this outage ended.
    pub saved: Option<(Place, bool)>,
    pub rendering: bool,
    /// Steps while Blender is held, saves, or closes.
    pub waited: u8,
    /// Further steps at this instant.
    pub repeated: u8,
}

impl Situation {
    pub fn new(setup: &Setup, weather: Weather) -> Self {
        Situation {
            client: Client::new(setup.config(), setup.start),
            now: setup.start,
            weather,
            clean: true,
            calls: 0,
            connecting: None,
            saved: None,
            rendering: false,
            waited: 0,
            repeated: 0,
        }
    }

    /// The host.
    pub fn core(&self) -> &Core {
        self.client.core()
    }

    /// Time since the loss.
    pub fn lost_for(&self) -> Option<u64> {
        let lost_at = self.core().guard().lost_at()?;
        Some(self.now.saturating_sub(lost_at))
    }

    pub fn phase(&self) -> &Phase {
        &self.core().state().phase
    }

    /// Blender has ended.
    pub fn has_ended(&self) -> bool {
        self.core().end() == End::Told
    }

    /// What the policy goes by and is judged by next, with all instants relative to now.
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
        let since = |at: u64| LIMITS.relative(self.now, at);
        let (core, guard) = (self.core(), self.core().guard());
        LIMITS.hash_state(self.now, core.state(), hasher);
        // What a policy may go by, and no machine does.
        let State { phase, seen, memo } = core.state();
        (since(*seen), memo).hash(hasher);
        if let Phase::Saving(saving) = phase {
            since(saving.since).hash(hasher);
        }
        (guard.lost_at().map(since), guard.quit_from().map(since)).hash(hasher);
        (guard.is_safe(), guard.is_held()).hash(hasher);
        (core.tick_due().map(since), core.end_due().map(since)).hash(hasher);
        core.open_ticket().map(|open| open.task).hash(hasher);
        self.connecting.map(since).hash(hasher);
        (self.saved, self.rendering).hash(hasher);
        // While connected the outage to come is open.
        if !guard.is_connected() {
            (self.weather, self.clean).hash(hasher);
            (self.waited, self.repeated).hash(hasher);
        }
    }

    /// Lets it happen. What was called comes with it, for the trace.
    pub fn apply<P: Decide + ?Sized>(
        &mut self,
        policy: &P,
        setup: &Setup,
        next: &Next,
    ) -> (Option<Called>, Result<Vec<Action>, Breach>) {
        let Step { at, event, entropy } = next.step;
        self.weather = next.weather;
        let saving = self.client.saving();
        // A save that is not answered at once is Blender's delay, not the policy's.
        self.clean &= !next.disturbs && (saving.is_none() || at == self.now);
        if let Event::Lost(_) = event {
            (self.clean, self.calls) = (true, 0);
        }
        let again = at == self.now && self.calls > 0;
        self.now = at;
        let waited = self.waits();
        let mut asked = Asked {
            policy,
            setup,
            entropy,
            called: None,
        };
        let outputs = self.hand(setup, event, &mut asked);
        let called = asked.called;
        if let Event::Rendering(_) = event {
            return (None, Ok(Vec::new()));
        }
        self.repeated = if again {
            self.repeated.saturating_add(1)
        } else {
            0
        };
        self.calls += u32::from(called.is_some());
        self.follow(&outputs);
        let outcome = verdict(self, setup, called.as_ref(), &outputs);
        let actions = outcome.as_deref().unwrap_or_default();
        let asks = actions.iter().any(|it| matches!(it, Action::Save(_)));
        if asks || self.core().guard().quit_from().is_none() {
            // The guard has forgotten an answer that got old.
            self.saved = None;
        }
        let answered = |it: &Called| matches!(it.call, Call::OnSaved(_));
        let goes_on = asks || called.as_ref().is_some_and(answered);
        self.waited = if waited && self.waits() && !goes_on {
            self.waited.saturating_add(1)
        } else {
            0
        };
        (called, outcome)
    }

    /// Tells the host of it.
    fn hand(&mut self, setup: &Setup, event: Event, answers: &mut dyn Answers) -> Vec<Output> {
        let now = self.now;
        let client = &mut self.client;
        let input = match event {
            Event::Start => {
                client.happens(now, Input::Policy(Origin::Other), answers);
                if setup.scene_known {
                    client.happens(now, Input::Scene(scene(false)), answers);
                }
                Input::Start(Before::default())
            }
            Event::Due => Input::Time,
            Event::Reloaded => Input::Policy(Origin::Other),
            Event::Accepted => {
                (self.connecting, self.saved) = (None, None);
                client.of_attempt(Connection::Accepted)
            }
            Event::Failed(why) => {
                self.connecting = None;
                client.of_attempt(Connection::Failed(why, String::new()))
            }
            Event::Lost(why) => client.of_attempt(Connection::Lost(why, String::new())),
            Event::Saved { ok } => {
                let Some((ticket, place)) = client.saving() else {
                    return Vec::new();
                };
                self.saved = Some((place, ok));
                client.happens(now, Input::Claimed(ticket), answers);
                Input::Saved(ticket, save_outcome(place, (!ok).then_some("disk full")))
            }
            Event::Request(request) => Input::Request(request, String::new()),
            Event::Rendering(rendering) => {
                self.rendering = rendering;
                Input::Scene(scene(rendering))
            }
        };
        client.happens(now, input, answers)
    }

    fn follow(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Connect(_) => self.connecting = Some(self.now),
                Output::Disconnect => self.connecting = None,
                _ => {}
            }
        }
    }

    /// It is somebody else's turn: a person's, or Blender's. A countdown without end is a hold.
    fn waits(&self) -> bool {
        match self.phase() {
            Phase::Held(_) | Phase::Quitting(_) => true,
            Phase::CountingDown(countdown) => {
                countdown.deadline.saturating_sub(self.now) > WITHOUT_END
            }
            _ => self.client.saving().is_some(),
        }
    }
}

fn scene(rendering: bool) -> Scene {
    Scene {
        modified: true,
        untitled: false,
        rendering,
    }
}

/// The policy that is explored. In place of an answer that was dropped there is none: the search ends
/// there.
struct Asked<'a, P: ?Sized> {
    policy: &'a P,
    setup: &'a Setup,
    entropy: Option<u64>,
    called: Option<Called>,
}

impl<P: Decide + ?Sized> Answers for Asked<'_, P> {
    fn decide(&mut self, question: &Question) -> Result<Decision, String> {
        let Question {
            who: Who::Current,
            call,
            state,
            moment,
        } = *question
        else {
            return Err("it is not asked".into());
        };
        // The host tells everything; another one may not.
        let moment = Moment {
            settings: self.setup.settings.clone(),
            cut_off: self.setup.cut_off,
            ..moment.clone()
        };
        let (first, second) = (
            self.policy.decide(call, state, &moment),
            self.policy.decide(call, state, &moment),
        );
        let answer = first.clone();
        let again = second
            .clone()
            .ok()
            .filter(|again| first.as_ref() != Ok(again));
        self.called = Some(Called {
            call: call.clone(),
            state: state.clone(),
            moment,
            answer,
            again: again.filter(|_| first.is_ok()),
        });
        second.and(first)
    }

    fn entropy(&mut self) -> Option<u64> {
        self.entropy
    }
}
