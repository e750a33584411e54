// SPDX-License-Identifier: GPL-2.0

//! Moderation that adapts to the traffic (`ethtool -C adaptive-rx`, `adaptive-tx`), by the kernel's DIM library.
//!
//! Each channel has an instance a direction, which its poll feeds while adapting is on. What the library decides
//! goes to the channel's vector; the settings of the user stay, and hold again when adapting is turned off.

use crate::channel::Channel;
use crate::stats::PollCounters;
use crate::vector::Vector;
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::dim::{Dim, Direction, Moderation, Target};
use netdev::napi::{Instance, Poll};

/// The receive side of a vector.
struct Rx(Arc<Instance<Channel>>);

/// The transmit side of a vector.
struct Tx(Arc<Instance<Channel>>);

impl Target for Rx {
    fn apply(&self, m: Moderation) {
        self.0.shared().adapt_rx(m);
    }
}

impl Target for Tx {
    fn apply(&self, m: Moderation) {
        self.0.shared().adapt_tx(m);
    }
}

/// What a poll owns of it.
///
/// It refers to the vector, which refers back to what its poll owns, until the channel is removed.
pub(crate) struct Adaptive {
    rx: Dim<Rx>,
    tx: Dim<Tx>,
}

impl Adaptive {
    pub(crate) fn new(vector: &Arc<Instance<Channel>>) -> Result<Self> {
        let a = Adaptive {
            rx: Dim::new(Direction::Rx, Rx(vector.clone()))?,
            tx: Dim::new(Direction::Tx, Tx(vector.clone()))?,
        };
        vector
            .shared()
            .adapt_from(a.rx.moderation(), a.tx.moderation());
        Ok(a)
    }

    /// Feeds the library at the end of a poll of a vector that adapts.
    #[inline(never)]
    pub(crate) fn sample(&mut self, vector: &Vector, poll: &Poll<'_, Channel>, c: &PollCounters) {
        let (rx, tx) = vector.adapts();
        // It counts modulo 2^16.
        let events = c.polls.get() as u16;
        if rx {
            self.rx.sample(poll, events, c.frames.get(), c.bytes.get());
        }
        if tx {
            self.tx
                .sample(poll, events, c.completed.get(), c.completed_bytes.get());
        }
    }
}
