//! Work on a thread of its own, whose end can be awaited.
//!
//! Where the system has no thread to give, tokio's `spawn_blocking` panics, which would end
//! whatever asked for it: a line that stands, or the way to the webhook.

use std::io;
use std::thread::Builder;
use tokio::sync::oneshot;

/// What comes of the work; an error if it panics. Fails if there is no thread to be had.
pub(crate) fn in_background<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (done, outcome) = oneshot::channel();
    Builder::new().name(name.into()).spawn(move || {
        // Nobody may wait for it any more.
        let _ = done.send(work());
    })?;
    Ok(outcome)
}
