//! What the measurements in `benches/` share.

use lifeline::contract::{Loss, Moment, Phase, State};
use lifeline::{Call, Decide};

/// `now`, and nothing else known.
pub fn moment(now: u64) -> Moment {
    Moment::at(now)
}

/// One second after a loss, and one before the first attempt: what `tick` finds most often.
///
/// # Panics
///
/// If the policy does not answer.
#[allow(clippy::expect_used)] // nothing can be measured then
pub fn lost(policy: &dyn Decide) -> State {
    let connected = State {
        phase: Phase::Connected,
        seen: 0,
        memo: Vec::new(),
    };
    let loss = Call::OnDisconnect(Loss::TransportError);
    policy
        .decide(&loss, &connected, &moment(1_000))
        .expect("the loss is answered")
        .state
}
