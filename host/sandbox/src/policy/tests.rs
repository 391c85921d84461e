use super::*;
use crate::FIVE_MINUTES;
use crate::precompiled;
use lifeline_contract::types::{Action, Loss, Phase};

const COMPONENT: &[u8] = FIVE_MINUTES.component;
const CODE: &[u8] = FIVE_MINUTES.code;

fn sandbox() -> Sandbox {
    Sandbox::new(Limits::default(), None, Compiling::Here).unwrap()
}

fn moment(now: u64) -> Moment {
    Moment::at(now)
}

fn connected() -> State {
    State {
        phase: Phase::Connected,
        seen: 0,
        memo: vec![],
    }
}

#[test]
fn the_built_in_policy_describes_itself() {
    let policy = sandbox().load(COMPONENT).unwrap();
    assert_eq!(policy.identity().name, "five-minutes");
    assert_eq!(
        policy.identity().sha256,
        hex::encode(Sha256::digest(COMPONENT))
    );
}

#[test]
fn the_built_in_policy_is_compiled_already() {
    let sandbox = sandbox();
    let policy = sandbox.load_embedded(&FIVE_MINUTES).unwrap();
    assert_eq!(policy.code(), &Code::Precompiled);
    assert_eq!(sandbox.compilations(), 0);
    // Nor could it have been: what runs policies has no compiler.
    assert!(sandbox.engine.precompile_component(COMPONENT).is_err());
    sandbox.load(COMPONENT).unwrap();
    assert_eq!(sandbox.compilations(), 1);
}

#[test]
fn the_built_in_policy_is_compiled_already_for_less_memory_but_not_for_more() {
    let built_in = |memory| {
        let limits = Limits {
            memory,
            ..Limits::default()
        };
        Sandbox::new(limits, None, Compiling::Here)
            .unwrap()
            .load_embedded(&FIVE_MINUTES)
            .unwrap()
    };
    assert_eq!(built_in(1 << 20).code(), &Code::Precompiled);
    let more = built_in(65 << 20);
    assert!(matches!(more.code(), Code::Distrusted(why) if why.contains("memory")));
    more.call(&Call::Start, &connected(), &moment(0)).unwrap();
}

#[test]
fn machine_code_that_does_not_fit_is_not_used() {
    let load = |made: &[u8]| {
        let sandbox = sandbox();
        let policy = sandbox
            .load_with(COMPONENT, Source::Library(made), &AtomicBool::new(false))
            .unwrap();
        assert_eq!(sandbox.compilations(), 1);
        let decision = policy.call(&Call::Start, &connected(), &moment(0)).unwrap();
        assert_eq!(decision.actions, [Action::Connect]);
        match policy.code() {
            Code::Distrusted(why) => why.clone(),
            other => panic!("{other:?}"),
        }
    };
    let none = "the library holds no machine code of its built-in policy";
    assert_eq!(load(&[]), none);
    assert_eq!(load(&CODE[..100]), none);
    // A bit somewhere in it.
    let mut altered = CODE.to_vec();
    altered[CODE.len() / 2] ^= 1;
    assert_eq!(load(&altered), none);
    // Made from another component.
    let other = precompiled::make(&wat_component("(component)")).unwrap();
    assert_eq!(load(&other), none);
    // Whole, but no machine code; and that of another wasmtime.
    let sha256 = Sha256::digest(COMPONENT).into();
    let garbage = precompiled::seal(&sha256, b"garbage");
    let why = load(&garbage);
    assert!(why.contains("ELF"), "{why}");
    let version = find(CODE, b"48");
    let mut code = precompiled::of(CODE, &sha256).unwrap().to_vec();
    let at = version - (CODE.len() - code.len());
    code[at] = b'1';
    let why = load(&precompiled::seal(&sha256, &code));
    assert!(why.contains("version"), "{why}");
}

#[test]
fn what_was_compiled_ahead_decides_as_what_is_compiled_now() {
    let sandbox = sandbox();
    let (ahead, now) = (
        sandbox.load_embedded(&FIVE_MINUTES).unwrap(),
        sandbox.load(COMPONENT).unwrap(),
    );
    let mut state = connected();
    let mut calls = vec![Call::Start, Call::OnConnect];
    calls.push(Call::OnDisconnect(Loss::TransportError));
    calls.extend(std::iter::repeat_n(Call::Tick, 200));
    let mut at = 0;
    for call in calls {
        let both = [&ahead, &now].map(|policy| policy.call(&call, &state, &moment(at)).unwrap());
        assert_eq!(both[0], both[1]);
        state = both[0].state.clone();
        at = both[0].wake_at.unwrap_or(at + 1_000);
    }
    assert!(!matches!(state.phase, Phase::Connected));
}

#[test]
fn the_built_in_policy_decides() {
    let policy = sandbox().load(COMPONENT).unwrap();
    let lost = policy
        .call(
            &Call::OnDisconnect(Loss::TransportError),
            &connected(),
            &moment(1_000),
        )
        .unwrap();
    assert_eq!((lost.actions, lost.wake_at), (vec![], Some(3_000)));
    let tried = policy
        .call(&Call::Tick, &lost.state, &moment(3_000))
        .unwrap();
    assert_eq!(tried.actions, [Action::Connect]);
}

#[test]
fn a_component_of_another_contract_is_refused() {
    let bytes = wat_component("(component)");
    let error = sandbox()
        .load(&bytes)
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    assert!(error.starts_with("it does not export"), "{error}");
}

#[test]
fn a_component_with_an_import_is_refused_by_its_name() {
    let bytes = wat_component(r#"(component (import "steal:time/clock" (func)))"#);
    let error = sandbox()
        .load(&bytes)
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    assert_eq!(
        error,
        "it imports steal:time/clock; a policy imports nothing"
    );
}

#[test]
fn too_large_a_file_is_refused_before_it_is_read() {
    let limits = Limits {
        component: 1_000,
        ..Limits::default()
    };
    let error = Sandbox::new(limits, None, Compiling::Here)
        .unwrap()
        .load(COMPONENT)
        .err()
        .unwrap();
    assert!(matches!(error, LoadError::TooLarge { limit: 1_000, .. }));
}

#[test]
fn a_policy_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("policies"));
    let load = |limits| {
        let sandbox = Sandbox::new(limits, Some(cache.clone()), Compiling::Here).unwrap();
        sandbox.load(COMPONENT).unwrap()
    };
    assert_eq!(load(Limits::default()).code(), &Code::Compiled);
    let cached = load(Limits::default());
    assert_eq!(cached.code(), &Code::Cached);
    let decision = cached.call(&Call::Start, &connected(), &moment(0)).unwrap();
    assert_eq!(decision.actions, [Action::Connect]);
    // Code made for other bounds is other code.
    let other = Limits {
        memory: 128 << 20,
        ..Limits::default()
    };
    assert_eq!(load(other).code(), &Code::Compiled);
}

#[test]
fn code_that_was_tampered_with_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().to_path_buf());
    let load = || {
        let sandbox =
            Sandbox::new(Limits::default(), Some(cache.clone()), Compiling::Here).unwrap();
        sandbox.load(COMPONENT).unwrap()
    };
    load();
    let is_code = |path: &std::path::Path| path.extension().is_some_and(|it| it == "cwasm");
    let entry = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| is_code(path))
        .unwrap();
    let mut bytes = std::fs::read(&entry).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&entry, bytes).unwrap();
    let policy = load();
    assert!(matches!(policy.code(), Code::Distrusted(why) if why.contains("altered")));
    policy.call(&Call::Start, &connected(), &moment(0)).unwrap();
    // What was compiled instead has taken its place.
    assert_eq!(load().code(), &Code::Cached);
}

#[test]
fn what_a_call_has_used_is_told() {
    let policy = sandbox().load(COMPONENT).unwrap();
    let (_, used) = policy.measure(&Call::Start, &connected(), &moment(0));
    assert!((100..100_000).contains(&used.fuel), "{used:?}");
    // One page: what is reset before each call.
    assert_eq!(used.memory, 65_536);
}

#[test]
fn a_call_without_fuel_fails_and_the_next_one_works() {
    let mut policy = sandbox().load(COMPONENT).unwrap();
    policy.limits.fuel = 10;
    let error = policy
        .call(&Call::Tick, &connected(), &moment(0))
        .unwrap_err();
    assert_eq!(error, CallError::Fuel(10));
    policy.limits.fuel = Limits::default().fuel;
    policy.call(&Call::Tick, &connected(), &moment(0)).unwrap();
}

#[test]
fn a_call_cannot_grow_beyond_its_memory() {
    let mut policy = sandbox().load(COMPONENT).unwrap();
    let state = State {
        memo: vec![7; 1 << 20],
        ..connected()
    };
    policy.call(&Call::Tick, &state, &moment(0)).unwrap();
    policy.limits.memory = 256 << 10;
    policy.call(&Call::Tick, &state, &moment(0)).unwrap_err();
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    let is_part = |window: &[u8]| window == part;
    bytes.windows(part.len()).position(is_part).unwrap()
}

fn wat_component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}
