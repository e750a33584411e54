// SPDX-License-Identifier: GPL-2.0

//! An RCU-owned pointer to an immutable snapshot.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use crate::context::Bh;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use kernel::bindings as kernel_bindings;
use kernel::prelude::*;

/// A box whose content is replaced, never changed, while readers use it.
///
/// Readers have softirqs off ([`Bh`]), which is a read-side critical section. A replaced snapshot is freed after
/// a grace period by `kvfree_call_rcu`, without waiting; for that reason it may not have anything to drop.
///
/// Writers of one value are to be ordered by a lock of the owner's, or one of two updates is lost (not leaked).
pub struct Rcu<T: Send + Sync>(AtomicPtr<Node<T>>, PhantomData<T>);

#[repr(C)]
struct Node<T> {
    // First, at offset 0: kvfree_call_rcu() finds the allocation by it.
    head: kernel_bindings::callback_head,
    value: T,
}

/// A snapshot with memory, ready to be published: [`Rcu::publish`] cannot fail.
pub struct Snapshot<T>(KVBox<Node<T>>);

// SAFETY: The head is not in use before the snapshot is published; the value is Send.
unsafe impl<T: Send> Send for Snapshot<T> {}

impl<T> Snapshot<T> {
    /// Allocates one. Process context.
    pub fn new(value: T) -> Result<Self> {
        let () = const { assert!(!core::mem::needs_drop::<T>()) };
        Ok(Snapshot(KVBox::new(
            Node {
                head: kernel_bindings::callback_head::default(),
                value,
            },
            GFP_KERNEL_ACCOUNT,
        )?))
    }

    /// Allocates one and initialises it in place: for snapshots too large for the stack.
    pub fn init(value: impl Init<T>) -> Result<Self> {
        let () = const { assert!(!core::mem::needs_drop::<T>()) };
        Ok(Snapshot(KVBox::init(
            init!(Node {
                head: kernel_bindings::callback_head::default(),
                value <- value,
            }),
            GFP_KERNEL_ACCOUNT,
        )?))
    }

    /// Changes it before it is published.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0.value
    }
}

impl<T> core::ops::Deref for Snapshot<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Send + Sync> Rcu<T> {
    /// Makes one that holds `snapshot`.
    pub fn new(snapshot: Snapshot<T>) -> Self {
        Rcu(AtomicPtr::new(KVBox::into_raw(snapshot.0)), PhantomData)
    }

    /// The snapshot of the moment, valid for the read-side critical section that `bh` stands for.
    #[inline]
    pub fn read<'a>(&'a self, _bh: &'a Bh<'_>) -> &'a T {
        // A dependency orders the load of the pointer before loads through it; `Acquire` is free on x86 and
        // stronger than rcu_dereference() elsewhere.
        let node = self.0.load(Ordering::Acquire);
        // SAFETY: The pointer always holds a published node; a replaced one lives to the end of the grace
        // period, and `bh` keeps that from ending.
        unsafe { &(*node).value }
    }

    /// Replaces the snapshot. The old one is freed after a grace period. Any context that may call
    /// `kvfree_rcu()`.
    pub fn publish(&self, snapshot: Snapshot<T>) {
        let old = self.0.swap(KVBox::into_raw(snapshot.0), Ordering::AcqRel);
        // SAFETY: `old` was published by us and is no longer reachable by new readers; the head is its first
        // member, so its address is that of the allocation. Nothing in it needs to be dropped.
        unsafe { kernel_bindings::kvfree_call_rcu(old.cast(), old.cast()) };
    }

    /// The snapshot, for the one who may publish: it cannot be replaced meanwhile.
    ///
    /// # Safety
    ///
    /// Nobody publishes while the reference lives.
    pub(crate) unsafe fn current(&self) -> &T {
        // SAFETY: By the caller's promise the node stays published.
        unsafe { &(*self.0.load(Ordering::Acquire)).value }
    }

    /// Lets `f` look at the snapshot. Process context.
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        let guard = kernel::sync::rcu::read_lock();
        // SAFETY: The guard keeps the grace period from ending, so the node lives even if it is replaced.
        let r = f(unsafe { self.current() });
        drop(guard);
        r
    }
}

impl<T: Send + Sync> Drop for Rcu<T> {
    fn drop(&mut self) {
        let node = self.0.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: As in `publish`. Readers that began before the owner went may still run.
        unsafe { kernel_bindings::kvfree_call_rcu(node.cast(), node.cast()) };
    }
}

/// An [`Rcu`] that may hold nothing.
///
/// The same rules hold. Reading nothing costs one load and one branch.
pub struct RcuOption<T: Send + Sync>(AtomicPtr<Node<T>>, PhantomData<T>);

impl<T: Send + Sync> RcuOption<T> {
    /// Makes one that holds nothing.
    pub const fn empty() -> Self {
        RcuOption(AtomicPtr::new(ptr::null_mut()), PhantomData)
    }

    /// The snapshot of the moment, valid for the read-side critical section that `bh` stands for.
    #[inline]
    pub fn read<'a>(&'a self, _bh: &'a Bh<'_>) -> Option<&'a T> {
        // As in `Rcu::read`.
        let node = self.0.load(Ordering::Acquire);
        // SAFETY: The pointer holds NULL or a published node; a replaced one lives to the end of the grace period,
        // and `bh` keeps that from ending.
        unsafe { node.as_ref() }.map(|node| &node.value)
    }

    /// Replaces the snapshot. The old one is freed after a grace period. Any context that may call
    /// `kvfree_rcu()`.
    pub fn publish(&self, snapshot: Option<Snapshot<T>>) {
        let new = snapshot.map_or(ptr::null_mut(), |s| KVBox::into_raw(s.0));
        let old = self.0.swap(new, Ordering::AcqRel);
        if !old.is_null() {
            // SAFETY: As in `Rcu::publish`.
            unsafe { kernel_bindings::kvfree_call_rcu(old.cast(), old.cast()) };
        }
    }
}

impl<T: Send + Sync> Drop for RcuOption<T> {
    fn drop(&mut self) {
        self.publish(None);
    }
}
