//! `patient`: a long wait, the attempts further and further apart, the warnings closer and closer.
#![cfg_attr(target_arch = "wasm32", no_std)]

use lifeline_machine::contract::{Moment, Settings};
use lifeline_machine::with_settings;

/// Warnings at 1/2, 1/4, 1/8 … of the countdown: of half an hour, the last at 7 s.
const WARNINGS: u32 = 8;

lifeline_machine::policy! {
    name: "patient",
    about: "Twice the attempts, then half an hour with ever more warnings, then save and quit.",
    departs: ["countdown"],
    moment: patient,
}

/// Who is cut off again and again has company under its name, or a server that fails as it starts:
/// each time doubles the delay with which it begins anew.
fn patient(moment: Moment) -> Moment {
    let cut_off = moment.cut_off.unwrap_or(0);
    with_settings(moment, |mut settings| {
        let doubled = 1_u64.checked_shl(cut_off).unwrap_or(u64::MAX);
        settings.retry_delay = settings.retry_delay.saturating_mul(doubled);
        longer(settings)
    })
}

fn longer(mut settings: Settings) -> Settings {
    settings.retry_attempts = settings.retry_attempts.saturating_mul(2);
    settings.retry_delay_max = settings.retry_delay_max.saturating_mul(6);
    settings.cleanup_timeout = settings.cleanup_timeout.saturating_mul(6);
    let countdown = settings.cleanup_timeout;
    settings
        .warn_before
        .extend((1..=WARNINGS).map(|halvings| countdown >> halvings));
    settings
}
