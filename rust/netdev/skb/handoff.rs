// SPDX-License-Identifier: GPL-2.0

//! Handing a transmitted packet to the device at the other end, instead of a copy.

use super::{RxSkb, SkBuff};
use crate::device::{Device, Driver};
use kernel::prelude::*;
use netdev_sys as bindings;

/// A packet whose `struct sk_buff` is its holder's to change: nobody else uses that, though who sent it may have a
/// reference left that he only gives up. Its data may still be shared with clones, which nobody writes to without a
/// copy of his own; no user pages are lent to it. Its Ethernet header lies in its linear part.
pub struct OwnedSkb(SkBuff);

impl SkBuff {
    /// Makes the packet its holder's alone: a shared one is cloned, pages lent for MSG_ZEROCOPY are copied, so that
    /// no memory that a user can still change reaches another's rules, devices, and sockets. Softirqs off.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EINVAL` if it has no whole Ethernet header; the packet has been freed then.
    #[inline]
    pub fn into_owned(self) -> Result<OwnedSkb> {
        // SAFETY: The reference is given away; a clone or the same comes back, or NULL with the packet freed.
        let skb = unsafe { bindings::skb_share_check(self.into_raw(), bindings::GFP_ATOMIC) };
        // SAFETY: Owned, as above.
        let skb = unsafe { SkBuff::from_raw(core::ptr::NonNull::new(skb).ok_or(ENOMEM)?) };
        skb.into_unlent()
    }

    /// As [`into_owned`](Self::into_owned), of a packet that `sender` was given to send. If the device has said that it
    /// takes none that is shared ([`Unregistered::no_tx_sharing`](crate::device::Unregistered::no_tx_sharing)), there
    /// is nothing to clone.
    ///
    /// # Errors
    ///
    /// As [`into_owned`](Self::into_owned).
    #[inline]
    pub fn into_owned_from<D: Driver>(self, sender: &Device<D>) -> Result<OwnedSkb> {
        // The core sets the device before it calls the driver.
        if !self.is_of(sender) || sender.shares_tx() {
            return self.into_owned();
        }
        // Who sends to such a device does not use the packet again. pktgen has a reference all the same, which it only
        // drops.
        self.into_unlent()
    }

    /// Copies pages lent for MSG_ZEROCOPY, as for a packet that goes up to sockets: those that only stay valid until
    /// the packet is freed, too, as their owner may change them. Pulls the Ethernet header into the linear part.
    #[inline]
    fn into_unlent(self) -> Result<OwnedSkb> {
        // SAFETY: Valid.
        crate::errno::to_result(unsafe {
            bindings::skb_orphan_frags_rx(self.as_ptr(), bindings::GFP_ATOMIC)
        })?;
        if self.linear().len() < bindings::ETH_HLEN as usize {
            return self.pull_header();
        }
        Ok(OwnedSkb(self))
    }

    /// Pulls the Ethernet header into the linear part. Some tunnels leave nothing there, and what redirects packets
    /// that come out of them does not look.
    #[cold]
    fn pull_header(self) -> Result<OwnedSkb> {
        // SAFETY: Valid; its head is exchanged only while nobody else has a reference.
        let pulled = unsafe {
            !bindings::skb_shared(self.as_ptr())
                && bindings::pskb_may_pull(self.as_ptr(), bindings::ETH_HLEN)
        };
        match pulled {
            true => Ok(OwnedSkb(self)),
            false => Err(EINVAL),
        }
    }
}

impl RxSkb {
    /// Gives it up as a packet to be received past GRO.
    #[inline]
    pub fn into_owned(self) -> OwnedSkb {
        OwnedSkb(self.into_inner())
    }
}

impl OwnedSkb {
    /// Removes what belongs to the sending side (`skb_scrub_packet`): route, conntrack entry, extensions, time stamp;
    /// between namespaces mark and priority as well. The socket stays, so that its limits hold until delivery.
    #[inline]
    pub fn scrub(&mut self, between_namespaces: bool) {
        // SAFETY: The packet is ours to change.
        unsafe { bindings::netdev_skb_scrub(self.0.as_ptr(), between_namespaces) };
    }

    /// The packet.
    #[inline]
    pub fn skb(&self) -> &SkBuff {
        &self.0
    }

    /// Gives it up as an ordinary packet.
    #[inline]
    pub fn into_skb(self) -> SkBuff {
        self.0
    }

    /// Makes it a received one whose content GRO may change, if that is worth while: a TCP segment, which is uncloned
    /// for it. A packet that is a super frame already gains nothing, and would be copied; that one, and all others, are
    /// given back, to be received past GRO.
    ///
    /// # Errors
    ///
    /// The packet, unchanged as far as the stack can see.
    #[inline]
    pub fn prepare_for_gro(self) -> core::result::Result<RxSkb, OwnedSkb> {
        // SAFETY: Valid, ours to change; softirqs are off on a receive path.
        let alone = unsafe {
            bindings::netdev_skb_for_gro(self.0.as_ptr())
                && is_tcp(self.0.linear())
                && bindings::skb_unclone(self.0.as_ptr(), bindings::GFP_ATOMIC) == 0
        };
        if alone {
            // SAFETY: Neither shared nor cloned, as just seen to; its header is its own then.
            Ok(unsafe { RxSkb::new(self.0) })
        } else {
            Err(self)
        }
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
}

/// Whether an untagged frame carries TCP over IP without extension headers.
#[inline]
fn is_tcp(frame: &[u8]) -> bool {
    matches!(
        frame,
        [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            0x08,
            0x00,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            6,
            ..
        ] | [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            0x86,
            0xdd,
            _,
            _,
            _,
            _,
            _,
            _,
            6,
            ..
        ]
    )
}
