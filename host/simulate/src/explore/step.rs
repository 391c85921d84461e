//! What can happen next.

use crate::wave;
use lifeline_contract::types::{ConnectError, Loss, Request};
use lifeline_core::as_seconds;
use std::fmt;

/// Something that happens to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Start,
    /// What is due is done: the policy is woken, or the host sees to Blender's end.
    Due,
    /// The policy that decides is loaded anew: it is asked at once.
    Reloaded,
    Accepted,
    Failed(ConnectError),
    Lost(Loss),
    Saved {
        ok: bool,
    },
    Request(Request),
    /// A render begins, or ends: no call, the next one is told of it.
    Rendering(bool),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Start => f.write_str("Blender starts"),
            Event::Due => f.write_str("a tick"),
            Event::Reloaded => f.write_str("the policy is loaded anew"),
            Event::Accepted => f.write_str("the server accepts the connection"),
            Event::Failed(why) => write!(f, "the attempt fails: {}", why.name()),
            Event::Lost(why) => write!(f, "the server is lost: {}", why.name()),
            Event::Saved { ok: true } => f.write_str("the save has ended well"),
            Event::Saved { ok: false } => f.write_str("the save has failed"),
            Event::Request(Request::Extend(by)) if *by < u64::MAX => {
                write!(f, "a person extends by {} s", as_seconds(*by))
            }
            Event::Request(Request::Extend(_)) => f.write_str("a person extends without end"),
            Event::Request(request) => write!(f, "a person asks: {}", wave::request(*request)),
            Event::Rendering(true) => f.write_str("a render begins"),
            Event::Rendering(false) => f.write_str("the render ends"),
        }
    }
}

/// An event with its instant and its random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub at: u64,
    pub event: Event,
    pub entropy: Option<u64>,
}

/// How the world treats attempts, until it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Weather {
    pub answer: Answer,
    pub entropy: Option<u64>,
}

/// What comes of an attempt while the server is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    /// It fails at once.
    Unreachable,
    /// The server answers at once, and refuses.
    Refused,
    /// It fails after the time that it may take.
    TimesOut,
    /// The same a little later: the policy has given it up by then.
    Late,
}

impl Answer {
    pub const ALL: [Answer; 4] = [
        Answer::Unreachable,
        Answer::Refused,
        Answer::TimesOut,
        Answer::Late,
    ];
}

/// No jitter, the largest, and the smallest.
pub(super) const ENTROPIES: [Option<u64>; 3] = [None, Some(u64::MAX), Some(0)];

impl Weather {
    /// Each way in which an outage can go on. With the smallest jitter for good, attempts may
    /// follow each other at once: that is left to single attempts.
    pub fn after(why: Loss) -> impl Iterator<Item = Weather> {
        let all = Answer::ALL.into_iter().flat_map(|answer| {
            let [none, largest, _] = ENTROPIES;
            [none, largest].map(|entropy| Weather { answer, entropy })
        });
        // One kind of loss is looked at from all sides, of the others the two ends.
        let all_sides = why == Loss::TransportError;
        let end = |it: &Weather| {
            let quick = it.answer == Answer::Unreachable && it.entropy.is_none();
            quick || it.answer == Answer::TimesOut && it.entropy.is_some()
        };
        all.filter(move |it| all_sides || end(it))
    }
}
