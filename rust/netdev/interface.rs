// SPDX-License-Identifier: GPL-2.0

//! Devices of any driver.
//!
//! C header: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h)

use crate::rtnl::{Net, Rtnl};
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// A network device, whoever's it is (`struct net_device`).
#[repr(transparent)]
pub struct Interface(Opaque<bindings::net_device>);

// SAFETY: What is read here is written under RTNL, and only read with RTNL or by reads that cannot tear.
unsafe impl Sync for Interface {}

impl Interface {
    /// # Safety
    ///
    /// The device lives for `'a`.
    #[inline]
    pub(crate) unsafe fn from_raw<'a>(dev: *mut bindings::net_device) -> &'a Self {
        // SAFETY: By the caller's promise; the type is transparent.
        unsafe { &*dev.cast() }
    }

    #[inline]
    pub(crate) fn as_raw(&self) -> *mut bindings::net_device {
        self.0.get()
    }

    /// The device of number `ifindex` in a namespace (`__dev_get_by_index`).
    pub fn by_index<'a>(net: &'a Net, ifindex: u32, _rtnl: &'a Rtnl) -> Option<&'a Interface> {
        let ifindex = c_int::try_from(ifindex).ok()?;
        // SAFETY: The namespace is valid, and RTNL keeps the list and what is found.
        let dev = unsafe { bindings::__dev_get_by_index(net.as_raw(), ifindex) };
        // SAFETY: As above: found in the list, it lives as long as RTNL is held.
        (!dev.is_null()).then(|| unsafe { Interface::from_raw(dev) })
    }

    /// All devices of a namespace.
    pub fn all<'a>(net: &'a Net, _rtnl: &'a Rtnl) -> All<'a> {
        All { net, last: None }
    }

    /// Its number.
    #[inline]
    pub fn ifindex(&self) -> u32 {
        // SAFETY: Valid; the number of a device in a namespace does not change while it is there.
        unsafe { (*self.as_raw()).ifindex as u32 }
    }

    /// The namespace it is in, for as long as RTNL keeps it there.
    pub fn net<'a>(&self, _rtnl: &'a Rtnl) -> &'a Net {
        // SAFETY: A device's namespace changes under RTNL only, and lives as long as it has devices.
        unsafe { Net::from_raw(bindings::dev_net(self.as_raw())) }
    }
}

/// The devices of a namespace, kept as they are by RTNL.
pub struct All<'a> {
    net: &'a Net,
    last: Option<&'a Interface>,
}

impl<'a> Iterator for All<'a> {
    type Item = &'a Interface;

    fn next(&mut self) -> Option<&'a Interface> {
        let last = self.last.map_or(core::ptr::null_mut(), Interface::as_raw);
        // SAFETY: The namespace is valid, and RTNL, which is held for `'a`, keeps the list and those in it.
        let dev = unsafe { bindings::netdev_device_after(self.net.as_raw(), last) };
        if dev.is_null() {
            return None;
        }
        // SAFETY: As above.
        self.last = Some(unsafe { Interface::from_raw(dev) });
        self.last
    }
}
