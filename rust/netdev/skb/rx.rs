// SPDX-License-Identifier: GPL-2.0

//! Packets that a driver makes of what it has received, and what it says about them.

use super::{OwnedSkb, SkBuff};
use crate::page_pool::Buffer;
use core::ptr::NonNull;
use kernel::prelude::*;
use netdev_sys as bindings;

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

/// A packet that the driver has just made: nobody else has a reference, nobody shares its data. Only such a one may
/// be written.
pub struct RxSkb(SkBuff);

impl core::ops::Deref for RxSkb {
    type Target = SkBuff;
    #[inline(always)]
    fn deref(&self) -> &SkBuff {
        &self.0
    }
}

impl From<RxSkb> for OwnedSkb {
    #[inline(always)]
    fn from(skb: RxSkb) -> Self {
        OwnedSkb(skb.0)
    }
}

impl RxSkb {
    /// Takes over a packet.
    ///
    /// # Safety
    ///
    /// `skb` was just allocated, and the caller gives it away.
    #[inline]
    pub(crate) unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        // SAFETY: By the caller's promise.
        RxSkb(unsafe { SkBuff::from_raw(skb) })
    }

    #[inline(always)]
    fn headers_mut(&mut self) -> &mut bindings::sk_buff__bindgen_ty_4__bindgen_ty_1 {
        // SAFETY: The packet is this driver's alone; both members of the union have the same layout.
        unsafe { (*self.as_ptr()).__bindgen_anon_4.__bindgen_anon_1.as_mut() }
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
    /// Gives the buffer back if the packet has no place for another fragment or the range is not in it.
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
            || offset.checked_add(len).is_none_or(|end| end > buffer.len())
        {
            return Err(buffer);
        }
        let truesize = buffer.len();
        let va = buffer.into_raw();
        // SAFETY: The range lies in the buffer, which is given away; there is a free fragment. The pool's
        // pages are marked for recycling below, as all pages of such a packet have to be.
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

    /// Sets the receive queue it came by (`skb_record_rx_queue`).
    #[inline]
    pub fn record_rx_queue(&mut self, queue: u16) {
        // SAFETY: The packet is this driver's alone.
        unsafe { record_rx_queue(self.as_ptr(), queue) };
    }

    /// Writes a VLAN tag into the packet, behind the addresses (`vlan_insert_tag`). `None` if there is no memory; the
    /// packet is gone then.
    pub fn insert_vlan_tag(self, proto: u16, tci: u16) -> Option<Self> {
        // SAFETY: The packet is this driver's alone and given away; it comes back, or NULL.
        let skb = unsafe { bindings::vlan_insert_tag(self.0.into_raw(), proto.to_be(), tci) };
        // SAFETY: Owned, as above.
        NonNull::new(skb).map(|s| unsafe { RxSkb::from_raw(s) })
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

/// # Safety
///
/// `skb` is valid, and nobody else has a reference.
#[inline(always)]
pub(super) unsafe fn record_rx_queue(skb: *mut bindings::sk_buff, queue: u16) {
    // SAFETY: By the caller's promise. The field holds the queue plus one.
    unsafe { (*skb).queue_mapping = queue.wrapping_add(1) };
}
