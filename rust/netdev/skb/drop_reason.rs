// SPDX-License-Identifier: GPL-2.0

//! Drop reasons.
//!
//! C header: [`include/net/dropreason-core.h`](srctree/include/net/dropreason-core.h)

use core::slice;
use kernel::prelude::*;
use netdev_sys as bindings;

/// Why a packet is dropped, as `drop_monitor`, `tracepoint skb:kfree_skb` and tools on them show it.
///
/// One of the core's: a module cannot add a subsystem of its own, as there is a fixed number of them. Their numbers are
/// not the same in all kernels, but their names stay.
///
/// # Invariants
///
/// Says that a packet is dropped: neither "not dropped" nor "consumed", and below the core's last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reason(bindings::skb_drop_reason);

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $raw:ident;)*) => {
        impl Reason {
            $($(#[$doc])* pub const $name: Reason = {
                assert!(is_drop(bindings::$raw));
                // INVARIANT: As just seen.
                Reason(bindings::$raw)
            };)*
        }
    };
}

reasons! {
    /// No reason is given.
    NOT_SPECIFIED = skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED;
    /// The device is not ready: closed, or without a carrier.
    DEV_READY = skb_drop_reason_SKB_DROP_REASON_DEV_READY;
    /// A ring has no room.
    FULL_RING = skb_drop_reason_SKB_DROP_REASON_FULL_RING;
    /// No memory.
    NO_MEM = skb_drop_reason_SKB_DROP_REASON_NOMEM;
    /// The packet is larger than what the receiver takes.
    TOO_BIG = skb_drop_reason_SKB_DROP_REASON_PKT_TOO_BIG;
    /// The packet is shorter than its headers.
    TOO_SMALL = skb_drop_reason_SKB_DROP_REASON_PKT_TOO_SMALL;
    /// A header makes no sense to the device.
    DEV_HEADER = skb_drop_reason_SKB_DROP_REASON_DEV_HDR;
    /// Segmentation failed.
    GSO = skb_drop_reason_SKB_DROP_REASON_SKB_GSO_SEG;
    /// Not for this station: filtered by its destination address.
    OTHER_HOST = skb_drop_reason_SKB_DROP_REASON_OTHERHOST;
    /// A netfilter hook refused it.
    NETFILTER = skb_drop_reason_SKB_DROP_REASON_NETFILTER_DROP;
}

/// Whether it says that a packet is dropped.
const fn is_drop(raw: bindings::skb_drop_reason) -> bool {
    raw >= bindings::skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED
        && raw < bindings::skb_drop_reason_SKB_DROP_REASON_MAX
}

impl Reason {
    /// The reason that the running kernel gives that name, such as `NETFILTER_DROP`.
    pub fn by_name(name: &CStr) -> Option<Reason> {
        let mut number = bindings::skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED as u16;
        while let Some(reason) = Reason::from_number(number) {
            if reason.name() == Some(name) {
                return Some(reason);
            }
            number = number.wrapping_add(1);
        }
        None
    }

    /// What the running kernel calls it.
    pub fn name(self) -> Option<&'static CStr> {
        // SAFETY: Any number may be asked for.
        let name = unsafe { bindings::netdev_drop_reason_name(self.0) };
        if name.is_null() {
            return None;
        }
        // SAFETY: The core's names are strings and static, and so is what they are kept in.
        Some(unsafe {
            let length = bindings::strlen(name).wrapping_add(1);
            CStr::from_bytes_with_nul_unchecked(slice::from_raw_parts(name.cast(), length))
        })
    }

    /// Its number in the running kernel.
    #[inline]
    pub const fn number(self) -> u16 {
        // The core's are few, by the invariant; higher bits are those of subsystems.
        const { assert!(bindings::skb_drop_reason_SKB_DROP_REASON_MAX <= u16::MAX as u32) };
        self.0 as u16
    }

    /// The reason of a number, if there is one.
    #[inline]
    pub const fn from_number(number: u16) -> Option<Reason> {
        if is_drop(number as bindings::skb_drop_reason) {
            // INVARIANT: As just seen.
            Some(Reason(number as bindings::skb_drop_reason))
        } else {
            None
        }
    }

    #[inline(always)]
    pub(crate) fn as_raw(self) -> bindings::skb_drop_reason {
        self.0
    }
}
