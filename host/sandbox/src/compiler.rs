//! Machine code for components: made when the library was built, kept by an earlier process, or
//! compiled now: in a child process, since nobody knows how much of anything it takes.
//!
//! Components run in an engine that cannot compile. Only the library's own policy, and what a
//! simulation is given, is compiled in this process.

use crate::cache::Cache;
use crate::child::Child;
use crate::engine::{self, Processor};
use crate::error::LoadError;
use crate::text::one_line;
use crate::{Limits, precompiled};
use sha2::{Digest, Sha256};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Where a policy's machine code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// Compiled now.
    Compiled,
    /// Compiled when the library was built.
    Precompiled,
    /// Compiled by an earlier process of this user.
    Cached,
    /// Compiled now, since what was found in the library or in the cache does not fit, or was not
    /// to be trusted: why.
    Distrusted(String),
}

/// Where machine code may be, so that nothing has to be compiled.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Nowhere.
    Nowhere,
    /// In the user's cache.
    Cache(&'a Cache),
    /// In this library.
    Library(&'a [u8]),
}

/// Where components are compiled that others have written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiling {
    /// Nowhere, and why: only machine code that is there already can be loaded.
    Nowhere(&'static str),
    /// In a child process.
    Child(Child),
    /// In this process, which must be able to bear whatever it takes.
    Here,
}

impl Default for Compiling {
    fn default() -> Self {
        Compiling::Nowhere("no program was named")
    }
}

/// Loads components into an engine. Clones share the count.
#[derive(Clone)]
pub(crate) struct Compiler {
    runner: Engine,
    limits: Limits,
    compiling: Compiling,
    compilations: Arc<AtomicU64>,
}

impl Compiler {
    pub fn new(runner: Engine, limits: Limits, compiling: Compiling) -> Self {
        Compiler {
            runner,
            limits,
            compiling,
            compilations: Arc::default(),
        }
    }

    /// How often it has compiled.
    pub fn compilations(&self) -> u64 {
        self.compilations.load(Ordering::Relaxed)
    }

    /// `bytes`: the component, `sha256`: its digest.
    pub fn load(
        &self,
        bytes: &[u8],
        sha256: &[u8; 32],
        source: Source,
        given_up: &AtomicBool,
    ) -> Result<(Component, Code), LoadError> {
        match source {
            Source::Nowhere => Ok((self.compile(bytes, sha256, given_up)?.1, Code::Compiled)),
            Source::Cache(cache) => self.load_cached(bytes, sha256, cache, given_up),
            Source::Library(made) => match self.precompiled(made, sha256) {
                Ok(component) => Ok((component, Code::Precompiled)),
                Err(why) => Ok((self.compile_here(bytes)?.1, Code::Distrusted(why))),
            },
        }
    }

    /// Or why not.
    fn precompiled(&self, made: &[u8], sha256: &[u8; 32]) -> Result<Component, String> {
        let code = precompiled::of(made, sha256)
            .ok_or("the library holds no machine code of its built-in policy")?;
        // SAFETY: these bytes are part of this library, put there when it was built, from what
        // wasmtime had compiled right before; no file is read. Whoever can alter them can alter the
        // code around them as well. That they belong to this component has been checked by their
        // digest; that they suit this wasmtime, its settings and this processor, wasmtime checks.
        unsafe { Component::deserialize(&self.runner, code) }.map_err(|error| one_line(&error))
    }

    fn load_cached(
        &self,
        bytes: &[u8],
        sha256: &[u8; 32],
        cache: &Cache,
        given_up: &AtomicBool,
    ) -> Result<(Component, Code), LoadError> {
        let name = name(&self.engine()?, sha256);
        let code = match cache.get(&name) {
            Ok(None) => Code::Compiled,
            Err(error) => Code::Distrusted(error.to_string()),
            Ok(Some(found)) => {
                // SAFETY: the cache vouches that this user's Lifeline has written these very bytes
                // under this name, which holds the engine's version and settings.
                match unsafe { Component::deserialize(&self.runner, found) } {
                    Ok(component) => return Ok((component, Code::Cached)),
                    // As of another processor, in a home that two machines share.
                    Err(_) => Code::Compiled,
                }
            }
        };
        let (compiled, component) = self.compile(bytes, sha256, given_up)?;
        // A full disk only costs the next start its time.
        let _ = cache.put(&name, &compiled);
        Ok((component, code))
    }

    /// What others have written.
    fn compile(
        &self,
        bytes: &[u8],
        sha256: &[u8; 32],
        given_up: &AtomicBool,
    ) -> Result<(Vec<u8>, Component), LoadError> {
        match &self.compiling {
            Compiling::Here => self.compile_here(bytes),
            Compiling::Nowhere(why) => Err(LoadError::NoCompiler((*why).to_string())),
            Compiling::Child(child) => {
                self.compilations.fetch_add(1, Ordering::Relaxed);
                let code = child.compile(&self.limits, bytes, sha256, given_up)?;
                self.take(code)
            }
        }
    }

    fn compile_here(&self, bytes: &[u8]) -> Result<(Vec<u8>, Component), LoadError> {
        self.compilations.fetch_add(1, Ordering::Relaxed);
        let code = self.engine()?.precompile_component(bytes);
        self.take(code.map_err(|error| LoadError::Compile(one_line(&error)))?)
    }

    fn take(&self, code: Vec<u8>) -> Result<(Vec<u8>, Component), LoadError> {
        // SAFETY: wasmtime has just made them, here or in a child that runs this very code.
        let component = unsafe { Component::deserialize(&self.runner, &code) }
            .map_err(|error| LoadError::Compile(one_line(&error)))?;
        Ok((code, component))
    }

    /// One that compiles.
    fn engine(&self) -> Result<Engine, LoadError> {
        engine::compiler(&self.limits, Processor::This)
            .map_err(|error| LoadError::Engine(one_line(&error)))
    }
}

/// Of a component's content and of all that its machine code depends on.
fn name(engine: &Engine, sha256: &[u8; 32]) -> String {
    struct Digest256(Sha256);
    impl Hasher for Digest256 {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0 // the whole digest is taken instead
        }
    }
    let mut digest = Digest256(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.write(sha256);
    hex::encode(digest.0.finalize())
}
