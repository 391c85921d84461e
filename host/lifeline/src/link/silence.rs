//! When a silent server is asked whether it lives, and when its silence means that it is lost.
//!
//! A rule and no more: time comes in as a parameter, and what is to be done goes out.

use super::bucket::{BURST, Bucket};
use crate::settings::Probing;
use std::time::Duration;

/// So often a silent line is asked at once; after that only when the bucket is full.
const ATTENTION: u32 = 10;
/// So often a line that has just come up, without any traffic: a fleet that returns has a server that
/// has enough to do.
const WELCOME: u32 = 3;
/// An answer is followed by a pause this many times as long as it took: a server that has much to
/// do is asked less.
const MODESTY: u32 = 20;
/// That pause is no longer than this.
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// While an answer is waited for, somebody looks at the time at least this often.
const SLICE: Duration = Duration::from_millis(500);
/// A look that comes later than this was no look of somebody awake: the computer slept, or the
/// process was stopped.
const LATE: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// Ask; what was asked before goes on.
    Ask,
    /// Nobody waits any more for what was asked.
    Forget,
    /// The server is lost.
    Lost,
}

/// Times are those of one clock that begins with the line.
#[derive(Debug)]
pub(super) struct Silence {
    silence: Duration,
    /// How long the first probe waits alone for its answer, and both from then on.
    wait: Duration,
    bucket: Bucket,
    /// Whether silence means anything: probes get through.
    trusted: bool,
    /// Askings since there was traffic.
    asked: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// There was a sign of life at `since`; nothing is asked for so long.
    Quiet { since: Duration, pause: Duration },
    ProbeSchedule {
        second: bool,
        until: Duration,
        since: Duration,
        /// The last look at the time.
        looked: Duration,
        /// Askings that have ended without an answer.
        ended: u32,
    },
}

impl Silence {
    /// A line that is up since `now`. Not `trusted`: the last time the server was taken for lost by
    /// its silence alone, so it is asked at once whether it can be asked at all. Each probe has
    /// `wait` for its answer.
    pub fn new(probing: Probing, trusted: bool, wait: Duration, now: Duration) -> Self {
        let silence = probing.silence;
        Silence {
            silence,
            wait,
            bucket: Bucket::full(probing.every),
            trusted,
            asked: ATTENTION - WELCOME,
            state: State::Quiet {
                since: now,
                pause: if trusted { silence } else { Duration::ZERO },
            },
        }
    }

    /// From the next probe on, each has so long for its answer.
    pub fn wait(&mut self, wait: Duration) {
        self.wait = wait;
    }

    /// Something came from the server.
    pub fn heard(&mut self, now: Duration) {
        self.bucket.earn();
        self.asked = 0;
        self.start_again(now);
    }

    /// Bytes came then: a ping, or a piece of an event. A sign of life, but no traffic.
    pub fn life(&mut self, at: Duration) {
        match &mut self.state {
            State::Quiet { since, .. } => *since = at.max(*since),
            State::ProbeSchedule { since, .. } if at > *since => self.start_again(at),
            State::ProbeSchedule { .. } => {}
        }
    }

    /// Something was sent to the server.
    pub fn sent(&mut self, now: Duration) {
        self.bucket.earn();
        // A silence that is attended to goes on, or a Blender that talks would put it off for ever.
        if self.asked >= ATTENTION && matches!(self.state, State::Quiet { .. }) {
            self.start_again(now);
        }
        self.asked = 0;
    }

    /// The server has answered a probe, after so long.
    pub fn answered(&mut self, now: Duration, took: Duration) {
        self.trusted = true;
        self.state = State::Quiet {
            since: now,
            pause: took
                .saturating_mul(MODESTY)
                .min(PAUSE_MAX)
                .max(self.silence),
        };
    }

    /// A probe has reached nobody, and it is known why: that says nothing of the server.
    pub fn unclear(&mut self, now: Duration) {
        self.state = State::Quiet {
            since: now,
            pause: PAUSE_MAX.max(self.silence),
        };
    }

    /// A probe has ended without an answer.
    pub fn unanswered(&mut self) {
        if let State::ProbeSchedule { ended, .. } = &mut self.state {
            *ended += 1;
        }
    }

    /// When to look again.
    pub fn due(&self) -> Duration {
        match self.state {
            State::Quiet { since, pause } => {
                let left = if self.asked < ATTENTION { 0 } else { BURST - 1 };
                since.saturating_add(pause).max(self.bucket.ready(left))
            }
            // Both have ended: nothing is left to wait for.
            State::ProbeSchedule {
                second: true,
                ended: 2..,
                looked,
                ..
            } => looked,
            State::ProbeSchedule { until, looked, .. } => until.min(looked.saturating_add(SLICE)),
        }
    }

    /// Looks at the time.
    pub fn look(&mut self, now: Duration) -> Step {
        let due = self.due();
        if now < due {
            return Step::Wait;
        }
        if now > due.saturating_add(LATE) {
            self.start_again(now);
            return Step::Forget;
        }
        match &mut self.state {
            State::Quiet { .. } => {
                self.asked = self.asked.saturating_add(1);
                self.ask(now, now, false, 0)
            }
            State::ProbeSchedule {
                until,
                since,
                ended,
                second,
                looked,
            } => {
                let (over, ended, second, since) = (now >= *until, *ended, *second, *since);
                *looked = now;
                match (second, over) {
                    (false, true) => self.ask(now, since, true, ended),
                    (true, over) if over || ended >= 2 => self.silent(now),
                    _ => Step::Wait,
                }
            }
        }
    }

    fn ask(&mut self, now: Duration, since: Duration, second: bool, ended: u32) -> Step {
        self.bucket.take(now);
        self.state = State::ProbeSchedule {
            second,
            until: now.saturating_add(self.wait),
            since,
            looked: now,
            ended,
        };
        Step::Ask
    }

    /// Asked twice, and no answer.
    fn silent(&mut self, now: Duration) -> Step {
        self.start_again(now);
        if self.trusted {
            Step::Lost
        } else {
            Step::Forget
        }
    }

    fn start_again(&mut self, now: Duration) {
        self.state = State::Quiet {
            since: now,
            pause: self.silence,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBING: Probing = Probing {
        silence: Duration::from_secs(3),
        every: Duration::from_secs(60),
    };
    const QUICK: Duration = Duration::from_millis(2);
    const WAIT: Duration = Duration::from_secs(3);

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn line() -> Silence {
        Silence::new(PROBING, true, WAIT, Duration::ZERO)
    }

    /// Looks whenever it is due, until there is something to do.
    fn next(silence: &mut Silence) -> (Duration, Step) {
        loop {
            let now = silence.due();
            match silence.look(now) {
                Step::Wait => {}
                step => return (now, step),
            }
        }
    }

    /// Looks whenever it is due, until `end`: there is nothing to do.
    fn nothing_until(silence: &mut Silence, end: Duration) {
        while silence.due() < end {
            assert_eq!(silence.look(silence.due()), Step::Wait);
        }
    }

    /// Asks and answers, until `end`; when was asked.
    fn answering(silence: &mut Silence, end: Duration) -> Vec<Duration> {
        let mut probes = Vec::new();
        while silence.due() < end {
            let (now, step) = next(silence);
            assert_eq!(step, Step::Ask);
            probes.push(now);
            silence.answered(now + QUICK, QUICK);
        }
        probes
    }

    #[test]
    fn two_silences_mean_lost_and_in_less_than_ten_seconds() {
        let mut silence = line();
        assert_eq!(next(&mut silence), (at(3.0), Step::Ask));
        assert_eq!(next(&mut silence), (at(6.0), Step::Ask));
        assert_eq!(next(&mut silence), (at(9.0), Step::Lost));
    }

    #[test]
    fn a_server_that_is_busy_for_five_seconds_answers_the_first_probe_in_time() {
        let mut silence = line();
        next(&mut silence);
        next(&mut silence);
        nothing_until(&mut silence, at(8.0));
        silence.answered(at(8.01), at(5.01));
        assert!(silence.due() > at(20.0), "and is left in peace for a while");
    }

    #[test]
    fn whoever_is_heard_is_not_asked() {
        let mut silence = line();
        for second in 1..1000 {
            silence.heard(at(f64::from(second)));
            assert_eq!(silence.look(at(f64::from(second) + 0.99)), Step::Wait);
        }
        assert_eq!(next(&mut silence), (at(1002.0), Step::Ask));
    }

    #[test]
    fn whoever_is_heard_while_asked_is_not_lost() {
        let mut silence = line();
        next(&mut silence);
        next(&mut silence);
        silence.unanswered();
        silence.unanswered();
        silence.heard(at(6.1));
        assert_eq!(next(&mut silence), (at(9.1), Step::Ask));
    }

    #[test]
    fn a_ping_is_a_sign_of_life_and_no_traffic() {
        let mut silence = line();
        silence.life(at(2.0));
        assert_eq!(next(&mut silence), (at(5.0), Step::Ask));
        silence.life(at(2.5)); // before the probe
        assert_eq!(next(&mut silence), (at(8.0), Step::Ask));
        silence.life(at(9.0));
        assert_eq!(next(&mut silence), (at(12.0), Step::Ask));
        // Whoever only pings is not asked for ever.
        let mut silence = line();
        let mut probes = 0;
        for second in 0..86_400_u32 {
            let now = at(f64::from(second));
            if second % 25 == 0 {
                silence.life(now);
            }
            if silence.look(now) == Step::Ask {
                probes += 1;
                silence.answered(now + QUICK, QUICK);
            }
        }
        assert!(probes < 1450, "{probes}");
    }

    #[test]
    fn a_slow_way_is_waited_for() {
        let mut silence = Silence::new(PROBING, true, at(12.0), Duration::ZERO);
        assert_eq!(next(&mut silence), (at(3.0), Step::Ask));
        assert_eq!(next(&mut silence), (at(15.0), Step::Ask));
        assert_eq!(next(&mut silence), (at(27.0), Step::Lost));
    }

    #[test]
    fn two_refusals_need_no_more_waiting() {
        let mut silence = line();
        next(&mut silence);
        silence.unanswered();
        // A second probe comes all the same, and not sooner.
        assert_eq!(next(&mut silence), (at(6.0), Step::Ask));
        silence.unanswered();
        assert_eq!(next(&mut silence), (at(6.0), Step::Lost));
    }

    #[test]
    fn an_idle_line_is_left_alone_after_ten_probes_until_the_bucket_is_full() {
        let mut silence = line();
        silence.heard(at(0.0));
        let probes = answering(&mut silence, at(86_400.0));
        let (quick, slow) = probes.split_at(10);
        assert!(quick.windows(2).all(|pair| pair[1] - pair[0] < at(3.1)));
        assert!(slow[0] >= at(590.0), "{:?}", slow[0]);
        assert!(slow.windows(2).all(|pair| pair[1] - pair[0] >= at(60.0)));
    }

    #[test]
    fn the_long_run_is_bounded_whatever_the_traffic() {
        let mut silence = line();
        let mut probes = 0;
        for second in 0..86_400_u32 {
            let now = at(f64::from(second));
            if second % 5 == 0 {
                silence.heard(now);
            }
            silence.sent(now);
            if silence.look(now) == Step::Ask {
                probes += 1;
                silence.answered(now + QUICK, QUICK);
            }
        }
        // With time, and with what was sent and heard.
        let bound = BURST + 86_400 / 60 + 86_400 * 6 / 5 / 2_000 + 1;
        assert!((bound - 5..=bound).contains(&probes), "{probes}");
    }

    #[test]
    fn a_line_that_has_just_come_up_is_asked_three_times() {
        let mut silence = line();
        let probes = answering(&mut silence, at(100.0));
        assert_eq!(probes.len(), 3);
        assert!(probes[2] < at(9.1));
    }

    #[test]
    fn a_probe_that_reaches_nobody_says_nothing() {
        for probes in 1..=2 {
            let mut silence = line();
            for _ in 0..probes {
                assert_eq!(next(&mut silence).1, Step::Ask);
            }
            silence.unclear(at(7.0));
            nothing_until(&mut silence, at(26.9));
            assert_eq!(next(&mut silence), (at(27.0), Step::Ask));
        }
    }

    #[test]
    fn who_sends_into_an_idle_line_is_attended_to_again() {
        let mut silence = line();
        silence.heard(at(0.0));
        answering(&mut silence, at(100.0));
        assert!(silence.due() > at(500.0));
        silence.sent(at(200.0));
        assert_eq!(next(&mut silence), (at(203.0), Step::Ask));
    }

    #[test]
    fn whoever_talks_on_does_not_put_the_probe_off() {
        let mut silence = line();
        for tenth in 1..30 {
            silence.sent(at(f64::from(tenth) / 10.0));
        }
        assert_eq!(next(&mut silence), (at(3.0), Step::Ask));
    }

    #[test]
    fn with_tokens_that_come_quickly_an_idle_line_is_always_asked() {
        let every = Duration::from_secs(3);
        let mut silence = Silence::new(Probing { every, ..PROBING }, true, WAIT, Duration::ZERO);
        let probes = answering(&mut silence, at(86_400.0));
        assert!(probes.windows(2).all(|pair| pair[1] - pair[0] < at(3.1)));
    }

    #[test]
    fn ones_own_sleep_is_not_the_servers_silence() {
        for asked in 0..3 {
            let mut silence = line();
            for _ in 0..asked {
                next(&mut silence);
            }
            let woken = silence.due() + at(1.5);
            assert_eq!(silence.look(woken), Step::Forget, "{asked}");
            assert_eq!(next(&mut silence), (woken + at(3.0), Step::Ask));
        }
    }

    #[test]
    fn where_no_probe_gets_through_silence_means_nothing() {
        let mut silence = Silence::new(PROBING, false, WAIT, Duration::ZERO);
        assert_eq!(next(&mut silence), (at(0.0), Step::Ask));
        assert_eq!(next(&mut silence), (at(3.0), Step::Ask));
        assert_eq!(next(&mut silence), (at(6.0), Step::Forget));
        let (now, step) = next(&mut silence);
        assert_eq!(step, Step::Ask);
        silence.answered(now, QUICK);
        next(&mut silence);
        next(&mut silence);
        assert_eq!(next(&mut silence).1, Step::Lost);
    }
}
