// SPDX-License-Identifier: GPL-2.0

//! Statistics counters.
//!
//! C header: [`include/linux/u64_stats_sync.h`](srctree/include/linux/u64_stats_sync.h)

use crate::sync::Word;

/// A counter that one context at a time adds to, and that anybody reads.
///
/// What makes the writer the only one is the owner's affair: the lock of a queue, or NAPI. On 64-bit machines a
/// read never sees half a value, so no sequence count is needed (`u64_stats_sync` is empty there as well).
#[repr(transparent)]
pub struct Counter(Word<u64>);

const _: () = assert!(usize::BITS == 64, "counters would need a sequence count");

impl Counter {
    /// Zero.
    pub const fn new() -> Self {
        Counter(Word::new(0))
    }

    /// Adds `n`. The caller is the only writer.
    #[inline(always)]
    pub fn add(&self, n: u64) {
        self.0.add(n);
    }

    /// Adds one. The caller is the only writer.
    #[inline(always)]
    pub fn inc(&self) {
        self.0.add(1);
    }

    /// The value.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        self.0.read()
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}
