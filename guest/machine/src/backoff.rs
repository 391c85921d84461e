//! How long to wait before an attempt to connect.

use crate::contract::{Duration, Settings};

/// The delay before attempt number `made + 1` of the first attempts, in milliseconds:
/// `min(retry-delay · 2^made, retry-delay-max) ± retry-jitter`, python-socketio's formula
/// (additive jitter, applied after the cap). Without entropy there is no jitter.
pub fn exponential(settings: &Settings, made: u32, entropy: Option<u64>) -> Duration {
    let factor = 1u64.checked_shl(made).unwrap_or(u64::MAX);
    let delay = settings
        .retry_delay
        .saturating_mul(factor)
        .min(settings.retry_delay_max);
    let jitter = u128::from(settings.retry_jitter);
    match entropy {
        None => delay,
        // Cut to size only at the end, or the largest jitter would be none.
        Some(bits) => {
            let moved = (u128::from(delay) + scale(bits, 2 * jitter)).saturating_sub(jitter);
            Duration::try_from(moved).unwrap_or(Duration::MAX)
        }
    }
}

/// The delay before each later attempt, in milliseconds: from three quarters of `retry-delay-max`
/// to all of it. Long enough that a fleet asks seldom, and even enough that none of it waits for
/// long; the last quarter takes a wave apart within a few attempts, whatever has made it (machines
/// that were resumed together, another policy). Without entropy it is the middle.
pub fn paced(settings: &Settings, entropy: Option<u64>) -> Duration {
    let spread = settings.retry_delay_max / 4;
    let least = settings.retry_delay_max - spread;
    least + scale(entropy.unwrap_or(MIDDLE), spread.into()) as Duration // at most the spread
}

/// The delay before the first attempt after those with growing delays, in milliseconds: any share
/// of a later one. What is a wave until then is spread evenly from here on, so that in each second
/// as many of a fleet try as in any other, whenever the server returns. Without entropy it is half.
pub fn spread(settings: &Settings, entropy: Option<u64>) -> Duration {
    let whole = paced(settings, entropy);
    // Of the same bits, turned: the share is to say nothing of the whole.
    let share = entropy.map_or(MIDDLE, |bits| bits.rotate_left(32));
    scale(share, whole.into()) as Duration // at most the whole
}

/// Of all entropies.
const MIDDLE: u64 = 1 << 63;

/// `bits / 2^64` of the closed range from 0 to `span`, which is less than 2^65.
fn scale(bits: u64, span: u128) -> u128 {
    let steps = span + 1;
    // In two halves, for the product may need more than 128 bits.
    let (high, low) = (steps >> 64, steps & u128::from(u64::MAX));
    u128::from(bits) * high + ((u128::from(bits) * low) >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_cap() {
        let settings = Settings::default();
        let delays: [u64; 6] = core::array::from_fn(|n| exponential(&settings, n as u32, None));
        assert_eq!(delays, [2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn jitter_reaches_both_ends_and_not_beyond() {
        let settings = Settings::default();
        assert_eq!(exponential(&settings, 0, Some(0)), 1_500);
        assert_eq!(exponential(&settings, 0, Some(1 << 63)), 2_000);
        assert_eq!(exponential(&settings, 0, Some(u64::MAX)), 2_500);
        assert_eq!(exponential(&settings, 4, Some(u64::MAX)), 10_500);
    }

    #[test]
    fn jitter_larger_than_the_delay_stops_at_zero() {
        let settings = Settings {
            retry_jitter: 5_000,
            ..Settings::default()
        };
        assert_eq!(exponential(&settings, 0, Some(0)), 0);
    }

    #[test]
    fn jitter_is_symmetric_however_large() {
        let settings = Settings {
            retry_jitter: u64::MAX,
            ..Settings::default()
        };
        assert_eq!(exponential(&settings, 0, Some(0)), 0);
        assert_eq!(exponential(&settings, 0, Some(1 << 63)), 2_000);
        assert_eq!(exponential(&settings, 0, Some((1 << 63) + 500)), 3_000);
        assert_eq!(exponential(&settings, 0, Some(u64::MAX)), u64::MAX);
    }

    #[test]
    fn later_delays_fill_the_last_quarter_below_the_cap() {
        let settings = Settings::default();
        assert_eq!(paced(&settings, Some(0)), 7_500);
        assert_eq!(paced(&settings, None), 8_750);
        assert_eq!(paced(&settings, Some(u64::MAX)), 10_000);
    }

    #[test]
    fn the_delay_between_them_is_any_share_of_a_later_one() {
        let settings = Settings::default();
        assert_eq!(spread(&settings, Some(0)), 0);
        assert_eq!(spread(&settings, None), 4_375);
        assert_eq!(spread(&settings, Some(u64::MAX)), 10_000);
        // The least delay, nearly all of it; and the other way round.
        assert_eq!(spread(&settings, Some(u64::MAX >> 32)), 7_500);
        assert_eq!(spread(&settings, Some(u64::MAX << 32)), 0);
        assert_eq!(spread(&settings, Some((u64::MAX << 32) | (1 << 31))), 5_000);
    }

    #[test]
    fn the_edges_of_u64_saturate() {
        let settings = Settings {
            retry_delay: u64::MAX,
            retry_delay_max: u64::MAX,
            retry_jitter: u64::MAX,
            ..Settings::default()
        };
        assert_eq!(exponential(&settings, u32::MAX, Some(u64::MAX)), u64::MAX);
        assert_eq!(exponential(&settings, u32::MAX, Some(0)), 0);
        assert_eq!(exponential(&settings, 64, None), u64::MAX);
        assert_eq!(paced(&settings, Some(u64::MAX)), u64::MAX);
        assert_eq!(spread(&settings, Some(u64::MAX)), u64::MAX);
        assert_eq!(paced(&settings, Some(0)), u64::MAX - u64::MAX / 4);
    }
}
