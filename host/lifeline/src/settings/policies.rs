//! What is set about policies: which one decides, who may send another, and what each may use.

use super::Value;
use lifeline_core::guard::Bounds;
use lifeline_sandbox::{Cache, Compiling, Limits};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// As `policy_cache`: nothing compiled is kept.
const OFF: &str = "off";

/// The settings about policies.
#[derive(Clone, Debug, Default)]
pub struct PolicySettings {
    /// A component's file, which is watched; None: the built-in one.
    pub file: Option<PathBuf>,
    /// SHA-256 of the only components that are taken, lower-case hex; empty: any.
    pub pins: Vec<String>,
    /// The server may send one.
    pub push: bool,
    /// Where one that the server has sent is kept; None: nowhere.
    pub store: Option<PathBuf>,
    /// Where compiled ones are kept; None: nowhere.
    pub cache: Option<Cache>,
    /// Where others' policies are compiled; nothing that is set: whoever starts Lifeline says it.
    pub compiling: Compiling,
    /// What a call may use.
    pub limits: Limits,
    /// What a decision may hold.
    pub bounds: Bounds,
}

impl PolicySettings {
    pub(super) fn resolve(values: &BTreeMap<&str, Value>) -> Self {
        let number = |name| super::number(values, name);
        let size = |name, unit: usize| {
            usize::try_from(number(name))
                .unwrap_or(usize::MAX)
                .saturating_mul(unit)
        };
        let path = |name| super::path(values, name);
        PolicySettings {
            file: path("policy"),
            pins: super::texts(values, "policy_sha256"),
            push: super::switch(values, "policy_push"),
            store: path("policy_store"),
            cache: match path("policy_cache") {
                None => Cache::user(),
                Some(path) if path.as_os_str() == OFF => None,
                Some(path) => Some(Cache::new(path)),
            },
            compiling: Compiling::default(),
            limits: Limits {
                fuel: number("policy_fuel"),
                memory: size("policy_memory", 1 << 20),
                table: size("policy_table", 1),
                stack: size("policy_stack", 1 << 10),
                time: Duration::from_millis(number("policy_time")),
                answer: size("policy_answer", 1 << 10),
                component: size("policy_size", 1 << 20),
            },
            bounds: Bounds {
                actions: size("policy_actions", 1),
                memo: size("policy_memo", 1),
            },
        }
    }
}
