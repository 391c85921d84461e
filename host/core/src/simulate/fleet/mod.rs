//! Many Blenders lose one server at the same time: the load on it when it comes back.
//!
//! While it is away every attempt fails at once. From then on every attempt is accepted, or as many
//! a second as the server has room for; what is refused for that fails at once, too.

mod algorithm;
mod report;
mod socketio;

pub use algorithm::{Algorithm, Client, Next, PolicyAlgorithm};
pub use report::{Back, Report};
pub use socketio::SocketIoAlgorithm;

use crate::sandbox::CallError;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
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
    client: C,
    /// Its next attempt.
    at: u64,
}

/// Plays the story. `progress`: called now and then, from several threads, with how many more
/// clients have come as far as the server's return.
pub fn play<A: Algorithm>(
    algorithm: &A,
    story: &Story,
    progress: &(dyn Fn(u32) + Sync),
) -> Result<Report, FleetError> {
    let mut report = Report::new(story);
    let threads = thread::available_parallelism().map_or(1, |it| it.get().min(2)) as u32;
    let share = story.clients.div_ceil(threads).max(1);
    let parts: Vec<_> = thread::scope(|scope| {
        let begin = |part: u32| {
            let clients = part * share..story.clients.min((part + 1) * share);
            scope.spawn(move || until_the_return(algorithm, story, clients, progress))
        };
        let running: Vec<_> = (0..threads).map(begin).collect();
        running.into_iter().map(|part| part.join()).collect()
    });
    let mut waiting = Vec::new();
    for part in parts {
        // A panic in there is this one's.
        let (part, counted) = part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        waiting.extend(part);
        report.add(&counted);
    }
    come_back(story, waiting, &mut report)?;
    Ok(report)
}

/// All attempts while the server is away: the clients do not know of each other.
#[allow(clippy::type_complexity)] // the clients that go on, and what was counted
fn until_the_return<A: Algorithm>(
    algorithm: &A,
    story: &Story,
    clients: std::ops::Range<u32>,
    progress: &(dyn Fn(u32) + Sync),
) -> Result<(Vec<Waiting<A::Client>>, Report), FleetError> {
    const STEP: u32 = 500;
    let mut report = Report::new(story);
    let mut waiting = Vec::with_capacity(clients.len());
    for number in clients {
        let mut client = algorithm.client(story.seed, number);
        let noticed = client.pick(story.noticed_within);
        let mut next = client.lost(noticed)?;
        for attempts in 0.. {
            match next {
                Next::Attempt(at) if attempts > ATTEMPTS => return Err(FleetError::Busy(at)),
                Next::Attempt(at) if at < story.outage => {
                    report.attempt(at);
                    next = client.failed(at)?;
                }
                Next::Attempt(at) => {
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

/// Who comes first is served first.
fn come_back<C: Client>(
    story: &Story,
    mut clients: Vec<Waiting<C>>,
    report: &mut Report,
) -> Result<(), FleetError> {
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
        if story.capacity.is_none_or(|capacity| second.1 < capacity) {
            second.1 += 1;
            report.back(at);
            continue;
        }
        match clients[number].client.failed(at)? {
            Next::Attempt(next) => queue.push(Reverse((next, number))),
            Next::Closed(at) => report.closed(at),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Limits, Sandbox};
    use crate::settings::default_timing;

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
        let sandbox = Sandbox::new(Limits::default(), None).unwrap();
        PolicyAlgorithm::new(sandbox.built_in().unwrap(), default_timing())
    }

    fn play(algorithm: &impl Algorithm, story: &Story) -> Report {
        super::play(algorithm, story, &|_| ()).unwrap()
    }

    #[test]
    fn all_come_back_and_the_same_seed_says_the_same() {
        let story = story();
        let report = play(&five_minutes(), &story);
        let back = report.back_after();
        assert_eq!((report.returned(), report.left()), (400, 0));
        // Full jitter over ten seconds.
        assert!(back.all.unwrap() <= 10_000, "{back:?}");
        // What is left of such a wait, not all of it.
        assert!((2_000..4_000).contains(&back.half.unwrap()), "{back:?}");
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
        let theirs = play(&SocketIoAlgorithm::new(&default_timing()), &story);
        assert_eq!(theirs.returned(), 2_000);
        let (ours, theirs) = (ours.peak_after_return().1, theirs.peak_after_return().1);
        assert!(ours < theirs, "{ours} {theirs}");
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
