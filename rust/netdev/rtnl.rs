// SPDX-License-Identifier: GPL-2.0

//! RTNL, and links made over rtnetlink.
//!
//! C headers: [`include/linux/rtnetlink.h`](srctree/include/linux/rtnetlink.h),
//! [`include/net/rtnetlink.h`](srctree/include/net/rtnetlink.h)

mod link;
mod slot;

pub use link::{KillList, Link, NewLink, Registration};
pub use slot::Slot;

use core::marker::PhantomData;
use kernel::types::{NotThreadSafe, Opaque};
use netdev_sys as bindings;

/// Evidence that RTNL is held.
pub struct Rtnl(PhantomData<NotThreadSafe>);

impl Rtnl {
    /// # Safety
    ///
    /// RTNL stays held for as long as the returned value lives.
    #[inline]
    pub(crate) unsafe fn assume() -> Self {
        Rtnl(PhantomData)
    }
}

/// RTNL, taken by process context and given up on drop.
pub struct RtnlGuard(Rtnl);

impl RtnlGuard {
    /// Takes it (`rtnl_lock`). Sleeps.
    pub fn lock() -> Self {
        // SAFETY: Balanced in `drop`.
        unsafe { bindings::rtnl_lock() };
        // SAFETY: Held until this value is dropped.
        RtnlGuard(unsafe { Rtnl::assume() })
    }
}

impl core::ops::Deref for RtnlGuard {
    type Target = Rtnl;
    fn deref(&self) -> &Rtnl {
        &self.0
    }
}

impl Drop for RtnlGuard {
    fn drop(&mut self) {
        // SAFETY: Balances `lock`. Devices that were unregistered meanwhile are freed here.
        unsafe { bindings::rtnl_unlock() };
    }
}

/// A network namespace (`struct net`).
#[repr(transparent)]
pub struct Net(Opaque<bindings::net>);

// SAFETY: Only handed to C functions that synchronise.
unsafe impl Sync for Net {}

impl Net {
    /// # Safety
    ///
    /// The namespace lives for `'a`.
    pub(crate) unsafe fn from_raw<'a>(net: *mut bindings::net) -> &'a Net {
        // SAFETY: By the caller's promise; the type is transparent.
        unsafe { &*net.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
    }

    /// Whether both are the same namespace.
    pub fn is(&self, other: &Net) -> bool {
        // SAFETY: Both are valid.
        unsafe { bindings::net_eq(self.as_raw(), other.as_raw()) }
    }

    /// The number that this namespace has for `other`, given now if there is none (`peernet2id_alloc`); `None` if
    /// there cannot be one. Process context; sleeps.
    pub fn id_of(&self, other: &Net) -> Option<i32> {
        // SAFETY: Both are valid.
        let id = unsafe {
            bindings::peernet2id_alloc(self.as_raw(), other.as_raw(), bindings::GFP_KERNEL)
        };
        (id >= 0).then_some(id)
    }

    /// A number for the user namespace that owns it, to tell owners apart while both exist.
    pub fn owner(&self) -> usize {
        // SAFETY: Valid; the owner of a namespace does not change.
        unsafe { bindings::net_user_ns(self.as_raw()) as usize }
    }
}
