//! What a policy may use.

use std::time::Duration;

/// The bounds of a component, and of each of its calls. The defaults leave room for a policy
/// written in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units of fuel, roughly one per instruction.
    pub fuel: u64,
    /// Bytes of linear memory, all memories together.
    pub memory: usize,
    /// Entries of a table.
    pub table: usize,
    /// Bytes of the stack that compiled code runs on.
    pub stack: usize,
    /// By the clock on the wall: what fuel does not measure, like filling memory, has an end too.
    pub time: Duration,
    /// Bytes of what comes back: state, memo, actions and texts together.
    pub answer: usize,
    /// Bytes of a component's file.
    pub component: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: 50_000_000,
            memory: 64 << 20,
            table: 100_000,
            stack: 512 << 10,
            time: Duration::from_secs(2),
            answer: 1 << 20,
            component: 64 << 20,
        }
    }
}

/// What a call has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Units of fuel.
    pub fuel: u64,
    /// Bytes of linear memory.
    pub memory: usize,
}
