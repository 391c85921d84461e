//! Delays, jitter, deadlines, warnings and sleep, as numbers.

use super::cases;
use super::inputs::{edgy, entropy, settings};
use crate::backoff::{exponential, paced, spread};
use crate::contract::{
    Attempt, Countdown, Decision, Duration, Instant, Loss, Moment, Outage, Phase, Request, Scene,
    Settings, State,
};
use crate::{LATE_AFTER, countdown, on_disconnect, on_request, tick};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn delays(retry_delay: u64, retry_delay_max: u64, retry_jitter: u64) -> Settings {
    Settings {
        retry_delay,
        retry_delay_max,
        retry_jitter,
        ..Settings::default()
    }
}

/// The n-th power of two as far as it matters: beyond 2^64 every delay is at its cap, or nothing.
fn power_of_two(n: u32) -> u128 {
    1 << n.min(64)
}

fn outage(now: Instant) -> Outage {
    Outage {
        lost_at: now,
        why: Loss::TransportError,
        attempts: 5,
        attempt: Attempt::Due(Instant::MAX),
        extended: 0,
    }
}

fn counting_down(deadline: Instant, warned: Duration) -> State {
    State {
        phase: Phase::CountingDown(Countdown {
            outage: outage(0),
            deadline,
            warned,
        }),
        seen: 0,
        memo: vec![],
    }
}

fn moment(now: Instant, settings: &Settings) -> Moment {
    Moment {
        settings: Some(settings.clone()),
        ..Moment::at(now)
    }
}

fn deadline(decision: &Decision) -> Option<Instant> {
    match &decision.state.phase {
        Phase::CountingDown(countdown) => Some(countdown.deadline),
        _ => None,
    }
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn without_entropy_a_delay_is_the_doubled_one_or_the_cap(
        (delay, max, jitter) in (edgy(), edgy(), edgy()),
        made in prop_oneof![0..70u32, any::<u32>()],
    ) {
        let got = exponential(&delays(delay, max, jitter), made, None);
        prop_assert_eq!(u128::from(got), (u128::from(delay) * power_of_two(made)).min(max.into()));
    }

    #[test]
    fn a_delay_never_shrinks_from_one_attempt_to_the_next(
        (delay, max) in (edgy(), edgy()),
        made in 0..70u32,
        more in any::<u32>(),
    ) {
        let settings = delays(delay, max, 0);
        let (first, later) = (made, made.saturating_add(more));
        prop_assert!(exponential(&settings, first, None) <= exponential(&settings, later, None));
    }

    #[test]
    fn jitter_moves_a_delay_by_no_more_than_itself_either_way(
        (delay, max, jitter) in (edgy(), edgy(), edgy()),
        made in 0..70u32,
        bits in edgy(),
    ) {
        let settings = delays(delay, max, jitter);
        let middle = exponential(&settings, made, None);
        let (low, high) = (middle.saturating_sub(jitter), middle.saturating_add(jitter));
        let moved = exponential(&settings, made, Some(bits));
        prop_assert!((low..=high).contains(&moved), "{moved} is not within {low} to {high}");
        prop_assert_eq!(exponential(&settings, made, Some(0)), low);
        // 64 bits of entropy come to every delay but one of more than 2^64.
        let short = u128::from(jitter > u64::MAX / 2);
        let most = u128::from(middle) + u128::from(jitter) - short;
        let largest = exponential(&settings, made, Some(u64::MAX));
        prop_assert_eq!(u128::from(largest), most.min(u64::MAX.into()));
    }

    #[test]
    fn more_entropy_is_never_less_of_a_delay(
        (delay, max, jitter) in (edgy(), edgy(), edgy()),
        (one, other) in (edgy(), edgy()),
    ) {
        let settings = delays(delay, max, jitter);
        let (less, more) = (Some(one.min(other)), Some(one.max(other)));
        prop_assert!(exponential(&settings, 0, less) <= exponential(&settings, 0, more));
        prop_assert!(paced(&settings, less) <= paced(&settings, more));
    }

    #[test]
    fn a_later_delay_is_three_quarters_of_the_cap_or_more(max in edgy(), bits in edgy()) {
        let settings = delays(0, max, 0);
        let least = max - max / 4;
        prop_assert!((least..=max).contains(&paced(&settings, Some(bits))));
        prop_assert_eq!(paced(&settings, Some(0)), least);
        prop_assert_eq!(paced(&settings, Some(u64::MAX)), max);
        prop_assert_eq!(paced(&settings, None), max - max / 4 / 2);
    }

    #[test]
    fn the_delay_between_is_no_longer_than_the_later_one_of_the_same_bits(
        max in edgy(),
        bits in edgy(),
    ) {
        let settings = delays(0, max, 0);
        prop_assert!(spread(&settings, Some(bits)) <= paced(&settings, Some(bits)));
        prop_assert_eq!(spread(&settings, Some(0)), 0);
        prop_assert_eq!(spread(&settings, Some(u64::MAX)), max);
        let later = paced(&settings, None);
        prop_assert_eq!(spread(&settings, None), later - later / 2);
    }

    #[test]
    fn a_countdown_is_as_long_as_the_settings_say_and_what_was_added(
        now in edgy(),
        extended in edgy(),
        settings in settings(),
    ) {
        let outage = Outage { extended, ..outage(now) };
        let begun = countdown::begin(outage, &settings, now);
        let length = u128::from(settings.cleanup_timeout) + u128::from(extended);
        let end = u128::from(u64::MAX);
        prop_assert_eq!(u128::from(begun.warned), length.min(end));
        prop_assert_eq!(u128::from(begun.deadline), (u128::from(now) + length).min(end));
    }

    #[test]
    fn the_first_delay_is_at_least_a_millisecond_and_ends_before_the_end_of_time(
        now in edgy(),
        settings in settings(),
        entropy in entropy(),
    ) {
        let connected = State { phase: Phase::Connected, seen: now, memo: vec![] };
        let lost = on_disconnect(
            connected,
            Moment { entropy, ..moment(now, &settings) },
            Loss::PingTimeout,
        );
        let (first, later) = (exponential(&settings, 0, entropy), spread(&settings, entropy));
        let due = |delay: u64| Attempt::Due(now.saturating_add(delay.max(1)));
        match lost.state.phase {
            _ if now == Instant::MAX => {} // it is due already
            Phase::Reconnecting(outage) => prop_assert_eq!(outage.attempt, due(first)),
            Phase::CountingDown(it) => prop_assert_eq!(it.outage.attempt, due(later)),
            Phase::Saving(_) => {} // a countdown of no length
            phase => prop_assert!(false, "{phase:?}"),
        }
    }

    #[test]
    fn a_sleep_moves_the_deadline_by_all_that_was_slept(
        now in 1_000_000..2_000_000u64,
        left in 1..400_000u64,
        slept in LATE_AFTER + 1..500_000u64,
        connect_timeout in 1..20_000u64,
    ) {
        let settings = Settings { connect_timeout, warn_before: vec![], ..Settings::default() };
        // It was due when this much was left, so this much is left after the sleep.
        let due = now - slept;
        let state = counting_down(due + left, 0);
        let woken = tick(state, Moment { due: Some(due), ..moment(now, &settings) });
        prop_assert_eq!(deadline(&woken), Some(now + left.max(connect_timeout.min(slept / 2))));
    }

    #[test]
    fn a_little_late_moves_nothing(
        now in 1_000_000..2_000_000u64,
        left in 1..400_000u64,
        late in 0..=LATE_AFTER,
    ) {
        let settings = Settings::default();
        let state = counting_down(now + left, 0);
        let woken = tick(state, Moment { due: Some(now - late), ..moment(now, &settings) });
        prop_assert_eq!(deadline(&woken), Some(now + left));
    }

    #[test]
    fn a_sleep_never_brings_the_deadline_nearer_and_a_longer_one_takes_it_further(
        before in edgy(),
        (now, due) in (edgy(), edgy()),
        longer in any::<u64>(),
        settings in settings(),
    ) {
        // Rendering, so that the deadline itself ends nothing.
        let settings = Settings { render_wait: u64::MAX, ..settings };
        let woken = |now| {
            let rendering = Scene { modified: true, untitled: false, rendering: true };
            let moment = Moment {
                due: Some(due),
                scene: Some(rendering),
                ..moment(now, &settings)
            };
            deadline(&tick(counting_down(before, 0), moment))
        };
        if now < Instant::MAX && let (Some(after), Some(later)) =
            (woken(now), woken(now.saturating_add(longer).min(Instant::MAX - 1)))
        {
            prop_assert!(before <= after && after <= later, "{before}, {after}, {later}");
        }
    }

    #[test]
    fn an_extension_moves_the_deadline_by_itself(
        (now, left, by) in (edgy(), 1..=u64::MAX, edgy()),
    ) {
        let settings = Settings { warn_before: vec![], ..Settings::default() };
        let end = now.saturating_add(left);
        let more = on_request(counting_down(end, 0), moment(now, &settings), Request::Extend(by));
        if now < end {
            prop_assert_eq!(deadline(&more), Some(end.saturating_add(by)));
        }
    }

    #[test]
    fn the_save_is_asked_for_at_the_deadline_and_not_a_millisecond_before(
        end in 1..=u64::MAX,
        late in edgy(),
        settings in settings(),
    ) {
        let before = tick(counting_down(end, 0), moment(end - 1, &settings));
        prop_assert_eq!(deadline(&before), Some(end));
        let after = tick(counting_down(end, 0), moment(end.saturating_add(late), &settings));
        prop_assert!(matches!(after.state.phase, Phase::Saving(_)));
    }

    #[test]
    fn a_render_puts_the_save_off_by_what_is_allowed_and_not_a_millisecond_more(
        end in 1..1_000_000u64,
        render_wait in 0..1_000_000u64,
        early in 1..1_000_000u64,
    ) {
        let settings = Settings { render_wait, ..Settings::default() };
        let at = |now| {
            let rendering = Scene { modified: true, untitled: false, rendering: true };
            let moment = Moment { scene: Some(rendering), ..moment(now, &settings) };
            tick(counting_down(end, 0), moment)
        };
        prop_assert!(matches!(at(end + render_wait).state.phase, Phase::Saving(_)));
        let before = at((end + render_wait).saturating_sub(early));
        prop_assert_eq!(deadline(&before), Some(end));
    }

    #[test]
    fn each_warning_is_given_once_in_its_time(
        length in 2..400_000u64,
        warn_before in proptest::collection::vec(1..400_000u64, 0..5),
    ) {
        let settings = Settings { warn_before, cleanup_timeout: length, ..Settings::default() };
        let mut due: Vec<_> = settings.warn_before.iter().copied().filter(|&it| it < length).collect();
        due.sort_unstable_by(|one, other| other.cmp(one));
        due.dedup();
        let mut given = vec![];
        let mut countdown = countdown::begin(outage(0), &settings, 0);
        let mut now = 0;
        while now < length {
            given.extend(countdown::warning(&mut countdown, &settings, now));
            let next = countdown::wake_at(&countdown, &settings, now);
            prop_assert!(now < next, "woken again at {now}");
            now = next;
        }
        prop_assert_eq!(given, due);
        prop_assert_eq!(now, length);
    }
}

#[test]
fn a_fleet_is_spread_evenly_by_the_delay_between() {
    const DRAWS: u64 = 1 << 16;
    let settings = Settings::default();
    let mut seconds = [0; 10];
    for draw in 0..DRAWS {
        // As a fleet draws: bits that have nothing to do with each other.
        let bits = draw.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = bits ^ (bits >> 27);
        seconds[(spread(&settings, Some(bits)) / 1_000).min(9) as usize] += 1;
    }
    // A share of 8.75 s on average: 11.5 % in each second, up to where the shortest ends.
    for (second, often) in seconds.iter().enumerate().take(7) {
        assert!((7_200..7_900).contains(often), "{second}: {seconds:?}");
    }
    assert!(seconds[9] < 1_500, "{seconds:?}");
}

#[test]
fn each_delay_within_the_jitter_is_as_likely_as_any_other() {
    const DRAWS: u64 = 1 << 16;
    for jitter in 0..20u64 {
        let settings = delays(1_000, 1_000, jitter);
        let mut often = vec![0; 2 * jitter as usize + 1];
        for draw in 0..DRAWS {
            let moved = exponential(&settings, 0, Some(draw * (u64::MAX / DRAWS + 1)));
            often[(moved + jitter - 1_000) as usize] += 1;
        }
        let share = DRAWS / (2 * jitter + 1);
        assert!(
            often.iter().all(|it| (share..=share + 1).contains(it)),
            "{jitter}: {often:?}"
        );
    }
}
