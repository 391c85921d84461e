//! A step: what happens goes to the host's core, and what it wants done is done.

use crate::configuration::{BETWEEN, Configuration, QUICK, QUIET, SHORT, SLEEP, SLIGHTLY_LATE};
use crate::main_thread::{MainThread, Unheard};
use crate::monitor::{By, QuitCircumstances, Ruling};
use crate::policy::{Who, ask_machine, hostile_answer};
use crate::rule::{Rule, Sight};
use crate::step::{Event, Step, Trap};
use crate::world::World;
use lifeline_contract::Call;
use lifeline_contract::types::{
    Action, ConnectError, Decision, Loss, Moment, Phase, Place, Scene, Settings, State,
};
use lifeline_core::guard::Violation;
use lifeline_core::{
    Answer, Before, Connection, Digest, Failure, Host, Input, Outcome, Output, Question, Saved,
    Task, Telling, Work,
};
use std::path::PathBuf;

/// Lets it happen.
pub fn take(configuration: &Configuration, world: &mut World, step: Step) {
    world.monitor.begin_step();
    world.faults = world.faults.saturating_add(step.faults());
    let end = |world: &World| (world.core.end(), world.core.end_due());
    let (due, before) = (world.end_is_due(), end(world));
    for input in inputs(configuration, world, step.event) {
        hand(configuration, world, step, input);
    }
    if step.event == Event::Time && due && before == end(world) && !world.over {
        world.monitor.breaks(Rule::BusyLoop);
    }
    let mut monitor = world.monitor.clone();
    monitor.look_at(world);
    world.monitor = monitor;
}

/// What the core is told of it.
fn inputs(configuration: &Configuration, world: &mut World, event: Event) -> Vec<Input> {
    let scene = |rendering| {
        let scene = Scene {
            modified: false,
            untitled: false,
            rendering,
        };
        configuration
            .adversary
            .renders
            .then_some(Input::Scene(scene))
    };
    let connection = |world: &World, event| {
        let attempt = world.attempt.map(|(attempt, _)| attempt);
        attempt.map(|attempt| Input::Connection(attempt, event))
    };
    let at_once = !configuration.adversary.claims;
    let input = match event {
        Event::Start => {
            world.started = true;
            let start = Input::Start(Before::default());
            let first = [Input::Policy(world.current.origin())];
            return first
                .into_iter()
                .chain(scene(false))
                .chain([start])
                .collect();
        }
        Event::Pass => {
            world.now = world.core.wake_at().unwrap_or(world.now).max(world.now);
            None
        }
        Event::Between => {
            world.now += BETWEEN;
            None
        }
        Event::Late => late(configuration, world, SLIGHTLY_LATE),
        Event::Sleep => late(configuration, world, SLEEP),
        Event::Time => Some(Input::Time),
        Event::Accepted => {
            if world.main.running.is_some() {
                world.monitor.sees(Sight::BackWhileSaving);
            }
            if matches!(world.main.unheard, Some(Unheard::Claim(_, Task::Quit))) {
                world.monitor.sees(Sight::BackAfterClaim);
            }
            world.monitor.connected(world.now);
            connection(world, Connection::Accepted)
        }
        Event::Failed(why) => {
            world.now = fails_at(configuration, world, why).unwrap_or(world.now);
            let input = connection(world, Connection::Failed(why, String::new()));
            world.attempt = None;
            world.monitor.failed();
            input
        }
        Event::Lost | Event::CutOff => {
            lose(configuration, world, event == Event::CutOff);
            let lost = Connection::Lost(Loss::TransportError, String::new());
            let input = connection(world, lost);
            world.attempt = None;
            input
        }
        Event::Claim => match world.main.claim() {
            Some((_, Task::Save(_), true)) => {
                let connected = world.is_connected();
                world.monitor.save_begins(connected);
                at_once.then(|| world.hear()).flatten()
            }
            Some((_, _, false)) => {
                world.monitor.sees(Sight::TicketRefused);
                None
            }
            _ => None,
        },
        Event::SaveFirst => {
            world.main.hand_back();
            at_once.then(|| world.hear()).flatten()
        }
        Event::Heard => world.hear(),
        Event::Saved(ok) => world.main.running.take().map(|(ticket, place)| {
            let saved = Saved {
                path: PathBuf::new(),
                recovery: place == Place::Recovery,
                failures: Vec::new(),
                digest: None,
                render: None,
            };
            Input::Saved(ticket, if ok { Ok(saved) } else { Err(Vec::new()) })
        }),
        Event::Verified(ok) => world.core.keeping().map(|order| {
            let digest = Digest {
                bytes: 0,
                sha256: String::new(),
                seconds: 0.0,
            };
            Input::Verified(order, if ok { Ok(digest) } else { Err(String::new()) })
        }),
        Event::Asked(request) => {
            world.monitor.asked(configuration, &request, world.now);
            Some(Input::Request(request, String::new()))
        }
        Event::Settings => {
            world.other_settings = !world.other_settings;
            world.monitor.begins_afresh(configuration, world.now);
            Some(Input::Policy(world.current.origin()))
        }
        Event::Swap(who) => {
            world.current = who;
            world.monitor.begins_afresh(configuration, world.now);
            Some(Input::Policy(who.origin()))
        }
        Event::Rendering(rendering) => {
            world.rendering = rendering;
            scene(rendering)
        }
        Event::Terminate => {
            world.monitor.terminates(world.now);
            Some(Input::Terminate)
        }
        Event::Written => Some(Input::Written),
    };
    input.into_iter().collect()
}

fn late(configuration: &Configuration, world: &mut World, by: u64) -> Option<Input> {
    let due = world.core.tick_due().unwrap_or(world.now);
    world.now = due.max(world.now) + by;
    world.monitor.late(configuration, by);
    None
}

fn lose(configuration: &Configuration, world: &mut World, short: bool) {
    let holds = world.now + if short { SHORT } else { QUIET };
    let due = world.core.wake_at().unwrap_or(holds);
    world.now = holds.min(due.max(world.now));
    world.losses += 1;
    if !short {
        world.faults = 0;
        world.saves = 0;
    }
    let decided = world.core.undecided().next().is_none();
    world.monitor.lost(configuration, world.now, decided);
    world.monitor.sees(Sight::SecondOutage);
}

/// When the attempt under way fails, if it fails like this; None: something else comes before.
pub fn fails_at(configuration: &Configuration, world: &World, why: ConnectError) -> Option<u64> {
    let (_, begun) = world.attempt.filter(|_| !world.is_connected())?;
    let settings = &configuration.settings[usize::from(world.other_settings)];
    let takes = match why {
        ConnectError::Unreachable | ConnectError::Refused => QUICK,
        ConnectError::TimedOut => settings.connect_timeout,
    };
    let at = world.now.max(begun.saturating_add(takes));
    let due = world.core.wake_at();
    (at == world.now || due.is_none_or(|due| at <= due)).then_some(at)
}

/// An answer of a policy.
struct Asked {
    who: Who,
    call: Call,
    before: State,
    moment: Moment,
    /// None: it gave none.
    decision: Option<Decision>,
    by: By,
    trapped: bool,
}

/// What the core asks for within a step.
struct Answers<'a> {
    settings: &'a Settings,
    current: Who,
    main: &'a mut MainThread,
    step: Step,
    now: u64,
    asked: Vec<Asked>,
}

impl Host for Answers<'_> {
    fn decide(&mut self, question: &Question) -> Answer {
        let Question {
            who,
            call,
            state,
            moment,
        } = *question;
        let (who, trapped) = match who {
            lifeline_core::Who::Current => (self.current, self.step.trap != Trap::No),
            lifeline_core::Who::BuiltIn => (Who::FiveMinutes, self.step.trap == Trap::BuiltInToo),
        };
        let (decision, by) = match who.adapt(self.settings) {
            Some(settings) => {
                let decision = ask_machine(settings.clone(), call, state, moment);
                (Some(decision), By::Machine(Box::new(settings)))
            }
            None => {
                let answer = self.step.answer;
                let decision = answer.and_then(|it| hostile_answer(it, state, moment));
                (decision, By::Hostile)
            }
        };
        let decision = decision.filter(|_| !trapped);
        self.asked.push(Asked {
            who,
            call: call.clone(),
            before: state.clone(),
            moment: moment.clone(),
            decision: decision.clone(),
            by,
            trapped,
        });
        Answer {
            decision: decision.ok_or_else(String::new),
            took: 0,
        }
    }

    fn entropy(&mut self) -> Option<u64> {
        self.step.entropy
    }

    fn take_back(&mut self, ticket: u64) -> bool {
        self.main.take_back(ticket)
    }

    /// It does so all the time.
    fn polled(&self) -> u64 {
        self.now + 1
    }
}

fn hand(configuration: &Configuration, world: &mut World, step: Step, input: Input) {
    let now = world.now;
    let answered = matches!(input, Input::Saved(..) | Input::SaveFirst(_));
    let open = world.core.open_ticket();
    let saving = open.is_some_and(|it| matches!(it.task, Task::Save(_))) && !answered;
    let mut host = Answers {
        settings: &configuration.settings[usize::from(world.other_settings)],
        current: world.current,
        main: &mut world.main,
        step,
        now,
        asked: Vec::new(),
    };
    world.core.handle(now, input, &mut host);
    let asked = host.asked;
    let outputs: Vec<Output> = std::iter::from_fn(|| world.core.poll()).collect();
    let ends = |it: &Output| matches!(it, Output::Tell(Telling::Ended { .. }));
    if outputs.iter().any(ends) && open.is_some_and(|it| world.main.has_begun(it.ticket)) {
        world.monitor.breaks(Rule::EndedAtWork);
    }
    for output in &outputs {
        if let Output::Tell(telling) = output {
            hear(world, telling);
        }
    }
    follow(configuration, world, &asked, &outputs);
    for output in outputs {
        act(configuration, world, output, saving);
    }
}

/// What was told before a policy was asked, and sights.
fn hear(world: &mut World, telling: &Telling) {
    let now = world.now;
    match telling {
        Telling::Lost { .. } => world.outages += 1,
        Telling::Work(Work::SaveEnded {
            place,
            outcome,
            late: false,
        }) => world.monitor.save_answered(*place, outcome.is_ok(), now),
        Telling::Work(Work::Verified(_)) => world.monitor.verified(),
        Telling::Work(Work::NotSaved) if world.monitor.is_safe() => {
            world.monitor.on_disk(false, now)
        }
        Telling::Work(Work::SavedAgain(_)) => world.monitor.sees(Sight::SavedAgain),
        Telling::JournalSilent => world.monitor.sees(Sight::JournalSilent),
        Telling::Rejected {
            disabled: true,
            failure,
            ..
        } => world.monitor.sees(match failure {
            Failure::Violation(Violation::NeverEnds(_)) => Sight::OverdueDisabled,
            _ => Sight::Disabled,
        }),
        _ => {}
    }
}

/// Which answers were taken, and which were dropped.
fn follow(configuration: &Configuration, world: &mut World, asked: &[Asked], outputs: &[Output]) {
    let never_ends = |output: &Output| {
        let Output::Tell(Telling::Rejected { failure, .. }) = output else {
            return false;
        };
        matches!(failure, Failure::Violation(Violation::NeverEnds(_)))
    };
    let overdue = outputs.iter().any(never_ends);
    let undecided = world.core.undecided().next().is_some();
    for (number, one) in asked.iter().enumerate() {
        let rest = &asked[number + 1..];
        // The built-in policy is asked the same when the answer was dropped.
        let again = rest.first().is_some_and(|it| {
            it.call == one.call && it.moment == one.moment && it.before == one.before
        });
        let decision = one.decision.as_ref().filter(|_| !again);
        let taken = decision.filter(|_| !(undecided && rest.is_empty()));
        let mut monitor = world.monitor.clone();
        match taken {
            Some(decision) => {
                let ruling = Ruling {
                    before: &one.before,
                    call: &one.call,
                    moment: &one.moment,
                    decision,
                    by: &one.by,
                    overdue: overdue && number == 0,
                    all_told: rest.is_empty(),
                };
                monitor.follows(configuration, world, &ruling);
                let saves = |action: &Action| matches!(action, Action::Save(_));
                if decision.actions.iter().any(saves) {
                    monitor.save_asked();
                    if one.who == Who::Hostile {
                        world.saves = world.saves.saturating_add(1);
                    }
                }
            }
            None => {
                monitor.dropped(&one.by, one.trapped);
                if again && one.who != Who::FiveMinutes {
                    monitor.sees(Sight::FellBack);
                }
                if !again {
                    monitor.undecided();
                }
            }
        }
        world.monitor = monitor;
    }
}

fn act(configuration: &Configuration, world: &mut World, output: Output, saving: bool) {
    let now = world.now;
    let circumstances = |world: &World, acts| QuitCircumstances {
        now,
        connected: world.is_connected(),
        save_open: saving,
        acts,
    };
    match output {
        Output::Connect(attempt) => world.attempt = Some((attempt, now)),
        Output::Disconnect => world.attempt = None,
        Output::Save(ticket, place, _) => world.main.told(ticket, Task::Save(place)),
        Output::Quit(ticket) => {
            let quit = circumstances(world, false);
            world.monitor.quits(configuration, &quit);
            world.main.told(ticket, Task::Quit);
        }
        Output::Tell(Telling::Ended { safe: false, .. }) => {
            world.monitor.sees(Sight::EndedUnsaved);
            if configuration.stuck == 0 {
                world.monitor.breaks(Rule::EndedUnsaved);
            }
        }
        Output::Tell(Telling::Ended { safe: true, .. }) => {
            world.monitor.sees(Sight::EndedByHost);
            let quit = circumstances(world, true);
            world.monitor.quits(configuration, &quit);
        }
        Output::WriteDown(Outcome::EndedByHost) => {}
        Output::WriteDown(_) => {
            let quit = circumstances(world, true);
            world.monitor.quits(configuration, &quit);
        }
        Output::EndProcess { .. } | Output::Close { .. } => world.over = true,
        Output::Keep { .. }
        | Output::KeepAgain { .. }
        | Output::StopKeeping
        | Output::EarlyCopy { .. }
        | Output::Tell(_) => {}
    }
}

/// A policy is asked by what happens next.
pub fn calls(world: &World, event: Event) -> bool {
    if world.core.is_terminating() || world.is_writing() {
        return false;
    }
    match event {
        Event::Time => !world.end_is_due(),
        Event::Start
        | Event::Accepted
        | Event::Failed(_)
        | Event::Lost
        | Event::CutOff
        | Event::Asked(_)
        | Event::Settings
        | Event::Swap(_) => true,
        Event::Saved(_) => {
            let open = world.core.open_ticket().map(|open| open.ticket);
            let runs = world.main.running.map(|(ticket, _)| ticket);
            runs == open && !matches!(world.core.state().phase, Phase::Quitting(_))
        }
        Event::Pass
        | Event::Between
        | Event::Late
        | Event::Sleep
        | Event::Claim
        | Event::SaveFirst
        | Event::Heard
        | Event::Verified(_)
        | Event::Rendering(_)
        | Event::Terminate
        | Event::Written => false,
    }
}
