//! What is searched: the settings, who may decide, what the adversary may do, and how often.

use crate::policy::Who;
use lifeline_contract::types::Settings;
use lifeline_core::guard::Bounds;
use lifeline_core::{Config, Safe};

/// How far the search goes. Within it, it leaves nothing out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Outages of one run, the start of Blender being the first.
    pub outages: u8,
    /// Faults (see [`crate::step::Event::faults`]) in each of them.
    pub faults: u8,
    /// Saves that a hostile policy asks for in each of them.
    pub saves: u8,
}

/// What the adversary may do beside what is always possible.
#[derive(Clone, Copy, Debug, Default)]
pub struct Adversary {
    /// Hold, extend, release, close now.
    pub people: bool,
    /// Late and very late calls, and events between the instants at which something is due.
    pub clock: bool,
    /// The largest and the smallest jitter.
    pub jitter: bool,
    /// Calls that fail: the policy's, or the built-in one's too.
    pub traps: bool,
    /// Other settings from now on.
    pub settings: bool,
    /// A file that changes between the save and the quit, or cannot be verified.
    pub files: bool,
    /// A render.
    pub renders: bool,
    /// SIGTERM.
    pub sigterm: bool,
    /// A main thread that has begun a save before the host hears of it.
    pub claims: bool,
    /// Connections that do not last.
    pub short: bool,
}

/// One search.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// To choose it by.
    pub name: &'static str,
    /// What it looks at.
    pub about: &'static str,
    /// How far it goes.
    pub bound: Bound,
    /// What may happen.
    pub adversary: Adversary,
    /// The first decides at the start; a swap, if there is more than one, leads to any other.
    pub policies: Vec<Who>,
    /// The settings, and what they may be changed to.
    pub settings: [Settings; 2],
    /// As `CR8_QUIT_FLOOR` (milliseconds).
    pub floor: u64,
    /// As `CR8_UNSAVED_WAIT` (milliseconds).
    pub unsaved_wait: u64,
    /// As `CR8_QUIT_TIMEOUT` (milliseconds).
    pub quit_timeout: u64,
    /// As `CR8_STUCK_TIMEOUT` (milliseconds); 0: never.
    pub stuck: u64,
    /// As `CR8_TERMINATE=recover`.
    pub recover: bool,
    /// As `CR8_TERMINATE_TIMEOUT` (milliseconds).
    pub terminate: u64,
    /// From a loss on, when a policy that is not the built-in one must have ended the outage
    /// (milliseconds); 0: never.
    pub outage_limit: u64,
}

/// How long any policy may sleep (milliseconds).
const DAY: u64 = 86_400_000;
/// What a person adds to a countdown (milliseconds).
pub const EXTENSION: u64 = 4_000;
/// A process that was stopped, or a computer that slept: longer than a countdown (milliseconds).
pub const SLEEP: u64 = 20_000;
/// A busy machine is late by this much: just not as late as if it had slept (milliseconds).
pub const SLIGHTLY_LATE: u64 = 1_000;
/// A moment at which nothing is due (milliseconds).
pub const BETWEEN: u64 = 1_000;
/// An attempt takes at least this long to fail (milliseconds). So there is no end of attempts that
/// takes no time.
pub const QUICK: u64 = 1_000;
/// How long a connection holds before it is lost (milliseconds): long enough to have ended the outage.
pub const QUIET: u64 = 30_000;
/// The same of one that does not last.
pub const SHORT: u64 = 500;

/// Two attempts, after 2 and 4 s, and a countdown of 8 s. All times but those with jitter are
/// whole seconds, which keeps the worlds few.
fn settings() -> Settings {
    Settings {
        retry_attempts: 2,
        retry_delay: 2_000,
        retry_delay_max: 4_000,
        retry_jitter: 500,
        connect_timeout: 2_000,
        cleanup_timeout: 8_000,
        warn_before: vec![3_000],
        render_wait: 0,
    }
}

fn other_settings() -> Settings {
    Settings {
        retry_attempts: 1,
        retry_delay: 1_000,
        cleanup_timeout: 4_000,
        warn_before: vec![],
        ..settings()
    }
}

/// So that an outage is over in a few seconds.
fn hurried() -> Settings {
    Settings {
        retry_attempts: 1,
        retry_delay: 1_000,
        retry_delay_max: 1_000,
        connect_timeout: 1_000,
        cleanup_timeout: 2_000,
        warn_before: vec![],
        ..settings()
    }
}

fn base(name: &'static str, about: &'static str) -> Configuration {
    Configuration {
        name,
        about,
        bound: Bound {
            outages: 2,
            faults: 2,
            saves: 2,
        },
        adversary: Adversary::default(),
        policies: vec![Who::FiveMinutes],
        settings: [settings(), other_settings()],
        floor: 3_000,
        unsaved_wait: 3_000,
        quit_timeout: 3_000,
        stuck: 0,
        recover: true,
        terminate: 4_000,
        outage_limit: 0,
    }
}

/// All searches. `more`: faults on top of what they have in CI.
pub fn configurations(more: u8) -> Vec<Configuration> {
    let mut all = vec![
        Configuration {
            bound: Bound {
                outages: 2,
                faults: 1,
                saves: 2,
            },
            adversary: Adversary {
                people: true,
                clock: true,
                ..Adversary::default()
            },
            settings: [
                Settings {
                    retry_attempts: 0,
                    ..settings()
                },
                settings(),
            ],
            ..base("no-attempts", "five-minutes that counts down at once")
        },
        Configuration {
            bound: Bound {
                outages: 2,
                faults: 1,
                saves: 2,
            },
            adversary: Adversary {
                people: true,
                clock: true,
                settings: true,
                renders: true,
                ..Adversary::default()
            },
            policies: vec![Who::FiveMinutes, Who::Patient, Who::RenderGuard],
            ..base(
                "changes",
                "other settings and other policies in mid-outage, with people, clocks and renders",
            )
        },
        Configuration {
            bound: Bound {
                outages: 1,
                faults: 2,
                saves: 2,
            },
            adversary: Adversary {
                people: true,
                files: true,
                sigterm: true,
                claims: true,
                ..Adversary::default()
            },
            stuck: 6_000,
            policies: vec![Who::FiveMinutes, Who::Patient],
            ..base(
                "sigterm",
                "SIGTERM at any time, a main thread that begins nothing for too long, and swaps",
            )
        },
        Configuration {
            bound: Bound {
                outages: 2,
                faults: 2,
                saves: 2,
            },
            adversary: Adversary {
                traps: true,
                ..Adversary::default()
            },
            policies: vec![Who::Patient, Who::FiveMinutes],
            ..base(
                "traps",
                "a foreign machine; calls fail, until it is disabled, and swaps",
            )
        },
        Configuration {
            bound: Bound {
                outages: 2,
                faults: 2,
                saves: 2,
            },
            adversary: Adversary {
                files: true,
                people: true,
                ..Adversary::default()
            },
            ..base(
                "files",
                "saves that fail, change under the quit, or cannot be verified, with people",
            )
        },
        Configuration {
            bound: Bound {
                outages: 4,
                faults: 1,
                saves: 2,
            },
            adversary: Adversary {
                people: true,
                sigterm: true,
                short: true,
                ..Adversary::default()
            },
            ..base(
                "short",
                "a server that accepts and cuts off, again and again, with people and SIGTERM",
            )
        },
        Configuration {
            bound: Bound {
                outages: 2,
                faults: 2,
                saves: 2,
            },
            adversary: Adversary {
                people: true,
                clock: true,
                jitter: true,
                ..Adversary::default()
            },
            ..base(
                "people-and-clocks",
                "five-minutes; people ask for anything, the machine is late or sleeps",
            )
        },
        Configuration {
            bound: Bound {
                outages: 2,
                faults: 0,
                saves: 2,
            },
            adversary: Adversary {
                people: true,
                clock: true,
                traps: true,
                files: true,
                ..Adversary::default()
            },
            policies: vec![Who::Hostile, Who::FiveMinutes],
            settings: [hurried(), hurried()],
            floor: 2_000,
            unsaved_wait: 2_000,
            quit_timeout: 2_000,
            outage_limit: 3_000,
            ..base(
                "hostile",
                "a policy that answers anything at every call, until it is disabled or swapped",
            )
        },
    ];
    if more > 0 {
        // Some minutes.
        all.push(Configuration {
            bound: Bound {
                outages: 1,
                faults: 0,
                saves: 1,
            },
            adversary: Adversary {
                people: true,
                ..Adversary::default()
            },
            policies: vec![Who::Hostile, Who::FiveMinutes],
            settings: [hurried(), hurried()],
            floor: 2_000,
            unsaved_wait: 2_000,
            quit_timeout: 2_000,
            outage_limit: 3_000,
            ..base("hostile-and-people", "the same, with people and swaps")
        });
    }
    for it in &mut all {
        it.bound.faults = it.bound.faults.saturating_add(more);
    }
    all
}

impl Configuration {
    /// What the host is set to.
    pub fn core(&self) -> Config {
        Config {
            username: String::new(),
            timing: self.settings[0].clone(),
            bounds: Bounds::default(),
            quit_floor: self.floor,
            outage_limit: self.outage_limit,
            unsaved_wait: self.unsaved_wait,
            upload: 0,
            target: false,
            copies: false,
            safe: Safe::Local,
            early_copy: false,
            quit: self.quit_timeout,
            stuck: self.stuck,
            recover: self.recover,
            terminate: self.terminate,
        }
    }

    /// Instants that are longer ago than this are alike: nothing that is measured from the past
    /// (the floor, the waits, the limit of an outage) is longer.
    pub fn horizon(&self) -> u64 {
        let extended = EXTENSION.saturating_mul(u64::from(self.bound.faults));
        self.floor
            .max(self.unsaved_wait)
            .max(self.quit_timeout)
            .max(self.stuck)
            .max(self.terminate)
            .max(self.outage_limit.saturating_add(extended))
            .max(self.time_to_answer())
            .saturating_add(1_000)
    }

    /// All settings that a machine may go by.
    fn all_settings(&self) -> impl Iterator<Item = Settings> + '_ {
        self.policies
            .iter()
            .flat_map(|who| self.settings.iter().filter_map(|it| who.adapt(it)))
            .chain(self.settings.iter().cloned())
    }

    fn longest(&self, what: impl Fn(&Settings) -> u64) -> u64 {
        self.all_settings().map(|it| what(&it)).max().unwrap_or(0)
    }

    /// Whether a connection may end that has not lasted: it is cut off, or somebody wakes up before.
    pub fn has_short_connections(&self) -> bool {
        self.adversary.short || self.adversary.traps || self.policies.contains(&Who::Hostile)
    }

    /// The most attempts that any machine makes before its countdown.
    pub fn most_attempts(&self) -> u32 {
        self.all_settings()
            .map(|it| it.retry_attempts)
            .max()
            .unwrap_or(0)
    }

    /// How long an attempt may take.
    pub fn time_to_answer(&self) -> u64 {
        self.longest(|it| it.connect_timeout)
    }

    /// How long an outage may last from its loss, or from the last thing that makes it begin
    /// afresh, until its save is asked for: the attempts, each with its delay and its time-out, and
    /// the countdown; for a policy that is none of the machine's, the limit of the outage before
    /// all that.
    pub fn time_to_save(&self) -> u64 {
        let attempt = |it: &Settings| it.retry_delay_max + it.retry_jitter + it.connect_timeout;
        let machine = self.longest(|it| {
            u64::from(it.retry_attempts) * attempt(it)
                + it.connect_timeout
                + it.cleanup_timeout
                + it.render_wait
        });
        // What another policy has left, a machine may have to wait for: an attempt, for a day.
        let left = if self.policies.contains(&Who::Hostile) {
            self.outage_limit + DAY
        } else {
            self.outage_limit
        };
        machine + left
    }
}
