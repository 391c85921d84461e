//! Delays, counted out step by step. Milliseconds.

use crate::contract::Settings;

/// Before an attempt, when so many of the first ones were made: doubled once for each of them, cut at
/// the cap, then moved by the jitter either way.
pub fn first_delay(settings: &Settings, made: i128, entropy: Option<u64>) -> i128 {
    let cap = i128::from(settings.retry_delay_max);
    let mut delay = i128::from(settings.retry_delay);
    for _ in 0..made {
        if delay == 0 || delay >= cap {
            break;
        }
        delay += delay;
    }
    let jitter = i128::from(settings.retry_jitter);
    let moved = match entropy {
        None => 0,
        Some(bits) => draw(bits, 2 * jitter + 1) - jitter,
    };
    delay.min(cap) + moved
}

/// Before any later attempt: the cap, or up to a quarter of it less; without entropy the middle.
pub fn later_delay(settings: &Settings, entropy: Option<u64>) -> i128 {
    let cap = i128::from(settings.retry_delay_max);
    let quarter = cap / 4;
    cap - quarter + part(quarter, entropy)
}

/// Before the first of them: from nothing to as much as such a delay; without entropy half. The
/// entropy's halves have changed places.
pub fn delay_between(settings: &Settings, entropy: Option<u64>) -> i128 {
    let swapped = entropy.map(|bits| (bits >> 32) + ((bits % (1 << 32)) << 32));
    part(later_delay(settings, entropy), swapped)
}

/// Anything from nothing to the whole; without entropy the middle.
fn part(whole: i128, entropy: Option<u64>) -> i128 {
    match entropy {
        None => whole - whole / 2,
        Some(bits) => draw(bits, whole + 1),
    }
}

/// One of `0..choices`, each from an equal share of all entropies, small ones from small ones: the
/// whole part of `choices · entropy / 2^64`, by long multiplication, one bit at a time.
fn draw(entropy: u64, choices: i128) -> i128 {
    let mut sum = 0;
    for bit in 0..u64::BITS {
        if entropy >> bit & 1 == 1 {
            sum += choices;
        }
        sum /= 2;
    }
    sum
}
