// SPDX-License-Identifier: GPL-2.0

//! Index arithmetic of rings.
//!
//! A ring has a power of two of slots and is worked on by parties that follow each other around it.
//! Each party has a position, a free running 32-bit number; only that party writes it, and the next
//! party reads it and goes no further. So no two of them ever touch one slot:
//!
//! ```text
//! TX ring    start_xmit  -->  engine  -->  completion  -->  start_xmit, one lap behind
//!            Producer         Consumer     Consumer
//!
//! RX ring    post        -->  engine  -->  poll        -->  post, one lap behind
//!            Producer         Consumer     Consumer
//! ```
//!
//! A [`Producer`] may go one lap ahead of the party it follows, a [`Consumer`] not beyond it. Each
//! remembers how far it may go and reads the other's position, which costs a cache line, only when
//! that isn't enough. Both are owned by one context at a time (a lock or a NAPI instance protects
//! them); the shared positions are the caller's, as any [`Index`].
//!
//! Slots lie in memory that the caller owns; here are only numbers. Positions wrap around at 2^32,
//! which is a multiple of the size.

use crate::atomic::Index;

/// Number of slots of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(u32);

impl Size {
    /// Largest number of slots.
    pub const MAX: u32 = 1 << 30;

    /// `None` unless `slots` is a power of two, at most [`Size::MAX`].
    pub const fn new(slots: u32) -> Option<Size> {
        if slots.is_power_of_two() && slots <= Size::MAX {
            Some(Size(slots))
        } else {
            None
        }
    }

    /// Number of slots.
    #[inline]
    pub const fn slots(self) -> u32 {
        self.0
    }

    /// The slot of a position.
    #[inline]
    pub const fn slot(self, position: u32) -> u32 {
        position & self.0.wrapping_sub(1)
    }
}

/// What producer and consumer have in common.
#[derive(Debug)]
struct Party {
    size: Size,
    /// The next slot to work on.
    next: u32,
    /// Where to stop, as far as known.
    limit: u32,
}

impl Party {
    /// Slots known to be free to work on.
    #[inline]
    fn known(&self) -> u32 {
        // More than a lap would mean that the other position isn't of this ring.
        self.limit.wrapping_sub(self.next).min(self.size.0)
    }

    /// Steps over slots, at most over those known to be free.
    #[inline]
    fn advance(&mut self, count: u32) -> u32 {
        let count = count.min(self.known());
        self.next = self.next.wrapping_add(count);
        count
    }
}

/// The party that fills slots and may go one lap ahead of the one it follows.
#[derive(Debug)]
pub struct Producer(Party);

impl Producer {
    /// The producer of an empty ring whose positions are all `position`.
    pub const fn new(size: Size, position: u32) -> Self {
        Self(Party {
            size,
            next: position,
            limit: position.wrapping_add(size.0),
        })
    }

    /// Number of free slots, by a fresh look at the position of the party followed.
    #[inline]
    pub fn free(&mut self, followed: &impl Index) -> u32 {
        self.0.limit = followed.load_acquire().wrapping_add(self.0.size.0);
        self.0.known()
    }

    /// Whether there are `count` free slots; takes a fresh look only if it must.
    #[inline]
    pub fn has_free(&mut self, count: u32, followed: &impl Index) -> bool {
        self.0.known() >= count || self.free(followed) >= count
    }

    /// The slot `ahead` of the next one. It may be written if it is free.
    #[inline]
    pub fn slot(&self, ahead: u32) -> u32 {
        self.0.size.slot(self.0.next.wrapping_add(ahead))
    }

    /// Steps over filled slots, at most over those known to be free; returns over how many.
    #[inline]
    pub fn advance(&mut self, count: u32) -> u32 {
        self.0.advance(count)
    }

    /// Hands all slots stepped over to the follower.
    #[inline]
    pub fn publish(&self, own: &impl Index) {
        own.store_release(self.0.next);
    }

    /// The position of the next slot.
    #[inline]
    pub fn position(&self) -> u32 {
        self.0.next
    }

    /// Size of the ring.
    #[inline]
    pub fn size(&self) -> Size {
        self.0.size
    }
}

/// A party that works on slots filled before, and may go up to the one it follows.
#[derive(Debug)]
pub struct Consumer(Party);

impl Consumer {
    /// A consumer of an empty ring whose positions are all `position`.
    pub const fn new(size: Size, position: u32) -> Self {
        Self(Party {
            size,
            next: position,
            limit: position,
        })
    }

    /// Number of slots to work on, by a fresh look at the position of the party followed.
    #[inline]
    pub fn available(&mut self, followed: &impl Index) -> u32 {
        self.0.limit = followed.load_acquire();
        self.0.known()
    }

    /// Whether there are `count` slots to work on; takes a fresh look only if it must.
    #[inline]
    pub fn has_available(&mut self, count: u32, followed: &impl Index) -> bool {
        self.0.known() >= count || self.available(followed) >= count
    }

    /// The slot `ahead` of the next one. It may be worked on if it is available.
    #[inline]
    pub fn slot(&self, ahead: u32) -> u32 {
        self.0.size.slot(self.0.next.wrapping_add(ahead))
    }

    /// Steps over slots that are done, at most over those known to be available; returns over how
    /// many.
    #[inline]
    pub fn advance(&mut self, count: u32) -> u32 {
        self.0.advance(count)
    }

    /// Steps over the next slot and returns it, if one is available.
    #[inline]
    pub fn take(&mut self, followed: &impl Index) -> Option<u32> {
        if !self.has_available(1, followed) {
            return None;
        }
        let slot = self.slot(0);
        self.advance(1);
        Some(slot)
    }

    /// Hands all slots stepped over to the follower.
    #[inline]
    pub fn release(&self, own: &impl Index) {
        own.store_release(self.0.next);
    }

    /// The position of the next slot.
    #[inline]
    pub fn position(&self) -> u32 {
        self.0.next
    }

    /// Size of the ring.
    #[inline]
    pub fn size(&self) -> Size {
        self.0.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::sync::atomic::{
        AtomicU32,
        Ordering, //
    };

    impl Index for AtomicU32 {
        fn load_acquire(&self) -> u32 {
            self.load(Ordering::Acquire)
        }
        fn store_release(&self, value: u32) {
            self.store(value, Ordering::Release)
        }
    }

    #[test]
    fn sizes() {
        for slots in [1, 2, 64, 8192, Size::MAX] {
            assert_eq!(Size::new(slots).map(Size::slots), Some(slots));
        }
        for slots in [0, 3, 100, Size::MAX + 1, 1 << 31, u32::MAX] {
            assert_eq!(Size::new(slots), None);
        }
    }

    #[test]
    fn foreign_positions_do_no_harm() {
        let size = Size::new(4).unwrap();
        let mut producer = Producer::new(size, 0);
        assert!(producer.free(&AtomicU32::new(77)) <= 4);
        let mut consumer = Consumer::new(size, 0);
        assert_eq!(consumer.available(&AtomicU32::new(77)), 4);
        assert_eq!(consumer.advance(9), 4);
    }

    proptest! {
        /// Random steps of the three parties of a ring, beginning just before positions wrap
        /// around, against a queue.
        #[test]
        fn three_parties(
            log in 0u32..4,
            steps in prop::collection::vec((0u8..3, 1u32..5), 0..200),
        ) {
            let size = Size::new(1 << log).unwrap();
            let start = u32::MAX - 5;
            let [produced, worked, completed] = [(); 3].map(|_| AtomicU32::new(start));
            let mut producer = Producer::new(size, start);
            let mut engine = Consumer::new(size, start);
            let mut completer = Consumer::new(size, start);
            let mut slots = vec![0; size.slots() as usize];
            let (mut to_work, mut to_complete) = (VecDeque::new(), VecDeque::new());
            let mut serial = 0u32;

            for (party, count) in steps {
                match party {
                    0 => {
                        let free = size.slots() - (to_work.len() + to_complete.len()) as u32;
                        prop_assert_eq!(producer.has_free(count, &completed), free >= count);
                        if free < count {
                            prop_assert_eq!(producer.free(&completed), free);
                            continue;
                        }
                        for ahead in 0..count {
                            serial += 1;
                            slots[producer.slot(ahead) as usize] = serial;
                            to_work.push_back(serial);
                        }
                        prop_assert_eq!(producer.advance(count), count);
                        producer.publish(&produced);
                    }
                    1 => {
                        prop_assert_eq!(engine.available(&produced) as usize, to_work.len());
                        for _ in 0..count {
                            let Some(slot) = engine.take(&produced) else { break };
                            let serial = to_work.pop_front().unwrap();
                            prop_assert_eq!(slots[slot as usize], serial);
                            to_complete.push_back(serial);
                        }
                        engine.release(&worked);
                    }
                    _ => {
                        for _ in 0..count {
                            let Some(slot) = completer.take(&worked) else { break };
                            prop_assert_eq!(slots[slot as usize], to_complete.pop_front().unwrap());
                        }
                        completer.release(&completed);
                    }
                }
            }
            prop_assert_eq!(producer.position().wrapping_sub(start), serial);
        }
    }
}
