// SPDX-License-Identifier: GPL-2.0

//! What `ethtool` shows and sets of a port.

mod coalesce;
mod ntuple;
mod rss;
mod selftest;

pub(crate) use coalesce::Moderation;
pub(crate) use ntuple::switch as switch_rules;

use crate::limits::{CONTEXTS_MAX, RING_MAX, RING_MIN, RULES_MAX};
use crate::netlink;
use crate::port::Port;
use crate::receive::BufferLayout;
use crate::reconfigure::{self, Rings};
use crate::stats;
use crate::steer::TABLE_MAX;
use kernel::prelude::*;
use netdev::device::Locked;
use netdev::errno::EDQUOT;
use netdev::ethtool::{
    Channels, Coalesce, CoalesceParams, EthCtrlStats, EthMacStats, FlowRule, FlowType, HashFields,
    LinkSettings, Operations, Pause, PauseStats, Report, RingParams, RmonRanges, RmonStats,
    RssContexts, RssReply, RssRequest, RuleLocations, TestResults, Transforms,
};
use netdev::netlink::ExtAck;
use netdev::rtnl::Rtnl;

/// The operations.
pub(crate) struct Ethtool;

/// Megabits a second that the link says it has. Nothing paces it; but bonding, bridges and routing daemons choose by
/// it, and want a number.
const SPEED: u32 = 10_000;

#[vtable]
impl Operations for Ethtool {
    type Driver = Port;

    const NAME: &'static CStr = c"ferronic";
    const COALESCE: CoalesceParams = coalesce::PARAMS;
    const TRANSFORMS: Transforms = Transforms::SYMMETRIC_XOR.union(Transforms::SYMMETRIC_OR_XOR);
    const CONTEXTS: RssContexts = RssContexts {
        max: CONTEXTS_MAX as u32,
        table_max: TABLE_MAX as u32,
        key_max: pure::toeplitz::KEY_MAX as u16,
    };
    const RULES: u32 = RULES_MAX as u32;
    const RMON_RANGES: RmonRanges = RmonRanges::new(&stats::LENGTH_RANGES);
    const SELF_TESTS: &'static [&'static str] = &selftest::NAMES;

    fn get_link_settings(dev: &mut Locked<'_, Port>) -> LinkSettings {
        if !dev.has_carrier() {
            return LinkSettings::UNKNOWN;
        }
        LinkSettings {
            speed: Some(SPEED),
            full_duplex: Some(true),
        }
    }

    fn get_link_down_events(dev: &mut Locked<'_, Port>) -> u64 {
        dev.data().link_downs.get()
    }

    fn get_msglevel(dev: &mut Locked<'_, Port>) -> u32 {
        dev.data().messages.read()
    }

    fn set_msglevel(dev: &mut Locked<'_, Port>, bits: u32) {
        dev.data().messages.write(bits);
    }

    fn get_ringparam(dev: &mut Locked<'_, Port>) -> RingParams {
        let layout = BufferLayout::for_mtu(dev.mtu());
        let state = dev.state();
        RingParams {
            rx_max: RING_MAX,
            tx_max: RING_MAX,
            rx: state.rx_ring,
            tx: state.tx_ring,
            rx_buf_len: layout.size,
            ..Default::default()
        }
    }

    fn set_ringparam(
        dev: &mut Locked<'_, Port>,
        rtnl: &Rtnl,
        params: &RingParams,
        extack: &ExtAck<'_>,
    ) -> Result {
        let state = dev.state();
        let new = Rings {
            channels: state.channels,
            tx_ring: ring_size(params.tx).inspect_err(|_| {
                extack.message(c"tx: a ring has 64 to 8192 descriptors");
            })?,
            rx_ring: ring_size(params.rx).inspect_err(|_| {
                extack.message(c"rx: a ring has 64 to 8192 descriptors");
            })?,
        };
        reconfigure::rings(dev, rtnl, &new).inspect_err(|&e| {
            extack.message(if e == EDQUOT() {
                c"rings: more memory than the user namespace may have posted"
            } else {
                c"no memory for rings of this size; the old ones go on"
            });
        })?;
        netlink::changed(dev);
        Ok(())
    }

    fn get_channels(dev: &mut Locked<'_, Port>) -> Channels {
        let max = dev.data().channels_max();
        Channels {
            max_combined: max,
            combined: dev.state().channels,
            ..Default::default()
        }
    }

    fn set_channels(dev: &mut Locked<'_, Port>, rtnl: &Rtnl, channels: &Channels) -> Result {
        let state = dev.state();
        let new = Rings {
            channels: channels.combined,
            tx_ring: state.tx_ring,
            rx_ring: state.rx_ring,
        };
        // The core has looked at the limits for both ways of asking; here they guard the arrays.
        if channels.combined == 0 || channels.combined > dev.data().channels_max() {
            return Err(EINVAL);
        }
        reconfigure::rings(dev, rtnl, &new)?;
        netlink::changed(dev);
        Ok(())
    }

    fn get_coalesce(dev: &mut Locked<'_, Port>) -> Coalesce {
        coalesce::get(dev, 0).unwrap_or_default()
    }

    fn set_coalesce(
        dev: &mut Locked<'_, Port>,
        coalesce: &Coalesce,
        extack: &ExtAck<'_>,
    ) -> Result {
        coalesce::set(dev, coalesce, extack)
    }

    fn get_queue_coalesce(dev: &mut Locked<'_, Port>, queue: u32) -> Result<Coalesce> {
        coalesce::get(dev, queue)
    }

    fn set_queue_coalesce(dev: &mut Locked<'_, Port>, queue: u32, coalesce: &Coalesce) -> Result {
        coalesce::set_queue(dev, queue, coalesce)
    }

    fn get_pauseparam(dev: &mut Locked<'_, Port>) -> Pause {
        let end = dev.data().end();
        Pause {
            autoneg: false,
            rx: end.pause_rx.read() != 0,
            tx: end.pause_tx.read() != 0,
        }
    }

    fn set_pauseparam(dev: &mut Locked<'_, Port>, pause: &Pause) -> Result {
        if pause.autoneg {
            // Each end decides for itself; there is nothing to negotiate with.
            return Err(netdev::errno::EOPNOTSUPP());
        }
        let end = dev.data().end();
        end.pause_rx.write(pause.rx.into());
        end.pause_tx.write(pause.tx.into());
        Ok(())
    }

    fn get_pause_stats(dev: &mut Locked<'_, Port>, stats: &mut PauseStats) {
        stats::pause(dev.data(), stats);
    }

    fn get_rx_ring_count(dev: &mut Locked<'_, Port>) -> u32 {
        dev.state().channels
    }

    fn get_rxfh_indir_size(dev: &mut Locked<'_, Port>) -> u32 {
        dev.state().steer.indirection.len() as u32
    }

    fn get_rxfh_key_size(dev: &mut Locked<'_, Port>) -> u32 {
        dev.state().steer.key.len() as u32
    }

    fn get_rxfh(dev: &mut Locked<'_, Port>, reply: &mut RssReply<'_>) {
        rss::get(dev, reply);
    }

    fn set_rxfh(
        dev: &mut Locked<'_, Port>,
        request: &RssRequest<'_>,
        extack: &ExtAck<'_>,
    ) -> Result {
        rss::set(dev, 0, request, extack)
    }

    fn get_rxfh_fields(
        dev: &mut Locked<'_, Port>,
        context: u32,
        flow: FlowType,
    ) -> Result<HashFields> {
        rss::get_fields(dev, context, flow)
    }

    fn set_rxfh_fields(
        dev: &mut Locked<'_, Port>,
        context: u32,
        flow: FlowType,
        fields: HashFields,
        extack: &ExtAck<'_>,
    ) -> Result {
        rss::set_fields(dev, context, flow, fields, extack)
    }

    fn create_rxfh_context(
        dev: &mut Locked<'_, Port>,
        context: u32,
        request: &RssRequest<'_>,
        reply: &mut RssReply<'_>,
        extack: &ExtAck<'_>,
    ) -> Result {
        rss::create(dev, context, request, reply, extack)
    }

    fn modify_rxfh_context(
        dev: &mut Locked<'_, Port>,
        context: u32,
        request: &RssRequest<'_>,
        extack: &ExtAck<'_>,
    ) -> Result {
        rss::set(dev, context, request, extack)
    }

    fn remove_rxfh_context(
        dev: &mut Locked<'_, Port>,
        context: u32,
        _extack: &ExtAck<'_>,
    ) -> Result {
        rss::remove(dev, context);
        Ok(())
    }

    fn get_rule_count(dev: &mut Locked<'_, Port>) -> u32 {
        ntuple::count(dev)
    }

    fn get_rules(dev: &mut Locked<'_, Port>, locations: &mut RuleLocations<'_>) {
        ntuple::list(dev, locations);
    }

    fn get_rule(dev: &mut Locked<'_, Port>, location: u32) -> Result<FlowRule> {
        ntuple::get(dev, location)
    }

    fn insert_rule(dev: &mut Locked<'_, Port>, rule: &FlowRule) -> Result<u32> {
        ntuple::insert(dev, rule)
    }

    fn delete_rule(dev: &mut Locked<'_, Port>, location: u32) -> Result {
        ntuple::delete(dev, location)
    }

    fn statistics(dev: &mut Locked<'_, Port>, report: &mut Report<'_>) {
        stats::report(dev, report);
    }

    fn self_test(dev: &mut Locked<'_, Port>, offline: bool, results: &mut TestResults<'_>) {
        selftest::run(dev, offline, results);
    }

    fn get_eth_mac_stats(dev: &mut Locked<'_, Port>, stats: &mut EthMacStats) {
        stats::mac(dev.data(), stats);
    }

    fn get_eth_ctrl_stats(dev: &mut Locked<'_, Port>, stats: &mut EthCtrlStats) {
        stats::ctrl(dev.data(), stats);
    }

    fn get_rmon_stats(dev: &mut Locked<'_, Port>, stats: &mut RmonStats) {
        stats::rmon(dev.data(), stats);
    }
}

/// The size of a ring for which so many descriptors were asked: the next power of two, as other NICs round.
fn ring_size(asked: u32) -> Result<u32> {
    if !(RING_MIN..=RING_MAX).contains(&asked) {
        return Err(EINVAL);
    }
    Ok(asked.next_power_of_two())
}
