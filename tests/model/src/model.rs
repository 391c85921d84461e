//! The model, as stateright wants it.

use crate::configuration::Configuration;
use crate::moves::moves;
use crate::play;
use crate::rule::{Rule, Sight};
use crate::step::Step;
use crate::world::World;
use stateright::{Model, Property};
use std::sync::atomic::{AtomicU64, Ordering};

/// One search.
pub struct Lifeline {
    /// What is searched.
    pub configuration: Configuration,
    /// Rules that were found broken: of each the checker is told once. It keeps the last trace that
    /// it is told of, and the first is the shortest.
    told: AtomicU64,
    /// The same for what was seen.
    shown: AtomicU64,
}

impl Lifeline {
    /// A new search.
    pub fn new(configuration: Configuration) -> Self {
        Lifeline {
            configuration,
            told: AtomicU64::new(0),
            shown: AtomicU64::new(0),
        }
    }

    pub(crate) fn keeps(&self, rule: Rule, world: &World) -> bool {
        let bit = rule as u32;
        !world.monitor.broken().has(bit) || is_in(&self.told, bit)
    }

    pub(crate) fn has_seen(&self, sight: Sight, world: &World) -> bool {
        let bit = sight as u32;
        world.monitor.seen().has(bit) && !is_in(&self.shown, bit)
    }
}

/// Whether the bit was in before; afterwards it is.
fn is_in(set: &AtomicU64, bit: u32) -> bool {
    set.fetch_or(1 << bit, Ordering::Relaxed) & (1 << bit) != 0
}

impl Model for Lifeline {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.configuration)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        moves(&self.configuration, world, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        play::take(&self.configuration, &mut next, step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = Rule::properties();
        properties.extend(Sight::properties());
        properties
    }
}
