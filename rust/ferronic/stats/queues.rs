// SPDX-License-Identifier: GPL-2.0

//! Queue statistics of the netdev netlink family.
//!
//! The counters of a queue go on for ever, so what queues in use and queues no longer in use have counted always
//! makes the same sum as `ip -s link` does.

use super::{drops_towards, Drop, OutletCounters, PollCounters};
use crate::port::{Port, PortData};
use kernel::prelude::*;
use netdev::counter::Counter;
use netdev::device::Locked;
use netdev::queue_stats::{Operations, RxQueueStats, TxQueueStats};

/// The operations.
pub(crate) struct Queues;

/// Adds to a statistic that is kept.
fn add(to: &mut Option<u64>, n: u64) {
    *to = Some(to.unwrap_or(0).wrapping_add(n));
}

/// Adds what a receive queue has counted.
fn add_rx(data: &PortData, queue: usize, s: &mut RxQueueStats) {
    let (Some(p), Some(inlet)) = (data.poll.get(queue), data.end().inlets.get(queue)) else {
        return;
    };
    let p: &PollCounters = p;
    add(&mut s.packets, p.frames.get());
    add(&mut s.bytes, p.bytes.get());
    add(
        &mut s.alloc_fail,
        p.alloc_fail.get().wrapping_add(p.no_memory.get()),
    );
    let overruns = inlet.counters.overruns.get();
    add(&mut s.hw_drops, overruns.wrapping_add(p.too_long.get()));
    add(&mut s.hw_drop_overruns, overruns);
    add(&mut s.hw_gro_packets, p.hw_gro_packets.get());
    add(&mut s.hw_gro_bytes, p.hw_gro_bytes.get());
    add(&mut s.hw_gro_wire_packets, p.hw_gro_wire_packets.get());
    add(&mut s.hw_gro_wire_bytes, p.hw_gro_wire_bytes.get());
    add(&mut s.csum_unnecessary, p.checksum_good.get());
    add(&mut s.csum_none, p.checksum_none.get());
    add(&mut s.csum_bad, p.checksum_bad.get());
}

/// Adds what a transmit queue has counted.
fn add_tx(data: &PortData, queue: usize, s: &mut TxQueueStats) {
    let Some(outlet) = data.end().outlets.get(queue) else {
        return;
    };
    let o: &OutletCounters = &outlet.counters;
    let errors = o
        .drops
        .get(Drop::Segmentation)
        .wrapping_add(o.drops.get(Drop::TooShort));
    add(&mut s.packets, o.frames.get());
    add(&mut s.bytes, o.bytes.get());
    add(
        &mut s.hw_drops,
        errors
            .wrapping_add(o.drops.get(Drop::NoCarrier))
            .wrapping_add(o.drops.get(Drop::Closed)),
    );
    add(&mut s.hw_drop_errors, errors);
    add(&mut s.needs_csum, o.checksum_filled.get());
    add(&mut s.hw_gso_packets, o.gso_packets.get());
    add(&mut s.hw_gso_bytes, o.gso_bytes.get());
    add(&mut s.hw_gso_wire_packets, o.gso_wire_frames.get());
    add(&mut s.hw_gso_wire_bytes, o.gso_wire_bytes.get());
    add(&mut s.stop, o.stops.get());
    let by_poll = data.poll.get(queue).map_or(0, |p| Counter::get(&p.wakes));
    add(&mut s.wake, o.wakes.get().wrapping_add(by_poll));
}

#[vtable]
impl Operations for Queues {
    type Driver = Port;

    fn rx(dev: &mut Locked<'_, Port>, queue: u32, stats: &mut RxQueueStats) {
        add_rx(dev.device().data(), queue as usize, stats);
    }

    fn tx(dev: &mut Locked<'_, Port>, queue: u32, stats: &mut TxQueueStats) {
        add_tx(dev.device().data(), queue as usize, stats);
    }

    fn base(dev: &mut Locked<'_, Port>, rx: &mut RxQueueStats, tx: &mut TxQueueStats) {
        let data = dev.device().data();
        // Says which are kept, and tells what was dropped before a queue was chosen, or behind one.
        *rx = RxQueueStats {
            packets: Some(0),
            bytes: Some(0),
            alloc_fail: Some(0),
            hw_drops: Some(
                drops_towards(data, Drop::Filtered)
                    .wrapping_add(drops_towards(data, Drop::Rule))
                    .wrapping_add(drops_towards(data, Drop::TooLong))
                    .wrapping_add(data.end().closed.get(Drop::Unread)),
            ),
            hw_drop_overruns: Some(0),
            hw_gro_packets: Some(0),
            hw_gro_bytes: Some(0),
            hw_gro_wire_packets: Some(0),
            hw_gro_wire_bytes: Some(0),
            csum_unnecessary: Some(0),
            csum_none: Some(0),
            csum_bad: Some(0),
            ..Default::default()
        };
        *tx = TxQueueStats {
            packets: Some(0),
            bytes: Some(0),
            // What found no room in a smaller ring.
            hw_drops: Some(data.end().closed.get(Drop::Closed)),
            hw_drop_errors: Some(0),
            needs_csum: Some(0),
            hw_gso_packets: Some(0),
            hw_gso_bytes: Some(0),
            hw_gso_wire_packets: Some(0),
            hw_gso_wire_bytes: Some(0),
            stop: Some(0),
            wake: Some(0),
            ..Default::default()
        };
        for queue in dev.real_num_rx_queues()..data.channels_max() {
            add_rx(data, queue as usize, rx);
        }
        for queue in dev.real_num_tx_queues()..data.channels_max() {
            add_tx(data, queue as usize, tx);
        }
    }
}
