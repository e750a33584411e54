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
    .union(CoalesceParams::TX_FRAMES);

/// Longest time something is held back: a second, by which anything is a batch.
const USECS_MAX: u32 = 1_000_000;

/// The moderation of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moderation {
    pub(crate) coalesce: vector::Coalesce,
}

impl Default for Moderation {
    fn default() -> Self {
        Moderation {
            coalesce: vector::Coalesce::DEFAULT,
        }
    }
}

impl Moderation {
    /// Checks what a user wants.
    fn new(c: &Coalesce) -> core::result::Result<Self, &'static CStr> {
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
        Ok(Moderation {
            coalesce: vector::Coalesce {
                rx_usecs: c.rx_usecs,
                rx_frames: c.rx_frames,
                tx_usecs: c.tx_usecs,
                tx_frames: c.tx_frames,
            },
        })
    }

    /// As a user sees it.
    fn shown(&self) -> Coalesce {
        Coalesce {
            rx_usecs: self.coalesce.rx_usecs,
            rx_frames: self.coalesce.rx_frames,
            tx_usecs: self.coalesce.tx_usecs,
            tx_frames: self.coalesce.tx_frames,
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
    let m = Moderation::new(c).map_err(|why| {
        extack.message(why);
        EINVAL
    })?;
    let state = dev.state();
    for i in 0..state.moderation.len() {
        apply(state, i, m);
    }
    Ok(())
}

/// Sets that of a channel that is in use.
pub(super) fn set_queue(dev: &mut Locked<'_, Port>, channel: u32, c: &Coalesce) -> Result {
    let m = Moderation::new(c).map_err(|_| EINVAL)?;
    let state = dev.state();
    if channel >= state.channels {
        return Err(EINVAL);
    }
    apply(state, channel as usize, m);
    Ok(())
}

/// Stores it, and hands it to the vector if the channel is open.
fn apply(state: &mut PortState, channel: usize, m: Moderation) {
    if let Some(slot) = state.moderation.get_mut(channel) {
        *slot = m;
    }
    if let Some(owner) = state.up.as_ref().and_then(|up| up.owners.get(channel)) {
        owner.instance().shared().set_coalesce(&m.coalesce);
    }
}
