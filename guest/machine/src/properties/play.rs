//! A play: a host that calls the machine, turn by turn.

use crate::contract::{
    Attempt, ConnectError, Decision, Duration, Instant, Loss, Moment, Phase, Request, Scene,
    Settings, State,
};
use crate::reference::Event;
use crate::{on_connect, on_connect_error, on_disconnect, on_request, on_saved, start, tick};
use alloc::string::ToString;
use alloc::vec::Vec;

/// When a call comes.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// In the same millisecond as the last one.
    AtOnce,
    /// This many thousandths of the way to when it is due.
    Early(u64),
    OnTime,
    /// So much after it was due.
    Late(Duration),
    /// So much after the last call, whatever is due.
    After(Duration),
}

/// What comes next in a play.
#[derive(Clone, Debug)]
pub enum Turn {
    /// What is waited for: the answer to a save or to an attempt, a release, or the time that was
    /// asked for; when all is well, a loss.
    AsExpected {
        good: bool,
        entropy: Option<u64>,
    },
    /// Anything, at any time. `due`: the machine is told when it had asked to be called.
    Call {
        event: Event,
        when: When,
        entropy: Option<u64>,
        due: bool,
    },
    Settings(Option<Settings>),
    /// Whether a render runs, if that is known.
    Scene(Option<bool>),
}

/// What the host knows.
#[derive(Clone, Debug)]
pub struct Host {
    pub now: Instant,
    pub state: State,
    pub wake_at: Option<Instant>,
    pub settings: Option<Settings>,
    pub rendering: Option<bool>,
}

impl Host {
    pub fn connected(now: Instant, settings: Option<Settings>, memo: Vec<u8>) -> Self {
        Host {
            now,
            state: State {
                phase: Phase::Connected,
                seen: now,
                memo,
            },
            wake_at: None,
            settings,
            rendering: None,
        }
    }

    /// The call that this turn makes, if it makes one. Time passes until then.
    pub fn next_call(&mut self, turn: &Turn) -> Option<(Event, Moment)> {
        match turn {
            Turn::Settings(settings) => {
                self.settings = settings.clone();
                None
            }
            Turn::Scene(rendering) => {
                self.rendering = *rendering;
                None
            }
            Turn::AsExpected { good, entropy } => {
                let (event, when) = self.expected(*good);
                Some((event, self.moment(when, *entropy, true)))
            }
            Turn::Call {
                event,
                when,
                entropy,
                due,
            } => Some((*event, self.moment(*when, *entropy, *due))),
        }
    }

    /// The server stays away.
    fn expected(&self, good: bool) -> (Event, When) {
        match &self.state.phase {
            Phase::Connected => (Event::Lost(Loss::TransportError), When::AtOnce),
            Phase::Saving(_) => (Event::Saved(good), When::AtOnce),
            Phase::Held(_) if !good => (Event::Asked(Request::Release), When::AtOnce),
            phase => match attempt(phase) {
                Some(Attempt::UnderWay(_)) if good => {
                    (Event::Failed(ConnectError::Unreachable), When::AtOnce)
                }
                _ => (Event::Tick, When::OnTime),
            },
        }
    }

    pub fn moment(&mut self, when: When, entropy: Option<u64>, due: bool) -> Moment {
        let wait = self.wake_at.map_or(0, |at| at.saturating_sub(self.now));
        let passed = match when {
            When::AtOnce => 0,
            When::Early(thousandths) => wait / 1_000 * thousandths,
            When::OnTime => wait,
            When::Late(by) => wait.saturating_add(by),
            When::After(time) => time,
        };
        self.now = self.now.saturating_add(passed);
        Moment {
            now: self.now,
            due: self.wake_at.filter(|_| due),
            entropy,
            settings: self.settings.clone(),
            scene: self.rendering.map(|rendering| Scene {
                modified: true,
                untitled: false,
                rendering,
            }),
            cut_off: None,
        }
    }

    pub fn take(&mut self, decision: &Decision) {
        self.state = decision.state.clone();
        self.wake_at = decision.wake_at;
    }
}

/// The machine, called.
pub fn decide(event: Event, state: &State, moment: &Moment) -> Decision {
    let (state, moment) = (state.clone(), moment.clone());
    match event {
        Event::Start => start(moment),
        Event::Connected => on_connect(state, moment),
        Event::Failed(why) => on_connect_error(state, moment, why),
        Event::Lost(why) => on_disconnect(state, moment, why),
        Event::Saved(true) => on_saved(state, moment, Ok(())),
        Event::Saved(false) => on_saved(state, moment, Err("disk full".to_string())),
        Event::Asked(request) => on_request(state, moment, request),
        Event::Tick => tick(state, moment),
    }
}

fn attempt(phase: &Phase) -> Option<Attempt> {
    phase.outage().map(|outage| outage.attempt)
}
