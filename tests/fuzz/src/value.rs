//! Arbitrary values of the contract: mostly of the size that occurs, now and then at the edges.

use arbitrary::{Result, Unstructured};
use lifeline::Call;
use lifeline::contract::{
    Action, Attempt, ConnectError, Countdown, Loss, Moment, Outage, Phase, Place, Request, Saving,
    Scene, Settings, State,
};

/// A length of time, or an instant (milliseconds).
pub fn millis(u: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match u.int_in_range(0..=7)? {
        0 => 0,
        1 | 2 => u8::arbitrary_in(u)?,
        3 | 4 => u16::arbitrary_in(u)?,
        5 => u32::arbitrary_in(u)?,
        6 => u64::MAX - u8::arbitrary_in(u)?,
        _ => u.arbitrary()?,
    })
}

trait Widened {
    fn arbitrary_in(u: &mut Unstructured<'_>) -> Result<u64>;
}

impl<T: for<'a> arbitrary::Arbitrary<'a> + Into<u64>> Widened for T {
    fn arbitrary_in(u: &mut Unstructured<'_>) -> Result<u64> {
        Ok(u.arbitrary::<T>()?.into())
    }
}

/// Of a few, with those that the tables forbid.
pub fn settings(u: &mut Unstructured<'_>) -> Result<Settings> {
    let warnings = u.int_in_range(0..=3)?;
    Ok(Settings {
        retry_attempts: match u.int_in_range(0..=3)? {
            0 => u.arbitrary()?,
            _ => u.int_in_range(0..=6)?,
        },
        retry_delay: millis(u)?,
        retry_delay_max: millis(u)?,
        retry_jitter: millis(u)?,
        connect_timeout: millis(u)?,
        cleanup_timeout: millis(u)?,
        warn_before: (0..warnings).map(|_| millis(u)).collect::<Result<_>>()?,
        render_wait: millis(u)?,
    })
}

/// What is open.
pub fn scene(u: &mut Unstructured<'_>) -> Result<Scene> {
    Ok(Scene {
        modified: u.arbitrary()?,
        untitled: u.arbitrary()?,
        rendering: u.arbitrary()?,
    })
}

/// None, or what `of` makes.
pub fn option<T>(
    u: &mut Unstructured<'_>,
    of: fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Option<T>> {
    Ok(if u.arbitrary()? { Some(of(u)?) } else { None })
}

/// The circumstances of a call, at any instant.
pub fn moment(u: &mut Unstructured<'_>) -> Result<Moment> {
    Ok(Moment {
        now: millis(u)?,
        due: option(u, millis)?,
        entropy: u.arbitrary()?,
        settings: option(u, settings)?,
        scene: option(u, scene)?,
        cut_off: u.arbitrary()?,
    })
}

/// A policy's state, whether a policy could have left it or not.
pub fn state(u: &mut Unstructured<'_>) -> Result<State> {
    Ok(State {
        phase: phase(u)?,
        seen: millis(u)?,
        memo: u.arbitrary()?,
    })
}

/// Any phase.
pub fn phase(u: &mut Unstructured<'_>) -> Result<Phase> {
    Ok(match u.int_in_range(0..=5)? {
        0 => Phase::Connected,
        1 => Phase::Reconnecting(outage(u)?),
        2 => Phase::CountingDown(Countdown {
            outage: outage(u)?,
            deadline: millis(u)?,
            warned: millis(u)?,
        }),
        3 => Phase::Saving(Saving {
            outage: outage(u)?,
            place: place(u)?,
            since: millis(u)?,
        }),
        4 => Phase::Quitting(outage(u)?),
        _ => Phase::Held(outage(u)?),
    })
}

fn outage(u: &mut Unstructured<'_>) -> Result<Outage> {
    Ok(Outage {
        lost_at: millis(u)?,
        why: loss(u)?,
        attempts: u.arbitrary()?,
        attempt: if u.arbitrary()? {
            Attempt::Due(millis(u)?)
        } else {
            Attempt::UnderWay(millis(u)?)
        },
        extended: millis(u)?,
    })
}

/// In place, or recovery.
pub fn place(u: &mut Unstructured<'_>) -> Result<Place> {
    Ok(*u.choose(&[Place::InPlace, Place::Recovery])?)
}

/// How the line was lost.
pub fn loss(u: &mut Unstructured<'_>) -> Result<Loss> {
    Ok(*u.choose(&[
        Loss::NeverConnected,
        Loss::TransportError,
        Loss::PingTimeout,
        Loss::ServerDisconnect,
    ])?)
}

/// How an attempt failed.
pub fn connect_error(u: &mut Unstructured<'_>) -> Result<ConnectError> {
    Ok(*u.choose(&[
        ConnectError::Unreachable,
        ConnectError::TimedOut,
        ConnectError::Refused,
    ])?)
}

/// What a person asks for.
pub fn request(u: &mut Unstructured<'_>) -> Result<Request> {
    Ok(match u.int_in_range(0..=3)? {
        0 => Request::Hold,
        1 => Request::Release,
        2 => Request::CloseNow,
        _ => Request::Extend(millis(u)?),
    })
}

/// What a policy asks for.
pub fn action(u: &mut Unstructured<'_>) -> Result<Action> {
    Ok(match u.int_in_range(0..=3)? {
        0 => Action::Connect,
        1 => Action::Warn(millis(u)?),
        2 => Action::Save(place(u)?),
        _ => Action::Quit,
    })
}

/// Any call.
pub fn call(u: &mut Unstructured<'_>) -> Result<Call> {
    Ok(match u.int_in_range(0..=6)? {
        0 => Call::Start,
        1 => Call::OnConnect,
        2 => Call::OnConnectError(connect_error(u)?),
        3 => Call::OnDisconnect(loss(u)?),
        4 => Call::OnSaved(if u.arbitrary()? {
            Ok(())
        } else {
            Err(u.arbitrary()?)
        }),
        5 => Call::OnRequest(request(u)?),
        _ => Call::Tick,
    })
}

/// A call from a state that may have nothing to do with it.
#[derive(Debug)]
pub struct Any {
    /// The function.
    pub call: Call,
    /// Its first argument.
    pub state: State,
    /// Its second one.
    pub moment: Moment,
}

impl<'a> arbitrary::Arbitrary<'a> for Any {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Any {
            call: call(u)?,
            state: state(u)?,
            moment: moment(u)?,
        })
    }
}
