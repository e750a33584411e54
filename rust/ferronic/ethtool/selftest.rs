// SPDX-License-Identifier: GPL-2.0

//! `ethtool -t`.
//!
//! Nothing here touches what a user set, nor any frame: the offline tests work on rings of their own, made as the
//! port's are, and go away with them.

use crate::port::Port;
use crate::vector::Vector;
use kernel::prelude::*;
use kernel::time::delay::fsleep;
use kernel::time::Delta;
use netdev::context::BhGuard;
use netdev::device::Locked;
use netdev::ethtool::TestResults;
use netdev::ring;
use pure::toeplitz;

/// What is tested, in this order.
pub(super) const NAMES: [&str; 6] = [
    "Link test         (on/offline)",
    "Ring index test   (on/offline)",
    "Vector test       (on/offline)",
    "Steering test     (on/offline)",
    "Ring memory test     (offline)",
    "Hash test            (offline)",
];

/// How long raised vectors may take to be polled: this many looks, 1 ms apart.
const POLL_LOOKS: u32 = 100;

/// Runs them. What is not asked for counts as passed, as the core's interface has it.
pub(super) fn run(dev: &mut Locked<'_, Port>, offline: bool, results: &mut TestResults<'_>) {
    results.set(0, link(dev));
    results.set(1, ring_indices(dev));
    results.set(2, vectors(dev));
    results.set(3, steering(dev));
    if offline {
        results.set(4, ring_memory(dev));
        results.set(5, hash());
    }
}

/// 1 if there is no carrier.
fn link(dev: &mut Locked<'_, Port>) -> u64 {
    (!dev.has_carrier()).into()
}

/// Counts rings whose indices are further apart than they have descriptors.
fn ring_indices(dev: &mut Locked<'_, Port>) -> u64 {
    let end = dev.device().data().end();
    let mut bad = 0u64;
    for inlet in end.inlets.iter() {
        let mut open = inlet.lock.lock_bh();
        if let Some(ring) = open.as_mut().and_then(|o| o.ring.as_mut()) {
            let (posted, untaken) = (ring.available(), ring.untaken());
            bad = bad.wrapping_add((posted.wrapping_add(untaken) > ring.size()).into());
        }
    }
    for outlet in end.outlets.iter() {
        if let Some(open) = outlet.lock.lock_bh().as_mut() {
            let (posted, untaken) = (open.ring.available(), open.ring.untaken());
            bad = bad.wrapping_add((posted.wrapping_add(untaken) > open.ring.size()).into());
        }
    }
    bad
}

/// Counts vectors that are not polled when they are raised.
fn vectors(dev: &mut Locked<'_, Port>) -> u64 {
    let (device, state) = dev.parts();
    let poll = &device.data().poll;
    let Some(up) = state.up.as_ref() else {
        return 0;
    };
    let Ok(mut before) = KVec::with_capacity(up.owners.len(), GFP_KERNEL) else {
        return 1;
    };
    for (owner, counters) in up.owners.iter().zip(poll.iter()) {
        // There is room: one each.
        let _ = before.push_within_capacity(counters.polls.get());
        // Softirqs run when it goes; a threaded instance takes longer.
        let _bh = BhGuard::new();
        Vector::restart(owner.instance());
    }
    let unpolled = || {
        let now = poll.iter().map(|counters| counters.polls.get());
        let same = now.zip(before.iter()).map(|(now, before)| now == *before);
        same.fold(0u64, |n, same| n.wrapping_add(same.into()))
    };
    for _ in 0..POLL_LOOKS {
        if unpolled() == 0 {
            break;
        }
        fsleep(Delta::from_millis(1));
    }
    unpolled()
}

/// Counts entries of the indirection table that lead nowhere.
fn steering(dev: &mut Locked<'_, Port>) -> u64 {
    let state = dev.state();
    let table = state.steer.indirection.iter();
    table
        .filter(|&&channel| u32::from(channel) >= state.channels)
        .fold(0, |bad: u64, _| bad.wrapping_add(1))
}

/// Passes a pattern through a ring as large as the port's, twice around: counts what comes out wrong.
fn ring_memory(dev: &mut Locked<'_, Port>) -> u64 {
    let len = dev.state().rx_ring;
    let Ok((mut poster, mut filler, mut taker)) = ring::new::<u64>(len) else {
        return 1;
    };
    let mut bad = 0u64;
    for round in 0..2 {
        // Every bit is seen set and clear.
        let alternating = if round == 0 {
            0x5555_5555_5555_5555
        } else {
            !0x5555_5555_5555_5555
        };
        let pattern = |i: u32| u64::from(i) ^ alternating;
        for i in 0..len {
            bad = bad.wrapping_add(poster.post(pattern(i)).is_err().into());
        }
        poster.publish();
        let posted = filler.available();
        filler.advance(posted);
        for i in 0..len {
            bad = bad.wrapping_add((taker.take() != Some(pattern(i))).into());
        }
        taker.release();
    }
    bad
}

/// Hashes a published vector: Microsoft's "Verifying the RSS Hash Calculation", 66.9.149.187:2794 to
/// 161.142.100.80:1766.
fn hash() -> u64 {
    const KEY: [u8; toeplitz::KEY_MIN] = [
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f,
        0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
        0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    ];
    const INPUT: [u8; 12] = [66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6];
    const HASH: u32 = 0x51cc_c178;
    let table = KBox::init(
        pin_init::init_array_from_fn(|_| [[0u32; 16]; 2]),
        GFP_KERNEL,
    );
    let Ok(mut table): Result<KBox<toeplitz::Table>> = table else {
        return 1;
    };
    toeplitz::fill(&mut table, &KEY);
    (toeplitz::hash(&table, &INPUT) != HASH).into()
}
