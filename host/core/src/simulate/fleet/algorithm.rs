//! How one client of the fleet goes about it; and how it does by a policy.

use super::FleetError;
use crate::contract::{Action, ConnectError, Decision, Loss, Moment, Phase, Settings, State};
use crate::driver::WAKE_FLOOR;
use crate::sandbox::{Call, Policy};

/// So often it is woken between two attempts at most.
const CALLS: u32 = 10_000;

/// Makes clients.
pub trait Algorithm: Sync {
    /// One of them.
    type Client: Client + Send;

    /// The client of this number; all of its chances come from the seed.
    fn client(&self, seed: u64, number: u32) -> Self::Client;
}

/// What a client does next. Milliseconds since the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It tries to connect.
    Attempt(u64),
    /// It has saved and closed.
    Closed(u64),
}

/// One client.
pub trait Client {
    /// Anything from 0 to `most`, evenly.
    fn pick(&mut self, most: u64) -> u64;

    /// It notices the loss.
    fn lost(&mut self, now: u64) -> Result<Next, FleetError>;

    /// Its attempt has failed at once.
    fn failed(&mut self, now: u64) -> Result<Next, FleetError>;
}

/// Of numbers from a seed and a client's number.
pub(super) fn chances(seed: u64, number: u32) -> fastrand::Rng {
    // Seeds next to each other give numbers next to each other at first.
    let mut rng =
        fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(number));
    for _ in 0..4 {
        rng.u64(..);
    }
    rng
}

/// By a policy.
pub struct PolicyAlgorithm {
    policy: Policy,
    settings: Settings,
}

impl PolicyAlgorithm {
    /// With these settings.
    pub fn new(policy: Policy, settings: Settings) -> Self {
        PolicyAlgorithm { policy, settings }
    }
}

impl Algorithm for PolicyAlgorithm {
    type Client = PolicyClient;

    fn client(&self, seed: u64, number: u32) -> PolicyClient {
        PolicyClient {
            policy: self.policy.clone(),
            settings: self.settings.clone(),
            rng: chances(seed, number),
            state: State {
                phase: Phase::Connected,
                seen: 0,
                memo: Vec::new(),
            },
        }
    }
}

/// A client that a policy decides for.
pub struct PolicyClient {
    policy: Policy,
    settings: Settings,
    rng: fastrand::Rng,
    state: State,
}

impl PolicyClient {
    fn ask(&mut self, call: &Call, now: u64, due: Option<u64>) -> Result<Decision, FleetError> {
        let moment = Moment {
            now,
            due,
            entropy: Some(self.rng.u64(..)),
            settings: Some(self.settings.clone()),
            scene: None,
        };
        let decision = self
            .policy
            .call(call, &self.state, &moment)
            .map_err(|error| FleetError::Policy {
                function: call.name(),
                at: now,
                error,
            })?;
        self.state = decision.state.clone();
        Ok(decision)
    }

    /// Until it tries to connect, or closes. A save succeeds at once.
    fn go_on(&mut self, call: &Call, mut now: u64) -> Result<Next, FleetError> {
        let mut decision = self.ask(call, now, None)?;
        for _ in 0..CALLS {
            let asked = |wanted: fn(&Action) -> bool| decision.actions.iter().any(wanted);
            if asked(|it| *it == Action::Quit) {
                return Ok(Next::Closed(now));
            }
            if asked(|it| *it == Action::Connect) {
                return Ok(Next::Attempt(now));
            }
            if asked(|it| matches!(it, Action::Save(_))) {
                decision = self.ask(&Call::OnSaved(Ok(())), now, None)?;
                continue;
            }
            let Some(wake) = decision.wake_at else {
                return Err(FleetError::Busy(now));
            };
            now = wake.max(now.saturating_add(WAKE_FLOOR));
            decision = self.ask(&Call::Tick, now, Some(now))?;
        }
        Err(FleetError::Busy(now))
    }
}

impl Client for PolicyClient {
    fn pick(&mut self, most: u64) -> u64 {
        self.rng.u64(..=most)
    }

    fn lost(&mut self, now: u64) -> Result<Next, FleetError> {
        self.go_on(&Call::OnDisconnect(Loss::TransportError), now)
    }

    fn failed(&mut self, now: u64) -> Result<Next, FleetError> {
        self.go_on(&Call::OnConnectError(ConnectError::Unreachable), now)
    }
}
