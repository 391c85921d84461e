//! Loading a component, and calling it.

use crate::bindings::{CONTRACT, LifelinePre};
use crate::boundary::Boundary;
use crate::budget::Budget;
use crate::cache::Cache;
use crate::compiler::{Code, Compiler, Compiling, Source};
use crate::engine;
use crate::error::{CallError, LoadError};
use crate::functions::Functions;
use crate::text::{one_line, told};
use crate::watchdog::Watchdog;
use crate::{Limits, Usage};
use lifeline_contract::types::{Decision, Moment, State};
use lifeline_contract::{Call, Decide};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use wasmtime::component::{Instance, InstancePre, Linker};
use wasmtime::{Engine, Store, Trap};

/// Where policies are compiled and run.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    compiler: Compiler,
    watchdog: Arc<Watchdog>,
    limits: Limits,
    cache: Option<Cache>,
}

/// Who a loaded policy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As it describes itself.
    pub name: String,
    /// As it describes itself.
    pub version: String,
    /// As it describes itself.
    pub about: String,
    /// Of the component's bytes, lower-case hex.
    pub sha256: String,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({:.12})", self.name, self.version, self.sha256)
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy({})", self.identity)
    }
}

/// A loaded policy: compiled, linked to nothing, ready to be called.
#[derive(Clone)]
pub struct Policy {
    pre: InstancePre<Budget>,
    functions: Functions,
    watchdog: Arc<Watchdog>,
    limits: Limits,
    identity: Identity,
    code: Code,
}

/// A component that a library holds, with its machine code.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// The component.
    pub component: &'static [u8],
    /// What [`crate::precompiled`] has made of it; empty if there is none.
    pub code: &'static [u8],
}

impl Sandbox {
    /// Sets up the engine; about a millisecond. Without a cache every load compiles.
    pub fn new(
        limits: Limits,
        cache: Option<Cache>,
        compiling: Compiling,
    ) -> Result<Self, LoadError> {
        let engine = engine::runner(&limits).map_err(|e| LoadError::Engine(one_line(&e)))?;
        Ok(Sandbox {
            compiler: Compiler::new(engine.clone(), limits, compiling),
            watchdog: Arc::new(Watchdog::start(&engine, limits.time)),
            engine,
            limits,
            cache,
        })
    }

    /// What a policy may use here.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a file of that many bytes can be a policy.
    pub fn check_size(&self, size: u64) -> Result<(), LoadError> {
        let limit = self.limits.component;
        if size > limit as u64 {
            Err(LoadError::TooLarge { size, limit })
        } else {
            Ok(())
        }
    }

    /// How many components were compiled here: the slow part of a load, which needs much memory.
    pub fn compilations(&self) -> u64 {
        self.compiler.compilations()
    }

    /// Reads all of a component, compiles it, and asks it who it is. Takes milliseconds to seconds,
    /// with its size.
    pub fn load(&self, bytes: &[u8]) -> Result<Policy, LoadError> {
        self.load_unless(bytes, &AtomicBool::new(false))
    }

    /// The same; a child that compiles is ended once somebody has given it up.
    pub fn load_unless(&self, bytes: &[u8], given_up: &AtomicBool) -> Result<Policy, LoadError> {
        let source = self.cache.as_ref().map_or(Source::Nowhere, Source::Cache);
        self.load_with(bytes, source, given_up)
    }

    /// One that was compiled already: less than a millisecond. It touches no disk: one that hangs must
    /// not stop the clock.
    pub fn load_embedded(&self, policy: &Embedded) -> Result<Policy, LoadError> {
        let code = Source::Library(policy.code);
        self.load_with(policy.component, code, &AtomicBool::new(false))
    }

    fn load_with(
        &self,
        bytes: &[u8],
        source: Source,
        given_up: &AtomicBool,
    ) -> Result<Policy, LoadError> {
        self.check_size(bytes.len() as u64)?;
        Boundary::read(bytes)?.check()?;
        let sha256: [u8; 32] = Sha256::digest(bytes).into();
        let (component, code) = self.compiler.load(bytes, &sha256, source, given_up)?;
        let pre = Linker::new(&self.engine)
            .instantiate_pre(&component)
            .and_then(LifelinePre::new)
            .map_err(|e| LoadError::Contract(one_line(&e)))?;
        let functions = Functions::find(&component, &format!("cr8:lifeline/policy@{CONTRACT}"))
            .ok_or_else(|| LoadError::Contract("a function is missing".to_owned()))?;
        let mut policy = Policy {
            pre: pre.instance_pre().clone(),
            functions,
            watchdog: Arc::clone(&self.watchdog),
            limits: self.limits,
            identity: Identity {
                name: String::new(),
                version: String::new(),
                about: String::new(),
                sha256: hex::encode(sha256),
            },
            code,
        };
        policy.describe(&pre)?;
        Ok(policy)
    }
}

impl Decide for Policy {
    fn decide(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, String> {
        self.call(call, state, moment)
            .map_err(|error| error.to_string())
    }
}

impl Policy {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where its machine code comes from.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// One call in an instance of its own. `state` is ignored by `start`.
    pub fn call(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, CallError> {
        self.measure(call, state, moment).0
    }

    /// As [`Policy::call`], with what it has used.
    pub fn measure(
        &self,
        call: &Call,
        state: &State,
        moment: &Moment,
    ) -> (Result<Decision, CallError>, Usage) {
        self.run(|store| {
            let instance = self.pre.instantiate(&mut *store)?;
            self.functions.call(&instance, store, call, state, moment)
        })
    }

    /// Also compares the types of all its functions with the contract's, which the calls rely on.
    fn describe(&mut self, pre: &LifelinePre<Budget>) -> Result<(), LoadError> {
        let description = self
            .run(|store| {
                let policy = pre.instantiate(&mut *store)?;
                policy.cr8_lifeline_policy().call_describe(store)
            })
            .0
            .map_err(LoadError::Describe)?;
        self.identity.name = told(&description.name, 64);
        self.identity.version = told(&description.version, 64);
        self.identity.about = told(&description.about, 256);
        Ok(())
    }

    /// In a store of its own, within the limits.
    fn run<T>(
        &self,
        run: impl FnOnce(&mut Store<Budget>) -> wasmtime::Result<T>,
    ) -> (Result<T, CallError>, Usage) {
        let mut store = self.store();
        let outcome = self.watched(&mut store, run);
        let usage = Usage {
            fuel: self.limits.fuel - store.get_fuel().unwrap_or(0).min(self.limits.fuel),
            memory: store.data().used(),
        };
        (outcome, usage)
    }

    /// For one instance.
    pub(crate) fn store(&self) -> Store<Budget> {
        let mut store = Store::new(self.pre.engine(), Budget::new(&self.limits));
        store.limiter(|budget| budget);
        store.set_hostcall_fuel(self.limits.answer);
        store
    }

    pub(crate) fn instantiate(&self, store: &mut Store<Budget>) -> Result<Instance, CallError> {
        self.watched(store, |store| self.pre.instantiate(store))
    }

    /// One call of an instance, within the bounds of a call.
    pub(crate) fn enter(
        &self,
        instance: &Instance,
        store: &mut Store<Budget>,
        call: &Call,
        state: &State,
        moment: &Moment,
    ) -> Result<Decision, CallError> {
        self.watched(store, |store| {
            self.functions.call(instance, store, call, state, moment)
        })
    }

    fn watched<T>(
        &self,
        store: &mut Store<Budget>,
        run: impl FnOnce(&mut Store<Budget>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        store.set_epoch_deadline(Watchdog::DEADLINE);
        let _watched = self.watchdog.call();
        store
            .set_fuel(self.limits.fuel)
            .and_then(|()| run(store))
            .map_err(|error| self.classify(&error))
    }

    fn classify(&self, error: &wasmtime::Error) -> CallError {
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => CallError::Fuel(self.limits.fuel),
            Some(Trap::Interrupt) => CallError::Time(self.limits.time.as_secs_f64()),
            Some(trap) => CallError::Trap(trap.to_string()),
            // The engine has no public type for it.
            None if one_line(error).contains("fuel allocated for hostcalls") => {
                CallError::Answer(self.limits.answer)
            }
            None => CallError::Other(one_line(error)),
        }
    }
}

#[cfg(test)]
mod tests {
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
        Moment {
            now,
            due: None,
            entropy: None,
            settings: None,
            scene: None,
        }
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
            let both =
                [&ahead, &now].map(|policy| policy.call(&call, &state, &moment(at)).unwrap());
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
}
