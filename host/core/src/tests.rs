//! Outages told event by event, with the default policy's machine.

use crate::guard::Bounds;
use crate::{
    Answer, Before, Config, Connection, Core, Digest, Failure, Host, Ignored, Input, Origin,
    Outcome, Output, Question, Safe, SaveOutcome, Saved, Telling, Upload, Uploaded, Who, Withdrawn,
    Work,
};
use lifeline_contract::Call;
use lifeline_contract::types::{
    ConnectError, Loss, Moment, Phase, Place, Request, Scene, Settings,
};
use lifeline_machine::Machine;

mod deciding;
mod early;
mod endless;
mod relative;
mod saving;
mod short;
mod stands;
mod stored;

const MINUTE: u64 = 60_000;
/// More than any test needs.
const TURNS: u32 = 20_000;

/// What answers in the middle of a step.
#[derive(Default)]
struct World {
    /// Which policies give no answer.
    broken: Vec<Who>,
    /// What the main thread has claimed, and nobody has heard of.
    claimed: Option<u64>,
    taken_back: Vec<u64>,
    polled: u64,
    takes: u64,
    /// What each call was told of connections that did not last.
    cut_off: Vec<(&'static str, Option<u32>)>,
    asked: Vec<Call>,
    /// What the policy goes by in place of what is set.
    timing: Option<Settings>,
}

impl Host for World {
    fn decide(&mut self, it: &Question) -> Answer {
        let broken = self.broken.contains(&it.who);
        self.cut_off.push((it.call.name(), it.moment.cut_off));
        self.asked.push(it.call.clone());
        let current = self.timing.clone().filter(|_| it.who == Who::Current);
        let moment = Moment {
            settings: current.or_else(|| it.moment.settings.clone()),
            ..it.moment.clone()
        };
        Answer {
            decision: match broken {
                true => Err("no memory".into()),
                false => Ok(it.call.of::<Machine<()>>(it.state, &moment)),
            },
            took: self.takes,
        }
    }

    fn entropy(&mut self) -> Option<u64> {
        None
    }

    fn take_back(&mut self, ticket: u64) -> bool {
        self.taken_back.push(ticket);
        self.claimed != Some(ticket)
    }

    fn polled(&self) -> u64 {
        self.polled
    }
}

struct Stage {
    core: Core,
    world: World,
    now: u64,
    outputs: Vec<Output>,
    attempt: u64,
    turns: u32,
}

impl Stage {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        Self::at(0, change)
    }

    /// Blender starts at this instant.
    fn at(now: u64, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            username: String::new(),
            timing: Settings::default(),
            bounds: Bounds::default(),
            quit_floor: 10_000,
            outage_limit: 0,
            unsaved_wait: MINUTE,
            upload: 0,
            target: false,
            copies: false,
            safe: Safe::Local,
            early_copy: false,
            quit: 30_000,
            stuck: 0,
            recover: false,
            terminate: 20_000,
        };
        change(&mut config);
        let mut stage = Stage {
            core: Core::new(config, now),
            world: World::default(),
            now,
            outputs: Vec::new(),
            attempt: 0,
            turns: 0,
        };
        stage.tell(Input::Start(Before::default()));
        stage
    }

    /// Connected for a second.
    fn connected(change: impl FnOnce(&mut Config)) -> Self {
        let mut stage = Stage::new(change);
        stage.connection(Connection::Accepted);
        stage.now += 1_000;
        stage.outputs.clear();
        stage
    }

    /// Whoever waits for what does not come fails at once.
    fn turn(&mut self) {
        self.turns += 1;
        assert!(self.turns < TURNS, "it goes round in circles");
    }

    fn tell(&mut self, input: Input) {
        self.turn();
        self.core.handle(self.now, input, &mut self.world);
        while let Some(output) = self.core.poll() {
            if let Output::Connect(attempt) = output {
                self.attempt = attempt;
            }
            self.outputs.push(output);
        }
    }

    fn connection(&mut self, event: Connection) {
        self.tell(Input::Connection(self.attempt, event));
    }

    fn lose(&mut self) {
        self.connection(Connection::Lost(Loss::TransportError, "gone".into()));
    }

    /// Time passes; each attempt fails at once.
    fn pass(&mut self, millis: u64) {
        self.turn();
        let end = self.now + millis;
        loop {
            if self.core.is_attempting() {
                let failed = Connection::Failed(ConnectError::Unreachable, "refused".into());
                self.connection(failed);
            }
            match self.core.wake_at().filter(|at| *at <= end) {
                Some(at) => self.now = at.max(self.now),
                None => break,
            }
            self.tell(Input::Time);
        }
        self.now = end;
    }

    fn next_attempt(&mut self) {
        while !self.core.is_attempting() {
            self.now = self.core.wake_at().unwrap();
            self.tell(Input::Time);
        }
    }

    /// Until the save is asked for.
    fn lose_for_good(&mut self) -> u64 {
        self.lose();
        self.pass(6 * MINUTE);
        self.saves()[0]
    }

    fn saves(&self) -> Vec<u64> {
        let ticket = |output: &Output| match output {
            Output::Save(ticket, ..) => Some(*ticket),
            _ => None,
        };
        self.outputs.iter().filter_map(ticket).collect()
    }

    fn quits(&self) -> Vec<u64> {
        let ticket = |output: &Output| match output {
            Output::Quit(ticket) => Some(*ticket),
            _ => None,
        };
        self.outputs.iter().filter_map(ticket).collect()
    }

    fn save(&mut self, ticket: u64, ok: bool) {
        self.tell(Input::Claimed(ticket));
        let failed = Err(vec!["disk full".into()]);
        self.tell(Input::Saved(ticket, if ok { saved() } else { failed }));
    }

    fn verify(&mut self) {
        let digest = Digest {
            bytes: 1,
            sha256: String::new(),
            seconds: 0.0,
        };
        let order = self.core.keeping().unwrap_or_default();
        self.tell(Input::Verified(order, Ok(digest)));
    }

    fn has(&self, output: &Output) -> bool {
        self.outputs.contains(output)
    }

    fn told(&self, telling: impl Into<Telling>) -> bool {
        self.has(&Output::Tell(telling.into()))
    }

    fn phase(&self) -> &'static str {
        self.core.state().phase.name()
    }

    /// What Blender was told: within how long, and whether its work is safe.
    fn closes(&self) -> Option<(u64, bool)> {
        self.outputs.iter().find_map(|output| match output {
            Output::Close { within, safe } => Some((*within, *safe)),
            _ => None,
        })
    }
}

fn saved() -> SaveOutcome {
    Ok(Saved {
        path: "/work.blend".into(),
        recovery: false,
        failures: Vec::new(),
        digest: None,
        render: None,
    })
}

#[test]
fn lost_for_good_it_saves_and_closes() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    assert!(stage.quits().is_empty(), "it is not verified");
    stage.verify();
    let quit = stage.quits()[0];
    stage.tell(Input::Claimed(quit));
    assert!(stage.has(&Output::WriteDown(Outcome::Quit)));
    assert_eq!(stage.closes(), None, "it is not written down");
    stage.tell(Input::Written);
    assert_eq!(stage.closes(), Some((30_000, true)));
    assert_eq!(stage.core.wake_at(), None);
}

#[test]
fn back_in_time_nothing_is_saved() {
    let mut stage = Stage::connected(|_| {});
    stage.lose();
    stage.pass(40_000);
    assert_eq!(stage.phase(), "counting-down");
    let due = stage.core.wake_at().unwrap_or_default();
    stage.now = due;
    stage.tell(Input::Time);
    stage.connection(Connection::Accepted);
    assert_eq!(stage.phase(), "connected");
    assert!(stage.told(Telling::Over(Outcome::Recovered)));
    stage.pass(10 * MINUTE);
    assert!(stage.saves().is_empty());
}

#[test]
fn back_while_it_saves_the_save_ends_and_blender_stays() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    // The main thread has claimed it, and nobody has heard of it.
    stage.world.claimed = Some(ticket);
    while !stage.core.is_attempting() {
        stage.now = stage.core.wake_at().unwrap_or(stage.now);
        stage.tell(Input::Time);
    }
    stage.connection(Connection::Accepted);
    let back = Telling::Withdrawn(crate::Why::Back, Withdrawn::RunningSave);
    assert!(stage.told(back));
    assert!(!stage.told(Telling::Over(Outcome::Recovered)), "it runs");
    stage.save(ticket, true);
    assert!(stage.told(Telling::Over(Outcome::Recovered)));
    stage.pass(10 * MINUTE);
    assert!(stage.quits().is_empty() && stage.closes().is_none());
}

#[test]
fn what_cannot_be_saved_is_tried_again_and_then_closed() {
    let mut stage = Stage::connected(|_| {});
    let in_place = stage.lose_for_good();
    stage.save(in_place, false);
    let copy = stage.saves()[1];
    stage.save(copy, false);
    assert!(stage.told(Work::NotSaved));
    stage.pass(1_900);
    assert_eq!(stage.saves().len(), 2);
    stage.pass(100);
    let again = stage.saves()[2];
    stage.save(again, true);
    stage.verify();
    assert_eq!(stage.quits().len(), 1);
}

#[test]
fn with_nothing_saved_it_closes_after_the_wait() {
    let mut stage = Stage::connected(|_| {});
    stage.lose_for_good();
    let mut tried = 0;
    let failed = stage.now;
    while stage.quits().is_empty() {
        for ticket in stage.saves().split_off(tried) {
            tried += 1;
            stage.save(ticket, false);
        }
        stage.pass(1_000);
    }
    assert!(stage.now >= failed + MINUTE);
    let quit = stage.quits()[0];
    stage.tell(Input::Claimed(quit));
    stage.tell(Input::Written);
    assert_eq!(stage.closes(), Some((30_000, false)));
}

#[test]
fn a_file_that_cannot_be_verified_is_not_safe() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    let order = stage.core.keeping().unwrap_or_default();
    stage.tell(Input::Verified(order, Err("bad sector".into())));
    assert!(stage.told(Work::Unreadable("bad sector".into())));
    assert!(stage.quits().is_empty() && !stage.core.guard().is_safe());
    stage.pass(1_000);
    assert_eq!(stage.saves().len(), 2, "it is saved again");
}

#[test]
fn an_upload_is_waited_for_and_cut_off_at_its_bound() {
    let mut stage = Stage::connected(|config| (config.target, config.upload) = (true, MINUTE));
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    stage.pass(MINUTE + 9_000);
    assert!(stage.quits().is_empty());
    stage.pass(1_000);
    assert!(stage.has(&Output::StopKeeping));
    assert!(stage.told(Work::UploadCutOff(MINUTE + 10_000)));
    assert_eq!(stage.quits().len(), 1);
    // One of an order that was given up is no news.
    let uploaded = Uploaded {
        bytes: 1,
        attempts: 1,
        seconds: 1.0,
        error: None,
        multipart: None,
    };
    stage.tell(Input::Uploaded(1, uploaded.clone()));
    assert!(!stage.told(Work::Uploaded(uploaded)));
}

#[test]
fn a_blender_that_does_not_close_is_ended_if_its_work_is_safe() {
    for modified in [false, true] {
        let mut stage = Stage::connected(|_| {});
        let ticket = stage.lose_for_good();
        stage.save(ticket, true);
        stage.verify();
        stage.world.polled = stage.now + 1;
        stage.tell(Input::Scene(Scene {
            modified,
            untitled: false,
            rendering: false,
        }));
        stage.pass(29_000);
        assert!(!stage.has(&Output::WriteDown(Outcome::EndedByHost)));
        stage.pass(2_000);
        let ended = stage.has(&Output::WriteDown(Outcome::EndedByHost));
        assert_eq!(ended, !modified);
        stage.tell(Input::Written);
        assert_eq!(stage.has(&Output::EndProcess { safe: true }), !modified);
    }
}

#[test]
fn a_main_thread_at_work_has_ten_times_as_long() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    stage.pass(299_000);
    assert!(!stage.has(&Output::WriteDown(Outcome::EndedByHost)));
    stage.pass(1_000);
    assert!(stage.has(&Output::WriteDown(Outcome::EndedByHost)));
}

#[test]
fn what_was_claimed_in_this_very_moment_is_not_ended() {
    let mut stage = Stage::connected(|config| config.stuck = 50_000);
    let ticket = stage.lose_for_good();
    stage.world.claimed = Some(ticket);
    stage.pass(10 * MINUTE);
    assert!(!stage.has(&Output::WriteDown(Outcome::EndedByHost)));
}

#[test]
fn what_has_changed_since_the_save_is_not_safe() {
    let mut stage = Stage::connected(|config| config.stuck = 50_000);
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    let quit = stage.quits()[0];
    stage.tell(Input::SaveFirst(quit));
    assert!(stage.told(Work::SavedAgain(1)));
    stage.pass(MINUTE);
    stage.tell(Input::Written);
    assert!(stage.has(&Output::EndProcess { safe: false }));
}

#[test]
fn sigterm_saves_and_closes_under_a_living_server() {
    let mut stage = Stage::connected(|_| {});
    stage.tell(Input::Terminate);
    assert!(stage.has(&Output::Disconnect));
    let ticket = stage.saves()[0];
    stage.save(ticket, true);
    stage.verify();
    let quit = stage.quits()[0];
    stage.tell(Input::Claimed(quit));
    assert!(stage.has(&Output::WriteDown(Outcome::Terminated)));
    // A server, a person and a second signal have nothing to say any more.
    stage.connection(Connection::Accepted);
    stage.tell(Input::Request(Request::Hold, "ann".into()));
    stage.tell(Input::Terminate);
    assert!(stage.told(Telling::RequestIgnored(Request::Hold, Ignored::Closing)));
    stage.tell(Input::Written);
    assert_eq!(stage.closes(), Some((20_000, true)));
}

#[test]
fn after_sigterm_a_dead_main_thread_is_not_waited_for() {
    let mut stage = Stage::connected(|_| {});
    // It has been at work for long when it comes.
    stage.world.polled = stage.now;
    stage.pass(50_000);
    stage.tell(Input::Terminate);
    stage.pass(30_000);
    assert!(!stage.has(&Output::EndProcess { safe: false }));
    stage.world.polled = stage.now;
    stage.pass(39_000);
    assert!(!stage.has(&Output::EndProcess { safe: false }));
    stage.pass(2_000);
    stage.tell(Input::Written);
    assert!(stage.has(&Output::EndProcess { safe: false }));
}

#[test]
fn sigterm_may_mean_that_the_file_is_to_stay_as_it_is() {
    let recovers = |config: &mut Config| (config.recover, config.target) = (true, true);
    let places = |stage: &Stage| -> Vec<Place> {
        let place = |output: &Output| match output {
            Output::Save(_, place, _) => Some(*place),
            _ => None,
        };
        stage.outputs.iter().filter_map(place).collect()
    };
    let mut stage = Stage::connected(recovers);
    stage.tell(Input::Terminate);
    stage.save(stage.saves()[0], false);
    stage.pass(1_000);
    stage.save(stage.saves()[1], true);
    assert_eq!(places(&stage), [Place::Recovery; 2]);
    let uploads = |output: &Output| {
        matches!(
            output,
            Output::Keep {
                upload: Upload::Target,
                ..
            }
        )
    };
    assert!(!stage.outputs.iter().any(uploads));
    // In an outage it is the clean-up.
    let mut stage = Stage::connected(recovers);
    stage.lose();
    stage.tell(Input::Terminate);
    stage.save(stage.saves()[0], true);
    assert_eq!(places(&stage), [Place::InPlace]);
    assert!(stage.outputs.iter().any(uploads));
}

#[test]
fn a_journal_that_hangs_does_not_keep_blender() {
    let mut stage = Stage::connected(|_| {});
    let ticket = stage.lose_for_good();
    stage.save(ticket, true);
    stage.verify();
    let quit = stage.quits()[0];
    stage.tell(Input::Claimed(quit));
    stage.pass(2_900);
    assert_eq!(stage.closes(), None);
    stage.pass(100);
    assert!(stage.told(Telling::JournalSilent) && stage.closes().is_some());
    stage.tell(Input::Written);
    let closes = |output: &&Output| matches!(output, Output::Close { .. });
    assert_eq!(stage.outputs.iter().filter(closes).count(), 1);
}

#[test]
fn an_attempt_that_a_person_asks_for_moves_nothing() {
    let mut stage = Stage::connected(|_| {});
    stage.tell(Input::TryNow);
    assert!(stage.told(Telling::TryNow(Some(Ignored::Connected))));
    stage.lose();
    let (plan, due) = (stage.core.state().clone(), stage.core.wake_at());
    stage.tell(Input::TryNow);
    stage.tell(Input::TryNow);
    assert!(stage.told(Telling::TryNow(None)));
    assert!(stage.told(Telling::TryNow(Some(Ignored::UnderWay))));
    stage.connection(Connection::Failed(ConnectError::Refused, "no".into()));
    assert_eq!((stage.core.state(), stage.core.wake_at()), (&plan, due));
}

#[test]
fn a_policy_that_fails_three_times_is_disabled() {
    let mut stage = Stage::connected(|_| {});
    stage.tell(Input::Policy(Origin::Other));
    stage.world.broken = vec![Who::Current];
    stage.lose();
    stage.pass(MINUTE);
    let rejected = |output: &&Output| {
        let Output::Tell(Telling::Rejected { failure, .. }) = output else {
            return false;
        };
        *failure == Failure::NoAnswer("no memory".into())
    };
    assert_eq!(stage.outputs.iter().filter(rejected).count(), 3);
    assert_eq!(stage.core.failures(), (3, true));
    assert_eq!(stage.phase(), "counting-down", "the built-in one decides");
    stage.tell(Input::Policy(Origin::Other));
    assert_eq!(stage.core.failures(), (1, false));
}

#[test]
fn what_nobody_can_decide_is_asked_again() {
    let mut stage = Stage::connected(|_| {});
    stage.world.broken = vec![Who::Current, Who::BuiltIn];
    stage.lose();
    assert_eq!(stage.phase(), "connected");
    let call = stage.core.undecided().next().cloned();
    assert_eq!(call, Some(Call::OnDisconnect(Loss::TransportError)));
    assert_eq!(stage.core.wake_at(), Some(stage.now + 1_000));
    stage.world.broken.clear();
    stage.pass(1_000);
    assert_eq!(stage.phase(), "reconnecting");
}

#[test]
fn a_slow_policy_is_woken_no_sooner_than_it_took() {
    let mut stage = Stage::connected(|config| config.timing.retry_delay = 10);
    stage.world.takes = 700;
    let lost = stage.now;
    stage.lose();
    assert_eq!(stage.core.wake_at(), Some(lost + 1_400));
}

#[test]
fn a_person_keeps_it_open_over_a_restart_of_the_host() {
    let mut stage = Stage::new(|_| {});
    stage.core = Core::new(
        Config {
            username: "ann".into(),
            ..(*stage.core.config).clone()
        },
        0,
    );
    stage.tell(Input::Start(Before {
        held: true,
        ..Before::default()
    }));
    assert!(matches!(stage.core.state().phase, Phase::Held(_)));
    stage.pass(60 * MINUTE);
    assert!(stage.saves().is_empty());
}

#[test]
fn tickets_of_before_a_fault_are_not_issued_again() {
    let mut stage = Stage::new(|_| {});
    stage.core = Core::new((*stage.core.config).clone(), 0);
    stage.tell(Input::Start(Before {
        tickets: 7,
        ..Before::default()
    }));
    stage.connection(Connection::Accepted);
    assert_eq!(stage.lose_for_good(), 8);
}

#[test]
fn a_quit_that_was_handed_back_unheard_is_no_longer_waited_for() {
    let mut stage = Stage::connected(|config| config.stuck = 50_000);
    let save = stage.lose_for_good();
    stage.save(save, true);
    stage.verify();
    let quit = stage.quits()[0];
    // The main thread has taken it, which is not heard of before it is looked for.
    stage.world.claimed = Some(quit);
    stage.pass(51_000);
    assert!(!stage.has(&Output::WriteDown(Outcome::EndedByHost)));
    stage.tell(Input::SaveFirst(quit));
    assert_eq!(stage.saves().len(), 2);
}

#[test]
fn two_that_have_seen_the_same_are_equal() {
    let play = |stage: &mut Stage| {
        stage.lose();
        stage.pass(MINUTE);
    };
    let (mut one, mut other) = (Stage::connected(|_| {}), Stage::connected(|_| {}));
    play(&mut one);
    play(&mut other);
    assert_eq!(one.core, other.core);
    other.tell(Input::Request(Request::Extend(1), "ann".into()));
    assert_ne!(one.core, other.core);
    let save = |place| Output::Save(1, place, crate::Reason::Outage);
    one.pass(6 * MINUTE);
    assert!(one.has(&save(Place::InPlace)));
}
