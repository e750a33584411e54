// SPDX-License-Identifier: GPL-2.0

//! Hardware GRO (`ethtool -K rx-gro-hw`): frames of one TCP stream that came together go up as one packet.
//!
//! What may be merged, and what the packet's headers are then, is decided in [`pure::aggregate`]; here are the packets.
//! They are held for one poll at most, so nothing waits that nobody polls for, and the stack's own GRO may go on with
//! them. A frame of a stream never overtakes what is held of it.
//!
//! Where the other end's segmentation offload feeds the receiver directly, the engine does not cut in the first place
//! ([`engine`](crate::engine)); what comes that way is only counted here.

use crate::channel::Channel;
use crate::latency::{self, Sample};
use crate::receive::{Checked, FrameInfo, Offloads};
use crate::stats::PollCounters;
use netdev::napi::Poll;
use netdev::skb::{Merged, RxSkb};
use pure::aggregate::{Gso, Held, Limits, Segment, Verdict};
use pure::header;

/// Streams of which something is held at the same time.
const SLOTS: usize = 8;

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
    /// Not 0 if the way of its first frame is watched.
    sample: Sample,
}

/// What becomes of a frame.
pub(crate) enum Offer {
    /// It is merged into the aggregate at that place: its payload is to be added ([`Aggregates::take`]). `last`: as the
    /// last one.
    Merge { at: usize, last: bool },
    /// It can begin an aggregate, as it is ([`Aggregates::hold`]).
    Hold(Held, u16),
    /// It goes up alone.
    Alone,
}

/// What is held. Touched by the channel's poll only, or while its NAPI is disabled.
pub(crate) struct Aggregates {
    /// The oldest first; those from `used` on are `None`.
    slots: [Option<Aggregate>; SLOTS],
    used: usize,
}

impl Aggregates {
    pub(crate) fn new() -> Self {
        Aggregates {
            slots: [const { None }; SLOTS],
            used: 0,
        }
    }

    /// Whether nothing is held.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Whether a frame has to be offered: it could be merged, or could overtake something.
    #[inline(always)]
    pub(crate) fn concern(&self, info: &FrameInfo, offloads: Offloads) -> bool {
        if !info.tcp {
            return false;
        }
        !self.is_empty()
            || (offloads.merge
                && info.merged.is_none()
                && info.checked == Checked::Good
                && info.len > info.header_len.into())
    }

    /// Offers a frame, whose first bytes, with all headers, are `frame`; it lies in `buffers` buffers. What it must not
    /// overtake goes up.
    pub(crate) fn offer(
        &mut self,
        frame: &[u8],
        info: &FrameInfo,
        buffers: u32,
        offloads: Offloads,
        poll: &Poll<'_, Channel>,
        counters: &PollCounters,
    ) -> Offer {
        let mergeable = offloads.merge
            && info.merged.is_none()
            && info.checked == Checked::Good
            && (info.tag.is_none() || offloads.strip);
        let segment = header::parse(frame)
            // A tag in the bytes may have to be taken out, which moves the headers.
            .filter(|h| h.tags == 0)
            .and_then(|h| Segment::of(frame, &h, info.len as usize, mergeable));
        let Some(segment) = segment else {
            return Offer::Alone;
        };
        let mut i = 0;
        while let Some(Some(a)) = self.slots.get_mut(i) {
            if a.hash != info.hash || a.tag != info.tag {
                i = i.wrapping_add(1);
                continue;
            }
            let Some(skb) = a.skb.as_ref() else {
                self.up(i, poll, counters);
                continue;
            };
            let limits = if skb.frags_left() < buffers || info.merged.is_some() {
                // Nothing more is merged.
                Limits {
                    segments: 0,
                    ..LIMITS
                }
            } else {
                LIMITS
            };
            match a.held.offer(skb.linear(), frame, &segment, &limits) {
                Verdict::OtherFlow => i = i.wrapping_add(1),
                Verdict::Merged => return Offer::Merge { at: i, last: false },
                Verdict::MergedLast => return Offer::Merge { at: i, last: true },
                Verdict::Flush => {
                    self.up(i, poll, counters);
                    break;
                }
            }
        }
        match Held::hold(&segment) {
            Some(held) if info.merged.is_none() => Offer::Hold(held, segment.transport_offset()),
            _ => Offer::Alone,
        }
    }

    /// The packet of an aggregate, to add the payload of the frame that was merged into it, which is at the offset in it.
    /// It is given back by [`Aggregates::extended`].
    #[inline]
    pub(crate) fn take(&mut self, at: usize) -> Option<(RxSkb, u32)> {
        let a = self.slots.get_mut(at)?.as_mut()?;
        Some((a.skb.take()?, a.held.payload_offset()))
    }

    /// Gives back the packet, to which a frame of `wire_bytes` was added, as its `last` one or not. Returns how many frames
    /// have been lost with it: those in it, if it is `None`.
    pub(crate) fn extended(
        &mut self,
        at: usize,
        skb: Option<RxSkb>,
        last: bool,
        wire_bytes: u64,
        poll: &Poll<'_, Channel>,
        counters: &PollCounters,
    ) -> u64 {
        let Some(Some(a)) = self.slots.get_mut(at) else {
            return 0;
        };
        if skb.is_none() {
            return self.remove(at).map_or(0, |a| a.held.segments().into());
        }
        a.skb = skb;
        a.wire_bytes = a.wire_bytes.wrapping_add(wire_bytes);
        if last {
            self.up(at, poll, counters);
        }
        0
    }

    /// Begins an aggregate with a packet.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn hold(
        &mut self,
        skb: RxSkb,
        held: Held,
        transport_offset: u16,
        info: &FrameInfo,
        wire_bytes: u64,
        poll: &Poll<'_, Channel>,
        counters: &PollCounters,
    ) {
        if self.used >= SLOTS {
            self.up(0, poll, counters);
        }
        if let Some(slot) = self.slots.get_mut(self.used) {
            *slot = Some(Aggregate {
                skb: Some(skb),
                held,
                hash: info.hash,
                tag: info.tag,
                transport_offset,
                wire_bytes,
                sample: info.sample,
            });
            self.used = self.used.wrapping_add(1);
        }
    }

    /// Gives all that is held to the stack.
    #[inline(never)]
    pub(crate) fn flush(&mut self, poll: &Poll<'_, Channel>, counters: &PollCounters) {
        while !self.is_empty() {
            self.up(0, poll, counters);
        }
    }

    /// Frees what is held; returns how many frames it was.
    pub(crate) fn discard(&mut self) -> u64 {
        let mut frames = 0u64;
        while let Some(a) = self.remove(0) {
            frames = frames.wrapping_add(a.held.segments().into());
        }
        frames
    }

    /// Takes one out; those behind it move up.
    fn remove(&mut self, at: usize) -> Option<Aggregate> {
        let taken = self.slots.get_mut(at)?.take()?;
        self.used = self.used.wrapping_sub(1);
        let mut i = at;
        while i < self.used {
            let behind = i.wrapping_add(1);
            let next = self.slots.get_mut(behind).and_then(Option::take);
            if let Some(slot) = self.slots.get_mut(i) {
                *slot = next;
            }
            i = behind;
        }
        Some(taken)
    }

    /// Gives one to the stack.
    fn up(&mut self, at: usize, poll: &Poll<'_, Channel>, counters: &PollCounters) {
        let Some(a) = self.remove(at) else {
            return;
        };
        let Some(mut skb) = a.skb else {
            return;
        };
        if let Some(g) = a.held.finish(skb.linear_mut()) {
            if skb.set_merged(merged(g, a.transport_offset)).is_err() {
                counters.no_memory.add(g.segments.into());
                return;
            }
            count(&skb, g.segments, a.wire_bytes, counters);
        }
        let merged = latency::gro_receive(poll, skb, a.sample);
        counters.merged.add(merged.into());
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
