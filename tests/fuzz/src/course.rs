//! What happens to one client: arbitrary, but in an order in which a host could report it.

use crate::value;
use arbitrary::{Arbitrary, Result, Unstructured};
use lifeline::Call;
use lifeline::contract::{
    Action, ConnectError, Decision, Loss, Moment, Phase, Place, Request, Scene, Settings, State,
};

/// A script for one client.
#[derive(Clone, Debug)]
pub struct Course {
    /// What the clock shows at first (milliseconds).
    pub begin: u64,
    /// None: the defaults.
    pub settings: Option<Settings>,
    /// Oldest first.
    pub events: Vec<Event>,
}

/// One event, and when.
#[derive(Clone, Debug)]
pub struct Event {
    /// Since the one before.
    pub pause: Pause,
    /// For the policy.
    pub entropy: Option<u64>,
    /// For the policy.
    pub scene: Option<Scene>,
    /// From here on, if they change.
    pub settings: Option<Settings>,
    /// What.
    pub what: What,
}

/// How long until an event.
#[derive(Clone, Copy, Debug)]
pub enum Pause {
    /// At the same instant.
    None,
    /// So long, but not beyond the instant at which the policy wants to be woken.
    AtMost(u64),
    /// Until the policy wants to be woken.
    ToWake,
    /// Beyond that, by so much.
    Beyond(u64),
}

/// What can happen. What cannot happen just then is a tick.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the contract's names
pub enum What {
    Tick,
    Accepted,
    Failed(ConnectError),
    Lost(Loss),
    Saved(bool),
    Asked(Request),
}

impl<'a> Arbitrary<'a> for Course {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Course {
            begin: value::millis(u)?,
            settings: value::option(u, value::settings)?,
            events: u.arbitrary()?,
        })
    }
}

impl<'a> Arbitrary<'a> for Event {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Event {
            pause: match u.int_in_range(0..=7)? {
                0 => Pause::None,
                1 => Pause::AtMost(value::millis(u)?),
                2 => Pause::Beyond(value::millis(u)?),
                _ => Pause::ToWake,
            },
            entropy: u.arbitrary()?,
            scene: value::option(u, value::scene)?,
            settings: match u.int_in_range(0..=15)? {
                0 => Some(value::settings(u)?),
                _ => None,
            },
            what: match u.int_in_range(0..=11)? {
                0 => What::Accepted,
                1..=4 => What::Failed(value::connect_error(u)?),
                5 => What::Lost(value::loss(u)?),
                6 | 7 => What::Saved(u.arbitrary()?),
                8 => What::Asked(value::request(u)?),
                _ => What::Tick,
            },
        })
    }
}

/// What a host knows of one client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Milliseconds.
    pub now: u64,
    /// As the policy left it.
    pub state: State,
    /// When it wants to be called.
    pub wake_at: Option<u64>,
    /// The server is there.
    pub connected: bool,
    /// An attempt was begun and is not answered.
    pub connecting: bool,
    /// A save was asked for and is not answered.
    pub saving: Option<Place>,
    settings: Option<Settings>,
}

impl Client {
    /// Before `start`.
    pub fn new(course: &Course) -> Self {
        Client {
            now: course.begin,
            state: State {
                phase: Phase::Connected,
                seen: course.begin,
                memo: Vec::new(),
            },
            wake_at: None,
            connected: false,
            connecting: false,
            saving: None,
            settings: course.settings.clone(),
        }
    }

    /// The first call.
    pub fn start(&self) -> (Call, Moment) {
        (Call::Start, self.moment(None, None))
    }

    /// What an event means here. The line and the open questions follow it.
    pub fn happens(&mut self, event: &Event) -> (Call, Moment) {
        let wake = self.wake_at.unwrap_or(self.now).max(self.now);
        self.now = match event.pause {
            Pause::None => self.now,
            Pause::AtMost(by) if self.wake_at.is_some() => self.now.saturating_add(by).min(wake),
            Pause::AtMost(by) => self.now.saturating_add(by),
            Pause::ToWake => wake,
            Pause::Beyond(by) => wake.saturating_add(by),
        };
        if let Some(settings) = &event.settings {
            self.settings = Some(settings.clone());
        }
        let call = match event.what {
            What::Accepted if self.connecting => {
                (self.connected, self.connecting, self.saving) = (true, false, None);
                Call::OnConnect
            }
            What::Failed(why) if self.connecting => {
                self.connecting = false;
                Call::OnConnectError(why)
            }
            What::Lost(why) if self.connected => {
                self.connected = false;
                Call::OnDisconnect(why)
            }
            What::Saved(ok) if self.saving.is_some() => {
                self.saving = None;
                Call::OnSaved(if ok { Ok(()) } else { Err("disk full".into()) })
            }
            What::Asked(request) => Call::OnRequest(request),
            _ => Call::Tick,
        };
        (call, self.moment(event.entropy, event.scene))
    }

    /// Takes the answer.
    pub fn follows(&mut self, decision: &Decision) {
        self.state = decision.state.clone();
        self.wake_at = decision.wake_at;
        for action in &decision.actions {
            match action {
                Action::Connect => self.connecting = true,
                Action::Save(place) => self.saving = Some(*place),
                Action::Warn(_) | Action::Quit => {}
            }
        }
        if !matches!(self.state.phase, Phase::Saving(_)) {
            self.saving = None; // the plan has changed
        }
    }

    fn moment(&self, entropy: Option<u64>, scene: Option<Scene>) -> Moment {
        Moment {
            now: self.now,
            due: self.wake_at,
            entropy,
            settings: self.settings.clone(),
            scene,
            cut_off: None,
        }
    }
}
