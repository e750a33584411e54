// SPDX-License-Identifier: GPL-2.0

//! Histograms with a bucket for each power of two.

use netdev::counter::Counter;
use netdev::sync::{smp_rmb, smp_wmb, Word};

/// Bytes of the frame check sequence, which the lengths of the standard statistics include.
pub(super) const FCS_LEN: u32 = 4;

/// Buckets of [`Lengths`]: least and greatest length, with the frame check sequence. What no other NIC sends is in one.
pub(crate) const LENGTH_RANGES: [(u16, u16); 9] = [
    (0, 64),
    (65, 127),
    (128, 255),
    (256, 511),
    (512, 1023),
    (1024, 2047),
    (2048, 4095),
    (4096, 8191),
    (8192, u16::MAX),
];

/// How often a reader looks again when a writer was in between.
const RETRIES: u32 = 100;

/// Frames by length.
///
/// Most frames are as long as the one before. So nothing is counted but the change: as many frames have had the last
/// length as the total, which is counted anyway, has grown by since.
#[derive(Default)]
pub(crate) struct Lengths {
    buckets: [Counter; LENGTH_RANGES.len()],
    /// The length of the last frame, bytes.
    last: Word<u32>,
    /// The total when frames began to have that length.
    mark: Word<u64>,
    /// Changes of the above, twice: odd while one goes on.
    changes: Word<u32>,
}

impl Lengths {
    /// The bucket of a frame of so many bytes without the frame check sequence.
    #[inline]
    fn bucket(len: u32) -> usize {
        let len = len.wrapping_add(FCS_LEN);
        if len <= 64 {
            return 0;
        }
        // 65 is in the first bucket behind, whose lengths have seven bits.
        let bucket = 26u32.wrapping_sub(len.leading_zeros()) as usize;
        bucket.min(LENGTH_RANGES.len() - 1)
    }

    /// Takes note of a frame of so many bytes without the frame check sequence. `before` tells how many frames were
    /// counted before it. The caller is the only writer.
    #[inline(always)]
    pub(crate) fn count(&self, len: u32, before: impl FnOnce() -> u64) {
        if len != self.last.read() {
            self.change(len, before());
        }
    }

    #[inline(never)]
    fn change(&self, len: u32, before: u64) {
        self.changes.add(1);
        smp_wmb();
        if let Some(c) = self.buckets.get(Self::bucket(self.last.read())) {
            c.add(before.wrapping_sub(self.mark.read()));
        }
        self.mark.write(before);
        self.last.write(len);
        smp_wmb();
        self.changes.add(1);
    }

    /// The counts, whose sum is that of `total`.
    pub(super) fn get(&self, total: &Counter) -> [u64; LENGTH_RANGES.len()] {
        let mut counts = [0; LENGTH_RANGES.len()];
        for _ in 0..RETRIES {
            let changes = self.changes.load_acquire();
            for (to, from) in counts.iter_mut().zip(&self.buckets) {
                *to = from.get();
            }
            if let Some(n) = counts.get_mut(Self::bucket(self.last.read())) {
                // The total follows at the end of a batch.
                *n = n.wrapping_add(total.get().saturating_sub(self.mark.read()));
            }
            smp_rmb();
            if changes & 1 == 0 && self.changes.read() == changes {
                break;
            }
            core::hint::spin_loop();
        }
        counts
    }
}

/// Names of the buckets of [`Batches`].
pub(super) const BATCH_NAMES: [&str; 8] = ["0", "1", "2_3", "4_7", "8_15", "16_31", "32_63", "64"];

/// Polls by the number of frames they took; 64 is the core's budget.
#[derive(Default)]
pub(crate) struct Batches([Counter; BATCH_NAMES.len()]);

impl Batches {
    /// Counts a poll that took so many frames. The caller is the only writer.
    #[inline(always)]
    pub(crate) fn count(&self, frames: u32) {
        let bucket = u32::BITS.wrapping_sub(frames.leading_zeros()) as usize;
        if let Some(c) = self.0.get(bucket.min(BATCH_NAMES.len() - 1)) {
            c.inc();
        }
    }

    /// The counts.
    pub(crate) fn get(&self, bucket: usize) -> u64 {
        self.0.get(bucket).map_or(0, Counter::get)
    }
}
