//! What every component needs beside its policy; `policy!` puts it in place.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_size, unreachable};
use core::cell::Cell;
use core::ptr::with_exposed_provenance_mut;
use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

const PAGE_BYTES: usize = 65_536;

unsafe extern "C" {
    /// Where the linker's own data ends.
    static __heap_base: u8;
}

/// A free list that begins with what the linker has left of the memory.
///
/// The host resets all pages of a fresh instance for each call, and that is most of what a call
/// costs: with a heap that begins with a page of its own there would be twice as many.
pub struct Allocator {
    list: FreeListAllocator,
    begun: Cell<bool>,
}

pub type Shared = AssumeSingleThreaded<Allocator>;

pub const fn allocator() -> Shared {
    let allocator = Allocator {
        list: FreeListAllocator::new(),
        begun: Cell::new(false),
    };
    // SAFETY: a component instance has one thread.
    unsafe { AssumeSingleThreaded::new(allocator) }
}

impl Allocator {
    /// Before the first allocation: then the memory is what the linker has asked for.
    fn begin(&self) {
        let align = align_of::<u128>();
        let start = (&raw const __heap_base).addr().next_multiple_of(align);
        let size = (memory_size(0) * PAGE_BYTES).saturating_sub(start);
        if let Ok(rest) = Layout::from_size_align(size, align)
            && size >= align
        {
            // SAFETY: nobody else uses what lies behind the linker's data.
            unsafe { self.list.dealloc(with_exposed_provenance_mut(start), rest) };
        }
    }
}

// SAFETY: the list's own word, for memory that nobody else uses.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !self.begun.replace(true) {
            self.begin();
        }
        // SAFETY: the caller's word.
        unsafe { self.list.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's word.
        unsafe { self.list.dealloc(pointer, layout) }
    }
}

/// What a panic becomes; the host keeps the state and falls back.
pub fn trap() -> ! {
    unreachable()
}
