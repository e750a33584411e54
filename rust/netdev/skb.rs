// SPDX-License-Identifier: GPL-2.0

//! Socket buffers.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)
//!
//! An [`SkBuff`] owns one reference to a `struct sk_buff`. It leaves by being handed to someone by value, to
//! the stack, to a ring, to a drop with a reason; an `SkBuff` that is merely forgotten frees itself.
//!
//! The packet behind a reference may be shared (`skb->users > 1`, as pktgen does) or cloned (TCP keeps a clone
//! of all it sends), so what came from the stack is read only here. What a driver makes of what it receives is an
//! [`RxSkb`], which it may write; what it hands on to the stack is an [`OwnedSkb`], of which there is one reference.

mod drop_reason;
mod gso;
mod handoff;
mod meta;
mod rx;

pub use drop_reason::Reason;
pub use gso::{Gso, GsoKind};
pub use handoff::OwnedSkb;
pub use rx::{Checksum, HashKind, Merged, RxSkb};

use crate::device::{Device, Driver};
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::slice;
use kernel::prelude::*;
use netdev_sys as bindings;

/// An owned socket buffer.
///
/// # Invariants
///
/// The pointer is valid, and this value owns one reference of it.
#[repr(transparent)]
pub struct SkBuff(NonNull<bindings::sk_buff>);

// SAFETY: A socket buffer is not tied to a context or CPU; the core hands it from one to the other all the time.
unsafe impl Send for SkBuff {}

/// What the stack left to the device to do about the checksum (`skb->ip_summed` on transmit).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TxChecksum {
    /// Nothing: the packet carries what it is to carry.
    Done,
    /// Sum from `start` to the end and store it at `start + offset`. Bytes from the start of the frame
    /// (`CHECKSUM_PARTIAL`).
    Fill {
        /// Where summing starts, bytes from the start of the frame.
        start: u32,
        /// Where the sum goes, bytes from `start`.
        offset: u32,
    },
}

impl SkBuff {
    /// Takes over a reference.
    ///
    /// # Safety
    ///
    /// `skb` is valid and the caller owns the reference it gives away.
    #[inline]
    pub(crate) unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: By the caller's promise.
        SkBuff(skb)
    }

    /// Gives the reference to C code.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut bindings::sk_buff {
        ManuallyDrop::new(self).0.as_ptr()
    }

    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *mut bindings::sk_buff {
        self.0.as_ptr()
    }

    #[inline(always)]
    fn raw(&self) -> &bindings::sk_buff {
        // SAFETY: Valid by the type invariant. The fields read here are not written while the packet is queued:
        // whoever shares it has to leave it alone.
        unsafe { self.0.as_ref() }
    }

    /// The fields that `__copy_skb_header()` copies: a struct_group, so a union with itself.
    #[inline(always)]
    fn headers(&self) -> &bindings::sk_buff__bindgen_ty_4__bindgen_ty_1 {
        // SAFETY: Both members of the union have the same layout.
        unsafe { self.raw().__bindgen_anon_4.__bindgen_anon_1.as_ref() }
    }

    /// Length in bytes, from the Ethernet header on a transmit path.
    #[inline(always)]
    pub fn len(&self) -> u32 {
        self.raw().len
    }

    /// Whether there is nothing in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that lie in one piece at the start; the rest, if any, is in pages.
    #[inline(always)]
    pub fn linear(&self) -> &[u8] {
        let raw = self.raw();
        let n = raw.len.wrapping_sub(raw.data_len) as usize;
        // SAFETY: `data` points to at least `len - data_len` bytes. Linear data of a packet that is on its way
        // is not written: sharers and cloners have to copy it first.
        unsafe { slice::from_raw_parts(raw.data, n) }
    }

    /// Transmit queue that the stack chose (`skb->queue_mapping`).
    #[inline]
    pub fn queue_mapping(&self) -> u16 {
        self.raw().queue_mapping
    }

    /// Sets the receive queue it came by. The caller is the only one with a reference to the packet.
    #[inline]
    fn set_rx_queue(&mut self, queue: u16) {
        // SAFETY: Valid, and nobody else's. The field holds the queue plus one.
        unsafe { (*self.as_ptr()).queue_mapping = queue.wrapping_add(1) };
    }

    /// Whether there are `n` bytes from `offset` on.
    #[inline(always)]
    fn reaches(&self, offset: u32, n: usize) -> bool {
        (self.len() as usize)
            .checked_sub(n)
            .is_some_and(|rest| offset as usize <= rest)
    }

    /// Copies `to.len()` bytes from `offset` on, wherever they lie (`skb_copy_bits`).
    ///
    /// # Errors
    ///
    /// `EFAULT` if the packet is shorter.
    #[inline]
    pub fn copy_bits(&self, offset: u32, to: &mut [u8]) -> Result {
        if !self.reaches(offset, to.len()) {
            return Err(EFAULT);
        }
        // SAFETY: `to` is valid for writing its length; the packet is valid and has that many bytes from `offset` on.
        // To the function both are signed, and what would be negative is not, as just seen.
        let ret = unsafe {
            bindings::skb_copy_bits(
                self.as_ptr(),
                offset as c_int,
                to.as_mut_ptr().cast(),
                to.len() as c_int,
            )
        };
        crate::errno::to_result(ret)
    }

    /// Copies `to.len()` bytes from `offset` on and returns their one's complement sum, unfolded and in the
    /// byte order of the data (`skb_copy_and_csum_bits`). The caller has seen that the packet is long enough.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the packet is shorter; nothing is copied then.
    #[inline]
    pub fn copy_and_sum(&self, offset: u32, to: &mut [u8]) -> Result<u32> {
        if !self.reaches(offset, to.len()) {
            return Err(EFAULT);
        }
        // SAFETY: `to` is valid for writing its length, and the packet has that many bytes from `offset` on,
        // without which the function would be a bug by its own word.
        Ok(unsafe {
            bindings::skb_copy_and_csum_bits(
                self.as_ptr(),
                offset as c_int,
                to.as_mut_ptr(),
                to.len() as c_int,
            )
        })
    }

    /// What the device has to do about the checksum.
    #[inline]
    pub fn tx_checksum(&self) -> TxChecksum {
        let raw = self.raw();
        let h = self.headers();
        if u32::from(h.ip_summed()) != bindings::CHECKSUM_PARTIAL {
            return TxChecksum::Done;
        }
        // SAFETY: CHECKSUM_PARTIAL says which member of the union is in use.
        let c = unsafe { &h.__bindgen_anon_1.__bindgen_anon_1 };
        // `csum_start` counts from the head of the buffer.
        let headroom = (raw.data as usize).wrapping_sub(raw.head as usize) as u32;
        TxChecksum::Fill {
            start: u32::from(c.csum_start).wrapping_sub(headroom),
            offset: u32::from(c.csum_offset),
        }
    }

    /// The VLAN tag that travels beside the packet: protocol (host order) and TCI.
    #[inline]
    pub fn vlan_tag(&self) -> Option<(u16, u16)> {
        // SAFETY: Both members of the union are plain integers.
        let v = unsafe { self.headers().__bindgen_anon_2.__bindgen_anon_1 };
        if v.vlan_proto == 0 {
            // `skb_vlan_tag_present()` looks at both, but a tag of protocol 0 does not exist.
            return None;
        }
        Some((u16::from_be(v.vlan_proto), v.vlan_tci))
    }

    /// Lets the core take the software transmit time stamp of a packet that `sender` was given to send, if one was
    /// asked for (`skb_tx_timestamp`). Nothing happens to a packet of another device: that one may be gone.
    #[inline]
    pub fn tx_timestamp<D: Driver>(&self, sender: &Device<D>) {
        if self.is_of(sender) {
            // SAFETY: Valid by the type invariant, and so is the device it refers to, as just seen; callable wherever a
            // driver transmits.
            unsafe { bindings::skb_tx_timestamp(self.as_ptr()) };
        }
    }

    /// Whether it refers to this device (`skb->dev`), as a packet does that the device was given to send.
    #[inline(always)]
    fn is_of<D: Driver>(&self, dev: &Device<D>) -> bool {
        // SAFETY: All members of the unions are pointers, or as large; it is compared, not followed.
        let own = unsafe {
            self.raw()
                .__bindgen_anon_1
                .__bindgen_anon_1
                .__bindgen_anon_1
                .dev
        };
        own == dev.as_raw()
    }

    /// Frees it as delivered: no drop, no reason (`dev_consume_skb_any`). Any context.
    #[inline]
    pub fn consume(self) {
        // SAFETY: The reference is owned and given away. The reason is that of consume_skb().
        unsafe {
            bindings::dev_kfree_skb_any_reason(
                self.into_raw(),
                bindings::skb_drop_reason_SKB_CONSUMED,
            )
        };
    }

    /// Drops it for a reason that tracing and drop monitors see (`dev_kfree_skb_any_reason`). Any context.
    #[inline]
    pub fn drop_with(self, reason: Reason) {
        // SAFETY: The reference is owned and given away.
        unsafe { bindings::dev_kfree_skb_any_reason(self.into_raw(), reason.as_raw()) };
    }
}

impl Drop for SkBuff {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The reference is owned and this is its end. Safe in any context, hard interrupts included.
        unsafe {
            bindings::dev_kfree_skb_any_reason(
                self.0.as_ptr(),
                bindings::skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED,
            )
        };
    }
}
