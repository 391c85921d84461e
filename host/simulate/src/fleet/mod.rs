//! Many Blenders lose one server at the same time: the load on it when it comes back.
//!
//! While it is away every attempt fails at once. From then on every attempt is accepted, or as many
//! a second as the server has room for; what is refused for that fails at once, too.

mod algorithm;
mod report;
mod socketio;

pub use algorithm::{Algorithm, Client, Instances, Next, Pace, PolicyAlgorithm};
pub use report::{Back, Report};
pub use socketio::SocketIoAlgorithm;

use lifeline_core::Failure;
use lifeline_sandbox::CallError;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::thread;
use thiserror::Error;

/// What happens to the fleet. Milliseconds.
#[derive(Clone, Debug)]
pub struct Story {
    /// How many Blenders.
    pub clients: u32,
    /// The server is away from 0 to this instant.
    pub outage: u64,
    /// Each Blender notices the loss at an instant of its own, from 0 to this.
    pub noticed_within: u64,
    /// How many connections a second the server accepts; None: all.
    pub capacity: Option<u32>,
    /// So long after the return it is over, even if not all are back.
    pub patience: u64,
    /// The same seed gives the same numbers.
    pub seed: u64,
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum FleetError {
    /// The policy gave no answer.
    #[error("the policy failed in {function}, {at} ms after the loss: {error}")]
    Policy {
        /// The contract's name.
        function: &'static str,
        /// Milliseconds.
        at: u64,
        /// Why.
        error: CallError,
    },
    /// The host does not take its answer.
    #[error("the policy failed in {function}, {at} ms after the loss: {why}")]
    Dropped {
        /// The contract's name.
        function: &'static str,
        /// Milliseconds.
        at: u64,
        /// Why.
        why: Failure,
    },
    /// The policy never lets go.
    #[error(
        "the policy asks to be woken again and again without an attempt, {0} ms after the loss"
    )]
    Busy(u64),
}

/// Nobody tries more often than this in one outage.
const ATTEMPTS: u32 = 100_000;

/// How far a client is.
struct Waiting<C> {
    /// None: a server that accepts everybody does not need to know.
    client: Option<C>,
    /// Its next attempt.
    at: u64,
}

/// Plays the story. `progress`: called now and then, from several threads, with how many more
/// clients have come as far as the server's return.
pub fn play<A: Algorithm>(
    algorithm: A,
    story: &Story,
    progress: &(dyn Fn(u32) + Sync),
) -> Result<Report, FleetError> {
    let mut report = Report::new(story);
    let mut waiting = Vec::new();
    for part in in_parts(story.clients, |clients| {
        until_the_return(&algorithm, story, clients, progress)
    }) {
        let (part, counted) = part?;
        waiting.extend(part);
        report.add(counted);
    }
    come_back(&algorithm, story, waiting, &mut report)?;
    Ok(report)
}

/// Plays the same outage for each of these instants at which the server might be back, in order, in
/// milliseconds since the loss, in one go: what a client does before does not depend on it. A server
/// accepts every attempt: the story's own outage and capacity are of no matter.
pub fn survey<A: Algorithm>(
    algorithm: A,
    story: &Story,
    returns: &[u64],
    progress: &(dyn Fn(u32) + Sync),
) -> Result<Vec<Report>, FleetError> {
    let mut reports = blank(story, returns);
    for part in in_parts(story.clients, |clients| {
        past_all_returns(&algorithm, story, returns, clients, progress)
    }) {
        for (report, counted) in reports.iter_mut().zip(part?) {
            report.add(counted);
        }
    }
    Ok(reports)
}

fn blank(story: &Story, returns: &[u64]) -> Vec<Report> {
    let of = |&outage: &u64| {
        Report::new(&Story {
            outage,
            capacity: None,
            ..story.clone()
        })
    };
    returns.iter().map(of).collect()
}

/// The fleet's numbers in two parts at most, each on a thread of its own.
fn in_parts<T: Send>(clients: u32, run: impl Fn(Range<u32>) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, |it| it.get().min(2)) as u32;
    let share = clients.div_ceil(threads).max(1);
    let run = &run;
    thread::scope(|scope| {
        let begin = |part: u32| {
            let part = part * share..clients.min((part + 1) * share);
            scope.spawn(move || run(part))
        };
        let running: Vec<_> = (0..threads).map(begin).collect();
        running
            .into_iter()
            // A panic in there is this one's.
            .map(|part| {
                part.join()
                    .unwrap_or_else(|it| std::panic::resume_unwind(it))
            })
            .collect()
    })
}

/// So many clients more are told of at a time.
const STEP: u32 = 500;

/// All attempts while the server is away: the clients do not know of each other.
#[allow(clippy::type_complexity)] // the clients that go on, and what was counted
fn until_the_return<A: Algorithm>(
    algorithm: &A,
    story: &Story,
    clients: Range<u32>,
    progress: &(dyn Fn(u32) + Sync),
) -> Result<(Vec<Waiting<A::Client>>, Report), FleetError> {
    let mut report = Report::new(story);
    let mut waiting = Vec::with_capacity(clients.len());
    let mut worker = algorithm.worker()?;
    for number in clients {
        let mut client = algorithm.client(story.seed, number);
        let noticed = client.pick(story.noticed_within);
        let mut next = client.lost(&mut worker, noticed)?;
        for attempts in 0.. {
            match next {
                Next::Attempt(at) if attempts > ATTEMPTS => return Err(FleetError::Busy(at)),
                Next::Attempt(at) if at < story.outage => {
                    report.attempt(at);
                    next = client.failed(&mut worker, at)?;
                }
                Next::Attempt(at) => {
                    let client = story.capacity.map(|_| client);
                    waiting.push(Waiting { client, at });
                    break;
                }
                Next::Closed(at) => {
                    report.closed(at);
                    break;
                }
            }
        }
        if number % STEP == STEP - 1 {
            progress(STEP);
        }
    }
    Ok((waiting, report))
}

/// All attempts until the server would have been back at each of these instants.
fn past_all_returns<A: Algorithm>(
    algorithm: &A,
    story: &Story,
    returns: &[u64],
    clients: Range<u32>,
    progress: &(dyn Fn(u32) + Sync),
) -> Result<Vec<Report>, FleetError> {
    let mut reports = blank(story, returns);
    let mut worker = algorithm.worker()?;
    for number in clients {
        let mut client = algorithm.client(story.seed, number);
        let noticed = client.pick(story.noticed_within);
        let mut next = client.lost(&mut worker, noticed)?;
        // Those at which it would be back already.
        let mut passed = 0;
        for attempts in 0.. {
            match next {
                Next::Attempt(at) if attempts > ATTEMPTS => return Err(FleetError::Busy(at)),
                Next::Attempt(at) => {
                    for (report, &outage) in reports.iter_mut().zip(returns).skip(passed) {
                        if at < outage {
                            report.attempt(at);
                            continue;
                        }
                        passed += 1;
                        if at <= outage.saturating_add(story.patience) {
                            report.attempt(at);
                            report.back(at);
                        }
                    }
                    if passed == returns.len() {
                        break;
                    }
                    next = client.failed(&mut worker, at)?;
                }
                Next::Closed(at) => {
                    reports.iter_mut().skip(passed).for_each(|it| it.closed(at));
                    break;
                }
            }
        }
        if number % STEP == STEP - 1 {
            progress(STEP);
        }
    }
    Ok(reports)
}

/// Who comes first is served first.
fn come_back<A: Algorithm>(
    algorithm: &A,
    story: &Story,
    mut clients: Vec<Waiting<A::Client>>,
    report: &mut Report,
) -> Result<(), FleetError> {
    let mut worker = algorithm.worker()?;
    let mut queue: BinaryHeap<Reverse<(u64, usize)>> = clients
        .iter()
        .enumerate()
        .map(|(number, waiting)| Reverse((waiting.at, number)))
        .collect();
    let end = story.outage.saturating_add(story.patience);
    let mut second = (0, 0);
    while let Some(Reverse((at, number))) = queue.pop() {
        if at > end {
            return Ok(()); // the queue is in order: so are all others
        }
        report.attempt(at);
        let this_second = (at - story.outage) / 1_000;
        if second.0 != this_second {
            second = (this_second, 0);
        }
        let room = story.capacity.is_none_or(|capacity| second.1 < capacity);
        let Some(client) = clients[number].client.as_mut().filter(|_| !room) else {
            second.1 += 1;
            report.back(at);
            continue;
        };
        match client.failed(&mut worker, at)? {
            Next::Attempt(next) => queue.push(Reverse((next, number))),
            Next::Closed(at) => report.closed(at),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeline_contract::types::Settings;
    use lifeline_sandbox::{Compiling, Limits, Sandbox};

    fn story() -> Story {
        Story {
            clients: 400,
            outage: 120_000,
            noticed_within: 1_000,
            capacity: None,
            patience: 3_600_000,
            seed: 1,
        }
    }

    fn five_minutes() -> PolicyAlgorithm {
        let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
        PolicyAlgorithm::new(
            sandbox.load_embedded(&crate::FIVE_MINUTES).unwrap(),
            crate::config(Settings::default()),
            Instances::Warm,
        )
    }

    fn play(algorithm: impl Algorithm, story: &Story) -> Report {
        super::play(algorithm, story, &|_| ()).unwrap()
    }

    #[test]
    fn all_come_back_and_the_same_seed_says_the_same() {
        let story = story();
        let report = play(&five_minutes(), &story);
        let back = report.back_after();
        assert_eq!((report.returned(), report.left()), (400, 0));
        // An attempt every 7.5 to 10 s, and each instant of that is as likely.
        assert!(back.all.unwrap() <= 10_000, "{back:?}");
        assert!((3_900..4_900).contains(&back.half.unwrap()), "{back:?}");
        assert_eq!(play(&five_minutes(), &story), report);
        let other = Story { seed: 2, ..story };
        assert_ne!(play(&five_minutes(), &other), report);
    }

    #[test]
    fn the_peak_is_lower_than_python_socketios() {
        let story = Story {
            clients: 2_000,
            ..story()
        };
        let ours = play(&five_minutes(), &story);
        let theirs = play(SocketIoAlgorithm::new(&Settings::default()), &story);
        assert_eq!(theirs.returned(), 2_000);
        let (ours, theirs) = (ours.peak_after_return().1, theirs.peak_after_return().1);
        assert!(ours * 2 < theirs, "{ours} {theirs}");
    }

    #[test]
    fn from_its_first_attempt_on_the_countdown_has_no_waves() {
        let story = Story {
            clients: 4_000,
            ..story()
        };
        let returns: Vec<u64> = (0..100).map(|it| 40_000 + it * 2_500).collect();
        let policy = five_minutes();
        for report in survey(&policy, &story, &returns, &|_| ()).unwrap() {
            // 4,000 in 8.75 s are 457 a second, if they are spread evenly.
            let (outage, peak) = (report.outage(), report.peak_after_return().1);
            assert!((430..560).contains(&peak), "{peak} after {outage}");
        }
    }

    #[test]
    fn a_survey_is_the_same_story_for_each_return() {
        let returns = [0, 1_500, 36_250, 120_000, 331_000, 400_000];
        let policy = five_minutes();
        let socketio = SocketIoAlgorithm::new(&Settings::default());
        let story = story();
        let ours = survey(&policy, &story, &returns, &|_| ()).unwrap();
        let theirs = survey(socketio, &story, &returns, &|_| ()).unwrap();
        for (number, outage) in returns.into_iter().enumerate() {
            let story = Story {
                outage,
                ..story.clone()
            };
            assert_eq!(ours[number], play(&policy, &story), "{outage}");
            assert_eq!(theirs[number], play(socketio, &story), "{outage}");
        }
        assert!(ours[4].closed_count() > 0 && ours[5].returned() == 0);
    }

    #[test]
    fn one_instance_for_all_calls_decides_as_a_fresh_one_for_each() {
        let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
        let policy = sandbox.load_embedded(&crate::FIVE_MINUTES).unwrap();
        let told = [Instances::Fresh, Instances::Warm].map(|instances| {
            let config = crate::config(Settings::default());
            let algorithm = PolicyAlgorithm::new(policy.clone(), config, instances);
            let report = play(&algorithm, &story());
            (report, algorithm.pace().steps)
        });
        assert_eq!(told[0], told[1]);
        assert!(told[0].1 > 400 * 20, "{}", told[0].1);
    }

    #[test]
    fn a_server_with_little_room_is_never_asked_to_take_more() {
        let story = Story {
            capacity: Some(10),
            ..story()
        };
        let report = play(&five_minutes(), &story);
        assert_eq!(report.returned(), 400);
        assert!(report.back_after().all.unwrap() >= 39_000);
        assert!(report.returned_per_second().iter().all(|&it| it <= 10));
    }

    #[test]
    fn who_has_closed_does_not_come_back() {
        let story = Story {
            outage: 600_000,
            ..story()
        };
        let report = play(&five_minutes(), &story);
        assert_eq!((report.returned(), report.closed_count()), (0, 400));
        assert_eq!(report.back_after().half, None);
    }
}
