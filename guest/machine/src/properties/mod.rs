//! What must hold for every input: properties, tried with random ones.
//!
//! | file | what is in it |
//! |---|---|
//! | `arithmetic` | delays, jitter, deadlines, warnings, sleep, and the edges of u64 |
//! | `conduct` | what the machine does and never does, call by call and in whole plays |
//! | `same` | the machine against `crate::reference`, in whole plays |
//! | `inputs` | the random settings, states and plays |
//! | `play` | a play, acted out |
//!
//! More of it: `PROPTEST_CASES=100000 cargo test --release --package lifeline-machine --lib properties`.
//!
//! A case that fails is made small and shown, and its seed is added to a file under
//! `guest/machine/proptest-regressions/`, from which every later run tries it first: commit that
//! file with the mend, and tell the case as a plain test in `stories.rs`. `PROPTEST_RNG_SEED=7` has the
//! same cases tried each time.

mod arithmetic;
mod conduct;
mod inputs;
mod play;
mod same;

use proptest::test_runner::Config;

/// So many cases, unless `PROPTEST_CASES` says otherwise.
fn cases(usual: u32) -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = usual;
    }
    config
}
