// SPDX-License-Identifier: GPL-2.0

//! Device features.
//!
//! C header: [`include/linux/netdev_features.h`](srctree/include/linux/netdev_features.h)

use netdev_sys as bindings;

/// A set of `NETIF_F_*` bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features(pub(crate) u64);

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $bit:ident),* $(,)?) => {
        impl Features {
            $($(#[$doc])* pub const $name: Features = Features(1 << bindings::$bit);)*
        }
    };
}

features! {
    /// Packets in several pieces (`tx-scatter-gather`).
    SG = NETIF_F_SG_BIT,
    /// The device fills any one's complement checksum (`tx-checksum-ip-generic`).
    HW_CSUM = NETIF_F_HW_CSUM_BIT,
    /// Packets in high memory.
    HIGHDMA = NETIF_F_HIGHDMA_BIT,
    /// The device verifies checksums on receive (`rx-checksumming`).
    RXCSUM = NETIF_F_RXCSUM_BIT,
    /// TCP segmentation, IPv4.
    TSO = NETIF_F_TSO_BIT,
    /// TCP segmentation with ECN.
    TSO_ECN = NETIF_F_TSO_ECN_BIT,
    /// TCP segmentation with one IPv4 identification for all frames.
    TSO_MANGLEID = NETIF_F_TSO_MANGLEID_BIT,
    /// TCP segmentation, IPv6.
    TSO6 = NETIF_F_TSO6_BIT,
    /// TCP segmentation with accurate ECN, where CWR stays on all frames.
    GSO_ACCECN = NETIF_F_GSO_ACCECN_BIT,
    /// UDP segmentation.
    GSO_UDP_L4 = NETIF_F_GSO_UDP_L4_BIT,
    /// The device delivers the hash it steers by (`receive-hashing`).
    RXHASH = NETIF_F_RXHASH_BIT,
    /// The device steers by n-tuple rules (`ntuple-filters`).
    NTUPLE = NETIF_F_NTUPLE_BIT,
    /// The device inserts 802.1Q tags.
    HW_VLAN_CTAG_TX = NETIF_F_HW_VLAN_CTAG_TX_BIT,
    /// The device strips 802.1Q tags.
    HW_VLAN_CTAG_RX = NETIF_F_HW_VLAN_CTAG_RX_BIT,
    /// The device merges received segments (`rx-gro-hw`).
    GRO_HW = NETIF_F_GRO_HW_BIT,
    /// Deliver every frame, whoever it is for (`rx-all`).
    RXALL = NETIF_F_RXALL_BIT,
    /// The device can receive its own frames (`loopback`).
    LOOPBACK = NETIF_F_LOOPBACK_BIT,
}

impl Features {
    /// None.
    pub const NONE: Features = Features(0);

    /// Whether all of `other` are in it.
    #[inline(always)]
    pub const fn contains(self, other: Features) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[inline(always)]
    pub const fn union(self, other: Features) -> Features {
        Features(self.0 | other.0)
    }

    /// Those that are not in `other`.
    #[inline(always)]
    pub const fn without(self, other: Features) -> Features {
        Features(self.0 & !other.0)
    }
}

impl core::ops::BitOr for Features {
    type Output = Features;
    fn bitor(self, rhs: Features) -> Features {
        self.union(rhs)
    }
}
