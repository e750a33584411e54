// SPDX-License-Identifier: GPL-2.0

//! An RCU-protected pointer to a counted object.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use crate::context::{synchronize_net, Bh};
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use kernel::sync::Arc;

/// A counted object that is replaced as a whole while readers use it.
///
/// In contrast to [`Rcu`](super::Rcu), what it holds may have anything to drop: the old object is given back to who
/// replaces it, in an [`Old`] that waits for the readers before it lets go.
///
/// # Invariants
///
/// The pointer is that of [`Arc::into_raw`], and its reference is owned.
pub struct RcuArc<T: Send + Sync>(AtomicPtr<T>, PhantomData<Arc<T>>);

impl<T: Send + Sync> RcuArc<T> {
    /// Makes one that holds `object`.
    pub fn new(object: Arc<T>) -> Self {
        // INVARIANT: As made.
        RcuArc(
            AtomicPtr::new(Arc::into_raw(object).cast_mut()),
            PhantomData,
        )
    }

    /// The object of the moment, valid for the read-side critical section that `bh` stands for.
    #[inline]
    pub fn read<'a>(&'a self, _bh: &'a Bh<'_>) -> &'a T {
        // SAFETY: By the type invariant. The reference of a replaced object is given up after a grace period only
        // (`Old`), which `bh` keeps from ending.
        unsafe { &*self.0.load(Ordering::Acquire) }
    }

    /// Replaces the object. Writers are ordered by a lock of the owner's, or one of two changes is lost.
    pub fn replace(&self, object: Arc<T>) -> Old<T> {
        // INVARIANT: As made.
        let old = self
            .0
            .swap(Arc::into_raw(object).cast_mut(), Ordering::AcqRel);
        // SAFETY: By the type invariant; the reference is no longer ours.
        Old(Some(unsafe { Arc::from_raw(old) }))
    }
}

impl<T: Send + Sync> Drop for RcuArc<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Nobody reads any more: a reader borrows the owner.
        drop(unsafe { Arc::from_raw(*self.0.get_mut()) });
    }
}

/// An [`RcuArc`] that may hold nothing.
///
/// The same rules hold. Reading nothing costs one load and one branch.
///
/// # Invariants
///
/// The pointer is NULL, or that of [`Arc::into_raw`], whose reference is owned.
pub struct RcuArcOption<T: Send + Sync>(AtomicPtr<T>, PhantomData<Arc<T>>);

impl<T: Send + Sync> RcuArcOption<T> {
    /// Makes one that holds nothing.
    pub const fn empty() -> Self {
        // INVARIANT: NULL.
        RcuArcOption(AtomicPtr::new(ptr::null_mut()), PhantomData)
    }

    /// The object of the moment, valid for the read-side critical section that `bh` stands for.
    #[inline(always)]
    pub fn read<'a>(&'a self, _bh: &'a Bh<'_>) -> Option<&'a T> {
        // SAFETY: By the type invariant. The reference of a replaced object is given up after a grace period only
        // (`Old`), which `bh` keeps from ending.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Replaces the object. Writers are ordered by a lock of the owner's, or one of two changes is lost.
    pub fn replace(&self, object: Option<Arc<T>>) -> Old<T> {
        let new = object.map_or(ptr::null_mut(), |o| Arc::into_raw(o).cast_mut());
        // INVARIANT: As made.
        let old = self.0.swap(new, Ordering::AcqRel);
        // SAFETY: By the type invariant; the reference is no longer ours.
        Old((!old.is_null()).then(|| unsafe { Arc::from_raw(old) }))
    }
}

impl<T: Send + Sync> Drop for RcuArcOption<T> {
    fn drop(&mut self) {
        let object = *self.0.get_mut();
        if !object.is_null() {
            // SAFETY: By the type invariant. Nobody reads any more: a reader borrows the owner.
            drop(unsafe { Arc::from_raw(object) });
        }
    }
}

/// An object that was replaced, and that readers may still use. Dropping it waits for them (`synchronize_net`); process
/// context, sleeps.
#[must_use = "dropping it sleeps; say where"]
pub struct Old<T: Send + Sync>(Option<Arc<T>>);

impl<T: Send + Sync> Old<T> {
    /// Lets go of all of them, having waited for their readers once. Process context; sleeps.
    pub fn drop_all(all: &mut [Old<T>]) {
        if all.iter().any(|old| old.0.is_some()) {
            // They all have been replaced by now.
            synchronize_net();
        }
        for old in all {
            drop(old.0.take());
        }
    }
}

impl<T: Send + Sync> Drop for Old<T> {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            synchronize_net();
            drop(object);
        }
    }
}
