//! What the default policy does, told as stories: one per rule of the design, each delay and each
//! deadline as a number (milliseconds).

use crate::contract::{
    Action, Attempt, ConnectError, Decision, Loss, Moment, Phase, Place, Request, Scene, Settings,
    State,
};
use crate::{on_connect, on_connect_error, on_disconnect, on_request, on_saved, start, tick};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

/// Plays the host: keeps the state, calls `tick` when asked to, and writes down every action.
struct Story {
    now: u64,
    state: State,
    wake_at: Option<u64>,
    settings: Option<Settings>,
    rendering: bool,
    entropy: Option<u64>,
    log: Vec<(u64, Action)>,
    ticks: u32,
}

impl Story {
    fn connected() -> Self {
        Story {
            now: 0,
            state: State {
                phase: Phase::Connected,
                seen: 0,
                memo: vec![],
            },
            wake_at: None,
            settings: None,
            rendering: false,
            entropy: None,
            log: vec![],
            ticks: 0,
        }
    }

    /// The server died at 0; all attempts were refused at once. The time is 34 000.
    fn counting_down() -> Self {
        let mut story = Story::connected();
        story.lose();
        story.refuse_until(34_000);
        story
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            due: self.wake_at,
            entropy: self.entropy,
            settings: self.settings.clone(),
            scene: Some(Scene {
                modified: true,
                untitled: false,
                rendering: self.rendering,
            }),
            cut_off: None,
        }
    }

    fn apply(&mut self, decision: Decision) {
        self.log
            .extend(decision.actions.iter().map(|&action| (self.now, action)));
        self.state = decision.state;
        self.wake_at = decision.wake_at;
    }

    fn lose(&mut self) {
        self.apply(on_disconnect(
            self.state.clone(),
            self.moment(),
            Loss::TransportError,
        ));
    }

    fn reach(&mut self) {
        self.apply(on_connect(self.state.clone(), self.moment()));
    }

    fn refuse(&mut self) {
        let why = ConnectError::Unreachable;
        self.apply(on_connect_error(self.state.clone(), self.moment(), why));
    }

    fn saved(&mut self, outcome: Result<(), &str>) {
        let outcome = outcome.map_err(|reason| reason.to_string());
        self.apply(on_saved(self.state.clone(), self.moment(), outcome));
    }

    fn request(&mut self, request: Request) {
        self.apply(on_request(self.state.clone(), self.moment(), request));
    }

    fn tick_at(&mut self, now: u64) {
        self.ticks += 1;
        assert!(self.ticks < 10_000, "woken for ever: {:?}", self.state);
        self.now = now;
        self.apply(tick(self.state.clone(), self.moment()));
    }

    /// Wakes the machine whenever it asked to be, up to and including `end`; nobody answers.
    fn silent_until(&mut self, end: u64) {
        while let Some(at) = self.wake_at.filter(|&at| at <= end) {
            self.tick_at(at.max(self.now));
        }
        self.now = end;
    }

    /// The same, with every attempt refused at once.
    fn refuse_until(&mut self, end: u64) {
        while let Some(at) = self.wake_at.filter(|&at| at <= end) {
            let before = self.log.len();
            self.tick_at(at.max(self.now));
            if self.log[before..]
                .iter()
                .any(|(_, action)| *action == Action::Connect)
            {
                self.refuse();
            }
        }
        self.now = end;
    }

    fn times_of(&self, action: Action) -> Vec<u64> {
        self.log
            .iter()
            .filter(|(_, done)| *done == action)
            .map(|(at, _)| *at)
            .collect()
    }

    fn deadline(&self) -> u64 {
        match &self.state.phase {
            Phase::CountingDown(countdown) => countdown.deadline,
            other => panic!("not counting down: {other:?}"),
        }
    }
}

const SAVE: Action = Action::Save(Place::InPlace);
const SAVE_COPY: Action = Action::Save(Place::Recovery);

// Rule 1: attempts after 2, 4, 8, 10 and 10 s.

#[test]
fn a_lost_line_is_tried_five_times_with_growing_delays() {
    let mut story = Story::connected();
    story.now = 1_000;
    story.lose();
    assert!(
        story.log.is_empty(),
        "the first attempt waits for its delay"
    );
    story.refuse_until(35_000);
    assert_eq!(
        story.times_of(Action::Connect),
        [3_000, 7_000, 15_000, 25_000, 35_000]
    );
}

#[test]
fn jitter_moves_the_five_attempts_between_31_5_and_36_5_seconds() {
    for (entropy, spent) in [(0, 31_500), (u64::MAX, 36_500)] {
        let mut story = Story::connected();
        story.entropy = Some(entropy);
        story.lose();
        let mut connects = vec![];
        while connects.len() < 5 {
            let at = story.wake_at.expect("an outage wants to be woken");
            story.refuse_until(at);
            connects = story.times_of(Action::Connect);
        }
        assert_eq!(connects[4], spent);
        assert_eq!(story.deadline(), spent + 300_000);
    }
}

#[test]
fn an_attempt_without_an_answer_fails_after_its_time_out() {
    let mut story = Story::connected();
    story.lose();
    story.silent_until(12_000);
    let Phase::Reconnecting(outage) = &story.state.phase else {
        panic!("{:?}", story.state)
    };
    assert_eq!((outage.attempts, outage.attempt), (1, Attempt::Due(16_000)));
}

// Rule 2: all spent: a deadline 300 s later, a warning, and more attempts.

#[test]
fn the_fifth_failure_starts_the_countdown_with_a_warning() {
    let story = Story::counting_down();
    assert_eq!(story.deadline(), 334_000);
    assert_eq!(story.times_of(Action::Warn(300_000)), [34_000]);
}

#[test]
fn the_countdown_keeps_trying_at_an_even_pace_and_warns_before_the_end() {
    let mut story = Story::counting_down();
    story.refuse_until(333_999);
    // Without entropy each delay is its middle, 8.75 s, and the one before the first half of that.
    let late: Vec<u64> = story
        .times_of(Action::Connect)
        .into_iter()
        .filter(|&at| at > 34_000)
        .collect();
    assert_eq!(late, (38_375..334_000).step_by(8_750).collect::<Vec<_>>());
    assert_eq!(story.times_of(Action::Warn(60_000)), [274_000]);
    assert_eq!(story.times_of(Action::Warn(10_000)), [324_000]);
    assert!(story.times_of(SAVE).is_empty());
}

#[test]
fn the_countdown_tells_of_five_attempts_whatever_the_jitter() {
    let mut story = Story::connected();
    story.lose();
    story.refuse_until(33_999);
    story.entropy = Some(0);
    story.tick_at(34_000);
    story.refuse();
    let Phase::CountingDown(countdown) = &story.state.phase else {
        panic!("{:?}", story.state)
    };
    assert_eq!(countdown.outage.attempts, 5);
    assert_eq!(countdown.outage.attempt, Attempt::Due(34_001));
}

#[test]
fn no_first_attempts_means_the_countdown_starts_at_once() {
    let mut story = Story::connected();
    story.settings = Some(Settings {
        retry_attempts: 0,
        ..Settings::default()
    });
    story.lose();
    assert_eq!(story.deadline(), 300_000);
}

// Rule 3: the server back at any time before the end cancels everything.

#[test]
fn back_within_the_first_attempts_nothing_happens() {
    let mut story = Story::connected();
    story.lose();
    story.silent_until(2_000);
    story.reach();
    assert_eq!((story.state.phase, story.wake_at), (Phase::Connected, None));
    assert_eq!(story.log, [(2_000, Action::Connect)]);
}

#[test]
fn back_after_all_attempts_were_spent_the_countdown_is_cancelled() {
    let mut story = Story::counting_down();
    story.silent_until(200_000);
    story.reach();
    assert_eq!(
        (&story.state.phase, story.wake_at),
        (&Phase::Connected, None)
    );
    story.tick_at(334_000);
    assert_eq!(story.state.phase, Phase::Connected);
    assert!(story.times_of(SAVE).is_empty());
}

#[test]
fn back_while_a_save_is_running_it_does_not_quit() {
    let mut story = Story::counting_down();
    story.silent_until(334_000);
    assert_eq!(story.times_of(SAVE), [334_000]);
    story.reach();
    story.saved(Ok(()));
    assert_eq!(story.state.phase, Phase::Connected);
    assert!(story.times_of(Action::Quit).is_empty());
}

#[test]
fn a_second_outage_starts_from_the_beginning() {
    let mut story = Story::counting_down();
    story.reach();
    story.now = 100_000;
    story.lose();
    story.refuse_until(134_000);
    assert_eq!(story.deadline(), 434_000);
}

#[test]
fn a_second_loss_in_the_same_outage_changes_nothing() {
    let mut story = Story::counting_down();
    story.now = 35_000;
    story.lose();
    assert_eq!(story.deadline(), 334_000);
}

// Rule 4: the deadline: save, then quit; a failed save is tried as a recovery copy.

#[test]
fn at_the_deadline_it_saves_then_quits() {
    let mut story = Story::counting_down();
    story.refuse_until(333_999);
    assert!(story.times_of(SAVE).is_empty());
    story.refuse_until(334_000);
    assert_eq!(story.times_of(SAVE), [334_000]);
    story.now = 334_500;
    story.saved(Ok(()));
    assert_eq!(story.times_of(Action::Quit), [334_500]);
    assert!(matches!(story.state.phase, Phase::Quitting(_)));
}

#[test]
fn a_failed_save_is_followed_by_a_recovery_copy_then_quit() {
    for outcome in [Ok(()), Err("disk full")] {
        let mut story = Story::counting_down();
        story.refuse_until(334_000);
        story.saved(Err("read-only"));
        assert_eq!(story.times_of(SAVE_COPY), [334_000]);
        assert!(story.times_of(Action::Quit).is_empty());
        story.saved(outcome);
        assert_eq!(story.times_of(Action::Quit), [334_000]);
    }
}

#[test]
fn saving_and_quitting_go_on_trying_to_connect() {
    let mut story = Story::counting_down();
    story.refuse_until(360_000);
    assert!(matches!(story.state.phase, Phase::Saving(_)));
    assert_eq!(
        story.times_of(SAVE),
        [334_000],
        "one save, however long it takes"
    );
    story.saved(Ok(()));
    story.refuse_until(380_000);
    assert_eq!(
        story.times_of(Action::Quit),
        [360_000],
        "one quit, however long it takes"
    );
    let late = story.times_of(Action::Connect);
    assert!(late.iter().any(|&at| at > 360_000) && late.iter().any(|&at| at > 334_000));
}

#[test]
fn an_answer_to_no_save_is_ignored() {
    let mut story = Story::counting_down();
    story.saved(Ok(()));
    assert_eq!(story.deadline(), 334_000);
    assert!(story.times_of(Action::Quit).is_empty());
}

// Rule 5: time in which nobody was awake does not count.

#[test]
fn a_late_tick_moves_the_deadline_and_tries_first() {
    let mut story = Story::counting_down();
    story.silent_until(35_000);
    let due = story.wake_at.expect("woken in a countdown");
    assert_eq!(due, 38_375);
    story.tick_at(due + 600_000);
    assert_eq!(story.deadline(), 934_000);
    assert_eq!(story.log.last(), Some(&(638_375, Action::Connect)));
}

#[test]
fn a_tick_that_is_late_for_the_deadline_itself_leaves_time_for_one_attempt() {
    let mut story = Story::counting_down();
    story.refuse_until(333_000);
    // The deadline is what it waits for: move it close, then sleep across it.
    story.settings = Some(Settings {
        retry_delay_max: 600_000,
        ..Settings::default()
    });
    story.refuse_until(333_999);
    story.tick_at(500_000);
    assert!(story.times_of(SAVE).is_empty());
    assert_eq!(story.log.last(), Some(&(500_000, Action::Connect)));
    assert!(story.deadline() >= 510_000, "{}", story.deadline());
    story.refuse();
    story.refuse_until(story.deadline());
    assert_eq!(story.times_of(SAVE).len(), 1);
}

#[test]
fn a_process_that_is_stopped_again_and_again_gets_to_its_end() {
    let mut story = Story::counting_down();
    story.settings = Some(Settings {
        retry_delay_max: 1_000,
        ..Settings::default()
    });
    story.refuse_until(330_000);
    let mut awake = 0;
    // Stopped for 2.2 s, awake for 2 s.
    while story.times_of(SAVE).is_empty() {
        story.now += 2_200;
        let now = story.now;
        story.tick_at(now);
        story.refuse();
        let end = story.now + 2_000;
        story.refuse_until(end);
        awake += 2_000;
        assert!(awake < 60_000, "{:?}", story.state);
    }
}

#[test]
fn a_little_late_is_not_late() {
    let mut story = Story::counting_down();
    let due = story.wake_at.expect("woken in a countdown");
    story.tick_at(due + 1_000);
    assert_eq!(story.deadline(), 334_000);
    story.refuse();
    let due = story.wake_at.expect("woken in a countdown");
    story.tick_at(due + 1_001);
    assert_eq!(story.deadline(), 335_001);
}

#[test]
fn the_answer_to_an_attempt_from_before_the_sleep_does_not_spend_the_new_one() {
    let mut story = Story::connected();
    story.lose();
    story.silent_until(2_000);
    story.now = 100_000;
    story.refuse();
    let Phase::Reconnecting(outage) = &story.state.phase else {
        panic!("{:?}", story.state)
    };
    assert_eq!(
        (outage.attempts, outage.attempt),
        (1, Attempt::UnderWay(110_000))
    );
    assert_eq!(story.times_of(Action::Connect), [2_000, 100_000]);
}

#[test]
fn the_connect_of_the_start_is_not_counted_after_a_sleep_either() {
    let mut story = Story::connected();
    story.apply(start(story.moment()));
    story.now = 100_000;
    story.refuse();
    let Phase::Reconnecting(outage) = &story.state.phase else {
        panic!("{:?}", story.state)
    };
    assert_eq!(
        (outage.attempts, outage.attempt),
        (0, Attempt::UnderWay(110_000))
    );
}

#[test]
fn an_early_tick_does_nothing() {
    let mut story = Story::counting_down();
    let before = (story.state.phase, story.wake_at);
    let actions = story.log.len();
    story.tick_at(34_001);
    assert_eq!(
        (story.state.phase, story.wake_at, story.log.len()),
        (before.0, before.1, actions)
    );
}

// Rule 6: a server that was never reached.

#[test]
fn blender_started_beside_a_dead_server_counts_down_too() {
    let mut story = Story::connected();
    story.apply(start(story.moment()));
    assert_eq!(story.log, [(0, Action::Connect)]);
    story.refuse();
    story.refuse_until(34_000);
    let retries = [0, 2_000, 6_000, 14_000, 24_000, 34_000];
    assert_eq!(story.times_of(Action::Connect), retries);
    assert_eq!(story.deadline(), 334_000);
    let Phase::CountingDown(countdown) = &story.state.phase else {
        unreachable!()
    };
    assert_eq!(countdown.outage.why, Loss::NeverConnected);
}

// Rule 7: hold, extend, release, close now.

#[test]
fn held_it_stays_and_keeps_trying() {
    let mut story = Story::counting_down();
    story.request(Request::Hold);
    story.refuse_until(1_000_000);
    assert!(matches!(story.state.phase, Phase::Held(_)));
    assert!(story.times_of(SAVE).is_empty());
    assert!(
        story
            .times_of(Action::Connect)
            .iter()
            .any(|&at| at > 900_000)
    );
    story.reach();
    assert_eq!(story.state.phase, Phase::Connected);
}

#[test]
fn released_the_countdown_starts_afresh() {
    let mut story = Story::counting_down();
    story.request(Request::Hold);
    story.refuse_until(1_000_000);
    story.request(Request::Release);
    assert_eq!(story.deadline(), 1_300_000);
    assert_eq!(story.log.last(), Some(&(1_000_000, Action::Warn(300_000))));
}

#[test]
fn released_within_the_first_attempts_they_go_on() {
    let mut story = Story::connected();
    story.lose();
    story.request(Request::Hold);
    story.request(Request::Release);
    story.refuse_until(34_000);
    assert_eq!(story.deadline(), 334_000);
}

#[test]
fn extended_the_deadline_moves_and_the_warnings_come_again() {
    let mut story = Story::counting_down();
    story.silent_until(274_000);
    story.request(Request::Extend(300_000));
    assert_eq!(story.deadline(), 634_000);
    story.silent_until(633_999);
    assert_eq!(story.times_of(Action::Warn(60_000)), [274_000, 574_000]);
}

#[test]
fn extended_before_the_countdown_it_is_added_to_it() {
    let mut story = Story::connected();
    story.lose();
    story.request(Request::Extend(60_000));
    story.refuse_until(34_000);
    assert_eq!(story.deadline(), 394_000);
}

#[test]
fn close_now_saves_at_once_from_any_waiting_phase() {
    let mut reconnecting = Story::connected();
    reconnecting.lose();
    let mut held = Story::counting_down();
    held.request(Request::Hold);
    for mut story in [reconnecting, Story::counting_down(), held] {
        story.request(Request::CloseNow);
        assert_eq!(story.times_of(SAVE), [story.now]);
        story.request(Request::CloseNow);
        assert_eq!(story.times_of(SAVE).len(), 1, "asked for once");
    }
}

#[test]
fn hold_stops_a_quit_that_has_not_happened_yet() {
    let mut story = Story::counting_down();
    story.refuse_until(334_000);
    story.request(Request::Hold);
    story.saved(Ok(()));
    assert!(matches!(story.state.phase, Phase::Held(_)));
    assert!(story.times_of(Action::Quit).is_empty());
}

#[test]
fn requests_mean_nothing_while_connected() {
    for request in [
        Request::Hold,
        Request::Extend(1),
        Request::Release,
        Request::CloseNow,
    ] {
        let mut story = Story::connected();
        story.request(request);
        assert_eq!((story.state.phase, story.wake_at), (Phase::Connected, None));
        assert!(story.log.is_empty());
    }
}

// Rule 8: a server that says goodbye.

#[test]
fn a_goodbye_is_followed_by_attempts_and_the_countdown() {
    let mut story = Story::connected();
    let goodbye = Loss::ServerDisconnect;
    story.apply(on_disconnect(story.state.clone(), story.moment(), goodbye));
    story.refuse_until(34_000);
    assert_eq!(story.deadline(), 334_000);
}

// Renders.

#[test]
fn a_render_does_not_put_off_the_save_unless_the_settings_say_so() {
    let mut story = Story::counting_down();
    story.rendering = true;
    story.silent_until(334_000);
    assert_eq!(story.times_of(SAVE), [334_000]);
}

#[test]
fn a_render_puts_off_the_save_until_it_ends() {
    let mut story = Story::counting_down();
    story.settings = Some(Settings {
        render_wait: 60_000,
        ..Settings::default()
    });
    story.rendering = true;
    story.silent_until(340_000);
    assert!(story.times_of(SAVE).is_empty());
    story.rendering = false;
    story.silent_until(342_000);
    let saves = story.times_of(SAVE);
    assert!(
        matches!(saves[..], [at] if (340_001..=341_000).contains(&at)),
        "{saves:?}"
    );
}

#[test]
fn a_render_puts_off_the_save_no_longer_than_its_cap() {
    let mut story = Story::counting_down();
    story.settings = Some(Settings {
        render_wait: 60_000,
        ..Settings::default()
    });
    story.rendering = true;
    story.silent_until(400_000);
    assert_eq!(story.times_of(SAVE), [394_000]);
}

// What it must not disturb.

#[test]
fn the_memo_of_another_policy_is_left_alone() {
    let mut story = Story::connected();
    story.state.memo = vec![1, 2, 3];
    story.lose();
    story.silent_until(500_000);
    assert_eq!(story.state.memo, [1, 2, 3]);
}

#[test]
fn times_near_the_end_of_u64_do_not_wrap() {
    let mut story = Story::connected();
    story.now = u64::MAX - 1_000;
    story.settings = Some(Settings {
        retry_attempts: 0,
        ..Settings::default()
    });
    story.lose();
    assert_eq!(story.deadline(), u64::MAX);
    assert!(story.times_of(SAVE).is_empty());
}
