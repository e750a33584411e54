// SPDX-License-Identifier: GPL-2.0

//! Which frames a NIC receives.
//!
//! A NIC takes frames for its own address, for further unicast addresses and multicast groups the
//! stack asked for, and broadcasts; with the flags set, all multicast or everything. The addresses
//! are kept in sets: hash tables in memory of the caller, so that a look-up takes the same time for
//! two groups and for two hundred.

use crate::header::Mac;

/// What marks a free slot of a set. It isn't the address of anybody.
const FREE: Mac = [0; 6];

/// Whether an address is that of a group, broadcast included.
#[inline]
pub const fn is_multicast(address: &Mac) -> bool {
    address[0] & 1 != 0
}

/// The address as a number, for quick comparison.
#[inline]
const fn number(address: &Mac) -> u64 {
    let [a, b, c, d, e, f] = *address;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Number of slots for so many addresses: the power of two that is filled by half at most.
pub const fn slots_for(addresses: usize) -> Option<usize> {
    match addresses.checked_mul(2) {
        Some(slots) => slots.checked_next_power_of_two(),
        None => None,
    }
}

/// Empties a set.
pub fn clear(set: &mut [Mac]) {
    for slot in set {
        *slot = FREE;
    }
}

/// Adds an address to a set. Returns whether it is in the set now: not if the set is full, nor if
/// the address is all zeroes.
///
/// The number of slots must be a power of two, and they must have been emptied before.
#[must_use = "the set may be full"]
pub fn insert(set: &mut [Mac], address: &Mac) -> bool {
    if *address == FREE {
        return false;
    }
    let mask = set.len().wrapping_sub(1);
    let first = hash(address);

    for step in 0..set.len() {
        match set.get_mut(first.wrapping_add(step) & mask) {
            Some(slot) if *slot == *address => return true,
            Some(slot) if *slot == FREE => {
                *slot = *address;
                return true;
            }
            Some(_) => (),
            None => return false,
        }
    }
    false
}

/// Whether an address is in a set.
#[inline]
pub fn contains(set: &[Mac], address: &Mac) -> bool {
    let mask = set.len().wrapping_sub(1);
    let first = hash(address);
    let wanted = number(address);

    for step in 0..set.len() {
        match set.get(first.wrapping_add(step) & mask).map(number) {
            Some(found) if found == wanted => return wanted != 0,
            Some(0) | None => return false,
            Some(_) => (),
        }
    }
    false
}

/// Spreads addresses, which often differ in the last byte only, over slots.
#[inline]
fn hash(address: &Mac) -> usize {
    // 2^64 divided by the golden ratio; the high bits of the product depend on all of the address.
    (number(address).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is received.
    Accept,
    /// It isn't: it is for another station.
    OtherStation,
    /// It isn't: it is for a group that wasn't asked for.
    OtherGroup,
}

/// The filter of a NIC.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// The NIC's own address.
    pub own: &'a Mac,
    /// Set of further unicast addresses.
    pub unicast: &'a [Mac],
    /// Set of multicast groups.
    pub multicast: &'a [Mac],
    /// All multicast is received (`IFF_ALLMULTI`).
    pub all_multicast: bool,
    /// Everything is received (`IFF_PROMISC`).
    pub promiscuous: bool,
}

impl Filter<'_> {
    /// Decides on a frame by its destination address.
    #[inline]
    pub fn decide(&self, destination: &Mac) -> Verdict {
        if self.promiscuous || number(destination) == number(self.own) {
            return Verdict::Accept;
        }
        if !is_multicast(destination) {
            return if contains(self.unicast, destination) {
                Verdict::Accept
            } else {
                Verdict::OtherStation
            };
        }
        if self.all_multicast
            || number(destination) == number(&[0xff; 6])
            || contains(self.multicast, destination)
        {
            Verdict::Accept
        } else {
            Verdict::OtherGroup
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const OWN: Mac = [2, 0, 0, 0, 0, 1];
    const SECOND: Mac = [2, 0, 0, 0, 0, 2];
    const GROUP: Mac = [1, 0, 0x5e, 0, 0, 1];
    const OTHER_GROUP: Mac = [0x33, 0x33, 0, 0, 0, 1];

    fn set(addresses: &[Mac]) -> Vec<Mac> {
        let mut set = vec![FREE; slots_for(addresses.len()).unwrap()];
        for address in addresses {
            assert!(insert(&mut set, address));
        }
        set
    }

    #[test]
    fn decisions() {
        let (unicast, multicast) = (set(&[SECOND]), set(&[GROUP]));
        let filter = Filter {
            own: &OWN,
            unicast: &unicast,
            multicast: &multicast,
            all_multicast: false,
            promiscuous: false,
        };
        let foreign = [2, 0, 0, 0, 0, 3];
        for accepted in [OWN, SECOND, GROUP, [0xff; 6]] {
            assert_eq!(filter.decide(&accepted), Verdict::Accept);
        }
        assert_eq!(filter.decide(&foreign), Verdict::OtherStation);
        assert_eq!(filter.decide(&FREE), Verdict::OtherStation);
        assert_eq!(filter.decide(&OTHER_GROUP), Verdict::OtherGroup);

        let all_multicast = Filter {
            all_multicast: true,
            ..filter
        };
        assert_eq!(all_multicast.decide(&OTHER_GROUP), Verdict::Accept);
        assert_eq!(all_multicast.decide(&foreign), Verdict::OtherStation);
        let promiscuous = Filter {
            promiscuous: true,
            ..filter
        };
        assert_eq!(promiscuous.decide(&foreign), Verdict::Accept);
    }

    #[test]
    fn full_and_empty_sets() {
        assert_eq!(slots_for(0), Some(1));
        assert_eq!(slots_for(3), Some(8));
        assert_eq!(slots_for(usize::MAX), None);
        assert!(!insert(&mut [], &OWN));
        assert!(!contains(&[], &OWN));
        let mut two = [FREE; 2];
        assert!(insert(&mut two, &OWN));
        assert!(insert(&mut two, &SECOND));
        assert!(insert(&mut two, &OWN), "it is there");
        assert!(!insert(&mut two, &GROUP));
        assert!(!contains(&two, &GROUP));
        assert!(contains(&two, &SECOND));
        clear(&mut two);
        assert!(!contains(&two, &SECOND));
        assert!(!insert(&mut two, &FREE));
        assert!(!contains(&two, &FREE));
    }

    #[test]
    fn addresses_that_differ_in_the_last_byte_are_spread() {
        let group = |n: u8| [0x33, 0x33, 0xff, 0, 0, n];
        let groups: Vec<Mac> = (1..=128).map(group).collect();
        let set = set(&groups);
        let first = |mac: &Mac| hash(mac) & (set.len() - 1);
        let firsts: HashSet<_> = groups.iter().map(first).collect();
        assert!(firsts.len() > 64, "{} slots for 128", firsts.len());
    }

    proptest! {
        #[test]
        fn as_a_set(
            inside in prop::collection::vec(any::<Mac>(), 0..40),
            outside in prop::collection::vec(any::<Mac>(), 0..40),
        ) {
            let inside: Vec<Mac> = inside.into_iter().filter(|m| *m != FREE).collect();
            let set = set(&inside);
            let reference: HashSet<Mac> = inside.iter().copied().collect();
            for mac in inside.iter().chain(&outside) {
                prop_assert_eq!(contains(&set, mac), reference.contains(mac));
            }
        }
    }
}
