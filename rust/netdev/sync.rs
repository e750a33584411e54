// SPDX-License-Identifier: GPL-2.0

//! Locks and shared words for the packet path.

mod barrier;
mod rcu;
mod rcu_arc;
mod spinlock;
mod word;

pub use barrier::{smp_mb, smp_rmb, smp_wmb};
pub use rcu::{Rcu, RcuOption, Snapshot};
pub use rcu_arc::{Old, RcuArc, RcuArcOption};
pub use spinlock::{Guard, GuardBh, SpinLock};
pub use word::{AtomicWord, Word};

/// A value on cache lines of its own.
#[repr(align(64))]
pub struct CacheAligned<T>(pub T);

impl<T> core::ops::Deref for CacheAligned<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> core::ops::DerefMut for CacheAligned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
