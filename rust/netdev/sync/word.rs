// SPDX-License-Identifier: GPL-2.0

//! Shared words with the ordering of the kernel's memory model.
//!
//! `kernel::sync::atomic` calls a C function for every operation, about ten instructions each. Ring indices
//! and counters are read and written several times a packet, so their loads and stores are inline here; what
//! needs a locked instruction stays with the kernel's.

use super::barrier::{smp_rmb, smp_wmb};
use core::cell::UnsafeCell;
use kernel::sync::atomic::{ordering, Atomic};

/// A machine word that many read and that whoever owns the right writes.
///
/// The operations are those of the kernel's memory model: `READ_ONCE`, `WRITE_ONCE`, `smp_load_acquire` and
/// `smp_store_release`.
#[repr(transparent)]
pub struct Word<T: Copy>(UnsafeCell<T>);

mod sealed {
    pub trait Primitive: Copy {
        fn wrapping_add_(self, rhs: Self) -> Self;
    }
    impl Primitive for u32 {
        #[inline]
        fn wrapping_add_(self, rhs: Self) -> Self {
            self.wrapping_add(rhs)
        }
    }
    impl Primitive for u64 {
        #[inline]
        fn wrapping_add_(self, rhs: Self) -> Self {
            self.wrapping_add(rhs)
        }
    }
}

// SAFETY: All access goes through volatile accesses of the size of a machine word or less, which do not tear.
unsafe impl<T: sealed::Primitive + Send> Sync for Word<T> {}

impl<T: sealed::Primitive> Word<T> {
    /// Makes a word with this value.
    pub const fn new(v: T) -> Self {
        Word(UnsafeCell::new(v))
    }

    /// `READ_ONCE`.
    #[inline(always)]
    pub fn read(&self) -> T {
        // SAFETY: Valid by construction; a volatile access of a primitive does not tear, and the kernel's memory
        // model defines it when it races with a volatile write.
        unsafe { self.0.get().read_volatile() }
    }

    /// `WRITE_ONCE`.
    #[inline(always)]
    pub fn write(&self, v: T) {
        // SAFETY: As in `read`.
        unsafe { self.0.get().write_volatile(v) }
    }

    /// `smp_load_acquire`.
    #[inline(always)]
    pub fn load_acquire(&self) -> T {
        let v = self.read();
        smp_rmb();
        v
    }

    /// `smp_store_release`.
    #[inline(always)]
    pub fn store_release(&self, v: T) {
        smp_wmb();
        self.write(v);
    }

    /// Adds, for a word with a single writer: a load and a store, no locked instruction.
    ///
    /// With more than one writer at a time counts are lost; nothing worse.
    #[inline(always)]
    pub fn add(&self, n: T) {
        self.write(self.read().wrapping_add_(n));
    }
}

impl<T: sealed::Primitive + Default> Default for Word<T> {
    fn default() -> Self {
        Word::new(T::default())
    }
}

/// A word that several contexts change at once. Every change is a full barrier.
pub struct AtomicWord(Atomic<u64>);

impl AtomicWord {
    /// Makes a word with this value.
    pub const fn new(v: u64) -> Self {
        AtomicWord(Atomic::new(v))
    }

    /// Reads it, unordered (`READ_ONCE`).
    #[inline(always)]
    pub fn read(&self) -> u64 {
        // SAFETY: Points to the word, which lives as long as `self`, is aligned, and initialised. Those who change it
        // at the same time do so by atomic operations on as many bytes; the volatile read of them does not tear.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// Exchanges it. A full barrier before and after.
    #[inline]
    pub fn xchg(&self, v: u64) -> u64 {
        self.0.xchg(v, ordering::Full)
    }

    /// Replaces `old` by `new`; on failure returns what stands there. A full barrier if it succeeds.
    #[inline]
    pub fn cmpxchg(&self, old: u64, new: u64) -> core::result::Result<u64, u64> {
        self.0.cmpxchg(old, new, ordering::Full)
    }

    /// Adds and returns the value before. A full barrier.
    #[inline]
    pub fn fetch_add(&self, n: u64) -> u64 {
        self.0.fetch_add(n, ordering::Full)
    }

    /// Subtracts and returns the value before. A full barrier.
    #[inline]
    pub fn fetch_sub(&self, n: u64) -> u64 {
        self.0.fetch_sub(n, ordering::Full)
    }

    /// Sets bits and returns the value before. A full barrier.
    pub fn fetch_or(&self, bits: u64) -> u64 {
        let mut old = self.read();
        loop {
            match self.cmpxchg(old, old | bits) {
                Ok(v) => return v,
                Err(v) => old = v,
            }
        }
    }
}
