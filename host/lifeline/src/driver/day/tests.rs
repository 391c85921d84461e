//! Many days.
#![allow(clippy::print_stdout)] // figures, for who asks for them with --nocapture

use super::{Counts, play};
use std::time::Instant;

/// So many days are played, unless `LIFELINE_DAYS` says otherwise.
const DAYS: u64 = 32;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
    )
}

#[test]
fn days_on_which_every_rule_is_kept() {
    let single = number("LIFELINE_DAY_SEED");
    let seeds = match single {
        Some(seed) => seed..seed + 1,
        None => 0..number("LIFELINE_DAYS").unwrap_or(DAYS),
    };
    let aloud = number("LIFELINE_DAY_TRACE") == Some(1);
    let (mut counts, mut days) = (Counts::default(), 0);
    let mut failed = Vec::new();
    for seed in seeds {
        let begun = Instant::now();
        let day = match play(seed, aloud, |_| {}) {
            Ok(day) => day,
            Err(day) => {
                failed.push(day.to_string());
                continue;
            }
        };
        println!(
            "day {seed}: {:.2} s, {} lines, hash {:016x}",
            begun.elapsed().as_secs_f64(),
            day.lines,
            day.hash
        );
        counts.add(day.counts);
        days += 1;
    }
    println!("{counts:?}");
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n\n"));
    if days < DAYS {
        return;
    }
    // What never happened was not tested.
    let all = [
        counts.outages,
        counts.recoveries,
        counts.holds,
        counts.saves,
        counts.failed_saves,
        counts.saved_first,
        counts.quits,
        counts.ended_by_host,
        counts.swaps,
        counts.unsaved,
    ];
    assert!(all.iter().all(|&it| it > 0), "{counts:?}");
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let day = |seed| play(seed, false, |_| {}).unwrap();
    let first = day(1);
    assert_eq!(first, day(1));
    assert_ne!(first.hash, day(2).hash);
}

#[test]
fn a_broken_rule_tells_how_to_see_it_again() {
    let fails = || play(3, false, |bounds| bounds.floor = u64::MAX / 2).unwrap_err();
    let told = fails().to_string();
    assert!(told.contains("a floor is broken"), "{told}");
    let command = "LIFELINE_DAY_SEED=3 cargo test --release -p lifeline --lib day";
    assert!(told.ends_with(command), "{told}");
    assert_eq!(told, fails().to_string(), "the very same");
}
