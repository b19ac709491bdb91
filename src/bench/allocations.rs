//! Counts what a thread allocates: a thin layer over any allocator, for the figures of `market-hub bench` and for tests.
//!
//! It costs two additions to thread-local numbers where something is allocated, which is nowhere on the path of a frame.
#![expect(unsafe_code, reason = "an allocator is unsafe by its nature; this one hands everything on")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

thread_local! {
    static COUNTED: Cell<Allocated> = const { Cell::new(Allocated { times: 0, bytes: 0 }) };
}

/// What this thread has allocated so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// How often memory was asked for.
    pub times: u64,
    /// Bytes that were asked for and not given back; what another thread frees is its own, so it may be below 0.
    pub bytes: i64,
}

impl Allocated {
    /// Of this thread, until now. Stays zero in a process that has no [`Counting`] allocator.
    #[must_use]
    pub fn now() -> Self {
        COUNTED.get()
    }

    /// What has come since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self { times: self.times - earlier.times, bytes: self.bytes - earlier.bytes }
    }
}

fn count(times: u64, bytes: i64) {
    // A thread that ends has none left.
    let _ = COUNTED.try_with(|counted| {
        let Allocated { times: before, bytes: held } = counted.get();
        counted.set(Allocated { times: before + times, bytes: held + bytes });
    });
}

/// An allocator whose calls are counted.
#[derive(Debug)]
pub struct Counting<A>(pub A);

// SAFETY: every call goes to the inner allocator with the caller's own arguments, and counting does not allocate. No layout is larger than `isize::MAX`.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promises are those that this function asks for.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promises are those that this function asks for.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller's promises are those that this function asks for; the pointer came from the same allocator.
        unsafe { self.0.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller's promises are those that this function asks for; the pointer came from the same allocator.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}
