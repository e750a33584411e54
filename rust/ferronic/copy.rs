// SPDX-License-Identifier: GPL-2.0

//! Copying a packet into posted buffers, and its checksum on the way: one pass.

use crate::limits::FRAME_MIN;
use crate::receive::RxDescriptor;
use crate::wire::InletOpen;
use netdev::skb::{SkBuff, TxChecksum};
use pure::checksum::{copy_and_sum, Sum};

/// Bytes of a packet that are summed while they are copied.
#[derive(Clone, Copy)]
pub(crate) struct Summed {
    /// From here, bytes from the start of the frame,
    pub(crate) start: u32,
    /// to here.
    pub(crate) end: u32,
}

impl Summed {
    /// Nothing is summed.
    pub(crate) const NONE: Summed = Summed { start: 0, end: 0 };
}

/// Copies `to.len()` bytes from `offset` on. Returns whether the packet had as many.
#[inline]
pub(crate) fn plain(skb: &SkBuff, linear: &[u8], offset: u32, to: &mut [u8]) -> bool {
    let at = offset as usize;
    if let Some(from) = linear.get(at..at.wrapping_add(to.len())) {
        to.copy_from_slice(from);
        return true;
    }
    skb.copy_bits(offset, to).is_ok()
}

/// Copies `to.len()` bytes from `offset` on and adds them to `sum`. Returns whether the packet had as many.
#[inline]
pub(crate) fn summing(
    skb: &SkBuff,
    linear: &[u8],
    offset: u32,
    to: &mut [u8],
    sum: &mut Sum,
) -> bool {
    // What lies in the linear part needs no call.
    let from = linear.get(offset as usize..).unwrap_or(&[]);
    let n = from.len().min(to.len());
    let (Some(from), Some((here, rest))) = (from.get(..n), to.split_at_mut_checked(n)) else {
        return false;
    };
    if !here.is_empty() {
        sum.add_sum(copy_and_sum(here, from).1);
    }
    if rest.is_empty() {
        return true;
    }
    match skb.copy_and_sum(offset.wrapping_add(n as u32), rest) {
        Ok(s) => {
            sum.add_partial(s, rest.len());
            true
        }
        Err(_) => false,
    }
}

/// Bytes that are copied without a call: as many as lie before a transport header, behind Ethernet and IPv6.
const HEAD: usize = 56;

/// Copies the first `n` bytes, or more. Returns whether the packet had as many.
#[inline]
fn head(skb: &SkBuff, linear: &[u8], n: usize, to: &mut [u8]) -> bool {
    if n <= HEAD {
        if let (Some(from), Some(to)) = (linear.first_chunk::<HEAD>(), to.first_chunk_mut()) {
            *to = *from;
            return true;
        }
    }
    to.get_mut(..n).is_some_and(|to| plain(skb, linear, 0, to))
}

/// Copies `to.len()` bytes from `offset` on; those of them that lie in `range` are summed.
#[inline]
fn piece(
    skb: &SkBuff,
    linear: &[u8],
    offset: u32,
    to: &mut [u8],
    range: Summed,
    sum: &mut Sum,
) -> bool {
    let end = offset.wrapping_add(to.len() as u32);
    // The three parts: before, in and behind the range.
    let a = range.start.max(offset).min(end);
    let b = range.end.max(a).min(end);
    let n = a.wrapping_sub(offset) as usize;
    // What is copied too much is behind the part before the range, and copied again.
    if offset == 0 && n != 0 && !head(skb, linear, n, to) {
        return false;
    }
    let Some((before, rest)) = to.split_at_mut_checked(n) else {
        return false;
    };
    let Some((within, behind)) = rest.split_at_mut_checked(b.wrapping_sub(a) as usize) else {
        return false;
    };
    (before.is_empty() || offset == 0 || plain(skb, linear, offset, before))
        && (within.is_empty() || summing(skb, linear, a, within, sum))
        && (behind.is_empty() || plain(skb, linear, b, behind))
}

/// Copies a whole packet into the `first` posted buffer, as a frame of the wire: what `checksum` asks for is filled in,
/// and zeros behind it make it as long as the shortest. Returns the buffer's descriptor, and the sum of `range`.
///
/// The caller has seen that there is such a buffer, long enough for all of it. `None` if it is too short all the same,
/// the packet is shorter than it says, or the checksum's place is beyond its end: what is in the buffer then means
/// nothing, and it stays posted.
#[inline(always)]
pub(crate) fn into_one<'a>(
    skb: &SkBuff,
    linear: &[u8],
    inlet: &'a mut InletOpen,
    first: u32,
    range: Summed,
    checksum: TxChecksum,
) -> Option<(&'a mut RxDescriptor, Sum)> {
    let len = skb.len();
    let padded = len.max(FRAME_MIN);
    let headroom = inlet.headroom;
    let descriptor = inlet.descriptor(first)?;
    let (frame, padding) = descriptor
        .buffer
        .bytes_mut()
        .get_mut(headroom as usize..headroom.wrapping_add(padded) as usize)?
        .split_at_mut_checked(len as usize)?;
    let mut sum = Sum::new();
    if !piece(skb, linear, 0, frame, range, &mut sum) {
        return None;
    }
    if let TxChecksum::Fill { start, offset } = checksum {
        let at = start.wrapping_add(offset) as usize;
        *frame.get_mut(at..)?.first_chunk_mut()? = sum.checksum_nonzero().to_be_bytes();
    }
    if !padding.is_empty() {
        // Not what the buffer held before.
        padding.fill(0);
    }
    descriptor.len = padded;
    descriptor.more = false;
    Some((descriptor, sum))
}

/// Copies a whole packet into as many posted buffers as it takes, from the `first` on, where the caller has seen that
/// one is not enough for it; so it is longer than the shortest frame. Otherwise as [`into_one`]; returns the descriptor
/// of the first buffer.
///
/// `None` for the same reasons, or if there are fewer buffers: none of them is handed on then.
pub(crate) fn into_many<'a>(
    skb: &SkBuff,
    linear: &[u8],
    inlet: &'a mut InletOpen,
    first: u32,
    range: Summed,
    checksum: TxChecksum,
) -> Option<(&'a mut RxDescriptor, Sum)> {
    let len = skb.len();
    let mut sum = Sum::new();
    let (room, headroom) = (inlet.buffer_len, inlet.headroom as usize);
    let mut at = 0u32;
    let mut i = first;
    while at < len {
        let n = len.wrapping_sub(at).min(room);
        let descriptor = inlet.descriptor(i)?;
        let to = descriptor
            .buffer
            .bytes_mut()
            .get_mut(headroom..headroom.wrapping_add(n as usize))?;
        if !piece(skb, linear, at, to, range, &mut sum) {
            return None;
        }
        at = at.wrapping_add(n);
        descriptor.len = n;
        descriptor.more = at < len;
        i = i.wrapping_add(1);
    }
    if let TxChecksum::Fill { start, offset } = checksum {
        let at = start.wrapping_add(offset);
        store(inlet, first, at, sum.checksum_nonzero().to_be_bytes())?;
    }
    Some((inlet.descriptor(first)?, sum))
}

/// Stores two bytes of a frame that lies in the posted buffers from number `first` on.
fn store(inlet: &mut InletOpen, first: u32, offset: u32, bytes: [u8; 2]) -> Option<()> {
    for (byte, k) in bytes.into_iter().zip(0u32..2) {
        let at = offset.wrapping_add(k);
        let i = first.wrapping_add(at.checked_div(inlet.buffer_len)?);
        let within = at
            .checked_rem(inlet.buffer_len)?
            .wrapping_add(inlet.headroom);
        *inlet
            .descriptor(i)?
            .buffer
            .bytes_mut()
            .get_mut(within as usize)? = byte;
    }
    Some(())
}
