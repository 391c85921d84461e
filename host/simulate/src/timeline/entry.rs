//! A time line: what has happened, and when. Milliseconds since the loss.

use lifeline_contract::types::{Place, Request};

/// Something that has happened. Lengths of time in seconds, as events have them.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The script: the server goes away.
    ServerAway,
    /// The script: the server is there again.
    ServerBack,
    /// The script.
    RenderBegins,
    /// The script.
    RenderEnds,
    /// The script: a person asks for something.
    Request(Request),
    /// The script: nobody was awake for so many milliseconds.
    Stopped(u64),
    /// The loss was noticed.
    Lost,
    /// An attempt to connect, and its answer.
    Attempt {
        /// The server was there.
        accepted: bool,
    },
    /// The countdown begins.
    Countdown(f64),
    /// A warning.
    Warn(f64),
    /// It is kept open.
    Held,
    /// The server is back, after so many seconds.
    Recovered(f64),
    /// Blender begins to save.
    Save(Place),
    /// The save has ended.
    Saved {
        /// Where to.
        place: Place,
        /// It is safe.
        ok: bool,
    },
    /// Blender agrees to close.
    Quit,
    /// Blender closes.
    Closed,
    /// This policy decides from now on.
    Policy(String),
    /// An answer was dropped, or something else is wrong.
    Trouble(String),
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: u64,
    /// What.
    pub what: What,
}

/// As long as the status says the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Of the status.
    pub phase: String,
    /// From.
    pub from: u64,
    /// Until.
    pub to: u64,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Blender closes.
    Closed(u64),
    /// It is open still, and this is its phase.
    Open(String),
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// In order.
    pub entries: Vec<Entry>,
    /// One after the other, without gaps.
    pub spans: Vec<Span>,
    /// How it ends.
    pub ending: Ending,
    /// Where it ends.
    pub until: u64,
}

/// Collects spans.
#[derive(Default)]
pub(super) struct Spans(Vec<Span>);

impl Spans {
    pub fn see(&mut self, phase: &str, now: u64) {
        match self.0.last_mut() {
            Some(last) if last.phase == phase => last.to = now,
            last => {
                if let Some(last) = last {
                    last.to = now;
                }
                self.0.push(Span {
                    phase: phase.into(),
                    from: now,
                    to: now,
                });
            }
        }
    }

    pub fn last(&self) -> &str {
        self.0.last().map_or("", |span| &span.phase)
    }

    pub fn until(mut self, end: u64) -> Vec<Span> {
        if let Some(last) = self.0.last_mut() {
            last.to = end;
        }
        self.0
    }
}
