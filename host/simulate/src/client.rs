//! One Blender without a shell: the core that ships, driven by whoever says what happens and when.
//!
//! What nobody is to say answers itself, and at once: a saved file is whole, nothing is uploaded, the
//! outage is written down. The connection and the main thread are the caller's.

use lifeline_contract::types::{Decision, Place};
use lifeline_core::{
    Answer, Config, Connection, Core, Digest, Host, Input, Output, Question, Safe, SaveOutcome,
    Saved, Task,
};

/// What the core is answered within a step.
pub(crate) trait Answers {
    /// A policy's decision.
    fn decide(&mut self, question: &Question) -> Result<Decision, String>;

    /// Bits for a policy.
    fn entropy(&mut self) -> Option<u64>;
}

/// One Blender.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    core: Core,
}

impl Client {
    /// Blender has not started.
    pub fn new(config: Config, now: u64) -> Self {
        let config = Config {
            upload: 0,
            target: false,
            copies: false,
            safe: Safe::Local,
            early_copy: false,
            ..config
        };
        Client {
            core: Core::new(config, now),
        }
    }

    /// How everything stands.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// One thing that happens, and what it comes to, but for what answers itself.
    pub fn happens(&mut self, now: u64, input: Input, answers: &mut dyn Answers) -> Vec<Output> {
        let mut host = Alone { answers, now };
        let mut outputs = Vec::new();
        self.core.handle(now, input, &mut host);
        while let Some(output) = self.core.poll() {
            let answer = match output {
                Output::Keep { order, .. } => Input::Verified(order, Ok(whole())),
                Output::WriteDown(_) => Input::Written,
                Output::StopKeeping => continue,
                other => {
                    outputs.push(other);
                    continue;
                }
            };
            self.core.handle(now, answer, &mut host);
        }
        outputs
    }

    /// What the attempt under way, or the connection, has come to. Of none nothing is heard.
    pub fn of_attempt(&self, event: Connection) -> Input {
        Input::Connection(self.core.attempt().unwrap_or_default(), event)
    }

    /// The main thread may begin what this ticket is for.
    pub fn stands(&self, ticket: u64) -> bool {
        let open = self.core.open_ticket();
        open.is_some_and(|open| open.ticket == ticket && !open.claimed)
    }

    /// The save that is asked for, or runs.
    pub fn saving(&self) -> Option<(u64, Place)> {
        let open = self.core.open_ticket()?;
        match open.task {
            Task::Save(place) => Some((open.ticket, place)),
            Task::Quit => None,
        }
    }
}

/// How a save ends. `why`: it has failed.
pub(crate) fn save_outcome(place: Place, why: Option<&str>) -> SaveOutcome {
    match why {
        Some(why) => Err(vec![why.into()]),
        None => Ok(Saved {
            path: "/work.blend".into(),
            recovery: place == Place::Recovery,
            failures: Vec::new(),
            digest: None,
            render: None,
        }),
    }
}

fn whole() -> Digest {
    Digest {
        bytes: 0,
        sha256: String::new(),
        seconds: 0.0,
    }
}

/// A policy takes no time, and the main thread hears of everything at once.
struct Alone<'a> {
    answers: &'a mut dyn Answers,
    now: u64,
}

impl Host for Alone<'_> {
    fn decide(&mut self, question: &Question) -> Answer {
        Answer {
            decision: self.answers.decide(question),
            took: 0,
        }
    }

    fn entropy(&mut self) -> Option<u64> {
        self.answers.entropy()
    }

    fn take_back(&mut self, _: u64) -> bool {
        true
    }

    fn polled(&self) -> u64 {
        self.now
    }
}
