// SPDX-License-Identifier: GPL-2.0

//! A spin lock that is only ever taken with softirqs off.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)
//!
//! `kernel::sync::SpinLock` has no `_bh` flavour. Here process context takes the lock with
//! [`SpinLock::lock_bh`]; the packet path, which has softirqs off already and can show it, pays for the plain
//! lock only. Never to be taken in a hard interrupt.

use crate::context::Bh;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use kernel::prelude::*;
use kernel::sync::LockClassKey;
use kernel::types::{NotThreadSafe, Opaque};
use netdev_sys as bindings;

/// Data behind a spin lock.
#[pin_data]
pub struct SpinLock<T> {
    #[pin]
    raw: Opaque<bindings::spinlock_t>,
    data: UnsafeCell<T>,
}

// SAFETY: The lock lets one context at a time reach the data, so it may be shared if the data may be sent.
unsafe impl<T: Send> Sync for SpinLock<T> {}
// SAFETY: It can be sent if the data can.
unsafe impl<T: Send> Send for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// Makes a lock. `name` and `class` are what lockdep knows it by.
    pub fn new(
        data: T,
        name: &'static CStr,
        class: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            raw <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid for writing; name and class live for ever.
                unsafe {
                    bindings::netdev_spin_lock_init(slot, name.as_ptr().cast(), class.as_ptr().cast())
                }
            }),
            data: UnsafeCell::new(data),
        })
    }

    /// Takes the lock. Softirqs are off, as `bh` shows.
    #[inline]
    pub fn lock<'a>(&'a self, _bh: &'a Bh<'_>) -> Guard<'a, T> {
        // SAFETY: Initialised by `new`.
        unsafe { bindings::netdev_spin_lock(self.raw.get()) };
        Guard(self, PhantomData)
    }

    /// Takes the lock and turns softirqs off. Process context.
    #[inline]
    pub fn lock_bh(&self) -> GuardBh<'_, T> {
        // SAFETY: Initialised by `new`.
        unsafe { bindings::netdev_spin_lock_bh(self.raw.get()) };
        // SAFETY: Softirqs stay off until the guard is dropped.
        GuardBh(self, unsafe { Bh::assume() })
    }

    /// The data of a lock that nobody else can reach.
    pub fn get_mut(self: Pin<&mut Self>) -> &mut T
    where
        T: Unpin,
    {
        // SAFETY: Exclusive access; the data is not structurally pinned.
        unsafe { &mut *self.get_unchecked_mut().data.get() }
    }
}

/// The lock is held; see [`SpinLock::lock`].
pub struct Guard<'a, T>(&'a SpinLock<T>, PhantomData<NotThreadSafe>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The lock is held.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: The lock is held.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The lock is held by this guard.
        unsafe { bindings::netdev_spin_unlock(self.0.raw.get()) };
    }
}

/// The lock is held and softirqs are off; see [`SpinLock::lock_bh`].
pub struct GuardBh<'a, T>(&'a SpinLock<T>, Bh<'a>);

impl<T> GuardBh<'_, T> {
    /// Splits into the data and the evidence that softirqs are off.
    #[inline]
    pub fn parts(&mut self) -> (&mut T, &Bh<'_>) {
        // SAFETY: The lock is held.
        (unsafe { &mut *self.0.data.get() }, &self.1)
    }
}

impl<T> Deref for GuardBh<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The lock is held.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for GuardBh<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: The lock is held.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for GuardBh<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The lock is held by this guard.
        unsafe { bindings::netdev_spin_unlock_bh(self.0.raw.get()) };
    }
}
