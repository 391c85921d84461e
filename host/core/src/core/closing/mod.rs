//! From a save to Blender's end: what must be over before Blender closes, and what happens if it
//! does not close.
//!
//! A quit is *wanted* by the policy, or by SIGTERM. It is *asked* for once the work is safe, verified
//! and uploaded. The main thread claims it; then the connection is cut, the outage *written* down, and only
//! then Blender is *told* to close: from there on no server can come back.

mod bounds;
mod end;
mod keeping;
mod record;
mod saving;
#[cfg(test)]
mod tests;

use crate::output::Upload;
use lifeline_contract::types::Place;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

/// How far Blender's end is. Instants in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum End {
    /// Nobody wants it.
    #[default]
    No,
    /// Something must be over first.
    Wanted,
    /// The main thread has the ticket.
    Asked,
    /// The ticket is claimed, and the outage is being written down. Then Blender is told to close, or
    /// the process is ended, with its work safe or not.
    Writing {
        /// Since then.
        since: u64,
        /// The process is ended: is its work safe?
        end: Option<bool>,
    },
    /// Blender was told.
    Told,
}

/// After SIGTERM. Instants in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Terminating {
    /// The upload is not waited for any longer.
    upload_until: u64,
    /// Blender is to be gone by then.
    until: u64,
    /// The file stays as it is.
    recover: bool,
    /// It was heard then.
    heard_at: u64,
}

/// The last save is being verified, or uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Keeping {
    order: u64,
    since: u64,
    upload: Upload,
    /// When it had been verified; then the upload goes on.
    verified_at: Option<u64>,
}

/// What the end needs to remember. Instants in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Closing {
    pub end: End,
    keeping: Option<Keeping>,
    orders: u64,
    /// What was open at the last save; None: it had no name.
    of: Option<PathBuf>,
    /// The last save is a copy, which leaves the open file as changed as it was.
    copied: bool,
    /// The file has changed since the last save, as the main thread says.
    outdated: bool,
    /// The store has the last save.
    uploaded: bool,
    /// The last save is whole: only the store does not have it.
    again: bool,
    /// The next try after a failed save, or upload.
    retry_at: Option<u64>,
    retries: u32,
    /// How often the file had changed between save and quit.
    saved_first: u32,
    terminating: Option<Terminating>,
    /// A save that goes on although nobody needs it any more.
    late: Option<(u64, Place)>,
    /// An outage was told of that is not over.
    recorded: bool,
}

impl Closing {
    /// What `end` leaves over, with instants as `at` shows them.
    pub fn hash_relative(&self, at: impl Fn(u64) -> i64, hasher: &mut impl Hasher) {
        let Closing {
            end: _,
            keeping,
            orders: _,
            of,
            copied,
            outdated,
            uploaded,
            again,
            retry_at,
            retries,
            saved_first,
            terminating,
            late,
            recorded,
        } = self;
        // Since when it is verified makes no difference for ten minutes.
        keeping.map(|it| it.verified_at.map(&at)).hash(hasher);
        (of, copied, outdated, uploaded, again).hash(hasher);
        // The pause grows no further after the sixth.
        (retry_at.map(&at), retries.min(&7), saved_first).hash(hasher);
        terminating
            .map(|it| (at(it.upload_until), at(it.until), it.recover))
            .hash(hasher);
        (late.map(|(_, place)| place), recorded).hash(hasher);
    }

    /// Nothing can stop it any more.
    pub fn is_final(&self) -> bool {
        matches!(self.end, End::Writing { .. } | End::Told)
    }

    /// The order to verify and upload.
    pub fn order(&self) -> Option<u64> {
        self.keeping.map(|keeping| keeping.order)
    }

    /// SIGTERM was heard.
    pub fn is_terminating(&self) -> bool {
        self.terminating.is_some()
    }

    /// Where the host saves of itself.
    pub fn place(&self) -> Place {
        match self.terminating {
            Some(Terminating { recover: true, .. }) => Place::Recovery,
            _ => Place::InPlace,
        }
    }

    /// The policy has nothing more to say.
    pub fn is_out_of_hand(&self) -> bool {
        self.is_final() || self.is_terminating()
    }
}
