//! Who may decide: the machine, the machine with other numbers, and a policy that answers anything.

use lifeline_contract::Call;
use lifeline_contract::types::{
    Action, Attempt, Countdown, Decision, Loss, Moment, Outage, Phase, Place, Saving, Settings,
    State,
};
use lifeline_core::Origin;
use lifeline_machine::Machine;

/// A policy of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The built-in one: the machine as it is.
    FiveMinutes,
    /// The machine with more attempts and a longer countdown, as `guest/patient`.
    Patient,
    /// The machine that lets a render finish, as `guest/render-guard`.
    RenderGuard,
    /// Any answer of [`ALPHABET`], at any call.
    Hostile,
}

impl Who {
    /// For the trace.
    pub fn name(self) -> &'static str {
        match self {
            Who::FiveMinutes => "five-minutes",
            Who::Patient => "a patient one",
            Who::RenderGuard => "one that waits for renders",
            Who::Hostile => "a hostile one",
        }
    }

    /// Where it comes from.
    pub fn origin(self) -> Origin {
        match self {
            Who::FiveMinutes => Origin::BuiltIn,
            Who::Patient | Who::RenderGuard | Who::Hostile => Origin::Other,
        }
    }

    /// The settings that its machine goes by; None: it is none.
    pub fn adapt(self, settings: &Settings) -> Option<Settings> {
        let settings = settings.clone();
        match self {
            Who::FiveMinutes => Some(settings),
            Who::Patient => Some(Settings {
                retry_attempts: settings.retry_attempts + 1,
                cleanup_timeout: settings.cleanup_timeout * 2,
                warn_before: vec![settings.cleanup_timeout / 2],
                ..settings
            }),
            Who::RenderGuard => Some(Settings {
                render_wait: 2_000,
                ..settings
            }),
            Who::Hostile => None,
        }
    }
}

/// What the machine answers when it goes by these settings.
pub fn ask_machine(settings: Settings, call: &Call, state: &State, moment: &Moment) -> Decision {
    let moment = Moment {
        settings: Some(settings),
        ..moment.clone()
    };
    call.of::<Machine<()>>(state, &moment)
}

/// The phase that a hostile policy answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum P {
    Connected,
    Reconnecting,
    /// The next attempt is due in thousands of years.
    ReconnectingNever,
    /// A countdown that begins later would be longer by thousands of years.
    ReconnectingExtended,
    CountingDown,
    /// For thousands of years.
    CountingDownNever,
    Saving(Place),
    Quitting,
    Held,
}

/// The actions that it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum A {
    Nothing,
    Connect,
    ConnectTwice,
    Save(Place),
    Quit,
    SaveAndQuit,
}

/// When it wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum W {
    Never,
    Soon,
    /// As late as the guard lets it.
    InADay,
    /// Later than that.
    InThousandsOfYears,
}

use Place::{InPlace, Recovery};

/// What a hostile policy may answer: each phase with each kind of action that could do harm in it,
/// and each way not to be woken. Answers that fit together are what the guard lets pass.
const ALPHABET: &[(P, A, W)] = &[
    (P::Connected, A::Nothing, W::Never),
    (P::Connected, A::Nothing, W::Soon),
    (P::Connected, A::Connect, W::Never),
    (P::Connected, A::Save(InPlace), W::Never),
    (P::Connected, A::Quit, W::Never),
    (P::Reconnecting, A::Nothing, W::Soon),
    (P::Reconnecting, A::Nothing, W::InADay),
    (P::Reconnecting, A::Nothing, W::InThousandsOfYears),
    (P::Reconnecting, A::Nothing, W::Never),
    (P::Reconnecting, A::Connect, W::Soon),
    (P::Reconnecting, A::ConnectTwice, W::Soon),
    (P::Reconnecting, A::Save(InPlace), W::Soon),
    (P::Reconnecting, A::Quit, W::Soon),
    (P::ReconnectingNever, A::Nothing, W::Soon),
    (P::ReconnectingExtended, A::Nothing, W::Soon),
    (P::CountingDown, A::Nothing, W::Soon),
    (P::CountingDown, A::Quit, W::Soon),
    (P::CountingDownNever, A::Nothing, W::Soon),
    (P::Saving(InPlace), A::Nothing, W::Soon),
    (P::Saving(InPlace), A::Nothing, W::InADay),
    (P::Saving(InPlace), A::Save(InPlace), W::Soon),
    (P::Saving(InPlace), A::Save(Recovery), W::Soon),
    (P::Saving(InPlace), A::SaveAndQuit, W::Soon),
    (P::Saving(Recovery), A::Nothing, W::Soon),
    (P::Saving(Recovery), A::Save(Recovery), W::Soon),
    (P::Quitting, A::Nothing, W::Soon),
    (P::Quitting, A::Quit, W::Soon),
    (P::Quitting, A::Quit, W::InADay),
    (P::Quitting, A::SaveAndQuit, W::Soon),
    (P::Held, A::Nothing, W::Never),
    (P::Held, A::Nothing, W::Soon),
    (P::Held, A::Save(InPlace), W::Soon),
];

/// How many answers there are.
pub const ANSWERS: u8 = ALPHABET.len() as u8;

/// Milliseconds.
const SOON: u64 = 1_000;
const NEXT_DEADLINE: u64 = 2_000;
const DAY: u64 = 86_400_000;
const FAR: u64 = 100_000_000_000_000;

/// What the answer says, for the trace.
pub fn describe_answer(answer: u8) -> String {
    ALPHABET
        .get(usize::from(answer))
        .map_or_else(String::new, |(phase, action, wake)| {
            format!("{phase:?}, {action:?}, wake: {wake:?}")
        })
}

/// Whether it asks for a save.
pub fn asks_to_save(answer: u8) -> bool {
    let action = ALPHABET
        .get(usize::from(answer))
        .map(|(_, action, _)| *action);
    matches!(action, Some(A::Save(_) | A::SaveAndQuit))
}

/// One answer of [`ALPHABET`].
pub fn hostile_answer(answer: u8, state: &State, moment: &Moment) -> Option<Decision> {
    let &(phase, action, wake) = ALPHABET.get(usize::from(answer))?;
    let now = moment.now;
    let actions = match action {
        A::Nothing => vec![],
        A::Connect => vec![Action::Connect],
        A::ConnectTwice => vec![Action::Connect; 2],
        A::Save(place) => vec![Action::Save(place)],
        A::Quit => vec![Action::Quit],
        A::SaveAndQuit => vec![Action::Save(InPlace), Action::Quit],
    };
    let outage = Outage {
        lost_at: state.phase.outage().map_or(now, |outage| outage.lost_at),
        why: Loss::TransportError,
        attempts: 0,
        attempt: match (phase, action) {
            (P::ReconnectingNever, _) => Attempt::Due(now + FAR),
            (_, A::Connect | A::ConnectTwice) => Attempt::UnderWay(now + SOON),
            _ => Attempt::Due(now + SOON),
        },
        extended: if phase == P::ReconnectingExtended {
            FAR
        } else {
            0
        },
    };
    let counting_down = |after: u64| {
        Phase::CountingDown(Countdown {
            outage,
            deadline: now + after,
            warned: 0,
        })
    };
    let phase = match phase {
        P::Connected => Phase::Connected,
        P::Reconnecting | P::ReconnectingNever | P::ReconnectingExtended => {
            Phase::Reconnecting(outage)
        }
        P::CountingDown => counting_down(NEXT_DEADLINE),
        P::CountingDownNever => counting_down(FAR),
        P::Saving(place) => Phase::Saving(Saving {
            outage,
            place,
            since: now,
        }),
        P::Quitting => Phase::Quitting(outage),
        P::Held => Phase::Held(outage),
    };
    Some(Decision {
        state: State {
            phase,
            seen: now,
            memo: Vec::new(),
        },
        actions,
        wake_at: match wake {
            W::Never => None,
            W::Soon => Some(now + SOON),
            W::InADay => Some(now + DAY),
            W::InThousandsOfYears => Some(now + FAR),
        },
    })
}
