// SPDX-License-Identifier: GPL-2.0

//! A descriptor ring whose three sides are three values.
//!
//! A descriptor goes round: it is *posted*, then *filled*, then *taken*, and its slot can be posted again. Each
//! step belongs to one side, and each side is a value that only its owner has, so who may touch which slot is
//! settled by ownership; no side waits for another.
//!
//! ```text
//!            taken          filled         posted
//!              v              v              v
//!     | free   | filled       | posted       | free    |
//!              Taker owns     Filler owns      Poster owns
//! ```
//!
//! On a receive ring the driver's poll is [`Poster`] and [`Taker`] (it posts buffers and takes frames) and the
//! wire is [`Filler`]. On a transmit ring `ndo_start_xmit` is [`Poster`], the engine [`Filler`], and the poll,
//! which completes, [`Taker`].
//!
//! Indices run freely through `u32`; each lies on a cache line of its own and is written by one side. A side
//! keeps its own index and remembers what it last saw of the next one, so that it reads the other's line only
//! when it seems to have run out. Whatever is in the ring when the last side goes is dropped.

use crate::sync::{CacheAligned, Word};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use kernel::prelude::*;
use kernel::sync::Arc;

/// The memory of a ring.
///
/// # Invariants
///
/// - `slots.len()` is `mask + 1`, a power of two of at most 2^31.
/// - `taken <= filled <= posted <= taken + slots.len()`, counted without wrapping.
/// - Slots from `taken` to `posted` are initialised.
struct Shared<T> {
    mask: u32,
    slots: KVVec<UnsafeCell<MaybeUninit<T>>>,
    posted: CacheAligned<Word<u32>>,
    filled: CacheAligned<Word<u32>>,
    taken: CacheAligned<Word<u32>>,
}

// SAFETY: A slot is reached by the side that owns it only; handing it on is a release store that the next side
// acquires. So a ring is a means of sending `T`.
unsafe impl<T: Send> Sync for Shared<T> {}
// SAFETY: As above.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T> Shared<T> {
    #[inline(always)]
    fn slot(&self, index: u32) -> *mut T {
        let i = (index & self.mask) as usize;
        // SAFETY: `i` is at most `mask`, which is less than the number of slots by the type invariant.
        let cell = unsafe { self.slots.get_unchecked(i) };
        cell.get().cast()
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let (mut i, end) = (self.taken.read(), self.posted.read());
        while i != end {
            // SAFETY: By the type invariant the slot is initialised; no side is left that could reach it.
            unsafe { self.slot(i).drop_in_place() };
            i = i.wrapping_add(1);
        }
    }
}

/// Makes a ring of `len` descriptors, a power of two. Process context.
pub fn new<T: Send>(len: u32) -> Result<(Poster<T>, Filler<T>, Taker<T>)> {
    if !len.is_power_of_two() {
        return Err(EINVAL);
    }
    let mut slots = KVVec::with_capacity(len as usize, GFP_KERNEL_ACCOUNT)?;
    for _ in 0..len {
        slots.push(UnsafeCell::new(MaybeUninit::uninit()), GFP_KERNEL_ACCOUNT)?;
    }
    // INVARIANT: All indices are zero.
    let shared = Arc::new(
        Shared {
            mask: len.wrapping_sub(1),
            slots,
            posted: CacheAligned(Word::new(0)),
            filled: CacheAligned(Word::new(0)),
            taken: CacheAligned(Word::new(0)),
        },
        GFP_KERNEL_ACCOUNT,
    )?;
    Ok((
        Poster {
            ring: shared.clone(),
            posted: 0,
            taken: 0,
        },
        Filler {
            ring: shared.clone(),
            filled: 0,
            posted: 0,
        },
        Taker {
            ring: shared,
            taken: 0,
            filled: 0,
        },
    ))
}

/// The side that posts descriptors.
///
/// # Invariants
///
/// `posted` is at least the shared one; slots between the two are initialised and belong to this side.
pub struct Poster<T> {
    ring: Arc<Shared<T>>,
    posted: u32,
    taken: u32,
}

impl<T> Poster<T> {
    /// Number of descriptors of the ring.
    #[inline]
    pub fn size(&self) -> u32 {
        self.ring.mask.wrapping_add(1)
    }

    /// Number of descriptors that can be posted now, as far as the takers have been heard of: reads their index
    /// afresh.
    #[inline]
    pub fn free(&mut self) -> u32 {
        self.taken = self.ring.taken.load_acquire();
        self.size()
            .wrapping_sub(self.posted.wrapping_sub(self.taken))
    }

    /// Puts a descriptor into the ring; the filler sees it after [`publish`](Self::publish). Gives it back if
    /// the ring is full.
    #[inline]
    pub fn post(&mut self, v: T) -> core::result::Result<(), T> {
        if self.posted.wrapping_sub(self.taken) > self.ring.mask && self.free() == 0 {
            return Err(v);
        }
        // SAFETY: The slot is free: `posted` is less than a ring's length ahead of `taken`, whose load acquired
        // what the taker did.
        unsafe { self.ring.slot(self.posted).write(v) };
        self.posted = self.posted.wrapping_add(1);
        Ok(())
    }

    /// Number of descriptors put in but not published.
    #[inline]
    pub fn unpublished(&self) -> u32 {
        self.posted.wrapping_sub(self.ring.posted.read())
    }

    /// Hands what was posted to the filler.
    #[inline]
    pub fn publish(&mut self) {
        self.ring.posted.store_release(self.posted);
    }
}

impl<T> Drop for Poster<T> {
    fn drop(&mut self) {
        // So that the ring knows what it holds.
        self.publish();
    }
}

/// The side that fills posted descriptors.
pub struct Filler<T> {
    ring: Arc<Shared<T>>,
    filled: u32,
    posted: u32,
}

impl<T> Filler<T> {
    /// Number of descriptors of the ring.
    #[inline]
    pub fn size(&self) -> u32 {
        self.ring.mask.wrapping_add(1)
    }

    /// Number of posted descriptors; reads the poster's index afresh.
    #[inline]
    pub fn available(&mut self) -> u32 {
        self.posted = self.ring.posted.load_acquire();
        self.posted.wrapping_sub(self.filled)
    }

    /// Number of descriptors that were filled and whose slots have not been given back.
    #[inline]
    pub fn untaken(&self) -> u32 {
        self.filled.wrapping_sub(self.ring.taken.read())
    }

    /// Whether `n` descriptors are posted; reads the poster's index only if it has to.
    #[inline]
    pub fn has(&mut self, n: u32) -> bool {
        self.posted.wrapping_sub(self.filled) >= n || self.available() >= n
    }

    /// The `i`-th posted descriptor, 0 being the oldest.
    #[inline]
    pub fn get(&mut self, i: u32) -> Option<&mut T> {
        if i >= self.posted.wrapping_sub(self.filled) && i >= self.available() {
            return None;
        }
        // SAFETY: The slot lies between `filled` and `posted`, so it is initialised and this side's; the
        // borrow of `self` keeps it from being handed on.
        Some(unsafe { &mut *self.ring.slot(self.filled.wrapping_add(i)) })
    }

    /// Hands the oldest `n` descriptors to the taker. More than are posted are not handed on.
    #[inline]
    pub fn advance(&mut self, n: u32) {
        let n = n.min(self.posted.wrapping_sub(self.filled));
        self.filled = self.filled.wrapping_add(n);
        self.ring.filled.store_release(self.filled);
    }
}

/// The side that takes filled descriptors.
pub struct Taker<T> {
    ring: Arc<Shared<T>>,
    taken: u32,
    filled: u32,
}

impl<T> Taker<T> {
    /// Number of descriptors of the ring.
    #[inline]
    pub fn size(&self) -> u32 {
        self.ring.mask.wrapping_add(1)
    }

    /// Number of filled descriptors; reads the filler's index afresh.
    #[inline]
    pub fn available(&mut self) -> u32 {
        self.filled = self.ring.filled.load_acquire();
        self.filled.wrapping_sub(self.taken)
    }

    /// The `i`-th filled descriptor, 0 being the oldest.
    #[inline]
    pub fn peek(&mut self, i: u32) -> Option<&T> {
        if i >= self.filled.wrapping_sub(self.taken) && i >= self.available() {
            return None;
        }
        // SAFETY: The slot lies between `taken` and `filled`, so it is initialised and this side's.
        Some(unsafe { &*self.ring.slot(self.taken.wrapping_add(i)) })
    }

    /// Takes the oldest filled descriptor out. Its slot is free for the poster after
    /// [`release`](Self::release).
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        if self.taken == self.filled && self.available() == 0 {
            return None;
        }
        // SAFETY: The slot lies between `taken` and `filled`: initialised, this side's, and not read again, since
        // `taken` moves past it.
        let v = unsafe { self.ring.slot(self.taken).read() };
        self.taken = self.taken.wrapping_add(1);
        Some(v)
    }

    /// Number of slots that are free for the poster, or will be after [`release`](Self::release).
    #[inline]
    pub fn free(&self) -> u32 {
        self.size()
            .wrapping_sub(self.ring.posted.read().wrapping_sub(self.taken))
    }

    /// Gives the slots of what was taken back to the poster.
    #[inline]
    pub fn release(&mut self) {
        self.ring.taken.store_release(self.taken);
    }
}

impl<T> Drop for Taker<T> {
    fn drop(&mut self) {
        // So that the ring does not drop again what was taken.
        self.release();
    }
}

/// Takes everything out of a ring, filled or not, in order, once all three sides are back in one hand.
///
/// What was filled comes with `true`.
pub fn drain<T>(
    poster: Poster<T>,
    filler: Filler<T>,
    mut taker: Taker<T>,
    mut each: impl FnMut(T, bool),
) {
    let mut filler = filler;
    drop(poster);
    while let Some(v) = taker.take() {
        each(v, true);
    }
    let rest = filler.available();
    filler.advance(rest);
    while let Some(v) = taker.take() {
        each(v, false);
    }
}
