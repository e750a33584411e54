// SPDX-License-Identifier: GPL-2.0

//! Interrupt moderation.

use netdev_sys as bindings;

/// A set of moderation parameters (`ETHTOOL_COALESCE_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CoalesceParams(pub(super) u32);

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident = $bit:ident,)*) => {
        impl CoalesceParams {
            /// None.
            pub const NONE: CoalesceParams = CoalesceParams(0);
            $($(#[$doc])* pub const $name: CoalesceParams = CoalesceParams(bindings::$bit);)*

            /// Both.
            pub const fn union(self, other: CoalesceParams) -> CoalesceParams {
                CoalesceParams(self.0 | other.0)
            }
        }
    };
}

params! {
    /// [`Coalesce::rx_usecs`].
    RX_USECS = ETHTOOL_COALESCE_RX_USECS,
    /// [`Coalesce::rx_frames`].
    RX_FRAMES = ETHTOOL_COALESCE_RX_MAX_FRAMES,
    /// [`Coalesce::rx_usecs_irq`].
    RX_USECS_IRQ = ETHTOOL_COALESCE_RX_USECS_IRQ,
    /// [`Coalesce::rx_frames_irq`].
    RX_FRAMES_IRQ = ETHTOOL_COALESCE_RX_MAX_FRAMES_IRQ,
    /// [`Coalesce::tx_usecs`].
    TX_USECS = ETHTOOL_COALESCE_TX_USECS,
    /// [`Coalesce::tx_frames`].
    TX_FRAMES = ETHTOOL_COALESCE_TX_MAX_FRAMES,
    /// [`Coalesce::tx_usecs_irq`].
    TX_USECS_IRQ = ETHTOOL_COALESCE_TX_USECS_IRQ,
    /// [`Coalesce::tx_frames_irq`].
    TX_FRAMES_IRQ = ETHTOOL_COALESCE_TX_MAX_FRAMES_IRQ,
    /// [`Coalesce::stats_block_usecs`].
    STATS_BLOCK_USECS = ETHTOOL_COALESCE_STATS_BLOCK_USECS,
    /// [`Coalesce::adaptive_rx`].
    ADAPTIVE_RX = ETHTOOL_COALESCE_USE_ADAPTIVE_RX,
    /// [`Coalesce::adaptive_tx`].
    ADAPTIVE_TX = ETHTOOL_COALESCE_USE_ADAPTIVE_TX,
}

/// Moderation (`struct ethtool_coalesce`).
///
/// Documentation/networking/ethtool-netlink.rst and [`include/uapi/linux/ethtool.h`] say what each means. The core
/// refuses changes of what is not among [`Operations::COALESCE`](super::Operations::COALESCE).
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coalesce {
    /// Microseconds an interrupt for reception may be held back.
    pub rx_usecs: u32,
    /// Frames received after which it is not; 0 is no such number.
    pub rx_frames: u32,
    /// Microseconds while an interrupt is being serviced.
    pub rx_usecs_irq: u32,
    /// Frames while an interrupt is being serviced.
    pub rx_frames_irq: u32,
    /// Microseconds an interrupt for completions may be held back.
    pub tx_usecs: u32,
    /// Packets sent after which it is not; 0 is no such number.
    pub tx_frames: u32,
    /// Microseconds while an interrupt is being serviced.
    pub tx_usecs_irq: u32,
    /// Packets while an interrupt is being serviced.
    pub tx_frames_irq: u32,
    /// Microseconds between updates of statistics in memory.
    pub stats_block_usecs: u32,
    /// Whether the driver adapts the values for reception to the traffic.
    pub adaptive_rx: bool,
    /// Whether it adapts those for completions.
    pub adaptive_tx: bool,
}

impl Coalesce {
    pub(super) fn store(&self, to: &mut bindings::ethtool_coalesce) {
        to.rx_coalesce_usecs = self.rx_usecs;
        to.rx_max_coalesced_frames = self.rx_frames;
        to.rx_coalesce_usecs_irq = self.rx_usecs_irq;
        to.rx_max_coalesced_frames_irq = self.rx_frames_irq;
        to.tx_coalesce_usecs = self.tx_usecs;
        to.tx_max_coalesced_frames = self.tx_frames;
        to.tx_coalesce_usecs_irq = self.tx_usecs_irq;
        to.tx_max_coalesced_frames_irq = self.tx_frames_irq;
        to.stats_block_coalesce_usecs = self.stats_block_usecs;
        to.use_adaptive_rx_coalesce = self.adaptive_rx.into();
        to.use_adaptive_tx_coalesce = self.adaptive_tx.into();
    }

    pub(super) fn load(from: &bindings::ethtool_coalesce) -> Self {
        Coalesce {
            rx_usecs: from.rx_coalesce_usecs,
            rx_frames: from.rx_max_coalesced_frames,
            rx_usecs_irq: from.rx_coalesce_usecs_irq,
            rx_frames_irq: from.rx_max_coalesced_frames_irq,
            tx_usecs: from.tx_coalesce_usecs,
            tx_frames: from.tx_max_coalesced_frames,
            tx_usecs_irq: from.tx_coalesce_usecs_irq,
            tx_frames_irq: from.tx_max_coalesced_frames_irq,
            stats_block_usecs: from.stats_block_coalesce_usecs,
            adaptive_rx: from.use_adaptive_rx_coalesce != 0,
            adaptive_tx: from.use_adaptive_tx_coalesce != 0,
        }
    }
}
