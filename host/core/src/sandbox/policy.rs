//! Loading a component, and calling it.

use super::bindings::contract::{ConnectError, Decision, Loss, Moment, Request, State};
use super::bindings::{Lifeline, LifelinePre};
use super::engine::{self, Budget, Limits};
use sha2::{Digest, Sha256};
use thiserror::Error;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store, Trap};

/// Where policies are compiled and run.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    limits: Limits,
}

/// Why bytes are not a policy.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The engine could not be set up on this machine.
    #[error("the sandbox cannot be set up on this machine: {0}")]
    Engine(String),
    /// Larger than any policy needs to be.
    #[error("the file has {size} bytes; a policy may have {limit}")]
    TooLarge {
        /// Bytes.
        size: usize,
        /// Bytes.
        limit: usize,
    },
    /// Not a component at all.
    #[error("not a WebAssembly component that can be compiled: {0}")]
    Component(String),
    /// It wants something from the outside.
    #[error("it imports {}; a policy imports nothing", .0.join(", "))]
    Imports(Vec<String>),
    /// It does not export the contract.
    #[error("it does not export cr8:lifeline/policy@0.1.0 as wit/policy.wit has it: {0}")]
    Contract(String),
    /// `describe` failed.
    #[error("its describe() failed: {0}")]
    Describe(CallError),
}

/// Why a call gave no decision.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CallError {
    /// It ran for too long.
    #[error("it used up its fuel ({0} units)")]
    Fuel(u64),
    /// It trapped: a panic, a bad memory access, too deep a stack.
    #[error("it trapped: {0}")]
    Trap(String),
    /// Its answer could not be read, or it could not be started.
    #[error("it could not be called: {0}")]
    Other(String),
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

/// One of the contract's functions that decide, with its arguments but for the moment.
#[derive(Clone, Debug)]
pub enum Call {
    /// `start`
    Start,
    /// `on-connect`
    OnConnect,
    /// `on-connect-error`
    OnConnectError(ConnectError),
    /// `on-disconnect`
    OnDisconnect(Loss),
    /// `on-saved`
    OnSaved(Result<(), String>),
    /// `on-request`
    OnRequest(Request),
    /// `tick`
    Tick,
}

impl Call {
    /// The contract's name of the function.
    pub fn name(&self) -> &'static str {
        match self {
            Call::Start => "start",
            Call::OnConnect => "on-connect",
            Call::OnConnectError(_) => "on-connect-error",
            Call::OnDisconnect(_) => "on-disconnect",
            Call::OnSaved(_) => "on-saved",
            Call::OnRequest(_) => "on-request",
            Call::Tick => "tick",
        }
    }
}

/// A loaded policy: compiled, linked to nothing, ready to be called.
#[derive(Clone)]
pub struct Policy {
    pre: LifelinePre<Budget>,
    limits: Limits,
    identity: Identity,
}

impl Sandbox {
    /// Sets up the engine; about a millisecond.
    pub fn new(limits: Limits) -> Result<Self, LoadError> {
        let engine = engine::engine(&limits).map_err(|e| LoadError::Engine(one_line(&e)))?;
        Ok(Sandbox { engine, limits })
    }

    /// Whether a file of that many bytes can be a policy.
    pub fn check_size(&self, size: usize) -> Result<(), LoadError> {
        let limit = self.limits.component;
        if size > limit {
            Err(LoadError::TooLarge { size, limit })
        } else {
            Ok(())
        }
    }

    /// Compiles a component and asks it who it is. Takes milliseconds to seconds, with its size.
    pub fn load(&self, bytes: &[u8]) -> Result<Policy, LoadError> {
        self.check_size(bytes.len())?;
        let component = Component::from_binary(&self.engine, bytes)
            .map_err(|e| LoadError::Component(one_line(&e)))?;
        let imports: Vec<String> = component
            .component_type()
            .imports(&self.engine)
            .map(|(name, _)| name.to_string())
            .collect();
        if !imports.is_empty() {
            return Err(LoadError::Imports(imports));
        }
        let pre = Linker::new(&self.engine)
            .instantiate_pre(&component)
            .and_then(LifelinePre::new)
            .map_err(|e| LoadError::Contract(one_line(&e)))?;
        let identity = Identity {
            name: String::new(),
            version: String::new(),
            about: String::new(),
            sha256: hex::encode(Sha256::digest(bytes)),
        };
        let mut policy = Policy {
            pre,
            limits: self.limits,
            identity,
        };
        let description = policy
            .instance(|policy, store| policy.cr8_lifeline_policy().call_describe(store))
            .map_err(LoadError::Describe)?;
        policy.identity.name = shorten(description.name, 64);
        policy.identity.version = shorten(description.version, 64);
        policy.identity.about = shorten(description.about, 256);
        Ok(policy)
    }
}

impl Policy {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// One call in an instance of its own. `state` is ignored by `start`.
    pub fn call(&self, call: &Call, state: &State, moment: &Moment) -> Result<Decision, CallError> {
        self.instance(|policy, store| {
            let policy = policy.cr8_lifeline_policy();
            match call {
                Call::Start => policy.call_start(store, moment),
                Call::OnConnect => policy.call_on_connect(store, state, moment),
                Call::OnConnectError(why) => {
                    policy.call_on_connect_error(store, state, moment, *why)
                }
                Call::OnDisconnect(why) => policy.call_on_disconnect(store, state, moment, *why),
                Call::OnSaved(outcome) => {
                    let outcome = match outcome {
                        Ok(()) => Ok(()),
                        Err(reason) => Err(reason.as_str()),
                    };
                    policy.call_on_saved(store, state, moment, outcome)
                }
                Call::OnRequest(request) => policy.call_on_request(store, state, moment, *request),
                Call::Tick => policy.call_tick(store, state, moment),
            }
        })
    }

    fn instance<T>(
        &self,
        run: impl FnOnce(&Lifeline, &mut Store<Budget>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let mut store = Store::new(self.pre.engine(), Budget::new(&self.limits));
        store.limiter(|budget| budget);
        store
            .set_fuel(self.limits.fuel)
            .and_then(|()| self.pre.instantiate(&mut store))
            .and_then(|instance| run(&instance, &mut store))
            .map_err(|error| self.classify(&error))
    }

    fn classify(&self, error: &wasmtime::Error) -> CallError {
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => CallError::Fuel(self.limits.fuel),
            Some(trap) => CallError::Trap(trap.to_string()),
            None => CallError::Other(one_line(error)),
        }
    }
}

/// An error with its causes, on one line of bounded length.
fn one_line(error: &wasmtime::Error) -> String {
    let text: Vec<String> = error.chain().map(|cause| cause.to_string()).collect();
    shorten(text.join(": ").replace('\n', " "), 400)
}

fn shorten(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::FIVE_MINUTES;
    use super::super::bindings::contract::{Action, Phase};
    use super::*;

    fn sandbox() -> Sandbox {
        Sandbox::new(Limits::default()).unwrap()
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
        let policy = sandbox().load(FIVE_MINUTES).unwrap();
        assert_eq!(policy.identity().name, "five-minutes");
        assert_eq!(
            policy.identity().sha256,
            hex::encode(Sha256::digest(FIVE_MINUTES))
        );
    }

    #[test]
    fn the_built_in_policy_decides() {
        let policy = sandbox().load(FIVE_MINUTES).unwrap();
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
    fn bytes_that_are_no_component_are_refused() {
        for bytes in [
            &b""[..],
            b"not wasm",
            &FIVE_MINUTES[..1_000],
            b"\0asm\x01\0\0\0",
        ] {
            let error = sandbox()
                .load(bytes)
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default();
            assert!(error.starts_with("not a WebAssembly component"), "{error}");
        }
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
        let error = Sandbox::new(limits)
            .unwrap()
            .load(FIVE_MINUTES)
            .err()
            .unwrap();
        assert!(matches!(error, LoadError::TooLarge { limit: 1_000, .. }));
    }

    #[test]
    fn a_call_without_fuel_fails_and_the_next_one_works() {
        let mut policy = sandbox().load(FIVE_MINUTES).unwrap();
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
        let mut policy = sandbox().load(FIVE_MINUTES).unwrap();
        let state = State {
            memo: vec![7; 1 << 20],
            ..connected()
        };
        policy.call(&Call::Tick, &state, &moment(0)).unwrap();
        policy.limits.memory = 256 << 10;
        policy.call(&Call::Tick, &state, &moment(0)).unwrap_err();
    }

    fn wat_component(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }
}
