// SPDX-License-Identifier: GPL-2.0

//! Finding the devices of a kind.

use super::{Link, Net, Rtnl};
use crate::device::Device;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use netdev_sys as bindings;

/// Where a kind of link is known while it is registered ([`Link::slot`]): a `static` of the driver's.
///
/// # Invariants
///
/// Not NULL only from when the kind `L` is registered with this table to when it is unregistered, and cleared before
/// the table is freed.
pub struct Slot<L: Link> {
    ops: AtomicPtr<bindings::rtnl_link_ops>,
    _link: PhantomData<fn(L)>,
}

impl<L: Link> Slot<L> {
    /// No kind.
    #[expect(clippy::new_without_default, reason = "it is made in a static")]
    pub const fn new() -> Self {
        Slot {
            ops: AtomicPtr::new(ptr::null_mut()),
            _link: PhantomData,
        }
    }

    /// # Safety
    ///
    /// As the type invariant says.
    pub(super) unsafe fn set(&self, ops: *mut bindings::rtnl_link_ops) {
        self.ops.store(ops, Ordering::Release);
    }

    /// The device of number `ifindex` in a namespace (`__dev_get_by_index`), if it is one of the kind. It stays
    /// registered for as long as RTNL is held.
    pub fn device<'a>(
        &self,
        net: &Net,
        ifindex: i32,
        _rtnl: &'a Rtnl,
    ) -> Option<&'a Device<L::Driver>> {
        let ops = self.ops.load(Ordering::Acquire);
        // SAFETY: The namespace is valid, and RTNL keeps the list and what is found.
        let dev = unsafe { bindings::__dev_get_by_index(net.as_raw(), ifindex) };
        // SAFETY: As above: found in the list, it lives as long as RTNL is held.
        if dev.is_null() || ops.is_null() || unsafe { (*dev).rtnl_link_ops } != ops {
            return None;
        }
        // SAFETY: The kind was registered with this table when it was read, with RTNL held, and neither registering nor
        // unregistering a device is possible since: it is a device of `L`. In the list, its data is there.
        Some(unsafe { Device::from_raw(dev) })
    }
}
