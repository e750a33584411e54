// SPDX-License-Identifier: GPL-2.0

//! Moderation: `ethtool -C`, `ethtool -Q`.
//!
//! Settings belong to channels, those in use and those that may come, and outlive down, up and `-L`. What is set
//! for all goes to every channel there can be.

use crate::limits::RING_MAX;
use crate::port::{Port, PortState};
use crate::vector;
use kernel::prelude::*;
use netdev::device::Locked;
use netdev::ethtool::{Coalesce, CoalesceParams};
use netdev::netlink::ExtAck;

/// What can be set.
pub(super) const PARAMS: CoalesceParams = CoalesceParams::RX_USECS
    .union(CoalesceParams::RX_FRAMES)
    .union(CoalesceParams::TX_USECS)
    .union(CoalesceParams::TX_FRAMES)
    .union(CoalesceParams::ADAPTIVE_RX)
    .union(CoalesceParams::ADAPTIVE_TX);

/// Longest time something is held back: a second, by which anything is a batch.
const USECS_MAX: u32 = 1_000_000;

/// The moderation of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moderation {
    /// What holds unless the driver adapts it.
    pub(crate) coalesce: vector::Coalesce,
    pub(crate) adaptive_rx: bool,
    pub(crate) adaptive_tx: bool,
}

impl Default for Moderation {
    fn default() -> Self {
        Moderation {
            coalesce: vector::Coalesce::DEFAULT,
            adaptive_rx: false,
            adaptive_tx: false,
        }
    }
}

impl Moderation {
    /// Checks what a user wants to have instead of `self`.
    fn change(&self, c: &Coalesce) -> core::result::Result<Self, &'static CStr> {
        if c.rx_usecs > USECS_MAX {
            return Err(c"rx-usecs: at most 1000000");
        }
        if c.tx_usecs > USECS_MAX {
            return Err(c"tx-usecs: at most 1000000");
        }
        if c.rx_frames > RING_MAX {
            return Err(c"rx-frames: at most 8192, as the largest ring has");
        }
        if c.tx_frames > RING_MAX {
            return Err(c"tx-frames: at most 8192, as the largest ring has");
        }
        let old = &self.coalesce;
        let new = vector::Coalesce {
            rx_usecs: c.rx_usecs,
            rx_frames: c.rx_frames,
            tx_usecs: c.tx_usecs,
            tx_frames: c.tx_frames,
        };
        // A value that would have no effect is not taken.
        let rx = (old.rx_usecs, old.rx_frames) != (new.rx_usecs, new.rx_frames);
        if rx && self.adaptive_rx && c.adaptive_rx {
            return Err(c"rx-usecs, rx-frames: adaptive-rx chooses them; turn it off first");
        }
        let tx = (old.tx_usecs, old.tx_frames) != (new.tx_usecs, new.tx_frames);
        if tx && self.adaptive_tx && c.adaptive_tx {
            return Err(c"tx-usecs, tx-frames: adaptive-tx chooses them; turn it off first");
        }
        Ok(Moderation {
            coalesce: new,
            adaptive_rx: c.adaptive_rx,
            adaptive_tx: c.adaptive_tx,
        })
    }

    /// As a user sees it.
    fn shown(&self) -> Coalesce {
        Coalesce {
            rx_usecs: self.coalesce.rx_usecs,
            rx_frames: self.coalesce.rx_frames,
            tx_usecs: self.coalesce.tx_usecs,
            tx_frames: self.coalesce.tx_frames,
            adaptive_rx: self.adaptive_rx,
            adaptive_tx: self.adaptive_tx,
            ..Default::default()
        }
    }
}

/// The moderation of a channel that is in use.
pub(super) fn get(dev: &mut Locked<'_, Port>, channel: u32) -> Result<Coalesce> {
    let state = dev.state();
    if channel >= state.channels {
        return Err(EINVAL);
    }
    let m = state.moderation.get(channel as usize).ok_or(EINVAL)?;
    Ok(m.shown())
}

/// Sets that of all channels.
pub(super) fn set(dev: &mut Locked<'_, Port>, c: &Coalesce, extack: &ExtAck<'_>) -> Result {
    let state = dev.state();
    let old = state.moderation.first().copied().unwrap_or_default();
    let m = old.change(c).map_err(|why| {
        extack.message(why);
        EINVAL
    })?;
    for i in 0..state.moderation.len() {
        apply(state, i, m);
    }
    Ok(())
}

/// Sets that of a channel that is in use.
pub(super) fn set_queue(dev: &mut Locked<'_, Port>, channel: u32, c: &Coalesce) -> Result {
    let state = dev.state();
    if channel >= state.channels {
        return Err(EINVAL);
    }
    let old = state.moderation.get(channel as usize).ok_or(EINVAL)?;
    let m = old.change(c).map_err(|_| EINVAL)?;
    apply(state, channel as usize, m);
    Ok(())
}

/// Stores it, and hands it to the vector if the channel is open.
fn apply(state: &mut PortState, channel: usize, m: Moderation) {
    if let Some(slot) = state.moderation.get_mut(channel) {
        *slot = m;
    }
    if let Some(owner) = state.up.as_ref().and_then(|up| up.owners.get(channel)) {
        owner.instance().shared().set_moderation(m);
    }
}
