// SPDX-License-Identifier: GPL-2.0

//! Histograms with a bucket for each power of two.

use netdev::counter::Counter;

/// Bytes of the frame check sequence, which the lengths of the standard statistics include.
const FCS_LEN: u32 = 4;

/// Buckets of [`Lengths`]: least and greatest length, with the frame check sequence.
pub(crate) const LENGTH_RANGES: [(u16, u16); 11] = [
    (0, 64),
    (65, 127),
    (128, 255),
    (256, 511),
    (512, 1023),
    (1024, 2047),
    (2048, 4095),
    (4096, 8191),
    (8192, 16383),
    (16384, 32767),
    (32768, u16::MAX),
];

/// Frames by length.
#[derive(Default)]
pub(crate) struct Lengths([Counter; LENGTH_RANGES.len()]);

impl Lengths {
    /// Counts a frame of so many bytes without the frame check sequence. The caller is the only writer.
    #[inline(always)]
    pub(crate) fn count(&self, len: u32) {
        let len = len.wrapping_add(FCS_LEN);
        let bucket = if len <= 64 {
            0
        } else {
            // 65 is in the first bucket behind, whose lengths have seven bits.
            (26u32.wrapping_sub(len.leading_zeros())) as usize
        };
        if let Some(c) = self.0.get(bucket.min(LENGTH_RANGES.len() - 1)) {
            c.inc();
        }
    }

    /// The counts.
    pub(crate) fn get(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(Counter::get)
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
