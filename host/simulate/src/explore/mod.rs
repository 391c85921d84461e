//! Leads a policy through everything that can happen to it, and looks for a broken rule.
//!
//! What is driven is the core that ships; an answer that it drops breaks a rule, and the trace ends
//! there. The search goes through situations: what the policy remembers, the guard's record, what was
//! asked for and not answered, all instants relative to now. Two situations that are equal in this
//! are looked at once. One *plain course* leads through an outage whose server stays away, for each
//! way in which attempts can fail; whatever else can happen (a person, a stopped process, a busy
//! machine, a server that is back, attempts that fail differently from now on) is a *fault*, and
//! a trace has a bounded number of them. Traces with fewer faults are looked at first, shorter
//! ones first: so the first trace that breaks a rule is the plainest.
//!
//! What it does not see: a policy is called at chosen instants (when it asked to be, a little
//! later, an hour later, half way), not at every millisecond; entropy is none, the largest, or for
//! one call the smallest; attempts beyond sixteen are one to the search. It finds what is wrong in
//! what it has looked at; it proves nothing about the rest.

mod next;
mod property;
mod setup;
mod situation;
mod step;
#[cfg(test)]
mod tests;
mod verdict;

pub use property::Property;
pub use setup::{Bounds, Setup};

use lifeline_contract::types::{Action, Decision, Loss, Moment, Phase, State};
use lifeline_contract::{Call, Decide};
use next::Next;
use situation::Situation;
use std::collections::HashSet;
use step::{Event, Step, Weather};
use verdict::{Breach, Called};

/// Progress is told this often, in calls.
const TELL: u64 = 4_096;

/// How far the search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Situations so far.
    pub states: usize,
    /// Events so far.
    pub edges: u64,
    /// Faults of the traces that are looked at now.
    pub faults: u32,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Situations that were looked at.
    pub states: usize,
    /// Events that were tried in them.
    pub edges: u64,
    /// Calls of the longest outage.
    pub depth: u32,
    /// All traces with up to this many faults were looked at; None: not even those without.
    pub complete: Option<u32>,
    /// The longest time from the loss to quit in an outage that nothing disturbed (milliseconds).
    pub longest: Option<u64>,
    /// A rule each, with the plainest trace that breaks it.
    pub broken: Vec<Broken>,
}

/// A rule that the policy breaks.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Which.
    pub property: Property,
    /// How, as a sentence.
    pub why: String,
    /// How it comes to that.
    pub trace: Vec<Entry>,
}

/// One event of a trace.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Since the start (milliseconds).
    pub at: u64,
    /// As a sentence.
    pub what: String,
    /// What was called, if anything was.
    pub call: Option<(Call, State, Moment)>,
    /// What it answered, or why it did not.
    pub answer: Option<Result<Decision, String>>,
}

/// How a situation came about.
#[derive(Clone, Copy)]
struct Origin {
    before: Option<u32>,
    step: Step,
    weather: Weather,
    fault: bool,
    disturbs: bool,
}

impl Origin {
    fn next(&self) -> Next {
        Next {
            step: self.step,
            weather: self.weather,
            fault: self.fault,
            disturbs: self.disturbs,
        }
    }
}

/// Explores a policy, in one setup. `progress` is told now and then, and may end the search by answering false.
pub fn explore<P: Decide + ?Sized>(
    policy: &P,
    setup: &Setup,
    bounds: &Bounds,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Exploration {
    let mut search = Search {
        policy,
        setup,
        states: bounds.states,
        depth: bounds.depth(setup),
        within: bounds.within(setup),
        faults: bounds.faults,
        progress,
        known: HashSet::new(),
        origins: Vec::new(),
        full: false,
        found: Exploration {
            states: 0,
            edges: 0,
            depth: 0,
            complete: None,
            longest: None,
            broken: Vec::new(),
        },
    };
    search.run();
    search.found.states = search.known.len();
    search.found
}

/// Situations that were reached with equally many faults: those of each length of trace.
type Level = Vec<Vec<(u32, Situation)>>;

struct Search<'a, P: ?Sized> {
    policy: &'a P,
    setup: &'a Setup,
    states: usize,
    depth: u32,
    within: u64,
    faults: u32,
    progress: &'a mut dyn FnMut(Progress) -> bool,
    known: HashSet<u128>,
    origins: Vec<Origin>,
    full: bool,
    found: Exploration,
}

impl<P: Decide + ?Sized> Search<'_, P> {
    fn run(&mut self) {
        let mut level: Level = vec![self.begin()];
        for faults in 0..=self.faults {
            if faults > 0 {
                level = self.with_one_more(&level, faults);
            }
            self.follow(&mut level, faults);
            if self.full {
                return;
            }
            self.found.complete = Some(faults);
        }
    }

    fn begin(&mut self) -> Vec<(u32, Situation)> {
        let mut found = Vec::new();
        for weather in Weather::after(Loss::NeverConnected) {
            let step = Step {
                at: self.setup.start,
                event: Event::Start,
                entropy: weather.entropy,
            };
            let next = Next {
                step,
                weather,
                fault: false,
                disturbs: false,
            };
            let situation = Situation::new(self.setup, weather);
            found.extend(self.go(None, &situation, &next, 0));
        }
        found
    }

    /// The situations that one fault leads to, from each of a level.
    fn with_one_more(&mut self, level: &Level, faults: u32) -> Level {
        let mut led: Level = vec![Vec::new()];
        for situations in level {
            let mut reached = Vec::new();
            for (id, situation) in situations {
                reached.extend(self.expand(*id, situation, true, faults));
            }
            led.push(reached);
        }
        led
    }

    /// The plain course of everything in a level, to its end.
    fn follow(&mut self, level: &mut Level, faults: u32) {
        let mut length = 0;
        while length < level.len() && !self.full {
            let mut reached = Vec::new();
            for (id, situation) in &level[length] {
                reached.extend(self.expand(*id, situation, false, faults));
            }
            if !reached.is_empty() {
                if length + 1 == level.len() {
                    level.push(Vec::new());
                }
                level[length + 1].append(&mut reached);
            }
            length += 1;
        }
    }

    fn expand(
        &mut self,
        id: u32,
        situation: &Situation,
        fault: bool,
        faults: u32,
    ) -> Vec<(u32, Situation)> {
        let mut reached = Vec::new();
        for next in situation.next(self.setup) {
            if self.full {
                break;
            }
            if next.fault == fault {
                reached.extend(self.go(Some(id), situation, &next, faults));
            }
        }
        reached
    }

    /// One event; the situation that it leads to, if it is a new one.
    fn go(
        &mut self,
        before: Option<u32>,
        situation: &Situation,
        next: &Next,
        faults: u32,
    ) -> Option<(u32, Situation)> {
        let mut after = situation.clone();
        let (_, outcome) = after.apply(self.policy, self.setup, next);
        self.found.edges += 1;
        if self.found.edges.is_multiple_of(TELL) {
            let progress = Progress {
                states: self.known.len(),
                edges: self.found.edges,
                faults,
            };
            self.full |= !(self.progress)(progress);
        }
        let actions = match outcome.and_then(|actions| self.ends(&after).map(|()| actions)) {
            Ok(actions) => actions,
            Err(breach) => {
                self.broken(before, next, breach);
                return None;
            }
        };
        if after.clean && actions.contains(&Action::Quit) {
            self.found.longest = self.found.longest.max(after.lost_for());
        }
        if !self.known.insert(after.key()) {
            return None;
        }
        self.full |= self.known.len() >= self.states;
        if !after.core().guard().is_connected() {
            self.found.depth = self.found.depth.max(after.calls);
        }
        let id = u32::try_from(self.origins.len()).unwrap_or(u32::MAX);
        self.origins.push(Origin {
            before,
            step: next.step,
            weather: next.weather,
            fault: next.fault,
            disturbs: next.disturbs,
        });
        (!self.is_over(&after)).then_some((id, after))
    }

    /// An outage that nothing disturbs comes to its end.
    fn ends(&self, after: &Situation) -> Result<(), Breach> {
        let breach = |why| {
            Err(Breach {
                property: Property::Ends,
                why,
            })
        };
        let Some(lost_for) = after.lost_for() else {
            return Ok(());
        };
        if !after.clean || matches!(after.phase(), Phase::Quitting(_)) {
            return Ok(());
        }
        if lost_for > self.within {
            return breach(format!(
                "the server has been away for {} s, and it has not asked to quit",
                lost_for / 1_000
            ));
        }
        // With delays of milliseconds many calls are nobody's fault while the deadline is ahead.
        let ahead = match after.phase() {
            Phase::CountingDown(countdown) => countdown.deadline > after.now,
            _ => false,
        };
        if after.calls > self.depth && !(ahead && self.setup.hurries()) {
            return breach(format!(
                "it was called {} times in {} s, and has not asked to quit",
                after.calls,
                lost_for / 1_000
            ));
        }
        Ok(())
    }

    /// An outage that people keep open, that has taken too long for other reasons, or that has led to
    /// Blender's end.
    fn is_over(&self, after: &Situation) -> bool {
        after.calls > self.depth || after.has_ended()
    }

    /// Remembers the first trace for each property: the plainest.
    fn broken(&mut self, before: Option<u32>, next: &Next, breach: Breach) {
        let known = |it: &Broken| it.property == breach.property;
        if self.found.broken.iter().any(known) {
            return;
        }
        self.found.broken.push(Broken {
            property: breach.property,
            why: breach.why,
            trace: self.trace(before, next),
        });
    }

    /// Goes the same way once more, and writes it down.
    fn trace(&self, before: Option<u32>, last: &Next) -> Vec<Entry> {
        let mut way = vec![*last];
        let mut at = before;
        while let Some(origin) = at.and_then(|id| self.origins.get(id as usize)) {
            way.push(origin.next());
            at = origin.before;
        }
        way.reverse();
        let mut situation = Situation::new(self.setup, way[0].weather);
        way.iter()
            .map(|next| {
                let (called, _) = situation.apply(self.policy, self.setup, next);
                entry(self.setup, next, called)
            })
            .collect()
    }
}

fn entry(setup: &Setup, next: &Next, called: Option<Called>) -> Entry {
    let what = match (next.step.event, &called) {
        (Event::Due, None) => "the host sees to Blender's end".into(),
        (event, _) => event.to_string(),
    };
    let (call, answer) = match called {
        Some(it) => (Some((it.call, it.state, it.moment)), Some(it.answer)),
        None => (None, None),
    };
    Entry {
        at: next.step.at.saturating_sub(setup.start),
        what,
        call,
        answer,
    }
}
