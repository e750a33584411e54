// SPDX-License-Identifier: GPL-2.0

//! Statistics of single queues (`struct netdev_stat_ops`).
//!
//! C header: [`include/net/netdev_queues.h`](srctree/include/net/netdev_queues.h)

use crate::device::Driver;
use core::marker::PhantomData;
use netdev_sys as bindings;

/// The statistics of the queues of a driver's devices.
pub trait Operations: 'static {
    /// The driver.
    type Driver: Driver;
}

/// No statistics of single queues.
pub struct None<D>(PhantomData<D>);

impl<D: Driver> Operations for None<D> {
    type Driver = D;
}

pub(crate) const fn table<D: Driver>() -> *const bindings::netdev_stat_ops {
    core::ptr::null()
}
