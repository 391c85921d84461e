//! The contract's names, as `wit/policy.wit` spells them, and what every phase has in common.

use crate::types::{Action, ConnectError, Loss, Outage, Phase, Place, Request};

impl Phase {
    /// The contract's name.
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Connected => "connected",
            Phase::Reconnecting(_) => "reconnecting",
            Phase::CountingDown(_) => "counting-down",
            Phase::Saving(_) => "saving",
            Phase::Quitting(_) => "quitting",
            Phase::Held(_) => "held",
        }
    }

    /// The outage that it belongs to; None while connected.
    pub fn outage(&self) -> Option<&Outage> {
        match self {
            Phase::Connected => None,
            Phase::Reconnecting(outage) | Phase::Quitting(outage) | Phase::Held(outage) => {
                Some(outage)
            }
            Phase::CountingDown(countdown) => Some(&countdown.outage),
            Phase::Saving(saving) => Some(&saving.outage),
        }
    }

    /// As [`Phase::outage`], to be changed.
    pub fn outage_mut(&mut self) -> Option<&mut Outage> {
        match self {
            Phase::Connected => None,
            Phase::Reconnecting(outage) | Phase::Quitting(outage) | Phase::Held(outage) => {
                Some(outage)
            }
            Phase::CountingDown(countdown) => Some(&mut countdown.outage),
            Phase::Saving(saving) => Some(&mut saving.outage),
        }
    }
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Loss::NeverConnected,
        Loss::TransportError,
        Loss::PingTimeout,
        Loss::ServerDisconnect,
    ];

    /// The contract's name.
    pub fn name(self) -> &'static str {
        match self {
            Loss::NeverConnected => "never-connected",
            Loss::TransportError => "transport-error",
            Loss::PingTimeout => "ping-timeout",
            Loss::ServerDisconnect => "server-disconnect",
        }
    }
}

impl ConnectError {
    /// All of them.
    pub const ALL: [Self; 3] = [
        ConnectError::Unreachable,
        ConnectError::TimedOut,
        ConnectError::Refused,
    ];

    /// The contract's name.
    pub fn name(self) -> &'static str {
        match self {
            ConnectError::Unreachable => "unreachable",
            ConnectError::TimedOut => "timed-out",
            ConnectError::Refused => "refused",
        }
    }
}

impl Place {
    /// The contract's name.
    pub fn name(self) -> &'static str {
        match self {
            Place::InPlace => "in-place",
            Place::Recovery => "recovery",
        }
    }
}

impl Action {
    /// The contract's name.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Connect => "connect",
            Action::Warn(_) => "warn",
            Action::Save(_) => "save",
            Action::Quit => "quit",
        }
    }
}

impl Request {
    /// The contract's name.
    pub fn name(&self) -> &'static str {
        match self {
            Request::Hold => "hold",
            Request::Extend(_) => "extend",
            Request::Release => "release",
            Request::CloseNow => "close-now",
        }
    }
}
