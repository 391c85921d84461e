//! What can happen next.

use crate::configuration::{BETWEEN, Configuration, EXTENSION};
use crate::policy::{ANSWERS, Who, asks_to_save};
use crate::step::{Event, Step, Trap};
use crate::turn::{FAILURES, fails_at};
use crate::world::{Connection, World};
use lifeline::contract::{ConnectError, Phase, Request};
use lifeline::tickets::Task;

const REQUESTS: [Request; 4] = [
    Request::Hold,
    Request::Extend(EXTENSION),
    Request::Release,
    Request::CloseNow,
];

/// Everything that can happen next, within the bound.
pub fn moves(configuration: &Configuration, world: &World, steps: &mut Vec<Step>) {
    if world.is_over() {
        return;
    }
    let mut events = Vec::new();
    if world.started {
        of_time(configuration, world, &mut events);
        of_the_line(configuration, world, &mut events);
        of_the_main_thread(configuration, world, &mut events);
        of_people_and_fleets(configuration, world, &mut events);
    } else {
        events.push(Event::Start);
    }
    let left = configuration
        .bound
        .surprises
        .saturating_sub(world.surprises);
    for event in events {
        with_calls(configuration, world, event, left, steps);
    }
}

fn of_time(configuration: &Configuration, world: &World, events: &mut Vec<Event>) {
    let now = world.now;
    let alarm = world.alarm(configuration.quit_timeout);
    let due = world.due(configuration.quit_timeout);
    // The host hears of a claim before it looks at the clock.
    if alarm.is_some_and(|at| at <= now) && world.desk.quit_claimed.is_none() {
        events.push(Event::Alarm);
    } else if world.host.wake_at.is_some_and(|at| at <= now) {
        events.push(Event::Tick);
    }
    // Reading back takes no time: how it ends is another matter.
    if due.is_some_and(|at| at > now) && !world.host.keeping {
        events.push(Event::Pass);
        let far = due.is_some_and(|at| at > now + BETWEEN);
        if configuration.adversary.clock && far {
            events.push(Event::Between);
        }
    }
    if configuration.adversary.clock && world.host.wake_at.is_some_and(|at| at >= now) {
        events.extend([Event::Late, Event::Sleep]);
    }
}

fn of_the_line(configuration: &Configuration, world: &World, events: &mut Vec<Event>) {
    match world.host.connection {
        Connection::None => {}
        Connection::Trying(_) => {
            events.push(Event::Accepted);
            let ways = [
                ConnectError::Unreachable,
                ConnectError::Refused,
                ConnectError::TimedOut,
            ];
            let ways = ways
                .into_iter()
                .filter(|why| fails_at(configuration, world, *why).is_some());
            events.extend(ways.map(Event::Failed));
        }
        Connection::Up if world.losses < configuration.bound.outages => events.push(Event::Lost),
        Connection::Up => {}
    }
}

fn of_the_main_thread(configuration: &Configuration, world: &World, events: &mut Vec<Event>) {
    let desk = &world.desk;
    let idle = desk.running.is_none() && desk.quit_claimed.is_none();
    if idle && (desk.told || desk.withdrawn.is_some()) {
        events.push(Event::Claim);
        let quit_next = desk.withdrawn.is_none() && matches!(desk.open, Some((Task::Quit, _)));
        if configuration.adversary.files && quit_next {
            events.push(Event::SaveFirst);
        }
    }
    if desk.quit_claimed.is_some() {
        events.push(Event::ClaimHeard);
    }
    if desk.running.is_some() {
        events.extend([Event::Saved(true), Event::Saved(false)]);
    }
    if world.host.keeping {
        events.push(Event::ReadBack(true));
        if configuration.adversary.files {
            events.push(Event::ReadBack(false));
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
    let again = world.host.failures > 0;
    let others = configuration
        .policies
        .iter()
        .filter(|&&who| who != world.host.current || again);
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
        if step.surprises() <= left {
            steps.push(step);
        }
    };
    let plain = event.plain();
    if !calls(world, event) {
        return push(plain);
    }
    let hostile = match event {
        Event::Swap(who) => who == Who::Hostile,
        _ => world.host.current == Who::Hostile && world.host.failures < FAILURES,
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

/// Whether a policy is called.
fn calls(world: &World, event: Event) -> bool {
    match event {
        Event::Start
        | Event::Tick
        | Event::Accepted
        | Event::Failed(_)
        | Event::Lost
        | Event::Asked(_)
        | Event::Settings
        | Event::Swap(_) => true,
        Event::Saved(_) => {
            world.desk.running == Some(true)
                && !matches!(world.host.state.phase, Phase::Quitting(_))
        }
        Event::Pass
        | Event::Between
        | Event::Late
        | Event::Sleep
        | Event::Alarm
        | Event::Claim
        | Event::SaveFirst
        | Event::ClaimHeard
        | Event::ReadBack(_)
        | Event::Rendering(_) => false,
    }
}
