// SPDX-License-Identifier: GPL-2.0

//! What `ethtool` shows and sets (`struct ethtool_ops`).
//!
//! C header: [`include/linux/ethtool.h`](srctree/include/linux/ethtool.h)

use crate::device::{Device, Driver};
use core::marker::PhantomData;
use kernel::prelude::*;
use netdev_sys as bindings;

/// The operations of a driver's devices.
#[vtable]
pub trait Operations: 'static {
    /// The driver.
    type Driver: Driver;

    /// Name of the driver, as `ethtool -i` shows it.
    const NAME: &'static CStr;
}

/// Fills a key for receive hashing: the same for all devices of this boot (`netdev_rss_key_fill`).
pub fn rss_key(key: &mut [u8]) {
    let n = key.len().min(bindings::NETDEV_RSS_KEY_LEN as usize);
    // SAFETY: The slice is valid for writing `n` bytes, no more than the core has.
    unsafe { bindings::netdev_rss_key_fill(key.as_mut_ptr().cast(), n) };
}

/// Link state and driver name only.
pub(crate) const fn table<D: Driver>() -> *const bindings::ethtool_ops {
    &Adapter::<D>::OPS
}

struct Adapter<D: Driver>(PhantomData<D>);

impl<D: Driver> Adapter<D> {
    const OPS: bindings::ethtool_ops = bindings::ethtool_ops {
        get_drvinfo: Some(Self::get_drvinfo),
        get_link: Some(bindings::ethtool_op_get_link),
        get_ts_info: Some(bindings::ethtool_op_get_ts_info),
        // SAFETY: A table of optional functions and integers: all zeros is "none".
        ..unsafe { core::mem::zeroed() }
    };

    unsafe extern "C" fn get_drvinfo(
        _dev: *mut bindings::net_device,
        info: *mut bindings::ethtool_drvinfo,
    ) {
        let name = <D::Ethtool as Operations>::NAME.to_bytes();
        // SAFETY: The core passes a structure to fill.
        let info = unsafe { &mut *info };
        for (to, from) in info.driver.iter_mut().zip(name) {
            *to = *from as _;
        }
    }
}

/// A device of which the driver was seen.
#[allow(dead_code)]
fn _uses<D: Driver>(_: &Device<D>) {}
