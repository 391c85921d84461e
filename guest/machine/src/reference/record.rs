//! Everything that is remembered, side by side.

use super::{Attempt, Loss, as_u64};
use crate::contract::{Countdown, Outage, Phase, Place, Saving};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Connected,
    Reconnecting,
    CountingDown,
    Saving,
    Quitting,
    Held,
}

/// A field that its stage has no use for is left as it was.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub stage: Stage,
    pub lost_at: i128,
    pub why: Loss,
    pub attempts: i128,
    /// An attempt is under way, and given up at `attempt_at`; else the next one begins then.
    pub trying: bool,
    pub attempt_at: i128,
    pub extended: i128,
    pub deadline: i128,
    pub warned: i128,
    pub saving_to: Place,
    pub saving_since: i128,
}

impl Record {
    pub fn of(phase: &Phase) -> Self {
        let mut record = Record {
            stage: Stage::Connected,
            lost_at: 0,
            why: Loss::NeverConnected,
            attempts: 0,
            trying: false,
            attempt_at: 0,
            extended: 0,
            deadline: 0,
            warned: 0,
            saving_to: Place::InPlace,
            saving_since: 0,
        };
        match phase {
            Phase::Connected => {}
            Phase::Reconnecting(it) => record.is_lost(Stage::Reconnecting, it),
            Phase::Quitting(it) => record.is_lost(Stage::Quitting, it),
            Phase::Held(it) => record.is_lost(Stage::Held, it),
            Phase::CountingDown(it) => {
                record.is_lost(Stage::CountingDown, &it.outage);
                record.deadline = it.deadline.into();
                record.warned = it.warned.into();
            }
            Phase::Saving(it) => {
                record.is_lost(Stage::Saving, &it.outage);
                record.saving_to = it.place;
                record.saving_since = it.since.into();
            }
        }
        record
    }

    fn is_lost(&mut self, stage: Stage, outage: &Outage) {
        self.stage = stage;
        self.lost_at = outage.lost_at.into();
        self.why = outage.why;
        self.attempts = outage.attempts.into();
        self.extended = outage.extended.into();
        let (trying, at) = match outage.attempt {
            Attempt::UnderWay(until) => (true, until),
            Attempt::Due(at) => (false, at),
        };
        self.trying = trying;
        self.attempt_at = at.into();
    }

    pub fn phase(&self) -> Phase {
        let at = as_u64(self.attempt_at);
        let outage = Outage {
            lost_at: as_u64(self.lost_at),
            why: self.why,
            attempts: self.attempts.min(u32::MAX.into()) as u32,
            attempt: if self.trying {
                Attempt::UnderWay(at)
            } else {
                Attempt::Due(at)
            },
            extended: as_u64(self.extended),
        };
        match self.stage {
            Stage::Connected => Phase::Connected,
            Stage::Reconnecting => Phase::Reconnecting(outage),
            Stage::Quitting => Phase::Quitting(outage),
            Stage::Held => Phase::Held(outage),
            Stage::CountingDown => Phase::CountingDown(Countdown {
                outage,
                deadline: as_u64(self.deadline),
                warned: as_u64(self.warned),
            }),
            Stage::Saving => Phase::Saving(Saving {
                outage,
                place: self.saving_to,
                since: as_u64(self.saving_since),
            }),
        }
    }
}
