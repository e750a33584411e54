// SPDX-License-Identifier: GPL-2.0

//! Rings and channels.

use netdev_sys as bindings;

/// A set of ring parameters beyond the sizes (`ETHTOOL_RING_USE_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RingCaps(pub(super) u32);

impl RingCaps {
    /// None.
    pub const NONE: RingCaps = RingCaps(0);
    /// [`RingParams::rx_buf_len`].
    pub const RX_BUF_LEN: RingCaps =
        RingCaps(bindings::ethtool_supported_ring_param_ETHTOOL_RING_USE_RX_BUF_LEN);
    /// [`RingParams::cqe_size`].
    pub const CQE_SIZE: RingCaps =
        RingCaps(bindings::ethtool_supported_ring_param_ETHTOOL_RING_USE_CQE_SIZE);
    /// [`RingParams::tx_push`].
    pub const TX_PUSH: RingCaps =
        RingCaps(bindings::ethtool_supported_ring_param_ETHTOOL_RING_USE_TX_PUSH);
    /// [`RingParams::rx_push`].
    pub const RX_PUSH: RingCaps =
        RingCaps(bindings::ethtool_supported_ring_param_ETHTOOL_RING_USE_RX_PUSH);

    /// Both sets.
    pub const fn union(self, other: RingCaps) -> RingCaps {
        RingCaps(self.0 | other.0)
    }
}

/// Sizes of the rings (`struct ethtool_ringparam`, `struct kernel_ethtool_ringparam`).
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RingParams {
    /// Descriptors an RX ring can have.
    pub rx_max: u32,
    /// Descriptors a TX ring can have.
    pub tx_max: u32,
    /// Descriptors of each RX ring.
    pub rx: u32,
    /// Descriptors of each TX ring.
    pub tx: u32,
    /// Bytes of each receive buffer; 0 is not told.
    pub rx_buf_len: u32,
    /// Bytes of each completion; 0 is not told.
    pub cqe_size: u32,
    /// Whether descriptors are pushed to the device on transmission.
    pub tx_push: bool,
    /// Whether descriptors are pushed to the device on reception.
    pub rx_push: bool,
}

impl RingParams {
    pub(super) fn store(
        &self,
        to: &mut bindings::ethtool_ringparam,
        kernel: &mut bindings::kernel_ethtool_ringparam,
    ) {
        to.rx_max_pending = self.rx_max;
        to.tx_max_pending = self.tx_max;
        to.rx_pending = self.rx;
        to.tx_pending = self.tx;
        kernel.rx_buf_len = self.rx_buf_len;
        kernel.cqe_size = self.cqe_size;
        kernel.tx_push = self.tx_push.into();
        kernel.rx_push = self.rx_push.into();
    }

    pub(super) fn load(
        from: &bindings::ethtool_ringparam,
        kernel: &bindings::kernel_ethtool_ringparam,
    ) -> Self {
        RingParams {
            rx_max: from.rx_max_pending,
            tx_max: from.tx_max_pending,
            rx: from.rx_pending,
            tx: from.tx_pending,
            rx_buf_len: kernel.rx_buf_len,
            cqe_size: kernel.cqe_size,
            tx_push: kernel.tx_push != 0,
            rx_push: kernel.rx_push != 0,
        }
    }
}

/// Numbers of channels (`struct ethtool_channels`).
///
/// A channel is an interrupt and the queues that it serves: receive queues, transmit queues, one of each
/// (combined), or something else.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channels {
    /// Most that only receive.
    pub max_rx: u32,
    /// Most that only transmit.
    pub max_tx: u32,
    /// Most of another kind.
    pub max_other: u32,
    /// Most that do both.
    pub max_combined: u32,
    /// Those that only receive.
    pub rx: u32,
    /// Those that only transmit.
    pub tx: u32,
    /// Those of another kind.
    pub other: u32,
    /// Those that do both.
    pub combined: u32,
}

impl Channels {
    pub(super) fn store(&self, to: &mut bindings::ethtool_channels) {
        to.max_rx = self.max_rx;
        to.max_tx = self.max_tx;
        to.max_other = self.max_other;
        to.max_combined = self.max_combined;
        to.rx_count = self.rx;
        to.tx_count = self.tx;
        to.other_count = self.other;
        to.combined_count = self.combined;
    }

    pub(super) fn load(from: &bindings::ethtool_channels) -> Self {
        Channels {
            max_rx: from.max_rx,
            max_tx: from.max_tx,
            max_other: from.max_other,
            max_combined: from.max_combined,
            rx: from.rx_count,
            tx: from.tx_count,
            other: from.other_count,
            combined: from.combined_count,
        }
    }
}
