//! How wasmtime is set up inside Blender.

use super::limits::Limits;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, ResourceLimiter,
};

/// A component may be linked from several core modules.
const MODULES: u32 = 40;
/// Memories of one component.
const MEMORIES: u32 = 4;
/// Calls at once: the driver's, and the trial calls of two policies that are being loaded (by an
/// order, and by the watch), with one to spare.
const AT_ONCE: u32 = 4;

/// An engine for components that import nothing.
///
/// Signals stay Blender's: without `signals_based_traps(false)` wasmtime would take SIGSEGV and
/// its like away from Blender's crash handler. The pool makes a fresh instance cost microseconds.
///
/// Where the pool's address space is not to be had (a process with an address limit), instances
/// are made on demand.
pub(super) fn engine(limits: &Limits) -> wasmtime::Result<Engine> {
    let pooling = InstanceAllocationStrategy::Pooling(pool(limits));
    engine_with(limits, pooling)
        .or_else(|_| engine_with(limits, InstanceAllocationStrategy::OnDemand))
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(AT_ONCE)
        .total_core_instances(AT_ONCE * MODULES)
        .max_core_instances_per_component(MODULES)
        .total_memories(AT_ONCE * MEMORIES)
        .max_memories_per_component(MEMORIES)
        .total_tables(AT_ONCE * MODULES)
        .max_tables_per_component(MODULES)
        .table_elements(limits.table)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .max_memory_size(limits.memory)
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(16 << 10);
    pool
}

fn engine_with(limits: &Limits, strategy: InstanceAllocationStrategy) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .consume_fuel(true)
        .signals_based_traps(false)
        .memory_reservation(limits.memory as u64)
        .memory_guard_size(0)
        .max_wasm_stack(limits.stack)
        .epoch_interruption(true)
        .allocation_strategy(strategy);
    Engine::new(&config)
}

/// Holds a call to its memory, over all its linear memories and tables.
pub(super) struct Budget {
    memory: usize,
    granted: usize,
    table: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Budget {
            memory: limits.memory,
            granted: 0,
            table: limits.table,
        }
    }

    /// Bytes of linear memory so far.
    pub(super) fn used(&self) -> usize {
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
