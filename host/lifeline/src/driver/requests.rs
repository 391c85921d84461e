//! What a person, or a script, asks of an outage.

use super::{Command, Lifeline, LifelineError};
use crate::contract::Request;
use std::time::Duration;

impl Lifeline {
    /// Keep Blender open until [`Lifeline::release`]. `by`: who asks, for the journal.
    pub fn hold(&self, by: &str) {
        self.request(Request::Hold, by);
    }

    /// Adds to the countdown.
    pub fn extend(&self, seconds: f64, by: &str) -> Result<(), LifelineError> {
        let more = Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|more| !more.is_zero())
            .ok_or(LifelineError::Seconds(seconds))?;
        self.request(Request::Extend(crate::clock::as_millis(more)), by);
        Ok(())
    }

    /// Ends the hold.
    pub fn release(&self, by: &str) {
        self.request(Request::Release, by);
    }

    /// Saves and closes without waiting; nothing while connected.
    pub fn close_now(&self, by: &str) {
        self.request(Request::CloseNow, by);
    }

    /// Makes an attempt to connect now, beside those of the policy; nothing while connected.
    pub fn try_now(&self) {
        self.send(Command::TryNow);
    }

    fn request(&self, request: Request, by: &str) {
        self.send(Command::Request(request, by.to_string()));
    }
}
