// SPDX-License-Identifier: GPL-2.0

//! `ip link add … type ferronic`: making and deleting pairs.

use crate::ethtool::Moderation;
use crate::filter::Filter;
use crate::limits::{self, CHANNELS_DEFAULT, CHANNELS_MAX, CHANNELS_MAX_DEFAULT, RING_DEFAULT};
use crate::netlink;
use crate::port::{offer_features, Port, PortData, PortState};
use crate::steer::SteerConfig;
use crate::wire::{Datapath, Side, Wire};
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::device::{Device, Unregistered};
use netdev::ethtool::rss_key;
use netdev::netlink::{ExtAck, Policy};
use netdev::notifier::Event;
use netdev::quota::Charge;
use netdev::rtnl::{KillList, Link, NewLink, Rtnl, Slot};
use netdev::sync::Snapshot;
use pure::flow::{HashFields, Transform};

/// Attributes in `IFLA_INFO_DATA` (include/uapi/linux/if_ferronic.h).
const LINK_PEER: usize = 1;
const LINK_DATAPATH: usize = 2;

/// The kind of link.
pub(crate) struct Ferronic;

/// Where ports are found by number.
pub(crate) static PORTS: Slot<Ferronic> = Slot::new();

impl Link for Ferronic {
    type Driver = Port;

    const KIND: &'static CStr = c"ferronic";

    // rtnetlink skips what it does not know; what is listed as rejected is refused with the attribute named.
    const POLICY: &'static [Policy] = &{
        let mut p = [const { Policy::REJECT }; Policy::LINK_MAX + 1];
        // struct ifinfomsg
        p[LINK_PEER] = Policy::min_len(16);
        // 0: nic, 1: handoff
        p[LINK_DATAPATH] = Policy::u32_max(1);
        p
    };

    const PEER: u16 = LINK_PEER as u16;

    const DEFAULT_QUEUES: u32 = CHANNELS_MAX_DEFAULT;

    const WATCHED: bool = true;

    fn slot() -> Option<&'static Slot<Self>> {
        Some(&PORTS)
    }

    fn event(event: Event, dev: &Device<Port>, rtnl: &Rtnl) {
        netlink::event(event, dev, rtnl);
    }

    fn newlink(
        dev: Unregistered<'_, Port>,
        params: &NewLink<'_, Port>,
        rtnl: &Rtnl,
        extack: &ExtAck<'_>,
    ) -> Result {
        let peer_attr = params.data().get(LINK_PEER);
        let channels = check_queues(&dev, extack)?;
        let datapath = match params.data().get(LINK_DATAPATH) {
            Some(a) if a.u32()? == 1 => Datapath::Handoff,
            _ => Datapath::Nic,
        };
        let mut made = None;
        let peer = params.create_peer(peer_attr, rtnl, extack, |peer| {
            let peer_channels = check_queues(&peer, extack)?;
            let wire = Wire::new(channels, peer_channels, datapath)?;
            let peer = register(peer, wire.clone(), Side::B, rtnl, extack)?;
            made = Some(wire);
            Ok(peer)
        })?;
        let result = made.ok_or(EINVAL).and_then(|wire| {
            let dev = register(dev, wire, Side::A, rtnl, extack)?;
            dev.pair(peer, rtnl)?;
            Ok(dev)
        });
        match result {
            Ok(dev) => {
                netlink::announce(dev, rtnl);
                netlink::announce(peer, rtnl);
                Ok(())
            }
            Err(e) => {
                peer.unregister(rtnl);
                Err(e)
            }
        }
    }

    fn dellink(dev: &Device<Port>, list: &mut KillList<'_>, rtnl: &Rtnl) {
        let peer = dev.peer(rtnl);
        dev.unpair(rtnl);
        list.add(dev);
        if let Some(peer) = peer {
            list.add(peer);
        }
    }
}

/// Channels that a device with these queues can have.
fn check_queues(dev: &Unregistered<'_, Port>, extack: &ExtAck<'_>) -> Result<u32> {
    if dev.num_tx_queues() > CHANNELS_MAX {
        extack.message(c"numtxqueues: at most 256 transmit queues");
        return Err(EINVAL);
    }
    if dev.num_rx_queues() > CHANNELS_MAX {
        extack.message(c"numrxqueues: at most 256 receive queues");
        return Err(EINVAL);
    }
    Ok(dev.num_tx_queues().min(dev.num_rx_queues()))
}

/// Registers a port at one end of a wire.
fn register<'a>(
    mut dev: Unregistered<'a, Port>,
    wire: Arc<Wire>,
    side: Side,
    rtnl: &'a Rtnl,
    extack: &ExtAck<'_>,
) -> Result<&'a Device<Port>> {
    let queues = dev.num_tx_queues();
    let max = queues.min(dev.num_rx_queues());
    let channels = max.min(CHANNELS_DEFAULT);
    dev.random_address();
    if wire.datapath() == Datapath::Handoff {
        dev.no_tx_sharing();
    }
    dev.set_real_num_queues(channels, channels)?;

    let mut key = [0u8; pure::toeplitz::KEY_MAX];
    rss_key(&mut key);

    let data = PortData::new(wire, side, max, queues);
    let charge = Charge::new(dev.net(rtnl), &limits::quota()).inspect_err(|&e| {
        if e != ENOMEM {
            extack.message(c"the user namespace has its number of ports");
        }
    })?;
    let mut state = PortState {
        channels,
        tx_ring: RING_DEFAULT,
        rx_ring: RING_DEFAULT,
        moderation: KVec::from_elem(Moderation::default(), max as usize, GFP_KERNEL_ACCOUNT)?,
        steer: SteerConfig {
            key,
            indirection: KVec::new(),
            transform: Transform::None,
            fields: HashFields::new(),
            generation: 1,
        },
        contexts: KVec::new(),
        keys: 1,
        rules: KVec::new(),
        filter: Snapshot::init(Filter::closed())?,
        charge,
        up: None,
    };
    state.steer.indirection = state.steer.table_for(channels, 0)?;
    let dev = dev.register(data, state, rtnl)?;
    // Registered with all there are, it gets back on another datapath what this one has not.
    dev.with_lock(rtnl, |dev| offer_features(dev, rtnl));
    Ok(dev)
}
