// SPDX-License-Identifier: GPL-2.0

//! Drop reasons.
//!
//! C header: [`include/net/dropreason-core.h`](srctree/include/net/dropreason-core.h)

use netdev_sys as bindings;

/// Why a packet is dropped, as `drop_monitor`, `tracepoint skb:kfree_skb` and tools on them show it.
///
/// A subset of the core's: a module cannot add a subsystem of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Reason {
    /// The device is not ready: closed, or without a carrier.
    DevReady = bindings::skb_drop_reason_SKB_DROP_REASON_DEV_READY,
    /// A ring has no room.
    FullRing = bindings::skb_drop_reason_SKB_DROP_REASON_FULL_RING,
    /// No memory.
    NoMem = bindings::skb_drop_reason_SKB_DROP_REASON_NOMEM,
    /// The packet is larger than what the receiver takes.
    TooBig = bindings::skb_drop_reason_SKB_DROP_REASON_PKT_TOO_BIG,
    /// The packet is shorter than its headers.
    TooSmall = bindings::skb_drop_reason_SKB_DROP_REASON_PKT_TOO_SMALL,
    /// A header makes no sense to the device.
    DevHeader = bindings::skb_drop_reason_SKB_DROP_REASON_DEV_HDR,
    /// Segmentation failed.
    Gso = bindings::skb_drop_reason_SKB_DROP_REASON_SKB_GSO_SEG,
    /// Not for this station: filtered by its destination address.
    OtherHost = bindings::skb_drop_reason_SKB_DROP_REASON_OTHERHOST,
    /// A netfilter hook refused it.
    Netfilter = bindings::skb_drop_reason_SKB_DROP_REASON_NETFILTER_DROP,
}

impl Reason {
    #[inline(always)]
    pub(super) fn as_raw(self) -> bindings::skb_drop_reason {
        self as bindings::skb_drop_reason
    }
}
