//! The mode, and the marker that chooses it.

use core::hint::black_box;
use core::str;

/// What comes before the mode's name in the component's bytes; there is one such place.
const PREFIX: &[u8] = b"LIFELINE-TEST-MODE:";
/// The name's room; dots fill it up.
const ROOM: usize = 32;

/// Tests write another name here, into the built component.
static MARKER: [u8; PREFIX.len() + ROOM] = marker(b"five-minutes");

const fn marker(name: &[u8]) -> [u8; PREFIX.len() + ROOM] {
    let mut marker = [b'.'; PREFIX.len() + ROOM];
    let (prefix, room) = marker.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(PREFIX);
    room.split_at_mut(name.len()).0.copy_from_slice(name);
    marker
}

/// The mode that the component is in. Traps if the marker names none.
pub fn current() -> Mode {
    // The compiler must not know what is in it.
    let marker: &'static [u8] = black_box(&MARKER);
    let room = &marker[PREFIX.len()..];
    let length = room.iter().position(|&byte| byte == b'.').unwrap_or(ROOM);
    match str::from_utf8(&room[..length]).ok().and_then(Mode::named) {
        Some(mode) => mode,
        None => panic!("no such mode"),
    }
}

macro_rules! modes {
    ($($mode:ident: $name:literal,)+) => {
        /// How the policy misbehaves; README.md tells.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum Mode {
            $($mode,)+
        }

        impl Mode {
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$mode => $name,)+
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$mode),)+
                    _ => None,
                }
            }
        }
    };
}

modes! {
    FiveMinutes: "five-minutes",
    // Against the sandbox.
    EndlessLoop: "endless-loop",
    MemoryBomb: "memory-bomb",
    MemoryFill: "memory-fill",
    MemoryGrow: "memory-grow",
    StackOverflow: "stack-overflow",
    Trap: "trap",
    ThousandActions: "thousand-actions",
    MillionActions: "million-actions",
    Memo1Gb: "memo-1gb",
    Memo8Mb: "memo-8mb",
    LongStrings: "long-strings",
    KeepsASecret: "keeps-a-secret",
    // Against the guard.
    GarbagePhase: "garbage-phase",
    DeadlinePast: "deadline-past",
    DeadlineMax: "deadline-max",
    QuitsAtOnce: "quits-at-once",
    QuitsWhileConnected: "quits-while-connected",
    NeverWakes: "never-wakes",
    WakesEvery0Ms: "wakes-every-0ms",
    StaleSeen: "stale-seen",
    // Faults that show in some states only.
    SaveWhileConnected: "save-while-connected",
    QuitBeforeSave: "quit-before-save",
    NoWakeUp: "no-wake-up",
    NeverQuits: "never-quits",
    HoldsUnasked: "holds-unasked",
    IgnoresReconnect: "ignores-reconnect",
    ForgetsRetryOfFailedSave: "forgets-retry-of-failed-save",
    MovesTheDeadline: "moves-the-deadline",
    BurnsFuel: "burns-fuel",
    PanicsAtTheEdge: "panics-at-the-edge",
    SavesTwice: "saves-twice",
    IgnoresHold: "ignores-hold",
    IgnoresRelease: "ignores-release",
    PanicsWhenCutOff: "panics-when-cut-off",
    DepartsFromAll: "departs-from-all",
}
