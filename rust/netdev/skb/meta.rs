// SPDX-License-Identifier: GPL-2.0

//! What a packet carries beside its bytes.

use super::SkBuff;
use kernel::prelude::*;
use netdev_sys as bindings;

impl SkBuff {
    /// Ethertype of what the data begins with, or holds behind the link header (`skb->protocol`), host order.
    #[inline]
    pub fn protocol(&self) -> u16 {
        u16::from_be(self.headers().protocol)
    }

    /// Whom it is for, as the link layer sees it (`PACKET_*`).
    #[inline]
    pub fn packet_type(&self) -> u8 {
        self.headers().pkt_type()
    }

    /// Its mark.
    #[inline]
    pub fn mark(&self) -> u32 {
        // SAFETY: Both members of the union are plain integers.
        unsafe { self.headers().__bindgen_anon_4.mark }
    }

    /// Sets its mark.
    #[inline]
    pub(crate) fn set_mark(&mut self, mark: u32) {
        // SAFETY: Valid by the type invariant; the mark of a packet at a hook is written by who has it there.
        unsafe {
            let headers = &raw mut (*self.as_ptr()).__bindgen_anon_4.__bindgen_anon_1;
            (*headers.cast::<bindings::sk_buff__bindgen_ty_4__bindgen_ty_1>())
                .__bindgen_anon_4
                .mark = mark;
        }
    }

    /// Where it is in memory, as a number: what tells it from others while it lives, and means nothing afterwards.
    #[inline]
    pub fn address(&self) -> usize {
        self.as_ptr() as usize
    }

    /// A number that tells it from others for a while, also from one that comes to be at its place in memory: made of
    /// its address, that of its buffer, and of what neither forwarding nor translation changes in its IP header
    /// (length, identification; of IPv6, length and flow).
    pub fn fingerprint(&self) -> u64 {
        let mut bytes = [0; 4];
        let at = (self.network_offset() as i32).saturating_add(2);
        // A shorter packet has none of these.
        let _ = self.copy_bits_from(at, &mut bytes);
        let header = u64::from(u32::from_ne_bytes(bytes));
        (self.address() as u64).rotate_left(17) ^ self.raw().head as u64 ^ header.rotate_left(40)
    }

    /// When it was received, nanoseconds of `CLOCK_REALTIME`; 0 if it bears no time stamp. On a transmit path the field
    /// means something else (`skb->tstamp`).
    #[inline]
    pub fn time_stamp(&self) -> u64 {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::netdev_skb_tstamp(self.as_ptr()) }
    }

    /// Stamps it as received now; returns the stamp (`__net_timestamp`). The caller is the only one with a reference to
    /// the packet.
    #[inline]
    pub(super) fn stamp(&mut self) -> u64 {
        // SAFETY: Valid, and nobody else's.
        unsafe { bindings::netdev_skb_net_timestamp(self.as_ptr()) }
    }

    /// Bytes from the link header to the data; `None` if no link header was noted before the data.
    #[inline]
    pub(crate) fn mac_distance(&self) -> Option<u32> {
        let raw = self.raw();
        let headroom = (raw.data as usize).wrapping_sub(raw.head as usize);
        // What skb_mac_header_was_set() looks at.
        match self.headers().mac_header {
            u16::MAX => None,
            mac => headroom.checked_sub(mac.into()).map(|d| d as u32),
        }
    }

    /// Bytes from the data to the network header, 0 if that lies before it.
    #[inline]
    pub(crate) fn network_offset(&self) -> u32 {
        let raw = self.raw();
        let headroom = (raw.data as usize).wrapping_sub(raw.head as usize);
        usize::from(self.headers().network_header).saturating_sub(headroom) as u32
    }

    /// Bytes from the data to the transport header; `None` if none was noted, or it lies before the data.
    #[inline]
    pub fn transport_offset(&self) -> Option<u32> {
        let raw = self.raw();
        let headroom = (raw.data as usize).wrapping_sub(raw.head as usize);
        // What skb_transport_header_was_set() looks at.
        match self.headers().transport_header {
            u16::MAX => None,
            transport => usize::from(transport)
                .checked_sub(headroom)
                .map(|offset| offset as u32),
        }
    }

    /// How many segments a super frame stands for; 1 for any other packet.
    #[inline]
    pub fn segments(&self) -> u32 {
        // SAFETY: Valid by the type invariant, and so is its shared information.
        let info = unsafe { &*self.shinfo() };
        match (info.gso_size, info.gso_segs) {
            (0, _) => 1,
            // It comes from a tap, or a virtual machine, which don't say.
            // SAFETY: Valid by the type invariant.
            (_, 0) => unsafe { bindings::netdev_skb_count_segments(self.as_ptr()) },
            (_, segments) => segments.into(),
        }
    }

    /// Whether it is a super frame (`skb_is_gso`).
    #[inline]
    pub fn is_super_frame(&self) -> bool {
        // SAFETY: Valid by the type invariant, and so is its shared information.
        unsafe { (*self.shinfo()).gso_size != 0 }
    }

    /// [`copy_bits`](Self::copy_bits) from an offset that may be before the data, where headers lie.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the packet is shorter.
    pub(crate) fn copy_bits_from(&self, offset: i32, to: &mut [u8]) -> Result {
        // SAFETY: `to` is valid for writing its length; the packet is valid, and what is before its data was pulled off
        // it.
        crate::errno::to_result(unsafe {
            bindings::skb_copy_bits(
                self.as_ptr(),
                offset,
                to.as_mut_ptr().cast(),
                to.len() as c_int,
            )
        })
    }
}
