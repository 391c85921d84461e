//! How wasmtime is set up inside Blender.

use crate::Limits;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

/// A component may be linked from several core modules.
const MODULES: u32 = 40;
/// Memories of one component.
const MEMORIES: u32 = 4;
/// Calls at once: the driver's, and the trial calls of two policies that are being loaded (by an
/// order, and by the watch), with one to spare.
const AT_ONCE: u32 = 4;

/// What machine code may make use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// All that this machine's can do.
    This,
    /// What every one of this target can do.
    Any,
}

/// An engine that runs components that import nothing, and cannot compile any.
///
/// Signals stay Blender's: without `signals_based_traps(false)` wasmtime would take SIGSEGV and
/// its like away from Blender's crash handler. The pool makes a fresh instance cost microseconds.
///
/// Where the pool's address space is not to be had (a process with an address limit), instances
/// are made on demand.
pub fn runner(limits: &Limits) -> Result<Engine> {
    let run = |strategy| {
        let mut config = config(limits);
        config.enable_compiler(false).allocation_strategy(strategy);
        Engine::new(&config)
    };
    run(InstanceAllocationStrategy::Pooling(pool(limits)))
        .or_else(|_| run(InstanceAllocationStrategy::OnDemand))
}

/// An engine that compiles for [`runner`], and runs nothing.
pub fn compiler(limits: &Limits, processor: Processor) -> Result<Engine> {
    let mut config = config(limits);
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    if processor == Processor::Any {
        // With a target that is named, this machine's processor is not asked.
        config.target(env!("LIFELINE_TARGET"))?;
    }
    Engine::new(&config)
}

/// What machine code depends on.
fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .consume_fuel(true)
        .signals_based_traps(false)
        .memory_reservation(reservation(limits))
        .memory_guard_size(0)
        .max_wasm_stack(limits.stack)
        .epoch_interruption(true);
    config
}

/// Bytes of address space for a memory. With less than the usual memory it stays the same, so that
/// the same machine code will do.
fn reservation(limits: &Limits) -> u64 {
    limits.memory.max(Limits::default().memory) as u64
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash, Hasher};

    fn compatibility(limits: &Limits, processor: Processor) -> u64 {
        let mut hasher = DefaultHasher::new();
        let engine = compiler(limits, processor).unwrap();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn code_for_any_processor_makes_no_use_of_what_this_one_can_do_beyond() {
        let usual = Limits::default();
        let differs =
            compatibility(&usual, Processor::Any) != compatibility(&usual, Processor::This);
        assert_eq!(differs, is_x86_feature_detected!("sse3"));
    }

    #[test]
    fn code_is_the_same_for_all_memories_up_to_the_usual_one() {
        let of = |memory| {
            let limits = Limits {
                memory,
                ..Limits::default()
            };
            compatibility(&limits, Processor::Any)
        };
        let usual = Limits::default().memory;
        assert_eq!(of(1 << 20), of(usual));
        assert_ne!(of(usual + (1 << 20)), of(usual));
    }

    #[test]
    fn what_runs_policies_cannot_compile() {
        let engine = runner(&Limits::default()).unwrap();
        let error = engine.precompile_component(b"\0asm\x0d\0\x01\0");
        assert!(error.is_err());
        let compiling = compiler(&Limits::default(), Processor::This).unwrap();
        compiling
            .precompile_component(b"\0asm\x0d\0\x01\0")
            .unwrap();
    }
}
