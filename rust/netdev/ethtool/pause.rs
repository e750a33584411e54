// SPDX-License-Identifier: GPL-2.0

//! Flow control of the link (IEEE 802.3x pause).

use netdev_sys as bindings;

/// Pause parameters (`struct ethtool_pauseparam`).
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pause {
    /// Whether the two ends negotiate it.
    pub autoneg: bool,
    /// Whether the device stops sending when it is asked to.
    pub rx: bool,
    /// Whether the device asks the other end to stop.
    pub tx: bool,
}

impl Pause {
    pub(super) fn store(&self, to: &mut bindings::ethtool_pauseparam) {
        to.autoneg = self.autoneg.into();
        to.rx_pause = self.rx.into();
        to.tx_pause = self.tx.into();
    }

    pub(super) fn load(from: &bindings::ethtool_pauseparam) -> Self {
        Pause {
            autoneg: from.autoneg != 0,
            rx: from.rx_pause != 0,
            tx: from.tx_pause != 0,
        }
    }
}

optional_counters! {
    /// What was paused (`struct ethtool_pause_stats`).
    pub struct PauseStats -> bindings::ethtool_pause_stats__bindgen_ty_1__bindgen_ty_1 {
        /// Pause frames sent.
        tx_frames -> tx_pause_frames,
        /// Pause frames received.
        rx_frames -> rx_pause_frames,
        /// Times the device went on asking for so long that it was no longer heeded.
        tx_storms -> tx_pause_storm_events,
    }
}

impl PauseStats {
    pub(super) fn store_in(&self, to: &mut bindings::ethtool_pause_stats) {
        // SAFETY: Both members of the union have the same layout (struct_group).
        self.store(unsafe { &mut to.__bindgen_anon_1.__bindgen_anon_1 });
    }
}
