// SPDX-License-Identifier: GPL-2.0

//! The kernel, as far as files of the module take something from it that a model checker runs: loom's atomics for
//! memory, and the rest as simple as can be.
//!
//! A test declares the file it is about with `#[path]`, calls its own crate `kernel` and `netdev`, and takes from here
//! what stands under these names. How strong memory is can be chosen for each model: one that holds proves nothing by
//! itself, so each has mutants, the same with an ordering, a barrier or a step taken away, which must fail.

#![allow(dead_code, unused_imports, unused_macros)]

use std::cell::Cell;

/// How strong the memory is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// As the kernel's.
    Strong,
    /// Loads do not order.
    RelaxedLoad,
    /// Stores do not order.
    RelaxedStore,
    /// Changes of atomic words do not order, and there are no barriers.
    RelaxedChange,
}

thread_local! {
    // A model and its threads run on one thread of the system.
    static STRENGTH: Cell<Strength> = const { Cell::new(Strength::Strong) };
}

/// Runs a model with memory of this strength.
pub fn check(strength: Strength, model: impl Fn() + Send + Sync + 'static) {
    STRENGTH.set(strength);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(model);
}

pub mod prelude {
    pub type Result<T = (), E = Error> = core::result::Result<T, E>;

    #[derive(Debug)]
    pub struct Error;

    pub const EINVAL: Error = Error;

    #[derive(Clone, Copy)]
    pub struct Flags;
    pub const GFP_KERNEL_ACCOUNT: Flags = Flags;

    /// A vector whose memory is asked for in so many words.
    pub struct KVVec<T>(Vec<T>);
    pub type KVec<T> = KVVec<T>;

    impl<T> KVVec<T> {
        pub fn with_capacity(capacity: usize, _: Flags) -> Result<Self> {
            Ok(KVVec(Vec::with_capacity(capacity)))
        }

        pub fn push(&mut self, value: T, _: Flags) -> Result {
            self.0.push(value);
            Ok(())
        }
    }

    impl<T> core::ops::Deref for KVVec<T> {
        type Target = [T];
        fn deref(&self) -> &[T] {
            &self.0
        }
    }
}

pub mod sync {
    use super::prelude::{Flags, Result};
    use super::{Strength, STRENGTH};
    use core::ffi::CStr;
    use core::marker::PhantomData;
    use loom::sync::atomic::{fence, AtomicU64, Ordering};

    macro_rules! static_lock_class {
        () => {
            ()
        };
    }
    pub(crate) use static_lock_class;

    pub struct Arc<T>(loom::sync::Arc<T>);

    impl<T> Arc<T> {
        pub fn new(value: T, _: Flags) -> Result<Self> {
            Ok(Arc(loom::sync::Arc::new(value)))
        }

        pub fn pin_init(value: T, flags: Flags) -> Result<Self> {
            Self::new(value, flags)
        }
    }

    impl<T> Clone for Arc<T> {
        fn clone(&self) -> Self {
            Arc(self.0.clone())
        }
    }

    impl<T> core::ops::Deref for Arc<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }

    pub struct CacheAligned<T>(pub T);

    impl<T> core::ops::Deref for CacheAligned<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }

    /// A lock that no two threads of a model want at once.
    pub struct SpinLock<T>(std::sync::Mutex<T>);

    impl<T> SpinLock<T> {
        pub fn new(value: T, _: &CStr, (): ()) -> Self {
            SpinLock(std::sync::Mutex::new(value))
        }

        pub fn lock_bh(&self) -> std::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    fn strength() -> Strength {
        STRENGTH.get()
    }

    /// A full barrier.
    pub fn smp_mb() {
        if strength() != Strength::RelaxedChange {
            fence(Ordering::SeqCst);
        }
    }

    /// A word that many read and one writes.
    pub struct Word<T>(AtomicU64, PhantomData<T>);

    /// What a word may hold.
    pub trait Primitive: Copy {
        fn widen(self) -> u64;
        fn narrow(bits: u64) -> Self;
    }

    impl Primitive for u32 {
        fn widen(self) -> u64 {
            self.into()
        }
        fn narrow(bits: u64) -> Self {
            bits as u32
        }
    }

    impl Primitive for u64 {
        fn widen(self) -> u64 {
            self
        }
        fn narrow(bits: u64) -> Self {
            bits
        }
    }

    impl<T: Primitive> Word<T> {
        pub fn new(value: T) -> Self {
            Word(AtomicU64::new(value.widen()), PhantomData)
        }

        pub fn read(&self) -> T {
            T::narrow(self.0.load(Ordering::Relaxed))
        }

        pub fn write(&self, value: T) {
            self.0.store(value.widen(), Ordering::Relaxed);
        }

        pub fn add(&self, n: T) {
            self.write(T::narrow(self.read().widen().wrapping_add(n.widen())));
        }

        pub fn load_acquire(&self) -> T {
            let weak = strength() == Strength::RelaxedLoad;
            let order = if weak {
                Ordering::Relaxed
            } else {
                Ordering::Acquire
            };
            T::narrow(self.0.load(order))
        }

        pub fn store_release(&self, value: T) {
            let weak = strength() == Strength::RelaxedStore;
            let order = if weak {
                Ordering::Relaxed
            } else {
                Ordering::Release
            };
            self.0.store(value.widen(), order);
        }
    }

    /// A word that several contexts change at once. Every change is a full barrier; one that fails is none.
    pub struct AtomicWord(AtomicU64);

    impl AtomicWord {
        pub fn new(value: u64) -> Self {
            AtomicWord(AtomicU64::new(value))
        }

        fn order() -> Ordering {
            if strength() == Strength::RelaxedChange {
                Ordering::Relaxed
            } else {
                Ordering::AcqRel
            }
        }

        pub fn read(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        pub fn xchg(&self, value: u64) -> u64 {
            smp_mb();
            let old = self.0.swap(value, Self::order());
            smp_mb();
            old
        }

        pub fn cmpxchg(&self, old: u64, new: u64) -> core::result::Result<u64, u64> {
            smp_mb();
            let found = self
                .0
                .compare_exchange(old, new, Self::order(), Ordering::Relaxed);
            if found.is_ok() {
                smp_mb();
            }
            found
        }

        pub fn fetch_or(&self, bits: u64) -> u64 {
            smp_mb();
            let old = self.0.fetch_or(bits, Self::order());
            smp_mb();
            old
        }
    }
}
