// SPDX-License-Identifier: GPL-2.0

//! The receive half of a channel: taking frames out of the RX ring, making packets, posting buffers.

use crate::channel::Channel;
use crate::limits::{FRAME_MIN, VLAN_HLEN};
use crate::stats::PollCounters;
use netdev::napi::Poll;
use netdev::page_pool::{Buffer, PagePool};
use netdev::ring::{Poster, Taker};
use netdev::skb::{Checksum, HashKind, RxSkb, SkBuff};

/// What the engine found out about a frame's checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Checked {
    /// Nothing: no checksum it knows, or a fragment.
    Unknown,
    Good,
    Bad,
}

/// What the engine says of a frame, in its first descriptor.
#[derive(Clone, Copy)]
pub(crate) struct FrameInfo {
    /// Bytes in the buffers.
    pub(crate) len: u32,
    pub(crate) hash: u32,
    pub(crate) kind: Option<HashKind>,
    pub(crate) checked: Checked,
    /// The VLAN tag that is part of the frame and not in the buffer: protocol and TCI.
    pub(crate) tag: Option<(u16, u16)>,
    /// Bytes of all headers.
    pub(crate) header_len: u16,
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
            frame: FrameInfo {
                len: 0,
                hash: 0,
                kind: None,
                checked: Checked::Unknown,
                tag: None,
                header_len: 0,
            },
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

/// What the stack is told.
#[derive(Clone, Copy)]
pub(crate) struct Offloads {
    pub(crate) checksum: bool,
    pub(crate) hash: bool,
    pub(crate) strip: bool,
}

/// The receive half of a channel. Touched by its poll only, or while its NAPI is disabled.
pub(crate) struct RxHalf {
    pub(crate) taker: Taker<RxDescriptor>,
    pub(crate) poster: Poster<RxDescriptor>,
    pub(crate) pool: PagePool,
    pub(crate) layout: BufferLayout,
    /// Number of the queue.
    pub(crate) queue: u16,
}

impl RxHalf {
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

    /// Receives up to `budget` frames; returns how many.
    #[inline]
    pub(crate) fn receive(
        &mut self,
        poll: &Poll<'_, Channel>,
        budget: u32,
        offloads: Offloads,
        counters: &PollCounters,
    ) -> u32 {
        let mut done = 0u32;
        let mut bytes = 0u64;
        let mut frames = 0u64;
        let mut merged = 0u64;
        while done < budget {
            let Some(first) = self.taker.take() else {
                break;
            };
            done = done.wrapping_add(1);
            let info = first.frame;
            let Some(mut skb) = self.build(poll, first) else {
                counters.no_memory.inc();
                continue;
            };
            frames = frames.wrapping_add(1);
            let wire_len = info
                .len
                .wrapping_add(if info.tag.is_some() { VLAN_HLEN } else { 0 });
            bytes = bytes.wrapping_add(u64::from(wire_len));
            if let Some(&b) = skb.linear().first() {
                if b & 1 != 0 {
                    if skb.linear().starts_with(&[0xff; 6]) {
                        counters.broadcast.inc();
                    } else {
                        counters.multicast.inc();
                    }
                }
            }
            match info.checked {
                _ if !offloads.checksum => counters.checksum_none.inc(),
                Checked::Good => {
                    counters.checksum_good.inc();
                    skb.set_checksum(Checksum::Unnecessary);
                }
                Checked::Bad => counters.checksum_bad.inc(),
                Checked::Unknown => counters.checksum_none.inc(),
            }
            // This frame is in `frames` already.
            let before = || counters.frames.get().wrapping_add(frames).wrapping_sub(1);
            counters.lengths.count(wire_len, before);
            if let (true, Some(kind)) = (offloads.hash, info.kind) {
                skb.set_hash(info.hash, kind);
            }
            skb.record_rx_queue(self.queue);
            if let Some((proto, tci)) = info.tag {
                if offloads.strip {
                    skb.set_vlan_tag(proto, tci);
                } else if let Some(tagged) = skb.insert_vlan_tag(proto, tci) {
                    skb = tagged;
                } else {
                    // Not passed on after all.
                    frames = frames.wrapping_sub(1);
                    bytes = bytes.wrapping_sub(u64::from(wire_len));
                    counters.no_memory.inc();
                    continue;
                }
            } else if offloads.strip {
                skb.strip_vlan_tag();
            }
            merged = merged.wrapping_add(poll.gro_receive(skb).into());
        }
        if done > 0 {
            self.taker.release();
            counters.frames.add(frames);
            counters.bytes.add(bytes);
            if merged != 0 {
                counters.merged.add(merged);
            }
        }
        done
    }

    /// Makes a packet of a frame whose first descriptor was taken. `None` if there is no memory: the frame is gone,
    /// its buffers are posted again.
    #[inline]
    fn build(&mut self, poll: &Poll<'_, Channel>, first: RxDescriptor) -> Option<RxSkb> {
        let info = first.frame;
        if info.len <= COPYBREAK && !first.more {
            return self.copy_out(poll, first);
        }
        if self.layout.whole {
            match poll.build_skb(first.buffer, self.layout.headroom, info.len) {
                Ok(skb) => return Some(skb),
                Err(buffer) => {
                    self.repost(buffer);
                    return None;
                }
            }
        }
        self.gather(poll, first)
    }

    #[inline]
    fn copy_out(&mut self, poll: &Poll<'_, Channel>, first: RxDescriptor) -> Option<RxSkb> {
        let start = self.layout.headroom as usize;
        let skb = poll.alloc_skb(first.frame.len).and_then(|mut skb| {
            let from = first
                .buffer
                .bytes()
                .get(start..start.wrapping_add(first.frame.len as usize))?;
            skb.put(from).ok()?;
            Some(skb)
        });
        self.repost(first.buffer);
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
        let mut skb = poll.alloc_skb(COPYBREAK).and_then(|mut skb| {
            skb.put(first.buffer.bytes().get(..header as usize)?).ok()?;
            Some(skb)
        });
        let mut next = Some((first, header));
        while let Some((d, offset)) = next.take() {
            let more = d.more;
            let n = d.len.wrapping_sub(offset);
            let left_over = match skb.as_mut() {
                Some(s) if n > 0 => s.add_frag(d.buffer, offset, n).err(),
                _ => Some(d.buffer),
            };
            if let Some(buffer) = left_over {
                if n > 0 {
                    // A packet without its tail is no packet.
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
}
