// SPDX-License-Identifier: GPL-2.0

//! Up and down.
//!
//! Going up prepares everything first, so that what can fail fails before anybody sees it; then the inlets are
//! opened, the outlets, and at last the transmit queues. Going down is the reverse, in the order that the wire
//! needs: from the moment an inlet is closed nobody writes the port's buffers or raises its vectors.

use crate::adaptive::Adaptive;
use crate::aggregate::Aggregates;
use crate::carrier;
use crate::channel::{serve_waiters, Channel};
use crate::engine;
use crate::handoff;
use crate::limits;
use crate::port::{publish_filter, Port, TxOpen};
use crate::receive::{self, BufferLayout, RxDescriptor, RxHalf};
use crate::reconfigure::Rings;
use crate::stats::Drop;
use crate::steer::Steer;
use crate::vector::Vector;
use crate::wire::{Datapath, InletOpen, OutletOpen, TxDescriptor};
use kernel::prelude::*;
use netdev::context::BhGuard;
use netdev::device::{Device, Locked};
use netdev::napi::{self, Owner};
use netdev::page_pool::PagePool;
use netdev::ring::{self, Filler, Poster, Taker};
use netdev::rtnl::Rtnl;
use netdev::sync::Snapshot;

/// What an open port has.
pub(crate) struct Up {
    pub(crate) owners: KVec<Owner<Channel>>,
}

/// The halves of a channel's rings that others than its poll use.
pub(crate) struct Halves {
    pub(crate) filler: Option<Filler<RxDescriptor>>,
    pub(crate) tx_taker: Option<Taker<TxDescriptor>>,
    pub(crate) tx_poster: Poster<TxDescriptor>,
    pub(crate) tx_filler: Filler<TxDescriptor>,
    pub(crate) layout: BufferLayout,
}

impl Halves {
    /// Whether the channel is one of a wire that hands packets off.
    pub(crate) fn hands_off(&self) -> bool {
        self.tx_taker.is_some()
    }
}

/// How a channel is to be made.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) tx_ring: u32,
    pub(crate) rx_ring: u32,
    pub(crate) layout: BufferLayout,
    pub(crate) datapath: Datapath,
}

impl Plan {
    /// As the port is set, for a datapath.
    pub(crate) fn new(dev: &mut Locked<'_, Port>, datapath: Datapath) -> Self {
        let layout = BufferLayout::for_mtu(dev.mtu());
        let state = dev.state();
        Plan {
            tx_ring: state.tx_ring,
            rx_ring: state.rx_ring,
            layout,
            datapath,
        }
    }
}

/// Makes a channel: rings, pool, posted buffers, a NAPI instance that is not enabled.
pub(crate) fn make_channel(
    dev: &mut Locked<'_, Port>,
    index: u32,
    plan: &Plan,
) -> Result<(Owner<Channel>, Halves)> {
    let device = dev.device();
    let data = device.data();
    let moderation = dev.state().moderation.get(index as usize).copied();
    let vector = Vector::new(
        data.wire.clone(),
        data.side,
        index as u16,
        moderation.unwrap_or_default(),
        data.poll.clone(),
    )?;
    let mut owner = Owner::<Channel>::add(dev, index, vector)?;
    let filled = fill_channel(dev, index, plan).and_then(|(halves, mut channel)| {
        if let Some(rx) = channel.rx.as_mut() {
            rx.link(&mut owner);
        }
        channel.adaptive = Some(Adaptive::new(owner.instance())?);
        *owner.handler().ok_or(EBUSY)? = Some(channel);
        Ok(halves)
    });
    match filled {
        Ok(halves) => Ok((owner, halves)),
        Err(e) => {
            napi::remove_all(dev, core::slice::from_mut(&mut owner), |_, _| ());
            Err(e)
        }
    }
}

/// Makes what a NAPI instance polls: rings, pool, posted buffers. Its owner may be running with another set.
///
/// The other halves come first: who drops both drops buffers, and then their pool.
///
/// # Errors
///
/// `EDQUOT` if what packets hold of earlier pools is more than the user namespace may have, `ENOMEM`.
pub(crate) fn fill_channel(
    dev: &mut Locked<'_, Port>,
    index: u32,
    plan: &Plan,
) -> Result<(Halves, Channel)> {
    let data = dev.device().data();
    let (tx_poster, tx_filler, tx_taker) = ring::new(plan.tx_ring)?;
    let (mut rx, mut filler, mut own_taker, mut shared_taker) = (None, None, None, None);
    match plan.datapath {
        Datapath::Nic => {
            dev.state().charge.check(&limits::quota())?;
            let mut pool = |pages| {
                let charge = dev.state().charge.apart();
                PagePool::new(dev, index, pages, Some(charge))
            };
            let (pool, copies) = (pool(plan.rx_ring)?, pool(receive::COPY_PAGES)?);
            let (poster, rx_filler, taker) = ring::new(plan.rx_ring)?;
            let mut half = RxHalf {
                taker,
                poster,
                pool,
                copies,
                layout: plan.layout,
                queue: index as u16,
                aggregates: Aggregates::new(plan.rx_ring)?,
            };
            if let Err(e) = half.prefill() {
                drop(rx_filler);
                return Err(e);
            }
            rx = Some(half);
            filler = Some(rx_filler);
            own_taker = Some(tx_taker);
        }
        Datapath::Handoff => shared_taker = Some(tx_taker),
    }
    let channel = Channel {
        rx,
        tx: own_taker,
        counters: data.poll.clone(),
        flags: data.flags.clone(),
        adaptive: None,
        rotate: 0,
    };
    let halves = Halves {
        filler,
        tx_taker: shared_taker,
        tx_poster,
        tx_filler,
        layout: plan.layout,
    };
    Ok((halves, channel))
}

/// Lets the port count where it is: it may have been moved since, which closed it.
///
/// # Errors
///
/// `EDQUOT` if it is one more than that user namespace may have, `ENOMEM`.
pub(crate) fn follow(dev: &mut Locked<'_, Port>, rtnl: &Rtnl) -> Result {
    let net = dev.device().net(rtnl);
    dev.state().charge.follow(net, &limits::quota())
}

/// Brings the port up.
pub(crate) fn open(dev: &mut Locked<'_, Port>, rtnl: &Rtnl) -> Result {
    let plan = Plan::new(dev, dev.device().data().wire.datapath());
    let n = dev.state().channels;
    let rings = Rings {
        channels: n,
        tx_ring: plan.tx_ring,
        rx_ring: plan.rx_ring,
    };
    let bytes = limits::ring_bytes(&rings, &plan.layout);
    follow(dev, rtnl)?;
    dev.state().charge.set_bytes(bytes, &limits::quota())?;

    // Prepare.
    let mut owners = KVec::with_capacity(n as usize, GFP_KERNEL_ACCOUNT)?;
    let mut halves = KVec::with_capacity(n as usize, GFP_KERNEL_ACCOUNT)?;
    let steer = match prepare(dev, n, &plan, &mut owners, &mut halves) {
        Ok(steer) => steer,
        Err(e) => {
            drop(halves);
            napi::remove_all(dev, &mut owners, |_, _| ());
            let _ = dev.state().charge.set_bytes(0, &limits::quota());
            return Err(e);
        }
    };

    // Nothing fails from here on.
    start(dev, 0, &mut owners, halves);
    let device = dev.device();
    device.data().end().steer.publish(steer);
    dev.state().up = Some(Up { owners });
    dev.start_all_queues();
    if let Some(peer) = device.peer(rtnl) {
        if peer.is_running() {
            carrier::up(device, peer, rtnl);
        }
    }
    Ok(())
}

fn prepare(
    dev: &mut Locked<'_, Port>,
    n: u32,
    plan: &Plan,
    owners: &mut KVec<Owner<Channel>>,
    halves: &mut KVec<Halves>,
) -> Result<Snapshot<Steer>> {
    for i in 0..n {
        let (owner, h) = make_channel(dev, i, plan)?;
        // There is room: both were made for `n`.
        owners.push(owner, GFP_KERNEL_ACCOUNT)?;
        halves.push(h, GFP_KERNEL_ACCOUNT)?;
    }
    let mut steer = Snapshot::init(Steer::closed())?;
    let state = dev.state();
    steer
        .get_mut()
        .set(&state.steer, &state.steer.indirection, state.channels);
    let (flags, mtu) = (dev.flags(), dev.mtu());
    publish_filter(dev, flags, mtu)?;
    Ok(steer)
}

/// Opens channels from number `from` on: NAPI, inlet, outlet, transmit queue.
pub(crate) fn start(
    dev: &mut Locked<'_, Port>,
    from: usize,
    owners: &mut [Owner<Channel>],
    halves: KVec<Halves>,
) {
    let device = dev.device();
    for (k, (owner, h)) in owners.iter_mut().zip(halves).enumerate() {
        let i = from.wrapping_add(k);
        dev.set_queue_napi(i as u32, Some(&*owner));
        owner.enable(dev);
        attach(device, i, h, owner);
    }
}

/// Opens inlet, outlet and transmit queue of a channel.
fn attach(device: &Device<Port>, index: usize, h: Halves, owner: &Owner<Channel>) {
    let end = device.data().end();
    let handoff = h.hands_off();
    if let Some(inlet) = end.inlets.get(index) {
        *inlet.lock.lock_bh() = Some(InletOpen {
            ring: h.filler,
            vector: owner.instance().clone(),
            buffer_len: h.layout.capacity,
            headroom: h.layout.headroom,
            closing: false,
            pause_expired: false,
        });
    }
    if let Some(outlet) = end.outlets.get(index) {
        outlet.held.write(0);
        outlet.waiting.write(0);
        *outlet.lock.lock_bh() = Some(OutletOpen::new(
            h.tx_filler,
            h.tx_taker,
            owner.instance().clone(),
            Default::default(),
        ));
    }
    let open = TxOpen {
        ring: h.tx_poster,
        vector: owner.instance().clone(),
        handoff,
        untold: 0,
    };
    device.lock_tx(index as u16, |state, queue, _| {
        state.0 = Some(open);
        queue.queue().reset();
    });
}

/// Takes the port down. The core has stopped its transmit queues.
pub(crate) fn stop(dev: &mut Locked<'_, Port>, rtnl: &Rtnl) {
    let Some(Up { mut owners }) = dev.state().up.take() else {
        return;
    };
    let device = dev.device();
    carrier::down(device, rtnl);
    // Without memory for a snapshot the engine finds the inlets closed, which is the same.
    if let Ok(steer) = Snapshot::init(Steer::closed()) {
        device.data().end().steer.publish(steer);
    }
    let n = owners.len();
    close_inlets(device, 0, &owners);
    close_outlets(device, 0, n);
    for i in 0..n {
        dev.set_queue_napi::<Channel>(i as u32, None);
    }
    napi::remove_all(dev, &mut owners, |i, channel| bury(device, i, channel));
    redirect(device, &owners);
    // What is posted is gone.
    let _ = dev.state().charge.set_bytes(0, &limits::quota());
}

/// Closes the inlets of channels from number `from` on: from here on nobody writes their buffers or raises their
/// vectors. The other end's outlets that wait for them go on, and find them closed. What has been announced to them on
/// a wire that hands packets off is left to [`redirect`].
pub(crate) fn close_inlets(device: &Device<Port>, from: usize, owners: &[Owner<Channel>]) {
    let end = device.data().end();
    for (k, owner) in owners.iter().enumerate() {
        if let Some(inlet) = end.inlets.get(from.wrapping_add(k)) {
            let open = inlet.lock.lock_bh().take();
            if device.data().wire.datapath() == Datapath::Nic {
                let bh = BhGuard::new();
                serve_waiters(owner.instance().shared(), bh.bh(), &mut 0);
            }
            drop(open);
        }
    }
}

/// Sees to what was announced to closed inlets, whose NAPI instances are gone: only now nobody announces anything to
/// them, and no poll puts back what it had no budget for.
pub(crate) fn redirect(device: &Device<Port>, gone: &[Owner<Channel>]) {
    if device.data().wire.datapath() == Datapath::Nic {
        return;
    }
    for owner in gone {
        let bh = BhGuard::new();
        let vector = owner.instance().shared();
        handoff::redirect(vector, device.peer_rcu(bh.bh()), bh.bh());
    }
}

/// Closes outlets and transmit queues. What was not sent is dropped and counted; packets are freed by
/// [`bury`], when the NAPI instance is gone.
pub(crate) fn close_outlets(device: &Device<Port>, from: usize, to: usize) {
    let end = device.data().end();
    for i in from..to {
        // The posting half first: what is posted by then is in the engine's half below.
        let poster = device.lock_tx(i as u16, |state, _, _| state.0.take());
        if let Some(mut tx) = poster.flatten() {
            tx.ring.publish();
        }
        if let Some(outlet) = end.outlets.get(i) {
            let open = {
                let mut guard = outlet.lock.lock_bh();
                outlet.waiting.write(0);
                outlet.kicked.write(0);
                guard.take()
            };
            if let Some(mut open) = open {
                match device.data().wire.datapath() {
                    Datapath::Nic => engine::discard(outlet, &mut open),
                    Datapath::Handoff => handoff::discard_closed(outlet, &mut open),
                }
            }
        }
    }
}

/// Frees what a removed channel still holds: packets that were sent, frames that were not read.
pub(crate) fn bury(device: &Device<Port>, index: usize, mut channel: Channel) {
    if let Some(tx) = channel.tx.as_mut() {
        while let Some(d) = tx.take() {
            d.packet.into_skb().consume();
        }
    }
    if let Some(queue) = device.tx_queue(index as u16) {
        queue.reset();
        // The watchdog looks at queues that are not in use, too.
        queue.start();
    }
    let unread = channel.rx.as_mut().map_or(0, discard_unread);
    if unread > 0 {
        device.data().end().closed.add(Drop::Unread, unread);
    }
}

/// Frees the frames that were left in a receive half; returns how many it was.
pub(crate) fn discard_unread(rx: &mut RxHalf) -> u64 {
    let mut unread = rx.aggregates.discard();
    let mut first = true;
    while let Some(d) = rx.taker.take() {
        if first {
            unread = unread.wrapping_add(d.frame.frames().into());
        }
        first = !d.more;
    }
    unread
}
