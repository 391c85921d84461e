//! Who may decide in a day: what was built, policies that misbehave among it.

use lifeline_sandbox::{Compiling, Limits, Policy, Sandbox};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

/// The folder of the component that misbehaves, as `cargo xtask test` sets it.
const VARIABLE: &str = "LIFELINE_TEST_POLICIES";
/// Before its mode's name in the component's bytes, and the name's room (see tests/policies/hostile).
const MARKER: &[u8] = b"LIFELINE-TEST-MODE:";
const ROOM: usize = 32;

/// Policies by name, whose deadlines can be foretold.
pub(super) const FORETOLD: [&str; 3] = ["five-minutes", "render-guard", "patient"];
/// Those modes of the hostile component that answer within microseconds.
const MODES: [&str; 14] = [
    "trap",
    "garbage-phase",
    "quits-at-once",
    "never-wakes",
    "stale-seen",
    "save-while-connected",
    "quit-before-save",
    "never-quits",
    "holds-unasked",
    "ignores-reconnect",
    "forgets-retry-of-failed-save",
    "moves-the-deadline",
    "ignores-hold",
    "ignores-release",
];

/// All of them, compiled once.
pub(super) struct Pool {
    pub sandbox: Sandbox,
    pub built_in: Policy,
    /// With their origins. One that was not built is not there; its place is kept.
    pub others: Vec<(String, Option<Policy>)>,
}

pub(super) static POOL: LazyLock<Pool> = LazyLock::new(Pool::compile);

impl Pool {
    fn compile() -> Self {
        // A machine that is busy must not change the trace.
        let limits = Limits {
            time: Duration::from_secs(3_600),
            ..Limits::default()
        };
        let sandbox = Sandbox::new(limits, None, Compiling::Here).unwrap();
        let built_in = sandbox.load_embedded(&crate::FIVE_MINUTES).unwrap();
        let load = |bytes: Vec<u8>| sandbox.load(&bytes).unwrap();
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        let mut others = vec![("five-minutes".to_string(), Some(built_in.clone()))];
        for name in &FORETOLD[1..] {
            let file = target.join("policies").join(format!("{name}.wasm"));
            others.push((name.to_string(), std::fs::read(file).ok().map(load)));
        }
        let set = std::env::var_os(VARIABLE).map(PathBuf::from);
        let folder = set
            .clone()
            .unwrap_or_else(|| target.join("policies-for-tests"));
        let hostile = std::fs::read(folder.join("hostile.wasm")).ok();
        assert!(
            hostile.is_some() || set.is_none(),
            "{VARIABLE} is set, but there is no hostile.wasm"
        );
        for mode in MODES {
            let policy = hostile.as_deref().map(|bytes| load(in_mode(bytes, mode)));
            others.push((mode.to_string(), policy));
        }
        Pool {
            others,
            sandbox,
            built_in,
        }
    }
}

fn in_mode(component: &[u8], mode: &str) -> Vec<u8> {
    let at = component
        .windows(MARKER.len())
        .position(|it| it == MARKER)
        .unwrap()
        + MARKER.len();
    let mut bytes = component.to_vec();
    let room = &mut bytes[at..at + ROOM];
    room.fill(b'.');
    room[..mode.len()].copy_from_slice(mode.as_bytes());
    bytes
}
