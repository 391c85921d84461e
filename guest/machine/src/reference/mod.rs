//! The machine once more, written another way: the rules of `wit/policy.wit` and of the design as a
//! table over one flat record, in numbers that cannot overflow, cut to size at the end.
//!
//! It is slower, it is for tests alone, and it shares nothing with `machine.rs` but the contract's
//! types: where both give the same answer (see `properties.rs`), neither has slipped.
//!
//! | file | what is in it |
//! |---|---|
//! | `rules` | what happens when, one row per rule |
//! | `record` | the flat record, and how the contract's states become it |
//! | `arithmetic` | delays, counted out step by step |

mod arithmetic;
mod record;
mod rules;

use crate::contract::{
    Action, Attempt, ConnectError, Decision, Loss, Moment, Request, Settings, State,
};
use alloc::vec::Vec;
use record::{Record, Stage};
use rules::RULES;
pub use rules::names;

/// The functions of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Start,
    Connected,
    Failed(ConnectError),
    Lost(Loss),
    /// Whether it is on the disk.
    Saved(bool),
    Asked(Request),
    Tick,
}

/// The end of time: what would come later comes then.
const END: i128 = u64::MAX as i128;

/// One call: what has happened, what is known, and what has come of it so far.
struct Call {
    event: Event,
    now: i128,
    /// How much later than it was asked for.
    late: i128,
    entropy: Option<u64>,
    settings: Settings,
    rendering: bool,
    record: Record,
    actions: Vec<Action>,
    /// A sleep has cut off an attempt, which is to be made again.
    again: bool,
}

/// The answer to one call, and the names of the rules that have made it. For `Event::Start` the state
/// is of no matter but for its memo.
pub fn decide(event: Event, state: &State, moment: &Moment) -> (Decision, Vec<&'static str>) {
    let now = i128::from(moment.now);
    let mut call = Call {
        event,
        now,
        late: moment.due.map_or(0, |due| now - i128::from(due)),
        entropy: moment.entropy,
        settings: moment.settings.clone().unwrap_or_default(),
        rendering: moment.scene.is_some_and(|scene| scene.rendering),
        record: Record::of(&state.phase),
        actions: Vec::new(),
        again: false,
    };
    let mut fired = Vec::new();
    for question in RULES {
        let Some(rule) = question.iter().find(|rule| (rule.when)(&call)) else {
            continue;
        };
        fired.push(rule.name);
        (rule.then)(&mut call);
        if rule.last {
            break;
        }
    }
    let decision = Decision {
        wake_at: rules::wake_at(&call).map(as_u64),
        state: State {
            phase: call.record.phase(),
            seen: moment.now,
            memo: match event {
                Event::Start => Vec::new(),
                _ => state.memo.clone(),
            },
        },
        actions: call.actions,
    };
    (decision, fired)
}

/// Cut to what the contract can say.
fn as_u64(number: i128) -> u64 {
    number.clamp(0, END) as u64
}
