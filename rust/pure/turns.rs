// SPDX-License-Identifier: GPL-2.0

//! Streams that take turns: a table of them in the order in which they were last seen.
//!
//! Entries are found by a hash, of which a bucket is left: each bucket is a chain, that the caller
//! walks ([`Turns::first`], [`Turns::next`]). They are in a list too, from the one not seen for the
//! longest time to the one seen last; [`Turns::touch`] makes an entry the last. All takes constant
//! time but the walk of a chain, which is as long as the caller lets it become.
//!
//! Entries are named by small numbers ([`Place`]), which are used again.

use core::ops::DerefMut;

/// Where an entry is.
pub type Place = u16;

/// No place.
const NONE: Place = Place::MAX;

/// The most entries that a table can have.
pub const ENTRIES_MAX: usize = NONE as usize;

/// Memory for one entry, and for one bucket.
#[derive(Clone, Copy, Debug)]
pub struct Slot<T> {
    entry: Option<T>,
    bucket: Place,
    /// The next entry of the bucket, or the next free slot.
    chain: Place,
    /// The neighbours in the list: seen before this one, and after it.
    before: Place,
    after: Place,
    /// First entry of the bucket that has the number of this slot.
    head: Place,
}

impl<T> Slot<T> {
    /// A free one.
    pub const fn new() -> Self {
        Slot {
            entry: None,
            bucket: 0,
            chain: NONE,
            before: NONE,
            after: NONE,
            head: NONE,
        }
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A table, in memory of the caller's.
#[derive(Debug)]
pub struct Turns<M> {
    slots: M,
    free: Place,
    used: Place,
    oldest: Place,
    youngest: Place,
}

/// `None` instead of no place.
#[inline]
fn place(at: Place) -> Option<Place> {
    (at != NONE).then_some(at)
}

impl<T, M: DerefMut<Target = [Slot<T>]>> Turns<M> {
    /// An empty table in these slots; of more than [`ENTRIES_MAX`] the rest is not used.
    pub fn new(mut slots: M) -> Self {
        let count = slots.len().min(ENTRIES_MAX) as Place;
        for (slot, next) in slots.iter_mut().zip(1..=count) {
            *slot = Slot::new();
            slot.chain = if next < count { next } else { NONE };
        }
        Turns {
            slots,
            free: if count > 0 { 0 } else { NONE },
            used: 0,
            oldest: NONE,
            youngest: NONE,
        }
    }

    /// Number of entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.used.into()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    #[inline]
    fn slot(&self, at: Place) -> Option<&Slot<T>> {
        self.slots.get(usize::from(at))
    }

    #[inline]
    fn slot_mut(&mut self, at: Place) -> Option<&mut Slot<T>> {
        self.slots.get_mut(usize::from(at))
    }

    /// Number of the bucket that a hash belongs to.
    ///
    /// The hashes of one receive queue mostly have their low bits in common, as those chose the queue.
    #[inline]
    fn bucket(&self, hash: u32) -> Place {
        let count = self.slots.len().min(ENTRIES_MAX) as u32;
        let mixed = hash.wrapping_mul(0x9e37_79b9) >> 16;
        mixed.checked_rem(count).unwrap_or(0) as Place
    }

    /// The first entry of the bucket of a hash.
    #[inline]
    pub fn first(&self, hash: u32) -> Option<Place> {
        self.slot(self.bucket(hash)).and_then(|s| place(s.head))
    }

    /// The next entry of the same bucket.
    #[inline]
    pub fn next(&self, at: Place) -> Option<Place> {
        let slot = self.slot(at).filter(|s| s.entry.is_some());
        slot.and_then(|s| place(s.chain))
    }

    /// The entry not seen for the longest time.
    #[inline]
    pub fn oldest(&self) -> Option<Place> {
        place(self.oldest)
    }

    /// The entry seen last.
    #[inline]
    pub fn youngest(&self) -> Option<Place> {
        place(self.youngest)
    }

    /// The entry seen before this one.
    #[inline]
    pub fn before(&self, at: Place) -> Option<Place> {
        self.slot(at).and_then(|s| place(s.before))
    }

    /// An entry.
    #[inline]
    pub fn get(&self, at: Place) -> Option<&T> {
        self.slot(at)?.entry.as_ref()
    }

    /// An entry.
    #[inline]
    pub fn get_mut(&mut self, at: Place) -> Option<&mut T> {
        self.slot_mut(at)?.entry.as_mut()
    }

    /// Adds an entry, in front of its bucket, as the one seen last.
    ///
    /// # Errors
    ///
    /// The entry, if the table is full.
    #[inline]
    pub fn add(&mut self, hash: u32, entry: T) -> Result<Place, T> {
        let at = self.free;
        let bucket = self.bucket(hash);
        let head = self.slot(bucket).map_or(NONE, |s| s.head);
        let Some(slot) = self.slot_mut(at) else {
            return Err(entry);
        };
        let next_free = slot.chain;
        slot.entry = Some(entry);
        slot.bucket = bucket;
        slot.chain = head;
        self.free = next_free;
        self.used = self.used.wrapping_add(1);
        if let Some(slot) = self.slot_mut(bucket) {
            slot.head = at;
        }
        self.link(at);
        Ok(at)
    }

    /// Makes an entry the one seen last.
    #[inline]
    pub fn touch(&mut self, at: Place) {
        if at != self.youngest && self.get(at).is_some() {
            self.unlink(at);
            self.link(at);
        }
    }

    /// Takes an entry out.
    #[inline]
    pub fn remove(&mut self, at: Place) -> Option<T> {
        let slot = self.slot_mut(at)?;
        let entry = slot.entry.take()?;
        let (bucket, next) = (slot.bucket, slot.chain);
        self.unlink(at);
        // Whoever leads to it leads to what follows it.
        let head = self.slot(bucket).map_or(NONE, |s| s.head);
        if head == at {
            if let Some(slot) = self.slot_mut(bucket) {
                slot.head = next;
            }
        } else {
            let mut before = head;
            while let Some(slot) = self.slot_mut(before) {
                if slot.chain == at {
                    slot.chain = next;
                    break;
                }
                before = slot.chain;
            }
        }
        let free = self.free;
        if let Some(slot) = self.slot_mut(at) {
            slot.chain = free;
        }
        self.free = at;
        self.used = self.used.wrapping_sub(1);
        Some(entry)
    }

    /// Puts an entry that is in no list at the end.
    #[inline]
    fn link(&mut self, at: Place) {
        let last = self.youngest;
        if let Some(slot) = self.slot_mut(at) {
            slot.before = last;
            slot.after = NONE;
        }
        match self.slot_mut(last) {
            Some(slot) => slot.after = at,
            None => self.oldest = at,
        }
        self.youngest = at;
    }

    /// Takes an entry out of the list.
    #[inline]
    fn unlink(&mut self, at: Place) {
        let Some(slot) = self.slot(at) else {
            return;
        };
        let (before, after) = (slot.before, slot.after);
        match self.slot_mut(before) {
            Some(slot) => slot.after = after,
            None => self.oldest = after,
        }
        match self.slot_mut(after) {
            Some(slot) => slot.before = before,
            None => self.youngest = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(count: usize) -> Turns<Vec<Slot<(u32, u32)>>> {
        Turns::new((0..count).map(|_| Slot::new()).collect())
    }

    impl Turns<Vec<Slot<(u32, u32)>>> {
        /// All entries in the order in which they were last seen, which both ways give alike.
        fn listed(&self) -> Vec<(Place, (u32, u32))> {
            let mut found = vec![];
            let mut at = self.youngest();
            while let Some(i) = at {
                found.push((i, *self.get(i).unwrap()));
                at = self.before(i);
            }
            found.reverse();
            assert_eq!(found.first().map(|f| f.0), self.oldest());
            assert_eq!(found.len(), self.len());
            found
        }

        /// The entries of a bucket.
        fn chained(&self, hash: u32) -> Vec<(Place, (u32, u32))> {
            let mut found = vec![];
            let mut at = self.first(hash);
            while let Some(i) = at {
                found.push((i, *self.get(i).unwrap()));
                at = self.next(i);
            }
            found
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(u32),
        Touch(usize),
        Remove(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        prop::collection::vec(
            prop_oneof![
                3 => (0u32..40).prop_map(Step::Add),
                1 => any::<usize>().prop_map(Step::Touch),
                2 => any::<usize>().prop_map(Step::Remove),
            ],
            0..200,
        )
    }

    proptest! {
        #[test]
        fn as_a_list_would_be(count in 0usize..20, steps in steps()) {
            let mut table = table(count);
            let mut model: Vec<(Place, (u32, u32))> = vec![];
            for (number, step) in (0u32..).zip(steps) {
                match step {
                    Step::Add(hash) => match table.add(hash, (hash, number)) {
                        Ok(at) => model.push((at, (hash, number))),
                        Err(entry) => {
                            prop_assert_eq!(entry, (hash, number));
                            prop_assert_eq!(model.len(), count);
                        }
                    },
                    Step::Touch(which) if !model.is_empty() => {
                        let moved = model.remove(which % model.len());
                        table.touch(moved.0);
                        model.push(moved);
                    }
                    Step::Remove(which) if !model.is_empty() => {
                        let (at, entry) = model.remove(which % model.len());
                        prop_assert_eq!(table.remove(at), Some(entry));
                        prop_assert_eq!(table.remove(at), None);
                    }
                    _ => (),
                }
                prop_assert_eq!(table.listed(), model.clone());
                prop_assert_eq!(table.is_empty(), model.is_empty());
                for hash in 0..40 {
                    let mut found = table.chained(hash);
                    let mut want: Vec<_> = model
                        .iter()
                        .copied()
                        .filter(|m| table.bucket(m.1 .0) == table.bucket(hash))
                        .collect();
                    found.sort_unstable();
                    want.sort_unstable();
                    prop_assert_eq!(found, want);
                }
            }
        }
    }

    /// As on one queue of many, with the indirection table that they have by default.
    #[test]
    fn hashes_with_low_bits_in_common() {
        for queue in 0..64 {
            let mut table = table(512);
            let mut hash = 1u32;
            for number in 0..512 {
                hash = hash.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let drawn = (hash & !63) | queue;
                table.add(drawn, (drawn, number)).unwrap();
            }
            let longest = (0..table.slots.len())
                .filter_map(|bucket| table.slots[bucket].head.checked_add(1))
                .map(|head| {
                    let first = table.get(head - 1).unwrap().0;
                    table.chained(first).len()
                })
                .max();
            assert!(longest <= Some(8), "{queue}: {longest:?}");
        }
    }

    #[test]
    fn places_that_are_none() {
        let mut table = table(4);
        assert_eq!(table.first(7), None);
        assert_eq!(table.next(2), None);
        assert_eq!(table.get(9), None);
        assert_eq!(table.remove(3), None);
        table.touch(3);
        assert!(table.is_empty() && table.oldest().is_none());
    }
}
