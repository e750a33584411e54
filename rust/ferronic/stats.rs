// SPDX-License-Identifier: GPL-2.0

//! Counters.
//!
//! There is one set. `ip -s link`, the queue statistics, `ethtool -S` and the standard groups are sums over the
//! same counters, so they cannot disagree. Each counter has one writer at a time: the holder of an outlet's or
//! inlet's lock, or a poll. They live as long as the wire, so they go on over down, up, `-L` and `-G`.
//!
//! Per wire and direction, at any quiet moment: frames sent = frames received + the sum of the drops. Each drop is
//! told by one port, as `tx_drop_…` by the sender or as `rx_drop_…` by the receiver ([`private`]).

mod histogram;
mod private;
mod queues;
mod standard;

pub(crate) use histogram::{Batches, Lengths, LENGTH_RANGES};
pub(crate) use private::report;
pub(crate) use queues::Queues;
pub(crate) use standard::{ctrl, mac, pause, rmon};

use crate::port::{Port, PortData};
use netdev::counter::Counter;
use netdev::device::{Device, LinkStats};
use pure::header;

/// Why a frame was dropped. The sum of these is the difference between sent and received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Drop {
    /// The other end is down, deleted, or has no open queue.
    NoCarrier,
    /// The receiver does not take the destination address.
    Filtered,
    /// Longer than the receiver takes.
    TooLong,
    /// No Ethernet header.
    TooShort,
    /// The receiver has no buffer, and pause is off.
    NoBuffer,
    /// The receiver has had no buffer for too long.
    PauseExpired,
    /// Left in a TX ring that was closed.
    Closed,
    /// Left in an RX ring that was closed or exchanged.
    Unread,
    /// Segmentation was asked for in a way the device has not offered.
    Segmentation,
    /// One of the receiver's n-tuple rules says so.
    Rule,
}

impl Drop {
    /// How many there are.
    pub(crate) const COUNT: usize = Drop::Rule as usize + 1;
}

/// Dropped frames by reason.
#[derive(Default)]
pub(crate) struct Drops([Counter; Drop::COUNT]);

impl Drops {
    /// Counts frames. The caller is the only writer.
    #[inline]
    pub(crate) fn add(&self, reason: Drop, frames: u64) {
        if let Some(c) = self.0.get(reason as usize) {
            c.add(frames);
        }
    }

    /// Frames dropped for that reason.
    pub(crate) fn get(&self, reason: Drop) -> u64 {
        self.0.get(reason as usize).map_or(0, Counter::get)
    }
}

/// Counts frames, by whom they are for, if that is more than one.
#[inline(always)]
pub(crate) fn count_group(
    to: Option<&header::Mac>,
    frames: u64,
    multicast: &Counter,
    broadcast: &Counter,
) {
    if let Some(to) = to {
        if to[0] & 1 != 0 {
            match *to == [0xff; header::MAC_LEN] {
                true => broadcast.add(frames),
                false => multicast.add(frames),
            }
        }
    }
}

/// MAC control frames that software sent, at both ends: of each port those of its own outlets are sent, those of the
/// other end's received.
#[derive(Default)]
pub(crate) struct MacControl {
    pub(crate) sent: Counter,
    pub(crate) received: Counter,
    /// Received ones that are none of a pause.
    pub(crate) unsupported: Counter,
    /// Received ones of a pause, where pauses are heeded.
    pub(crate) pauses: Counter,
}

/// What the engine counts of an outlet, under its lock.
#[derive(Default)]
pub(crate) struct OutletCounters {
    /// Frames that left, and their bytes as on the wire without the frame check sequence.
    pub(crate) frames: Counter,
    pub(crate) bytes: Counter,
    /// Packets that asked for segmentation, their bytes, and the frames and bytes that came of them.
    pub(crate) gso_packets: Counter,
    pub(crate) gso_bytes: Counter,
    pub(crate) gso_wire_frames: Counter,
    pub(crate) gso_wire_bytes: Counter,
    /// Frames whose checksum the engine filled.
    pub(crate) checksum_filled: Counter,
    /// Times the queue was stopped (by `start_xmit`, under the queue's lock).
    pub(crate) stops: Counter,
    /// Times the receiver let it run again, where it is the receiver who does.
    pub(crate) wakes: Counter,
    /// Times a frame began to wait for the receiver: pause frames received.
    pub(crate) pauses: Counter,
    pub(crate) mac_control: MacControl,
    pub(crate) multicast: Counter,
    pub(crate) broadcast: Counter,
    pub(crate) lengths: Lengths,
    pub(crate) drops: Drops,
}

/// What the engine of the other end counts of an inlet, under its lock.
#[derive(Default)]
pub(crate) struct InletCounters {
    /// Times a frame found no buffer and waited: pause frames sent.
    pub(crate) pauses: Counter,
    /// Times a pause lasted too long.
    pub(crate) storms: Counter,
    /// Frames that found no buffer and were dropped.
    pub(crate) overruns: Counter,
}

/// What a poll counts, and the raises that led to it.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct PollCounters {
    /// Frames passed on, and their bytes.
    pub(crate) frames: Counter,
    pub(crate) bytes: Counter,
    pub(crate) multicast: Counter,
    pub(crate) broadcast: Counter,
    /// Frames that GRO made part of another.
    pub(crate) merged: Counter,
    /// Packets that the NIC itself merged of frames, their bytes, and the frames and their bytes on the wire.
    pub(crate) hw_gro_packets: Counter,
    pub(crate) hw_gro_bytes: Counter,
    pub(crate) hw_gro_wire_packets: Counter,
    pub(crate) hw_gro_wire_bytes: Counter,
    /// Frames whose checksum was found right, wrong, or not looked at.
    pub(crate) checksum_good: Counter,
    pub(crate) checksum_bad: Counter,
    pub(crate) checksum_none: Counter,
    /// Frames for which no packet could be allocated.
    pub(crate) no_memory: Counter,
    /// Packets that were handed off and are longer than the port takes.
    pub(crate) too_long: Counter,
    /// Times a buffer could not be allocated.
    pub(crate) alloc_fail: Counter,
    /// Polls, and packets freed after transmission, and their bytes.
    pub(crate) polls: Counter,
    pub(crate) completed: Counter,
    pub(crate) completed_bytes: Counter,
    /// Times the poll let a stopped queue run.
    pub(crate) wakes: Counter,
    pub(crate) lengths: Lengths,
    pub(crate) batches: Batches,
    /// Times the vector was raised; written by who raised it.
    pub(crate) raises: Counter,
    /// Times its moderation was adapted to the traffic; written under the lock of its settings.
    pub(crate) adaptations: Counter,
}

/// The sum of one counter over all channels there can be.
fn sum<'a, T: 'a>(all: impl IntoIterator<Item = &'a T>, one: impl Fn(&T) -> u64) -> u64 {
    all.into_iter().fold(0u64, |n, t| n.wrapping_add(one(t)))
}

/// Frames that the port sent and that were dropped before they were on the wire.
fn drops_sent(data: &PortData, reason: Drop) -> u64 {
    sum(data.end().outlets.iter(), |o| o.counters.drops.get(reason))
}

/// Frames that the other port sent and that were dropped on their way to this one.
fn drops_towards(data: &PortData, reason: Drop) -> u64 {
    sum(data.other_end().outlets.iter(), |o| {
        o.counters.drops.get(reason)
    })
}

/// Frames, or packets handed off, that are longer than the port takes.
fn too_long(data: &PortData) -> u64 {
    drops_towards(data, Drop::TooLong).wrapping_add(sum(data.poll.iter(), |p| p.too_long.get()))
}

/// Fills in what `ip -s link` shows.
pub(crate) fn link_stats(dev: &Device<Port>, s: &mut LinkStats) {
    let data = dev.data();
    let end = data.end();
    for o in end.outlets.iter() {
        s.tx_packets = s.tx_packets.wrapping_add(o.counters.frames.get());
        s.tx_bytes = s.tx_bytes.wrapping_add(o.counters.bytes.get());
    }
    for p in data.poll.iter() {
        s.rx_packets = s.rx_packets.wrapping_add(p.frames.get());
        s.rx_bytes = s.rx_bytes.wrapping_add(p.bytes.get());
        s.multicast = s.multicast.wrapping_add(p.multicast.get());
        s.rx_dropped = s.rx_dropped.wrapping_add(p.no_memory.get());
    }
    s.tx_carrier_errors = drops_sent(data, Drop::NoCarrier);
    s.tx_aborted_errors =
        drops_sent(data, Drop::Segmentation).wrapping_add(drops_sent(data, Drop::TooShort));
    s.tx_errors = s.tx_carrier_errors.wrapping_add(s.tx_aborted_errors);
    // Those that found no room in a smaller ring were never counted as sent.
    s.tx_dropped = data
        .dropped_before_wire()
        .wrapping_add(end.closed.get(Drop::Closed));
    s.rx_length_errors = too_long(data);
    s.rx_errors = s.rx_length_errors;
    s.rx_missed_errors =
        drops_towards(data, Drop::NoBuffer).wrapping_add(drops_towards(data, Drop::PauseExpired));
    s.rx_dropped = s.rx_dropped.wrapping_add(end.closed.get(Drop::Unread));
}
