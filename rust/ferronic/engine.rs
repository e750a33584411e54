// SPDX-License-Identifier: GPL-2.0

//! The engine: what a NIC's DMA engine and wire side do.
//!
//! A function under the outlet's lock that moves frames from a TX ring into the other port's RX rings. It is run
//! by the doorbell (the last `ndo_start_xmit` of a burst), by the receiver's poll for the outlets that wait for
//! its buffers, and by the port's own poll where the doorbell could not, where a pause has lasted too long, or where a
//! run has ended before all was sent: it ends when so many frames ([`RUN_FRAMES`]) were delivered or dropped.
//!
//! The stages of a frame: filter, length, steering, waiting for buffers, copy with checksum, descriptor. Frames of
//! one batch that go to the same inlet share one acquisition of its lock and one raise.

mod mac_control;
mod super_frame;

use crate::copy::{self, Summed};
use crate::filter::Filter;
use crate::latency::{self, Sample};
use crate::limits::{ETH_HLEN, FRAME_MIN, VLAN_HLEN};
use crate::receive::{Checked, FrameInfo, Stream};
use crate::rules::Rules;
use crate::stats::{count_group, Drop};
use crate::steer::{Steer, Way};
use crate::vector::Vector;
use crate::wire::{End, InletOpen, Outlet, OutletOpen, Side, Wire};
use netdev::clock::now_ns;
use netdev::context::Bh;
use netdev::skb::{SkBuff, TxChecksum};
use netdev::sync::Guard;
use pure::aggregate;
use pure::checksum;
use pure::header::{self, Headers};
use pure::segment::{self, Cursor};
use pure::trail::Stage;

/// After so many frames a run of the engine ends with the packet it is at, and the port's own poll goes on: frames that
/// are refused need no buffers, so nothing else would bound what one doorbell, or the receiver's poll, has to do.
const RUN_FRAMES: u64 = 4096;

/// What became of a frame.
enum Verdict {
    /// It was delivered, or dropped and counted.
    Done,
    /// There are not enough buffers: it stays, and the receiver's poll goes on with it.
    Wait,
}

/// An inlet whose lock is held, and what has been filled in but not handed on.
struct Held<'a> {
    queue: u16,
    guard: Guard<'a, Option<InletOpen>>,
    descriptors: u32,
    frames: u32,
}

impl Held<'_> {
    /// Hands on what was filled in and raises the receiver.
    #[inline]
    fn flush(&mut self) {
        if self.descriptors == 0 {
            return;
        }
        if let Some(inlet) = self.guard.as_mut() {
            if let Some(ring) = inlet.ring.as_mut() {
                ring.advance(self.descriptors);
            }
            Vector::raise_rx(&inlet.vector, self.frames);
        }
        self.descriptors = 0;
        self.frames = 0;
    }
}

/// What one run of the engine works with.
struct Run<'a> {
    bh: &'a Bh<'a>,
    own: &'a End,
    peer: &'a End,
    outlet: &'a Outlet,
    steer: &'a Steer,
    /// `None` if the receiver has no n-tuple rules.
    rules: Option<&'a Rules>,
    filter: &'a Filter,
    /// Number of the outlet.
    index: u16,
    held: Option<Held<'a>>,
    /// The VLAN tag that travels beside the current packet, and is part of its frames.
    tag: Option<(u16, u16)>,
    /// The sample that the next frame is.
    sample: Sample,
    /// Sent in this run: added to the outlet's counters at its end.
    frames: u64,
    bytes: u64,
    waiting_since: u64,
}

/// Runs the engine for outlet `index` of `side`. The outlet's lock is held: `open` is its content.
pub(crate) fn service(
    wire: &Wire,
    side: Side,
    index: u16,
    outlet: &Outlet,
    open: &mut OutletOpen,
    bh: &Bh<'_>,
) {
    let (own, peer) = (wire.end(side), wire.end(side.other()));
    if outlet.kicked.read() != 0 {
        outlet.kicked.write(0);
        // The ring is looked at after that is seen: whoever kicks after it has posted is not forgotten.
        netdev::sync::smp_mb();
    }
    let mut run = Run {
        bh,
        own,
        peer,
        outlet,
        steer: peer.steer.read(bh),
        rules: peer.steering.rules.read(bh),
        filter: peer.filter.read(bh),
        index,
        held: None,
        tag: None,
        sample: 0,
        frames: 0,
        bytes: 0,
        waiting_since: open.waiting_since,
    };
    let OutletOpen {
        ring,
        vector,
        cursor,
        memo,
        uncompleted_bytes,
        ..
    } = open;

    let mut done = 0u32;
    let mut waits = false;
    while let Some(descriptor) = ring.get(done) {
        run.sample = descriptor.label.sample();
        if run.sample != 0 {
            latency::step(peer, run.sample, Stage::Engine, bh);
        }
        match run.packet(descriptor.packet.skb(), cursor, memo) {
            Verdict::Done => {
                *cursor = Cursor::default();
                *uncompleted_bytes = uncompleted_bytes.wrapping_add(descriptor.label.bytes());
                done = done.wrapping_add(1);
                if run.frames >= RUN_FRAMES {
                    break;
                }
            }
            Verdict::Wait => {
                waits = true;
                break;
            }
        }
    }
    if !waits {
        // Whatever had waited was dropped for another reason.
        run.waiting_since = 0;
    }
    if let Some(held) = run.held.as_mut() {
        held.flush();
    }
    // The inlet is unlocked before the own vector is raised.
    run.held = None;
    ring.advance(done);
    if done > 0 {
        Vector::raise_tx(
            vector,
            ring.untaken(),
            uncompleted_bytes,
            outlet.held.read() != 0,
        );
    }
    if run.frames >= RUN_FRAMES && !waits {
        outlet.kicked.write(1);
        Vector::restart(vector);
    }
    outlet.waiting.write((run.waiting_since != 0).into());
    if run.waiting_since != 0 {
        // Somebody has to look again when the pause has lasted too long, even if the receiver never polls.
        Vector::watch_pause(vector, run.waiting_since, own.pause_limit_ns());
    }
    open.waiting_since = run.waiting_since;
    if run.frames > 0 {
        outlet.counters.frames.add(run.frames);
        outlet.counters.bytes.add(run.bytes);
    }
}

/// Drops all that an outlet still has: there is nobody to send it to, or nothing to send it from.
pub(crate) fn discard(outlet: &Outlet, open: &mut OutletOpen) {
    let n = open.ring.available();
    outlet.counters.drops.add(Drop::Closed, u64::from(n));
    outlet.counters.frames.add(u64::from(n));
    open.ring.advance(n);
}

impl<'a> Run<'a> {
    /// Counts frames of the same length as sent.
    #[inline(always)]
    fn sent(&mut self, frames: u16, len: u32, to: Option<&[u8; 6]>) {
        let tag = if self.tag.is_some() { VLAN_HLEN } else { 0 };
        let len = len.max(FRAME_MIN).wrapping_add(tag);
        let frames = u64::from(frames);
        self.bytes = self.bytes.wrapping_add(u64::from(len).wrapping_mul(frames));
        let c = &self.outlet.counters;
        c.lengths
            .count(len, || c.frames.get().wrapping_add(self.frames));
        self.frames = self.frames.wrapping_add(frames);
        count_group(to, frames, &c.multicast, &c.broadcast);
    }

    /// Counts a frame as sent and dropped.
    #[cold]
    fn drop(&mut self, reason: Drop, len: u32, to: Option<&[u8; 6]>) -> Verdict {
        self.sent(1, len, to);
        self.outlet.counters.drops.add(reason, 1);
        Verdict::Done
    }

    /// Counts a frame as sent and dropped on its way to a channel, or to nowhere.
    #[cold]
    fn drop_on(&mut self, way: Way, reason: Drop, len: u32, to: Option<&[u8; 6]>) -> Verdict {
        if way.rule != Way::NO_RULE {
            self.peer.steering.hit(way.rule, 1);
        }
        let by_rule = way.channel == Way::NOWHERE;
        self.drop(if by_rule { Drop::Rule } else { reason }, len, to)
    }

    /// Sends a packet: one frame, or the frames it stands for.
    #[inline(always)]
    fn packet(
        &mut self,
        skb: &SkBuff,
        cursor: &mut Cursor,
        memo: &mut pure::toeplitz::Memo,
    ) -> Verdict {
        let all = skb.linear();
        self.tag = skb.vlan_tag();
        // The headers are needed in one piece. Mostly they are; only odd packets have them in pages.
        let whole = all.len() >= segment::HEADER_MAX || all.len() == skb.len() as usize;
        match header::parse(all).filter(|headers| whole || headers.all_within(all)) {
            Some(headers) if skb.gso().is_none() => self.single(skb, all, all, &headers, memo),
            Some(headers) => self.super_frame(skb, all, all, &headers, cursor, memo),
            None => self.scattered(skb, all, cursor, memo),
        }
    }

    /// Sends a packet whose headers are not known to lie in one piece, or are none.
    #[inline(never)]
    fn scattered(
        &mut self,
        skb: &SkBuff,
        all: &[u8],
        cursor: &mut Cursor,
        memo: &mut pure::toeplitz::Memo,
    ) -> Verdict {
        let mut copied = [0u8; segment::HEADER_MAX];
        let n = (skb.len() as usize).min(copied.len());
        let copied = copied.get_mut(..n).unwrap_or(&mut []);
        let linear = match skb.copy_bits(0, copied) {
            Ok(()) => copied,
            Err(_) => all,
        };
        match header::parse(linear) {
            Some(headers) if skb.gso().is_none() => self.single(skb, all, linear, &headers, memo),
            Some(headers) => self.super_frame(skb, all, linear, &headers, cursor, memo),
            None => self.drop(Drop::TooShort, skb.len(), None),
        }
    }

    /// Sends a packet that is one frame, and counts it if it is one of MAC control.
    #[inline(always)]
    fn single(
        &mut self,
        skb: &SkBuff,
        all: &[u8],
        linear: &[u8],
        headers: &Headers,
        memo: &mut pure::toeplitz::Memo,
    ) -> Verdict {
        let verdict = self.frame(skb, all, linear, headers, memo);
        if headers.ethertype == mac_control::ETHERTYPE {
            self.mac_control(linear, headers, &verdict);
        }
        verdict
    }

    /// Sends a packet that is one frame.
    #[inline]
    fn frame(
        &mut self,
        skb: &SkBuff,
        all: &[u8],
        linear: &[u8],
        headers: &Headers,
        memo: &mut pure::toeplitz::Memo,
    ) -> Verdict {
        let len = skb.len();
        let Some(to) = header::destination(linear) else {
            return self.drop(Drop::TooShort, len, None);
        };
        if let Some(reason) = self.refused(to, headers, len) {
            return self.drop(reason, len, Some(to));
        }
        let way = self.steer(linear, headers, memo);
        let Some(buffers) = (match self.reserve(way.channel, len.max(FRAME_MIN)) {
            Ok(b) => b,
            Err(reason) => return self.drop_on(way, reason, len, Some(to)),
        }) else {
            return Verdict::Wait;
        };

        // Checksums: filled if the stack left it to us, verified if the packet has its own.
        let checksum = skb.tx_checksum();
        let (range, verify) = match checksum {
            TxChecksum::Fill { start, .. } => (Summed { start, end: len }, None),
            TxChecksum::Done => match checksum::verifiable(headers, linear, len as usize) {
                Some(pseudo) => {
                    let start = headers.transport_offset.map_or(0, u32::from);
                    let n = headers.transport_length(len as usize).unwrap_or(0);
                    (
                        Summed {
                            start,
                            end: start.wrapping_add(n),
                        },
                        Some(pseudo),
                    )
                }
                None => (Summed::NONE, None),
            },
        };
        let info = self.info(len, headers, linear, way);
        let Some(held) = self.held.as_mut() else {
            return self.drop(Drop::NoCarrier, len, Some(to));
        };
        let first = held.descriptors;
        let Some(inlet) = held.guard.as_mut() else {
            return self.drop(Drop::NoCarrier, len, Some(to));
        };
        let filled = match buffers {
            1 => copy::into_one(skb, all, inlet, first, range, checksum),
            _ => copy::into_many(skb, all, inlet, first, range, checksum),
        };
        let Some((descriptor, mut sum)) = filled else {
            return self.drop(Drop::TooShort, len, Some(to));
        };
        let checked = match (checksum, verify) {
            (TxChecksum::Fill { start, offset }, _) => {
                self.outlet.counters.checksum_filled.inc();
                match checksum::filled(headers, linear, len as usize, start, offset) {
                    Some(true) => Checked::Good,
                    Some(false) => Checked::Bad,
                    // One further inside, or over who knows which address.
                    None => Checked::Unknown,
                }
            }
            (TxChecksum::Done, Some(mut pseudo)) => {
                core::mem::swap(&mut pseudo, &mut sum);
                sum.add_sum(pseudo);
                match sum.is_valid() {
                    true => Checked::Good,
                    false => Checked::Bad,
                }
            }
            (TxChecksum::Done, None) => Checked::Unknown,
        };
        descriptor.frame = info.with_checked(checked);
        self.filled(buffers, 1, way);
        self.sent(1, len, Some(to));
        Verdict::Done
    }

    /// Whether the receiver refuses the frame, and why.
    #[inline(always)]
    fn refused(&self, to: &[u8; 6], headers: &Headers, len: u32) -> Option<Drop> {
        if !self.steer.open {
            return Some(Drop::NoCarrier);
        }
        if !self.filter.takes(to) {
            return Some(Drop::Filtered);
        }
        let tags = u32::from(headers.tags).wrapping_mul(VLAN_HLEN);
        if len > self.filter.mtu.wrapping_add(ETH_HLEN).wrapping_add(tags) {
            return Some(Drop::TooLong);
        }
        None
    }

    /// Chooses the receive queue.
    #[inline]
    fn steer(&self, linear: &[u8], headers: &Headers, memo: &mut pure::toeplitz::Memo) -> Way {
        let spread = &self.steer.spread;
        match self.rules {
            None => spread.way(linear, headers, memo),
            Some(rules) => {
                let steering = &self.peer.steering;
                steering.way(rules, spread, linear, headers, self.tag, memo, self.bh)
            }
        }
    }

    /// Takes the lock of an inlet, unless it is held, and sees to it that it has buffers for `len` bytes: their
    /// number, `None` if the frame has to wait, or why it is dropped.
    #[inline(always)]
    fn reserve(&mut self, queue: u16, len: u32) -> core::result::Result<Option<u32>, Drop> {
        if self.held.as_ref().is_none_or(|h| h.queue != queue) {
            if let Some(held) = self.held.as_mut() {
                held.flush();
            }
            // Unlocks the one before locking the next.
            self.held = None;
            let inlet = self
                .peer
                .inlets
                .get(usize::from(queue))
                .ok_or(Drop::NoCarrier)?;
            self.held = Some(Held {
                queue,
                guard: inlet.lock.lock(self.bh),
                descriptors: 0,
                frames: 0,
            });
        }
        let held = self.held.as_mut().ok_or(Drop::NoCarrier)?;
        let inlet = held.guard.as_mut().ok_or(Drop::NoCarrier)?;
        let need = if len <= inlet.buffer_len {
            1
        } else {
            (len.wrapping_sub(1) / inlet.buffer_len.max(1)).wrapping_add(1)
        };
        if need > 1 && inlet.headroom != 0 {
            // A packet is built around one buffer there: the receiver has just become smaller.
            return Err(Drop::TooLong);
        }
        if !inlet.closing && inlet.has(held.descriptors.wrapping_add(need)) {
            self.waiting_since = 0;
            inlet.pause_expired = false;
            return Ok(Some(need));
        }
        self.starve(queue, need)
    }

    /// There are not enough buffers: wait or drop.
    #[cold]
    fn starve(&mut self, queue: u16, need: u32) -> core::result::Result<Option<u32>, Drop> {
        let held = self.held.as_mut().ok_or(Drop::NoCarrier)?;
        // What has been filled in may be just what the receiver has to give back.
        held.flush();
        let shared = self
            .peer
            .inlets
            .get(usize::from(queue))
            .ok_or(Drop::NoCarrier)?;
        let inlet = held.guard.as_mut().ok_or(Drop::NoCarrier)?;
        let pause = self.peer.pause_tx.read() != 0 && self.own.pause_rx.read() != 0;
        if !inlet.closing {
            if !pause {
                shared.counters.overruns.inc();
                return Err(Drop::NoBuffer);
            }
            if inlet.pause_expired {
                shared.counters.overruns.inc();
                return Err(Drop::PauseExpired);
            }
        }
        // A full barrier, which pairs with the one in the receiver's poll: either it sees us, or we see the buffers
        // it has posted.
        shared.waiters.add(self.index);
        if !inlet.closing && inlet.has(need) {
            self.waiting_since = 0;
            return Ok(Some(need));
        }
        let now = now_ns();
        if self.waiting_since == 0 {
            self.waiting_since = now.max(1);
            shared.counters.pauses.inc();
            self.outlet.counters.pauses.inc();
        } else if !inlet.closing
            && now.wrapping_sub(self.waiting_since) >= self.own.pause_limit_ns()
        {
            self.waiting_since = 0;
            inlet.pause_expired = true;
            shared.counters.storms.inc();
            shared.counters.overruns.inc();
            return Err(Drop::PauseExpired);
        }
        Ok(None)
    }

    /// What the first descriptor says of a frame of `len` bytes, whose checksum is not known.
    #[inline(always)]
    fn info(&mut self, len: u32, headers: &Headers, linear: &[u8], way: Way) -> FrameInfo {
        let sample = self.sample;
        if sample != 0 {
            // Of a packet that is cut it is the first frame.
            self.sample = 0;
            latency::step(self.peer, sample, Stage::RxRing, self.bh);
        }
        // The wire knows no shorter frame.
        FrameInfo::new(len.max(FRAME_MIN), header_len(headers, linear), sample)
            .with_hash(way.hash, way.kind)
            .with_tag(self.tag)
            .with_stream(stream(headers, linear))
    }

    /// Adds buffers that are filled in to what is handed on next: so many frames.
    #[inline(always)]
    fn filled(&mut self, buffers: u32, frames: u32, way: Way) {
        if let Some(held) = self.held.as_mut() {
            held.descriptors = held.descriptors.wrapping_add(buffers);
            held.frames = held.frames.wrapping_add(frames);
        }
        if way.rule != Way::NO_RULE {
            self.peer.steering.hit(way.rule, frames);
        }
    }
}

/// Length of all headers, bytes: what a receiver wants in one piece.
#[inline]
fn header_len(headers: &Headers, linear: &[u8]) -> u16 {
    let Some(transport) = headers.transport_offset else {
        return headers.network_offset;
    };
    let n = match headers.protocol {
        header::TCP => linear
            .get(usize::from(transport).wrapping_add(12))
            .map_or(0, |b| u16::from(b >> 4).wrapping_mul(4)),
        header::UDP => header::UDP_LEN as u16,
        _ => 0,
    };
    transport.wrapping_add(n)
}

/// What a frame is of a stream.
#[inline]
fn stream(headers: &Headers, linear: &[u8]) -> Stream {
    let Some(transport) = headers
        .transport_offset
        .filter(|_| headers.protocol == header::TCP)
    else {
        return Stream::None;
    };
    match linear.get(usize::from(transport).wrapping_add(13)) {
        Some(&flags) if aggregate::goes_on(flags) => Stream::GoesOn,
        _ => Stream::Ends,
    }
}
