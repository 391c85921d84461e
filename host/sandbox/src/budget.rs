//! The bounds of a call that wasmtime asks for while it runs.

use crate::Limits;
use wasmtime::ResourceLimiter;

/// Holds a call to its memory, over all its linear memories and tables.
pub(crate) struct Budget {
    memory: usize,
    granted: usize,
    table: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Budget {
            memory: limits.memory,
            granted: 0,
            table: limits.table,
        }
    }

    /// Bytes of linear memory so far.
    pub(crate) fn used(&self) -> usize {
        self.granted
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if more > self.memory - self.granted {
            return Ok(false);
        }
        self.granted += more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.table)
    }
}
