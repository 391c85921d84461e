//! What is set, as far as it decides anything.

use crate::guard;
use crate::saved::Safe;
use lifeline_contract::types::Settings;

/// Lengths of time in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Whose Blender this is: the first attempts follow from it, see [`crate::entropy`].
    pub username: String,
    /// What a policy gets to see.
    pub timing: Settings,
    /// What a decision may hold.
    pub bounds: guard::Bounds,
    /// After a loss nothing quits for so long, whatever a policy says.
    pub quit_floor: u64,
    /// An outage that nobody holds must have ended after this; 0: it need not.
    pub outage_limit: u64,
    /// Saving is tried again for this long before a quit with unsaved work.
    pub unsaved_wait: u64,
    /// The limit of an upload with its retries.
    pub upload: u64,
    /// There is a save target: a place in the store for the file that is open first.
    pub target: bool,
    /// There is a place in the store for copies.
    pub copies: bool,
    /// What counts as safe; anything else is tried again.
    pub safe: Safe,
    /// Copies are made while the server is unreachable.
    pub early_copy: bool,
    /// From being asked or told to close to being ended, with safe work.
    pub quit: u64,
    /// From being asked to save to being ended, unsaved; 0: never.
    pub stuck: u64,
    /// A SIGTERM under a living server does not touch the file: the work goes into a copy.
    pub recover: bool,
    /// On SIGTERM: the upload and the closing.
    pub terminate: u64,
}
