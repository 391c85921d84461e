//! Loading the default policy: compiled, from the cache of compiled policies, and built in.
#![allow(missing_docs)] // criterion's macros write functions
#![allow(clippy::unwrap_used)] // what fails cannot be measured

use criterion::{Criterion, criterion_group, criterion_main};
use lifeline::FIVE_MINUTES;
use lifeline_sandbox::{Cache, Code, Compiling, Limits, Sandbox};
use std::time::Duration;

fn load(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let bare = Sandbox::new(Limits::default(), None, Compiling::Here).unwrap();
    let cache = Cache::new(folder.path().join("policies"));
    let caching = Sandbox::new(Limits::default(), Some(cache), Compiling::Here).unwrap();
    caching.load(FIVE_MINUTES.component).unwrap();
    let mut group = criterion.benchmark_group("load");
    group.bench_function("compiled", |bencher| {
        bencher.iter(|| bare.load(FIVE_MINUTES.component).unwrap());
    });
    group.bench_function("cached", |bencher| {
        bencher.iter(|| {
            let policy = caching.load(FIVE_MINUTES.component).unwrap();
            assert_eq!(policy.code(), &Code::Cached);
            policy
        });
    });
    group.bench_function("built-in", |bencher| {
        bencher.iter(|| {
            let policy = bare.load_embedded(&FIVE_MINUTES).unwrap();
            assert_eq!(policy.code(), &Code::Precompiled);
            policy
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    // A compilation takes a hundred times as long as the rest.
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(3));
    targets = load
}
criterion_main!(benches);
