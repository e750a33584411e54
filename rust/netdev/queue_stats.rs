// SPDX-License-Identifier: GPL-2.0

//! Statistics of single queues (`struct netdev_stat_ops`).
//!
//! C header: [`include/net/netdev_queues.h`](srctree/include/net/netdev_queues.h)
//!
//! What each counter means stands in Documentation/netlink/specs/netdev.yaml, under `qstats`. Only what is `Some` is
//! reported, and only what [`Operations::base`] sets is summed up for the device.

use crate::device::{Device, Driver, Locked};
use core::marker::PhantomData;
use kernel::error::VTABLE_DEFAULT_ERROR;
use kernel::prelude::*;
use netdev_sys as bindings;

optional_counters! {
    /// Of a receive queue (`struct netdev_queue_stats_rx`).
    pub struct RxQueueStats -> bindings::netdev_queue_stats_rx {
        /// Frames passed to the stack.
        packets -> packets,
        /// Their bytes.
        bytes -> bytes,
        /// Times no packet or buffer could be allocated.
        alloc_fail -> alloc_fail,
        /// Frames that reached the device and did not leave it for the stack.
        hw_drops -> hw_drops,
        /// Those of them that found no buffer.
        hw_drop_overruns -> hw_drop_overruns,
        /// Frames marked `CHECKSUM_COMPLETE`.
        csum_complete -> csum_complete,
        /// Frames marked `CHECKSUM_UNNECESSARY`.
        csum_unnecessary -> csum_unnecessary,
        /// Frames whose checksum the device did not look at.
        csum_none -> csum_none,
        /// Frames whose checksum was wrong.
        csum_bad -> csum_bad,
        /// Packets that the device made of several frames.
        hw_gro_packets -> hw_gro_packets,
        /// Their bytes.
        hw_gro_bytes -> hw_gro_bytes,
        /// The frames that went into them.
        hw_gro_wire_packets -> hw_gro_wire_packets,
        /// The bytes of those.
        hw_gro_wire_bytes -> hw_gro_wire_bytes,
        /// Frames dropped for a limit of their rate.
        hw_drop_ratelimits -> hw_drop_ratelimits,
    }
}

optional_counters! {
    /// Of a transmit queue (`struct netdev_queue_stats_tx`).
    pub struct TxQueueStats -> bindings::netdev_queue_stats_tx {
        /// Frames sent.
        packets -> packets,
        /// Their bytes.
        bytes -> bytes,
        /// Frames that reached the device and did not leave it for the wire.
        hw_drops -> hw_drops,
        /// Those of them that were malformed.
        hw_drop_errors -> hw_drop_errors,
        /// Frames whose checksum the device did not have to compute.
        csum_none -> csum_none,
        /// Frames whose checksum the device computed.
        needs_csum -> needs_csum,
        /// Packets that the device cut into frames.
        hw_gso_packets -> hw_gso_packets,
        /// Their bytes.
        hw_gso_bytes -> hw_gso_bytes,
        /// The frames that came of them.
        hw_gso_wire_packets -> hw_gso_wire_packets,
        /// The bytes of those.
        hw_gso_wire_bytes -> hw_gso_wire_bytes,
        /// Frames dropped for a limit of their rate.
        hw_drop_ratelimits -> hw_drop_ratelimits,
        /// Times the driver stopped the queue.
        stop -> stop,
        /// Times the driver let it run again.
        wake -> wake,
    }
}

/// The statistics of the queues of a driver's devices. Called with the instance lock.
#[vtable]
pub trait Operations: 'static {
    /// The driver.
    type Driver: Driver;

    /// Those of receive queue `queue`, which is in use.
    fn rx(_dev: &mut Locked<'_, Self::Driver>, _queue: u32, _stats: &mut RxQueueStats) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Those of transmit queue `queue`, which is in use.
    fn tx(_dev: &mut Locked<'_, Self::Driver>, _queue: u32, _stats: &mut TxQueueStats) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// What belongs to no queue in use: together with those it makes the sums of the device, which never go
    /// backwards. 0 says that the sum of the queues is all.
    fn base(_dev: &mut Locked<'_, Self::Driver>, _rx: &mut RxQueueStats, _tx: &mut TxQueueStats) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The table of a driver's operations; NULL if it has none.
pub(crate) const fn table<D: Driver>() -> *const bindings::netdev_stat_ops {
    if D::QueueStats::HAS_BASE || D::QueueStats::HAS_RX || D::QueueStats::HAS_TX {
        &Adapter::<D>::OPS
    } else {
        core::ptr::null()
    }
}

struct Adapter<D: Driver>(PhantomData<D>);

impl<D: Driver> Adapter<D> {
    const OPS: bindings::netdev_stat_ops = bindings::netdev_stat_ops {
        get_queue_stats_rx: if D::QueueStats::HAS_RX {
            Some(Self::rx)
        } else {
            None
        },
        get_queue_stats_tx: if D::QueueStats::HAS_TX {
            Some(Self::tx)
        } else {
            None
        },
        get_base_stats: if D::QueueStats::HAS_BASE {
            Some(Self::base)
        } else {
            None
        },
    };

    /// # Safety
    ///
    /// The core's call of `get_queue_stats_rx` for a device of `D`.
    unsafe extern "C" fn rx(
        dev: *mut bindings::net_device,
        queue: c_int,
        out: *mut bindings::netdev_queue_stats_rx,
    ) {
        let mut s = RxQueueStats::default();
        // SAFETY: Registered; called with the instance lock, which the device asked for.
        let mut dev = unsafe { Locked::assume(Device::from_raw(dev)) };
        D::QueueStats::rx(&mut dev, queue as u32, &mut s);
        // SAFETY: The core passes a structure to fill.
        s.store(unsafe { &mut *out });
    }

    /// # Safety
    ///
    /// The core's call of `get_queue_stats_tx` for a device of `D`.
    unsafe extern "C" fn tx(
        dev: *mut bindings::net_device,
        queue: c_int,
        out: *mut bindings::netdev_queue_stats_tx,
    ) {
        let mut s = TxQueueStats::default();
        // SAFETY: Registered; called with the instance lock, which the device asked for.
        let mut dev = unsafe { Locked::assume(Device::from_raw(dev)) };
        D::QueueStats::tx(&mut dev, queue as u32, &mut s);
        // SAFETY: The core passes a structure to fill.
        s.store(unsafe { &mut *out });
    }

    /// # Safety
    ///
    /// The core's call of `get_base_stats` for a device of `D`.
    unsafe extern "C" fn base(
        dev: *mut bindings::net_device,
        rx_out: *mut bindings::netdev_queue_stats_rx,
        tx_out: *mut bindings::netdev_queue_stats_tx,
    ) {
        let (mut rx, mut tx) = (RxQueueStats::default(), TxQueueStats::default());
        // SAFETY: Registered; called with the instance lock, which the device asked for.
        let mut dev = unsafe { Locked::assume(Device::from_raw(dev)) };
        D::QueueStats::base(&mut dev, &mut rx, &mut tx);
        // SAFETY: The core passes structures to fill.
        unsafe {
            rx.store(&mut *rx_out);
            tx.store(&mut *tx_out);
        }
    }
}
