//! One step of the default policy: in its sandbox, a fresh one each time, and as native code.
#![allow(missing_docs)] // criterion's macros write functions
#![allow(clippy::unwrap_used)] // what fails cannot be measured

use criterion::{Criterion, criterion_group, criterion_main};
use lifeline::contract::{Moment, State};
use lifeline::{Call, Decide};
use lifeline_bench::{lost, moment};
use lifeline_machine::Machine;
use lifeline_sandbox::{Compiling, Limits, Sandbox};
use std::hint::black_box;

fn step(criterion: &mut Criterion) {
    let sandbox = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
    let policy = sandbox.load_embedded(&lifeline::FIVE_MINUTES).unwrap();
    let mut group = criterion.benchmark_group("step");
    let native =
        |call: &Call, state: &State, moment: &Moment| Ok(call.of::<Machine<()>>(state, moment));
    for (name, decide) in [("sandbox", &policy as &dyn Decide), ("native", &native)] {
        let state = lost(decide);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let now = black_box(moment(2_000));
                decide.decide(&Call::Tick, &state, &now).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
