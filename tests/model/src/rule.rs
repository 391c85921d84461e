//! What must always hold, and what must be reachable lest the search be an empty one.

use crate::model::Lifeline;
use stateright::Property;

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u64);

impl Flags {
    /// Adds one.
    pub fn set(&mut self, bit: u32) {
        self.0 |= 1 << bit;
    }

    /// Whether it is in.
    pub fn has(self, bit: u32) -> bool {
        self.0 & (1 << bit) != 0
    }
}

macro_rules! properties {
    ($(#[$doc:meta])* $kind:ident, $make:ident, $found:ident, $($(#[$about:meta])* $name:ident: $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind { $($(#[$about])* #[doc = $text] $name,)* }

        impl $kind {
            /// All of them.
            pub const ALL: &[$kind] = &[$($kind::$name,)*];

            /// As a sentence.
            pub fn text(self) -> &'static str {
                match self { $($kind::$name => $text,)* }
            }

            /// For the model checker.
            pub fn properties() -> Vec<Property<Lifeline>> {
                vec![$(Property::$make($text, |model, world| {
                    model.$found($kind::$name, world)
                }),)*]
            }
        }
    };
}

properties! {
    /// What must hold in every state that can be reached.
    Rule, always, keeps,
    SaveWhileConnected: "no save is begun while the server is connected",
    QuitWhileConnected: "Blender does not quit while the server is connected",
    QuitUnanswered: "Blender quits only after a save of this outage was answered, with nothing but saving and quitting since",
    QuitUnsaved: "Blender quits with unsaved work only after the wait for it",
    QuitBeforeFloor: "Blender does not quit before the floor",
    ActsWhileHeld: "no save is begun and Blender does not quit while a person holds",
    PeopleObeyed: "a hold holds, and to close now saves",
    DeadlineMoved: "the deadline moves only by sleep and by what people ask for",
    SaveBeforeDeadline: "nothing is saved before the deadline unless a person closes now",
    CountedTwice: "one loss is one outage",
    PendingWhileConnected: "while connected nothing is pending",
    NeverWakes: "in an outage that nobody holds there is a wake-up",
    BadDecision: "each decision that is followed keeps the contract's rules",
    Rejected: "no answer of the machine is ever dropped",
    AttemptsMiscounted: "the attempts are counted",
    CountdownAtWrongTime: "the countdown begins when all first attempts have failed, no sooner and no later, and is as long as set",
    Jitter: "each delay is as long as the formula says, give or take the jitter",
    Overdue: "an outage that nobody holds comes to its save in bounded time",
    Stalls: "saving and quitting wait for something that will come",
    BusyLoop: "the host does not turn in circles",
    EndedUnsaved: "no process is ended with its work unsaved unless that was set",
    EndedAtWork: "no process is ended whose main thread has begun what it is waited for",
}

properties! {
    /// What must happen at least once in a search.
    Sight, sometimes, has_seen,
    Connected: "connected",
    Reconnecting: "reconnecting",
    CountingDown: "counting-down",
    Saving: "saving",
    Quitting: "quitting",
    Held: "held",
    Warned: "a person is warned",
    Slept: "a call came so late that the time does not count",
    TicketRefused: "the main thread takes a ticket that was withdrawn, and does nothing",
    BackWhileSaving: "the server is back while a save runs",
    BackAfterClaim: "the server is back between the claim of the quit and the host's hearing of it",
    SecondOutage: "a second outage",
    GoesOn: "a countdown, or a hold, goes on after a connection that did not last",
    FellBack: "the built-in policy decides in place of another one",
    Disabled: "a policy is disabled",
    OverdueDisabled: "a policy is disabled for an outage without an end",
    Undecided: "nobody can decide",
    QuitInPlace: "Blender quits, saved in place",
    QuitRecovery: "Blender quits after the save in place has failed and the copy was made",
    QuitUnsaved: "Blender quits with its work unsaved, after the wait for it",
    EndedByHost: "a Blender that does not begin to quit is ended",
    EndedUnsaved: "a Blender that does not begin to save is ended, if that was set",
    Terminated: "SIGTERM",
    JournalSilent: "the journal does not answer, and Blender closes without it",
    SavedAgain: "the file changes after the save, and is saved again",
}
