// SPDX-License-Identifier: GPL-2.0

//! Reconfiguration of a port that is up: `ethtool -L`, `ethtool -G`, and an MTU that needs other buffers; and of both
//! ports of a wire whose [datapath](Changeover) changes.
//!
//! Everything that can fail is done first, beside the running state: rings, pools, posted buffers, snapshots,
//! NAPI instances. Then channels change over one by one. Each is drained (producers wait as on a full ring, the
//! poll empties it), its NAPI is disabled, the rings are exchanged, packets that were not sent yet move to the new
//! TX ring, and all goes on. The carrier stays.

mod datapath;

pub(crate) use datapath::Changeover;

use crate::channel::{serve_waiters, wake_threshold, Channel};
use crate::engine;
use crate::handoff;
use crate::limits;
use crate::port::{prepare_filter, Port, TxOpen};
use crate::receive::{BufferLayout, RxHalf};
use crate::rules;
use crate::stats::Drop;
use crate::steer::{Spread, Steer};
use crate::updown::{self, Halves, Plan, Up};
use crate::vector::Vector;
use crate::wire::{Datapath, End, InletOpen, OutletOpen};
use core::cmp::Ordering;
use kernel::prelude::*;
use kernel::time::delay::fsleep;
use kernel::time::Delta;
use netdev::context::{synchronize_net, BhGuard};
use netdev::device::{Device, Locked};
use netdev::napi::{self, Owner};
use netdev::ring;
use netdev::rtnl::Rtnl;
use netdev::sync::Snapshot;
use pure::segment::Cursor;
use pure::steer;

/// How many channels a port has, and how many descriptors their rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rings {
    pub(crate) channels: u32,
    pub(crate) tx_ring: u32,
    pub(crate) rx_ring: u32,
}

/// How often, in one change, looks at rings that are to be emptied may find that nothing has moved: they are 50 us
/// apart. Then what is left is dropped and counted.
const PATIENCE: u32 = 40;

/// Changes the rings of a port, up or down. RTNL and instance lock; sleeps.
///
/// # Errors
///
/// `EINVAL` if the user's indirection table does not fit the new number of channels, `ENOMEM`, and what the core says
/// to the number of queues. The old state runs on then.
pub(crate) fn rings(dev: &mut Locked<'_, Port>, rtnl: &Rtnl, new: &Rings) -> Result {
    let layout = BufferLayout::for_mtu(dev.mtu());
    change(dev, rtnl, new, layout, layout)
}

/// Changes the MTU of a port, up or down. RTNL and instance lock; sleeps.
pub(crate) fn mtu(dev: &mut Locked<'_, Port>, rtnl: &Rtnl, mtu: u32) -> Result {
    let state = dev.state();
    let same = Rings {
        channels: state.channels,
        tx_ring: state.tx_ring,
        rx_ring: state.rx_ring,
    };
    let old = BufferLayout::for_mtu(dev.mtu());
    let new = BufferLayout::for_mtu(mtu);
    let (flags, before) = (dev.flags(), dev.mtu());
    let next = prepare_filter(dev, flags, mtu)?;
    let back = prepare_filter(dev, flags, before)?;
    let filter = &dev.device().data().end().filter;
    if new.capacity >= old.capacity {
        change(dev, rtnl, &same, old, new)?;
        // Only now frames of the new size are let in.
        filter.publish(next);
        Ok(())
    } else {
        filter.publish(next);
        // An engine that runs now may still go by the old filter, with frames that the new buffers do not hold.
        synchronize_net();
        let changed = change(dev, rtnl, &same, old, new);
        if changed.is_err() {
            filter.publish(back);
        }
        changed
    }
}

fn change(
    dev: &mut Locked<'_, Port>,
    rtnl: &Rtnl,
    new: &Rings,
    old_layout: BufferLayout,
    layout: BufferLayout,
) -> Result {
    let state = dev.state();
    let up = state.up.is_some();
    let before = Rings {
        channels: state.channels,
        tx_ring: state.tx_ring,
        rx_ring: state.rx_ring,
    };
    let (had, wants) = (
        limits::ring_bytes(&before, &old_layout),
        limits::ring_bytes(new, &layout),
    );
    updown::follow(dev, rtnl)?;
    let state = dev.state();
    // Both sets exist for a while; the larger one is charged until it is known which stays.
    let most = if up { wants.max(had) } else { wants };
    state.charge.set_bytes(most, &limits::quota())?;
    let changed = apply(dev, rtnl, new, old_layout, layout);
    let holds = match (up, &changed) {
        // Nothing is posted while the port is down; what it would take has been looked at.
        (false, _) => 0,
        (true, Ok(())) => wants,
        (true, Err(_)) => had,
    };
    // Cannot fail: it is less, or what there was before.
    let _ = dev.state().charge.set_bytes(holds, &limits::quota());
    changed
}

fn apply(
    dev: &mut Locked<'_, Port>,
    rtnl: &Rtnl,
    new: &Rings,
    old_layout: BufferLayout,
    layout: BufferLayout,
) -> Result {
    let user_entries = dev.rss_user_entries();
    let state = dev.state();
    let old = Rings {
        channels: state.channels,
        tx_ring: state.tx_ring,
        rx_ring: state.rx_ring,
    };
    let table = state.steer.table_for(new.channels, user_entries)?;
    let contexts = resize_contexts(dev, rtnl, new.channels, &table)?;
    if dev.state().up.is_none() {
        dev.set_real_num_queues(new.channels, new.channels, rtnl)?;
        store(dev, rtnl, new, table, contexts);
        return Ok(());
    }
    let plan = Plan {
        tx_ring: new.tx_ring,
        rx_ring: new.rx_ring,
        layout,
        datapath: dev.device().data().wire.datapath(),
    };
    let exchange = old.tx_ring != new.tx_ring || old.rx_ring != new.rx_ring || old_layout != layout;

    // Prepare. `fresh` are the channels that stay, with new rings; `added` those that come.
    let kept = old.channels.min(new.channels);
    let mut fresh: KVec<(Halves, Channel)> = KVec::new();
    let mut old_halves: KVec<RxHalf> = KVec::new();
    let mut added: KVec<Owner<Channel>> = KVec::new();
    let mut halves: KVec<Halves> = KVec::new();
    let mut prepare = || -> Result<(Snapshot<Steer>, Snapshot<Steer>)> {
        if exchange {
            fresh.reserve(kept as usize, GFP_KERNEL_ACCOUNT)?;
            old_halves.reserve(kept as usize, GFP_KERNEL_ACCOUNT)?;
            for i in 0..kept {
                fresh.push(updown::fill_channel(dev, i, &plan)?, GFP_KERNEL_ACCOUNT)?;
            }
        }
        let more = new.channels.saturating_sub(old.channels) as usize;
        added.reserve(
            new.channels.abs_diff(old.channels) as usize,
            GFP_KERNEL_ACCOUNT,
        )?;
        halves.reserve(more, GFP_KERNEL_ACCOUNT)?;
        for i in old.channels..new.channels {
            let (owner, h) = updown::make_channel(dev, i, &plan)?;
            added.push(owner, GFP_KERNEL_ACCOUNT)?;
            halves.push(h, GFP_KERNEL_ACCOUNT)?;
        }
        let mut next = Snapshot::init(Steer::closed())?;
        let mut back = Snapshot::init(Steer::closed())?;
        let state = dev.state();
        state
            .up
            .as_mut()
            .ok_or(ENODEV)?
            .owners
            .reserve(more, GFP_KERNEL_ACCOUNT)?;
        next.get_mut().set(&state.steer, &table, new.channels);
        back.get_mut()
            .set(&state.steer, &state.steer.indirection, old.channels);
        Ok((next, back))
    };
    let (next, back) = match prepare() {
        Ok(s) => s,
        Err(e) => {
            drop(halves);
            napi::remove_all(dev, &mut added, |_, _| ());
            return Err(e);
        }
    };

    let device = dev.device();
    let end = device.data().end();
    let mut patience = PATIENCE;
    match new.channels.cmp(&old.channels) {
        Ordering::Greater => {
            // Grow: all is open before the stack and the other end hear of it.
            updown::start(dev, old.channels as usize, &mut added, halves);
            if let Err(e) = dev.set_real_num_queues(new.channels, new.channels, rtnl) {
                remove(dev, old.channels as usize, &mut added);
                return Err(e);
            }
            for i in old.channels..new.channels {
                if let Some(queue) = device.tx_queue(i as u16) {
                    let _bh = BhGuard::new();
                    queue.wake();
                }
            }
            if let Some(up) = dev.state().up.as_mut() {
                for owner in added {
                    // There is room, reserved above.
                    let _ = up.owners.push_within_capacity(owner);
                }
            }
            end.steer.publish(next);
        }
        Ordering::Less => {
            // Shrink: first the other end stops using the channels, then the stack does. What it is given of them until
            // they are gone bears their numbers, so there are that many receive queues until then.
            end.steer.publish(next);
            if let Err(e) = dev.set_real_num_queues(new.channels, old.channels, rtnl) {
                end.steer.publish(back);
                return Err(e);
            }
            // `added` is empty, and has room for those that go.
            let mut gone = added;
            if let Some(up) = dev.state().up.as_mut() {
                while up.owners.len() > new.channels as usize {
                    let Some(owner) = up.owners.pop() else {
                        break;
                    };
                    let _ = gone.push_within_capacity(owner);
                }
            }
            gone.reverse();
            drain(end, new.channels as usize, &gone, true, &mut patience);
            remove(dev, new.channels as usize, &mut gone);
            // Cannot fail: it is less.
            let _ = dev.set_real_num_queues(new.channels, new.channels, rtnl);
        }
        Ordering::Equal => end.steer.publish(next),
    }

    let mut up = dev.state().up.take();
    if let Some(Up { owners }) = up.as_mut() {
        let mut i = 0usize;
        for (owner, made) in owners.iter_mut().zip(fresh) {
            let old = exchange_rings(dev, i, owner, made, false, &mut patience);
            resume(device, i, owner);
            // There is room. Their pools go when all channels are through: after one grace period.
            let _ = old.map(|old| old_halves.push_within_capacity(old));
            i = i.wrapping_add(1);
        }
    }
    dev.state().up = up;
    store(dev, rtnl, new, table, contexts);
    Ok(())
}

/// The table of an RSS context for another number of channels, and what the other end's engine is to read.
struct Resized {
    table: KVec<u16>,
    spread: Snapshot<Spread>,
}

/// Prepares the contexts for another number of channels, whose table without a context is to be `table`. Returns
/// nothing if they stay as they are.
///
/// # Errors
///
/// `EINVAL` if a table does not fit, or a rule leads to a channel that would not be there; `ENOMEM`.
fn resize_contexts(
    dev: &mut Locked<'_, Port>,
    rtnl: &Rtnl,
    channels: u32,
    table: &[u16],
) -> Result<KVec<Resized>> {
    let state = dev.state();
    let mut resized = KVec::new();
    if channels == state.channels {
        return Ok(resized);
    }
    if !state.rules_fit(channels, 0, table) {
        return Err(EINVAL);
    }
    let other_size = table.len() != state.steer.indirection.len();
    if other_size && !dev.rss_contexts_can_resize(table.len() as u32, rtnl) {
        return Err(EINVAL);
    }
    for context in &dev.state().contexts {
        let config = &context.config;
        let mut own = KVec::from_elem(0u16, table.len(), GFP_KERNEL_ACCOUNT)?;
        steer::resize(&mut own, &config.indirection);
        if !steer::is_valid(&own, channels) {
            return Err(EINVAL);
        }
        let spread = rules::snapshot(config, &own)?;
        resized.push(Resized { table: own, spread }, GFP_KERNEL_ACCOUNT)?;
    }
    Ok(resized)
}

/// Stores what has come to be.
fn store(
    dev: &mut Locked<'_, Port>,
    rtnl: &Rtnl,
    new: &Rings,
    table: KVec<u16>,
    contexts: KVec<Resized>,
) {
    let (device, state) = dev.parts();
    let entries = table.len() as u32;
    let other_size = table.len() != state.steer.indirection.len();
    state.channels = new.channels;
    state.tx_ring = new.tx_ring;
    state.rx_ring = new.rx_ring;
    state.steer.indirection = table;
    for (context, new) in state.contexts.iter_mut().zip(contexts) {
        context.config.indirection = new.table;
        let steering = &device.data().end().steering;
        steering.publish_context(context.id, Some(new.spread));
    }
    if other_size {
        // It can be done: `resize_contexts` has seen that, under the same lock.
        let _ = dev.rss_contexts_resize(entries, rtnl);
    }
}

/// Closes channels from number `from` on and removes their NAPI instances.
fn remove(dev: &mut Locked<'_, Port>, from: usize, owners: &mut [Owner<Channel>]) {
    let device = dev.device();
    let to = from.wrapping_add(owners.len());
    updown::close_inlets(device, from, owners);
    updown::close_outlets(device, from, to);
    for i in from..to {
        dev.set_queue_napi::<Channel>(i as u32, None);
    }
    napi::remove_all(dev, owners, |i, channel| {
        updown::bury(device, from.wrapping_add(i), channel)
    });
    updown::redirect(device, owners);
}

/// Lets producers wait and the polls empty the RX rings of channels from number `from` on, and pass on what they hold;
/// if the channels are `leaving`, also send what their TX rings hold. It takes as long as that goes on: `patience` is
/// how many looks may find that nothing has moved.
fn drain(end: &End, from: usize, owners: &[Owner<Channel>], leaving: bool, patience: &mut u32) {
    let mut least = u64::MAX;
    loop {
        let mut left = 0u64;
        for (k, owner) in owners.iter().enumerate() {
            let here = undone(end, from.wrapping_add(k), owner, leaving);
            if here > 0 {
                // Softirqs run when it goes.
                let _bh = BhGuard::new();
                // Whatever the core puts polling off for.
                Vector::restart(owner.instance());
            }
            left = left.saturating_add(here);
        }
        if left == 0 {
            return;
        }
        if left >= least {
            let Some(less) = patience.checked_sub(1) else {
                return;
            };
            *patience = less;
        }
        least = least.min(left);
        fsleep(Delta::from_micros(50));
    }
}

/// What a channel that nothing new comes to still has to do: descriptors.
fn undone(end: &End, index: usize, owner: &Owner<Channel>, leaving: bool) -> u64 {
    let untaken = end.inlets.get(index).map_or(0, |inlet| {
        inlet.lock.lock_bh().as_mut().map_or(0, |open| {
            open.closing = true;
            open.untaken()
        })
    });
    let unsent = match end.outlets.get(index) {
        Some(outlet) if leaving => {
            let mut open = outlet.lock.lock_bh();
            open.as_mut().map_or(0, |open| open.ring.available())
        }
        _ => 0,
    };
    let holds = owner.instance().shared().drain();
    u64::from(untaken)
        .saturating_add(unsent.into())
        .saturating_add(holds.into())
}

/// Exchanges the rings of one channel, whose queue is stopped until [`resume`]. Nothing can fail. `closing`: producers
/// go on waiting. `patience`: as for [`drain`]. Returns what the channel received by so far.
fn exchange_rings(
    dev: &mut Locked<'_, Port>,
    index: usize,
    owner: &mut Owner<Channel>,
    (h, mut channel): (Halves, Channel),
    closing: bool,
    patience: &mut u32,
) -> Option<RxHalf> {
    let device = dev.device();
    let end = device.data().end();
    let (Some(inlet), Some(outlet)) = (end.inlets.get(index), end.outlets.get(index)) else {
        return None;
    };
    drain(end, index, core::slice::from_ref(owner), false, patience);

    // The inlet stays open without a ring: producers wait as on a full one, and are served below.
    let old_ring = inlet.lock.lock_bh().as_mut().and_then(|open| {
        open.closing = true;
        open.ring.take()
    });
    // First those who complete, and so could wake the queue: the own poll, or, on a wire that hands packets off, who
    // takes under the outlet's lock. What is posted meanwhile stays in the old ring and is moved with the rest.
    owner.disable(dev);
    owner.instance().shared().emptied();
    let old_outlet = outlet.lock.lock_bh().take();
    // The stack does not send to a stopped queue, so its posting half can be taken apart.
    let poster = device
        .lock_tx(index as u16, |state, queue, _| {
            queue.stop();
            state.0.take()
        })
        .flatten();
    if let Some(rx) = channel.rx.as_mut() {
        rx.link(owner);
    }
    let old = owner.handler().and_then(|slot| {
        let mut old = slot.replace(channel);
        if let (Some(new), Some(old)) = (slot.as_mut(), old.as_mut()) {
            new.adaptive = old.adaptive.take();
            if let (Some(new), Some(old)) = (new.rx.as_mut(), old.rx.as_mut()) {
                // What a poll took when the ring had just been seen to be empty.
                new.aggregates.adopt(&mut old.aggregates);
            }
        }
        old
    });

    // What was sent is completed, what was not goes to the new ring, with the progress of the first.
    let handoff = h.hands_off();
    let mut cursor = Default::default();
    let mut next = h.tx_poster;
    let (mut unread, mut lost) = (0u64, 0u64);
    let (mut old_rx, old_tx) = old.map_or((None, None), |c| (c.rx, c.tx));
    drop(old_ring);
    if let Some(rx) = old_rx.as_mut() {
        unread = updown::discard_unread(rx);
        rx.part();
    }
    if let (Some(poster), Some(old_outlet)) = (poster, old_outlet) {
        cursor = old_outlet.cursor;
        // What has been sent in part cannot be handed off: the rest of it is lost.
        let mut partial = handoff && core::mem::take(&mut cursor) != Cursor::default();
        let queue = device.tx_queue(index as u16);
        let bh = BhGuard::new();
        let OutletOpen { ring, taker, .. } = old_outlet;
        let Some(tx) = old_tx.or(taker) else {
            return old_rx;
        };
        ring::drain(poster.ring, ring, tx, |d, sent| {
            let bytes = d.label.bytes();
            if sent {
                d.packet.into_skb().consume();
            } else if core::mem::take(&mut partial) {
                lost = lost.wrapping_add(1);
                d.packet
                    .into_skb()
                    .drop_with(netdev::skb::Reason::DEV_READY);
            } else if let Err(d) = next.post(d) {
                lost = lost.wrapping_add(1);
                d.packet
                    .into_skb()
                    .drop_with(netdev::skb::Reason::FULL_RING);
            } else {
                return;
            }
            if let Some(q) = &queue {
                q.completed(1, bytes);
            }
        });
        drop(bh);
    }
    next.publish();
    if unread > 0 {
        end.closed.add(Drop::Unread, unread);
    }
    if lost > 0 {
        end.closed.add(Drop::Closed, lost);
    }

    let vector = owner.instance().clone();
    *inlet.lock.lock_bh() = Some(InletOpen {
        ring: h.filler,
        vector: vector.clone(),
        buffer_len: h.layout.capacity,
        headroom: h.layout.headroom,
        closing,
        pause_expired: false,
    });
    {
        let mut open = outlet.lock.lock_bh();
        outlet.waiting.write(0);
        *open = Some(OutletOpen::new(
            h.tx_filler,
            h.tx_taker,
            vector.clone(),
            cursor,
        ));
    }
    device.lock_tx(index as u16, |state, _, _| {
        state.0 = Some(TxOpen {
            ring: next,
            vector: vector.clone(),
            handoff,
            untold: 0,
        });
    });
    owner.enable(dev);
    old_rx
}

/// Lets a channel go on whose rings were exchanged.
fn resume(device: &Device<Port>, index: usize, owner: &Owner<Channel>) {
    let vector = owner.instance();
    let bh = BhGuard::new();
    Vector::restart(vector);
    if device.data().wire.datapath() == Datapath::Nic {
        serve_waiters(vector.shared(), bh.bh(), &mut 0);
    }
    run(device, index, &bh);
    drop(bh);
    // With too little room the next completion wakes it.
    device.lock_tx(index as u16, |state, queue, _| {
        let room = state
            .0
            .as_mut()
            .is_some_and(|open| open.ring.free() >= wake_threshold(open.ring.size()));
        if room {
            queue.queue().wake();
        }
    });
}

/// Runs the engine for what was moved to a new ring.
fn run(device: &Device<Port>, index: usize, bh: &BhGuard) {
    let data = device.data();
    if let Some(outlet) = data.end().outlets.get(index) {
        if data.wire.datapath() == Datapath::Handoff {
            let index = index as u16;
            if !handoff::announce(&data.wire, data.side, index, bh.bh()) {
                handoff::discard(outlet, Some(device), index, bh.bh());
            }
            return;
        }
        let mut guard = outlet.lock.lock(bh.bh());
        if let Some(open) = guard.as_mut() {
            engine::service(&data.wire, data.side, index as u16, outlet, open, bh.bh());
        }
    }
}
