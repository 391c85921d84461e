//! What is set about policies: which one decides, who may send another, and what each may use.

use super::path;
use super::table::Values;
use lifeline_core::guard::Bounds;
use lifeline_sandbox::{Cache, Compiling, Limits};
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
    pub(super) fn resolve(values: &Values) -> Self {
        let size = |number: u64, unit: usize| {
            usize::try_from(number)
                .unwrap_or(usize::MAX)
                .saturating_mul(unit)
        };
        PolicySettings {
            file: path(&values.policy),
            pins: values.policy_sha256.clone(),
            push: values.policy_push,
            store: path(&values.policy_store),
            cache: match path(&values.policy_cache) {
                None => Cache::user(),
                Some(path) if path.as_os_str() == OFF => None,
                Some(path) => Some(Cache::new(path)),
            },
            compiling: Compiling::default(),
            limits: Limits {
                fuel: values.policy_fuel,
                memory: size(values.policy_memory, 1 << 20),
                table: size(values.policy_table, 1),
                stack: size(values.policy_stack, 1 << 10),
                time: Duration::from_millis(values.policy_time),
                answer: size(values.policy_answer, 1 << 10),
                component: size(values.policy_size, 1 << 20),
            },
            bounds: Bounds {
                actions: size(values.policy_actions, 1),
                memo: size(values.policy_memo, 1),
            },
        }
    }
}
