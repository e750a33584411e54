// SPDX-License-Identifier: GPL-2.0

//! Hardware GRO (`ethtool -K rx-gro-hw`): frames of one TCP stream that came together go up as one packet.
//!
//! What may be merged, and what the packet's headers are then, is decided in [`pure::aggregate`]; here are the packets.
//! A frame of a stream never overtakes what is held of it, and the stack's own GRO may go on with what goes up.
//!
//! # For how long
//!
//! A packet of [`ENOUGH`] frames or more goes up with the poll that ends: to wait longer would save little, and hold up
//! a sender whose window is small. One of fewer waits for more, across polls, as long as frames come to the queue; its
//! stream may be one of many that take turns. It goes up
//!
//! - with a frame that ends it (`PSH`, `FIN`, a short one), or before one that cannot be merged;
//! - when the queue has been quiet for four [ticks](crate::limits::HOLD_TICK_NS);
//! - when 32 ticks have passed since its last frame;
//! - when its turn has passed: of those held it has waited longest, and [`PASSED_MAX`] more frames than there are
//!   streams held have come since its last one that neither were its own nor began to wait themselves;
//! - when its place is needed;
//! - when merging is switched off, or the channel is to be emptied.
//!
//! A poll that leaves something starts the timer of the ticks, unless it runs; when it finds the queue quiet, or the
//! time of the one that has waited longest over, it raises the vector. So nothing is held that nobody comes back for,
//! and frames cost no timer each. Whatever is held, a poll looks at no more than it gives up, and at those to which it
//! added frames. What is given up at a poll's end counts as much as frames: what is more than the poll's budget is left
//! to the next one, which begins with it.
//!
//! Where the other end's segmentation offload feeds the receiver directly, the engine does not cut in the first place
//! ([`engine`](crate::engine)); what comes that way is only counted here.

use crate::channel::Channel;
use crate::latency::{self, Sample};
use crate::limits::{HOLD_TICK_NS, VLAN_HLEN};
use crate::receive::{Checked, FrameInfo, Offloads, Stream, Total};
use crate::stats::{count_group, PollCounters};
use crate::vector::Vector;
use kernel::prelude::*;
use netdev::napi::{Poll, Timer};
use netdev::skb::{Merged, RxSkb};
use pure::aggregate::{Gso, Held, Limits, Segment, Verdict};
use pure::header;
use pure::turns::{Place, Slot, Turns};

/// Streams of which something can be held at the same time: as many as the receive ring has descriptors, at most these.
const STREAMS_MAX: u32 = 512;

/// Of as many streams, at most, a frame may be that fall into the same place by their hash.
const ALIKE_MAX: u32 = 16;

/// A packet of so many frames does not wait for more.
const ENOUGH: u16 = 4;

/// How many frames may pass the one that has waited longest, beside one of each stream that is held.
const PASSED_MAX: u32 = 32;

/// What an IP packet can say, and what a packet has room for: one fragment a frame at least.
const LIMITS: Limits = Limits {
    length: 0xffff,
    segments: 64,
};

/// A packet that is being merged.
struct Aggregate {
    /// `None` while a frame is added to it.
    skb: Option<RxSkb>,
    held: Held,
    hash: u32,
    tag: Option<(u16, u16)>,
    transport_offset: u16,
    /// Bytes of its frames on the wire.
    wire_bytes: u64,
    /// When its last frame came.
    last: Moment,
    /// Not 0 if the way of its first frame is watched.
    sample: Sample,
}

/// The time, as far as it matters to what is held.
#[derive(Clone, Copy, Default)]
struct Moment {
    /// Ends of polls.
    poll: u32,
    /// Frames that neither were of the stream that had waited longest nor began to wait themselves.
    passed: u32,
    /// Ticks, as the vector counts them.
    tick: u32,
}

/// What becomes of a frame.
pub(crate) enum Offer {
    /// It is merged into the aggregate at that place: its payload, up to the offset `end` in it, is to be added
    /// ([`Aggregates::take`]). `last`: as the last one.
    Merge { at: Place, last: bool, end: u32 },
    /// It can begin an aggregate, as it is ([`Aggregates::hold`]).
    Hold(Held, u16),
    /// It goes up alone.
    Alone,
}

/// The poll in which packets go up, and what is counted in it.
pub(crate) struct Upwards<'a, 'p> {
    pub(crate) poll: &'a Poll<'p, Channel>,
    pub(crate) counters: &'a PollCounters,
    pub(crate) total: &'a mut Total,
}

/// What is held. Touched by the channel's poll only, or while its NAPI is disabled.
pub(crate) struct Aggregates {
    held: Turns<KVVec<Slot<Aggregate>>>,
    now: Moment,
    /// Frames of this poll that are not among those that passed another.
    in_turn: u32,
    /// A poll that was to give up all that is held had no budget for it, and the next one goes on with that.
    all: bool,
}

impl Aggregates {
    /// For a receive ring of so many descriptors.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(ring: u32) -> Result<Self> {
        let count = ring.min(STREAMS_MAX) as usize;
        let mut slots = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            slots.push(Slot::new(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Aggregates {
            held: Turns::new(slots),
            now: Moment::default(),
            in_turn: 0,
            all: false,
        })
    }

    /// Bytes that it takes for a receive ring of so many descriptors.
    pub(crate) fn bytes(ring: u32) -> u64 {
        u64::from(ring.min(STREAMS_MAX)).saturating_mul(size_of::<Slot<Aggregate>>() as u64)
    }

    /// Takes over what another one holds, as far as there is room.
    pub(crate) fn adopt(&mut self, other: &mut Self) {
        while let Some(mut a) = other.held.oldest().and_then(|at| other.held.remove(at)) {
            a.last = self.now;
            let hash = a.hash;
            if let Err(a) = self.held.add(hash, a) {
                drop(other.held.add(hash, a));
                return;
            }
        }
    }

    /// Whether nothing is held.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether a frame has to be offered: it could be merged, or could overtake something.
    #[inline(always)]
    pub(crate) fn concern(&self, info: &FrameInfo, offloads: Offloads) -> bool {
        match info.stream() {
            Stream::None => false,
            _ if !self.is_empty() => true,
            Stream::Ends => false,
            Stream::GoesOn => {
                offloads.merge
                    && !info.is_merged()
                    && info.checked() == Checked::Good
                    && info.len > info.header_len.into()
            }
        }
    }

    /// Offers a frame, whose first bytes, with all headers, are `frame`; it lies in `buffers` buffers. What it must not
    /// overtake goes up.
    pub(crate) fn offer(
        &mut self,
        frame: &[u8],
        info: &FrameInfo,
        buffers: u32,
        offloads: Offloads,
        to: &mut Upwards<'_, '_>,
    ) -> Offer {
        let mergeable = offloads.merge
            && !info.is_merged()
            && info.checked() == Checked::Good
            && (info.tag().is_none() || offloads.strip);
        let segment = header::parse(frame)
            // A tag in the bytes may have to be taken out, which moves the headers.
            .filter(|h| h.tags == 0)
            .and_then(|h| Segment::of(frame, &h, info.len as usize, mergeable));
        let Some(segment) = segment else {
            return Offer::Alone;
        };
        let (mut next, mut alike) = (self.held.first(info.hash), 0u32);
        while let Some(at) = next {
            next = self.held.next(at);
            alike = alike.wrapping_add(1);
            if alike >= ALIKE_MAX && next.is_none() {
                // One more would make the search longer.
                self.up(at, to);
                break;
            }
            let oldest = self.held.oldest() == Some(at);
            let Some(a) = self.held.get_mut(at) else {
                break;
            };
            if a.hash != info.hash || a.tag != info.tag() {
                continue;
            }
            let Some(skb) = a.skb.as_ref() else {
                continue;
            };
            let limits = if skb.frags_left() < buffers || info.is_merged() {
                // Nothing more is merged.
                Limits {
                    segments: 0,
                    ..LIMITS
                }
            } else {
                LIMITS
            };
            let last = match a.held.offer(skb.linear(), frame, &segment, &limits) {
                Verdict::OtherFlow => continue,
                Verdict::Merged => false,
                Verdict::MergedLast => true,
                Verdict::Flush => {
                    self.up(at, to);
                    break;
                }
            };
            self.in_turn = self.in_turn.wrapping_add(oldest.into());
            let end = segment.payload_end();
            return Offer::Merge { at, last, end };
        }
        match Held::hold(&segment, &LIMITS) {
            Some(held) if !info.is_merged() => Offer::Hold(held, segment.transport_offset()),
            _ => Offer::Alone,
        }
    }

    /// The packet of an aggregate, to add the payload of the frame that was merged into it, which is at the offset in
    /// it. It is given back by [`Aggregates::extended`].
    #[inline]
    pub(crate) fn take(&mut self, at: Place) -> Option<(RxSkb, u32)> {
        let a = self.held.get_mut(at)?;
        Some((a.skb.take()?, a.held.payload_offset()))
    }

    /// Gives back the packet, to which a frame of `wire_bytes` was added, as its `last` one or not. `None`: it is lost,
    /// with all frames in it.
    pub(crate) fn extended(
        &mut self,
        at: Place,
        skb: Option<RxSkb>,
        last: bool,
        wire_bytes: u64,
        to: &mut Upwards<'_, '_>,
    ) {
        let Some(a) = self.held.get_mut(at) else {
            return;
        };
        if skb.is_none() {
            to.counters.no_memory.add(a.held.segments().into());
            drop(self.held.remove(at));
            return;
        }
        a.skb = skb;
        a.wire_bytes = a.wire_bytes.wrapping_add(wire_bytes);
        a.last = self.now;
        if last {
            self.up(at, to);
        } else {
            self.held.touch(at);
        }
    }

    /// Begins an aggregate with a packet.
    pub(crate) fn hold(
        &mut self,
        skb: RxSkb,
        held: Held,
        transport_offset: u16,
        info: &FrameInfo,
        to: &mut Upwards<'_, '_>,
    ) {
        let aggregate = Aggregate {
            skb: Some(skb),
            held,
            hash: info.hash,
            tag: info.tag(),
            transport_offset,
            wire_bytes: info.wire_bytes(),
            last: self.now,
            sample: info.sample,
        };
        self.in_turn = self.in_turn.wrapping_add(1);
        if let Err(aggregate) = self.held.add(info.hash, aggregate) {
            if let Some(oldest) = self.held.oldest() {
                self.up(oldest, to);
            }
            // There is a place now.
            drop(self.held.add(info.hash, aggregate));
        }
    }

    /// Gives to the stack what is not to wait longer, as many as `budget` packets; returns how many. All of a budget:
    /// there may be more.
    #[inline(never)]
    pub(crate) fn overdue(
        &mut self,
        vector: &Vector,
        budget: u32,
        to: &mut Upwards<'_, '_>,
    ) -> u32 {
        self.now.tick = vector.ticks();
        let mut given = 0u32;
        while given < budget {
            let Some(at) = self.held.oldest() else {
                self.all = false;
                break;
            };
            if !self.all && self.held.get(at).is_some_and(|a| self.may_wait(a)) {
                break;
            }
            self.up(at, to);
            given = given.wrapping_add(1);
        }
        given
    }

    /// Ends a poll, which `received` so many frames: gives to the stack what is not to wait for more, as far as that is
    /// left of its `budget`, and returns how many packets it was, all of that if there may be more. `merge`: whether
    /// merging is on.
    #[inline(never)]
    pub(crate) fn rest(
        &mut self,
        vector: &Vector,
        received: u32,
        budget: u32,
        merge: bool,
        to: &mut Upwards<'_, '_>,
    ) -> u32 {
        self.all |= vector.is_quiet(received > 0) || !merge || vector.is_draining();
        // Those that this poll added frames to were seen last.
        let mut next = self.held.youngest();
        while let Some(at) = next {
            next = self.held.before(at);
            match self.held.get(at) {
                Some(a) if a.last.poll == self.now.poll => {
                    if a.held.segments() >= ENOUGH {
                        self.up(at, to);
                    }
                }
                _ => break,
            }
        }
        // Polls that end with nothing held do not come here, but may have counted.
        let passed = received.saturating_sub(core::mem::take(&mut self.in_turn));
        self.now.passed = self.now.passed.wrapping_add(passed);
        let given = self.overdue(vector, budget, to);
        self.now.poll = self.now.poll.wrapping_add(1);
        let oldest = self.held.oldest().and_then(|at| self.held.get(at));
        if vector.holds(oldest.map(|a| a.last.tick)) {
            let tick = HOLD_TICK_NS;
            to.poll.start_timer(Timer::Aggregation, tick, tick / 8);
        }
        given
    }

    /// Whether the one that has waited longest may wait longer.
    #[inline]
    fn may_wait(&self, oldest: &Aggregate) -> bool {
        let passed = self.now.passed.wrapping_sub(oldest.last.passed);
        passed <= PASSED_MAX.wrapping_add(self.held.len() as u32)
            && !Vector::is_over(self.now.tick, oldest.last.tick)
    }

    /// Frees what is held; returns how many frames it was.
    pub(crate) fn discard(&mut self) -> u64 {
        let mut frames = 0u64;
        while let Some(a) = self.held.oldest().and_then(|at| self.held.remove(at)) {
            frames = frames.wrapping_add(a.held.segments().into());
        }
        frames
    }

    /// Gives one to the stack.
    fn up(&mut self, at: Place, to: &mut Upwards<'_, '_>) {
        let Some(a) = self.held.remove(at) else {
            return;
        };
        let Some(mut skb) = a.skb else {
            return;
        };
        let counters = to.counters;
        if let Some(g) = a.held.finish(skb.linear_mut()) {
            if skb.set_merged(merged(g, a.transport_offset)).is_err() {
                counters.no_memory.add(g.segments.into());
                return;
            }
            count(&skb, g.segments, a.wire_bytes, counters);
        }
        let frames = u64::from(a.held.segments());
        let tag = if a.tag.is_some() { VLAN_HLEN } else { 0 };
        let (each, last) = a.held.frame_lengths();
        let lengths = (each.wrapping_add(tag), last.wrapping_add(tag));
        let to_whom = header::destination(skb.linear());
        count_group(to_whom, frames, &counters.multicast, &counters.broadcast);
        // Only such are merged.
        counters.checksum_good.add(frames);
        to.total.add(frames, lengths, a.wire_bytes, counters);
        let merged = latency::gro_receive(to.poll, skb, a.sample);
        to.total.merged = to.total.merged.wrapping_add(merged.into());
    }
}

/// What the stack is told of a packet that stands for several frames.
pub(crate) fn merged(gso: Gso, transport_offset: u16) -> Merged {
    Merged {
        size: gso.size,
        segments: gso.segments,
        ipv6: gso.ipv6,
        fixed_id: gso.fixed_id,
        cwr: gso.cwr,
        transport_offset,
    }
}

/// Counts a packet that was merged of frames.
#[inline]
pub(crate) fn count(skb: &RxSkb, frames: u16, wire_bytes: u64, counters: &PollCounters) {
    counters.hw_gro_packets.inc();
    counters.hw_gro_bytes.add(skb.len().into());
    counters.hw_gro_wire_packets.add(frames.into());
    counters.hw_gro_wire_bytes.add(wire_bytes);
}
