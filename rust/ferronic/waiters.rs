// SPDX-License-Identifier: GPL-2.0

//! Who waits for a channel: outlets of the other end, one bit each.
//!
//! On a wire that copies, an outlet waits until buffers are posted; on one that hands packets off, until its own are
//! taken. Nobody waits for ever. Who waits is [added](Waiters::add) and then looks once more whether it has to; who
//! serves first makes what is waited for, and then [takes](Waiters::take) the bits. There is a full barrier between
//! the two steps on either side, so that at least one of them sees the other. A model checker runs this file:
//! `rust/pure/tests/waiters.rs`.

use kernel::prelude::*;
use netdev::sync::AtomicWord;

/// A set of outlets.
pub(crate) struct Waiters(KVec<AtomicWord>);

impl Waiters {
    /// An empty set, with room for so many.
    pub(crate) fn new(outlets: u32) -> Result<Self> {
        let words = outlets.div_ceil(u64::BITS) as usize;
        let mut bits = KVec::with_capacity(words, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..words {
            bits.push(AtomicWord::new(0), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Waiters(bits))
    }

    /// Adds an outlet. A full barrier, also if it is there already.
    #[inline(always)]
    pub(crate) fn add(&self, outlet: u16) {
        if let Some(word) = self.0.get(usize::from(outlet >> 6)) {
            word.fetch_or(1 << (outlet & 63));
        }
    }

    /// Whether an outlet is there. The caller has a full barrier between what is to be seen by who takes it and this.
    #[inline(always)]
    pub(crate) fn has(&self, outlet: u16) -> bool {
        let word = self.0.get(usize::from(outlet >> 6));
        word.is_some_and(|word| word.read() & (1 << (outlet & 63)) != 0)
    }

    /// Whether nobody is there. The caller has a full barrier between what they wait for and this.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| word.read() == 0)
    }

    /// Into how many parts of 64 the set is divided.
    #[inline(always)]
    pub(crate) fn parts(&self) -> usize {
        self.0.len()
    }

    /// Takes those of a part; they have to be served now. The caller has a full barrier between what they wait for and
    /// this, which is one itself if there are any.
    #[inline(always)]
    pub(crate) fn take(&self, part: usize) -> u64 {
        match self.0.get(part) {
            Some(word) if word.read() != 0 => word.xchg(0),
            _ => 0,
        }
    }

    /// Adds outlets that were taken and not served.
    #[inline(always)]
    pub(crate) fn put_back(&self, part: usize, outlets: u64) {
        if let Some(word) = self.0.get(part) {
            word.fetch_or(outlets);
        }
    }
}
