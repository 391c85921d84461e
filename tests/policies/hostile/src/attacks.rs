//! What is done instead of answering.

use crate::mode::Mode;
use crate::{Call, Function};
use alloc::vec::Vec;
use core::hint::black_box;
use core::mem;
use lifeline_contract::types::Phase;

const MIB: usize = 1 << 20;

/// Steps of `burn` that take more than 60 million units of fuel: each takes about 14.
const RARE_STEPS: u64 = 6_000_000;

/// Returns if this is not the mode's call.
pub fn attack(mode: Mode, call: &Call) {
    let saving = matches!(call.before.phase, Phase::Saving(_));
    match mode {
        Mode::BurnsFuel if saving && call.function == Function::Tick => burn(RARE_STEPS),
        Mode::PanicsWhenCutOff if call.cut_off.is_some() => panic!("on purpose"),
        _ if !call.is_in_an_outage() => {}
        Mode::EndlessLoop => burn(u64::MAX),
        Mode::MemoryBomb => take_all_memory(),
        Mode::MemoryFill => fill_for_ever(),
        Mode::MemoryGrow => grow_for_ever(),
        Mode::StackOverflow => {
            black_box(deep(black_box(u64::MAX)));
        }
        Mode::Trap => panic!("on purpose"),
        _ => {}
    }
}

fn burn(steps: u64) {
    for step in 0..steps {
        black_box(step);
    }
}

/// More and more memory, each byte written; refused, it asks for ever.
fn take_all_memory() {
    loop {
        if let Some(mut block) = reserve(MIB) {
            block.resize(MIB, 0xA5);
            mem::forget(black_box(block));
        }
    }
}

/// Few instructions, each of which writes 16 MiB.
fn fill_for_ever() {
    let mut block = reserve(16 * MIB).unwrap_or_default();
    loop {
        block.clear();
        block.resize(block.capacity(), 0x5A);
        black_box(&mut block);
    }
}

/// The most time for its fuel: each refusal is the host's work.
fn grow_for_ever() {
    loop {
        black_box(refused());
    }
}

#[cfg(target_arch = "wasm32")]
fn refused() -> usize {
    core::arch::wasm32::memory_grow(0, 65_535)
}

#[cfg(not(target_arch = "wasm32"))]
fn refused() -> usize {
    usize::MAX
}

fn reserve(bytes: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok()?;
    Some(block)
}

/// Not a loop to any compiler: each level needs what the next one gives.
#[inline(never)]
fn deep(levels: u64) -> u64 {
    if levels == 0 {
        return 1;
    }
    deep(levels - 1).rotate_left(7) ^ levels
}
