//! Attempts to connect, and what they come to.

use crate::core::Turn;
use crate::core::short::Ended;
use crate::input::Connection;
use crate::output::{Ignored, Output, Telling, Why};
use lifeline_contract::Call;
use lifeline_contract::types::{ConnectError, Loss, Phase};

/// The reason of a loss that a probe has found, beside those that the contract names.
const FROZEN: &str = "frozen";

/// The present connection, or the attempt under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Connections {
    /// Attempts begun.
    attempts: u64,
    pub current: Option<u64>,
    /// The attempt that a person has asked for, of which the policy knows nothing.
    asked: Option<u64>,
    /// The outage has been told of: the first attempt of all is no outage while it is under way.
    pub announced: bool,
    /// What the present connection has ended, if it lasts.
    pub ended: Option<Box<Ended>>,
    /// Connections in a row that did not last. If there are any, the present outage goes on from
    /// before them.
    pub short: u32,
}

impl Connections {
    /// A person has asked for the attempt under way.
    pub fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Connections in a row that did not last, as a policy is told of them.
    pub fn cut_off(&self) -> Option<u32> {
        Some(self.short).filter(|&short| short > 0)
    }

    /// The policy has not asked for the connection.
    pub fn take_asked(&mut self) -> bool {
        self.asked.take().is_some()
    }
}

impl Turn<'_> {
    /// The policy's attempt.
    pub fn connect(&mut self) {
        if let Phase::Reconnecting(outage) = self.core.state.phase {
            self.tell(Telling::Attempt(outage.attempts));
        }
        self.dial();
    }

    fn dial(&mut self) {
        if self.core.connections.current.is_some() {
            // The link may have given it longer than the policy does.
            self.tell(Telling::AttemptFailed {
                number: self.core.attempts(),
                why: ConnectError::TimedOut,
                detail: "no answer in time".into(),
                asked: false,
            });
        }
        let connections = &mut self.core.connections;
        connections.attempts += 1;
        connections.current = Some(connections.attempts);
        connections.asked = None;
        let attempt = connections.attempts;
        self.output(Output::Connect(attempt));
    }

    /// The plan stays as it is: the policy's own attempts come when they are due, and the deadline
    /// does not move.
    pub fn try_now(&mut self) {
        let ignored = if self.core.closing.is_out_of_hand() {
            Some(Ignored::Closing)
        } else if self.core.guard.is_connected() {
            Some(Ignored::Connected)
        } else if self.core.connections.current.is_some() {
            Some(Ignored::UnderWay)
        } else {
            None
        };
        self.tell(Telling::TryNow(ignored));
        if ignored.is_none() {
            self.dial();
            self.core.connections.asked = self.core.connections.current;
        }
    }

    pub fn disconnect(&mut self) {
        if self.core.connections.current.take().is_some() {
            self.output(Output::Disconnect);
        }
    }

    pub fn connection(&mut self, attempt: u64, event: Connection) {
        // Of an attempt, or a server, that was given up.
        if self.core.connections.current != Some(attempt) {
            return;
        }
        match event {
            Connection::Accepted => self.accepted(),
            Connection::Failed(why, detail) => self.failed(attempt, why, detail),
            Connection::Lost(why, detail) => self.lost(why, why.name(), detail),
            // To a policy it is a server that stopped answering, found out sooner.
            Connection::Frozen(detail) => self.lost(Loss::PingTimeout, FROZEN, detail),
        }
    }

    fn accepted(&mut self) {
        self.core.connections.ended = self.core.outage(self.now);
        self.withdraw(Why::Back);
        let outage = self.core.lost_at().map(|at| self.now.saturating_sub(at));
        self.core.guard.connected();
        self.core.connections.announced = false;
        self.core.undecided.clear();
        self.tell(Telling::Connected {
            outage,
            again: self.core.connections.short > 0,
        });
        self.outage_is_over();
        self.decide(Call::OnConnect);
        if !self.core.undecided.is_empty() {
            // Nobody has to decide that: a connection that is lost before somebody does would be one more
            // loss in the old outage, whose save nobody waits for any more.
            self.core.state.phase = Phase::Connected;
        }
    }

    fn failed(&mut self, attempt: u64, why: ConnectError, detail: String) {
        self.core.connections.current = None;
        let asked = self.core.connections.asked.take() == Some(attempt);
        if !self.core.connections.announced {
            self.announce(Loss::NeverConnected.name(), detail.clone());
        }
        self.tell(Telling::AttemptFailed {
            number: self.core.attempts(),
            why,
            detail,
            asked,
        });
        if !asked {
            // Of the other ones no policy has lost an attempt.
            self.decide(Call::OnConnectError(why));
        }
    }

    fn lost(&mut self, why: Loss, reason: &'static str, detail: String) {
        self.core.connections.current = None;
        if let Some(ended) = self.too_short() {
            return self.resume(*ended, why, reason, detail);
        }
        self.lasts();
        self.core.guard.lost(self.now);
        self.announce(reason, detail);
        self.core.undecided.clear();
        self.decide(Call::OnDisconnect(why));
    }

    /// Tells of an outage, once.
    fn announce(&mut self, reason: &'static str, detail: String) {
        self.core.connections.announced = true;
        self.finish_late();
        let at = self.core.guard.lost_at().unwrap_or(self.now);
        self.open_record();
        self.tell(Telling::Lost { reason, detail, at });
    }
}
