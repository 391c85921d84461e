//! What was counted.

use super::Story;

/// Counts by the second. Seconds are counted from the server's return, both ways, so that it falls
/// between two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    clients: u32,
    outage: u64,
    /// The second of the outage that comes first, as one that ends with the return.
    before: u64,
    attempts: Vec<u32>,
    returns: Vec<u32>,
    /// Milliseconds after the return, in order.
    back: Vec<u64>,
    closed: u32,
}

/// After how many milliseconds so many of the fleet are back; None: they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// 50 %.
    pub half: Option<u64>,
    /// 95 %.
    pub most: Option<u64>,
    /// 100 %.
    pub all: Option<u64>,
}

impl Report {
    pub(super) fn new(story: &Story) -> Self {
        Report {
            clients: story.clients,
            outage: story.outage,
            before: story.outage.div_ceil(1_000),
            attempts: Vec::new(),
            returns: Vec::new(),
            back: Vec::new(),
            closed: 0,
        }
    }

    pub(super) fn attempt(&mut self, at: u64) {
        let second = self.second(at);
        count(&mut self.attempts, second);
    }

    pub(super) fn back(&mut self, at: u64) {
        let second = self.second(at);
        count(&mut self.returns, second);
        self.back.push(at - self.outage);
    }

    pub(super) fn closed(&mut self, _at: u64) {
        self.closed += 1;
    }

    /// Of another part of the fleet.
    pub(super) fn add(&mut self, part: Self) {
        add(&mut self.attempts, &part.attempts);
        add(&mut self.returns, &part.returns);
        self.back.extend(part.back);
        self.back.sort_unstable();
        self.closed += part.closed;
    }

    fn second(&self, at: u64) -> usize {
        // The first one may be cut short: the return falls between two.
        let short = self.before * 1_000 - self.outage;
        usize::try_from((at + short) / 1_000).unwrap_or(usize::MAX)
    }

    /// Attempts in each second, from the one in which the server was lost.
    pub fn attempts_per_second(&self) -> &[u32] {
        &self.attempts
    }

    /// Clients accepted in each second, likewise.
    pub fn returned_per_second(&self) -> &[u32] {
        &self.returns
    }

    /// The number of seconds before the return.
    pub fn seconds_before(&self) -> usize {
        usize::try_from(self.before).unwrap_or(usize::MAX)
    }

    /// All attempts.
    pub fn attempts(&self) -> u64 {
        self.attempts.iter().map(|&it| u64::from(it)).sum()
    }

    /// The most attempts in a second, with that second counted from the loss.
    pub fn peak(&self) -> (usize, u32) {
        peak(&self.attempts, 0)
    }

    /// The most attempts in a second since the return, with that second counted from the return.
    pub fn peak_after_return(&self) -> (usize, u32) {
        peak(&self.attempts, self.seconds_before())
    }

    /// How many are back.
    pub fn returned(&self) -> usize {
        self.back.len()
    }

    /// How many are back so many milliseconds after the return.
    pub fn returned_within(&self, millis: u64) -> usize {
        self.back.partition_point(|&after| after <= millis)
    }

    /// When the server was back, in milliseconds since the loss.
    pub fn outage(&self) -> u64 {
        self.outage
    }

    /// How many have saved and closed instead.
    pub fn closed_count(&self) -> u32 {
        self.closed
    }

    /// How many are neither back nor closed.
    pub fn left(&self) -> usize {
        self.clients as usize - self.closed as usize - self.back.len()
    }

    /// When parts of the fleet are back. Who has closed does not count as back.
    pub fn back_after(&self) -> Back {
        let after = |percent: usize| {
            let needed = (self.clients as usize * percent).div_ceil(100);
            self.back.get(needed.checked_sub(1)?).copied()
        };
        Back {
            half: after(50),
            most: after(95),
            all: after(100),
        }
    }
}

fn add(seconds: &mut Vec<u32>, more: &[u32]) {
    if seconds.len() < more.len() {
        seconds.resize(more.len(), 0);
    }
    for (all, some) in seconds.iter_mut().zip(more) {
        *all += some;
    }
}

fn count(seconds: &mut Vec<u32>, second: usize) {
    if seconds.len() <= second {
        seconds.resize(second + 1, 0);
    }
    seconds[second] += 1;
}

fn peak(seconds: &[u32], from: usize) -> (usize, u32) {
    seconds
        .iter()
        .skip(from)
        .copied()
        .enumerate()
        // The first of several.
        .fold((0, 0), |best, it| if it.1 > best.1 { it } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outage: u64) -> Report {
        Report::new(&Story {
            clients: 4,
            outage,
            noticed_within: 0,
            capacity: None,
            patience: 0,
            seed: 0,
        })
    }

    #[test]
    fn the_return_falls_between_two_seconds() {
        let mut report = report(2_500);
        for at in [0, 499, 500, 2_499, 2_500, 3_499, 3_500] {
            report.attempt(at);
        }
        assert_eq!(report.attempts_per_second(), [2, 1, 1, 2, 1]);
        assert_eq!(report.seconds_before(), 3);
        assert_eq!(report.peak(), (0, 2));
        assert_eq!(report.peak_after_return(), (0, 2));
    }

    #[test]
    fn parts_of_the_fleet_by_time() {
        let mut report = report(1_000);
        for at in [1_100, 1_200, 1_300] {
            report.back(at);
        }
        let back = report.back_after();
        assert_eq!((back.half, back.most, back.all), (Some(200), None, None));
        report.closed(1_400);
        assert_eq!((report.returned(), report.left()), (3, 0));
    }
}
