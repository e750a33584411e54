// SPDX-License-Identifier: GPL-2.0

//! Packets that a driver makes of what it has received.

use super::SkBuff;
use crate::page_pool::Buffer;
use core::ops::Deref;
use kernel::prelude::*;
use netdev_sys as bindings;

/// A packet that a driver has made, on its way to the stack.
///
/// A poll makes one ([`Poll::alloc_skb`](crate::napi::Poll::alloc_skb),
/// [`Poll::build_skb`](crate::napi::Poll::build_skb)) and gives it to the stack
/// ([`Poll::gro_receive`](crate::napi::Poll::gro_receive), [`Poll::receive`](crate::napi::Poll::receive)). In between
/// nobody else has a reference to it or to its data, so it may be written; which is what tells it from an [`SkBuff`].
///
/// # Invariants
///
/// The packet is neither shared nor cloned, and its data is the packet's alone.
pub struct RxSkb(SkBuff);

impl Deref for RxSkb {
    type Target = SkBuff;

    #[inline(always)]
    fn deref(&self) -> &SkBuff {
        &self.0
    }
}

/// What a packet stands for that was merged of several TCP frames, so that it can be cut into them again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Merged {
    /// Bytes of payload of each frame but the last (`gso_size`).
    pub size: u16,
    /// Number of frames (`gso_segs`).
    pub segments: u16,
    /// Whether it is TCP over IPv6 (`SKB_GSO_TCPV6`) or IPv4 (`SKB_GSO_TCPV4`).
    pub ipv6: bool,
    /// All frames have the same IPv4 identification (`SKB_GSO_TCP_FIXEDID`).
    pub fixed_id: bool,
    /// All frames have CWR set (`SKB_GSO_TCP_ACCECN`).
    pub cwr: bool,
    /// Offset of the TCP header, bytes from the start of the frame.
    pub transport_offset: u16,
}

/// What the device found out about the checksum (`skb->ip_summed` on receive).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checksum {
    /// Nothing (`CHECKSUM_NONE`): the stack has to look.
    None,
    /// It is right (`CHECKSUM_UNNECESSARY`).
    Unnecessary,
}

/// Over what the device took its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HashKind {
    /// Addresses only (`PKT_HASH_TYPE_L3`).
    L3,
    /// Addresses and ports (`PKT_HASH_TYPE_L4`).
    L4,
}

impl RxSkb {
    /// Takes over a packet.
    ///
    /// # Safety
    ///
    /// The packet is not shared, not cloned, and its linear data is its own.
    #[inline(always)]
    pub(crate) unsafe fn new(skb: SkBuff) -> Self {
        // INVARIANT: By the caller's promise.
        RxSkb(skb)
    }

    /// Gives it up as an ordinary packet.
    #[inline(always)]
    pub(crate) fn into_inner(self) -> SkBuff {
        self.0
    }

    #[inline(always)]
    fn headers_mut(&mut self) -> &mut bindings::sk_buff__bindgen_ty_4__bindgen_ty_1 {
        // SAFETY: The packet is this driver's alone; both members of the union have the same layout.
        unsafe { (*self.as_ptr()).__bindgen_anon_4.__bindgen_anon_1.as_mut() }
    }

    /// The bytes that lie in one piece at the start, to be written.
    #[inline]
    pub fn linear_mut(&mut self) -> &mut [u8] {
        let n = self.linear().len();
        // SAFETY: `data` points to that many bytes, which are this packet's alone by the type invariant; the
        // reference to it is exclusive.
        unsafe { core::slice::from_raw_parts_mut((*self.as_ptr()).data, n) }
    }

    /// How many page fragments it has room for.
    #[inline]
    pub fn frags_left(&self) -> u32 {
        // SAFETY: The shared info of a valid packet.
        let nr = unsafe { (*self.shinfo()).nr_frags };
        bindings::MAX_SKB_FRAGS.saturating_sub(nr.into())
    }

    /// Says that the packet was merged of TCP frames, and that its TCP checksum holds the sum of the pseudo header: the
    /// data was found right, so nobody has to sum it, and whoever cuts the packet again fills the frames'
    /// (`CHECKSUM_PARTIAL`, as `tcp_gro_complete()` leaves it).
    ///
    /// # Errors
    ///
    /// `EINVAL` if the TCP header is not in the linear part, or begins 64 KiB or more behind the start of the packet's
    /// memory, or there is nothing to cut by `size`; nothing changes then.
    #[inline]
    pub fn set_merged(&mut self, m: Merged) -> Result {
        let start = usize::from(m.transport_offset);
        if m.size == 0 || start.wrapping_add(20) > self.linear().len() {
            return Err(EINVAL);
        }
        let raw = self.raw();
        let headroom = (raw.data as usize).wrapping_sub(raw.head as usize);
        let csum_start = u16::try_from(headroom.wrapping_add(start)).map_err(|_| EINVAL)?;
        let mut kind = if m.ipv6 {
            bindings::SKB_GSO_TCPV6
        } else {
            bindings::SKB_GSO_TCPV4
        };
        if m.fixed_id {
            kind |= bindings::SKB_GSO_TCP_FIXEDID;
        }
        if m.cwr {
            kind |= bindings::SKB_GSO_TCP_ACCECN;
        }
        let info = self.shinfo().cast_mut();
        // SAFETY: The packet is this driver's alone; its shared info is valid.
        unsafe {
            (*info).gso_size = m.size;
            (*info).gso_segs = m.segments;
            (*info).gso_type = kind as u32;
        }
        let h = self.headers_mut();
        h.set_ip_summed(bindings::CHECKSUM_PARTIAL as u8);
        h.__bindgen_anon_1.__bindgen_anon_1 =
            bindings::sk_buff__bindgen_ty_4__bindgen_ty_1__bindgen_ty_1__bindgen_ty_1 {
                csum_start,
                csum_offset: 16,
            };
        Ok(())
    }

    /// Appends a copy of `bytes` to the linear part (`skb_put_data`).
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there is no room; nothing changes then.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> Result {
        let raw = self.as_ptr();
        // SAFETY: The packet is valid, and this driver's alone.
        let r = unsafe { &*raw };
        if r.data_len != 0 || (r.end.wrapping_sub(r.tail) as usize) < bytes.len() {
            return Err(ENOSPC);
        }
        // SAFETY: There is room for `bytes` between tail and end, as just seen.
        unsafe {
            let tail = bindings::skb_put(raw, bytes.len() as u32);
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), tail.cast(), bytes.len());
        }
        Ok(())
    }

    /// Appends the part of `buffer` from `offset` on, `len` bytes, as a page fragment. The packet owns the
    /// buffer from now on.
    ///
    /// # Errors
    ///
    /// Gives the buffer back if the packet has no place for another fragment, or the range is empty or not in the
    /// buffer; or if the packet has fragments that are no pool's, as one may that another device was given to send: to
    /// the core all of a packet's pages are to be given back the same way.
    #[inline]
    pub fn add_frag(
        &mut self,
        buffer: Buffer,
        offset: u32,
        len: u32,
    ) -> core::result::Result<(), Buffer> {
        let info = self.shinfo().cast_mut();
        // SAFETY: The packet is this driver's alone; its shared info is valid.
        let nr = unsafe { (*info).nr_frags };
        if u32::from(nr) >= bindings::MAX_SKB_FRAGS
            // Behind the last byte another page may begin.
            || len == 0
            || offset.checked_add(len).is_none_or(|end| end > buffer.len())
            || (nr > 0 && self.raw().pp_recycle() == 0)
        {
            return Err(buffer);
        }
        let truesize = buffer.len();
        let va = buffer.into_raw();
        // SAFETY: The range lies in the buffer, which is given away; there is a free fragment. The pool's
        // pages are marked for recycling below, as all pages of such a packet have to be, and are, as just seen.
        unsafe {
            bindings::netdev_skb_add_rx_va(
                self.as_ptr(),
                va.as_ptr().add(offset as usize).cast(),
                len,
                truesize,
            );
            bindings::skb_mark_for_recycle(self.as_ptr());
        }
        Ok(())
    }

    /// Says what the device knows of the checksum.
    #[inline]
    pub fn set_checksum(&mut self, c: Checksum) {
        let h = self.headers_mut();
        match c {
            Checksum::None => h.set_ip_summed(bindings::CHECKSUM_NONE as u8),
            Checksum::Unnecessary => h.set_ip_summed(bindings::CHECKSUM_UNNECESSARY as u8),
        }
    }

    /// Sets the hash that the device took (`skb_set_hash`).
    #[inline]
    pub fn set_hash(&mut self, hash: u32, kind: HashKind) {
        let h = self.headers_mut();
        h.hash = hash;
        h.set_l4_hash((kind == HashKind::L4).into());
        h.set_sw_hash(0);
    }

    /// Stamps it as received now (`__net_timestamp`), as the core does itself while a socket asks for time stamps.
    /// Returns the stamp, nanoseconds of `CLOCK_REALTIME`.
    #[inline]
    pub fn stamp_received(&mut self) -> u64 {
        self.0.stamp()
    }

    /// Sets the receive queue it came by (`skb_record_rx_queue`).
    #[inline]
    pub fn record_rx_queue(&mut self, queue: u16) {
        self.0.set_rx_queue(queue);
    }

    /// Writes a VLAN tag into the packet, behind the addresses (`vlan_insert_tag`). `None` if there is no memory; the
    /// packet is gone then.
    pub fn insert_vlan_tag(self, proto: u16, tci: u16) -> Option<RxSkb> {
        // SAFETY: The packet is this driver's alone and given away; it comes back, or NULL.
        let skb = unsafe { bindings::vlan_insert_tag(self.0.into_raw(), proto.to_be(), tci) };
        // SAFETY: Owned, and nobody else's, as above.
        core::ptr::NonNull::new(skb).map(|s| unsafe { RxSkb(SkBuff::from_raw(s)) })
    }

    /// Takes an 802.1Q tag out of the packet and puts it beside, if there is one behind the addresses.
    #[inline]
    pub fn strip_vlan_tag(&mut self) {
        if let [_, _, _, _, _, _, _, _, _, _, _, _, 0x81, 0x00, a, b, _, _, ..] = *self.linear() {
            // SAFETY: The packet is this driver's alone; 18 bytes of it are linear, as just seen.
            unsafe { bindings::netdev_skb_pull_tag(self.as_ptr()) };
            self.set_vlan_tag(0x8100, u16::from_be_bytes([a, b]));
        }
    }

    /// Puts a VLAN tag beside the packet: protocol in host order, and TCI.
    #[inline]
    pub fn set_vlan_tag(&mut self, proto: u16, tci: u16) {
        let v = &mut self.headers_mut().__bindgen_anon_2;
        v.__bindgen_anon_1 =
            bindings::sk_buff__bindgen_ty_4__bindgen_ty_1__bindgen_ty_2__bindgen_ty_1 {
                vlan_proto: proto.to_be(),
                vlan_tci: tci,
            };
    }
}
