// SPDX-License-Identifier: GPL-2.0

//! A port: one end of a wire, one network device.

use crate::channel::{Channel, PollFlags};
use crate::engine;
use crate::ethtool::{self, Moderation};
use crate::filter::Filter;
use crate::handoff::{self, Told};
use crate::latency;
use crate::limits::{MTU_MAX, MTU_MIN, WATCHDOG_MS};
use crate::netlink::Seat;
use crate::reconfigure;
use crate::rules::{Context, Rule};
use crate::stats::{self, PollCounters};
use crate::steer::SteerConfig;
use crate::updown::{self, Up};
use crate::vector::Vector;
use crate::wire::{Datapath, End, Label, Outlet, Posted, Side, TxDescriptor, Wire};
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::context::{Bh, BhGuard};
use netdev::counter::Counter;
use netdev::device::{AddressList, Device, Driver, LinkStats, Locked, MacAddress, Setup};
use netdev::features::Features;
use netdev::napi::Instance;
use netdev::quota::Charge;
use netdev::ring::Poster;
use netdev::rtnl::Rtnl;
use netdev::skb::{Reason, SkBuff};
use netdev::sync::{smp_mb, Snapshot, Word};
use netdev::txq::TxQueue;
use pure::segment::TRANSPORT_MAX;

/// The driver.
pub(crate) struct Port;

/// What every callback may reach.
pub(crate) struct PortData {
    pub(crate) wire: Arc<Wire>,
    pub(crate) side: Side,
    /// One for each channel there can be; written by its poll.
    pub(crate) poll: Arc<KVec<PollCounters>>,
    pub(crate) flags: Arc<PollFlags>,
    /// Times the link went down; written under RTNL.
    pub(crate) link_downs: Counter,
    /// Which messages are printed (`NETIF_MSG_*`); written under the instance lock.
    pub(crate) messages: Word<u32>,
    /// Packets dropped before they were posted, by transmit queue; written under the queue's lock.
    pub(crate) dropped: Arc<KVec<Counter>>,
    /// What the control family keeps of the port.
    pub(crate) seat: Pin<KBox<Seat>>,
}

impl PortData {
    pub(crate) fn new(wire: Arc<Wire>, side: Side, channels: u32, queues: u32) -> Result<Self> {
        let mut poll = KVec::with_capacity(channels as usize, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..channels {
            poll.push(PollCounters::default(), GFP_KERNEL_ACCOUNT)?;
        }
        let mut dropped = KVec::with_capacity(queues as usize, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..queues {
            dropped.push(Counter::new(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(PortData {
            wire,
            side,
            poll: Arc::new(poll, GFP_KERNEL_ACCOUNT)?,
            flags: Arc::new(
                PollFlags {
                    checksum: Word::new(1),
                    hash: Word::new(1),
                    strip: Word::new(1),
                    merge: Word::new(1),
                },
                GFP_KERNEL_ACCOUNT,
            )?,
            link_downs: Counter::new(),
            messages: Word::new(0),
            dropped: Arc::new(dropped, GFP_KERNEL_ACCOUNT)?,
            seat: Seat::new()?,
        })
    }

    /// The own end of the wire.
    #[inline(always)]
    pub(crate) fn end(&self) -> &End {
        self.wire.end(self.side)
    }

    /// The other end.
    #[inline(always)]
    pub(crate) fn other_end(&self) -> &End {
        self.wire.end(self.side.other())
    }

    /// Packets that were dropped before they were posted.
    pub(crate) fn dropped_before_wire(&self) -> u64 {
        self.dropped
            .iter()
            .fold(0u64, |n, c| n.wrapping_add(c.get()))
    }

    /// Largest number of channels.
    pub(crate) fn channels_max(&self) -> u32 {
        self.poll.len() as u32
    }
}

/// What the instance lock protects: how the port is set, and what it has open.
pub(crate) struct PortState {
    pub(crate) channels: u32,
    pub(crate) tx_ring: u32,
    pub(crate) rx_ring: u32,
    /// One for each channel there can be.
    pub(crate) moderation: KVec<Moderation>,
    pub(crate) steer: SteerConfig,
    /// RSS contexts.
    pub(crate) contexts: KVec<Context>,
    /// How many keys there have been, in contexts too: each has its generation.
    pub(crate) keys: u32,
    /// N-tuple rules, by location.
    pub(crate) rules: KVec<Rule>,
    /// The lists of the receive filter, as last set; the rest of the snapshot comes from the device.
    pub(crate) filter: Snapshot<Filter>,
    /// Counts the port, and the memory of its rings while it is up, against its user namespace.
    pub(crate) charge: Charge,
    pub(crate) up: Option<Up>,
}

/// What the lock of a transmit queue protects: `None` while the queue is closed.
#[derive(Default)]
pub(crate) struct TxState(pub(crate) Option<TxOpen>);

/// The posting half of a TX ring.
pub(crate) struct TxOpen {
    pub(crate) ring: Poster<TxDescriptor>,
    pub(crate) vector: Arc<Instance<Channel>>,
    /// Whether its packets are handed off.
    pub(crate) handoff: bool,
    /// Packets published since the receiver was last told of some, on a wire that hands them off.
    pub(crate) untold: u32,
}

/// Sees to it that what has been posted is sent.
#[inline]
fn doorbell(
    dev: &Device<Port>,
    outlet: &Outlet,
    index: u16,
    open: &mut TxOpen,
    published: u32,
    bh: &Bh<'_>,
) {
    let data = dev.data();
    if bh.irqs_disabled() {
        // netpoll, perhaps in an interrupt of somebody who holds the outlet's lock on this CPU. Who sees the mark sees
        // the packets, too.
        smp_mb();
        outlet.kicked.write(1);
        // Deferral delays completions, never transmission.
        Vector::restart(&open.vector);
    } else if open.handoff {
        open.untold = open.untold.wrapping_add(published);
        match handoff::tell(&data.wire, data.side, index, open.untold, bh) {
            Told::Now => open.untold = 0,
            Told::Before => (),
            Told::Closed => {
                open.untold = 0;
                handoff::discard(outlet, Some(dev), index, bh);
            }
        }
    } else if let Some(open) = outlet.lock.lock(bh).as_mut() {
        engine::service(&data.wire, data.side, index, outlet, open, bh);
    }
}

/// What is about frames in buffers that the receiver posted. A wire that hands packets off has none: there nothing is
/// merged or hashed by the device, tags stay where they are, and what the sender knows of a checksum is believed.
const OF_FRAMES: Features = Features::GRO_HW
    .union(Features::RXHASH)
    .union(Features::RXCSUM)
    .union(Features::HW_VLAN_CTAG_RX);

/// Which of these are on there, and stay on.
const OF_PACKETS: Features = Features::RXCSUM.union(Features::HW_VLAN_CTAG_RX);

/// Offers the features that the datapath of the port's wire has; those that it has not are fixed.
pub(crate) fn offer_features(dev: &mut Locked<'_, Port>, rtnl: &Rtnl) {
    let frames = dev.data().wire.datapath() == Datapath::Nic;
    dev.set_switchable(OF_FRAMES, frames, rtnl);
    if frames {
        // From then on for good: who has begun to send so goes on when packets are handed off again.
        dev.allow_tx_sharing(rtnl);
    }
}

/// What the engine does for packets that stand for several frames.
const SEGMENTATION: Features = Features::TSO
    .union(Features::TSO6)
    .union(Features::TSO_ECN)
    .union(Features::TSO_MANGLEID)
    .union(Features::GSO_ACCECN)
    .union(Features::GSO_UDP_L4);

/// A queue stops when fewer descriptors are free: so the next packet always has one.
const STOP_THRESHOLD: u32 = 2;

#[vtable]
impl Driver for Port {
    type Data = PortData;
    type State = PortState;
    type TxState = TxState;
    type Ethtool = ethtool::Ethtool;
    type QueueStats = stats::Queues;

    fn setup(dev: &mut Setup<'_, Self>) {
        let offloads = Features::SG | Features::HW_CSUM | Features::HIGHDMA | SEGMENTATION;
        let all = offloads
            | Features::RXCSUM
            | Features::RXHASH
            | Features::NTUPLE
            | Features::GRO_HW
            | Features::HW_VLAN_CTAG_TX
            | Features::HW_VLAN_CTAG_RX;
        dev.features(
            all,
            // Memory is memory to it, so there is nothing to switch.
            all.without(Features::HIGHDMA),
            offloads,
            Features::SG | Features::HW_CSUM | Features::HIGHDMA,
        )
        .mtu_range(MTU_MIN, MTU_MAX)
        .tso_max_size(512 * 1024)
        .watchdog(WATCHDOG_MS)
        .live_address_change()
        .unicast_filter();
    }

    fn open(dev: &mut Locked<'_, Self>, rtnl: &Rtnl) -> Result {
        updown::open(dev, rtnl)
    }

    fn stop(dev: &mut Locked<'_, Self>, rtnl: &Rtnl) {
        updown::stop(dev, rtnl);
    }

    #[inline]
    fn start_xmit(
        dev: &Device<Self>,
        state: &mut TxState,
        mut queue: TxQueue<'_>,
        bh: &Bh<'_>,
        skb: SkBuff,
    ) -> core::result::Result<(), SkBuff> {
        let data = dev.data();
        let index = queue.index();
        let (Some(open), Some(outlet)) =
            (state.0.as_mut(), data.end().outlets.get(usize::from(index)))
        else {
            if let Some(c) = data.dropped.get(usize::from(index)) {
                c.inc();
            }
            skb.drop_with(Reason::DEV_READY);
            return Ok(());
        };
        skb.tx_timestamp(dev);
        let bytes = skb.len();
        let more = queue.xmit_more();
        let label = Label::new(bytes, latency::begin(data, &skb, index, bh));
        let packet = if open.handoff {
            match skb.into_owned_from(dev) {
                Ok(owned) => Some(Posted::Owned(owned)),
                Err(_) => {
                    if let Some(c) = data.dropped.get(usize::from(index)) {
                        c.inc();
                    }
                    None
                }
            }
        } else {
            Some(Posted::Sent(skb))
        };
        let mut refused = None;
        let ring_now = match packet.map(|packet| open.ring.post(TxDescriptor { packet, label })) {
            Some(Ok(())) => {
                let ring = &mut open.ring;
                let stopped = queue.maybe_stop(
                    STOP_THRESHOLD,
                    crate::channel::wake_threshold(ring.size()),
                    || ring.free(),
                );
                if stopped {
                    outlet.counters.stops.inc();
                }
                queue.sent(bytes, more) || stopped
            }
            // Not in normal work: the queue is stopped before the ring is full.
            Some(Err(d)) => {
                refused = Some(d.packet.into_skb());
                true
            }
            None => !more,
        };
        // The last of a burst rings for all of it, even if it is not sent itself.
        let published = open.ring.unpublished();
        if ring_now && published > 0 {
            // First, as an engine on another CPU may take the packets at once.
            outlet.held.write(queue.queue().is_held().into());
            open.ring.publish();
            doorbell(dev, outlet, index, open, published, bh);
        }
        refused.map_or(Ok(()), Err)
    }

    fn get_stats(dev: &Device<Self>, s: &mut LinkStats) {
        stats::link_stats(dev, s);
    }

    fn tx_timeout(dev: &Device<Self>, queue: u32) {
        let data = dev.data();
        // Whatever holds the queue up, looking again is the cure: the poll completes, and runs the engine. Even if
        // somebody has deferred it for longer than the queue can wait.
        let Some(outlet) = data.end().outlets.get(queue as usize) else {
            return;
        };
        outlet.kicked.write(1);
        let hands_off = match outlet.lock.lock_bh().as_mut() {
            Some(open) => {
                Vector::restart(&open.vector);
                open.hands_off()
            }
            None => return,
        };
        if hands_off {
            // Then it is the receiver that takes, and completes.
            let bh = BhGuard::new();
            handoff::hurry(&data.wire, data.side, queue as u16, bh.bh());
        }
    }

    fn change_mtu(dev: &mut Locked<'_, Self>, rtnl: &Rtnl, mtu: u32) -> Result {
        reconfigure::mtu(dev, rtnl, mtu)
    }

    fn change_address(dev: &mut Locked<'_, Self>, address: MacAddress) -> Result {
        let (flags, mtu) = (dev.flags(), dev.mtu());
        let mut filter = prepare_filter(dev, flags, mtu)?;
        filter.get_mut().address = address;
        dev.device().data().end().filter.publish(filter);
        Ok(())
    }

    fn set_rx_mode(
        dev: &mut Locked<'_, Self>,
        unicast: AddressList<'_>,
        multicast: AddressList<'_>,
    ) -> Result {
        let mut filter = Snapshot::init(Filter::closed())?;
        filter.get_mut().set_lists(unicast.iter(), multicast.iter());
        dev.state().filter = filter;
        let (flags, mtu) = (dev.flags(), dev.mtu());
        publish_filter(dev, flags, mtu)
    }

    fn fix_features(dev: &mut Locked<'_, Self>, features: Features) -> Features {
        match dev.data().wire.datapath() {
            Datapath::Nic => features,
            Datapath::Handoff => features.without(OF_FRAMES).union(OF_PACKETS),
        }
    }

    /// The engine has room for headers of a certain length; packets with longer ones, as IPv6 can have, are cut by the
    /// stack.
    #[inline]
    fn features_check(dev: &Device<Self>, skb: &SkBuff, features: Features) -> Features {
        let here = skb.gso().is_none()
            || skb
                .transport_offset()
                .is_some_and(|offset| offset as usize <= TRANSPORT_MAX)
            || dev.data().wire.datapath() == Datapath::Handoff;
        if here {
            features
        } else {
            features.without(SEGMENTATION)
        }
    }

    fn set_features(dev: &mut Locked<'_, Self>, features: Features) -> Result {
        // First what can fail: nothing, if it is only the datapath that has changed.
        let rules = features.contains(Features::NTUPLE);
        if rules != dev.features().contains(Features::NTUPLE) {
            ethtool::switch_rules(dev, rules)?;
        }
        let data = dev.device().data();
        let flags = &data.flags;
        let merge = features.contains(Features::GRO_HW).into();
        flags.merge.write(merge);
        data.end().merges.write(merge);
        flags
            .checksum
            .write(features.contains(Features::RXCSUM).into());
        flags.hash.write(features.contains(Features::RXHASH).into());
        flags
            .strip
            .write(features.contains(Features::HW_VLAN_CTAG_RX).into());
        Ok(())
    }
}

const IFF_PROMISC: u32 = 0x100;
const IFF_ALLMULTI: u32 = 0x200;

/// Makes the receive filter of the device's addresses, these flags and this MTU.
pub(crate) fn prepare_filter(
    dev: &mut Locked<'_, Port>,
    flags: u32,
    mtu: u32,
) -> Result<Snapshot<Filter>> {
    let mut next = Snapshot::init(Filter::closed())?;
    let (device, state) = dev.parts();
    let f = next.get_mut();
    f.copy_from(&state.filter);
    f.promiscuous |= flags & IFF_PROMISC != 0;
    f.all_multicast |= flags & IFF_ALLMULTI != 0;
    f.address = device.address();
    f.mtu = mtu;
    Ok(next)
}

/// Publishes it.
pub(crate) fn publish_filter(dev: &mut Locked<'_, Port>, flags: u32, mtu: u32) -> Result {
    let filter = prepare_filter(dev, flags, mtu)?;
    dev.device().data().end().filter.publish(filter);
    Ok(())
}
