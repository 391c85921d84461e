//! How long anything may take, by the settings.

use super::{OUTAGE_LIMIT, UNSAVED_WAIT};
use crate::settings::Settings;

/// The settings, as far as they bound anything (milliseconds).
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub floor: u64,
    pub unsaved_wait: u64,
    /// An outage that five-minutes decides has its save asked for within this.
    pub outage: u64,
    /// The same, if another policy has to be disabled first.
    pub outage_of_others: u64,
    /// A file that is never verified is waited for so long.
    pub verified: u64,
    /// A connection that is lost within this has not ended the outage.
    pub lasting: u64,
}

impl Bounds {
    /// From the settings, and not from what is under test.
    pub fn new(settings: &Settings) -> Self {
        let timing = &settings.timing;
        let attempt = timing.retry_delay_max + timing.retry_jitter + timing.connect_timeout;
        // The first attempt of all is not counted.
        let attempts = u64::from(timing.retry_attempts) + 1;
        let outage = attempts * attempt + timing.cleanup_timeout;
        Bounds {
            floor: settings.quit_floor,
            unsaved_wait: UNSAVED_WAIT * 1_000,
            outage,
            // What is not over then is disabled, and five-minutes counts down.
            outage_of_others: OUTAGE_LIMIT * 1_000 + outage + timing.cleanup_timeout,
            verified: 600_000,
            lasting: 3 * timing.retry_delay_max,
        }
    }
}
