// SPDX-License-Identifier: GPL-2.0

//! The C side of [`Driver`]: callbacks and the table of operations.

use super::{AddressList, Device, Driver, LinkStats, Locked, MacAddress, Private, Setup};
use crate::context::Bh;
use crate::errno::from_result;
use crate::features::Features;
use crate::rtnl::Rtnl;
use crate::skb::SkBuff;
use crate::txq::{Queue, TxQueue};
use crate::{ethtool, queue_stats};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use kernel::prelude::*;
use netdev_sys as bindings;

/// Size of the private part of a device.
pub(crate) const fn private_size<D: Driver>() -> usize {
    // The core aligns the private part to a cache line.
    assert!(align_of::<Private<D>>() <= bindings::SMP_CACHE_BYTES as usize);
    size_of::<Private<D>>()
}

/// Drops the driver's data, once.
///
/// # Safety
///
/// `dev` was made for `D`, and no callback runs or will run.
pub(super) unsafe fn destroy<D: Driver>(dev: *mut bindings::net_device) {
    // SAFETY: By the caller's promise.
    let private = unsafe { &mut *bindings::netdev_priv(dev).cast::<Private<D>>() };
    if core::mem::take(&mut private.live) {
        // SAFETY: `live` says that it is there.
        unsafe { private.body.assume_init_drop() };
    }
}

/// Sets a new device up for `D` (`rtnl_link_ops::setup`).
///
/// # Safety
///
/// Called by the core with a fresh device whose private part has room for `Private<D>`.
pub(crate) unsafe extern "C" fn setup<D: Driver>(dev: *mut bindings::net_device) {
    // SAFETY: By the caller's promise; the private part starts as zeros, which says "no data, no peer".
    unsafe {
        bindings::ether_setup(dev);
        (*dev).netdev_ops = &Adapter::<D>::OPS;
        (*dev).ethtool_ops = ethtool::table::<D>();
        (*dev).stat_ops = queue_stats::table::<D>();
        (*dev).priv_destructor = Some(Adapter::<D>::destructor);
        bindings::netdev_needs_free(dev);
        bindings::netdev_request_ops_lock(dev);
    }
    // SAFETY: Nobody else knows the device.
    D::setup(&mut Setup::new(unsafe { &mut *dev }));
}

pub(super) struct Adapter<D: Driver>(PhantomData<D>);

impl<D: Driver> Adapter<D> {
    pub(super) const OPS: bindings::net_device_ops = bindings::net_device_ops {
        ndo_init: Some(Self::init),
        ndo_uninit: Some(Self::uninit),
        ndo_open: Some(Self::open),
        ndo_stop: Some(Self::stop),
        ndo_start_xmit: Some(Self::start_xmit),
        ndo_validate_addr: Some(bindings::eth_validate_addr),
        ndo_set_mac_address: Some(Self::set_mac_address),
        ndo_get_stats64: Some(Self::get_stats),
        ndo_set_rx_mode_async: Some(Self::set_rx_mode),
        ndo_tx_timeout: if D::HAS_TX_TIMEOUT {
            Some(Self::tx_timeout)
        } else {
            None
        },
        ndo_change_mtu: if D::HAS_CHANGE_MTU {
            Some(Self::change_mtu)
        } else {
            None
        },
        ndo_fix_features: if D::HAS_FIX_FEATURES {
            Some(Self::fix_features)
        } else {
            None
        },
        ndo_set_features: if D::HAS_SET_FEATURES {
            Some(Self::set_features)
        } else {
            None
        },
        ndo_features_check: if D::HAS_FEATURES_CHECK {
            Some(Self::features_check)
        } else {
            None
        },
        // SAFETY: A table of optional functions and pointers: all zeros is "none".
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// The core's call of `ndo_init` for a device that was made for `D`.
    unsafe extern "C" fn init(dev: *mut bindings::net_device) -> c_int {
        // SAFETY: `dev` is valid; before anybody can take the locks.
        unsafe { bindings::netdev_lockdep_set_classes(dev) };
        0
    }

    /// # Safety
    ///
    /// The core's call of `ndo_uninit` for a device that was made for `D`.
    unsafe extern "C" fn uninit(dev: *mut bindings::net_device) {
        // SAFETY: The data is alive until the destructor.
        let dev = unsafe { Device::<D>::from_raw(dev) };
        // SAFETY: The core unregisters under RTNL.
        dev.unpair(&unsafe { Rtnl::assume() });
    }

    /// # Safety
    ///
    /// The core's call of `priv_destructor` for a device that was made for `D`.
    unsafe extern "C" fn destructor(dev: *mut bindings::net_device) {
        // SAFETY: The core calls it when all references are gone, or when registration has failed.
        unsafe { destroy::<D>(dev) };
    }

    /// # Safety
    ///
    /// The core's call of `ndo_open` for a device that was made for `D`.
    unsafe extern "C" fn open(dev: *mut bindings::net_device) -> c_int {
        // SAFETY: Registered; called with RTNL and the instance lock.
        unsafe {
            from_result(D::open(
                &mut Locked::assume(Device::from_raw(dev)),
                &Rtnl::assume(),
            ))
        }
    }

    /// # Safety
    ///
    /// The core's call of `ndo_stop` for a device that was made for `D`.
    unsafe extern "C" fn stop(dev: *mut bindings::net_device) -> c_int {
        // SAFETY: Registered; called with RTNL and the instance lock.
        unsafe { D::stop(&mut Locked::assume(Device::from_raw(dev)), &Rtnl::assume()) };
        0
    }

    /// # Safety
    ///
    /// The core's call of `ndo_start_xmit` for a device that was made for `D`.
    unsafe extern "C" fn start_xmit(
        skb: *mut bindings::sk_buff,
        dev: *mut bindings::net_device,
    ) -> bindings::netdev_tx {
        // SAFETY: Registered.
        let device = unsafe { Device::<D>::from_raw(dev) };
        // SAFETY: The packet is given away by the core, which never passes NULL.
        let skb = unsafe { SkBuff::from_raw(NonNull::new_unchecked(skb)) };
        // SAFETY: The core has the lock of a queue, so softirqs are off.
        let bh = unsafe { Bh::assume() };
        let Some(index) = Self::locked_queue(device, skb.queue_mapping(), &bh) else {
            skb.drop_with(crate::skb::Reason::DEV_READY);
            return bindings::netdev_tx::NETDEV_TX_OK;
        };
        let Some(cell) = device.body().tx.get(usize::from(index)) else {
            skb.drop_with(crate::skb::Reason::DEV_READY);
            return bindings::netdev_tx::NETDEV_TX_OK;
        };
        let given = skb.as_ptr();
        // SAFETY: This CPU has the queue's lock, as just seen (devices made here never set `lltx`), so the cell is
        // ours.
        let ret = unsafe {
            let txq = (*dev)._tx.add(usize::from(index));
            let queue = TxQueue::assume(Queue::from_raw(NonNull::new_unchecked(txq)), index);
            D::start_xmit(device, &mut *cell.get(), queue, &bh, skb)
        };
        match ret {
            Ok(()) => bindings::netdev_tx::NETDEV_TX_OK,
            Err(skb) if skb.as_ptr() == given => {
                // The packet stays with the stack.
                let _ = ManuallyDrop::new(skb);
                bindings::netdev_tx::NETDEV_TX_BUSY
            }
            Err(other) => {
                // The one that was given is gone: the stack must not see it again.
                other.drop_with(crate::skb::Reason::DEV_READY);
                bindings::netdev_tx::NETDEV_TX_OK
            }
        }
    }

    /// The queue whose lock this CPU has: `mapping`, unless that was changed after the core had chosen (`skbedit` at a
    /// filter of a queue's own discipline; the core does not look again).
    #[inline(always)]
    fn locked_queue(device: &Device<D>, mapping: u16, _bh: &Bh<'_>) -> Option<u16> {
        let owned = |index: u16| {
            if u32::from(index) >= device.num_tx_queues() {
                return false;
            }
            // SAFETY: The queue exists, as its number shows; softirqs are off, so the CPU stays the same.
            unsafe { bindings::netdev_tx_owned((*device.as_raw())._tx.add(usize::from(index))) }
        };
        if owned(mapping) {
            return Some(mapping);
        }
        Self::search_queue(device, owned)
    }

    #[cold]
    fn search_queue(device: &Device<D>, owned: impl Fn(u16) -> bool) -> Option<u16> {
        (0..device.num_tx_queues() as u16).find(|&index| owned(index))
    }

    /// # Safety
    ///
    /// The core's call of `ndo_set_mac_address` for a device that was made for `D`.
    unsafe extern "C" fn set_mac_address(
        dev: *mut bindings::net_device,
        addr: *mut c_void,
    ) -> c_int {
        // SAFETY: The core passes a sockaddr; RTNL and the instance lock are held.
        let ret = unsafe { bindings::eth_prepare_mac_addr_change(dev, addr) };
        if ret != 0 {
            return ret;
        }
        if D::HAS_CHANGE_ADDRESS {
            // SAFETY: As above; an Ethernet address is the first bytes of a sockaddr's data.
            let address = unsafe {
                (&raw const (*addr.cast::<bindings::sockaddr>()).sa_data)
                    .cast::<MacAddress>()
                    .read_unaligned()
            };
            // SAFETY: Registered; called with RTNL and the instance lock.
            let mut dev = unsafe { Locked::assume(Device::from_raw(dev)) };
            if let Err(e) = D::change_address(&mut dev, address) {
                return e.to_errno();
            }
        }
        // SAFETY: As above.
        unsafe { bindings::eth_commit_mac_addr_change(dev, addr) };
        0
    }

    /// # Safety
    ///
    /// The core's call of `ndo_get_stats64` for a device that was made for `D`.
    unsafe extern "C" fn get_stats(
        dev: *mut bindings::net_device,
        out: *mut bindings::rtnl_link_stats64,
    ) {
        let mut s = LinkStats::default();
        // SAFETY: Registered.
        D::get_stats(unsafe { Device::from_raw(dev) }, &mut s);
        // SAFETY: The core passes a structure to fill, zeroed.
        let out = unsafe { &mut *out };
        out.rx_packets = s.rx_packets;
        out.tx_packets = s.tx_packets;
        out.rx_bytes = s.rx_bytes;
        out.tx_bytes = s.tx_bytes;
        out.rx_dropped = s.rx_dropped;
        out.tx_dropped = s.tx_dropped;
        out.multicast = s.multicast;
        out.rx_errors = s.rx_errors;
        out.rx_length_errors = s.rx_length_errors;
        out.rx_missed_errors = s.rx_missed_errors;
        out.tx_errors = s.tx_errors;
        out.tx_carrier_errors = s.tx_carrier_errors;
        out.tx_aborted_errors = s.tx_aborted_errors;
    }

    /// # Safety
    ///
    /// The core's call of `ndo_set_rx_mode_async` for a device that was made for `D`.
    unsafe extern "C" fn set_rx_mode(
        dev: *mut bindings::net_device,
        uc: *mut bindings::netdev_hw_addr_list,
        mc: *mut bindings::netdev_hw_addr_list,
    ) -> c_int {
        if !D::HAS_SET_RX_MODE {
            return 0;
        }
        // SAFETY: Registered; called with the instance lock. The lists are valid for the call.
        unsafe {
            from_result(D::set_rx_mode(
                &mut Locked::assume(Device::from_raw(dev)),
                AddressList(uc, PhantomData),
                AddressList(mc, PhantomData),
            ))
        }
    }

    /// # Safety
    ///
    /// The core's call of `ndo_tx_timeout` for a device that was made for `D`.
    unsafe extern "C" fn tx_timeout(dev: *mut bindings::net_device, queue: c_uint) {
        // SAFETY: Registered.
        D::tx_timeout(unsafe { Device::from_raw(dev) }, queue);
    }

    /// # Safety
    ///
    /// The core's call of `ndo_change_mtu` for a device that was made for `D`.
    unsafe extern "C" fn change_mtu(dev: *mut bindings::net_device, mtu: c_int) -> c_int {
        // SAFETY: Registered; called with RTNL and the instance lock.
        let r = unsafe {
            D::change_mtu(
                &mut Locked::assume(Device::from_raw(dev)),
                &Rtnl::assume(),
                mtu as u32,
            )
        };
        if r.is_ok() {
            // SAFETY: As above.
            unsafe { bindings::netdev_set_mtu(dev, mtu as u32) };
        }
        from_result(r)
    }

    /// # Safety
    ///
    /// The core's call of `ndo_fix_features` for a device that was made for `D`.
    unsafe extern "C" fn fix_features(
        dev: *mut bindings::net_device,
        features: bindings::netdev_features_t,
    ) -> bindings::netdev_features_t {
        // SAFETY: Registered or being registered, with its data; called with the instance lock.
        let mut dev = unsafe { Locked::assume(Device::from_raw(dev)) };
        D::fix_features(&mut dev, Features(features)).0
    }

    /// # Safety
    ///
    /// The core's call of `ndo_set_features` for a device that was made for `D`.
    unsafe extern "C" fn set_features(
        dev: *mut bindings::net_device,
        features: bindings::netdev_features_t,
    ) -> c_int {
        // SAFETY: As above.
        let mut dev = unsafe { Locked::assume(Device::from_raw(dev)) };
        from_result(D::set_features(&mut dev, Features(features)))
    }

    /// # Safety
    ///
    /// The core's call of `ndo_features_check` for a device that was made for `D`.
    unsafe extern "C" fn features_check(
        skb: *mut bindings::sk_buff,
        dev: *mut bindings::net_device,
        features: bindings::netdev_features_t,
    ) -> bindings::netdev_features_t {
        // SAFETY: The packet is valid, and the caller's.
        let features = unsafe { bindings::vlan_features_check(skb, features) };
        // SAFETY: The packet is lent for the call: nothing drops the value.
        let skb = ManuallyDrop::new(unsafe { SkBuff::from_raw(NonNull::new_unchecked(skb)) });
        // SAFETY: Registered.
        D::features_check(unsafe { Device::from_raw(dev) }, &skb, Features(features)).0
    }
}
