//! Runs a search, and says what came of it.

use crate::configuration::Configuration;
use crate::model::Lifeline;
use crate::policy::Who;
use crate::rule::{Rule, Sight};
use crate::step::Step;
use crate::world::{START, World};
use lifeline_contract::types::{Attempt, Phase};
use stateright::{Checker, HasDiscoveries, Model, Path};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What a search has found.
pub struct Outcome {
    /// What was searched.
    pub configuration: Configuration,
    /// Worlds that differ.
    pub states: usize,
    /// Steps that were taken.
    pub steps: usize,
    /// Steps of the longest of all shortest ways to a world.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Nothing within the bound was left out.
    pub complete: bool,
    /// What does not hold, with the shortest trace.
    pub broken: Vec<(Rule, Trace)>,
    /// What was seen.
    pub seen: Vec<Sight>,
}

/// How it comes to a broken rule.
pub struct Trace {
    /// A line for each step.
    pub lines: Vec<String>,
    /// For `--replay`.
    pub path: String,
}

/// Searches. `to_the_end`: also when a rule was found broken, to find all that are.
///
/// On one thread: then the first trace that breaks a rule is the shortest.
pub fn search(configuration: Configuration, to_the_end: bool) -> Outcome {
    let begun = Instant::now();
    let finish = if to_the_end {
        HasDiscoveries::All
    } else {
        HasDiscoveries::AnyFailures
    };
    let checker = Lifeline::new(configuration)
        .checker()
        .finish_when(finish)
        .spawn_bfs()
        .join();
    let mut discoveries = checker.discoveries();
    let broken: Vec<_> = Rule::ALL
        .iter()
        .filter_map(|&rule| {
            Some((
                rule,
                trace(checker.model(), discoveries.remove(rule.text())?),
            ))
        })
        .collect();
    let seen: Vec<_> = Sight::ALL
        .iter()
        .copied()
        .filter(|sight| discoveries.contains_key(sight.text()))
        .collect();
    Outcome {
        configuration: checker.model().configuration.clone(),
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        time: begun.elapsed(),
        complete: checker.is_done() && (to_the_end || broken.is_empty()),
        broken,
        seen,
    }
}

/// Walks along a path that a trace has given. None: it leads nowhere.
pub fn replay(configuration: Configuration, path: &str) -> Option<Trace> {
    let model = Lifeline::new(configuration);
    let mut indices = path.split('/').map(str::parse::<usize>);
    let mut world = model.init_states().into_iter().nth(indices.next()?.ok()?)?;
    let mut steps = Vec::new();
    for index in indices {
        let mut possible = Vec::new();
        model.actions(&world, &mut possible);
        let step = *possible.get(index.ok()?)?;
        let next = model.next_state(&world, step)?;
        steps.push((std::mem::replace(&mut world, next), Some(step)));
    }
    steps.push((world, None));
    Some(Trace {
        lines: lines(&steps),
        path: path.to_string(),
    })
}

fn trace(model: &Lifeline, path: Path<World, Step>) -> Trace {
    let encoded = path.encode(model);
    Trace {
        lines: lines(&path.into_vec()),
        path: encoded,
    }
}

fn lines(steps: &[(World, Option<Step>)]) -> Vec<String> {
    steps
        .windows(2)
        .filter_map(|pair| match pair {
            [(_, Some(step)), (after, _)] => Some(line(*step, after)),
            _ => None,
        })
        .collect()
}

/// When, what happened, and where everything stands then.
fn line(step: Step, after: &World) -> String {
    let at = seconds(after.now.saturating_sub(START));
    let mut line = format!("{at:>9} s  {step}\n             -> ");
    let now = after.now;
    let core = &after.core;
    let state = core.state();
    line.push_str(state.phase.name());
    if let Phase::CountingDown(countdown) = &state.phase {
        let _ = write!(line, ", deadline {}", from(now, countdown.deadline));
    }
    if let Some(outage) = state.phase.outage() {
        let (what, at) = match outage.attempt {
            Attempt::Due(at) => ("due", at),
            Attempt::UnderWay(at) => ("under way until", at),
        };
        let _ = write!(
            line,
            ", {} attempts, one {what} {}",
            outage.attempts,
            from(now, at)
        );
    }
    if let Some(at) = core.tick_due() {
        let _ = write!(line, ", woken {}", from(now, at));
    }
    if let Some(at) = core.end_due() {
        let _ = write!(line, ", the end is looked at {}", from(now, at));
    }
    if after.is_connected() {
        line.push_str("; connected");
    }
    if let Some(call) = core.undecided().next() {
        let _ = write!(line, "; {} is undecided", call.name());
    }
    let (failures, _) = core.failures();
    if failures > 0 {
        let _ = write!(line, "; the policy has failed {failures} times");
    }
    if let Some(open) = core.open_ticket() {
        let state = if open.claimed { "claimed" } else { "open" };
        let _ = write!(line, "; ticket {:?} is {state}", open.task);
    }
    if core.is_terminating() {
        line.push_str("; terminating");
    }
    if after.over {
        line.push_str("; Blender ends");
    }
    line
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

fn from(now: u64, at: u64) -> String {
    if at >= now {
        format!("in {} s", seconds(at - now))
    } else {
        format!("{} s ago", seconds(now - at))
    }
}

impl Outcome {
    /// As text: the bound, the figures, and each broken rule with its trace.
    pub fn told(&self) -> String {
        let it = &self.configuration;
        let mut text = String::new();
        let _ = writeln!(text, "{}: {}", it.name, it.about);
        let names: Vec<_> = it.policies.iter().map(|who| who.name()).collect();
        let _ = writeln!(
            text,
            "  bound: {} outages, {} faults in each{}; no bound on time or steps; decides: {}",
            it.bound.outages,
            it.bound.faults,
            if it.policies.contains(&Who::Hostile) {
                format!(", {} saves of a hostile policy", it.bound.saves)
            } else {
                String::new()
            },
            names.join(", ")
        );
        let _ = writeln!(
            text,
            "  {} states, {} steps, depth {}, {:.1} s, {}",
            self.states,
            self.steps,
            self.depth,
            self.time.as_secs_f64(),
            if self.complete {
                "all of them"
            } else {
                "not all of them: ended at a broken rule"
            }
        );
        let _ = writeln!(
            text,
            "  {} of {} rules hold, {} of {} sights seen",
            Rule::ALL.len() - self.broken.len(),
            Rule::ALL.len(),
            self.seen.len(),
            Sight::ALL.len()
        );
        for (rule, trace) in &self.broken {
            let _ = writeln!(text, "  BROKEN: {}", rule.text());
            for line in &trace.lines {
                let _ = writeln!(text, "    {line}");
            }
            let _ = writeln!(
                text,
                "    again: cargo run --release -p lifeline-model -- --only {} --faults {} --replay {}",
                it.name, it.bound.faults, trace.path
            );
        }
        text
    }
}
