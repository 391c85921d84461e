//! When the record of an outage begins and ends.

use crate::core::Turn;
use crate::output::{Outcome, Telling};

impl Turn<'_> {
    pub fn open_record(&mut self) {
        self.core.closing.recorded = true;
    }

    fn end_record(&mut self, outcome: Outcome) {
        if outcome == Outcome::Recovered {
            self.drop_early_copy();
        }
        if std::mem::take(&mut self.core.closing.recorded) {
            self.tell(Telling::Over(outcome));
        }
    }

    /// The server is back: the outage is over, unless a save still runs, or the connection has yet to
    /// last.
    pub fn outage_is_over(&mut self) {
        let short = self.core.connections.short > 0;
        if self.core.guard.is_connected() && self.core.closing.late.is_none() && !short {
            self.end_record(Outcome::Recovered);
        }
    }

    /// An outage that waited for a save to end is not kept open over the next one.
    pub fn finish_late(&mut self) {
        if self.core.closing.late.take().is_some() {
            self.end_record(Outcome::Recovered);
        }
    }

    /// The add-on is disabled, or a person closes Blender.
    pub fn close(&mut self) {
        self.end_record(if self.core.guard.is_connected() {
            Outcome::Recovered
        } else {
            Outcome::Closed
        });
    }
}
