//! One Blender loses its server: the core that ships, in virtual time, with a server and a main thread
//! that follow a script.

mod entry;
mod scenario;

pub use entry::{Ending, Entry, Span, Timeline, What};
pub use scenario::{Saves, Scenario};

use crate::client::{Answers, Client, save_outcome};
use entry::Spans;
use lifeline_contract::Decide;
use lifeline_contract::types::{ConnectError, Decision, Loss, Place, Scene};
use lifeline_core::{
    Before, Connection, Input, Origin, Output, Question, Telling, Who, as_seconds,
};
use lifeline_sandbox::Policy;
use scenario::{Cue, Script};

/// How often the main thread looks; the least difference between two times of a time line.
const STEP: u64 = 10;
/// Blender has been connected for this long when its server is lost.
const BEFORE: u64 = 1_000;

/// Plays a scenario. The same scenario gives the same time line.
pub fn play(scenario: &Scenario) -> Timeline {
    let mut stage = Stage::new(scenario);
    stage.connect();
    stage.go_through(scenario.script());
    stage.timeline()
}

/// Who decides, with chance from a seed.
struct Policies<'a> {
    current: &'a Policy,
    built_in: &'a Policy,
    chance: fastrand::Rng,
}

impl Answers for Policies<'_> {
    fn decide(&mut self, it: &Question) -> Result<Decision, String> {
        let policy = match it.who {
            Who::Current => self.current,
            Who::BuiltIn => self.built_in,
        };
        policy.decide(it.call, it.state, it.moment)
    }

    fn entropy(&mut self) -> Option<u64> {
        Some(self.chance.u64(..))
    }
}

/// The server, the main thread, and the script. Times are the core's, which begin before the loss.
struct Stage<'a> {
    scenario: &'a Scenario,
    client: Client,
    policies: Policies<'a>,
    now: u64,
    /// The server is there.
    up: bool,
    /// When the last attempt was begun.
    attempted: Option<u64>,
    /// What the server answers to it, and when.
    answer: Option<(u64, Connection)>,
    /// What the main thread has not looked at.
    inbox: Vec<Output>,
    /// A save that runs: its ticket and place, and when it ends.
    saving: Option<(u64, Place, u64)>,
    saves: u32,
    entries: Vec<Entry>,
    spans: Spans,
    ended: Option<u64>,
}

impl<'a> Stage<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Stage {
            scenario,
            client: Client::new(scenario.config.clone(), 0),
            policies: Policies {
                current: &scenario.policy,
                built_in: &scenario.built_in,
                chance: fastrand::Rng::with_seed(scenario.seed),
            },
            now: 0,
            up: true,
            attempted: None,
            answer: None,
            inbox: Vec::new(),
            saving: None,
            saves: 0,
            entries: Vec::new(),
            spans: Spans::default(),
            ended: None,
        }
    }

    /// What was before the loss nobody tells.
    fn connect(&mut self) {
        self.step(Input::Start(Before::default()));
        self.step(Input::Policy(Origin::Other));
        self.pass(BEFORE);
        self.inbox.clear();
        self.entries.clear();
    }

    fn go_through(&mut self, mut script: Script<'a>) {
        loop {
            let since_loss = self.now.saturating_sub(BEFORE);
            while let Some(cue) = script.next_before(since_loss) {
                self.cue(cue);
            }
            // What the core makes of it.
            self.pass(self.now);
            self.look();
            if self.ended.is_some() || since_loss >= self.scenario.until {
                return;
            }
            let at_rest = self.client.core().guard().is_connected() || self.spans.last() == "held";
            if script.next_at().is_none() && at_rest && self.saving.is_none() {
                return; // nothing happens any more
            }
            self.pass(self.next_look(script.next_at()));
        }
    }

    /// When the main thread finds something to do again, or the script has something.
    fn next_look(&self, cue: Option<u64>) -> u64 {
        if !self.inbox.is_empty() {
            return self.now.saturating_add(STEP);
        }
        let since_loss = [cue, Some(self.scenario.until)].into_iter().flatten();
        let next = since_loss
            .map(|at| at.saturating_add(BEFORE))
            .chain(self.due())
            .chain(self.saving.map(|(.., ends)| ends))
            .min()
            .unwrap_or(self.now);
        let looks = next.saturating_sub(self.now).div_ceil(STEP).max(1);
        self.now.saturating_add(looks.saturating_mul(STEP))
    }

    /// When something happens that the main thread has no part in.
    fn due(&self) -> Option<u64> {
        let answer = self.answer.as_ref().map(|(at, _)| *at);
        answer.into_iter().chain(self.client.core().wake_at()).min()
    }

    /// Time goes on.
    fn pass(&mut self, until: u64) {
        while let Some(due) = self.due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            // The connection first, as in the driver.
            match self.answer.take_if(|(at, _)| *at <= due) {
                Some((_, answer)) => self.connection(answer),
                None => self.step(Input::Time),
            }
        }
        self.now = self.now.max(until);
    }

    fn cue(&mut self, cue: Cue<'a>) {
        match cue {
            Cue::Server(up) => {
                self.up = up;
                if up {
                    self.tell(What::ServerBack);
                } else {
                    self.tell(What::ServerAway);
                    if self.client.core().guard().is_connected() {
                        self.connection(Connection::Lost(Loss::TransportError, "killed".into()));
                    }
                }
            }
            Cue::Render(rendering) => {
                self.tell(if rendering {
                    What::RenderBegins
                } else {
                    What::RenderEnds
                });
                self.step(Input::Scene(Scene {
                    modified: true,
                    untitled: false,
                    rendering,
                }));
            }
            Cue::Request(request) => {
                self.tell(What::Request(request));
                self.step(Input::Request(request, "a person".into()));
            }
            Cue::Stop(millis) => {
                self.tell(What::Stopped(millis));
                self.now = self.now.saturating_add(millis);
            }
            Cue::Swap(policy) => {
                self.policies.current = policy;
                let who = policy.identity();
                self.tell(What::Policy(format!("{} {}", who.name, who.version)));
                self.step(Input::Policy(Origin::Other));
            }
        }
    }

    fn step(&mut self, input: Input) {
        for output in self.client.happens(self.now, input, &mut self.policies) {
            match output {
                Output::Connect(_) => self.dial(),
                Output::Disconnect => self.answer = None,
                other => self.inbox.push(other),
            }
        }
    }

    fn connection(&mut self, event: Connection) {
        self.step(self.client.of_attempt(event));
    }

    /// The server answers at once; but to a second attempt at one instant a moment later: who tries
    /// again at once would do so for ever in a virtual time that stands still.
    fn dial(&mut self) {
        let accepted = self.up;
        self.tell(What::Attempt { accepted });
        let again = self.attempted.replace(self.now) == Some(self.now);
        let answer = if accepted {
            Connection::Accepted
        } else {
            Connection::Failed(ConnectError::Unreachable, "refused".into())
        };
        self.answer = Some((self.now + u64::from(again), answer));
    }

    /// The main thread looks what has happened since the last time, and answers.
    fn look(&mut self) {
        let mut said = Vec::new();
        for output in std::mem::take(&mut self.inbox) {
            said.extend(self.sees(output));
        }
        if let Some((ticket, place, _)) = self.saving.take_if(|(.., ends)| *ends <= self.now) {
            said.push(self.end_save(ticket, place));
        }
        let phase = self.client.core().state().phase.name();
        self.spans.see(phase, self.since_loss());
        for input in said {
            self.step(input);
        }
    }

    fn sees(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Save(ticket, place, _) if self.client.stands(ticket) => {
                self.tell(What::Save(place));
                let ends = self.now.saturating_add(self.scenario.save_takes);
                self.saving = Some((ticket, place, ends));
                return Some(Input::Claimed(ticket));
            }
            Output::Quit(ticket) if self.client.stands(ticket) => {
                self.tell(What::Quit);
                return Some(Input::Claimed(ticket));
            }
            Output::Close { .. } | Output::EndProcess { .. } => {
                self.tell(What::Closed);
                self.ended = Some(self.since_loss());
            }
            Output::Tell(telling) => self.hears(&telling),
            _ => {}
        }
        None
    }

    fn hears(&mut self, telling: &Telling) {
        let what = match telling {
            Telling::Lost { .. } => What::Lost,
            Telling::Connected {
                outage: Some(outage),
                ..
            } => What::Recovered(as_seconds(*outage)),
            Telling::Countdown { left, .. } | Telling::CountdownGoesOn { left, .. } => {
                What::Countdown(as_seconds(*left))
            }
            Telling::Warn(left) => What::Warn(as_seconds(*left)),
            Telling::Held => What::Held,
            other => match other.trouble(self.policies.current.identity()) {
                Some(trouble) => What::Trouble(trouble),
                None => return,
            },
        };
        self.tell(what);
    }

    fn end_save(&mut self, ticket: u64, place: Place) -> Input {
        self.saves += 1;
        let ok = self.scenario.saves.succeeds(self.saves, place);
        self.tell(What::Saved { place, ok });
        let why = (!ok).then_some("as the scenario has it");
        Input::Saved(ticket, save_outcome(place, why))
    }

    fn tell(&mut self, what: What) {
        let at = self.since_loss();
        self.entries.push(Entry { at, what });
    }

    fn since_loss(&self) -> u64 {
        self.now.saturating_sub(BEFORE)
    }

    fn timeline(mut self) -> Timeline {
        let until = self.ended.unwrap_or_else(|| self.since_loss());
        let ending = match self.ended {
            Some(at) => Ending::Closed(at),
            None => Ending::Open(self.spans.last().to_string()),
        };
        // Attempts have the exact time; what was told of them is seen a moment later.
        self.entries.sort_by_key(|entry| entry.at);
        Timeline {
            entries: self.entries,
            spans: self.spans.until(until),
            ending,
            until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeline_contract::types::{Request, Settings};
    use lifeline_sandbox::{Compiling, Limits, Sandbox};

    fn scenario() -> Scenario {
        let config = crate::config(Settings {
            retry_jitter: 0,
            ..Settings::default()
        });
        let policy = Sandbox::new(Limits::default(), None, Compiling::Here)
            .unwrap()
            .load_embedded(&crate::FIVE_MINUTES)
            .unwrap();
        Scenario::new(config, policy.clone(), policy)
    }

    fn seconds(timeline: &Timeline, wanted: impl Fn(&What) -> bool) -> Vec<u64> {
        timeline
            .entries
            .iter()
            .filter(|entry| wanted(&entry.what))
            .map(|entry| entry.at / 1_000)
            .collect()
    }

    fn attempts(timeline: &Timeline) -> Vec<u64> {
        seconds(timeline, |what| matches!(what, What::Attempt { .. }))
    }

    #[test]
    fn lost_for_good() {
        let timeline = play(&scenario());
        assert_eq!(attempts(&timeline)[..5], [2, 6, 14, 24, 34]);
        let countdowns = seconds(&timeline, |what| *what == What::Countdown(300.0));
        assert_eq!(countdowns, [34]);
        let warnings = seconds(&timeline, |what| matches!(what, What::Warn(_)));
        assert_eq!(warnings, [274, 324]);
        assert_eq!(
            seconds(&timeline, |what| matches!(
                what,
                What::Saved { ok: true, .. }
            )),
            [334]
        );
        assert!(matches!(timeline.ending, Ending::Closed(at) if at / 1_000 == 334));
        let phases: Vec<&str> = timeline
            .spans
            .iter()
            .map(|span| span.phase.as_str())
            .collect();
        assert_eq!(phases[..2], ["reconnecting", "counting-down"]);
    }

    #[test]
    fn back_in_time_nothing_is_saved() {
        let scenario = Scenario {
            away: vec![(0, 90_000)],
            ..scenario()
        };
        let timeline = play(&scenario);
        assert!(seconds(&timeline, |what| matches!(what, What::Save(_))).is_empty());
        assert!(matches!(&timeline.ending, Ending::Open(phase) if phase == "connected"));
        let back = seconds(&timeline, |what| matches!(what, What::Recovered(_)));
        assert!((90..101).contains(&back[0]), "{back:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_time_line() {
        let with = |seed| {
            let scenario = Scenario { seed, ..scenario() };
            play(&scenario).entries
        };
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn held_and_released() {
        let scenario = Scenario {
            requests: vec![(100_000, Request::Hold), (1_000_000, Request::Release)],
            ..scenario()
        };
        let timeline = play(&scenario);
        assert!(matches!(timeline.ending, Ending::Closed(at) if at / 1_000 == 1_300));
        assert_eq!(seconds(&timeline, |what| *what == What::Held), [100]);
    }

    #[test]
    fn held_for_good_is_an_end_too() {
        let scenario = Scenario {
            requests: vec![(100_000, Request::Hold)],
            ..scenario()
        };
        let timeline = play(&scenario);
        assert_eq!(timeline.ending, Ending::Open("held".into()));
        assert!(timeline.until < 101_000);
    }

    #[test]
    fn stopped_for_an_hour_the_deadline_moves() {
        let scenario = Scenario {
            stops: vec![(100_000, 3_600_000)],
            ..scenario()
        };
        let timeline = play(&scenario);
        let Ending::Closed(at) = timeline.ending else {
            panic!("{:?}", timeline.ending)
        };
        assert!((3_930_000..3_940_000).contains(&at), "{at}");
    }

    #[test]
    fn a_save_that_fails_in_place_is_made_elsewhere() {
        let scenario = Scenario {
            saves: Saves::FailInPlace,
            save_takes: 2_000,
            ..scenario()
        };
        let timeline = play(&scenario);
        let saved: Vec<(Place, bool)> = timeline
            .entries
            .iter()
            .filter_map(|entry| match entry.what {
                What::Saved { place, ok } => Some((place, ok)),
                _ => None,
            })
            .collect();
        assert_eq!(saved, [(Place::InPlace, false), (Place::Recovery, true)]);
        assert!(matches!(timeline.ending, Ending::Closed(at) if at / 1_000 == 338));
    }
}
