//! Loading a component, and calling it.

use crate::boundary::Boundary;
use crate::budget::Budget;
use crate::cache::Cache;
use crate::compiler::{Code, Compiler, Compiling, Source};
use crate::contract::Contract;
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

/// So many rules, at most, it may say that it departs from.
const DEPARTURES: usize = 16;

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
    /// The rules from which it says that it departs on purpose.
    pub departs: Vec<String>,
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
        let contract = Boundary::read(bytes)?.check()?;
        let sha256: [u8; 32] = Sha256::digest(bytes).into();
        let (component, code) = self.compiler.load(bytes, &sha256, source, given_up)?;
        let pre = Linker::new(&self.engine)
            .instantiate_pre(&component)
            .map_err(|e| LoadError::Contract(contract, one_line(&e)))?;
        let functions = Functions::find(&component, contract)
            .map_err(|missing| LoadError::Contract(contract, missing))?;
        let mut policy = Policy {
            pre,
            functions,
            watchdog: Arc::clone(&self.watchdog),
            limits: self.limits,
            identity: Identity {
                name: String::new(),
                version: String::new(),
                about: String::new(),
                departs: Vec::new(),
                sha256: hex::encode(sha256),
            },
            code,
        };
        policy.describe()?;
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

    /// The version of the contract that it speaks.
    pub fn contract(&self) -> Contract {
        self.functions.contract()
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
    fn describe(&mut self) -> Result<(), LoadError> {
        let description = self
            .run(|store| {
                let instance = self.pre.instantiate(&mut *store)?;
                self.functions.check(&instance, store)?;
                self.functions.describe(&instance, store)
            })
            .0
            .map_err(LoadError::Describe)?;
        self.identity.name = told(&description.name, 64);
        self.identity.version = told(&description.version, 64);
        self.identity.about = told(&description.about, 256);
        let departs = description.departs.iter().take(DEPARTURES);
        self.identity.departs = departs.map(|rule| told(rule, 64)).collect();
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
mod tests;
