//! The countdown: its deadline, its warnings, and what may put it off.

use crate::contract::{Countdown, Duration, Instant, Moment, Outage, Settings};

/// How often a countdown that waits for a render looks again, in milliseconds.
const RENDER_RECHECK: Duration = 1_000;

/// A countdown that begins now, with all of `cleanup-timeout` before it.
pub fn begin(outage: Outage, settings: &Settings, now: Instant) -> Countdown {
    let length = settings.cleanup_timeout.saturating_add(outage.extended);
    Countdown {
        deadline: now.saturating_add(length),
        warned: length,
        outage,
    }
}

pub fn remaining(countdown: &Countdown, now: Instant) -> Duration {
    countdown.deadline.saturating_sub(now)
}

/// The warning that is due, if any: what it has to say is left.
pub fn warning(countdown: &mut Countdown, settings: &Settings, now: Instant) -> Option<Duration> {
    let left = remaining(countdown, now);
    let due = settings
        .warn_before
        .iter()
        .any(|&at| at < countdown.warned && left <= at);
    due.then(|| {
        countdown.warned = left;
        left
    })
}

/// Whether it is time to save: the deadline has passed, and no render holds it up.
pub fn is_over(countdown: &Countdown, settings: &Settings, moment: &Moment) -> bool {
    let limit = match &moment.scene {
        Some(scene) if scene.rendering => countdown.deadline.saturating_add(settings.render_wait),
        _ => countdown.deadline,
    };
    moment.now >= limit
}

/// When the countdown next wants to be looked at, attempts to connect aside.
pub fn wake_at(countdown: &Countdown, settings: &Settings, now: Instant) -> Instant {
    if now >= countdown.deadline {
        let limit = countdown.deadline.saturating_add(settings.render_wait);
        return limit.min(now.saturating_add(RENDER_RECHECK));
    }
    settings
        .warn_before
        .iter()
        .filter(|&&at| at < countdown.warned)
        .map(|&at| countdown.deadline.saturating_sub(at))
        .fold(countdown.deadline, Instant::min)
}
