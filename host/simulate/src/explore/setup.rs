//! What a policy is explored with, and how far.

use super::property::Property;
use lifeline_contract::types::Settings;
use lifeline_core::guard;
use lifeline_core::{Config, Safe};

/// Beside the countdown of the settings, an outage that nobody holds must end within this long
/// (milliseconds): what `CR8_OUTAGE_LIMIT` is unless set.
const OUTAGE_LIMIT: u64 = 86_400_000;
/// What `CR8_QUIT_TIMEOUT` is unless set (milliseconds).
const QUIT_TIMEOUT: u64 = 30_000;
/// What an outage may take beyond its countdown (milliseconds).
const LEEWAY: u64 = 3_600_000;
/// The calls that an outage may take beyond those of its attempts.
const CALLS: u64 = 2_000;

/// What a policy is explored with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// For people.
    pub name: &'static str,
    /// As each call is told; None: the defaults, untold.
    pub settings: Option<Settings>,
    /// Calls are told what is open in Blender.
    pub scene_known: bool,
    /// So many connections, each call is told, did not last before.
    pub cut_off: Option<u32>,
    /// The rules that are not asked of the policy, of those that may be departed from.
    pub departs: Vec<Property>,
    /// What the clock shows when Blender starts.
    pub start: u64,
    /// Faults of one trace, beside the number that is asked for.
    pub fewer: u32,
    /// The guard's (milliseconds).
    pub floor: u64,
    /// The guard's (milliseconds).
    pub unsaved_wait: u64,
}

impl Setup {
    /// The settings as they are; a few seconds in place of minutes, which leaves room for more
    /// faults, on a clock that a number of 32 bits cannot hold, after connections that did not
    /// last; nothing at all; and untold.
    pub fn all(settings: &Settings, floor: u64, unsaved_wait: u64) -> Vec<Setup> {
        let as_set = Setup {
            name: "as set",
            settings: Some(settings.clone()),
            scene_known: true,
            cut_off: None,
            departs: Vec::new(),
            start: 0,
            fewer: 1,
            floor,
            unsaved_wait,
        };
        let compressed = Settings {
            retry_attempts: 1,
            retry_delay: 1_000,
            retry_delay_max: 2_000,
            retry_jitter: 500,
            connect_timeout: 1_000,
            cleanup_timeout: 3_000,
            warn_before: vec![1_000],
            render_wait: 1_000,
        };
        let nothing = Settings {
            retry_attempts: 0,
            retry_delay: 10,
            retry_delay_max: 10,
            retry_jitter: 0,
            connect_timeout: 100,
            cleanup_timeout: 0,
            warn_before: Vec::new(),
            render_wait: 0,
        };
        vec![
            as_set.clone(),
            Setup {
                name: "untold",
                settings: None,
                scene_known: false,
                ..as_set.clone()
            },
            Setup {
                name: "compressed",
                settings: Some(compressed),
                cut_off: Some(3),
                start: (1 << 32) - 5_000,
                fewer: 0,
                ..as_set.clone()
            },
            Setup {
                name: "all at zero",
                settings: Some(nothing),
                fewer: 0,
                ..as_set
            },
        ]
    }

    /// With settings that are not told, the contract's defaults hold.
    pub(super) fn timing(&self) -> Settings {
        self.settings.clone().unwrap_or_default()
    }

    /// What the host goes by.
    pub(crate) fn config(&self) -> Config {
        let timing = self.timing();
        Config {
            username: String::new(),
            bounds: guard::Bounds::default(),
            quit_floor: self.floor,
            outage_limit: OUTAGE_LIMIT.saturating_add(timing.cleanup_timeout),
            unsaved_wait: self.unsaved_wait,
            upload: 0,
            target: false,
            copies: false,
            safe: Safe::Local,
            early_copy: false,
            quit: QUIT_TIMEOUT,
            stuck: 0,
            recover: false,
            terminate: 0,
            timing,
        }
    }

    /// Attempts follow each other within less than a second.
    pub(super) fn hurries(&self) -> bool {
        self.timing().retry_delay_max < 1_000
    }
}

/// Where the search ends.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Situations.
    pub states: usize,
    /// Faults of one trace.
    pub faults: u32,
    /// Calls of one outage; None: 2,000 and what attempts all through the countdown take.
    pub depth: Option<u32>,
    /// A plain outage that has not ended after this long never does (milliseconds); None: an hour
    /// more than the first attempts and the countdown take.
    pub within: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            states: 400_000,
            faults: 2,
            depth: None,
            within: None,
        }
    }
}

impl Bounds {
    pub(super) fn within(&self, setup: &Setup) -> u64 {
        self.within.unwrap_or_else(|| {
            let first = setup.settings.as_ref().map_or(0, |it| {
                let each = it
                    .retry_delay_max
                    .saturating_add(it.retry_jitter)
                    .saturating_add(it.connect_timeout);
                each.saturating_mul(u64::from(it.retry_attempts) + 1)
            });
            LEEWAY
                .saturating_add(first)
                .saturating_add(setup.timing().cleanup_timeout)
        })
    }

    pub(super) fn depth(&self, setup: &Setup) -> u32 {
        self.depth.unwrap_or_else(|| {
            let (attempts, delay) = setup
                .settings
                .as_ref()
                .map_or((0, 10_000), |it| (it.retry_attempts, it.retry_delay_max));
            // Two calls an attempt, and the delays may be half as long.
            let calls = CALLS
                .saturating_add(4 * (setup.timing().cleanup_timeout / delay.max(20)))
                .saturating_add(2 * u64::from(attempts));
            u32::try_from(calls).unwrap_or(u32::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_follow_the_settings() {
        let mut settings = Setup::all(&Settings::default(), 0, 0).remove(0);
        let bounds = Bounds::default();
        assert_eq!(bounds.depth(&settings), 2_000 + 4 * 30 + 10);
        assert_eq!(bounds.within(&settings), 3_600_000 + 6 * 20_500 + 300_000);
        settings.settings = None;
        assert_eq!(bounds.depth(&settings), 2_000 + 4 * 30);
        let given = Bounds {
            depth: Some(7),
            within: Some(8),
            ..bounds
        };
        assert_eq!((given.depth(&settings), given.within(&settings)), (7, 8));
    }
}
