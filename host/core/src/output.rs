//! What is to be done, and what is to be told.

use crate::Failure;
use crate::saved::{Digest, SaveOutcome, Saved, Uploaded};
use lifeline_contract::types::{ConnectError, Place, Request};
use std::fmt;
use std::path::PathBuf;

/// In this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Begin this attempt to connect; one that was under way is given up.
    Connect(u64),
    /// Give up the connection, or the attempt.
    Disconnect,
    /// Ask the main thread to save.
    Save(u64, Place, Reason),
    /// Ask the main thread to close Blender.
    Quit(u64),
    /// Verify this file (read it back whole), and upload it if so said. The order's number comes back with the answers.
    Keep {
        /// Of the order.
        order: u64,
        /// What was saved.
        saved: Saved,
        /// Whether to upload it, and where to.
        upload: Upload,
    },
    /// Read the last file back once more, and upload it.
    KeepAgain {
        /// Of the order.
        order: u64,
        /// Where to.
        upload: Upload,
    },
    /// Give up verifying and uploading.
    StopKeeping,
    /// Have a copy made of the work as it is, if it has changed since the last one; or delete that: the
    /// work is safe, or nobody's to save.
    EarlyCopy {
        /// A copy is needed.
        needed: bool,
    },
    /// Write down the outage that Blender closes over. To be answered by [`crate::Input::Written`].
    WriteDown(Outcome),
    /// End the process: nobody else does.
    EndProcess {
        /// Its exit code says whether the work is safe.
        safe: bool,
    },
    /// Tell Blender to close, and see to it that it does.
    Close {
        /// After so many milliseconds the process is ended.
        within: u64,
        /// The work is safe.
        safe: bool,
    },
    /// Tell whoever listens.
    Tell(Telling),
}

/// Where a saved file is uploaded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Upload {
    /// Nowhere.
    No,
    /// To the save target: over what is there of the same file.
    Target,
    /// To where copies go, under a name of its own.
    Copy,
}

/// Why a save is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The server is unreachable.
    Outage,
    /// SIGTERM.
    Termination,
}

impl Reason {
    /// The name that it has for programs.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Outage => "outage",
            Reason::Termination => "termination",
        }
    }
}

/// How an outage has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The server came back.
    Recovered,
    /// Blender was told to close.
    Quit,
    /// Blender was told to close because of SIGTERM.
    Terminated,
    /// Blender did not close, and its process was ended.
    EndedByHost,
    /// The add-on was disabled, or a person closed Blender.
    Closed,
}

/// One piece of news. Lengths of time in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Telling {
    /// The first attempt begins.
    Connecting,
    /// A policy's attempt, of so many; 0: the first of all.
    Attempt(u32),
    /// An attempt that a person has asked for: begun, or why not.
    TryNow(Option<Ignored>),
    /// The server accepted.
    Connected {
        /// How long the outage was, if there was one.
        outage: Option<u64>,
        /// It had accepted shortly before: the outage is over once this connection has lasted.
        again: bool,
    },
    /// An attempt has failed.
    AttemptFailed {
        /// Which, as the policy counts them; None: it does not know of an outage.
        number: Option<u32>,
        /// How.
        why: ConnectError,
        /// In words.
        detail: String,
        /// A person had asked for it.
        asked: bool,
    },
    /// An outage begins.
    Lost {
        /// The contract's name, or `frozen`.
        reason: &'static str,
        /// In words.
        detail: String,
        /// When.
        at: u64,
    },
    /// SIGTERM; how long Blender has.
    Terminating(u64),
    /// A countdown begins.
    Countdown {
        /// Begun so far, as the policy counts them.
        attempts: u32,
        /// What is left of it.
        left: u64,
    },
    /// A connection that did not last is lost, and its countdown goes on.
    CountdownGoesOn {
        /// Begun so far, as the policy counts them.
        attempts: u32,
        /// What is left of it.
        left: u64,
    },
    /// The policy warns; what is left.
    Warn(u64),
    /// A person keeps Blender open from now on.
    Held,
    /// Somebody asks for something, and who.
    Requested(Request, String),
    /// It was not heeded.
    RequestIgnored(Request, Ignored),
    /// A policy's answer was dropped.
    Rejected {
        /// The contract's function.
        call: &'static str,
        /// Why.
        failure: Failure,
        /// How often it has failed.
        failures: u32,
        /// It is not asked any more.
        disabled: bool,
    },
    /// The built-in policy's answer was dropped, too.
    BuiltInFailed(Failure),
    /// The policy asks to be woken at once, time and again.
    Hurries,
    /// What becomes of the user's work.
    Work(Work),
    /// The plan has changed.
    Withdrawn(Why, Withdrawn),
    /// Blender does not close, or is too busy, and is ended.
    Ended {
        /// The main thread begins nothing.
        busy: bool,
        /// The work is safe.
        safe: bool,
    },
    /// The journal does not answer in time.
    JournalSilent,
    /// The outage is over.
    Over(Outcome),
}

/// News of saves, and of the saved file. Lengths of time in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// A save is asked for.
    SaveAsked,
    /// The main thread has begun it.
    SaveBegun,
    /// It writes this file.
    Saving(PathBuf),
    /// It has ended.
    SaveEnded {
        /// Where it was asked for.
        place: Place,
        /// How.
        outcome: SaveOutcome,
        /// Nobody needed it any more.
        late: bool,
    },
    /// One that no outage remembers has ended.
    StraySaveEnded(SaveOutcome),
    /// The file has changed since the save: for the how many-th time it is saved again.
    SavedAgain(u32),
    /// The saved file was verified.
    Verified(Digest),
    /// It cannot be: why.
    Unreadable(String),
    /// The upload begins.
    Uploading(Digest),
    /// It has ended.
    Uploaded(Uploaded),
    /// It was not waited for; how long it had taken.
    UploadCutOff(u64),
    /// Nothing could be saved, and no other place is tried at once.
    NotSaved,
}

impl From<Work> for Telling {
    fn from(work: Work) -> Self {
        Telling::Work(work)
    }
}

impl Telling {
    /// What is wrong, in a sentence; None: nothing is. `policy`: who has answered.
    pub fn trouble(&self, policy: impl fmt::Display) -> Option<String> {
        Some(match self {
            Telling::Rejected {
                call,
                failure,
                disabled,
                ..
            } => {
                let next = if *disabled {
                    "it is set aside, and five-minutes decides until another policy is swapped in"
                } else {
                    "the built-in five-minutes policy decides instead, this time"
                };
                format!("Policy {policy} failed in {call}: {failure}; {next}")
            }
            Telling::BuiltInFailed(failure) => format!("The built-in policy failed too: {failure}"),
            Telling::Work(Work::Unreadable(reason)) => {
                format!("The saved file cannot be read back: {reason}")
            }
            Telling::Ended { busy, safe } => match (busy, safe) {
                (true, true) => "Blender is too busy to close: it is ended, its work is safe",
                (true, false) => "Blender is too busy to save: it is ended with its work unsaved",
                (false, _) => "Blender does not close: it is ended, its work is safe",
            }
            .into(),
            Telling::JournalSilent => {
                "The journal does not answer: Blender closes without it".into()
            }
            _ => return None,
        })
    }
}

/// Why a request was not heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// The server is connected.
    Connected,
    /// Blender is closing.
    Closing,
    /// An attempt is under way.
    UnderWay,
}

/// Why a plan has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The server is back.
    Back,
    /// A person keeps Blender open.
    Held,
    /// The policy wants something else.
    Policy,
}

/// What of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Withdrawn {
    /// A save that nobody had begun.
    Save,
    /// A save that runs on.
    RunningSave,
    /// Blender's end.
    Quit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_a_sentence() {
        let trouble = |telling: Telling| telling.trouble("mine");
        let rejected = |disabled| Telling::Rejected {
            call: "tick",
            failure: Failure::NoAnswer("it trapped".into()),
            failures: 1,
            disabled,
        };
        let said = [
            (
                rejected(false),
                "Policy mine failed in tick: it trapped; the built-in",
            ),
            (
                rejected(true),
                "Policy mine failed in tick: it trapped; it is set aside",
            ),
            (
                Telling::BuiltInFailed(Failure::NoAnswer("it trapped".into())),
                "The built-in policy failed too: it trapped",
            ),
            (
                Work::Unreadable("no disk".into()).into(),
                "The saved file cannot be read back: no disk",
            ),
            (Telling::JournalSilent, "The journal does not answer"),
        ];
        for (telling, begins) in said {
            let sentence = trouble(telling).unwrap();
            assert!(sentence.starts_with(begins), "{sentence}");
        }
        let ended = |busy, safe| trouble(Telling::Ended { busy, safe }).unwrap();
        assert!(ended(true, true).contains("too busy to close"));
        assert!(ended(true, false).ends_with("its work unsaved"));
        assert!(ended(false, true).starts_with("Blender does not close"));
        assert_eq!(trouble(Telling::Held), None);
    }
}
