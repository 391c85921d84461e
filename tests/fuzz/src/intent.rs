//! What the default policy's machine is meant to do, one step at a time.
//!
//! Written from `wit/policy.wit` and from what is promised to people, not from the machine. Panics
//! at the first step that breaks a promise.

use lifeline::Call;
use lifeline::contract::{
    Action, Attempt, Countdown, Decision, Moment, Outage, Phase, Place, Request, Settings, State,
};

/// A call that is this much later than it was asked for means that nobody was awake (milliseconds).
const LATE_AFTER: u64 = 1_000;
/// Half a billion years after the start sums of instants may no longer fit (milliseconds).
const EDGE: u64 = u64::MAX / 4;

/// Holds one step of a course against what the machine is meant to do. `connected`: the line now.
pub fn check(before: &State, call: &Call, moment: &Moment, decision: &Decision, connected: bool) {
    let step = Step {
        before,
        call,
        moment,
        decision,
        settings: moment.settings.clone().unwrap_or_default(),
        excess: sleep(moment),
    };
    assert_eq!(decision.state.seen, moment.now, "the state is of this call");
    assert_eq!(
        connected,
        decision.state.phase == Phase::Connected,
        "the phase follows the line: {call:?}"
    );
    if connected {
        assert_eq!(decision.actions, [], "while connected nothing is asked for");
        assert_eq!(decision.wake_at, None, "while connected nothing is pending");
        return;
    }
    step.saves_and_quits();
    step.holds();
    if step.is_within_time() {
        step.wakes();
        step.attempts();
        step.countdown();
    }
}

/// Time in which nobody was awake.
fn sleep(moment: &Moment) -> u64 {
    let late = moment.due.map_or(0, |due| moment.now.saturating_sub(due));
    if late > LATE_AFTER { late } else { 0 }
}

struct Step<'a> {
    before: &'a State,
    call: &'a Call,
    moment: &'a Moment,
    decision: &'a Decision,
    settings: Settings,
    excess: u64,
}

impl Step<'_> {
    /// No sum of instants and lengths reaches the end of time.
    fn is_within_time(&self) -> bool {
        let settings = &self.settings;
        let deadline = match &self.before.phase {
            Phase::CountingDown(countdown) => countdown.deadline,
            _ => 0,
        };
        let extended = self.before.phase.outage().map_or(0, |it| it.extended);
        let asked = match self.call {
            Call::OnRequest(Request::Extend(by)) => *by,
            _ => 0,
        };
        let lengths = [
            asked,
            self.moment.now,
            settings.retry_delay,
            settings.retry_delay_max,
            settings.retry_jitter,
            settings.connect_timeout,
            settings.cleanup_timeout,
            settings.render_wait,
            deadline,
            extended,
        ];
        lengths.iter().all(|&it| it < EDGE)
    }

    fn wakes(&self) {
        let wake = self.decision.wake_at.expect("an outage is woken");
        // A save goes first; what is due beside it is done at once afterwards.
        let saves = self
            .decision
            .actions
            .contains(&Action::Save(Place::InPlace));
        assert!(
            saves || wake >= self.moment.now,
            "it is woken at {wake}, not before {}",
            self.moment.now
        );
    }

    fn saves_and_quits(&self) {
        let actions = &self.decision.actions;
        let phase = &self.decision.state.phase;
        let asks = |wanted: Action| actions.iter().filter(|it| **it == wanted).count();
        let saves = [Place::InPlace, Place::Recovery].map(|place| asks(Action::Save(place)));
        match (&self.before.phase, phase) {
            (Phase::Saving(old), Phase::Saving(new)) if old.place == new.place => {
                assert_eq!(saves, [0, 0], "a save is asked for once");
            }
            (_, Phase::Saving(new)) => {
                let wanted = match new.place {
                    Place::InPlace => [1, 0],
                    Place::Recovery => [0, 1],
                };
                assert_eq!(saves, wanted, "saving asks for its save");
                assert_eq!(new.since, self.moment.now);
            }
            _ => assert_eq!(saves, [0, 0], "only saving asks for a save"),
        }
        let quits = asks(Action::Quit);
        let Call::OnSaved(outcome) = self.call else {
            assert_eq!(quits, 0, "nothing quits before a save was answered");
            return;
        };
        let Phase::Saving(saving) = &self.before.phase else {
            assert_eq!(quits, 0, "only an answered save quits");
            return;
        };
        let quits_now = outcome.is_ok() || saving.place == Place::Recovery;
        assert_eq!(quits, usize::from(quits_now), "an answered save quits");
        match phase {
            Phase::Quitting(_) => assert!(quits_now),
            Phase::Saving(next) => {
                assert!(
                    !quits_now && next.place == Place::Recovery,
                    "a copy is tried next"
                );
            }
            other => panic!("an answered save leads to {other:?}"),
        }
    }

    fn attempts(&self) {
        let begun = self
            .decision
            .actions
            .iter()
            .filter(|it| **it == Action::Connect)
            .count();
        assert!(begun <= 1, "one attempt at a time");
        let Some(new) = self.decision.state.phase.outage() else {
            return;
        };
        if let Some(old) = self.before.phase.outage() {
            // One that a sleep has cut off is begun again, not once more.
            let again = self.excess > 0 && matches!(old.attempt, Attempt::UnderWay(_));
            let counted = u32::from(begun == 1 && !again);
            let expected = old.attempts.saturating_add(counted);
            assert_eq!(new.attempts, expected, "every attempt begun is counted");
            assert_eq!((new.lost_at, new.why), (old.lost_at, old.why));
        }
        if begun == 1 {
            assert_eq!(
                new.attempt,
                Attempt::UnderWay(
                    self.moment
                        .now
                        .saturating_add(self.settings.connect_timeout)
                ),
                "an attempt has its time"
            );
        }
        // One that has just been given up, or lost.
        let fresh = match (self.before.phase.outage().map(|it| it.attempt), new.attempt) {
            (Some(Attempt::UnderWay(_)) | None, Attempt::Due(at)) if self.excess == 0 => Some(at),
            _ => None,
        };
        if let Some(at) = fresh {
            self.delay(new, at.saturating_sub(self.moment.now));
        }
    }

    /// Delays stay within the back-off's bounds.
    fn delay(&self, outage: &Outage, delay: u64) {
        let settings = &self.settings;
        let longest = settings.retry_delay_max;
        let (least, most) = if outage.attempts < settings.retry_attempts {
            let doubled = u128::from(settings.retry_delay) << outage.attempts.min(63);
            let plain = u64::try_from(doubled).unwrap_or(u64::MAX).min(longest);
            (
                plain.saturating_sub(settings.retry_jitter),
                plain.saturating_add(settings.retry_jitter),
            )
        } else if outage.attempts == settings.retry_attempts {
            (0, longest)
        } else {
            (longest - longest / 4, longest)
        };
        assert!(
            (least.max(1)..=most.max(1)).contains(&delay),
            "a delay of {delay} is not within {least} and {most}"
        );
    }

    fn countdown(&self) {
        let settings = &self.settings;
        let now = self.moment.now;
        for action in &self.decision.actions {
            let Action::Warn(left) = action else { continue };
            let remaining = match &self.decision.state.phase {
                Phase::CountingDown(it) => it.deadline.saturating_sub(now),
                // Of a countdown without length, which was over at once.
                Phase::Saving(_) => 0,
                other => panic!("a warning in {other:?}"),
            };
            assert_eq!(*left, remaining, "what is left");
        }
        match (&self.before.phase, &self.decision.state.phase) {
            (Phase::CountingDown(old), Phase::CountingDown(new)) => self.deadline(old, new),
            (before, Phase::CountingDown(new)) => {
                let length = settings.cleanup_timeout.saturating_add(new.outage.extended);
                assert_eq!(
                    new.deadline,
                    now.saturating_add(length),
                    "all of it is left"
                );
                assert!(
                    new.outage.attempts >= settings.retry_attempts,
                    "the first attempts are spent before a countdown: {} of {}",
                    new.outage.attempts,
                    settings.retry_attempts
                );
                assert!(
                    !matches!(before, Phase::Saving(_) | Phase::Quitting(_)),
                    "no way back from {before:?}"
                );
            }
            (Phase::CountingDown(old), Phase::Saving(_)) => {
                let asked = matches!(self.call, Call::OnRequest(Request::CloseNow));
                assert!(
                    asked || now >= old.deadline,
                    "nothing is saved before the deadline"
                );
            }
            (before, Phase::Reconnecting(outage)) => {
                let waits = matches!(outage.attempt, Attempt::Due(_));
                // News of the attempt under way, or of the loss itself.
                let told = match (self.call, before) {
                    (Call::OnConnectError(_), Phase::Reconnecting(old)) => {
                        matches!(old.attempt, Attempt::UnderWay(_))
                    }
                    (Call::OnDisconnect(_), Phase::Connected) => true,
                    _ => false,
                };
                if waits && told && self.excess == 0 {
                    assert!(
                        outage.attempts < settings.retry_attempts,
                        "{} of {} attempts have failed: it counts down",
                        outage.attempts,
                        settings.retry_attempts
                    );
                }
            }
            _ => {}
        }
        if let Phase::CountingDown(countdown) = &self.decision.state.phase {
            self.deadline_holds(countdown);
        }
    }

    fn deadline_holds(&self, countdown: &Countdown) {
        let now = self.moment.now;
        let wake = self.decision.wake_at.expect("an outage is woken");
        let rendering = self.moment.scene.is_some_and(|it| it.rendering);
        let wait = if rendering {
            self.settings.render_wait
        } else {
            0
        };
        let limit = countdown.deadline.saturating_add(wait);
        if matches!(self.before.phase, Phase::CountingDown(_)) {
            assert!(now < limit, "the deadline holds");
        }
        // One without length, that begins now, is over at the next call; with a wait for renders
        // that comes within a second.
        let latest = limit.max(now.saturating_add(self.settings.render_wait.min(1_000)));
        assert!(wake <= latest, "woken at {wake}, after {latest}");
    }

    /// A deadline moves for sleep and for people, and for nothing else.
    fn deadline(&self, old: &Countdown, new: &Countdown) {
        let asked = match self.call {
            Call::OnRequest(Request::Extend(by)) => *by,
            _ => 0,
        };
        let least = old
            .deadline
            .saturating_add(self.excess)
            .saturating_add(asked);
        if self.excess == 0 {
            assert_eq!(new.deadline, least, "the deadline stays");
        } else {
            let one_attempt = self
                .moment
                .now
                .saturating_add(self.settings.connect_timeout.min(self.excess / 2))
                .saturating_add(asked);
            assert_eq!(
                new.deadline,
                least.max(one_attempt),
                "only sleep is discounted"
            );
        }
    }

    fn holds(&self) {
        let held = |phase: &Phase| matches!(phase, Phase::Held(_));
        let (was, is) = (held(&self.before.phase), held(&self.decision.state.phase));
        match self.call {
            Call::OnRequest(Request::Hold) => assert!(is, "a hold holds"),
            Call::OnRequest(Request::Release) => assert!(!is, "a release releases"),
            Call::OnRequest(Request::CloseNow) => assert!(!is, "close now ends a hold"),
            _ => assert_eq!(was, is, "only people hold and release"),
        }
    }
}
