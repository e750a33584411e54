// SPDX-License-Identifier: GPL-2.0

//! Packets that the stack did not cut (TSO, USO): the engine cuts them into frames, straight into the posted buffers,
//! or keeps together what the receiver would merge again.

use super::{header_len, Run, Verdict};
use crate::aggregate;
use crate::copy;
use crate::limits::FRAME_MIN;
use crate::receive::Checked;
use crate::stats::Drop;
use crate::steer::Way;
use crate::wire::InletOpen;
use netdev::skb::{Gso, GsoKind, Merged, SkBuff, TxChecksum};
use pure::checksum::Sum;
use pure::header::{self, Headers};
use pure::segment::{self, Cursor, Layout, Plan, Run as Frames};

/// A packet that the stack did not cut.
struct SuperFrame<'a> {
    skb: &'a SkBuff,
    /// Its linear part.
    all: &'a [u8],
    /// Its headers, in one piece.
    linear: &'a [u8],
    /// Where it goes.
    to: &'a [u8; 6],
    headers: &'a Headers,
    plan: &'a Plan,
    way: Way,
}

impl Run<'_> {
    /// Sends the frames of a packet that the stack did not cut.
    pub(super) fn super_frame(
        &mut self,
        skb: &SkBuff,
        all: &[u8],
        linear: &[u8],
        headers: &Headers,
        cursor: &mut Cursor,
        memo: &mut pure::toeplitz::Memo,
    ) -> Verdict {
        let Some(to) = header::destination(linear) else {
            return self.drop(Drop::TooShort, skb.len(), None);
        };
        let Some(plan) = skb.gso().and_then(|g| plan(skb, linear, headers, g)) else {
            return self.drop(Drop::Segmentation, skb.len(), Some(to));
        };
        let way = self.steer(linear, headers, memo);
        let s = SuperFrame {
            skb,
            all,
            linear,
            to,
            headers,
            plan: &plan,
            way,
        };
        self.segments(&s, cursor)
    }

    /// Goes on with the frames of a packet from `cursor`.
    fn segments(&mut self, s: &SuperFrame<'_>, cursor: &mut Cursor) -> Verdict {
        let header_len = s.plan.header_length() as u32;
        // What may go on to another address has a checksum over that, which is to be right where it is cut.
        let merges = s.headers.direct && s.plan.sums_right() && self.peer.merges.read() != 0;
        while let Some(payload) = s.plan.next_length(*cursor) {
            let len = header_len.wrapping_add(payload);
            let mut done = Frames {
                segments: 1,
                payload,
            };
            if let Some(reason) = self.refused(s.to, s.headers, len) {
                self.drop(reason, len, Some(s.to));
            } else {
                match self.reserve(s.way.channel, len.max(FRAME_MIN)) {
                    Ok(None) => return Verdict::Wait,
                    Err(reason) => {
                        self.drop_on(s.way, reason, len, Some(s.to));
                    }
                    Ok(Some(buffers)) => {
                        let run = match merges {
                            true => self.run(s, *cursor, len),
                            false => None,
                        };
                        match run {
                            Some(run) => done = run,
                            None => self.segment(s, *cursor, len, buffers),
                        }
                    }
                }
            }
            let frames = u64::from(done.segments);
            let others = done.segments.wrapping_sub(1);
            let each = s.plan.segment_size();
            let last = done.payload.wrapping_sub(each.wrapping_mul(others.into()));
            let on_wire = |payload: u32| u64::from(header_len.wrapping_add(payload).max(FRAME_MIN));
            let c = &self.outlet.counters;
            c.gso_wire_frames.add(frames);
            c.gso_wire_bytes.add(
                on_wire(each)
                    .wrapping_mul(others.into())
                    .wrapping_add(on_wire(last)),
            );
            s.plan.advance_run(cursor, done);
        }
        // Once, however often its frames had to wait.
        self.outlet.counters.gso_packets.inc();
        self.outlet.counters.gso_bytes.add(u64::from(s.skb.len()));
        Verdict::Done
    }

    /// Sends the next frames of a packet that the stack did not cut, together: the receiver merges what belongs
    /// together (`rx-gro-hw`), so cutting here and merging there cancel. As many as it has buffers for, and a packet
    /// has room for.
    ///
    /// There are buffers for the first, of `len` bytes. `None` if there is nothing to keep together.
    #[inline]
    fn run(&mut self, s: &SuperFrame<'_>, cursor: Cursor, len: u32) -> Option<Frames> {
        let header_len = s.plan.header_length() as u32;
        let held = self.held.as_mut()?;
        let first = held.descriptors;
        let inlet = held.guard.as_mut()?;
        let posted = inlet.ring.as_mut()?.available().wrapping_sub(first);
        // What of the payload lies beside the headers. A packet that is built around its first buffer has one frame
        // there: merged with others it can be cut only if its linear part is no longer than that (`skb_segment()`).
        let beside = match inlet.headroom {
            0 => inlet.buffer_len.wrapping_sub(header_len),
            _ => len.wrapping_sub(header_len),
        };
        let more = posted.min(inlet.buffers_max()).saturating_sub(1);
        let room = beside.wrapping_add(inlet.buffer_len.wrapping_mul(more));
        let run = s.plan.next_run(cursor, room)?;
        let beside = beside.min(run.payload);
        let behind = run.payload.wrapping_sub(beside);
        let buffers = match behind {
            0 => 1,
            n => n
                .wrapping_sub(1)
                .checked_div(inlet.buffer_len)?
                .wrapping_add(2),
        };
        let gso = fill_run(s, inlet, first, cursor, run, beside)?;
        let merged = aggregate::merged(gso, s.headers.transport_offset?);

        let whole = header_len.wrapping_add(run.payload);
        self.finish(s, first, whole, Some(merged));
        self.filled(buffers, run.segments.into(), s.way);
        let others = run.segments.wrapping_sub(1);
        let before_last = u32::from(merged.size).wrapping_mul(others.into());
        self.outlet
            .counters
            .checksum_filled
            .add(run.segments.into());
        self.sent(others, len, Some(s.to));
        self.sent(1, whole.wrapping_sub(before_last), Some(s.to));
        Some(run)
    }

    /// Sends one frame of a packet that the stack did not cut, of `len` bytes, into the `buffers` that there are for
    /// it.
    fn segment(&mut self, s: &SuperFrame<'_>, cursor: Cursor, len: u32, buffers: u32) {
        let first = self.held.as_ref().map_or(0, |h| h.descriptors);
        let Some(inlet) = self.held.as_mut().and_then(|h| h.guard.as_mut()) else {
            self.drop(Drop::NoCarrier, len, Some(s.to));
            return;
        };
        if fill_segment(s, inlet, first, cursor, len).is_none() {
            self.drop(Drop::Segmentation, len, Some(s.to));
            return;
        }
        self.finish(s, first, len, None);
        self.filled(buffers, 1, s.way);
        self.outlet.counters.checksum_filled.inc();
        self.sent(1, len, Some(s.to));
    }

    /// Completes the first descriptor, number `first`, of frames of `len` bytes that were filled in.
    fn finish(&mut self, s: &SuperFrame<'_>, first: u32, len: u32, merged: Option<Merged>) {
        let checked = match (s.headers.direct, s.plan.sums_right()) {
            (true, true) => Checked::Good,
            (true, false) => Checked::Bad,
            (false, _) => Checked::Unknown,
        };
        let mut info = self
            .info(len, s.headers, s.linear, s.way)
            .with_checked(checked);
        if let Some(merged) = merged {
            info = info.with_merged(merged);
        }
        let Some(inlet) = self.held.as_mut().and_then(|h| h.guard.as_mut()) else {
            return;
        };
        let headroom = inlet.headroom;
        let Some(d) = inlet.descriptor(first) else {
            return;
        };
        if len < info.len {
            // What fills it is zero, not what the buffer held before.
            let bytes = d.buffer.bytes_mut();
            let (from, to) = (headroom.wrapping_add(len), headroom.wrapping_add(info.len));
            if let Some(padding) = bytes.get_mut(from as usize..to as usize) {
                padding.fill(0);
                d.len = info.len;
            }
        }
        d.frame = info;
    }
}

/// How a packet is cut.
fn plan(skb: &SkBuff, linear: &[u8], headers: &Headers, gso: Gso) -> Option<Plan> {
    let protocol = match gso.kind {
        GsoKind::Tcp4 | GsoKind::Tcp6 => segment::Protocol::Tcp,
        GsoKind::Udp => segment::Protocol::Udp,
        GsoKind::Other => return None,
    };
    let header_length = header_len(headers, linear);
    let layout = Layout {
        protocol,
        network_offset: headers.network_offset,
        transport_offset: headers.transport_offset?,
        header_length,
        segment_size: gso.size,
        payload_length: skb.len().checked_sub(u32::from(header_length))?,
        fixed_id: gso.fixed_id,
        keep_cwr: gso.keep_cwr,
        pseudo: skb.tx_checksum() != TxChecksum::Done,
    };
    Plan::new(linear.get(..usize::from(header_length))?, &layout).ok()
}

/// Writes one frame of a packet into the posted buffers from number `first` on.
fn fill_segment(
    s: &SuperFrame<'_>,
    inlet: &mut InletOpen,
    first: u32,
    cursor: Cursor,
    len: u32,
) -> Option<()> {
    let header_len = s.plan.header_length();
    let template = s.linear.get(..header_len)?;
    let (room, headroom) = (inlet.buffer_len, inlet.headroom as usize);
    let mut sum = Sum::new();
    let from = (header_len as u32).wrapping_add(cursor.offset());
    let left = len.wrapping_sub(header_len as u32);

    // The first buffer: headers, and as much of the payload as fits.
    let n = (room as usize).checked_sub(header_len)?.min(left as usize) as u32;
    let used = header_len.wrapping_add(n as usize);
    let d = inlet.descriptor(first)?;
    d.len = used as u32;
    d.more = n < left;
    let to = d
        .buffer
        .bytes_mut()
        .get_mut(headroom..headroom.wrapping_add(used))?;
    let partial = s.plan.write_headers(template, cursor, to)?;
    if !copy::summing(s.skb, s.all, from, to.get_mut(header_len..)?, &mut sum) {
        return None;
    }
    let (from, left) = (from.wrapping_add(n), left.wrapping_sub(n));
    fill_behind(inlet, first, from, left, |from, to| {
        copy::summing(s.skb, s.all, from, to, &mut sum)
    })?;
    let d = inlet.descriptor(first)?;
    let to = d.buffer.bytes_mut().get_mut(headroom..)?;
    partial.finish(to, sum).then_some(())
}

/// Writes frames of a packet, together, into the posted buffers from number `first` on, at most `beside` bytes of
/// payload into the first. Nothing is summed: the data never was on a wire.
fn fill_run(
    s: &SuperFrame<'_>,
    inlet: &mut InletOpen,
    first: u32,
    cursor: Cursor,
    run: Frames,
    beside: u32,
) -> Option<pure::aggregate::Gso> {
    let header_len = s.plan.header_length();
    let template = s.linear.get(..header_len)?;
    let headroom = inlet.headroom as usize;
    let from = (header_len as u32).wrapping_add(cursor.offset());
    let left = run.payload.checked_sub(beside)?;

    let used = header_len.wrapping_add(beside as usize);
    let d = inlet.descriptor(first)?;
    let to = d
        .buffer
        .bytes_mut()
        .get_mut(headroom..headroom.wrapping_add(used))?;
    let gso = s.plan.write_run(template, cursor, run, to)?;
    if !copy::plain(s.skb, s.all, from, to.get_mut(header_len..)?) {
        return None;
    }
    d.len = used as u32;
    d.more = left > 0;
    fill_behind(inlet, first, from.wrapping_add(beside), left, |from, to| {
        copy::plain(s.skb, s.all, from, to)
    })?;
    Some(gso)
}

/// Writes `left` bytes of payload from offset `from` of the packet on into the buffers behind number `first`, by
/// `copy`, which is given an offset and where to write, and says whether it could.
#[inline(always)]
fn fill_behind(
    inlet: &mut InletOpen,
    first: u32,
    mut from: u32,
    mut left: u32,
    mut copy: impl FnMut(u32, &mut [u8]) -> bool,
) -> Option<()> {
    let (room, headroom) = (inlet.buffer_len, inlet.headroom as usize);
    let mut i = first;
    while left > 0 {
        i = i.wrapping_add(1);
        let n = left.min(room);
        let d = inlet.descriptor(i)?;
        let to = d
            .buffer
            .bytes_mut()
            .get_mut(headroom..headroom.wrapping_add(n as usize))?;
        if !copy(from, to) {
            return None;
        }
        d.len = n;
        d.more = n < left;
        from = from.wrapping_add(n);
        left = left.wrapping_sub(n);
    }
    Some(())
}
