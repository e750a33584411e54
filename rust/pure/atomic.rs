// SPDX-License-Identifier: GPL-2.0

//! What the lock-free protocols need of memory.
//!
//! The kernel's memory model and Rust's differ, so the protocols are generic over these traits: the
//! kernel implements them with its own primitives (named below), the host with those of a model
//! checker (`tests/loom.rs`).

/// A position of one side of a ring that the other side reads.
pub trait Index {
    /// Reads it; what the writer did before is visible after (`smp_load_acquire()`).
    fn load_acquire(&self) -> u32;

    /// Writes it; what was done before is visible to who reads it (`smp_store_release()`).
    fn store_release(&self, value: u32);
}

/// A set of bits that several contexts change.
pub trait Bits {
    /// Reads them, without order (`READ_ONCE()`).
    fn load(&self) -> u64;

    /// Sets bits and returns what was set before; a full barrier before and after
    /// (`atomic64_fetch_or()`).
    fn fetch_or(&self, bits: u64) -> u64;

    /// Keeps only the given bits and returns what was set before; a full barrier before and after
    /// (`atomic64_fetch_and()`).
    fn fetch_and(&self, bits: u64) -> u64;

    /// A full barrier (`smp_mb()`).
    fn full_barrier();
}
