//! A connection that does not last has not ended the outage: attempts, back-off and countdown go on
//! from where they were.
//!
//! Otherwise a server that accepts and cuts off at once, or two Blenders that go by one name and cut
//! each other off, would be tried for ever: each connection would be followed by a first attempt.

use crate::core::{Core, Turn};
use crate::guard::Guard;
use crate::output::Telling;
use lifeline_contract::Call;
use lifeline_contract::types::{ConnectError, Countdown, Loss, Phase, State};

/// A connection has lasted after so many of the longest pauses between two attempts: two Blenders that
/// cut each other off do so once in a pause.
const PAUSES: u64 = 3;

/// An outage, as it was when the server accepted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ended {
    /// When.
    pub at: u64,
    pub state: State,
    pub guard: Guard,
}

impl Core {
    /// The present outage, if there is one.
    pub(super) fn outage(&self, now: u64) -> Option<Box<Ended>> {
        self.lost_at()?;
        Some(Box::new(Ended {
            at: now,
            state: self.state.clone(),
            guard: self.guard.clone(),
        }))
    }

    /// When the present connection ends an outage that short ones had not ended.
    pub(super) fn lasts_from(&self) -> Option<u64> {
        let ended = self
            .connections
            .ended
            .as_ref()
            .filter(|_| self.connections.short > 0)?;
        Some(ended.at.saturating_add(self.lasting()))
    }

    /// After more short connections than a server makes that restarts, Blender saves and closes: one
    /// more of them would call that off, again and again, before a large file is saved. Unless nothing can
    /// be saved: then a server that is back for good is all that helps.
    pub(super) fn ends_storm(&self) -> bool {
        let closing = matches!(self.state.phase, Phase::Saving(_) | Phase::Quitting(_));
        closing && !self.is_patient() && !self.guard.is_failing()
    }

    /// A server that restarts may cut off as often as attempts may fail, and costs none of them.
    fn is_patient(&self) -> bool {
        self.connections.short <= self.config.timing.retry_attempts
    }

    /// How long a connection must last to end an outage, in milliseconds.
    pub(super) fn lasting(&self) -> u64 {
        self.config.timing.retry_delay_max.saturating_mul(PAUSES)
    }
}

impl Turn<'_> {
    /// The connection has lasted, or need not any more.
    pub fn lasts(&mut self) {
        self.core.connections.ended = None;
        self.core.connections.short = 0;
        self.outage_is_over();
    }

    /// What goes on now that the connection is lost; None: it had lasted, or had ended no outage.
    pub(super) fn too_short(&mut self) -> Option<Box<Ended>> {
        let lasting = self.core.lasting();
        self.core.connections.ended.take_if(|ended| {
            let lasted = self.now.saturating_sub(ended.at);
            lasted < lasting
        })
    }

    /// The time of the connection does not count.
    pub(super) fn resume(&mut self, ended: Ended, why: Loss, reason: &'static str, detail: String) {
        let lasted = self.now.saturating_sub(ended.at);
        let core = &mut *self.core;
        core.guard = ended.guard;
        core.guard.slept(lasted);
        core.guard.save_asked();
        core.wake_at = None;
        core.undecided.clear();
        core.connections.announced = true;
        core.connections.short = core.connections.short.saturating_add(1);
        // A countdown goes on all the same, and who keeps Blender open does so still.
        let anew = core.is_patient()
            && !matches!(ended.state.phase, Phase::CountingDown(_) | Phase::Held(_));
        if !anew {
            let again = self.now.saturating_add(core.config.quit_floor);
            core.state = put_off(ended.state, lasted, again);
        }
        let asked = core.connections.take_asked();
        self.open_record();
        let at = self.now;
        self.tell(Telling::Lost { reason, detail, at });
        match &self.core.state.phase {
            Phase::CountingDown(countdown) if countdown.deadline > self.now => {
                let attempts = countdown.outage.attempts;
                let left = countdown.deadline.saturating_sub(self.now);
                self.tell(Telling::CountdownGoesOn { attempts, left });
            }
            Phase::Held(_) => self.tell(Telling::Held),
            _ => {}
        }
        self.decide(if anew {
            Call::OnDisconnect(why)
        } else if asked {
            Call::Tick // no policy has lost an attempt
        } else {
            Call::OnConnectError(match why {
                Loss::ServerDisconnect => ConnectError::Refused,
                Loss::PingTimeout => ConnectError::TimedOut,
                Loss::TransportError | Loss::NeverConnected => ConnectError::Unreachable,
            })
        });
    }
}

/// The work may have changed meanwhile: an outage that had come to its save comes to it `again` then.
fn put_off(mut state: State, by: u64, again: u64) -> State {
    match &mut state.phase {
        Phase::CountingDown(countdown) => {
            countdown.deadline = countdown.deadline.saturating_add(by);
        }
        phase @ (Phase::Saving(_) | Phase::Quitting(_)) => {
            if let Some(outage) = phase.outage().copied() {
                *phase = Phase::CountingDown(Countdown {
                    outage,
                    deadline: again,
                    warned: 0,
                });
            }
        }
        Phase::Connected | Phase::Reconnecting(_) | Phase::Held(_) => {}
    }
    state
}
