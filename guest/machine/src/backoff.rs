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

/// The delay between attempts once the first ones are spent, in milliseconds: anything from
/// nothing to `retry-delay-max` ("full jitter"), so that a fleet does not return as one wave.
/// Without entropy it is the middle.
pub fn full_jitter(settings: &Settings, entropy: Option<u64>) -> Duration {
    let span = u128::from(settings.retry_delay_max);
    scale(entropy.unwrap_or(1 << 63), span) as Duration // at most the span
}

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
    use crate::default_settings;

    #[test]
    fn doubles_up_to_the_cap() {
        let settings = default_settings();
        let delays: [u64; 6] = core::array::from_fn(|n| exponential(&settings, n as u32, None));
        assert_eq!(delays, [2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn jitter_reaches_both_ends_and_not_beyond() {
        let settings = default_settings();
        assert_eq!(exponential(&settings, 0, Some(0)), 1_500);
        assert_eq!(exponential(&settings, 0, Some(1 << 63)), 2_000);
        assert_eq!(exponential(&settings, 0, Some(u64::MAX)), 2_500);
        assert_eq!(exponential(&settings, 4, Some(u64::MAX)), 10_500);
    }

    #[test]
    fn jitter_larger_than_the_delay_stops_at_zero() {
        let settings = Settings {
            retry_jitter: 5_000,
            ..default_settings()
        };
        assert_eq!(exponential(&settings, 0, Some(0)), 0);
    }

    #[test]
    fn jitter_is_symmetric_however_large() {
        let settings = Settings {
            retry_jitter: u64::MAX,
            ..default_settings()
        };
        assert_eq!(exponential(&settings, 0, Some(0)), 0);
        assert_eq!(exponential(&settings, 0, Some(1 << 63)), 2_000);
        assert_eq!(exponential(&settings, 0, Some((1 << 63) + 500)), 3_000);
        assert_eq!(exponential(&settings, 0, Some(u64::MAX)), u64::MAX);
    }

    #[test]
    fn full_jitter_covers_the_whole_range() {
        let settings = default_settings();
        assert_eq!(full_jitter(&settings, Some(0)), 0);
        assert_eq!(full_jitter(&settings, None), 5_000);
        assert_eq!(full_jitter(&settings, Some(u64::MAX)), 10_000);
    }

    #[test]
    fn the_edges_of_u64_saturate() {
        let settings = Settings {
            retry_delay: u64::MAX,
            retry_delay_max: u64::MAX,
            retry_jitter: u64::MAX,
            ..default_settings()
        };
        assert_eq!(exponential(&settings, u32::MAX, Some(u64::MAX)), u64::MAX);
        assert_eq!(exponential(&settings, u32::MAX, Some(0)), 0);
        assert_eq!(exponential(&settings, 64, None), u64::MAX);
        assert_eq!(full_jitter(&settings, Some(u64::MAX)), u64::MAX);
    }
}
