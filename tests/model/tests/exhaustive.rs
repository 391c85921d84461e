//! Every configuration is searched to the end of its bound: all rules hold, and whatever is worth
//! seeing is seen. `LIFELINE_MODEL_BOUND=1` goes one fault further.

#![allow(clippy::unwrap_used)]

use lifeline_model::rule::Sight;
use lifeline_model::{Configuration, Outcome, configurations, search};
use std::sync::Mutex;
use std::thread;

/// One search for each processor; each goes on on one thread.
#[allow(clippy::print_stdout)] // figures for whoever reads along
fn side_by_side(configurations: Vec<Configuration>) -> Vec<Outcome> {
    // The last ones are the longest.
    let waiting = Mutex::new(configurations.into_iter().rev());
    let done = Mutex::new(vec![]);
    let next = || waiting.lock().unwrap().next();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while let Some(configuration) = next() {
                    let outcome = search(configuration, false);
                    println!("{}", outcome.told());
                    done.lock().unwrap().push(outcome);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

#[test]
fn all_rules_hold_in_every_state_within_the_bound() {
    let more = std::env::var("LIFELINE_MODEL_BOUND").map_or(0, |it| it.parse().expect("a number"));
    let mut unseen: Vec<Sight> = Sight::ALL.to_vec();
    let mut broken = Vec::new();
    for outcome in side_by_side(configurations(more)) {
        let name = outcome.configuration.name;
        unseen.retain(|sight| !outcome.seen.contains(sight));
        if !outcome.complete || !outcome.broken.is_empty() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "{broken:?}: the traces stand above");
    let unseen: Vec<_> = unseen.iter().map(|it| it.text()).collect();
    assert!(unseen.is_empty(), "never seen: {unseen:?}");
}
