// SPDX-License-Identifier: GPL-2.0

//! A few values on their way from one place to another, such as descriptors out of a ring.

use core::mem::MaybeUninit;

/// Up to `N` values, the first in being the first out.
///
/// An array of `Option`s would do as well. But that is written when it is made, and looked through when it is used and
/// when it is dropped, all of it, be it for one packet.
///
/// # Invariants
///
/// - `first <= end <= N`.
/// - Slots from `first` to `end` are initialised.
pub struct Batch<T, const N: usize> {
    slots: [MaybeUninit<T>; N],
    first: usize,
    end: usize,
}

impl<T, const N: usize> Batch<T, N> {
    /// An empty one.
    #[inline(always)]
    pub const fn new() -> Self {
        // INVARIANT: There are none.
        Batch {
            slots: [const { MaybeUninit::uninit() }; N],
            first: 0,
            end: 0,
        }
    }

    /// Adds a value behind the others. Gives it back if `N` have been added.
    #[inline(always)]
    pub fn push(&mut self, v: T) -> Result<(), T> {
        let Some(slot) = self.slots.get_mut(self.end) else {
            return Err(v);
        };
        slot.write(v);
        // INVARIANT: Just written, and within.
        self.end = self.end.wrapping_add(1);
        Ok(())
    }
}

impl<T, const N: usize> Default for Batch<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> Iterator for Batch<T, N> {
    type Item = T;

    #[inline(always)]
    fn next(&mut self) -> Option<T> {
        if self.first == self.end {
            return None;
        }
        let slot = self.slots.get(self.first)?;
        // INVARIANT: It is less than `end`, and what it moves past is not read again.
        self.first = self.first.wrapping_add(1);
        // SAFETY: Initialised by the type invariant, and read this once.
        Some(unsafe { slot.assume_init_read() })
    }
}

impl<T, const N: usize> Drop for Batch<T, N> {
    #[inline(always)]
    fn drop(&mut self) {
        for v in self {
            drop(v);
        }
    }
}
