// SPDX-License-Identifier: GPL-2.0

//! Waiting for room without losing the wake-up.
//!
//! One side finds no room, says that it waits, and looks again; the other makes room and looks
//! whether anybody waits. A full barrier stands between the two steps on each side, so that at
//! least one of them sees the other.
//!
//! - A [`Gate`] stops the one producer of a ring: the core's TX queue in front of a TX ring.
//! - [`Waiters`] are engines that wait for buffers of an RX ring, one bit each.

use crate::atomic::Bits;

/// Something that can be stopped by the producer of a ring and started by its consumer.
pub trait Gate {
    /// Stops it (`netif_tx_stop_queue()`).
    fn stop(&self);

    /// Starts it again, from the producer's context (`netif_tx_start_queue()`).
    fn start(&self);

    /// Starts it and sees to it that the producer runs (`netif_tx_wake_queue()`).
    fn wake(&self);

    /// Whether it is stopped.
    fn is_stopped(&self) -> bool;

    /// A full barrier (`smp_mb()`).
    fn full_barrier();
}

/// The producer's part, after it added something: stops the gate if there is no room for more.
///
/// `free` takes a fresh look at the ring. Returns whether the gate is stopped; the producer must
/// then ring the doorbell, since nothing follows that would.
#[inline]
pub fn stop_if_low<G: Gate>(gate: &G, needed: u32, mut free: impl FnMut() -> u32) -> bool {
    if free() >= needed {
        return false;
    }
    gate.stop();
    G::full_barrier();
    if free() >= needed {
        gate.start();
        return false;
    }
    true
}

/// The consumer's part, after it released slots: wakes the gate if it is stopped and there is room.
///
/// Returns whether it did. `needed` may be more than the producer's, so that the gate isn't opened
/// for a single slot.
#[inline]
pub fn wake_if_free<G: Gate>(gate: &G, needed: u32, free: impl FnOnce() -> u32) -> bool {
    G::full_barrier();
    if !gate.is_stopped() || free() < needed {
        return false;
    }
    gate.wake();
    true
}

/// Those who wait for room in a ring: up to 64, one bit each.
#[derive(Debug)]
pub struct Waiters<B> {
    bits: B,
}

impl<B: Bits> Waiters<B> {
    /// A set of waiters; `bits` are all clear.
    pub const fn new(bits: B) -> Self {
        Self { bits }
    }

    /// Says that `waiter` (0 to 63) waits, and looks again.
    ///
    /// `ready` takes a fresh look at whether there is what this waiter needs: room for all of a
    /// frame, not just some. Returns whether it has to wait.
    #[inline]
    pub fn wait(&self, waiter: u32, ready: impl FnOnce() -> bool) -> bool {
        let bit = 1u64.wrapping_shl(waiter);

        self.bits.fetch_or(bit);
        if ready() {
            self.bits.fetch_and(!bit);
            return false;
        }
        true
    }

    /// Takes all who wait, after room was made; they must be served now. One load if nobody waits.
    #[inline]
    #[must_use = "the waiters taken wait for being served"]
    pub fn take(&self) -> Served {
        B::full_barrier();
        match self.bits.load() {
            0 => Served(0),
            _ => Served(self.bits.fetch_and(0)),
        }
    }
}

/// Waiters to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served(u64);

impl Served {
    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The next waiter at or after `first`, going around after the highest; it is then done with.
    ///
    /// Beginning behind the one served last gives everyone a turn.
    #[inline]
    pub fn next_from(&mut self, first: u32) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let distance = self.0.rotate_right(first & 63).trailing_zeros();
        let waiter = first.wrapping_add(distance) & 63;

        self.0 &= !1u64.wrapping_shl(waiter);
        Some(waiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_gets_a_turn() {
        let mut served = Served(1 << 3 | 1 << 9 | 1 << 63);
        let mut order = vec![];
        let mut from = 9;
        while let Some(waiter) = served.next_from(from) {
            order.push(waiter);
            from = waiter + 1;
        }
        assert_eq!(order, [9, 63, 3]);
        assert!(served.is_empty());
        assert_eq!(Served(1).next_from(u32::MAX), Some(0));
        assert_eq!(Served(1 << 5).next_from(64 + 6), Some(5));
    }
}
