//! What a day has in store, from its seed alone. Times are milliseconds since midnight.

use super::server::Weather;
use crate::contract::{Loss, Request};
use fastrand::Rng;

/// A day.
pub(super) const DAY: u64 = 24 * HOUR;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Something that happens, whatever Blender does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cue {
    /// The server is like this from now on; if that ends a connection, so.
    Weather(Weather, Loss),
    /// It drops the connection, and goes on as it was.
    Drop(Loss),
    /// A person asks for something.
    Request(Request),
    /// A render begins, or ends.
    Render(bool),
    /// The process is stopped for so long.
    Stop(u64),
    /// Blender's main thread is at work for so long.
    Busy(u64),
    /// Another policy decides; by its place in the pool.
    Swap(usize),
    /// The disk is full, or not any more.
    Full(bool),
    /// The machine is taken away.
    Terminate,
    /// The process is killed.
    Kill,
}

/// In order.
pub(super) fn plan(seed: u64, policies: usize) -> Vec<(u64, Cue)> {
    let mut plan = Planner {
        chance: Rng::with_seed(seed),
        policies,
        cues: Vec::new(),
    };
    plan.server();
    plan.rest();
    let mut cues = plan.cues;
    // Stable: what is written first happens first.
    cues.sort_by_key(|(at, _)| *at);
    cues
}

struct Planner {
    chance: Rng,
    policies: usize,
    cues: Vec<(u64, Cue)>,
}

impl Planner {
    fn cue(&mut self, at: u64, cue: Cue) {
        self.cues.push((at, cue));
    }

    fn one_in(&mut self, number: u32) -> bool {
        self.chance.u32(..number) == 0
    }

    fn up(&mut self) -> Weather {
        match self.chance.u32(..8) {
            0 => Weather::Up(self.chance.u64(SECOND..12 * SECOND)),
            _ => Weather::Up(self.chance.u64(1..SECOND)),
        }
    }

    fn away(&mut self) -> Weather {
        match self.chance.u32(..6) {
            0 => Weather::Refusing(self.chance.u64(1..3 * SECOND)),
            1 => Weather::Silent,
            _ => Weather::Unreachable,
        }
    }

    fn loss(&mut self) -> Loss {
        let losses = [
            Loss::TransportError,
            Loss::PingTimeout,
            Loss::ServerDisconnect,
        ];
        losses[self.chance.usize(..losses.len())]
    }

    /// Outages, one after the other.
    fn server(&mut self) {
        let mut at = 0;
        if self.one_in(3) {
            let weather = self.away();
            self.cue(0, Cue::Weather(weather, Loss::TransportError));
            at = self.chance.u64(SECOND..HOUR);
        }
        while at < DAY {
            let up = self.up();
            self.cue(at, Cue::Weather(up, Loss::TransportError));
            at += self.chance.u64(SECOND..50 * MINUTE);
            at = match self.chance.u32(..8) {
                0 | 1 => self.outage(at, SECOND, 30 * SECOND),
                2 | 3 => self.outage(at, 30 * SECOND, 6 * MINUTE),
                4 | 5 => self.outage(at, 6 * MINUTE, 2 * HOUR),
                6 => self.flaps(at),
                _ => {
                    let why = self.loss();
                    self.cue(at, Cue::Drop(why));
                    at + 1
                }
            };
        }
    }

    fn outage(&mut self, at: u64, from: u64, to: u64) -> u64 {
        let (weather, why) = (self.away(), self.loss());
        self.cue(at, Cue::Weather(weather, why));
        let end = at + self.chance.u64(from..to);
        if self.one_in(3) {
            let other = self.away();
            let when = self.chance.u64(at..end);
            self.cue(when, Cue::Weather(other, why));
        }
        if self.one_in(2) {
            self.people(at, end);
        }
        end
    }

    fn flaps(&mut self, mut at: u64) -> u64 {
        for _ in 0..self.chance.u32(2..12) {
            let (weather, why) = (self.away(), self.loss());
            self.cue(at, Cue::Weather(weather, why));
            at += self.chance.u64(50..20 * SECOND);
            let up = self.up();
            self.cue(at, Cue::Weather(up, why));
            at += self.chance.u64(50..40 * SECOND);
        }
        at
    }

    /// What they ask for in an outage, most of them in its first minutes.
    fn people(&mut self, from: u64, to: u64) {
        let soon = to.min(from + 7 * MINUTE);
        for _ in 0..self.chance.u32(1..5) {
            let at = self.chance.u64(from..soon);
            let request = match self.chance.u32(..5) {
                0 | 1 => Request::Hold,
                2 => Request::Extend(self.chance.u64(SECOND..10 * MINUTE)),
                3 => Request::Release,
                _ => Request::CloseNow,
            };
            self.cue(at, Cue::Request(request));
            if request == Request::Hold && !self.one_in(3) {
                let end = if self.one_in(3) {
                    Request::CloseNow
                } else {
                    Request::Release
                };
                let when = self.chance.u64(at..to);
                self.cue(when, Cue::Request(end));
            }
        }
    }

    /// What has nothing to do with the server. Much of it finds an outage.
    fn rest(&mut self) {
        let at = |chance: &mut Rng, cues: &[(u64, Cue)]| {
            let (near, _) = cues[chance.usize(..cues.len())];
            match chance.u32(..4) {
                0 => chance.u64(..DAY),
                _ => near + chance.u64(..7 * MINUTE),
            }
        };
        for _ in 0..self.chance.u32(8..16) {
            let policy = self.chance.usize(..self.policies);
            let when = at(&mut self.chance, &self.cues);
            self.cue(when, Cue::Swap(policy));
        }
        for _ in 0..self.chance.u32(2..6) {
            let when = at(&mut self.chance, &self.cues);
            self.cue(when, Cue::Render(true));
            let end = when + self.chance.u64(SECOND..HOUR);
            self.cue(end, Cue::Render(false));
        }
        for _ in 0..self.chance.u32(2..6) {
            let length = match self.chance.u32(..3) {
                0 => self.chance.u64(100..5 * SECOND),
                1 => self.chance.u64(5 * SECOND..10 * MINUTE),
                _ => self.chance.u64(10 * MINUTE..HOUR),
            };
            let when = at(&mut self.chance, &self.cues);
            self.cue(when, Cue::Stop(length));
        }
        for _ in 0..self.chance.u32(2..6) {
            let length = self.chance.u64(SECOND..15 * MINUTE);
            let when = at(&mut self.chance, &self.cues);
            self.cue(when, Cue::Busy(length));
        }
        for _ in 0..self.chance.u32(1..4) {
            let when = at(&mut self.chance, &self.cues);
            self.cue(when, Cue::Full(true));
            let end = when + self.chance.u64(MINUTE..HOUR);
            self.cue(end, Cue::Full(false));
        }
        for _ in 0..self.chance.u32(..3) {
            let when = at(&mut self.chance, &self.cues);
            self.cue(when, Cue::Terminate);
        }
        for _ in 0..self.chance.u32(..3) {
            let when = at(&mut self.chance, &self.cues);
            self.cue(when, Cue::Kill);
        }
        for _ in 0..self.chance.u32(..3) {
            let when = self.chance.u64(..DAY);
            self.cue(when, Cue::Request(Request::Hold));
        }
    }
}
