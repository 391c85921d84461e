//! Another policy while Blender runs: from a file that is watched, from the server, or by hand.
//!
//! Wherever it comes from, it goes the same way: read whole → size → SHA-256 and the pinned ones →
//! read to its end → contract's version → imports → compiled → trial calls. All of that happens
//! beside the driver, which goes on with the policy that it has. Only then it switches, or learns
//! why not.
//!
//! | module | what it does |
//! |---|---|
//! | [`source`] | where bytes come from, and how they are read |
//! | [`loader`] | the way above, one order after the other |
//! | [`watch`] | the file of the settings: whenever it changes, and has settled |
//! | [`push`] | what the server sends |
//! | [`store`] | the policy that the server has sent, over a restart |

mod loader;
mod push;
mod source;
mod store;
mod watch;

pub(crate) use loader::{Loader, Order, SERVER, Verdict};
pub(crate) use push::Push;
pub use source::{PolicySource, SwapError};
pub(crate) use store::Store;
pub(crate) use watch::Watch;
