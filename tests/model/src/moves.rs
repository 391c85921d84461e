//! What can happen next.

use crate::configuration::{BETWEEN, Configuration, EXTENSION};
use crate::play::{calls, fails_at};
use crate::policy::{ANSWERS, Who, asks_to_save};
use crate::step::{Event, Step, Trap};
use crate::world::World;
use lifeline_contract::types::{ConnectError, Request};
use lifeline_core::Task;

const REQUESTS: [Request; 4] = [
    Request::Hold,
    Request::Extend(EXTENSION),
    Request::Release,
    Request::CloseNow,
];

/// Everything that can happen next, within the bound.
pub fn moves(configuration: &Configuration, world: &World, steps: &mut Vec<Step>) {
    if world.over {
        return;
    }
    let mut events = Vec::new();
    if world.started {
        of_time(configuration, world, &mut events);
        of_the_main_thread(configuration, world, &mut events);
        if world.is_writing() {
            events.push(Event::Written);
        } else if !world.core.is_terminating() {
            of_the_line(configuration, world, &mut events);
            of_people_and_fleets(configuration, world, &mut events);
        }
    } else {
        events.push(Event::Start);
    }
    let left = configuration.bound.faults.saturating_sub(world.faults);
    for event in events {
        with_calls(configuration, world, event, left, steps);
    }
}

fn of_time(configuration: &Configuration, world: &World, events: &mut Vec<Event>) {
    let now = world.now;
    let due = world.core.wake_at();
    if due.is_some_and(|at| at <= now) {
        events.push(Event::Time);
    }
    // Verifying takes no time: how it ends is another matter.
    if due.is_some_and(|at| at > now) && world.core.keeping().is_none() {
        events.push(Event::Pass);
        let far = due.is_some_and(|at| at > now + BETWEEN);
        if configuration.adversary.clock && far {
            events.push(Event::Between);
        }
    }
    if configuration.adversary.clock && world.core.tick_due().is_some_and(|at| at >= now) {
        events.extend([Event::Late, Event::Sleep]);
    }
}

fn of_the_line(configuration: &Configuration, world: &World, events: &mut Vec<Event>) {
    if world.is_connected() {
        if world.losses < configuration.bound.outages {
            events.push(Event::Lost);
            if configuration.adversary.short {
                events.push(Event::CutOff);
            }
        }
    } else if world.attempt.is_some() {
        events.push(Event::Accepted);
        let ways = ConnectError::ALL.into_iter();
        let ways = ways.filter(|why| fails_at(configuration, world, *why).is_some());
        events.extend(ways.map(Event::Failed));
    }
}

fn of_the_main_thread(configuration: &Configuration, world: &World, events: &mut Vec<Event>) {
    let main = &world.main;
    if !main.is_at_work()
        && let Some((_, task)) = main.next()
    {
        events.push(Event::Claim);
        if configuration.adversary.files && task == Task::Quit && main.next_stands() {
            events.push(Event::SaveFirst);
        }
    }
    if main.unheard.is_some() {
        events.push(Event::Heard);
    } else if main.running.is_some() {
        events.extend([Event::Saved(true), Event::Saved(false)]);
    }
    if world.core.keeping().is_some() {
        events.push(Event::Verified(true));
        if configuration.adversary.files {
            events.push(Event::Verified(false));
        }
    }
}

fn of_people_and_fleets(configuration: &Configuration, world: &World, events: &mut Vec<Event>) {
    let adversary = &configuration.adversary;
    if adversary.people {
        events.extend(REQUESTS.map(Event::Asked));
    }
    if adversary.settings {
        events.push(Event::Settings);
    }
    if adversary.renders {
        events.push(Event::Rendering(!world.rendering));
    }
    if adversary.sigterm {
        events.push(Event::Terminate);
    }
    let again = world.core.failures().0 > 0;
    let others = configuration
        .policies
        .iter()
        .filter(|&&who| who != world.current || again);
    if configuration.policies.len() > 1 {
        events.extend(others.map(|&who| Event::Swap(who)));
    }
}

/// The event with all that can come of the call that follows it.
fn with_calls(
    configuration: &Configuration,
    world: &World,
    event: Event,
    left: u8,
    steps: &mut Vec<Step>,
) {
    let mut push = |step: Step| {
        if step.faults() <= left {
            steps.push(step);
        }
    };
    let plain = event.plain();
    if !calls(world, event) {
        return push(plain);
    }
    let hostile = match event {
        Event::Swap(who) => who == Who::Hostile,
        _ => world.current == Who::Hostile && !world.core.failures().1,
    };
    if hostile {
        let enough = world.saves >= configuration.bound.saves;
        for answer in (0..ANSWERS).filter(|&it| !(enough && asks_to_save(it))) {
            push(Step {
                answer: Some(answer),
                ..plain
            });
        }
    } else {
        push(plain);
    }
    if configuration.adversary.jitter && !hostile {
        for entropy in [0, u64::MAX] {
            push(Step {
                entropy: Some(entropy),
                ..plain
            });
        }
    }
    if configuration.adversary.traps {
        for trap in [Trap::Policy, Trap::BuiltInToo] {
            push(Step { trap, ..plain });
        }
    }
}
