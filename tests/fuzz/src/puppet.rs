//! A policy that answers anything, and a witness of what the host lets through.

use crate::course::Course;
use crate::value;
use arbitrary::{Arbitrary, Result, Unstructured};
use lifeline::Call;
use lifeline::contract::{
    Action, Attempt, Countdown, Decision, Moment, Outage, Phase, Place, Request, Saving, State,
};
use lifeline_machine::Machine;

/// What the puppet says to one call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// What the default policy says.
    Right,
    /// The same, wrong in a few places.
    Wrong(Vec<Wrong>),
    /// Nothing that has to do with the call.
    Anything(Box<Decision>),
    /// It traps.
    Nothing,
}

/// One wrong thing. Instants are relative to now.
#[derive(Clone, Copy, Debug)]
pub enum Wrong {
    /// Another phase, about the same outage.
    Phase(Kind),
    /// One more action.
    Adds(Action),
    /// No actions.
    Drops,
    /// Its wake-up.
    Wakes(Option<u64>),
    /// The deadline of its countdown.
    Deadline(u64),
    /// Not this call's instant.
    Seen(u64),
    /// So much memo.
    Memo(u16),
}

/// A phase without its contents.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // the contract's names
pub enum Kind {
    Connected,
    Reconnecting,
    CountingDown,
    Saving,
    SavingCopy,
    Quitting,
    Held,
}

impl<'a> Arbitrary<'a> for Kind {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(*u.choose(&[
            Kind::Connected,
            Kind::Reconnecting,
            Kind::CountingDown,
            Kind::Saving,
            Kind::SavingCopy,
            Kind::Quitting,
            Kind::Held,
        ])?)
    }
}

impl<'a> Arbitrary<'a> for Answer {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=9)? {
            0..=3 => Answer::Right,
            4..=7 => Answer::Wrong(u.arbitrary()?),
            8 => Answer::Nothing,
            _ => Answer::Anything(Box::new(Decision {
                state: value::state(u)?,
                actions: (0..u.int_in_range(0..=20)?)
                    .map(|_| value::action(u))
                    .collect::<Result<_>>()?,
                wake_at: value::option(u, value::millis)?,
            })),
        })
    }
}

impl<'a> Arbitrary<'a> for Wrong {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=9)? {
            0..=3 => Wrong::Phase(u.arbitrary()?),
            4 | 5 => Wrong::Adds(value::action(u)?),
            6 => Wrong::Drops,
            7 => Wrong::Wakes(value::option(u, value::millis)?),
            8 => Wrong::Deadline(value::millis(u)?),
            _ if u.arbitrary()? => Wrong::Seen(value::millis(u)?),
            _ => Wrong::Memo(u.arbitrary()?),
        })
    }
}

impl Answer {
    /// The answer itself.
    pub fn give(
        &self,
        call: &Call,
        state: &State,
        moment: &Moment,
    ) -> std::result::Result<Decision, String> {
        match self {
            Answer::Right => Ok(call.of::<Machine<()>>(state, moment)),
            Answer::Wrong(faults) => {
                let right = call.of::<Machine<()>>(state, moment);
                Ok(faults.iter().fold(right, |decision, fault| {
                    fault.apply(decision, state, moment)
                }))
            }
            Answer::Anything(decision) => Ok((**decision).clone()),
            Answer::Nothing => Err("it trapped: unreachable".into()),
        }
    }
}

impl Wrong {
    fn apply(self, mut decision: Decision, state: &State, moment: &Moment) -> Decision {
        let now = moment.now;
        match self {
            Wrong::Phase(kind) => {
                let outage = decision
                    .state
                    .phase
                    .outage()
                    .or(state.phase.outage())
                    .copied();
                decision.state.phase = kind.phase(outage, now);
            }
            Wrong::Adds(action) => decision.actions.push(action),
            Wrong::Drops => decision.actions.clear(),
            Wrong::Wakes(after) => {
                decision.wake_at = after.map(|after| now.saturating_add(after));
            }
            Wrong::Deadline(after) => {
                if let Phase::CountingDown(countdown) = &mut decision.state.phase {
                    countdown.deadline = now.saturating_add(after);
                }
            }
            Wrong::Seen(at) => decision.state.seen = at,
            Wrong::Memo(length) => decision.state.memo = vec![0; length.into()],
        }
        decision
    }
}

impl Kind {
    fn phase(self, outage: Option<Outage>, now: u64) -> Phase {
        let outage = outage.unwrap_or(Outage {
            lost_at: now,
            why: lifeline::contract::Loss::TransportError,
            attempts: 0,
            attempt: Attempt::Due(now),
            extended: 0,
        });
        let saving = |place| {
            Phase::Saving(Saving {
                outage,
                place,
                since: now,
            })
        };
        match self {
            Kind::Connected => Phase::Connected,
            Kind::Reconnecting => Phase::Reconnecting(outage),
            Kind::CountingDown => Phase::CountingDown(Countdown {
                outage,
                deadline: now,
                warned: 0,
            }),
            Kind::Saving => saving(Place::InPlace),
            Kind::SavingCopy => saving(Place::Recovery),
            Kind::Quitting => Phase::Quitting(outage),
            Kind::Held => Phase::Held(outage),
        }
    }
}

/// A course, and what the puppet says on it; what it has no answer for it answers rightly.
#[derive(Debug)]
pub struct Play {
    /// What happens.
    pub course: Course,
    /// One for each call.
    pub answers: Vec<Answer>,
    /// Milliseconds after a loss in which nothing quits.
    pub floor: u16,
    /// Milliseconds after a failed save in which nothing quits.
    pub unsaved_wait: u16,
    /// Milliseconds in which an outage must end.
    pub outage_limit: u32,
}

impl<'a> Arbitrary<'a> for Play {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Play {
            floor: u.arbitrary()?,
            unsaved_wait: u.arbitrary()?,
            outage_limit: u.arbitrary()?,
            answers: u.arbitrary()?,
            course: u.arbitrary()?,
        })
    }
}

/// A record of the line and of the saves that has nothing to do with the guard's.
#[derive(Clone, Debug)]
pub struct Witness {
    floor: u64,
    unsaved_wait: u64,
    connected: bool,
    lost_at: u64,
    /// Of the last save that counts: whether it is safe.
    answered: Option<bool>,
    failing_since: Option<u64>,
    held: bool,
}

impl Witness {
    /// The line is down at first.
    pub fn new(play: &Play) -> Self {
        Witness {
            floor: play.floor.into(),
            unsaved_wait: play.unsaved_wait.into(),
            connected: false,
            lost_at: play.course.begin,
            answered: None,
            failing_since: None,
            held: false,
        }
    }

    /// Before a decision.
    pub fn hears(&mut self, call: &Call, now: u64) {
        match call {
            Call::OnConnect => {
                self.connected = true;
                (self.answered, self.failing_since, self.held) = (None, None, false);
            }
            Call::OnDisconnect(_) if self.connected => {
                self.connected = false;
                self.lost_at = now;
            }
            Call::OnSaved(Ok(())) => self.answered = Some(true),
            Call::OnSaved(Err(_)) => {
                self.answered = Some(false);
                self.failing_since.get_or_insert(now);
            }
            Call::OnRequest(Request::Hold) => self.held = !self.connected,
            Call::OnRequest(Request::Release | Request::CloseNow) => self.held = false,
            _ => {}
        }
    }

    /// After a decision that was taken. Panics if it should not have been.
    pub fn sees(&mut self, decision: &Decision, now: u64) {
        let Decision {
            state,
            actions,
            wake_at,
        } = decision;
        assert_eq!(self.connected, state.phase == Phase::Connected);
        assert!(!self.connected || actions.is_empty(), "{actions:?}");
        assert!(actions.len() <= 16 && state.memo.len() <= 4096);
        assert_eq!(state.seen, now);
        let held = matches!(state.phase, Phase::Held(_));
        assert!(!held || self.held, "held unasked");
        assert!(self.connected || held || wake_at.is_some(), "never wakes");
        if !matches!(state.phase, Phase::Saving(_) | Phase::Quitting(_)) {
            (self.answered, self.failing_since) = (None, None); // people may have worked on
        }
        let saves = actions.iter().any(|it| matches!(it, Action::Save(_)));
        if saves {
            assert!(matches!(state.phase, Phase::Saving(_)));
            assert!(!self.held, "saved although held");
            (self.answered, self.failing_since) = (None, None);
        }
        if actions.contains(&Action::Quit) {
            assert!(!saves && self.answered.is_some(), "quit before a save");
            assert!(!self.held, "quit although held");
        }
    }

    /// Blender is closed now.
    pub fn closes(&self, now: u64) {
        assert!(!self.connected, "closed while connected");
        assert!(!self.held, "closed although held");
        assert!(now >= self.lost_at.saturating_add(self.floor), "too early");
        match self.answered {
            None => panic!("closed before a save was answered"),
            Some(true) => {}
            Some(false) => {
                let since = self.failing_since.expect("the first failure");
                assert!(
                    now >= since.saturating_add(self.unsaved_wait),
                    "closed with unsaved work too early"
                );
            }
        }
    }
}
