// SPDX-License-Identifier: GPL-2.0

//! The C side: the operations table, and the callbacks in it.
//!
//! Every callback is called by the core with a registered device that was made for `D`, whose data is alive, and
//! with its instance lock held (the device asked for it, so all of ethtool takes it: `netdev_lock_ops()` in
//! net/ethtool/ioctl.c and netlink.c). The `SAFETY` comments below call this *the contract*.
//!
//! But for one: when a device goes, `netdev_rss_contexts_free()` has its contexts removed with RTNL and without that
//! lock. The device has been marked as going under the lock, which all others who take it look at before they call
//! anything; so nobody else has a [`Locked`] of it then either.

use super::rss::fill_context;
use super::stats::{write_names, Report};
use super::{
    Channels, Coalesce, EthCtrlStats, EthMacStats, FlowRule, FlowType, HashFields, Operations,
    Pause, PauseStats, RingParams, RmonRanges, RmonStats, RssReply, RssRequest, RuleLocations,
    TestResults,
};
use crate::device::{Device, Driver, Locked};
use crate::errno::{from_result, EOPNOTSUPP};
use crate::netlink::ExtAck;
use crate::rtnl::Rtnl;
use crate::sync::Word;
use core::marker::PhantomData;
use core::slice;
use kernel::prelude::*;
use netdev_sys as bindings;

/// The table of a driver's operations.
pub(crate) const fn table<D: Driver>() -> *const bindings::ethtool_ops {
    &Adapter::<D>::OPS
}

/// The sizes that the core was last told. It makes room for as much and then calls back for the content, under the
/// same hold of the instance lock, without always saying how much room there is.
pub(crate) struct Promised {
    /// Names of statistics.
    strings: Word<u32>,
    /// Entries of the indirection table.
    table: Word<u32>,
    /// Bytes of the key.
    key: Word<u32>,
}

struct Adapter<D: Driver>(PhantomData<D>);

/// `Some(callback)` if the driver has the operation.
macro_rules! if_has {
    ($has:ident, $callback:ident) => {
        if <D::Ethtool as Operations>::$has {
            Some(Self::$callback)
        } else {
            None
        }
    };
}

impl<D: Driver> Adapter<D> {
    /// What `ethtool_check_ops()` would complain about at run time is an error at build time.
    const CHECKED: () = {
        assert!(
            !<D::Ethtool as Operations>::HAS_SET_COALESCE
                || <D::Ethtool as Operations>::COALESCE.0 != 0,
            "set_coalesce without parameters to set"
        );
        assert!(
            <D::Ethtool as Operations>::TRANSFORMS.0 == 0
                || <D::Ethtool as Operations>::HAS_GET_RXFH_FIELDS,
            "transformations without get_rxfh_fields"
        );
        assert!(
            !<D::Ethtool as Operations>::HAS_SELF_TEST
                || !<D::Ethtool as Operations>::SELF_TESTS.is_empty(),
            "self_test without names"
        );
        assert!(
            <D::Ethtool as Operations>::CONTEXTS.max != 1,
            "number 0 is not that of a context"
        );
        assert!(
            (<D::Ethtool as Operations>::CONTEXTS.max != 0) == Self::HAS_CONTEXTS
                && <D::Ethtool as Operations>::HAS_CREATE_RXFH_CONTEXT
                    == <D::Ethtool as Operations>::HAS_MODIFY_RXFH_CONTEXT
                && <D::Ethtool as Operations>::HAS_CREATE_RXFH_CONTEXT
                    == <D::Ethtool as Operations>::HAS_REMOVE_RXFH_CONTEXT,
            "RSS contexts need a number and all operations"
        );
        assert!(
            !Self::HAS_CONTEXTS
                || <D::Ethtool as Operations>::CONTEXTS.table_max != 0
                    && <D::Ethtool as Operations>::CONTEXTS.key_max != 0,
            "RSS contexts need bounds of their tables and keys"
        );
        assert!(
            (<D::Ethtool as Operations>::RULES != 0) == Self::HAS_RULES
                && <D::Ethtool as Operations>::RULES < bindings::RX_CLS_LOC_SPECIAL
                && <D::Ethtool as Operations>::HAS_INSERT_RULE
                    == <D::Ethtool as Operations>::HAS_DELETE_RULE
                && <D::Ethtool as Operations>::HAS_INSERT_RULE
                    == <D::Ethtool as Operations>::HAS_GET_RULES
                && <D::Ethtool as Operations>::HAS_INSERT_RULE
                    == <D::Ethtool as Operations>::HAS_GET_RULE
                && <D::Ethtool as Operations>::HAS_INSERT_RULE
                    == <D::Ethtool as Operations>::HAS_GET_RULE_COUNT,
            "n-tuple rules need a number and all operations"
        );
    };

    const HAS_CONTEXTS: bool = <D::Ethtool as Operations>::HAS_CREATE_RXFH_CONTEXT;
    const HAS_RULES: bool = <D::Ethtool as Operations>::HAS_INSERT_RULE;

    /// The second byte of the flags of the table: bit 0 is `cap_link_lanes_supported`, then follow
    /// `rxfh_per_ctx_fields` and `rxfh_per_ctx_key`, which the core wants alike, and `cap_rss_rxnfc_adds`.
    const CAPABILITIES: u8 = {
        let contexts = if Self::HAS_CONTEXTS { 0b0110 } else { 0 };
        let rules = if Self::HAS_RULES { 0b1000 } else { 0 };
        contexts | rules
    };

    const RANGES: &'static RmonRanges = &<D::Ethtool as Operations>::RMON_RANGES;

    const OPS: bindings::ethtool_ops = bindings::ethtool_ops {
        // The first member, of eight bits; then single bits.
        _bitfield_1: {
            let () = Self::CHECKED;
            bindings::__BindgenBitfieldUnit::new([
                <D::Ethtool as Operations>::TRANSFORMS.0,
                Self::CAPABILITIES,
            ])
        },
        rxfh_indir_space: <D::Ethtool as Operations>::CONTEXTS.table_max,
        rxfh_key_space: <D::Ethtool as Operations>::CONTEXTS.key_max,
        rxfh_max_num_contexts: <D::Ethtool as Operations>::CONTEXTS.max,
        supported_coalesce_params: <D::Ethtool as Operations>::COALESCE.0,
        supported_ring_params: <D::Ethtool as Operations>::RINGS.0,
        op_needs_rtnl: bindings::ETHTOOL_OP_NEEDS_RTNL_SRINGPARAM
            | bindings::ETHTOOL_OP_NEEDS_RTNL_SCHANNELS,
        get_drvinfo: Some(Self::get_drvinfo),
        get_link: Some(Self::get_link),
        get_ts_info: Some(bindings::ethtool_op_get_ts_info),
        get_link_ksettings: if_has!(HAS_GET_LINK_SETTINGS, get_link_ksettings),
        get_link_ext_stats: if_has!(HAS_GET_LINK_DOWN_EVENTS, get_link_ext_stats),
        get_msglevel: if_has!(HAS_GET_MSGLEVEL, get_msglevel),
        set_msglevel: if_has!(HAS_SET_MSGLEVEL, set_msglevel),
        get_ringparam: if_has!(HAS_GET_RINGPARAM, get_ringparam),
        set_ringparam: if_has!(HAS_SET_RINGPARAM, set_ringparam),
        get_channels: if_has!(HAS_GET_CHANNELS, get_channels),
        set_channels: if_has!(HAS_SET_CHANNELS, set_channels),
        get_coalesce: if_has!(HAS_GET_COALESCE, get_coalesce),
        set_coalesce: if_has!(HAS_SET_COALESCE, set_coalesce),
        get_per_queue_coalesce: if_has!(HAS_GET_QUEUE_COALESCE, get_per_queue_coalesce),
        set_per_queue_coalesce: if_has!(HAS_SET_QUEUE_COALESCE, set_per_queue_coalesce),
        get_pauseparam: if_has!(HAS_GET_PAUSEPARAM, get_pauseparam),
        set_pauseparam: if_has!(HAS_SET_PAUSEPARAM, set_pauseparam),
        get_pause_stats: if_has!(HAS_GET_PAUSE_STATS, get_pause_stats),
        get_rx_ring_count: if_has!(HAS_GET_RX_RING_COUNT, get_rx_ring_count),
        get_rxfh_indir_size: if_has!(HAS_GET_RXFH_INDIR_SIZE, get_rxfh_indir_size),
        get_rxfh_key_size: if_has!(HAS_GET_RXFH_KEY_SIZE, get_rxfh_key_size),
        get_rxfh: if_has!(HAS_GET_RXFH, get_rxfh),
        set_rxfh: if_has!(HAS_SET_RXFH, set_rxfh),
        get_rxfh_fields: if_has!(HAS_GET_RXFH_FIELDS, get_rxfh_fields),
        set_rxfh_fields: if_has!(HAS_SET_RXFH_FIELDS, set_rxfh_fields),
        create_rxfh_context: if_has!(HAS_CREATE_RXFH_CONTEXT, create_rxfh_context),
        modify_rxfh_context: if_has!(HAS_MODIFY_RXFH_CONTEXT, modify_rxfh_context),
        remove_rxfh_context: if_has!(HAS_REMOVE_RXFH_CONTEXT, remove_rxfh_context),
        get_rxnfc: if_has!(HAS_INSERT_RULE, get_rxnfc),
        set_rxnfc: if_has!(HAS_INSERT_RULE, set_rxnfc),
        get_sset_count: Some(Self::get_sset_count),
        get_strings: Some(Self::get_strings),
        get_ethtool_stats: if_has!(HAS_STATISTICS, get_ethtool_stats),
        self_test: if_has!(HAS_SELF_TEST, self_test),
        get_eth_mac_stats: if_has!(HAS_GET_ETH_MAC_STATS, get_eth_mac_stats),
        get_eth_ctrl_stats: if_has!(HAS_GET_ETH_CTRL_STATS, get_eth_ctrl_stats),
        get_rmon_stats: if_has!(HAS_GET_RMON_STATS, get_rmon_stats),
        // SAFETY: A table of optional functions and integers: all zeros is "none".
        ..unsafe { core::mem::zeroed() }
    };

    /// # Safety
    ///
    /// The contract of the module.
    unsafe fn locked<'a>(dev: *mut bindings::net_device) -> Locked<'a, D> {
        // SAFETY: By the caller's promise; the core calls one operation of a device at a time, under its lock.
        unsafe { Locked::assume(Device::from_raw(dev)) }
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_drvinfo`.
    unsafe extern "C" fn get_drvinfo(
        _dev: *mut bindings::net_device,
        info: *mut bindings::ethtool_drvinfo,
    ) {
        let name = <D::Ethtool as Operations>::NAME.to_bytes();
        // SAFETY: The core passes a structure to fill, zeroed; it adds its own release as the version.
        let driver = unsafe { &mut (*info).driver };
        let room = driver.len().saturating_sub(1);
        for (to, from) in driver.iter_mut().zip(name).take(room) {
            *to = *from;
        }
    }

    /// The carrier, as it is now. `ethtool_op_get_link()` would first run what the link watch has pending, for which
    /// it needs RTNL.
    ///
    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_link`.
    unsafe extern "C" fn get_link(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: The contract.
        unsafe { Device::<D>::from_raw(dev) }.has_carrier().into()
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_link_ksettings`.
    unsafe extern "C" fn get_link_ksettings(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_link_ksettings,
    ) -> c_int {
        // SAFETY: The contract; the core passes a structure to fill, zeroed.
        unsafe { D::Ethtool::get_link_settings(&mut Self::locked(dev)).store(&mut *out) };
        0
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_link_ext_stats`.
    unsafe extern "C" fn get_link_ext_stats(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_link_ext_stats,
    ) {
        // SAFETY: The contract; the core passes a structure to fill.
        unsafe {
            (*out).link_down_events = D::Ethtool::get_link_down_events(&mut Self::locked(dev))
        };
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_msglevel`.
    unsafe extern "C" fn get_msglevel(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: The contract.
        D::Ethtool::get_msglevel(&mut unsafe { Self::locked(dev) })
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_msglevel`.
    unsafe extern "C" fn set_msglevel(dev: *mut bindings::net_device, bits: u32) {
        // SAFETY: The contract.
        D::Ethtool::set_msglevel(&mut unsafe { Self::locked(dev) }, bits);
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_ringparam`.
    unsafe extern "C" fn get_ringparam(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_ringparam,
        kernel: *mut bindings::kernel_ethtool_ringparam,
        _extack: *mut bindings::netlink_ext_ack,
    ) {
        // SAFETY: The contract; the core passes structures to fill.
        unsafe { D::Ethtool::get_ringparam(&mut Self::locked(dev)).store(&mut *out, &mut *kernel) };
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_ringparam`.
    unsafe extern "C" fn set_ringparam(
        dev: *mut bindings::net_device,
        params: *mut bindings::ethtool_ringparam,
        kernel: *mut bindings::kernel_ethtool_ringparam,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: The contract; RTNL is held as well (`op_needs_rtnl`); the structures are valid.
        from_result(unsafe {
            D::Ethtool::set_ringparam(
                &mut Self::locked(dev),
                &Rtnl::assume(),
                &RingParams::load(&*params, &*kernel),
                &ExtAck::from_raw(extack),
            )
        })
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_channels`.
    unsafe extern "C" fn get_channels(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_channels,
    ) {
        // SAFETY: The contract; the core passes a structure to fill.
        unsafe { D::Ethtool::get_channels(&mut Self::locked(dev)).store(&mut *out) };
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_channels`.
    unsafe extern "C" fn set_channels(
        dev: *mut bindings::net_device,
        channels: *mut bindings::ethtool_channels,
    ) -> c_int {
        // SAFETY: The contract; RTNL is held as well (`op_needs_rtnl`); the structure is valid.
        from_result(unsafe {
            D::Ethtool::set_channels(
                &mut Self::locked(dev),
                &Rtnl::assume(),
                &Channels::load(&*channels),
            )
        })
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_coalesce`.
    unsafe extern "C" fn get_coalesce(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_coalesce,
        _kernel: *mut bindings::kernel_ethtool_coalesce,
        _extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: The contract; the core passes a structure to fill.
        unsafe { D::Ethtool::get_coalesce(&mut Self::locked(dev)).store(&mut *out) };
        0
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_coalesce`.
    unsafe extern "C" fn set_coalesce(
        dev: *mut bindings::net_device,
        coalesce: *mut bindings::ethtool_coalesce,
        _kernel: *mut bindings::kernel_ethtool_coalesce,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: The contract; the structure is valid.
        from_result(unsafe {
            D::Ethtool::set_coalesce(
                &mut Self::locked(dev),
                &Coalesce::load(&*coalesce),
                &ExtAck::from_raw(extack),
            )
        })
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_per_queue_coalesce`.
    unsafe extern "C" fn get_per_queue_coalesce(
        dev: *mut bindings::net_device,
        queue: u32,
        out: *mut bindings::ethtool_coalesce,
    ) -> c_int {
        // SAFETY: The contract.
        let r = D::Ethtool::get_queue_coalesce(&mut unsafe { Self::locked(dev) }, queue);
        // SAFETY: The core passes a structure to fill.
        from_result(r.map(|c| c.store(unsafe { &mut *out })))
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_per_queue_coalesce`.
    unsafe extern "C" fn set_per_queue_coalesce(
        dev: *mut bindings::net_device,
        queue: u32,
        coalesce: *mut bindings::ethtool_coalesce,
    ) -> c_int {
        // SAFETY: The contract; the structure is valid.
        from_result(unsafe {
            D::Ethtool::set_queue_coalesce(
                &mut Self::locked(dev),
                queue,
                &Coalesce::load(&*coalesce),
            )
        })
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_pauseparam`.
    unsafe extern "C" fn get_pauseparam(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_pauseparam,
    ) {
        // SAFETY: The contract; the core passes a structure to fill.
        unsafe { D::Ethtool::get_pauseparam(&mut Self::locked(dev)).store(&mut *out) };
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_pauseparam`.
    unsafe extern "C" fn set_pauseparam(
        dev: *mut bindings::net_device,
        pause: *mut bindings::ethtool_pauseparam,
    ) -> c_int {
        // SAFETY: The contract; the structure is valid.
        from_result(unsafe {
            D::Ethtool::set_pauseparam(&mut Self::locked(dev), &Pause::load(&*pause))
        })
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_pause_stats`.
    unsafe extern "C" fn get_pause_stats(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_pause_stats,
    ) {
        let mut s = PauseStats::default();
        // SAFETY: The contract.
        D::Ethtool::get_pause_stats(&mut unsafe { Self::locked(dev) }, &mut s);
        // SAFETY: The core passes a structure to fill.
        s.store_in(unsafe { &mut *out });
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_rx_ring_count`.
    unsafe extern "C" fn get_rx_ring_count(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: The contract.
        D::Ethtool::get_rx_ring_count(&mut unsafe { Self::locked(dev) })
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_rxfh_indir_size`.
    unsafe extern "C" fn get_rxfh_indir_size(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        // A context has a table as long as this, and the core divides by that when it resizes it. It makes room for the
        // longest, and writes as many entries as it is told here.
        let n = D::Ethtool::get_rxfh_indir_size(&mut dev);
        let n = match <D::Ethtool as Operations>::CONTEXTS.table_max {
            0 => n,
            most => n.max(1).min(most),
        };
        dev.promised().table.write(n);
        n
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_rxfh_key_size`.
    unsafe extern "C" fn get_rxfh_key_size(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        let n = D::Ethtool::get_rxfh_key_size(&mut dev);
        // As with the table.
        let n = match <D::Ethtool as Operations>::CONTEXTS.key_max {
            0 => n,
            most => n.min(most.into()),
        };
        dev.promised().key.write(n);
        n
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_rxfh`.
    unsafe extern "C" fn get_rxfh(
        dev: *mut bindings::net_device,
        param: *mut bindings::ethtool_rxfh_param,
    ) -> c_int {
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        let (table, key) = (dev.promised().table.read(), dev.promised().key.read());
        // SAFETY: The core passes a structure to fill, with arrays of the sizes that it was told just before, or NULL.
        let mut reply = unsafe { RssReply::new(&mut *param, table, key) };
        D::Ethtool::get_rxfh(&mut dev, &mut reply);
        0
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_rxfh`.
    unsafe extern "C" fn set_rxfh(
        dev: *mut bindings::net_device,
        param: *mut bindings::ethtool_rxfh_param,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: NULL, or valid for the call.
        let extack = unsafe { ExtAck::from_raw(extack) };
        // SAFETY: The core passes arrays of the sizes that it says, which nobody changes meanwhile.
        let r = RssRequest::new(unsafe { &*param }, &extack).and_then(|request| {
            // SAFETY: The contract.
            D::Ethtool::set_rxfh(&mut unsafe { Self::locked(dev) }, &request, &extack)
        });
        from_result(r)
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_rxfh_fields`.
    unsafe extern "C" fn get_rxfh_fields(
        dev: *mut bindings::net_device,
        fields: *mut bindings::ethtool_rxfh_fields,
    ) -> c_int {
        // SAFETY: The core passes a structure to fill, with the type in it.
        let fields = unsafe { &mut *fields };
        let r = FlowType::from_raw(fields.flow_type)
            .ok_or(EOPNOTSUPP())
            .and_then(|flow| {
                // SAFETY: The contract.
                let mut dev = unsafe { Self::locked(dev) };
                D::Ethtool::get_rxfh_fields(&mut dev, fields.rss_context, flow)
            });
        from_result(r.map(|f| fields.data = f.0))
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_rxfh_fields`.
    unsafe extern "C" fn set_rxfh_fields(
        dev: *mut bindings::net_device,
        fields: *const bindings::ethtool_rxfh_fields,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: The structures are valid for the call; `extack` may be NULL.
        let (fields, extack) = unsafe { (&*fields, ExtAck::from_raw(extack)) };
        let Some(flow) = FlowType::from_raw(fields.flow_type) else {
            extack.message(c"flow-hash: the device does not hash this type of flow apart");
            return EOPNOTSUPP().to_errno();
        };
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        from_result(D::Ethtool::set_rxfh_fields(
            &mut dev,
            fields.rss_context,
            flow,
            HashFields(fields.data),
            &extack,
        ))
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `create_rxfh_context`.
    unsafe extern "C" fn create_rxfh_context(
        dev: *mut bindings::net_device,
        context: *mut bindings::ethtool_rxfh_context,
        param: *const bindings::ethtool_rxfh_param,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: Valid for the call; `extack` may be NULL. The arrays have the sizes that `param` says.
        let (param, extack) = unsafe { (&*param, ExtAck::from_raw(extack)) };
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        let r = RssRequest::new(param, &extack).and_then(|request| {
            let fill = |reply: &mut RssReply<'_>| {
                D::Ethtool::create_rxfh_context(
                    &mut dev,
                    param.rss_context,
                    &request,
                    reply,
                    &extack,
                )
            };
            // SAFETY: The core has asked for the sizes and then allocated the context, for this call.
            unsafe { fill_context(context, fill) }
        });
        from_result(r)
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `modify_rxfh_context`.
    unsafe extern "C" fn modify_rxfh_context(
        dev: *mut bindings::net_device,
        _context: *mut bindings::ethtool_rxfh_context,
        param: *const bindings::ethtool_rxfh_param,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: Valid for the call; `extack` may be NULL. The arrays have the sizes that `param` says.
        let (param, extack) = unsafe { (&*param, ExtAck::from_raw(extack)) };
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        let r = RssRequest::new(param, &extack).and_then(|request| {
            D::Ethtool::modify_rxfh_context(&mut dev, param.rss_context, &request, &extack)
        });
        from_result(r)
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `remove_rxfh_context`.
    unsafe extern "C" fn remove_rxfh_context(
        dev: *mut bindings::net_device,
        _context: *mut bindings::ethtool_rxfh_context,
        number: u32,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: The contract; `extack` is NULL, or valid for the call.
        let (mut dev, extack) = unsafe { (Self::locked(dev), ExtAck::from_raw(extack)) };
        from_result(D::Ethtool::remove_rxfh_context(&mut dev, number, &extack))
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_rxnfc`.
    unsafe extern "C" fn get_rxnfc(
        dev: *mut bindings::net_device,
        info: *mut bindings::ethtool_rxnfc,
        locations: *mut u32,
    ) -> c_int {
        // SAFETY: The contract; the core passes a structure with the request, for the reply.
        let (mut dev, info) = unsafe { (Self::locked(dev), &mut *info) };
        let locations_max = u64::from(<D::Ethtool as Operations>::RULES);
        let r = match info.cmd {
            bindings::ETHTOOL_GRXCLSRLCNT => {
                info.data = locations_max | u64::from(bindings::RX_CLS_LOC_SPECIAL);
                info.__bindgen_anon_1.rule_cnt = D::Ethtool::get_rule_count(&mut dev);
                Ok(())
            }
            bindings::ETHTOOL_GRXCLSRULE => {
                D::Ethtool::get_rule(&mut dev, info.fs.location).map(|rule| {
                    info.data = locations_max;
                    rule.store(info)
                })
            }
            bindings::ETHTOOL_GRXCLSRLALL => {
                let room: &mut [u32] = if locations.is_null() {
                    &mut []
                } else {
                    // SAFETY: The core has made room for as many locations as the request says: both members of the
                    // union are numbers of 32 bits, and that is the one it has set.
                    unsafe {
                        slice::from_raw_parts_mut(
                            locations,
                            info.__bindgen_anon_1.rule_cnt as usize,
                        )
                    }
                };
                let mut list = RuleLocations::new(room);
                D::Ethtool::get_rules(&mut dev, &mut list);
                list.finish().map(|n| {
                    info.data = locations_max;
                    info.__bindgen_anon_1.rule_cnt = n;
                })
            }
            _ => Err(EOPNOTSUPP()),
        };
        from_result(r)
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `set_rxnfc`.
    unsafe extern "C" fn set_rxnfc(
        dev: *mut bindings::net_device,
        info: *mut bindings::ethtool_rxnfc,
    ) -> c_int {
        // SAFETY: The contract; the core passes a structure with the request, copied from the user in full.
        let (mut dev, info) = unsafe { (Self::locked(dev), &mut *info) };
        let r = match info.cmd {
            bindings::ETHTOOL_SRXCLSRLINS => {
                D::Ethtool::insert_rule(&mut dev, &FlowRule::load(info))
                    .map(|location| info.fs.location = location)
            }
            bindings::ETHTOOL_SRXCLSRLDEL => D::Ethtool::delete_rule(&mut dev, info.fs.location),
            _ => Err(EOPNOTSUPP()),
        };
        from_result(r)
    }

    /// The number of strings of a set; see [`Promised`].
    ///
    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_sset_count`.
    unsafe extern "C" fn get_sset_count(dev: *mut bindings::net_device, set: c_int) -> c_int {
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        let n = match set as u32 {
            bindings::ethtool_stringset_ETH_SS_STATS
                if <D::Ethtool as Operations>::HAS_STATISTICS =>
            {
                let mut report = Report::count();
                D::Ethtool::statistics(&mut dev, &mut report);
                let n = report.counted();
                dev.promised().strings.write(n);
                n
            }
            bindings::ethtool_stringset_ETH_SS_TEST
                if <D::Ethtool as Operations>::HAS_SELF_TEST =>
            {
                <D::Ethtool as Operations>::SELF_TESTS.len() as u32
            }
            _ => 0,
        };
        if n == 0 {
            return EOPNOTSUPP().to_errno();
        }
        n as c_int
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_strings`.
    unsafe extern "C" fn get_strings(dev: *mut bindings::net_device, set: u32, out: *mut u8) {
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        match set {
            bindings::ethtool_stringset_ETH_SS_STATS
                if <D::Ethtool as Operations>::HAS_STATISTICS =>
            {
                let n = dev.promised().strings.read() as usize;
                // SAFETY: The core has room for as many as it was told by `get_sset_count`, just before.
                let names = unsafe { slice::from_raw_parts_mut(out.cast(), n) };
                D::Ethtool::statistics(&mut dev, &mut Report::names(names));
            }
            bindings::ethtool_stringset_ETH_SS_TEST
                if <D::Ethtool as Operations>::HAS_SELF_TEST =>
            {
                let all = <D::Ethtool as Operations>::SELF_TESTS;
                // SAFETY: As above; their number is constant.
                let names = unsafe { slice::from_raw_parts_mut(out.cast(), all.len()) };
                write_names(names, all);
            }
            _ => (),
        }
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_ethtool_stats`.
    unsafe extern "C" fn get_ethtool_stats(
        dev: *mut bindings::net_device,
        stats: *mut bindings::ethtool_stats,
        out: *mut u64,
    ) {
        // SAFETY: The core passes an array of so many values, zeroed.
        let values = unsafe { slice::from_raw_parts_mut(out, (*stats).n_stats as usize) };
        // SAFETY: The contract.
        let mut dev = unsafe { Self::locked(dev) };
        D::Ethtool::statistics(&mut dev, &mut Report::values(values));
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `self_test`.
    unsafe extern "C" fn self_test(
        dev: *mut bindings::net_device,
        test: *mut bindings::ethtool_test,
        out: *mut u64,
    ) {
        // SAFETY: The core passes the request and an array for as many results as there are names, zeroed.
        let (test, values) = unsafe {
            (
                &mut *test,
                slice::from_raw_parts_mut(out, <D::Ethtool as Operations>::SELF_TESTS.len()),
            )
        };
        let offline = test.flags & bindings::ethtool_test_flags_ETH_TEST_FL_OFFLINE != 0;
        let mut results = TestResults::new(values);
        // SAFETY: The contract.
        D::Ethtool::self_test(&mut unsafe { Self::locked(dev) }, offline, &mut results);
        if results.failed() {
            test.flags |= bindings::ethtool_test_flags_ETH_TEST_FL_FAILED;
        }
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_eth_mac_stats`.
    unsafe extern "C" fn get_eth_mac_stats(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_eth_mac_stats,
    ) {
        let mut s = EthMacStats::default();
        // SAFETY: The contract.
        D::Ethtool::get_eth_mac_stats(&mut unsafe { Self::locked(dev) }, &mut s);
        // SAFETY: The core passes a structure to fill.
        s.store_in(unsafe { &mut *out });
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_eth_ctrl_stats`.
    unsafe extern "C" fn get_eth_ctrl_stats(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_eth_ctrl_stats,
    ) {
        let mut s = EthCtrlStats::default();
        // SAFETY: The contract.
        D::Ethtool::get_eth_ctrl_stats(&mut unsafe { Self::locked(dev) }, &mut s);
        // SAFETY: The core passes a structure to fill.
        s.store_in(unsafe { &mut *out });
    }

    /// # Safety
    ///
    /// *The contract*, in the core's call of `get_rmon_stats`.
    unsafe extern "C" fn get_rmon_stats(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_rmon_stats,
        ranges: *mut *const bindings::ethtool_rmon_hist_range,
    ) {
        let mut s = RmonStats::default();
        // SAFETY: The contract.
        D::Ethtool::get_rmon_stats(&mut unsafe { Self::locked(dev) }, &mut s);
        // SAFETY: The core passes structures to fill; the ranges are static.
        unsafe {
            s.store_in(&mut *out);
            *ranges = Self::RANGES.0.as_ptr();
        }
    }
}
