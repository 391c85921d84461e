//! What every component needs beside its policy; `policy!` puts it in place.

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

pub type Allocator = AssumeSingleThreaded<FreeListAllocator>;

pub const fn allocator() -> Allocator {
    // SAFETY: a component instance has one thread.
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) }
}

/// What a panic becomes; the host keeps the state and falls back.
pub fn trap() -> ! {
    core::arch::wasm32::unreachable()
}
