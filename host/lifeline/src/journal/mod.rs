//! What became of each outage, written down before Blender closes.
//!
//! JSON Lines: one line per outage, and one per change of policy, appended and flushed to the disk. A later line of the same `id`
//! replaces the earlier one; a torn line is read past; a file that has grown is rotated.
//!
//! While an outage lasts, its entry stands in a file of its own, which its process holds locked: a
//! process that dies in mid-outage leaves it behind, and the next start writes the line for it.
//!
//! | module | what it does |
//! |---|---|
//! | [`entry`] | the shape of a line |
//! | [`file`] | appending, rotating, reading |
//! | [`open`] | the entry of an outage that lasts |
//! | [`policy`] | the shape of a line about policies |
//! | [`safe`] | where work is, in words |
//! | [`writer`] | all of it off the driver's thread |

pub mod entry;
pub mod file;
mod open;
pub mod policy;
mod safe;
pub mod writer;

pub use entry::{Entry, Kind, Multipart, Outcome, PolicyName, Requested, Save, Seconds, Upload};
pub use file::{Journal, JournalError};
pub(crate) use open::beside;
pub use policy::{PolicyLine, PolicyNews};
pub use writer::{JournalWriter, News};
