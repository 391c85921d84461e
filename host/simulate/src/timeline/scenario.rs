//! What happens to one Blender. Milliseconds since the loss.

use lifeline_contract::types::{Place, Request};
use lifeline_core::Config;
use lifeline_sandbox::Policy;

/// Which saves fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Saves {
    /// None.
    #[default]
    Succeed,
    /// Those in the file's own place.
    FailInPlace,
    /// All.
    Fail,
    /// The first so many.
    FailFirst(u32),
}

impl Saves {
    pub(super) fn succeeds(self, number: u32, place: Place) -> bool {
        match self {
            Saves::Succeed => true,
            Saves::FailInPlace => place != Place::InPlace,
            Saves::Fail => false,
            Saves::FailFirst(failing) => number > failing,
        }
    }
}

/// A script.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What is set.
    pub config: Config,
    /// Who decides at first.
    pub policy: Policy,
    /// Who decides when that one fails.
    pub built_in: Policy,
    /// When the server is away: from, to. The first begins at 0.
    pub away: Vec<(u64, u64)>,
    /// When a render runs: from, to.
    pub renders: Vec<(u64, u64)>,
    /// What people ask for.
    pub requests: Vec<(u64, Request)>,
    /// When nobody is awake: from, for how long. The clock goes on.
    pub stops: Vec<(u64, u64)>,
    /// Who decides from then on.
    pub swaps: Vec<(u64, Policy)>,
    /// Which saves fail.
    pub saves: Saves,
    /// How long each takes.
    pub save_takes: u64,
    /// Of all chances.
    pub seed: u64,
    /// The end, if it does not come before.
    pub until: u64,
}

/// One thing that the script has.
pub(super) enum Cue<'a> {
    Server(bool),
    Render(bool),
    Request(Request),
    Stop(u64),
    Swap(&'a Policy),
}

/// The script, in order.
pub(super) struct Script<'a> {
    cues: std::iter::Peekable<std::vec::IntoIter<(u64, Cue<'a>)>>,
}

impl<'a> Script<'a> {
    pub fn next_before(&mut self, now: u64) -> Option<Cue<'a>> {
        let (_, cue) = self.cues.next_if(|(at, _)| *at <= now)?;
        Some(cue)
    }

    pub fn next_at(&mut self) -> Option<u64> {
        Some(self.cues.peek()?.0)
    }
}

impl Scenario {
    /// The server is lost for good, and nothing else happens.
    pub fn new(config: Config, policy: Policy, built_in: Policy) -> Self {
        Scenario {
            config,
            policy,
            built_in,
            away: vec![(0, u64::MAX)],
            renders: Vec::new(),
            requests: Vec::new(),
            stops: Vec::new(),
            swaps: Vec::new(),
            saves: Saves::default(),
            save_takes: 0,
            seed: 1,
            until: 7 * 86_400_000,
        }
    }

    pub(super) fn script(&self) -> Script<'_> {
        let mut cues = Vec::new();
        for &(from, to) in &self.away {
            cues.push((from, Cue::Server(false)));
            if to < self.until {
                cues.push((to, Cue::Server(true)));
            }
        }
        for &(from, to) in &self.renders {
            cues.push((from, Cue::Render(true)));
            cues.push((to, Cue::Render(false)));
        }
        cues.extend(self.requests.iter().map(|&(at, it)| (at, Cue::Request(it))));
        cues.extend(self.stops.iter().map(|&(at, it)| (at, Cue::Stop(it))));
        cues.extend(self.swaps.iter().map(|(at, it)| (*at, Cue::Swap(it))));
        // Stable: what is written first happens first.
        cues.sort_by_key(|(at, _)| *at);
        Script {
            cues: cues.into_iter().peekable(),
        }
    }
}
