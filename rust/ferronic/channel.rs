// SPDX-License-Identifier: GPL-2.0

//! A channel: a vector with one TX ring and one RX ring, and its poll.

use crate::adaptive::Adaptive;
use crate::engine;
use crate::handoff;
use crate::limits::REFILL_RETRY_NS;
use crate::port::Port;
use crate::receive::{Offloads, RxHalf};
use crate::stats::PollCounters;
use crate::vector::Vector;
use crate::wire::{Inlet, TxDescriptor};
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::context::Bh;
use netdev::napi::{self, Instance, Poll, Progress, Timer, TxPoll};
use netdev::ring::Taker;
use netdev::sync::Word;

/// What polls read of the port's features; written under the instance lock.
pub(crate) struct PollFlags {
    pub(crate) checksum: Word<u32>,
    pub(crate) hash: Word<u32>,
    pub(crate) strip: Word<u32>,
    pub(crate) merge: Word<u32>,
}

/// What a poll owns.
pub(crate) struct Channel {
    /// Both `None` on a wire that hands packets off: there the TX ring of the other end is the receive ring.
    pub(crate) rx: Option<RxHalf>,
    pub(crate) tx: Option<Taker<TxDescriptor>>,
    /// The port's counters of this channel.
    pub(crate) counters: Arc<KVec<PollCounters>>,
    pub(crate) flags: Arc<PollFlags>,
    /// `None` until the channel is in use.
    pub(crate) adaptive: Option<Adaptive>,
    /// Where serving waiters begins, so that each of them is first now and then.
    pub(crate) rotate: u32,
}

impl Channel {
    /// Frees what was sent, and lets the queue run again. Returns whether there was anything.
    #[inline(always)]
    fn complete(
        tx: &mut Option<Taker<TxDescriptor>>,
        vector: &Vector,
        poll: &TxPoll<'_>,
        counters: &PollCounters,
    ) -> bool {
        let Some(tx) = tx.as_mut() else {
            return false;
        };
        let (mut packets, mut bytes) = (0u32, 0u32);
        while let Some(d) = tx.take() {
            packets = packets.wrapping_add(1);
            bytes = bytes.wrapping_add(d.label.bytes());
            poll.consume(d.packet.into_skb());
        }
        if packets == 0 {
            return false;
        }
        tx.release();
        counters.completed.add(packets.into());
        counters.completed_bytes.add(bytes.into());
        let Some(queue) = poll.tx_queue(vector.index) else {
            return true;
        };
        // A full barrier: a queue that is stopped after this sees the ring as it is now.
        queue.completed(packets, bytes);
        if queue.is_held() {
            if tx.free() >= wake_threshold(tx.size()) && queue.is_stopped() {
                queue.wake();
                counters.wakes.inc();
            } else {
                // It moves, and is no case for the watchdog, however long a slow receiver takes for the rest.
                queue.touch();
            }
        }
        true
    }

    /// Lets the moderation follow the traffic, if it is to.
    #[inline(always)]
    fn adapt(
        adaptive: &mut Option<Adaptive>,
        vector: &Vector,
        poll: &Poll<'_, Self>,
        counters: &PollCounters,
    ) {
        if vector.adapts() != (false, false) {
            if let Some(adaptive) = adaptive.as_mut() {
                adaptive.sample(vector, poll, counters);
            }
        }
    }

    /// Runs the engine for the own outlet where the doorbell could not, or where it waits for too long.
    #[inline]
    fn catch_up(vector: &Vector, bh: &Bh<'_>) {
        let end = vector.wire.end(vector.side);
        let Some(outlet) = end.outlets.get(usize::from(vector.index)) else {
            return;
        };
        if outlet.kicked.read() == 0 && outlet.waiting.read() == 0 {
            return;
        }
        let mut open = outlet.lock.lock(bh);
        if let Some(open) = open.as_mut().filter(|open| !open.hands_off()) {
            engine::service(&vector.wire, vector.side, vector.index, outlet, open, bh);
        }
    }
}

/// Descriptors that have to be free before a stopped queue runs again: a quarter of the ring.
#[inline]
pub(crate) fn wake_threshold(len: u32) -> u32 {
    len >> 2
}

/// Runs the engine for the outlets that wait for buffers of the vector's channel, each in its turn. The caller has a
/// full barrier between what they wait for and this.
#[inline(always)]
pub(crate) fn serve_waiters(vector: &Vector, bh: &Bh<'_>, rotate: &mut u32) {
    let own = vector.wire.end(vector.side);
    if let Some(inlet) = own.inlets.get(usize::from(vector.index)) {
        // Mostly nobody waits.
        if !inlet.waiters.is_empty() {
            serve(vector, inlet, bh, rotate);
        }
    }
}

/// Runs the engine for the outlets that wait at an inlet.
#[inline(never)]
fn serve(vector: &Vector, inlet: &Inlet, bh: &Bh<'_>, rotate: &mut u32) {
    let peer = vector.wire.end(vector.side.other());
    let n = inlet.waiters.parts();
    let start = *rotate as usize >> 6;
    for k in 0..n {
        let at = start.wrapping_add(k).checked_rem(n).unwrap_or(0);
        let mut bits = inlet.waiters.take(at);
        if bits == 0 {
            continue;
        }
        // Starts behind where it started last.
        let mut bit = *rotate & 63;
        *rotate = rotate.wrapping_add(1);
        while bits != 0 {
            if bits & (1 << bit) != 0 {
                bits &= !(1 << bit);
                let index = (at as u32).wrapping_mul(64).wrapping_add(bit) as u16;
                if let Some(outlet) = peer.outlets.get(usize::from(index)) {
                    let mut open = outlet.lock.lock(bh);
                    // While the datapath changes, the other end may be ahead; it rings again when it is done.
                    if let Some(open) = open.as_mut().filter(|open| !open.hands_off()) {
                        engine::service(&vector.wire, vector.side.other(), index, outlet, open, bh);
                    }
                }
            }
            bit = bit.wrapping_add(1) & 63;
        }
    }
}

impl napi::Handler for Channel {
    type Driver = Port;
    type Shared = Vector;

    fn part(&mut self) {
        if let Some(rx) = self.rx.as_mut() {
            rx.part();
        }
    }

    fn poll(&mut self, vector: &Vector, poll: &Poll<'_, Self>) -> Progress {
        vector.begin();
        let Channel {
            rx,
            tx,
            counters,
            flags,
            adaptive,
            rotate,
        } = self;
        let Some(counters) = counters.get(usize::from(vector.index)) else {
            return Progress::Done(0);
        };
        counters.polls.inc();
        let Some(rx) = rx.as_mut() else {
            handoff::catch_up(vector, poll.device(), poll.bh());
            let received = handoff::receive(vector, poll, poll.budget(), rotate, counters);
            counters.batches.count(received);
            Self::adapt(adaptive, vector, poll, counters);
            if received >= poll.budget() {
                return Progress::More;
            }
            return Progress::Done(received);
        };
        let offloads = Offloads {
            checksum: flags.checksum.read() != 0,
            hash: flags.hash.read() != 0,
            strip: flags.strip.read() != 0,
            merge: flags.merge.read() != 0,
        };
        let received = rx.receive(poll, vector, poll.budget(), offloads, counters);
        let full = rx.refill(poll, counters);
        let completed = Self::complete(tx, vector, poll.tx(), counters);
        Self::adapt(adaptive, vector, poll, counters);
        // Pairs with the engine's: the buffers are posted before the waiters are read.
        netdev::sync::smp_mb();
        serve_waiters(vector, poll.bh(), rotate);
        Self::catch_up(vector, poll.bh());
        if received >= poll.budget() {
            return Progress::More;
        }
        if !full {
            poll.start_timer(Timer::Retry, REFILL_RETRY_NS, 0);
        }
        Progress::Done(received.max(completed.into()))
    }

    fn poll_tx(&mut self, vector: &Vector, poll: &TxPoll<'_>) {
        let Channel { tx, counters, .. } = self;
        if let Some(counters) = counters.get(usize::from(vector.index)) {
            Self::complete(tx, vector, poll, counters);
        }
    }

    fn timer(instance: &Instance<Self>, which: Timer) {
        Vector::timer(instance, which);
    }

    fn completed(instance: &Instance<Self>, _bh: &Bh<'_>) {
        Vector::completed(instance);
    }
}
