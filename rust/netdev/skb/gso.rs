// SPDX-License-Identifier: GPL-2.0

//! Segmentation offload as a packet asks for it (`struct skb_shared_info`).

use super::SkBuff;
use netdev_sys as bindings;

/// What has to be cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GsoKind {
    /// TCP over IPv4 (`SKB_GSO_TCPV4`).
    Tcp4,
    /// TCP over IPv6 (`SKB_GSO_TCPV6`).
    Tcp6,
    /// UDP datagrams of one size (`SKB_GSO_UDP_L4`).
    Udp,
    /// Anything else: the device has not offered to do it.
    Other,
}

/// A packet that stands for several frames.
#[derive(Clone, Copy, Debug)]
pub struct Gso {
    /// What has to be cut.
    pub kind: GsoKind,
    /// Bytes of payload a frame (`gso_size`).
    pub size: u16,
    /// CWR stays on all frames: it is part of accurate ECN (`SKB_GSO_TCP_ACCECN`).
    pub keep_cwr: bool,
    /// All frames carry the same IPv4 identification (`SKB_GSO_TCP_FIXEDID`).
    pub fixed_id: bool,
}

impl SkBuff {
    /// How the packet is to be cut; `None` for a single frame.
    #[inline]
    pub fn gso(&self) -> Option<Gso> {
        // SAFETY: `end` points to the shared info of a valid packet (64-bit machines count from `head`).
        let info = unsafe { &*self.shinfo() };
        if info.gso_size == 0 {
            return None;
        }
        let t = info.gso_type as i32;
        let known = bindings::SKB_GSO_TCPV4
            | bindings::SKB_GSO_TCPV6
            | bindings::SKB_GSO_UDP_L4
            | bindings::SKB_GSO_DODGY
            | bindings::SKB_GSO_TCP_ECN
            | bindings::SKB_GSO_TCP_FIXEDID
            | bindings::SKB_GSO_TCP_ACCECN;
        let kind = if t & !known != 0 {
            GsoKind::Other
        } else if t & bindings::SKB_GSO_TCPV4 != 0 {
            GsoKind::Tcp4
        } else if t & bindings::SKB_GSO_TCPV6 != 0 {
            GsoKind::Tcp6
        } else if t & bindings::SKB_GSO_UDP_L4 != 0 {
            GsoKind::Udp
        } else {
            GsoKind::Other
        };
        Some(Gso {
            kind,
            size: info.gso_size,
            keep_cwr: t & bindings::SKB_GSO_TCP_ACCECN != 0,
            fixed_id: t & bindings::SKB_GSO_TCP_FIXEDID != 0,
        })
    }

    #[inline(always)]
    pub(super) fn shinfo(&self) -> *const bindings::skb_shared_info {
        let raw = self.raw();
        // SAFETY: `end` is an offset from `head` on 64-bit machines, within the same allocation.
        unsafe { raw.head.add(raw.end as usize).cast() }
    }
}
