//! What is when nobody says otherwise: the settings that `wit/policy.wit` documents, and a bare moment.

use crate::types::{Instant, Moment, Settings};
use alloc::vec;

impl Default for Settings {
    /// Durations in milliseconds.
    fn default() -> Self {
        Settings {
            retry_attempts: 5,
            retry_delay: 2_000,
            retry_delay_max: 10_000,
            retry_jitter: 500,
            connect_timeout: 10_000,
            cleanup_timeout: 300_000,
            warn_before: vec![60_000, 10_000],
            render_wait: 0,
        }
    }
}

impl Moment {
    /// `now`, and nothing else known.
    pub fn at(now: Instant) -> Self {
        Moment {
            now,
            due: None,
            entropy: None,
            settings: None,
            scene: None,
            cut_off: None,
        }
    }
}
