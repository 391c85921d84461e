//! Cores that go on alike are one to a search, and others are not.

use super::{MINUTE, Stage};
use crate::{Connection, Core, End, Input, Limits, Origin, Who};
use lifeline_contract::Call;
use lifeline_contract::types::{
    Attempt, ConnectError, Countdown, Loss, Outage, Phase, Place, Request, Saving, Scene,
};
use std::hash::{DefaultHasher, Hasher};

const LIMITS: Limits = Limits {
    horizon: 10 * MINUTE,
    attempts: 6,
    short: true,
};

fn print_of(core: &Core, now: u64, limits: &Limits) -> u64 {
    let mut hasher = DefaultHasher::new();
    core.hash_relative(now, limits, &mut hasher);
    hasher.finish()
}

fn print(stage: &Stage) -> u64 {
    print_of(&stage.core, stage.now, &LIMITS)
}

/// What a change makes of a stage.
fn changed(stage: &Stage, change: impl FnOnce(&mut Core)) -> u64 {
    let mut core = stage.core.clone();
    change(&mut core);
    print_of(&core, stage.now, &LIMITS)
}

/// In a countdown, no attempt under way.
fn counting_down() -> Stage {
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    stage.pass(MINUTE);
    stage
}

fn outage(core: &mut Core) -> &mut Outage {
    match &mut core.state.phase {
        Phase::CountingDown(countdown) => &mut countdown.outage,
        phase => panic!("{}", phase.name()),
    }
}

type Step = Box<dyn Fn(&mut Stage)>;

/// Everything that a stage comes by on its way, at each step.
fn course(start: u64) -> Vec<u64> {
    let mut stage = Stage::at(start, |config| {
        (config.early_copy, config.stuck) = (true, 30 * MINUTE)
    });
    let mut prints = vec![print(&stage)];
    let steps: Vec<Step> = vec![
        Box::new(|it| it.connection(Connection::Accepted)),
        Box::new(|it| {
            it.now += MINUTE;
            it.lose();
        }),
        Box::new(|it| it.pass(MINUTE)),
        Box::new(Stage::next_attempt),
        Box::new(|it| it.connection(Connection::Accepted)),
        Box::new(|it| it.now += 1_000),
        Box::new(Stage::lose),
        Box::new(|it| it.pass(6 * MINUTE)),
        Box::new(|it| it.save(*it.saves().last().unwrap(), false)),
        Box::new(|it| it.save(*it.saves().last().unwrap(), false)),
        Box::new(|it| it.pass(2_000)),
        Box::new(|it| it.save(*it.saves().last().unwrap(), true)),
        Box::new(Stage::verify),
        Box::new(|it| it.tell(Input::SaveFirst(it.quits()[0]))),
        Box::new(|it| it.tell(Input::Terminate)),
        Box::new(|it| it.save(*it.saves().last().unwrap(), true)),
        Box::new(Stage::verify),
        Box::new(|it| it.tell(Input::Claimed(*it.quits().last().unwrap()))),
        Box::new(|it| it.tell(Input::Written)),
    ];
    for step in steps {
        step(&mut stage);
        prints.push(print(&stage));
    }
    prints
}

#[test]
fn the_clock_makes_no_difference_and_each_step_does() {
    let prints = course(1_000_000);
    assert_eq!(prints, course(77_000_000));
    let apart: std::collections::BTreeSet<_> = prints.iter().collect();
    assert_eq!(apart.len(), prints.len(), "{prints:?}");
}

#[test]
fn time_makes_a_difference_while_something_is_measured_from_it() {
    let stage = counting_down();
    let later = print_of(&stage.core, stage.now + 1_000, &LIMITS);
    assert_ne!(print(&stage), later);
}

#[test]
fn what_a_core_goes_by_tells_it_from_others() {
    let mut stage = counting_down();
    let due = stage.core.wake_at.unwrap();
    let with = |scene: Scene| changed(&stage, |it| it.scene = Some(scene));
    let scene = |modified, untitled, rendering| Scene {
        modified,
        untitled,
        rendering,
    };
    let mut prints = vec![
        print(&stage),
        with(scene(false, false, false)),
        with(scene(true, false, false)),
        with(scene(false, true, false)),
        with(scene(false, false, true)),
        changed(&stage, |it| it.wake_at = None),
        changed(&stage, |it| it.wake_at = Some(due + 1)),
        changed(&stage, |it| it.copied_at = Some(stage.now)),
        changed(&stage, |it| it.copied_at = Some(stage.now - 1)),
        changed(&stage, |it| it.started = false),
        changed(&stage, |it| it.undecided.push_back(Call::Tick)),
        changed(&stage, |it| it.connections.announced = false),
        changed(&stage, |it| it.connections.current = Some(9)),
        changed(&stage, |it| it.connections.short = 1),
        changed(&stage, |it| it.connections.short = 2),
        changed(&stage, |it| it.connections.short = 5),
        changed(&stage, |it| it.connections.short = 6),
        changed(&stage, |it| it.judging.swap(Origin::Other)),
        changed(&stage, |it| it.state.memo.push(1)),
        changed(&stage, |it| outage(it).why = Loss::ServerDisconnect),
        changed(&stage, |it| outage(it).lost_at += 1),
        changed(&stage, |it| outage(it).attempts = 2),
        changed(&stage, |it| outage(it).extended = 1),
        changed(&stage, |it| outage(it).attempt = Attempt::Due(due + 7)),
        changed(&stage, |it| outage(it).attempt = Attempt::UnderWay(due + 7)),
        changed(&stage, |it| it.closing.end = End::Wanted),
        changed(&stage, |it| it.closing.end = End::Asked),
        changed(&stage, |it| it.closing.end = End::Told),
    ];
    for (since, end) in [
        (stage.now, None),
        (stage.now - 1, None),
        (stage.now, Some(true)),
    ] {
        prints.push(changed(&stage, |it| {
            it.closing.end = End::Writing { since, end }
        }));
    }
    let outage = *outage(&mut stage.core);
    let since = stage.now;
    for phase in [
        Phase::Connected,
        Phase::Reconnecting(outage),
        Phase::Quitting(outage),
        Phase::Held(outage),
        Phase::CountingDown(Countdown {
            outage,
            deadline: stage.now,
            warned: 0,
        }),
        Phase::CountingDown(Countdown {
            outage,
            deadline: stage.now,
            warned: 1,
        }),
        Phase::Saving(Saving {
            outage,
            place: Place::InPlace,
            since,
        }),
        Phase::Saving(Saving {
            outage,
            place: Place::Recovery,
            since,
        }),
    ] {
        prints.push(changed(&stage, |it| it.state.phase = phase));
    }
    stage.tell(Input::TryNow);
    prints.push(print(&stage));
    let count = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), count);
}

#[test]
fn what_nobody_asks_for_makes_no_difference() {
    let stage = counting_down();
    let same = |change: fn(&mut Core)| assert_eq!(changed(&stage, change), print(&stage));
    let alike = |one: fn(&mut Core), other: fn(&mut Core)| {
        assert_eq!(changed(&stage, one), changed(&stage, other));
    };
    same(|it| it.state.seen += 1);
    same(|it| it.polled += 1);
    alike(|it| it.state.memo.push(1), |it| it.state.memo.push(2));
    alike(|it| outage(it).attempts = 6, |it| outage(it).attempts = 7);
    alike(
        |it| it.connections.current = Some(1),
        |it| it.connections.current = Some(2),
    );
    // Beyond the attempts that are set one more makes no difference.
    alike(|it| it.connections.short = 6, |it| it.connections.short = 7);
    let far = |core: &Core| print_of(core, stage.now + 60 * MINUTE, &LIMITS);
    let mut later = stage.core.clone();
    outage(&mut later).lost_at += 1;
    assert_eq!(far(&later), far(&stage.core), "beyond the horizon");
}

#[test]
fn what_a_connection_has_ended_counts_until_it_has_lasted() {
    let mut stage = counting_down();
    stage.next_attempt();
    stage.connection(Connection::Accepted);
    let without = changed(&stage, |it| it.connections.ended = None);
    assert_ne!(print(&stage), without);
    let differs = |change: fn(&mut crate::core::Ended)| {
        let change = |core: &mut Core| change(core.connections.ended.as_mut().unwrap());
        assert_ne!(changed(&stage, change), print(&stage));
    };
    differs(|it| it.at -= 1);
    differs(|it| it.state.memo.push(1));
    differs(|it| it.guard.save_answered(true, 0));
    // Where all connections last it is of no use,
    let never = Limits {
        short: false,
        ..LIMITS
    };
    let mut other = stage.core.clone();
    other.connections.ended = None;
    let of = |core: &Core| print_of(core, stage.now, &never);
    assert_eq!(of(&stage.core), of(&other));
    // nor once this one has,
    let lasting = 30_000;
    let now = stage.now;
    let at = |core: &Core, after| print_of(core, now + after, &LIMITS);
    assert_ne!(at(&stage.core, lasting - 1), at(&other, lasting - 1));
    assert_eq!(at(&stage.core, lasting), at(&other, lasting));
    // unless there were short ones before, whose outage it has yet to end.
    for core in [&mut stage.core, &mut other] {
        core.connections.short = 1;
    }
    assert_ne!(at(&stage.core, lasting), at(&other, lasting));
}

#[test]
fn since_when_a_ticket_waits_counts_while_somebody_waits_for_it() {
    for stuck in [0, MINUTE] {
        let mut stage = Stage::connected(|config| config.stuck = stuck);
        let ticket = stage.lose_for_good();
        let later = |stage: &Stage, ticket: u64, claimed: bool| {
            let mut core = stage.core.clone();
            let open = core.tickets.open().unwrap();
            core.tickets.issue(open.task, open.since + 1);
            if claimed {
                core.tickets.claim(ticket + 1);
            }
            print_of(&core, stage.now, &LIMITS)
        };
        assert_eq!(later(&stage, ticket, false) == print(&stage), stuck == 0);
        let since = stage.core.open_ticket().unwrap().since;
        let polled = |at| changed(&stage, |it| it.polled = at);
        assert_eq!(polled(since) == polled(since + 1), stuck == 0);
        assert_eq!(polled(since), polled(since - 1));
        let unclaimed = print(&stage);
        stage.tell(Input::Claimed(ticket));
        assert_ne!(print(&stage), unclaimed);
        assert_eq!(later(&stage, ticket, true), print(&stage));
        stage.tell(Input::Saved(ticket, super::saved()));
        stage.verify();
        let quit = stage.quits()[0];
        assert_ne!(later(&stage, quit, false), print(&stage));
    }
}

#[test]
fn failures_and_requests_of_people_are_no_small_things() {
    let stage = |change: fn(&mut Stage)| {
        let mut stage = counting_down();
        change(&mut stage);
        print(&stage)
    };
    let plain = stage(|_| {});
    let fails = |it: &mut Stage| {
        it.world.broken = vec![Who::Current];
        it.tell(Input::Policy(Origin::Other));
    };
    let swapped = stage(|it| it.tell(Input::Policy(Origin::Other)));
    let failed = stage(fails);
    let held = stage(|it| it.tell(Input::Request(Request::Hold, String::new())));
    let refused = stage(|it| {
        it.tell(Input::TryNow);
        it.connection(Connection::Failed(ConnectError::Refused, String::new()));
    });
    assert!(plain != swapped && swapped != failed && plain != held);
    assert_eq!(
        plain, refused,
        "an attempt that a person has asked for moves nothing"
    );
}
