// SPDX-License-Identifier: GPL-2.0

//! The receive half of a channel: taking frames out of the RX ring, making packets, posting buffers.

use crate::aggregate::{self, Aggregates, Offer, Upwards};
use crate::channel::Channel;
use crate::latency::{self, Sample};
use crate::limits::{FRAME_MIN, VLAN_HLEN};
use crate::stats::{count_group, PollCounters};
use crate::vector::Vector;
use netdev::napi::{Owner, Poll};
use netdev::page_pool::{Buffer, PagePool};
use netdev::ring::{Poster, Taker};
use netdev::skb::{Checksum, HashKind, Merged, RxSkb, SkBuff};
use pure::header;
use pure::turns::Place;

/// What the engine found out about a frame's checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Checked {
    /// Nothing: no checksum it knows, or a fragment.
    Unknown,
    Good,
    Bad,
}

/// What a frame is of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    /// It is not TCP.
    None,
    /// It is of one; by its flags nothing that follows belongs to it.
    Ends,
    /// It is of one that goes on.
    GoesOn,
}

/// What the engine says of a frame, in its first descriptor.
///
/// In few pieces, as in the completions of hardware: it goes with each frame, into the ring and out of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct FrameInfo {
    /// Bytes in the buffers.
    pub(crate) len: u32,
    pub(crate) hash: u32,
    /// Protocol and TCI of the VLAN tag that is part of the frame and not in the buffer; 0 if there is none, as there
    /// is no such protocol.
    tag: u32,
    /// Bytes of all headers.
    pub(crate) header_len: u16,
    /// Not 0 if its way is watched.
    pub(crate) sample: Sample,
    // Of the frames it stands for, if it is more than one, what `Merged` says.
    size: u16,
    segments: u16,
    transport_offset: u16,
    flags: u16,
}

/// Bits of [`FrameInfo::flags`].
mod flag {
    /// How the hash was made, unless it was not.
    pub(super) const HASH_L3: u16 = 1;
    pub(super) const HASH_L4: u16 = 1 << 1;
    /// What was found out about the checksum, unless it was nothing.
    pub(super) const GOOD: u16 = 1 << 2;
    pub(super) const BAD: u16 = 1 << 3;
    /// Whether it is of a stream, and that goes on.
    pub(super) const STREAM: u16 = 1 << 4;
    pub(super) const GOES_ON: u16 = 1 << 5;
    /// It stands for several frames, and what these have in common.
    pub(super) const MERGED: u16 = 1 << 6;
    pub(super) const IPV6: u16 = 1 << 7;
    pub(super) const FIXED_ID: u16 = 1 << 8;
    pub(super) const CWR: u16 = 1 << 9;
}

impl FrameInfo {
    /// Of a frame of so many bytes, whose checksum is not known.
    #[inline(always)]
    pub(crate) fn new(len: u32, header_len: u16, sample: Sample) -> Self {
        FrameInfo {
            len,
            header_len,
            sample,
            ..Default::default()
        }
    }

    /// Adds its hash.
    #[inline(always)]
    pub(crate) fn with_hash(mut self, hash: u32, kind: Option<HashKind>) -> Self {
        self.hash = hash;
        self.flags |= match kind {
            Some(HashKind::L3) => flag::HASH_L3,
            Some(HashKind::L4) => flag::HASH_L4,
            None => 0,
        };
        self
    }

    /// Adds its VLAN tag: protocol and TCI.
    #[inline(always)]
    pub(crate) fn with_tag(mut self, tag: Option<(u16, u16)>) -> Self {
        self.tag = tag.map_or(0, |(protocol, tci)| {
            u32::from(protocol) << u16::BITS | u32::from(tci)
        });
        self
    }

    /// Adds what it is of a stream.
    #[inline(always)]
    pub(crate) fn with_stream(mut self, stream: Stream) -> Self {
        self.flags |= match stream {
            Stream::None => 0,
            Stream::Ends => flag::STREAM,
            Stream::GoesOn => flag::STREAM | flag::GOES_ON,
        };
        self
    }

    /// Adds what was found out about its checksum.
    #[inline(always)]
    pub(crate) fn with_checked(mut self, checked: Checked) -> Self {
        self.flags |= match checked {
            Checked::Good => flag::GOOD,
            Checked::Bad => flag::BAD,
            Checked::Unknown => 0,
        };
        self
    }

    /// Says that it stands for several frames.
    pub(crate) fn with_merged(mut self, m: Merged) -> Self {
        (self.size, self.segments) = (m.size, m.segments);
        self.transport_offset = m.transport_offset;
        self.flags |= flag::MERGED;
        for (set, flag) in [
            (m.ipv6, flag::IPV6),
            (m.fixed_id, flag::FIXED_ID),
            (m.cwr, flag::CWR),
        ] {
            if set {
                self.flags |= flag;
            }
        }
        self
    }

    /// How its hash was made, if it has one.
    #[inline(always)]
    fn kind(&self) -> Option<HashKind> {
        if self.flags & flag::HASH_L4 != 0 {
            return Some(HashKind::L4);
        }
        (self.flags & flag::HASH_L3 != 0).then_some(HashKind::L3)
    }

    /// What was found out about its checksum.
    #[inline(always)]
    pub(crate) fn checked(&self) -> Checked {
        if self.flags & flag::GOOD != 0 {
            return Checked::Good;
        }
        match self.flags & flag::BAD {
            0 => Checked::Unknown,
            _ => Checked::Bad,
        }
    }

    /// The VLAN tag that is part of the frame and not in the buffer: protocol and TCI.
    #[inline(always)]
    pub(crate) fn tag(&self) -> Option<(u16, u16)> {
        (self.tag != 0).then_some(((self.tag >> u16::BITS) as u16, self.tag as u16))
    }

    /// What it is of a stream.
    #[inline(always)]
    pub(crate) fn stream(&self) -> Stream {
        if self.flags & flag::STREAM == 0 {
            return Stream::None;
        }
        match self.flags & flag::GOES_ON {
            0 => Stream::Ends,
            _ => Stream::GoesOn,
        }
    }

    /// Whether it stands for several frames.
    #[inline(always)]
    pub(crate) fn is_merged(&self) -> bool {
        self.flags & flag::MERGED != 0
    }

    /// The frames it stands for, if it is more than one that the NIC has merged.
    #[inline(always)]
    fn merged(&self) -> Option<Merged> {
        self.is_merged().then_some(Merged {
            size: self.size,
            segments: self.segments,
            ipv6: self.flags & flag::IPV6 != 0,
            fixed_id: self.flags & flag::FIXED_ID != 0,
            cwr: self.flags & flag::CWR != 0,
            transport_offset: self.transport_offset,
        })
    }

    /// How many frames it stands for.
    #[inline(always)]
    pub(crate) fn frames(&self) -> u16 {
        match self.is_merged() {
            true => self.segments,
            false => 1,
        }
    }

    /// Lengths of the frames it stands for, on the wire: of each but the last, and of the last.
    #[inline(always)]
    fn lengths(&self) -> (u32, u32) {
        let tag = if self.tag != 0 { VLAN_HLEN } else { 0 };
        if !self.is_merged() {
            let len = self.len.wrapping_add(tag);
            return (len, len);
        }
        let on_wire = |len: u32| len.max(FRAME_MIN).wrapping_add(tag);
        let size = u32::from(self.size);
        let others = u32::from(self.segments).wrapping_sub(1);
        let last = self.len.wrapping_sub(size.wrapping_mul(others));
        (
            on_wire(size.wrapping_add(self.header_len.into())),
            on_wire(last),
        )
    }

    /// Bytes of the frames it stands for, on the wire.
    #[inline(always)]
    pub(crate) fn wire_bytes(&self) -> u64 {
        let (each, last) = self.lengths();
        let others = u64::from(self.frames()).wrapping_sub(1);
        u64::from(each)
            .wrapping_mul(others)
            .wrapping_add(last.into())
    }
}

/// A descriptor of an RX ring: a posted buffer, and what the engine says of its content.
pub(crate) struct RxDescriptor {
    pub(crate) buffer: Buffer,
    /// Bytes that the engine wrote into the buffer.
    pub(crate) len: u32,
    /// Whether the frame goes on in the next buffer.
    pub(crate) more: bool,
    /// Valid in the first descriptor of a frame.
    pub(crate) frame: FrameInfo,
}

impl RxDescriptor {
    pub(crate) fn new(buffer: Buffer) -> Self {
        RxDescriptor {
            buffer,
            len: 0,
            more: false,
            frame: FrameInfo::default(),
        }
    }
}

/// How the buffers of a ring are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BufferLayout {
    /// Bytes asked of the page pool.
    pub(crate) size: u32,
    /// Bytes before the frame.
    pub(crate) headroom: u32,
    /// Bytes of a frame that fit into one buffer.
    pub(crate) capacity: u32,
    /// Whether a packet is built around the buffer, or takes it as a fragment.
    pub(crate) whole: bool,
}

/// Bytes before a frame in a buffer that becomes a packet (`NET_SKB_PAD`).
const HEADROOM: u32 = 64;
const PAGE: u32 = 4096;
/// What packets' data and shared info are aligned to, bytes.
const CACHE_LINE: u32 = 64;

impl BufferLayout {
    /// Half a page a frame while frames fit, with room for all that a packet needs around it; whole pages, in a
    /// row if need be, otherwise: 17 of them carry the largest frame, which needs all their bytes.
    pub(crate) fn for_mtu(mtu: u32) -> Self {
        // Ethernet header and two VLAN tags.
        let frame = mtu.saturating_add(22).max(FRAME_MIN);
        let capacity = (PAGE / 2)
            .saturating_sub(HEADROOM)
            .saturating_sub(SkBuff::SHARED_INFO);
        if frame <= capacity {
            BufferLayout {
                size: PAGE / 2,
                headroom: HEADROOM,
                capacity,
                whole: true,
            }
        } else {
            BufferLayout {
                size: PAGE,
                headroom: 0,
                capacity: PAGE,
                whole: false,
            }
        }
    }
}

/// Frames up to this size are copied out, so that their buffers are posted again at once.
const COPYBREAK: u32 = 256;

/// What such a copy takes of a page as a part of another packet, however little it is: who holds it keeps the whole
/// page from coming back, and is charged for no less than a quarter of that.
const PIECE_MIN: u32 = PAGE / 4;

/// Pages for such copies that wait for their next use, where the stack has freed them elsewhere than in the poll.
pub(crate) const COPY_PAGES: u32 = 64;

/// What the stack is told.
#[derive(Clone, Copy)]
pub(crate) struct Offloads {
    pub(crate) checksum: bool,
    pub(crate) hash: bool,
    pub(crate) strip: bool,
    pub(crate) merge: bool,
}

/// The receive half of a channel. Touched by its poll only, or while its NAPI is disabled.
pub(crate) struct RxHalf {
    pub(crate) taker: Taker<RxDescriptor>,
    pub(crate) poster: Poster<RxDescriptor>,
    /// Of the posted buffers.
    pub(crate) pool: PagePool,
    /// Of what small frames are copied into: among posted buffers such pieces would leave holes in the pages.
    pub(crate) copies: PagePool,
    pub(crate) layout: BufferLayout,
    /// Number of the queue.
    pub(crate) queue: u16,
    /// Packets that are being merged. Their frames are counted when they go up.
    pub(crate) aggregates: Aggregates,
}

/// What a poll has received, to be counted at its end.
#[derive(Default)]
pub(crate) struct Total {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) merged: u64,
}

impl Total {
    /// Adds frames of so many bytes in all: `lengths` are that of each but the last, and of the last.
    #[inline(always)]
    pub(crate) fn add(
        &mut self,
        frames: u64,
        lengths: (u32, u32),
        bytes: u64,
        counters: &PollCounters,
    ) {
        let before = |frames: u64| counters.frames.get().wrapping_add(frames);
        let (each, last) = lengths;
        counters.lengths.count(each, || before(self.frames));
        self.frames = self.frames.wrapping_add(frames);
        if frames > 1 {
            let others = self.frames.wrapping_sub(1);
            counters.lengths.count(last, || before(others));
        }
        self.bytes = self.bytes.wrapping_add(bytes);
    }
}

impl RxHalf {
    /// Says which instance polls it, which has to be disabled.
    pub(crate) fn link(&mut self, owner: &mut Owner<Channel>) {
        self.pool.link(owner);
        self.copies.link(owner);
    }

    /// Parts its pools from the NAPI instance, which is disabled.
    pub(crate) fn part(&mut self) {
        self.pool.part();
        self.copies.part();
    }

    /// Posts buffers until the ring is full, in process context.
    pub(crate) fn prefill(&mut self) -> kernel::error::Result {
        while self.poster.free() > 0 {
            let buffer = self.pool.alloc_unlinked(self.layout.size)?;
            if self.poster.post(RxDescriptor::new(buffer)).is_err() {
                break;
            }
        }
        self.poster.publish();
        Ok(())
    }

    /// Posts buffers until the ring is full. Returns whether it is.
    #[inline]
    pub(crate) fn refill(&mut self, poll: &Poll<'_, Channel>, counters: &PollCounters) -> bool {
        let mut full = true;
        while self.poster.free() > 0 {
            let Some(buffer) = self.pool.alloc_polled(self.layout.size, poll) else {
                counters.alloc_fail.inc();
                full = false;
                break;
            };
            if self.poster.post(RxDescriptor::new(buffer)).is_err() {
                break;
            }
        }
        if self.poster.unpublished() > 0 {
            self.poster.publish();
        }
        full
    }

    /// Receives frames and gives up what was held of them, up to `budget` of both; returns how many. All of the budget:
    /// there may be more.
    #[inline]
    pub(crate) fn receive(
        &mut self,
        poll: &Poll<'_, Channel>,
        vector: &Vector,
        budget: u32,
        offloads: Offloads,
        counters: &PollCounters,
    ) -> u32 {
        let mut total = Total::default();
        let mut given = 0u32;
        if !self.aggregates.is_empty() {
            let mut to = Upwards {
                poll,
                counters,
                total: &mut total,
            };
            given = self.aggregates.overdue(vector, budget, &mut to);
        }
        let budget = budget.saturating_sub(given);
        let mut done = 0u32;
        while done < budget {
            let Some(first) = self.taker.take() else {
                break;
            };
            // A single frame has nothing to be merged with, here or in GRO.
            let alone =
                done == 0 && !first.more && self.taker.available() == 0 && poll.gro_is_idle();
            done = done.wrapping_add(1);
            self.one(poll, first, alone, offloads, counters, &mut total);
        }
        if !self.aggregates.is_empty() || vector.is_holding() {
            let mut to = Upwards {
                poll,
                counters,
                total: &mut total,
            };
            let left = budget.saturating_sub(done);
            let rest = self
                .aggregates
                .rest(vector, done, left, offloads.merge, &mut to);
            given = given.wrapping_add(rest);
        }
        counters.batches.count(done);
        if done > 0 || total.frames > 0 {
            self.taker.release();
            counters.frames.add(total.frames);
            counters.bytes.add(total.bytes);
            if total.merged != 0 {
                counters.merged.add(total.merged);
            }
        }
        done.wrapping_add(given)
    }

    /// Receives what the first descriptor, which was taken, begins. It is not offered for merging if it is `alone`.
    #[inline(always)]
    fn one(
        &mut self,
        poll: &Poll<'_, Channel>,
        first: RxDescriptor,
        alone: bool,
        offloads: Offloads,
        counters: &PollCounters,
        total: &mut Total,
    ) {
        let mut first = first;
        let info = first.frame;
        if info.sample != 0 {
            latency::taken(poll, info.sample);
        }
        let mut hold = None;
        let mut alone = alone;
        if self.aggregates.concern(&info, offloads) {
            let buffers = info
                .len
                .wrapping_sub(1)
                .checked_div(self.layout.capacity)
                .map_or(1, |n| n.wrapping_add(1));
            let headroom = self.layout.headroom as usize;
            let frame = first
                .buffer
                .bytes()
                .get(headroom..headroom.wrapping_add(first.len as usize))
                .unwrap_or(&[]);
            let mut to = Upwards {
                poll,
                counters,
                total,
            };
            let offer = self
                .aggregates
                .offer(frame, &info, buffers, offloads, &mut to);
            match offer {
                Offer::Merge { at, last, end } => {
                    if info.sample != 0 {
                        latency::merged(poll, info.sample);
                    }
                    // Padding, which only a frame in one buffer has, is no part of it.
                    first.len = first.len.min(end);
                    self.merge(at, last, first, &mut to);
                    return;
                }
                Offer::Hold(held, transport_offset) => hold = Some((held, transport_offset)),
                // What it must not overtake may be in GRO now.
                Offer::Alone => alone = false,
            }
        }
        let built = match info.len <= COPYBREAK && !first.more {
            true => self.copy_out(poll, first.buffer, info.len),
            false => self.build(poll, first),
        };
        let Some(mut skb) = built else {
            counters.no_memory.add(info.frames().into());
            return;
        };
        match info.checked() {
            _ if !offloads.checksum => (),
            Checked::Good => skb.set_checksum(Checksum::Unnecessary),
            Checked::Bad | Checked::Unknown => (),
        }
        if let (true, Some(kind)) = (offloads.hash, info.kind()) {
            skb.set_hash(info.hash, kind);
        }
        skb.record_rx_queue(self.queue);
        if let Some(merged) = info.merged() {
            if skb.set_merged(merged).is_err() {
                counters.no_memory.add(info.frames().into());
                return;
            }
        }
        if let Some((proto, tci)) = info.tag() {
            if offloads.strip {
                skb.set_vlan_tag(proto, tci);
            } else if let Some(tagged) = skb.insert_vlan_tag(proto, tci) {
                skb = tagged;
            } else {
                counters.no_memory.add(info.frames().into());
                return;
            }
        } else if offloads.strip {
            skb.strip_vlan_tag();
        }
        if let Some((held, transport_offset)) = hold {
            let mut to = Upwards {
                poll,
                counters,
                total,
            };
            self.aggregates
                .hold(skb, held, transport_offset, &info, &mut to);
            return;
        }
        count(&info, skb.linear(), offloads, counters, total);
        if info.is_merged() {
            aggregate::count(&skb, info.frames(), info.wire_bytes(), counters);
        }
        if alone {
            latency::receive(poll, skb.into_owned(), info.sample);
            return;
        }
        let merged = latency::gro_receive(poll, skb, info.sample);
        total.merged = total.merged.wrapping_add(merged.into());
    }

    /// Adds the payload of a frame to the packet it was merged into.
    fn merge(&mut self, at: Place, last: bool, first: RxDescriptor, to: &mut Upwards<'_, '_>) {
        let bytes = first.frame.wire_bytes();
        // The packet leaves its place while the frame is added, since both are parts of the ring's half.
        let Some((skb, offset)) = self.aggregates.take(at) else {
            return;
        };
        let skb = match self.piece(to.poll, &first, offset) {
            Some((piece, n)) => {
                self.repost(first.buffer);
                let mut skb = skb;
                skb.add_frag(piece, 0, n).is_ok().then_some(skb)
            }
            None => self.append(skb, first, offset),
        };
        self.aggregates.extended(at, skb, last, bytes, to);
    }

    /// Copies what a small frame holds from `offset` on into a [piece](PIECE_MIN) of a page, and says how many bytes
    /// that is: as a part of a packet its whole buffer would be charged to the socket that gets it. `None` if it is not
    /// small, or there is no memory.
    fn piece(
        &mut self,
        poll: &Poll<'_, Channel>,
        frame: &RxDescriptor,
        offset: u32,
    ) -> Option<(Buffer, u32)> {
        if frame.more || frame.len > COPYBREAK {
            return None;
        }
        let n = frame.len.checked_sub(offset)?;
        let start = self.layout.headroom.wrapping_add(offset) as usize;
        let from = frame
            .buffer
            .bytes()
            .get(start..start.wrapping_add(n as usize))?;
        let mut piece = self.copies.alloc_polled(PIECE_MIN.max(n), poll)?;
        piece
            .bytes_mut()
            .get_mut(..n as usize)?
            .copy_from_slice(from);
        Some((piece, n))
    }

    /// Makes a packet of the buffers of a frame whose first descriptor was taken. `None` if there is no memory: the
    /// frame is gone, its buffers are posted again.
    #[inline]
    fn build(&mut self, poll: &Poll<'_, Channel>, first: RxDescriptor) -> Option<RxSkb> {
        if self.layout.whole {
            return match poll.build_skb(first.buffer, self.layout.headroom, first.len) {
                Ok(skb) if !first.more => Some(skb),
                Ok(skb) => {
                    let next = self.taker.take()?;
                    self.append(skb, next, 0)
                }
                Err(buffer) => {
                    self.repost(buffer);
                    if first.more {
                        self.skip();
                    }
                    None
                }
            };
        }
        self.gather(poll, first)
    }

    /// Copies a small frame of `len` bytes out of its buffer, which is posted again. `None` if there is no memory.
    ///
    /// The copy lies in a small piece of a page that comes back as it is, where memory of the allocator is cleared for
    /// each packet (`init_on_alloc`).
    #[inline]
    fn copy_out(&mut self, poll: &Poll<'_, Channel>, buffer: Buffer, len: u32) -> Option<RxSkb> {
        let start = self.layout.headroom as usize;
        let size = HEADROOM
            .wrapping_add(len.next_multiple_of(CACHE_LINE))
            .wrapping_add(SkBuff::SHARED_INFO);
        let skb = self.copies.alloc_polled(size, poll).and_then(|mut to| {
            let from = buffer
                .bytes()
                .get(start..start.wrapping_add(len as usize))?;
            to.bytes_mut()
                .get_mut(HEADROOM as usize..HEADROOM.wrapping_add(len) as usize)?
                .copy_from_slice(from);
            poll.build_skb(to, HEADROOM, len).ok()
        });
        self.repost(buffer);
        skb
    }

    /// Puts a buffer back into the ring. It is one that came out of it, so there is room.
    #[inline]
    fn repost(&mut self, buffer: Buffer) {
        // The slot it came from is given back first; a ring that is full all the same gives up the buffer to the pool.
        self.taker.release();
        let _ = self.poster.post(RxDescriptor::new(buffer));
    }

    /// Makes a packet of pages: headers in the linear part, the rest as fragments.
    fn gather(&mut self, poll: &Poll<'_, Channel>, first: RxDescriptor) -> Option<RxSkb> {
        let header = u32::from(first.frame.header_len)
            .min(first.len)
            .min(COPYBREAK);
        let skb = poll.alloc_skb(COPYBREAK).and_then(|mut skb| {
            skb.put(first.buffer.bytes().get(..header as usize)?).ok()?;
            Some(skb)
        });
        match skb {
            Some(skb) => self.append(skb, first, header),
            None => {
                let more = first.more;
                self.repost(first.buffer);
                if more {
                    self.skip();
                }
                None
            }
        }
    }

    /// Appends what the descriptor, and those of the same frame behind it, hold, from `offset` bytes of the first on.
    /// `None` if not all could be: the packet is gone.
    fn append(&mut self, skb: RxSkb, first: RxDescriptor, offset: u32) -> Option<RxSkb> {
        let headroom = self.layout.headroom;
        let mut skb = Some(skb);
        let mut next = Some((first, offset));
        while let Some((d, offset)) = next.take() {
            let more = d.more;
            let n = d.len.saturating_sub(offset);
            let left_over = match skb.as_mut() {
                Some(s) if n > 0 => s.add_frag(d.buffer, headroom.wrapping_add(offset), n).err(),
                _ => Some(d.buffer),
            };
            if let Some(buffer) = left_over {
                if n > 0 {
                    // A packet without a part is no packet.
                    skb = None;
                }
                self.repost(buffer);
            }
            if more {
                next = self.taker.take().map(|d| (d, 0));
            }
        }
        skb
    }

    /// Posts the rest of a frame's buffers again.
    #[cold]
    fn skip(&mut self) {
        while let Some(d) = self.taker.take() {
            let more = d.more;
            self.repost(d.buffer);
            if !more {
                break;
            }
        }
    }
}

/// Counts the frames received; `frame` is the first one's beginning.
#[inline(always)]
fn count(
    info: &FrameInfo,
    frame: &[u8],
    offloads: Offloads,
    counters: &PollCounters,
    total: &mut Total,
) {
    let n = u64::from(info.frames());
    let to = header::destination(frame);
    count_group(to, n, &counters.multicast, &counters.broadcast);
    match info.checked() {
        _ if !offloads.checksum => counters.checksum_none.add(n),
        Checked::Good => counters.checksum_good.add(n),
        Checked::Bad => counters.checksum_bad.add(n),
        Checked::Unknown => counters.checksum_none.add(n),
    }
    total.add(n, info.lengths(), info.wire_bytes(), counters);
}
