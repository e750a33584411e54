// SPDX-License-Identifier: GPL-2.0

//! The `handoff` datapath: the transmitted packet itself becomes the received one.
//!
//! For those who want a faster veth. The TX ring is the ring between the ends: the receiver's vectors take packets
//! from it, so back-pressure, byte queue limits, stop and wake come with it, and there is no second ring. Outlet `i`
//! belongs to vector `i` modulo the receiver's channels, and tells it so by its bit in the inlet's waiters.
//!
//! Wire truth does not hold here: packets are counted, not frames, nothing is padded, no checksum is filled, and there
//! is no address filter. The receiver's MTU holds as veth's does (`is_skb_forwardable`): a VLAN tag on top is always
//! granted, and a packet that stands for several frames may have any length.

use crate::channel::{wake_threshold, Channel};
use crate::latency;
use crate::limits::{ETH_HLEN, FRAME_MIN, VLAN_HLEN};
use crate::port::Port;
use crate::stats::{count_group, Drop, PollCounters};
use crate::vector::Vector;
use crate::wire::{Inlet, Outlet, OutletOpen, Side, TxDescriptor, Wire};
use netdev::batch::Batch;
use netdev::context::Bh;
use netdev::device::Device;
use netdev::napi::Poll;
use netdev::skb::Reason;
use netdev::sync::smp_mb;
use pure::header::destination;

/// Packets that are taken from a ring under one acquisition of its outlet's lock.
const BATCH: u32 = 16;

/// Packets that were taken from a ring.
type Packets = Batch<TxDescriptor, { BATCH as usize }>;

/// Packets that are published before a receiver that was told of others, and has not come yet, is told again: it counts
/// them for its moderation.
const TELL_EACH: u32 = 32;

/// Whether the receiver knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// It has been raised.
    Now,
    /// It was raised for packets before these, and has yet to look at the ring.
    Before,
    /// There is no receiver.
    Closed,
}

/// The inlet that outlet `index` of `side` belongs to; `None` if the other end is closed.
#[inline(always)]
fn inlet_of<'a>(wire: &'a Wire, side: Side, index: u16, bh: &Bh<'_>) -> Option<&'a Inlet> {
    let peer = wire.end(side.other());
    let steer = peer.steer.read(bh);
    if !steer.open {
        return None;
    }
    let queue = index.checked_rem(steer.channels.max(1)).unwrap_or(0);
    peer.inlets.get(usize::from(queue)).map(|inlet| &**inlet)
}

/// Sets the outlet's bit and raises the inlet's vector for so many packets. Returns `false` if the inlet is closed.
#[inline(always)]
fn ring(inlet: &Inlet, index: u16, frames: u32, bh: &Bh<'_>) -> bool {
    let guard = inlet.lock.lock(bh);
    let Some(open) = guard.as_ref() else {
        return false;
    };
    // A full barrier: the packets are in the ring before it is seen. Under the lock, so that nothing is left behind in
    // an inlet that is closed: later ones would be taken for announced.
    inlet.waiters.add(index);
    Vector::raise_rx(&open.vector, frames);
    true
}

/// Tells the receiver that outlet `index` of `side` has something. Returns `false` if it is closed.
#[inline]
pub(crate) fn announce(wire: &Wire, side: Side, index: u16, bh: &Bh<'_>) -> bool {
    inlet_of(wire, side, index, bh).is_some_and(|inlet| ring(inlet, index, 1, bh))
}

/// Tells the receiver that outlet `index` of `side` has packets: `frames` of them that it was not told of.
#[inline]
pub(crate) fn tell(wire: &Wire, side: Side, index: u16, frames: u32, bh: &Bh<'_>) -> Told {
    let Some(inlet) = inlet_of(wire, side, index, bh) else {
        return Told::Closed;
    };
    if frames < TELL_EACH {
        // Pairs with the taking of the bit by who looks at the ring after it: either the bit is gone, or the packets
        // are seen.
        smp_mb();
        if inlet.waiters.has(index) {
            return Told::Before;
        }
    }
    match ring(inlet, index, frames, bh) {
        true => Told::Now,
        false => Told::Closed,
    }
}

/// Has the receiver look at outlet `index` of `side`, whatever puts its polling off.
pub(crate) fn hurry(wire: &Wire, side: Side, index: u16, bh: &Bh<'_>) {
    let Some(inlet) = inlet_of(wire, side, index, bh) else {
        return;
    };
    if let Some(open) = inlet.lock.lock(bh).as_ref() {
        inlet.waiters.add(index);
        Vector::restart(&open.vector);
    }
}

/// Drops and counts what a TX ring holds: the other end is closed.
pub(crate) fn discard(outlet: &Outlet, dev: Option<&Device<Port>>, index: u16, bh: &Bh<'_>) {
    loop {
        // Freed when the lock is no longer held.
        let mut batch = Packets::new();
        let mut guard = outlet.lock.lock(bh);
        let Some(open) = guard.as_mut() else {
            return;
        };
        let n = collect(outlet, open, &mut batch, BATCH);
        if n.packets == 0 {
            return;
        }
        outlet
            .counters
            .drops
            .add(Drop::NoCarrier, u64::from(n.packets));
        // Under the outlet's lock: whoever closes it forgets what byte queue limits know only after this.
        if let Some(queue) = dev.and_then(|d| d.tx_queue(index)) {
            queue.completed(n.packets, n.bytes);
            if queue.is_stopped() {
                queue.wake();
                outlet.counters.wakes.inc();
            }
        }
        drop(guard);
        refuse(batch);
    }
}

/// Drops and counts what the ring of an outlet holds that has just been closed: nobody else reaches it any more.
pub(crate) fn discard_closed(outlet: &Outlet, open: &mut OutletOpen) {
    loop {
        let mut batch = Packets::new();
        let n = collect(outlet, open, &mut batch, BATCH);
        if n.packets == 0 {
            return;
        }
        outlet
            .counters
            .drops
            .add(Drop::Closed, u64::from(n.packets));
        refuse(batch);
    }
}

/// Frees packets that nobody takes.
fn refuse(batch: Packets) {
    for d in batch {
        d.packet.into_skb().drop_with(Reason::DEV_READY);
    }
}

/// The inlet has been closed, and its vector is polled no more: what was announced to it goes to another channel, or,
/// if the whole port is closed, is dropped and counted. No bit is left, which whoever opens the inlet again relies on.
pub(crate) fn redirect(vector: &Vector, peer: Option<&Device<Port>>, bh: &Bh<'_>) {
    let (wire, side) = (&vector.wire, vector.side);
    let Some(inlet) = wire.end(side).inlets.get(usize::from(vector.index)) else {
        return;
    };
    for at in 0..inlet.waiters.parts() {
        let mut bits = inlet.waiters.take(at);
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            let index = (at as u32).wrapping_mul(64).wrapping_add(bit) as u16;
            if announce(wire, side.other(), index, bh) {
                continue;
            }
            if let Some(outlet) = wire.end(side.other()).outlets.get(usize::from(index)) {
                discard(outlet, peer, index, bh);
            }
        }
    }
}

/// Announces what was posted with interrupts off.
pub(crate) fn catch_up(vector: &Vector, dev: &Device<Port>, bh: &Bh<'_>) {
    let Some(outlet) = vector
        .wire
        .end(vector.side)
        .outlets
        .get(usize::from(vector.index))
    else {
        return;
    };
    if outlet.kicked.read() == 0 {
        return;
    }
    outlet.kicked.write(0);
    // The receiver looks at the ring after that is seen: whoever kicks after it has posted is not forgotten.
    smp_mb();
    if !announce(&vector.wire, vector.side, vector.index, bh) {
        discard(outlet, Some(dev), vector.index, bh);
    }
}

/// Receives up to `budget` packets from the outlets that announced some, a batch of each in turn. Returns how many.
///
/// `rotate` says where the next poll begins, so that no outlet is always the last.
pub(crate) fn receive(
    vector: &Vector,
    poll: &Poll<'_, Channel>,
    budget: u32,
    rotate: &mut u32,
    counters: &PollCounters,
) -> u32 {
    let wire = &vector.wire;
    let side = vector.side;
    let own = wire.end(side);
    let sender = wire.end(side.other());
    let Some(inlet) = own.inlets.get(usize::from(vector.index)) else {
        return 0;
    };
    let dev = poll.device();
    let peer = dev.peer_rcu(poll.bh());
    let between_namespaces = peer.is_none_or(|p| !p.shares_net_with(dev));
    let longest = dev.mtu().wrapping_add(ETH_HLEN).wrapping_add(VLAN_HLEN);
    let parts = inlet.waiters.parts();
    let mut done = 0u32;
    let mut more = true;
    while more {
        more = false;
        let first = *rotate as usize >> 6;
        for k in 0..parts {
            let at = first.wrapping_add(k).checked_rem(parts).unwrap_or(0);
            let mut bits = inlet.waiters.take(at);
            while bits != 0 {
                if done >= budget {
                    // The rest has to wait for the next poll.
                    inlet.waiters.put_back(at, bits);
                    return budget;
                }
                let bit = next_bit(bits, *rotate & 63);
                bits &= !(1 << bit);
                let index = (at as u32).wrapping_mul(64).wrapping_add(bit);
                *rotate = index.wrapping_add(1);
                let Some(outlet) = sender.outlets.get(index as usize) else {
                    continue;
                };
                let mut batch = Packets::new();
                let room = budget.wrapping_sub(done).min(BATCH);
                let n = take(outlet, index as u16, peer, poll.bh(), &mut batch, room);
                // GRO would hold it to the end of the poll, after it was uncloned for that, and find nothing to merge
                // it with.
                let alone = n == 1 && done == 0 && bits == 0 && poll.gro_is_idle();
                for d in &mut batch {
                    if d.label.bytes() > longest && d.packet.skb().gso().is_none() {
                        counters.too_long.inc();
                        d.packet.into_skb().drop_with(Reason::TOO_BIG);
                        continue;
                    }
                    deliver(poll, vector, counters, d, between_namespaces, alone);
                }
                done = done.wrapping_add(n);
                if n == room {
                    // It may have more, and is last now.
                    inlet.waiters.put_back(at, 1 << bit);
                    more = true;
                }
            }
        }
    }
    done
}

/// The first bit of `bits`, which has some, from `start` on, and round.
#[inline]
fn next_bit(bits: u64, start: u32) -> u32 {
    bits.rotate_right(start)
        .trailing_zeros()
        .wrapping_add(start)
        & 63
}

/// What was taken from a ring.
struct Taken {
    packets: u32,
    /// As byte queue limits count them.
    bytes: u32,
}

/// Takes packets from a TX ring and counts them as sent.
fn collect(outlet: &Outlet, open: &mut OutletOpen, batch: &mut Packets, room: u32) -> Taken {
    let OutletOpen {
        ring,
        taker: Some(taker),
        ..
    } = open
    else {
        return Taken {
            packets: 0,
            bytes: 0,
        };
    };
    let n = ring.available().min(room);
    ring.advance(n);
    let mut bytes = 0u32;
    let mut wire_bytes = 0u64;
    let mut taken = 0u32;
    while taken < n {
        let Some(d) = taker.take() else {
            break;
        };
        let of_packet = d.label.bytes();
        bytes = bytes.wrapping_add(of_packet);
        wire_bytes = wire_bytes.wrapping_add(u64::from(of_packet.max(FRAME_MIN)));
        let c = &outlet.counters;
        c.lengths.count(of_packet.max(FRAME_MIN), || {
            c.frames.get().wrapping_add(taken.into())
        });
        let to = destination(d.packet.skb().linear());
        count_group(to, 1, &c.multicast, &c.broadcast);
        taken = taken.wrapping_add(1);
        // There is room for as many as are taken.
        let _ = batch.push(d);
    }
    if taken > 0 {
        taker.release();
        outlet.counters.frames.add(u64::from(taken));
        outlet.counters.bytes.add(wire_bytes);
    }
    Taken {
        packets: taken,
        bytes,
    }
}

/// Takes packets from a TX ring, reports them to byte queue limits, and lets the queue run. Returns how many.
fn take(
    outlet: &Outlet,
    index: u16,
    peer: Option<&Device<Port>>,
    bh: &Bh<'_>,
    batch: &mut Packets,
    room: u32,
) -> u32 {
    let mut guard = outlet.lock.lock(bh);
    let Some(open) = guard.as_mut() else {
        return 0;
    };
    let n = collect(outlet, open, batch, room);
    if n.packets == 0 {
        return 0;
    }
    // Under the outlet's lock: whoever closes it forgets what byte queue limits know only after this.
    if let Some(queue) = peer.and_then(|p| p.tx_queue(index)) {
        queue.completed(n.packets, n.bytes);
        let room = open
            .taker
            .as_ref()
            .is_some_and(|t| t.free() >= wake_threshold(t.size()));
        if queue.is_held() {
            if room && queue.is_stopped() {
                queue.wake();
                outlet.counters.wakes.inc();
            } else {
                // It moves: no case for the watchdog.
                queue.touch();
            }
        }
    }
    n.packets
}

/// Gives a packet of the other port to the stack, past GRO if it is `alone`.
#[inline]
fn deliver(
    poll: &Poll<'_, Channel>,
    vector: &Vector,
    counters: &PollCounters,
    d: TxDescriptor,
    between_namespaces: bool,
    alone: bool,
) {
    let sample = d.label.sample();
    let bytes = u64::from(d.label.bytes().max(FRAME_MIN));
    let to = destination(d.packet.skb().linear());
    count_group(to, 1, &counters.multicast, &counters.broadcast);
    counters.checksum_none.inc();
    let Ok(mut skb) = d.packet.into_owned() else {
        counters.no_memory.inc();
        return;
    };
    counters
        .lengths
        .count(bytes as u32, || counters.frames.get());
    counters.frames.inc();
    counters.bytes.add(bytes);
    if sample != 0 {
        latency::taken(poll, sample);
    }
    skb.scrub(between_namespaces);
    skb.record_rx_queue(vector.index);
    if alone {
        latency::receive(poll, skb, sample);
        return;
    }
    match skb.prepare_for_gro() {
        Ok(skb) => {
            let merged = latency::gro_receive(poll, skb, sample);
            counters.merged.add(merged.into());
        }
        Err(skb) => latency::receive(poll, skb, sample),
    }
}
