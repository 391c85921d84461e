//! A decision held against the rules.

use super::{Guard, Server, Violation};
use lifeline_contract::Call;
use lifeline_contract::types::{Action, Attempt, Decision, Moment, Phase, Place, State};

/// No policy asks for more saves than this in one outage.
const SAVES: u32 = 8;
/// No policy sleeps longer than this in an outage (milliseconds).
const WAKE_WITHIN: u64 = 86_400_000;

impl Guard {
    /// Holds a decision against the rules.
    pub fn check(
        &self,
        before: &State,
        call: &Call,
        moment: &Moment,
        decision: &Decision,
    ) -> Result<(), Violation> {
        let phase = &decision.state.phase;
        at_most("actions", decision.actions.len(), self.bounds.actions)?;
        at_most("bytes of memo", decision.state.memo.len(), self.bounds.memo)?;
        if decision.state.seen != moment.now {
            return Err(Violation::Seen {
                seen: decision.state.seen,
                now: moment.now,
            });
        }
        if self.is_connected()
            && let Some(action) = decision.actions.first()
        {
            return Err(Violation::WhileConnected(action.name()));
        }
        if self.is_connected() != matches!(phase, Phase::Connected) {
            let server = if self.is_connected() {
                "connected"
            } else {
                "lost"
            };
            return Err(Violation::Phase {
                phase: phase.name(),
                server,
            });
        }
        if self.is_connected() {
            return Ok(());
        }
        if decision.wake_at.is_none() && !matches!(phase, Phase::Held(_)) {
            return Err(Violation::NeverWakes);
        }
        match (self.is_held(), matches!(phase, Phase::Held(_))) {
            (true, false) => return Err(Violation::NotHeld(phase.name())),
            (false, true) => return Err(Violation::HeldUnasked),
            _ => {}
        }
        let connects = decision
            .actions
            .iter()
            .filter(|it| **it == Action::Connect)
            .count();
        at_most("attempts to connect", connects, 1)?;
        self.check_save_and_quit(before, call, decision)
    }

    fn check_save_and_quit(
        &self,
        before: &State,
        call: &Call,
        decision: &Decision,
    ) -> Result<(), Violation> {
        let phase = &decision.state.phase;
        let misfit = |why| {
            Err(Violation::Misfit {
                phase: phase.name(),
                why,
            })
        };
        let saves: Vec<Place> = decision
            .actions
            .iter()
            .filter_map(|action| match action {
                Action::Save(place) => Some(*place),
                _ => None,
            })
            .collect();
        let quits = decision.actions.contains(&Action::Quit);
        match phase {
            Phase::Saving(saving) => {
                let asked_before = matches!(&before.phase, Phase::Saving(old) if old.place == saving.place)
                    && !matches!(call, Call::OnSaved(_));
                match (saves.as_slice(), asked_before) {
                    _ if quits => misfit("it saves and quits at once"),
                    ([], true) => Ok(()),
                    ([place], false) if *place == saving.place => Ok(()),
                    ([], false) => misfit("no save was asked for"),
                    (_, true) => misfit("that save was asked for before and is not answered"),
                    _ => misfit("it asked for another save"),
                }
            }
            _ if !saves.is_empty() => misfit("it asked for a save"),
            Phase::Quitting(_) => {
                let asked_before = matches!(before.phase, Phase::Quitting(_));
                match (quits, asked_before) {
                    // A state that another policy left: still no quit without a save.
                    _ if self.quit_from().is_none() => Err(Violation::QuitBeforeSave),
                    (false, false) => misfit("quit was not asked for"),
                    _ => Ok(()),
                }
            }
            _ if quits => misfit("it asked to quit"),
            _ => Ok(()),
        }
    }

    /// Holds a decision against an outage without an end. Not for the built-in policy, which goes on
    /// from what another one has left.
    pub fn check_end(
        &self,
        moment: &Moment,
        decision: &Decision,
        within: u64,
    ) -> Result<(), Violation> {
        let from_now = |at: u64| at.saturating_sub(moment.now);
        let asks = |action: &Action| matches!(action, Action::Save(_));
        if let Server::Lost { saves, .. } = self.server
            && saves >= SAVES
            && decision.actions.iter().any(asks)
        {
            return Err(Violation::SavesTooOften(saves));
        }
        if let Some(at) = decision.wake_at.filter(|&at| from_now(at) > WAKE_WITHIN)
            && !self.is_connected()
        {
            return Err(Violation::SleepsTooLong(from_now(at)));
        }
        if let Server::Lost { extended, .. } = self.server
            && let Some(outage) = decision.state.phase.outage()
        {
            let (Attempt::Due(at) | Attempt::UnderWay(at)) = outage.attempt;
            if from_now(at) > WAKE_WITHIN {
                return Err(Violation::AttemptTooFar(from_now(at)));
            }
            if outage.extended > extended {
                return Err(Violation::ExtendedUnasked {
                    by: outage.extended,
                    asked: extended,
                });
            }
        }
        if let Phase::CountingDown(countdown) = &decision.state.phase
            && let Some(end) = self.must_end(within)
            && countdown.deadline > end
        {
            return Err(Violation::DeadlineTooFar {
                ends_in: from_now(countdown.deadline),
                within: from_now(end),
            });
        }
        Ok(())
    }
}

fn at_most(what: &'static str, got: usize, limit: usize) -> Result<(), Violation> {
    if got > limit {
        Err(Violation::TooMany { what, got, limit })
    } else {
        Ok(())
    }
}
