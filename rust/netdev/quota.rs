// SPDX-License-Identifier: GPL-2.0

//! Limits on what a user namespace may take.
//!
//! C header: [`include/linux/user_namespace.h`](srctree/include/linux/user_namespace.h)
//!
//! Who may make devices in a user namespace could make any number. The core's own limits (`ucounts`) are a fixed set,
//! so a driver keeps its own: a [`Charge`] stands for one object, and for memory that hangs on it, and is counted in
//! the namespace that owns the network namespace the object is in, and in all above it: a namespace cannot escape its
//! limit by making others. The initial one has none. Whose objects move says so with [`Charge::follow`].

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

/// Counts an object and its memory in a namespace and in all above it, which must have a reference for as long.
///
/// # Errors
///
/// `EDQUOT` if that is more than one of them may have, `ENOMEM`; nothing is counted then.
fn count(
    table: &mut KVec<Usage>,
    ns: *mut bindings::user_namespace,
    bytes: u64,
    limits: &Limits,
) -> Result {
    make_room(table, ns)?;
    let exceeds = |u: &Usage| {
        u.objects >= limits.objects || bytes > 0 && u.bytes.saturating_add(bytes) > limits.bytes
    };
    if levels(ns).any(|l| find(table, l).is_some_and(|u| exceeds(u))) {
        return Err(EDQUOT());
    }
    count_anyway(table, ns, 1, bytes);
    Ok(())
}

/// Makes room in the table for a namespace and all above it.
///
/// # Errors
///
/// `ENOMEM`.
fn make_room(table: &mut KVec<Usage>, ns: *mut bindings::user_namespace) -> Result {
    let depth = levels(ns).fold(0usize, |n, _| n.wrapping_add(1));
    Ok(table.reserve(depth, GFP_KERNEL)?)
}

/// Counts so many objects and their memory without limits, in a table that has room.
fn count_anyway(
    table: &mut KVec<Usage>,
    ns: *mut bindings::user_namespace,
    objects: u64,
    bytes: u64,
) {
    for level in levels(ns) {
        match find(table, level) {
            Some(u) => {
                u.objects = u.objects.wrapping_add(objects);
                u.bytes = u.bytes.saturating_add(bytes);
            }
            None => {
                let usage = Usage {
                    ns: level,
                    objects,
                    bytes,
                };
                let _ = table.push_within_capacity(usage);
            }
        }
    }
}

/// The opposite of [`count`], for so many objects. The table keeps its room.
fn uncount(table: &mut KVec<Usage>, ns: *mut bindings::user_namespace, objects: u64, bytes: u64) {
    for level in levels(ns) {
        if let Some(u) = find(table, level) {
            u.objects = u.objects.saturating_sub(objects);
            u.bytes = u.bytes.saturating_sub(bytes);
        }
    }
    let mut i = 0usize;
    while let Some(u) = table.get(i) {
        if u.objects > 0 || u.bytes > 0 {
            i = i.wrapping_add(1);
        } else {
            let _ = table.remove(i);
        }
    }
}

/// The owner of a network namespace, with a reference.
fn owner_of(net: &Net) -> Result<NonNull<bindings::user_namespace>> {
    // SAFETY: The network namespace holds a reference to its owner; another is taken.
    let ns = unsafe { bindings::get_user_ns(bindings::net_user_ns(net.as_raw())) };
    NonNull::new(ns).ok_or(EINVAL)
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
        let ns = owner_of(net)?;
        if let Err(e) = with_table(|table| count(table, ns.as_ptr(), 0, limits)) {
            // SAFETY: Taken above.
            unsafe { bindings::put_user_ns(ns.as_ptr()) };
            return Err(e);
        }
        Ok(Charge { ns, bytes: 0 })
    }

    /// Lets the object, which is in that network namespace now, count for its owner, with all its memory. Process
    /// context; sleeps.
    ///
    /// # Errors
    ///
    /// `EDQUOT` if that is more than the owner, or a namespace above it, may have, `ENOMEM`. The object counts where it
    /// did then.
    pub fn follow(&mut self, net: &Net, limits: &Limits) -> Result {
        let (from, to, bytes) = (self.ns, owner_of(net)?, self.bytes);
        let moved = with_table(|table| {
            if to == from {
                return Ok(());
            }
            // First, as both may be below the same one.
            uncount(table, from.as_ptr(), 1, bytes);
            count(table, to.as_ptr(), bytes, limits)
                // What has just been taken out has room.
                .inspect_err(|_| count_anyway(table, from.as_ptr(), 1, bytes))
        });
        let left = match moved {
            Ok(()) => core::mem::replace(&mut self.ns, to),
            Err(_) => to,
        };
        // SAFETY: The reference to the one taken here or in `new`, whichever is not kept.
        unsafe { bindings::put_user_ns(left.as_ptr()) };
        moved
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

    /// Whether no more counts where the object does than may. Process context; sleeps.
    ///
    /// # Errors
    ///
    /// `EDQUOT` if it does, of what was counted [`Apart`].
    pub fn check(&self, limits: &Limits) -> Result {
        let ns = self.ns.as_ptr();
        let exceeded = |table: &mut KVec<Usage>| {
            levels(ns).any(|l| find(table, l).is_some_and(|u| u.bytes > limits.bytes))
        };
        match with_table(exceeded) {
            true => Err(EDQUOT()),
            false => Ok(()),
        }
    }

    /// Nothing yet, to be counted where the object is now.
    pub fn apart(&self) -> Apart {
        // SAFETY: Valid; another reference is taken.
        unsafe { bindings::get_user_ns(self.ns.as_ptr()) };
        Apart {
            ns: self.ns,
            bytes: 0,
        }
    }
}

/// Memory that counts against a user namespace for as long as it is there, whatever becomes of the object that it was
/// for, and of the limits. Dropping it gives it back.
pub struct Apart {
    ns: NonNull<bindings::user_namespace>,
    bytes: u64,
}

// SAFETY: As for `Charge`.
unsafe impl Send for Apart {}

impl Apart {
    /// Counts so many bytes more, beyond the limits if need be. Process context; sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, unless something else counts in the namespace, too; nothing has changed then.
    pub(crate) fn add(&mut self, bytes: u64) -> Result {
        let ns = self.ns.as_ptr();
        with_table(|table| {
            if levels(ns).any(|l| find(table, l).is_none()) {
                make_room(table, ns)?;
            }
            count_anyway(table, ns, 0, bytes);
            Ok::<(), Error>(())
        })?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let (ns, bytes) = (self.ns.as_ptr(), self.bytes);
        if bytes > 0 {
            with_table(|table| uncount(table, ns, 0, bytes));
        }
        // SAFETY: Taken in `Charge::apart`.
        unsafe { bindings::put_user_ns(ns) };
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let (ns, bytes) = (self.ns.as_ptr(), self.bytes);
        with_table(|table| uncount(table, ns, 1, bytes));
        // SAFETY: Taken in `new` or `follow`.
        unsafe { bindings::put_user_ns(ns) };
    }
}
