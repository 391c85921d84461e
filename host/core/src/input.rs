//! What happens.

use crate::saved::{Digest, SaveOutcome, Uploaded};
use lifeline_contract::types::{ConnectError, Loss, Request, Scene};
use std::path::PathBuf;

/// One thing that has happened. Those of an attempt to connect, or of an order to keep a file, are
/// ignored if another one has taken its place since.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Blender has started. After a fault in the host it has started again.
    Start(Before),
    /// The instant that [`crate::Core::wake_at`] has given, or later.
    Time,
    /// What the attempt to connect, or its connection, has come to.
    Connection(u64, Connection),
    /// What is open in Blender.
    Scene(Scene),
    /// What is open has this path; None: it has no name yet.
    File(Option<PathBuf>),
    /// The server has sent a save target: for what is open now.
    Target,
    /// The main thread has claimed a ticket.
    Claimed(u64),
    /// The claimed save begins to write this file.
    Saving(u64, PathBuf),
    /// A claimed save has ended.
    Saved(u64, SaveOutcome),
    /// In place of claiming a quit: the file has changed since the save.
    SaveFirst(u64),
    /// The file of an order was verified, or cannot be: why.
    Verified(u64, Result<Digest, String>),
    /// The upload of an order has ended.
    Uploaded(u64, Uploaded),
    /// A person, or a script, asks for something; who, for the journal.
    Request(Request, String),
    /// A person does not want to wait for the next attempt.
    TryNow,
    /// SIGTERM: the machine is taken away.
    Terminate,
    /// The outage that Blender closes over stands in the journal, or cannot.
    Written,
    /// Another policy decides from now on.
    Policy(Origin),
    /// The add-on is disabled, or a person closes Blender.
    Close,
}

/// What lasts of before a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Before {
    /// A person keeps Blender open.
    pub held: bool,
    /// SIGTERM was heard.
    pub terminating: bool,
    /// It was under a living server, and the file stays as it is.
    pub recover: bool,
    /// Tickets issued.
    pub tickets: u64,
}

/// Of one attempt to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// The server accepted.
    Accepted,
    /// It failed; in words.
    Failed(ConnectError, String),
    /// The connection was lost; in words.
    Lost(Loss, String),
    /// The server does not answer, found out by a probe; in words.
    Frozen(String),
}

/// Where the policy that decides comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The library itself.
    #[default]
    BuiltIn,
    /// The server.
    Server,
    /// A file, or a script.
    Other,
}
