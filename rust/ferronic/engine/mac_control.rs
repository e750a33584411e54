// SPDX-License-Identifier: GPL-2.0

//! MAC control frames (IEEE 802.3, clause 31) that software sends: both MACs count them.
//!
//! Otherwise they are frames like any other: the receiver gets what passes its filter. A pause frame among them holds
//! up nobody. The time it asks for is that of so many bits, and the wire has no bit rate. Pauses that do hold up a
//! sender, as a receiver has no buffers, are none of these: no frame is sent for them ([`engine`](super)).

use super::{Run, Verdict};
use pure::header::{self, Headers};

/// The ethertype of MAC control frames.
pub(super) const ETHERTYPE: u16 = 0x8808;

/// The operation code of a pause.
const PAUSE: [u8; 2] = [0, 1];

/// The address that pause frames are for; besides, a station's own will do.
const PAUSE_ADDRESS: [u8; 6] = [0x01, 0x80, 0xc2, 0, 0, 1];

impl Run<'_> {
    /// Counts a frame of that ethertype, unless it has a VLAN tag or has not left yet.
    #[cold]
    pub(super) fn mac_control(&self, frame: &[u8], headers: &Headers, verdict: &Verdict) {
        if headers.tags != 0 || self.tag.is_some() || matches!(verdict, Verdict::Wait) {
            return;
        }
        let c = &self.outlet.counters.mac_control;
        c.sent.inc();
        if !self.steer.open {
            // Nobody listens.
            return;
        }
        c.received.inc();
        let to = header::destination(frame);
        let code = frame
            .get(headers.network_offset.into()..)
            .and_then(|rest| rest.first_chunk::<2>());
        let for_it = to.is_some_and(|to| *to == PAUSE_ADDRESS || *to == self.filter.address);
        if code != Some(&PAUSE) {
            c.unsupported.inc();
        } else if for_it && self.peer.pause_rx.read() != 0 {
            c.pauses.inc();
        }
    }
}
