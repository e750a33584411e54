// SPDX-License-Identifier: GPL-2.0

//! Telling of packets that rules acted on.
//!
//! An event costs something only where somebody listens. A chain sends at most [`LIMIT`] events; what is more is
//! counted, and the next event says how many there were.

use super::chain::Name;
use netdev::clock::now_ns;
use netdev::context::Bh;
use netdev::netfilter::Packet;
use netdev::skb::Reason;
use netdev::sync::AtomicWord;
use pure::rules::rule::{Action, Rate};

/// Events of a chain, a second and at once.
const LIMIT: Rate = Rate {
    per_second: 1000,
    burst: 1000,
    bytes: false,
};

/// What a chain has told.
pub(super) struct Events {
    used: AtomicWord,
    left_out: AtomicWord,
}

/// What is told of a packet.
pub(crate) struct Event<'a> {
    pub(crate) chain: &'a Name,
    pub(crate) handle: u32,
    pub(crate) action: Action,
    /// Why the packet is dropped, if it is.
    pub(crate) reason: Option<Reason>,
    /// Number of the packet among those that matched, from 1, if the rule counts them.
    pub(crate) number: Option<u64>,
    pub(crate) time: u64,
    /// Bytes to be shown at most.
    pub(crate) snap: u16,
    /// Events that were not sent until now.
    pub(crate) left_out: u64,
}

impl Events {
    pub(super) const fn new() -> Self {
        Events {
            used: AtomicWord::new(0),
            left_out: AtomicWord::new(0),
        }
    }

    /// Tells of a packet, if somebody listens and there were not too many. The rest of `event` is the caller's.
    pub(super) fn tell(&self, mut event: Event<'_>, packet: &Packet<'_>, bh: &Bh<'_>) {
        if !crate::netlink::packet::is_watched(packet.net()) {
            return;
        }
        event.time = now_ns();
        let mut used = self.used.read();
        loop {
            let Some(next) = LIMIT.admit(used, event.time, 1) else {
                self.left_out.fetch_add(1);
                return;
            };
            match self.used.cmpxchg(used, next) {
                Ok(_) => break,
                Err(now) => used = now,
            }
        }
        event.left_out = self.left_out.read();
        crate::netlink::packet::tell(&event, packet, bh);
    }
}
