//! The policies: the one that decides, and the built-in one to fall back on.

use crate::reload::SERVER;
use crate::settings::Settings;
use crate::status::{PolicyStatus, Refused};
use crate::{Decide, FIVE_MINUTES};
use lifeline_core::{Origin, Who};
use lifeline_sandbox::{Code, Identity, LoadError, Policy, Sandbox};
use std::fmt::Debug;
use std::sync::Arc;

/// Of a policy that was compiled into the library.
const BUILT_IN: &str = "built-in";

/// Whatever can decide here, and says who it is.
pub(crate) trait Decider: Decide + Debug + Send + Sync {
    /// Who it is.
    fn identity(&self) -> &Identity;
    /// Where its machine code comes from.
    fn code(&self) -> &Code;
}

impl Decider for Policy {
    fn identity(&self) -> &Identity {
        Policy::identity(self)
    }

    fn code(&self) -> &Code {
        Policy::code(self)
    }
}

/// Keeps them. When each is asked is the core's business.
pub(super) struct Deciding {
    sandbox: Sandbox,
    built_in: Arc<dyn Decider>,
    current: Arc<dyn Decider>,
    origin: String,
    last_failure: Option<String>,
    refused: Option<Refused>,
}

impl Deciding {
    pub fn new(settings: &Settings) -> Result<Self, LoadError> {
        let sandbox = Sandbox::new(
            settings.policy.limits,
            settings.policy.cache.clone(),
            settings.policy.compiling.clone(),
        )?;
        let built_in = sandbox.load_embedded(&FIVE_MINUTES)?;
        Ok(Deciding::with(sandbox, Arc::new(built_in)))
    }

    /// What is compiled already.
    pub fn with(sandbox: Sandbox, built_in: Arc<dyn Decider>) -> Self {
        Deciding {
            sandbox,
            current: Arc::clone(&built_in),
            built_in,
            origin: BUILT_IN.into(),
            last_failure: None,
            refused: None,
        }
    }

    pub fn policy(&self, who: Who) -> &dyn Decider {
        match who {
            Who::Current => &*self.current,
            Who::BuiltIn => &*self.built_in,
        }
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Another policy decides from now on, with a clean record.
    pub fn swap(&mut self, policy: Arc<dyn Decider>, origin: String) {
        self.current = policy;
        self.origin = origin;
        self.last_failure = None;
        self.refused = None;
    }

    pub fn back_to_built_in(&mut self) {
        self.swap(Arc::clone(&self.built_in), BUILT_IN.into());
    }

    /// Its answer was dropped: in what, and why.
    pub fn failed(&mut self, reason: String) {
        self.last_failure = Some(reason);
    }

    /// Another policy was not taken. True: the same as the last time.
    pub fn refuse(&mut self, refused: Refused) -> bool {
        let same = self.refused.as_ref().is_some_and(|it| it.is_like(&refused));
        self.refused = Some(refused);
        same
    }

    /// What was not taken last is not there any more.
    pub fn mended(&mut self) {
        self.refused = None;
    }

    /// Whether this is the one that decides, from there.
    pub fn decides(&self, identity: &Identity, origin: &str) -> bool {
        self.current.identity() == identity && self.origin == origin
    }

    /// For people: `built-in`, a path, `bytes`, or `server`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The same, as far as it decides anything.
    pub fn kind(&self) -> Origin {
        match self.origin.as_str() {
            BUILT_IN => Origin::BuiltIn,
            SERVER => Origin::Server,
            _ => Origin::Other,
        }
    }

    pub fn identity(&self) -> &Identity {
        self.current.identity()
    }

    /// `failures`: how often it has failed, and whether it is not asked any more.
    pub fn status(&self, (failures, disabled): (u32, bool)) -> PolicyStatus {
        let identity = self.current.identity();
        PolicyStatus {
            name: identity.name.clone(),
            version: identity.version.clone(),
            about: identity.about.clone(),
            sha256: identity.sha256.clone(),
            origin: self.origin.clone(),
            failures,
            set_aside: disabled,
            last_failure: self.last_failure.clone(),
            refused: self.refused.clone(),
        }
    }
}
