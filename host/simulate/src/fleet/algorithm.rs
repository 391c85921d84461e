//! How one client of the fleet goes about it; and how it does by a policy.

use super::FleetError;
use crate::client::{self, Answers, save_outcome};
use lifeline_contract::types::{ConnectError, Decision, Loss};
use lifeline_core::{
    Before, Config, Connection, Failure, Input, Origin, Output, Question, Telling, Who,
};
use lifeline_sandbox::{CallError, Policy, Warm};
use std::collections::VecDeque;
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

/// By a policy: the core that ships asks it.
pub struct PolicyAlgorithm {
    policy: Policy,
    /// As each is before it starts.
    blender: client::Client,
    instances: Instances,
    pace: Mutex<Pace>,
}

impl PolicyAlgorithm {
    /// Set like this. Nobody has a name: each has chances of its own.
    pub fn new(policy: Policy, config: Config, instances: Instances) -> Self {
        let username = String::new();
        PolicyAlgorithm {
            policy,
            blender: client::Client::new(Config { username, ..config }, 0),
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
        let mut worker = PolicyWorker {
            asked,
            failed: None,
            steps: 0,
            since: processor_time(),
            pace: &self.pace,
            connected: self.blender.clone(),
        };
        let mut first = self.client(0, 0);
        first.happens(&mut worker, 0, Input::Policy(Origin::Other))?;
        first.happens(&mut worker, 0, Input::Start(Before::default()))?;
        let accepted = first.blender.of_attempt(Connection::Accepted);
        first.happens(&mut worker, 0, accepted)?;
        worker.connected = first.blender;
        Ok(worker)
    }

    fn client(&self, seed: u64, number: u32) -> PolicyClient<'a> {
        PolicyClient {
            worker: PhantomData,
            rng: chances(seed, number),
            blender: self.blender.clone(),
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
    /// Why it gave no answer.
    failed: Option<CallError>,
    steps: u64,
    since: Duration,
    pace: &'a Mutex<Pace>,
    /// As each client is when it loses the server.
    connected: client::Client,
}

/// Who is asked for one client, with its chances. In place of an answer that was dropped there is
/// none: it is an error.
struct WorkerAnswers<'w, 'a> {
    worker: &'w mut PolicyWorker<'a>,
    rng: &'w mut fastrand::Rng,
}

impl Answers for WorkerAnswers<'_, '_> {
    fn decide(&mut self, it: &Question) -> Result<Decision, String> {
        if it.who == Who::BuiltIn {
            return Err("it is not asked".into());
        }
        let worker = &mut *self.worker;
        worker.steps += 1;
        let answer = match &mut worker.asked {
            Asked::Fresh(policy) => policy.call(it.call, it.state, it.moment),
            Asked::Warm(warm) => warm.call(it.call, it.state, it.moment),
        };
        answer.map_err(|error| worker.failed.insert(error).to_string())
    }

    fn entropy(&mut self) -> Option<u64> {
        Some(self.rng.u64(..))
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
    blender: client::Client,
}

impl<'a> PolicyClient<'a> {
    fn happens(
        &mut self,
        worker: &mut PolicyWorker<'a>,
        now: u64,
        input: Input,
    ) -> Result<Vec<Output>, FleetError> {
        let rng = &mut self.rng;
        let answers = &mut WorkerAnswers { worker, rng };
        let outputs = self.blender.happens(now, input, answers);
        match outputs.iter().find_map(dropped) {
            None => Ok(outputs),
            Some((function, why)) => Err(match worker.failed.take() {
                Some(error) => FleetError::Policy {
                    function,
                    at: now,
                    error,
                },
                None => FleetError::Dropped {
                    function,
                    at: now,
                    why: why.clone(),
                },
            }),
        }
    }

    /// Until it tries to connect again, or closes. A save succeeds at once.
    fn go_on(
        &mut self,
        worker: &mut PolicyWorker<'a>,
        mut now: u64,
        event: Connection,
    ) -> Result<Next, FleetError> {
        let input = self.blender.of_attempt(event);
        let mut outputs = VecDeque::from(self.happens(worker, now, input)?);
        let mut attempts = false;
        for _ in 0..CALLS {
            while let Some(output) = outputs.pop_front() {
                match output {
                    Output::Quit(_) => return Ok(Next::Closed(now)),
                    Output::Connect(_) => attempts = true,
                    Output::Save(ticket, place, _) => {
                        self.happens(worker, now, Input::Claimed(ticket))?;
                        let saved = Input::Saved(ticket, save_outcome(place, None));
                        outputs.extend(self.happens(worker, now, saved)?);
                    }
                    _ => {}
                }
            }
            if attempts {
                return Ok(Next::Attempt(now));
            }
            let Some(wake) = self.blender.core().wake_at() else {
                return Err(FleetError::Busy(now));
            };
            now = now.max(wake);
            outputs.extend(self.happens(worker, now, Input::Time)?);
        }
        Err(FleetError::Busy(now))
    }
}

/// In which function the policy has failed, and why, if the host has dropped its answer.
fn dropped(output: &Output) -> Option<(&'static str, &Failure)> {
    match output {
        Output::Tell(Telling::Rejected { call, failure, .. }) => Some((call, failure)),
        _ => None,
    }
}

impl<'a> Client for PolicyClient<'a> {
    type Worker = PolicyWorker<'a>;

    fn pick(&mut self, most: u64) -> u64 {
        self.rng.u64(..=most)
    }

    fn lost(&mut self, worker: &mut PolicyWorker<'a>, now: u64) -> Result<Next, FleetError> {
        self.blender = worker.connected.clone();
        let lost = Connection::Lost(Loss::TransportError, String::new());
        self.go_on(worker, now, lost)
    }

    fn failed(&mut self, worker: &mut PolicyWorker<'a>, now: u64) -> Result<Next, FleetError> {
        let failed = Connection::Failed(ConnectError::Unreachable, String::new());
        self.go_on(worker, now, failed)
    }
}
