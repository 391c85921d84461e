//! Bits for the jitter of the first attempts: the same in Blender and in the user's browser.
//!
//! Both lose the server at the same time and ask the same policy. With the same bits they make the
//! same attempts, and so begin the countdown at the same time, though nobody can talk to anybody: the
//! page can say to the second when Blender saves and closes. Different users are spread as before.
//! `browser/src/entropy.ts` does the same.

use lifeline_contract::types::{Phase, State};

/// For a call from this state; None: nobody shares them, and they are to be random. In a countdown
/// they are, so that no two users keep step with each other.
pub fn shared(username: &str, state: &State) -> Option<u64> {
    let first_attempts = matches!(state.phase, Phase::Connected | Phase::Reconnecting(_));
    if username.is_empty() || !first_attempts {
        return None;
    }
    let attempts = state.phase.outage().map_or(0, |outage| outage.attempts);
    Some(bits(username, attempts))
}

/// 64 bits, evenly spread over users and attempts: FNV-1a, mixed by SplitMix64.
fn bits(username: &str, attempts: u32) -> u64 {
    const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
    const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let hash = username.bytes().fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    });
    let step = u64::from(attempts).wrapping_add(1);
    let mixed = hash.wrapping_add(step.wrapping_mul(GOLDEN_GAMMA));
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeline_contract::types::{Attempt, Countdown, Loss, Outage};

    fn state(phase: Phase) -> State {
        State {
            phase,
            seen: 0,
            memo: Vec::new(),
        }
    }

    fn outage(attempts: u32) -> Outage {
        Outage {
            lost_at: 0,
            why: Loss::TransportError,
            attempts,
            attempt: Attempt::Due(0),
            extended: 0,
        }
    }

    // The same numbers as in browser/test/entropy.test.ts.
    #[test]
    fn they_are_the_browsers() {
        assert_eq!(bits("ann", 0), 12_972_911_246_729_296_188);
        assert_eq!(bits("ann", 4), 2_852_218_870_351_461_290);
        assert_eq!(bits("Zoë", 1), 16_526_190_686_010_512_276);
    }

    #[test]
    fn the_first_attempts_share_them_and_no_others() {
        let reconnecting = |attempts| state(Phase::Reconnecting(outage(attempts)));
        let connected = state(Phase::Connected);
        assert_eq!(shared("ann", &connected), Some(bits("ann", 0)));
        assert_eq!(shared("ann", &reconnecting(3)), Some(bits("ann", 3)));
        assert_eq!(shared("", &reconnecting(3)), None);
        let counting_down = Phase::CountingDown(Countdown {
            outage: outage(5),
            deadline: 1,
            warned: 1,
        });
        for phase in [
            counting_down,
            Phase::Quitting(outage(5)),
            Phase::Held(outage(1)),
        ] {
            assert_eq!(shared("ann", &state(phase)), None);
        }
    }

    #[test]
    fn users_are_spread_evenly() {
        let mut quarters = [0; 4];
        for user in 0..2_000 {
            quarters[(bits(&format!("user-{user}"), 0) >> 62) as usize] += 1;
        }
        assert!(
            quarters.iter().all(|&it| (430..570).contains(&it)),
            "{quarters:?}"
        );
    }
}
