// SPDX-License-Identifier: GPL-2.0

//! The state of a virtual interrupt.
//!
//! A vector tells its NAPI instance that there is work. It is masked while that is scheduled or
//! runs, so that work is announced once; announcements made meanwhile stay pending. It can hold an
//! announcement back for a while (see [`moderation`](crate::moderation)); a timer ends that.
//!
//! ```text
//!              raise, moderation says now               poll begins: pending cleared
//!   unmasked ----------------------------> masked ----------------------------------+
//!    |    ^                                  ^                                      |
//!    |    |                                  | timer                          looks for work
//!    |    |  finish, nothing pending         |                                      |
//!    |    +----------------------------------|--------------------------------------+
//!    +-------> held: timer is armed ---------+        (finish, pending: raise again)
//!      raise, moderation says later
//! ```
//!
//! No announcement is lost. Whoever has work publishes it and then sets *pending*; the poll clears
//! *pending* and then looks for work, and looks at *pending* again as it unmasks. All three are
//! changes of one word with full barriers. So the setting comes before the clearing, and the poll
//! sees the work; or before the unmasking, and the poll raises again; or after, and finds the
//! vector unmasked.

use crate::atomic::Bits;
use crate::moderation::Decision;

/// There is work that no poll has begun to look for.
const PENDING: u64 = 1 << 0;
/// The NAPI instance is scheduled or runs, or is disabled.
const MASKED: u64 = 1 << 1;
/// The timer is armed, or about to be.
const HELD: u64 = 1 << 2;

/// What the caller of [`Vector::raise`] or [`Vector::expire`] has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the vector counts on it being done"]
pub enum Raise {
    /// Nothing: a poll or the timer will see to it.
    Nothing,
    /// Schedule the NAPI instance; the vector is masked now.
    Schedule,
    /// Arm the timer for this time, in nanoseconds of the clock that moderation uses; it calls
    /// [`Vector::expire`].
    Hold(u64),
}

/// The state of a vector. All methods may be called in any context at any time.
#[derive(Debug)]
pub struct Vector<B> {
    state: B,
}

impl<B: Bits> Vector<B> {
    /// The bits of a new vector: it is masked, until [`Vector::finish`] is called for the first
    /// time, after its NAPI instance has been enabled.
    pub const INITIAL: u64 = MASKED;

    /// A vector of a word that holds [`Vector::INITIAL`].
    pub const fn new(state: B) -> Self {
        Self { state }
    }

    /// Announces work, after it was published.
    ///
    /// `decide` is asked only if no poll is under way. It needs no protection: if several contexts
    /// raise at once, one of them schedules.
    #[inline]
    pub fn raise(&self, decide: impl FnOnce() -> Decision) -> Raise {
        if self.state.fetch_or(PENDING) & MASKED != 0 {
            return Raise::Nothing;
        }
        match decide() {
            Decision::Now => self.schedule(),
            Decision::At(time) => {
                if self.state.fetch_or(HELD) & HELD != 0 {
                    Raise::Nothing
                } else {
                    Raise::Hold(time)
                }
            }
        }
    }

    /// The timer's part: ends holding back.
    #[inline]
    pub fn expire(&self) -> Raise {
        if self.state.fetch_and(!HELD) & (PENDING | MASKED) == PENDING {
            self.schedule()
        } else {
            Raise::Nothing
        }
    }

    /// Masks, if nobody else did.
    #[inline]
    fn schedule(&self) -> Raise {
        if self.state.fetch_or(MASKED) & MASKED != 0 {
            Raise::Nothing
        } else {
            Raise::Schedule
        }
    }

    /// A poll begins. To be called before it looks for work, in every poll.
    #[inline]
    pub fn begin(&self) {
        self.state.fetch_and(!PENDING);
    }

    /// The polls are over and the NAPI instance was told so, successfully: unmasks.
    ///
    /// Returns whether work was announced since the last poll began; the caller must then raise
    /// again. Nothing may be called if the NAPI instance goes on by itself (`napi_complete_done()`
    /// returned false): the vector stays masked until it really is done.
    #[inline]
    #[must_use = "announced work would be lost"]
    pub fn finish(&self) -> bool {
        self.state.fetch_and(!MASKED) & PENDING != 0
    }

    /// Masks for good: work can be announced, but nothing is scheduled until [`Vector::finish`].
    ///
    /// For a NAPI instance that is about to be disabled, or has been. A raise that came before may
    /// still be on its way to schedule it or to arm the timer.
    #[inline]
    pub fn mask(&self) {
        self.state.fetch_or(MASKED);
    }

    /// The timer was cancelled and didn't run: work announced, if any, is still pending.
    #[inline]
    pub fn cancelled(&self) {
        self.state.fetch_and(!HELD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Word(Cell<u64>);

    impl Bits for Word {
        fn load(&self) -> u64 {
            self.0.get()
        }
        fn fetch_or(&self, bits: u64) -> u64 {
            self.0.replace(self.0.get() | bits)
        }
        fn fetch_and(&self, bits: u64) -> u64 {
            self.0.replace(self.0.get() & bits)
        }
        fn full_barrier() {}
    }

    fn vector() -> Vector<Word> {
        let vector = Vector::new(Word(Cell::new(Vector::<Word>::INITIAL)));
        assert!(!vector.finish());
        vector
    }

    fn now() -> Decision {
        Decision::Now
    }

    #[test]
    fn raise_once() {
        let v = vector();
        assert_eq!(v.raise(now), Raise::Schedule);
        assert_eq!(v.raise(|| unreachable!()), Raise::Nothing);
        v.begin();
        assert!(!v.finish());
        assert_eq!(v.raise(now), Raise::Schedule);
    }

    #[test]
    fn raised_while_polling() {
        let v = vector();
        assert_eq!(v.raise(now), Raise::Schedule);
        v.begin();
        assert_eq!(v.raise(now), Raise::Nothing);
        assert!(v.finish());
        assert_eq!(v.raise(now), Raise::Schedule);
    }

    #[test]
    fn held_back() {
        let v = vector();
        assert_eq!(v.raise(|| Decision::At(9)), Raise::Hold(9));
        assert_eq!(v.raise(|| Decision::At(10)), Raise::Nothing);
        assert_eq!(v.expire(), Raise::Schedule);
        assert_eq!(v.expire(), Raise::Nothing);
        v.begin();
        assert!(!v.finish());
        // Held back, then there are enough frames: the timer finds nothing to do.
        assert_eq!(v.raise(|| Decision::At(9)), Raise::Hold(9));
        assert_eq!(v.raise(now), Raise::Schedule);
        assert_eq!(v.expire(), Raise::Nothing);
        v.begin();
        assert!(!v.finish());
        assert_eq!(v.expire(), Raise::Nothing);
    }

    #[test]
    fn announced_while_disabled() {
        let v = vector();
        v.mask();
        assert_eq!(v.raise(now), Raise::Nothing);
        assert!(v.finish());
        assert_eq!(v.raise(|| Decision::At(1)), Raise::Hold(1));
        v.mask();
        v.cancelled();
        assert_eq!(v.expire(), Raise::Nothing);
        assert!(v.finish());
        assert_eq!(v.raise(|| Decision::At(2)), Raise::Hold(2));
    }
}
