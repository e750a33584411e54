// SPDX-License-Identifier: GPL-2.0

//! What a port can be set to, and what a user may take.

use crate::aggregate::Aggregates;
use crate::module_parameters;
use crate::receive::BufferLayout;
use crate::reconfigure::Rings;
use core::borrow::Borrow;
use netdev::quota::Limits;

/// Channels of a port unless its user asked for more at creation.
pub(crate) const CHANNELS_MAX_DEFAULT: u32 = 64;

/// Channels a port can be created with at most.
pub(crate) const CHANNELS_MAX: u32 = 256;

/// Channels in use at first.
pub(crate) const CHANNELS_DEFAULT: u32 = 4;

/// N-tuple rules of a port, and numbers of RSS contexts, of which 0 is none.
pub(crate) const RULES_MAX: usize = 256;
pub(crate) const CONTEXTS_MAX: usize = 64;

/// Descriptors of a ring: least, most, and at first.
pub(crate) const RING_MIN: u32 = 64;
pub(crate) const RING_MAX: u32 = 8192;
pub(crate) const RING_DEFAULT: u32 = 512;

/// Limits of the MTU, in bytes: IPv4's least (RFC 791), and the largest packet IPv4 can express.
pub(crate) const MTU_MIN: u32 = 68;
pub(crate) const MTU_MAX: u32 = 65535;

/// Bytes of an Ethernet header.
pub(crate) const ETH_HLEN: u32 = 14;

/// Bytes of a VLAN tag.
pub(crate) const VLAN_HLEN: u32 = 4;

/// Least length of a frame on the wire, without the frame check sequence (IEEE 802.3).
pub(crate) const FRAME_MIN: u32 = 60;

/// A parameter's value, which comes by itself or by reference, as the kernel's version has it.
fn value(parameter: impl Borrow<u32>) -> u32 {
    *parameter.borrow()
}

/// What a user namespace may have: ports, and bytes posted in their rings. The initial one has no limits.
pub(crate) fn quota() -> Limits {
    Limits {
        objects: value(module_parameters::user_ports.value()).into(),
        bytes: u64::from(value(module_parameters::user_ring_mib.value())) << 20,
    }
}

/// Bytes that the rings of a port and the buffers posted in them take.
pub(crate) fn ring_bytes(rings: &Rings, layout: &BufferLayout) -> u64 {
    let rx = u64::from(rings.rx_ring).saturating_mul(u64::from(layout.size).saturating_add(64));
    let held = Aggregates::bytes(rings.rx_ring);
    let tx = u64::from(rings.tx_ring).saturating_mul(16);
    rx.saturating_add(held)
        .saturating_add(tx)
        .saturating_mul(rings.channels.into())
}

/// How long a full receiver may hold a transmit queue, in milliseconds, unless the user says otherwise. Then its frames
/// are dropped and counted, so that a receiver that is dead does not trip the sender's watchdog; which is why the
/// specification allows 4000 at most.
pub(crate) const PAUSE_LIMIT_MS: u32 = 100;

/// After how long a poll that could not get buffers tries again: 1 ms.
pub(crate) const REFILL_RETRY_NS: u64 = 1_000_000;

/// A tick: how often somebody looks after packets that a poll holds to merge others with. Half a millisecond.
pub(crate) const HOLD_TICK_NS: u64 = 500_000;

/// After how long a stopped queue trips the watchdog, in milliseconds.
pub(crate) const WATCHDOG_MS: u32 = 5000;
