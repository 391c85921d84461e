//! A copy of the work while the server is unreachable, in case Blender, its display or its machine does
//! not live to see the end of the countdown.
//!
//! It is the host's, and no policy's business: nothing that is open is changed by it.

use super::closing::End;
use crate::core::{Core, Turn};
use crate::output::Output;
use lifeline_contract::types::Phase;

/// Nobody who works on is held up more often than this (milliseconds).
const EVERY: u64 = 60_000;

impl Core {
    /// When the next copy is due.
    pub(super) fn copy_from(&self) -> Option<u64> {
        let unreachable = matches!(self.state.phase, Phase::CountingDown(_) | Phase::Held(_));
        let calm = self.closing.end == End::No && !self.guard.is_connected();
        let wanted = self.config.early_copy && unreachable && calm;
        wanted.then(|| self.copied_at.map_or(0, |at| at.saturating_add(EVERY)))
    }
}

impl Turn<'_> {
    /// Asks for a copy, if one is due.
    pub(super) fn copy_early(&mut self) {
        if self.core.copy_from().is_some_and(|at| at <= self.now) {
            self.core.copied_at = Some(self.now);
            self.output(Output::EarlyCopy { needed: true });
        }
    }

    /// The server is back, or the work is safe.
    pub(super) fn drop_early_copy(&mut self) {
        if self.core.copied_at.take().is_some() {
            self.output(Output::EarlyCopy { needed: false });
        }
    }
}
