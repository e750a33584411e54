// SPDX-License-Identifier: GPL-2.0

//! Link settings.

use netdev_sys as bindings;

/// What `ethtool DEVICE` shows of a link that does not negotiate (`struct ethtool_link_ksettings`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkSettings {
    /// Megabits a second; `None` is unknown, as while there is no link.
    pub speed: Option<u32>,
    /// Whether both ends may send at once; `None` is unknown.
    pub full_duplex: Option<bool>,
}

impl LinkSettings {
    /// Those of a link that is down.
    pub const UNKNOWN: LinkSettings = LinkSettings {
        speed: None,
        full_duplex: None,
    };

    pub(super) fn store(&self, to: &mut bindings::ethtool_link_ksettings) {
        // CAST: The constant is -1 in an unsigned field.
        to.base.speed = self.speed.unwrap_or(bindings::SPEED_UNKNOWN as u32);
        to.base.duplex = match self.full_duplex {
            Some(true) => bindings::DUPLEX_FULL,
            Some(false) => bindings::DUPLEX_HALF,
            None => bindings::DUPLEX_UNKNOWN,
        } as u8;
        to.base.port = bindings::PORT_OTHER as u8;
        to.base.autoneg = bindings::AUTONEG_DISABLE as u8;
    }
}
