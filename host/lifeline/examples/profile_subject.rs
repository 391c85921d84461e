//! `profile_subject step|poll COUNT`: does one thing again and again, for a profiler to look at (see
//! tests/bench/profile.sh).

use lifeline::Call;
use lifeline::Lifeline;
use lifeline::contract::{Loss, Moment, Phase, State};
use lifeline::settings::Settings;
use lifeline_sandbox::{Compiling, Limits, Sandbox};
use serde_json::Map;
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::hint::black_box;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [subject, count] = words.as_slice() else {
        return Err("expected step or poll, and a count".into());
    };
    let count: u64 = count.parse()?;
    match subject.as_str() {
        "step" => steps(count),
        "poll" => polls(count),
        _ => Err(format!("{subject:?} is neither step nor poll").into()),
    }
}

/// Ticks of the built-in policy, each in a fresh sandbox, in the middle of an outage.
fn steps(count: u64) -> Result<(), Box<dyn Error>> {
    let policy = Sandbox::new(Limits::default(), None, Compiling::Here)?
        .load_embedded(&lifeline::FIVE_MINUTES)?;
    let connected = State {
        phase: Phase::Connected,
        seen: 0,
        memo: Vec::new(),
    };
    let moment = |now| Moment {
        entropy: Some(7),
        ..Moment::at(now)
    };
    let lost = Call::OnDisconnect(Loss::TransportError);
    let outage = policy.call(&lost, &connected, &moment(1_000))?.state;
    let now = moment(2_000);
    for _ in 0..count {
        black_box(policy.call(&Call::Tick, &outage, &now)?);
    }
    Ok(())
}

/// With nothing to do.
fn polls(count: u64) -> Result<(), Box<dyn Error>> {
    let line = Lifeline::new(Settings::resolve(&Map::new(), &BTreeMap::new())?, None);
    for _ in 0..count {
        black_box(line.poll());
    }
    Ok(())
}
