// SPDX-License-Identifier: GPL-2.0

//! The indirection table: from a hash to a receive channel.
//!
//! A table has a power of two of entries, at least four for each channel, so that weights of a
//! quarter can be given and any number of channels shares evenly. When the number of channels
//! changes so does the size of the table; a table the user made keeps its pattern, by the rules
//! of the core (`ethtool_rxfh_indir_can_resize()` in net/ethtool/common.c).
//!
//! Functions that change entries are generic: the core keeps tables of u32, a device smaller ones.

/// Smallest table.
pub const SIZE_MIN: u32 = 64;
/// Entries for each channel, at least.
pub const ENTRIES_PER_CHANNEL: u32 = 4;

/// Size of the table of a device with so many channels: the power of two of at least four entries a
/// channel, not below 64. `None` if there is no such 32-bit number.
pub const fn size_for(channels: u32) -> Option<u32> {
    let entries = match channels.checked_mul(ENTRIES_PER_CHANNEL) {
        Some(entries) => entries,
        None => return None,
    };
    if entries < SIZE_MIN {
        return Some(SIZE_MIN);
    }
    entries.checked_next_power_of_two()
}

/// The channel of a hash. `None` only if the table is empty; its size must be a power of two.
#[inline]
pub fn channel(table: &[u16], hash: u32) -> Option<u16> {
    let mask = table.len().wrapping_sub(1);

    table.get(hash as usize & mask).copied()
}

/// Fills a table with the default: the channels in turn. No channels count as one.
pub fn spread<T: From<u16>>(table: &mut [T], channels: u16) {
    let mut channel = 0;

    for entry in table {
        *entry = T::from(channel);
        channel = channel.wrapping_add(1);
        if channel >= channels {
            channel = 0;
        }
    }
}

/// Whether a table can serve a device with so many channels: a power of two of entries, each of a
/// channel that exists.
pub fn is_valid<T: Copy + Into<u32>>(table: &[T], channels: u32) -> bool {
    table.len().is_power_of_two() && highest(table).is_some_and(|highest| highest < channels)
}

/// The highest channel that a table names; `None` if the table is empty.
pub fn highest<T: Copy + Into<u32>>(table: &[T]) -> Option<u32> {
    table.iter().map(|&entry| entry.into()).max()
}

/// Whether a table can be made `new` entries long without losing what the user asked for.
///
/// `user` is the number of entries the user set, 0 if the table is the default. Such a table can
/// always change; another grows to a multiple of its size, and shrinks to a divisor, not below
/// `user`, if the shorter table repeats itself in the longer one.
pub fn can_resize<T: Copy + PartialEq>(table: &[T], new: usize, user: usize) -> bool {
    let old = table.len();

    if new == old || user == 0 {
        return true;
    }
    if new > old {
        return new.checked_rem(old) == Some(0);
    }
    new >= user && old.checked_rem(new) == Some(0) && is_periodic(table, new)
}

/// Whether the table repeats its first `period` entries.
fn is_periodic<T: PartialEq>(table: &[T], period: usize) -> bool {
    table
        .iter()
        .zip(table.get(period..).unwrap_or_default())
        .all(|(a, b)| a == b)
}

/// Fills a table that is to replace `old` with the pattern of `old`, over and over.
///
/// To grow and, where [`can_resize`] allows it, to shrink. Nothing happens if `old` is empty.
pub fn resize<T: Copy>(new: &mut [T], old: &[T]) {
    for (to, from) in new.iter_mut().zip(old.iter().cycle()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes() {
        for (channels, size) in [(0, 64), (1, 64), (16, 64), (17, 128), (64, 256), (66, 512)] {
            assert_eq!(size_for(channels), Some(size));
        }
        assert_eq!(size_for(1 << 29), Some(1 << 31));
        assert_eq!(size_for((1 << 29) + 1), None);
        assert_eq!(size_for(u32::MAX), None);
    }

    #[test]
    fn defaults() {
        let mut table = [0xffffu16; 64];
        spread(&mut table, 3);
        assert_eq!(table[..7], [0, 1, 2, 0, 1, 2, 0]);
        assert!(is_valid(&table, 3));
        assert!(!is_valid(&table, 2));
        assert!(!is_valid(&table[..63], 3));
        assert_eq!(channel(&table, 0xffff_ffc4), Some(1));
        assert_eq!(channel(&[], 7), None);
        assert!(!is_valid::<u16>(&[], 1));
        spread(&mut table, 0);
        assert_eq!(table, [0; 64]);
        let mut wide = [0u32; 4];
        spread(&mut wide, u16::MAX);
        assert_eq!(wide, [0, 1, 2, 3]);
    }

    #[test]
    fn resizing() {
        let eight = [0u16, 1, 2, 3, 0, 1, 2, 3];
        assert!(can_resize(&eight, 4, 4));
        assert!(!can_resize(&eight, 4, 8));
        assert!(!can_resize(&eight, 2, 2));
        assert!(!can_resize(&eight, 3, 1));
        assert!(!can_resize(&eight, 12, 8));
        assert!(can_resize(&eight, 16, 8));
        assert!(can_resize(&eight, 5, 0));
        assert!(can_resize(&eight, 8, 8));
        assert!(!can_resize(&eight, 0, 8));
        assert!(!can_resize::<u16>(&[], 8, 8));
    }

    /// The core's functions, as they are written there.
    fn core_can_resize(table: &[u32], new: usize, user: usize) -> bool {
        let old = table.len();
        if new == old || user == 0 {
            return true;
        }
        if new < old {
            new >= user && old % new == 0 && (new..old).all(|i| table[i] == table[i % new])
        } else {
            new % old == 0
        }
    }

    proptest! {
        #[test]
        fn as_the_core_does(
            pattern in prop::collection::vec(0u32..4, 1..5),
            repeat in 1usize..6,
            new in 1usize..40,
            user in 0usize..20,
        ) {
            let table = pattern.repeat(repeat);
            prop_assert_eq!(can_resize(&table, new, user), core_can_resize(&table, new, user));
            let mut resized = vec![9; new];
            resize(&mut resized, &table);
            for i in 0..new {
                prop_assert_eq!(resized[i], table[i % table.len()]);
            }
        }

        #[test]
        fn always_in_range(size in 6u32..12, channels in 1u16..300, hash in any::<u32>()) {
            let mut table = vec![0u16; 1 << size];
            spread(&mut table, channels);
            prop_assert!(is_valid(&table, channels.into()));
            prop_assert_eq!(channel(&table, hash), Some((hash % (1 << size)) as u16 % channels));
        }
    }
}
