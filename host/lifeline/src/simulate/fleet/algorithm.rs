//! How one client of the fleet goes about it; and how it does by a policy.

use super::FleetError;
use crate::Call;
use crate::contract::{Action, ConnectError, Decision, Loss, Moment, Phase, Settings, State};
use lifeline_core::pace::FLOOR;
use lifeline_sandbox::{CallError, Policy, Warm};
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So often it is woken between two attempts at most.
const CALLS: u32 = 10_000;

/// Makes clients.
pub trait Algorithm: Sync {
    /// One of them.
    type Client: Client<Worker = Self::Worker> + Send;
    /// See [`Client::Worker`].
    type Worker;

    /// For the clients of one thread.
    fn worker(&self) -> Result<Self::Worker, FleetError>;

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
    /// What decides for all clients of a thread.
    type Worker;

    /// Anything from 0 to `most`, evenly.
    fn pick(&mut self, most: u64) -> u64;

    /// It notices the loss.
    fn lost(&mut self, worker: &mut Self::Worker, now: u64) -> Result<Next, FleetError>;

    /// Its attempt has failed at once.
    fn failed(&mut self, worker: &mut Self::Worker, now: u64) -> Result<Next, FleetError>;
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

/// Whether each call has an instance of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// As in Blender.
    Fresh,
    /// One for all calls of a thread, which is several times as fast; some calls are repeated in a
    /// fresh one, and a difference is an error.
    Warm,
}

/// How fast a policy was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Calls of the policy.
    pub steps: u64,
    /// The processor's time for them, with all that the clients do in between.
    pub busy: Duration,
}

impl Pace {
    /// On one core.
    pub fn steps_per_second(&self) -> f64 {
        self.steps as f64 / self.busy.as_secs_f64().max(f64::EPSILON)
    }
}

/// By a policy.
pub struct PolicyAlgorithm {
    policy: Policy,
    settings: Settings,
    instances: Instances,
    pace: Mutex<Pace>,
}

impl PolicyAlgorithm {
    /// With these settings.
    pub fn new(policy: Policy, settings: Settings, instances: Instances) -> Self {
        PolicyAlgorithm {
            policy,
            settings,
            instances,
            pace: Mutex::default(),
        }
    }

    /// So far.
    pub fn pace(&self) -> Pace {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Algorithm for &'a PolicyAlgorithm {
    type Client = PolicyClient<'a>;
    type Worker = PolicyWorker<'a>;

    fn worker(&self) -> Result<PolicyWorker<'a>, FleetError> {
        let asked = match self.instances {
            Instances::Fresh => Asked::Fresh(&self.policy),
            Instances::Warm => {
                let warm = self.policy.warm().map_err(|error| FleetError::Policy {
                    function: "instance",
                    at: 0,
                    error,
                })?;
                Asked::Warm(Box::new(warm))
            }
        };
        Ok(PolicyWorker {
            asked,
            moment: Moment {
                now: 0,
                due: None,
                entropy: None,
                settings: Some(self.settings.clone()),
                scene: None,
            },
            steps: 0,
            since: processor_time(),
            pace: &self.pace,
        })
    }

    fn client(&self, seed: u64, number: u32) -> PolicyClient<'a> {
        PolicyClient {
            worker: PhantomData,
            rng: chances(seed, number),
            state: State {
                phase: Phase::Connected,
                seen: 0,
                memo: Vec::new(),
            },
        }
    }
}

/// What is asked for decisions.
enum Asked<'a> {
    Fresh(&'a Policy),
    Warm(Box<Warm>),
}

/// The policy, for the clients of one thread.
pub struct PolicyWorker<'a> {
    asked: Asked<'a>,
    /// The same for all but for the time and the chances.
    moment: Moment,
    steps: u64,
    since: Duration,
    pace: &'a Mutex<Pace>,
}

impl PolicyWorker<'_> {
    fn ask(&mut self, call: &Call, state: &State) -> Result<Decision, CallError> {
        self.steps += 1;
        match &mut self.asked {
            Asked::Fresh(policy) => policy.call(call, state, &self.moment),
            Asked::Warm(warm) => warm.call(call, state, &self.moment),
        }
    }
}

impl Drop for PolicyWorker<'_> {
    fn drop(&mut self) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.steps += self.steps;
        pace.busy += processor_time().saturating_sub(self.since);
    }
}

/// What this thread has had of a processor: others run beside it.
#[cfg(unix)]
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to the timespec, which lives until it is back.
    let read = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    match (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec)) {
        (Ok(seconds), Ok(nanos)) if read == 0 => Duration::new(seconds, nanos),
        _ => Duration::ZERO,
    }
}

/// Elsewhere the clock on the wall has to do.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// A client that a policy decides for.
pub struct PolicyClient<'a> {
    worker: PhantomData<PolicyWorker<'a>>,
    rng: fastrand::Rng,
    state: State,
}

/// What follows from a decision.
struct Outcome {
    actions: Vec<Action>,
    wake_at: Option<u64>,
}

impl<'a> PolicyClient<'a> {
    fn ask(
        &mut self,
        worker: &mut PolicyWorker<'a>,
        call: &Call,
        now: u64,
        due: Option<u64>,
    ) -> Result<Outcome, FleetError> {
        worker.moment.now = now;
        worker.moment.due = due;
        worker.moment.entropy = Some(self.rng.u64(..));
        let decision = worker
            .ask(call, &self.state)
            .map_err(|error| FleetError::Policy {
                function: call.name(),
                at: now,
                error,
            })?;
        self.state = decision.state;
        Ok(Outcome {
            actions: decision.actions,
            wake_at: decision.wake_at,
        })
    }

    /// Until it tries to connect, or closes. A save succeeds at once.
    fn go_on(
        &mut self,
        worker: &mut PolicyWorker<'a>,
        call: &Call,
        mut now: u64,
    ) -> Result<Next, FleetError> {
        let mut outcome = self.ask(worker, call, now, None)?;
        for _ in 0..CALLS {
            let asked = |wanted: fn(&Action) -> bool| outcome.actions.iter().any(wanted);
            if asked(|it| *it == Action::Quit) {
                return Ok(Next::Closed(now));
            }
            if asked(|it| *it == Action::Connect) {
                return Ok(Next::Attempt(now));
            }
            if asked(|it| matches!(it, Action::Save(_))) {
                outcome = self.ask(worker, &Call::OnSaved(Ok(())), now, None)?;
                continue;
            }
            let Some(wake) = outcome.wake_at else {
                return Err(FleetError::Busy(now));
            };
            now = wake.max(now.saturating_add(FLOOR));
            outcome = self.ask(worker, &Call::Tick, now, Some(now))?;
        }
        Err(FleetError::Busy(now))
    }
}

impl<'a> Client for PolicyClient<'a> {
    type Worker = PolicyWorker<'a>;

    fn pick(&mut self, most: u64) -> u64 {
        self.rng.u64(..=most)
    }

    fn lost(&mut self, worker: &mut PolicyWorker<'a>, now: u64) -> Result<Next, FleetError> {
        self.go_on(worker, &Call::OnDisconnect(Loss::TransportError), now)
    }

    fn failed(&mut self, worker: &mut PolicyWorker<'a>, now: u64) -> Result<Next, FleetError> {
        self.go_on(
            worker,
            &Call::OnConnectError(ConnectError::Unreachable),
            now,
        )
    }
}
