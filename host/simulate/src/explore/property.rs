//! What must hold, whatever happens.

use lifeline_core::guard::Violation;

/// Something that every policy owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// `connected-is-quiet`
    ConnectedIsQuiet,
    /// `save-before-quit`
    SaveBeforeQuit,
    /// `wakes`
    Wakes,
    /// `ends`
    Ends,
    /// `deterministic`
    Deterministic,
    /// `limits`
    Limits,
    /// `obeys`
    Obeys,
    /// `reconnects`
    Reconnects,
    /// `countdown`
    Countdown,
}

impl Property {
    /// All of them, in the order in which people should meet them.
    pub const ALL: [Property; 9] = [
        Property::ConnectedIsQuiet,
        Property::Reconnects,
        Property::SaveBeforeQuit,
        Property::Wakes,
        Property::Ends,
        Property::Countdown,
        Property::Deterministic,
        Property::Limits,
        Property::Obeys,
    ];

    /// For programs.
    pub fn name(self) -> &'static str {
        match self {
            Property::ConnectedIsQuiet => "connected-is-quiet",
            Property::SaveBeforeQuit => "save-before-quit",
            Property::Wakes => "wakes",
            Property::Ends => "ends",
            Property::Deterministic => "deterministic",
            Property::Limits => "limits",
            Property::Obeys => "obeys",
            Property::Reconnects => "reconnects",
            Property::Countdown => "countdown",
        }
    }

    /// For people.
    pub fn sentence(self) -> &'static str {
        match self {
            Property::ConnectedIsQuiet => "While the server is connected it asks for nothing.",
            Property::SaveBeforeQuit => {
                "It asks to quit only after a save of the same outage was answered, and after a \
                 save in place that failed only when a recovery copy was tried."
            }
            Property::Wakes => "In an outage that nobody holds it always asks to be woken.",
            Property::Ends => {
                "A server that never returns ends in quit, within a bound, unless a person holds."
            }
            Property::Deterministic => "The same call in a fresh instance has the same answer.",
            Property::Limits => "Every call answers within its fuel, memory, time and size.",
            Property::Obeys => {
                "Its state follows the connection and the call, and its actions fit its phase."
            }
            Property::Reconnects => {
                "Once the server is back the phase is connected and nothing is pending."
            }
            Property::Countdown => {
                "A countdown begins with what is set, and what a person has added to it."
            }
        }
    }

    /// The one of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Property::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether a policy may depart from it on purpose: what the guard holds all of them to, and what a
    /// Blender without a server owes, none may.
    pub fn may_be_departed_from(self) -> bool {
        self == Property::Countdown
    }

    /// Which one a decision breaks that the guard drops.
    pub(super) fn of_violation(violation: &Violation, reconnecting: bool) -> Self {
        match violation {
            Violation::WhileConnected(_) => Property::ConnectedIsQuiet,
            Violation::QuitBeforeSave => Property::SaveBeforeQuit,
            Violation::NeverWakes => Property::Wakes,
            Violation::Phase { .. } if reconnecting => Property::Reconnects,
            Violation::SavesTooOften(_)
            | Violation::SleepsTooLong(_)
            | Violation::AttemptTooFar(_)
            | Violation::ExtendedUnasked { .. }
            | Violation::DeadlineTooFar { .. }
            | Violation::NeverEnds(_) => Property::Ends,
            _ => Property::Obeys,
        }
    }
}
