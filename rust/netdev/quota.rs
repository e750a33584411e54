// SPDX-License-Identifier: GPL-2.0

//! Limits on what a user namespace may take.
//!
//! C header: [`include/linux/user_namespace.h`](srctree/include/linux/user_namespace.h)
//!
//! Who may make devices in a user namespace could make any number. The core's own limits (`ucounts`) are a fixed set,
//! so a driver keeps its own: a [`Charge`] stands for one object, and for memory that hangs on it, and is counted in
//! the namespace that owned the network namespace when it was made, and in all above it: a namespace cannot escape
//! its limit by making others. The initial one has none.

use crate::errno::EDQUOT;
use crate::rtnl::Net;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use kernel::prelude::*;
use netdev_sys as bindings;

/// What each user namespace may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Objects.
    pub objects: u64,
    /// Bytes of memory.
    pub bytes: u64,
}

/// What one user namespace has.
struct Usage {
    // Told apart by address: whoever is counted holds a reference, and what counts nothing is removed.
    ns: *mut bindings::user_namespace,
    objects: u64,
    bytes: u64,
}

/// The table, behind a mutex of the C side's.
struct Table(UnsafeCell<KVec<Usage>>);

// SAFETY: The content is reached with the mutex only.
unsafe impl Sync for Table {}

static TABLE: Table = Table(UnsafeCell::new(KVec::new()));

/// Runs `f` on the table. Process context; sleeps.
fn with_table<R>(f: impl FnOnce(&mut KVec<Usage>) -> R) -> R {
    // SAFETY: Balanced below.
    unsafe { bindings::netdev_quota_lock() };
    // SAFETY: The mutex is held, and `f` has no way to get here again.
    let r = f(unsafe { &mut *TABLE.0.get() });
    // SAFETY: As above. An empty table keeps no memory, so nothing is left when the module goes.
    let table = unsafe { &mut *TABLE.0.get() };
    if table.is_empty() {
        *table = KVec::new();
    }
    // SAFETY: Locked above.
    unsafe { bindings::netdev_quota_unlock() };
    r
}

/// The namespace and those above it that have limits.
fn levels(
    ns: *mut bindings::user_namespace,
) -> impl Iterator<Item = *mut bindings::user_namespace> {
    // SAFETY: The caller's reference keeps it and its parents alive.
    let first = unsafe { bindings::netdev_limited_user_ns(ns) };
    core::iter::successors(NonNull::new(first), |ns| {
        // SAFETY: As above.
        NonNull::new(unsafe { bindings::netdev_user_ns_parent(ns.as_ptr()) })
    })
    .map(NonNull::as_ptr)
}

fn find(table: &mut KVec<Usage>, ns: *mut bindings::user_namespace) -> Option<&mut Usage> {
    table.iter_mut().find(|u| u.ns == ns)
}

/// One object that counts against its user namespace, and its memory. Dropping it gives both back.
pub struct Charge {
    ns: NonNull<bindings::user_namespace>,
    bytes: u64,
}

// SAFETY: A counted reference to an object that any context may hold.
unsafe impl Send for Charge {}

impl Charge {
    /// Counts one object for the owner of a network namespace. Process context; sleeps.
    ///
    /// # Errors
    ///
    /// `EDQUOT` if that one or one above it has its number of objects already, `ENOMEM`.
    pub fn new(net: &Net, limits: &Limits) -> Result<Self> {
        // SAFETY: The network namespace holds a reference to its owner; another is taken.
        let ns = unsafe { bindings::get_user_ns(bindings::net_user_ns(net.as_raw())) };
        let ns = NonNull::new(ns).ok_or(EINVAL)?;
        let counted = with_table(|table| {
            let depth = levels(ns.as_ptr()).fold(0usize, |n, _| n.wrapping_add(1));
            table.reserve(depth, GFP_KERNEL)?;
            if levels(ns.as_ptr())
                .any(|l| find(table, l).is_some_and(|u| u.objects >= limits.objects))
            {
                return Err(EDQUOT());
            }
            for level in levels(ns.as_ptr()) {
                match find(table, level) {
                    Some(u) => u.objects = u.objects.wrapping_add(1),
                    None => {
                        // There is room, reserved above.
                        let _ = table.push_within_capacity(Usage {
                            ns: level,
                            objects: 1,
                            bytes: 0,
                        });
                    }
                }
            }
            Ok(())
        });
        if let Err(e) = counted {
            // SAFETY: Taken above.
            unsafe { bindings::put_user_ns(ns.as_ptr()) };
            return Err(e);
        }
        Ok(Charge { ns, bytes: 0 })
    }

    /// Changes how much memory hangs on the object, in bytes. Process context; sleeps.
    ///
    /// # Errors
    ///
    /// `EDQUOT` if it became more than a namespace may have; nothing has changed then.
    pub fn set_bytes(&mut self, bytes: u64, limits: &Limits) -> Result {
        let (ns, before) = (self.ns.as_ptr(), self.bytes);
        with_table(|table| {
            let more = bytes.saturating_sub(before);
            if more > 0
                && levels(ns).any(|l| {
                    find(table, l).is_some_and(|u| u.bytes.saturating_add(more) > limits.bytes)
                })
            {
                return Err(EDQUOT());
            }
            for level in levels(ns) {
                if let Some(u) = find(table, level) {
                    u.bytes = u.bytes.saturating_sub(before).saturating_add(bytes);
                }
            }
            Ok(())
        })?;
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let (ns, bytes) = (self.ns.as_ptr(), self.bytes);
        with_table(|table| {
            for level in levels(ns) {
                if let Some(u) = find(table, level) {
                    u.objects = u.objects.saturating_sub(1);
                    u.bytes = u.bytes.saturating_sub(bytes);
                }
            }
            let mut i = 0usize;
            while let Some(u) = table.get(i) {
                if u.objects > 0 {
                    i = i.wrapping_add(1);
                } else {
                    let _ = table.remove(i);
                }
            }
        });
        // SAFETY: Taken in `new`.
        unsafe { bindings::put_user_ns(ns) };
    }
}
