//! Random settings, states and plays. Most are plausible, so that plays get far; some are at the edges
//! of what their types can say. The large ones are boxed, or they would not fit a test's stack.

use super::play::{Host, Turn, When};
use crate::contract::{
    Attempt, ConnectError, Countdown, Duration, Instant, Loss, Moment, Outage, Phase, Place,
    Request, Saving, Scene, Settings, State,
};
use crate::reference::Event;
use alloc::vec::Vec;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Anything, the edges more often than chance would have it.
pub fn edgy() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => any::<u64>(),
        3 => (0..64u32, any::<bool>()).prop_map(|(bit, less)| (1 << bit) - u64::from(less)),
        1 => (0..5_000u64).prop_map(|it| u64::MAX - it),
        1 => 0..5_000u64,
    ]
}

pub fn entropy() -> impl Strategy<Value = Option<u64>> {
    option::weighted(
        0.8,
        prop_oneof![4 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)],
    )
}

/// What a person might set, compressed or in full; sometimes what nobody would.
fn length(full: Duration) -> impl Strategy<Value = Duration> {
    prop_oneof![
        12 => 0..=full / 25,
        12 => 0..=full,
        2 => Just(0),
        1 => edgy(),
    ]
}

pub fn settings() -> BoxedStrategy<Settings> {
    let attempts = prop_oneof![20 => 0..8u32, 1 => any::<u32>()];
    let warnings = vec(length(100_000), 0..4);
    let render_wait = prop_oneof![1 => Just(0), 1 => length(60_000)];
    (
        attempts,
        length(4_000),
        length(20_000),
        length(1_000),
        length(20_000),
        length(300_000),
        warnings,
        render_wait,
    )
        .prop_map(
            |(attempts, delay, delay_max, jitter, connect, cleanup, warn, render)| Settings {
                retry_attempts: attempts,
                retry_delay: delay,
                retry_delay_max: delay_max,
                retry_jitter: jitter,
                connect_timeout: connect,
                cleanup_timeout: cleanup,
                warn_before: warn,
                render_wait: render,
            },
        )
        .boxed()
}

/// None of them at the edges, and no attempt without time for its answer.
pub fn plausible_settings() -> impl Strategy<Value = Settings> {
    (
        (0..8u32, 0..4_000u64, 200..20_000u64, 0..1_000u64),
        (1..20_000u64, 1..400_000u64, vec(0..400_000u64, 0..4)),
    )
        .prop_map(
            |((attempts, delay, delay_max, jitter), (connect, cleanup, warn))| Settings {
                retry_attempts: attempts,
                retry_delay: delay,
                retry_delay_max: delay_max,
                retry_jitter: jitter,
                connect_timeout: connect,
                cleanup_timeout: cleanup,
                warn_before: warn,
                ..Settings::default()
            },
        )
}

fn loss() -> impl Strategy<Value = Loss> {
    prop_oneof![
        Just(Loss::NeverConnected),
        Just(Loss::TransportError),
        Just(Loss::PingTimeout),
        Just(Loss::ServerDisconnect),
    ]
}

fn connect_error() -> impl Strategy<Value = ConnectError> {
    prop_oneof![
        Just(ConnectError::Unreachable),
        Just(ConnectError::TimedOut),
        Just(ConnectError::Refused),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        2 => Just(Request::Hold),
        2 => length(300_000).prop_map(Request::Extend),
        3 => Just(Request::Release),
        1 => Just(Request::CloseNow),
    ]
}

pub fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Event::Start),
        4 => Just(Event::Connected),
        10 => connect_error().prop_map(Event::Failed),
        8 => loss().prop_map(Event::Lost),
        8 => any::<bool>().prop_map(Event::Saved),
        12 => request().prop_map(Event::Asked),
        10 => Just(Event::Tick),
    ]
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => Just(When::AtOnce),
        4 => (0..1_000u64).prop_map(When::Early),
        8 => Just(When::OnTime),
        4 => (1..=1_000u64).prop_map(When::Late),
        2 => (1_001..50_000u64).prop_map(When::Late),
        2 => (0..400_000u64).prop_map(When::After),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let called =
        (event(), when(), entropy(), any::<bool>()).prop_map(|(event, when, entropy, due)| {
            Turn::Call {
                event,
                when,
                entropy,
                due,
            }
        });
    prop_oneof![
        60 => (any::<bool>(), entropy()).prop_map(|(good, entropy)| Turn::AsExpected { good, entropy }),
        25 => called,
        2 => option::weighted(0.8, settings()).prop_map(Turn::Settings),
        4 => option::weighted(0.8, any::<bool>()).prop_map(Turn::Scene),
    ]
}

/// Begins at any time, also at its end.
pub fn host() -> impl Strategy<Value = Host> {
    let now = prop_oneof![8 => 0..1_000_000u64, 1 => edgy()];
    (
        now,
        option::weighted(0.8, settings()),
        vec(any::<u8>(), 0..3),
    )
        .prop_map(|(now, settings, memo)| Host::connected(now, settings, memo))
}

pub fn turns() -> impl Strategy<Value = Vec<Turn>> {
    vec(turn(), 1..200)
}

/// Around this one, or anywhere.
fn instant(now: Instant) -> impl Strategy<Value = Instant> {
    prop_oneof![
        4 => (0..400_000u64).prop_map(move |it| now.saturating_add(it)),
        2 => (0..400_000u64).prop_map(move |it| now.saturating_sub(it)),
        2 => Just(now),
        1 => edgy(),
    ]
}

fn outage(now: Instant) -> BoxedStrategy<Outage> {
    let attempt = (instant(now), any::<bool>()).prop_map(|(at, under_way)| {
        if under_way {
            Attempt::UnderWay(at)
        } else {
            Attempt::Due(at)
        }
    });
    let attempts = prop_oneof![8 => 0..9u32, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    (instant(now), loss(), attempts, attempt, length(300_000))
        .prop_map(|(lost_at, why, attempts, attempt, extended)| Outage {
            lost_at,
            why,
            attempts,
            attempt,
            extended,
        })
        .boxed()
}

fn phase(now: Instant) -> BoxedStrategy<Phase> {
    let place = prop_oneof![Just(Place::InPlace), Just(Place::Recovery)];
    let counting =
        (outage(now), instant(now), length(400_000)).prop_map(|(outage, deadline, warned)| {
            Phase::CountingDown(Countdown {
                outage,
                deadline,
                warned,
            })
        });
    let saving = (outage(now), place, instant(now)).prop_map(|(outage, place, since)| {
        Phase::Saving(Saving {
            outage,
            place,
            since,
        })
    });
    prop_oneof![
        1 => Just(Phase::Connected),
        2 => outage(now).prop_map(Phase::Reconnecting),
        4 => counting,
        2 => saving,
        1 => outage(now).prop_map(Phase::Quitting),
        1 => outage(now).prop_map(Phase::Held),
    ]
    .boxed()
}

/// Any state at any moment, whether or not the machine would ever get there by itself: another policy
/// may have left it.
pub fn situation() -> impl Strategy<Value = (State, Moment)> {
    let now = prop_oneof![4 => 400_000..1_000_000u64, 1 => edgy()];
    now.prop_flat_map(|now| {
        let state = (phase(now), instant(now), vec(any::<u8>(), 0..3))
            .prop_map(|(phase, seen, memo)| State { phase, seen, memo });
        let scene = any::<(bool, bool, bool)>().prop_map(|(modified, untitled, rendering)| Scene {
            modified,
            untitled,
            rendering,
        });
        let moment = (
            option::of(instant(now)),
            entropy(),
            option::weighted(0.9, settings()),
            option::of(scene),
        )
            .prop_map(move |(due, entropy, settings, scene)| Moment {
                now,
                due,
                entropy,
                settings,
                scene,
                cut_off: None,
            });
        (state, moment)
    })
}
