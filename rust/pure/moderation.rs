// SPDX-License-Identifier: GPL-2.0

//! Interrupt moderation, by throttling.
//!
//! As interrupt throttling of a NIC: a vector that has been idle is raised at once, and only a
//! raise that comes sooner than a set time after the last one is held back until then. So a round
//! trip waits for nothing, and bulk traffic is taken in batches. A batch that has grown to a set
//! number of frames isn't held back any longer.

/// When to raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// At once.
    Now,
    /// At this time, in nanoseconds.
    At(u64),
}

/// The settings of a vector (`ethtool -C`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttle {
    /// Shortest time between two raises, in microseconds; with 0 every raise is at once.
    pub usecs: u32,
    /// This many frames are raised at once; 0 stands for no such number.
    pub frames: u32,
}

impl Throttle {
    /// Decides on a raise.
    ///
    /// `now` and `last`, the time of the last raise, are nanoseconds of one clock; `frames` is how
    /// many wait. A vector that was never raised has a `last` of 0. `last` may come from another
    /// CPU and so be a little after `now`.
    #[inline]
    pub fn decide(&self, now: u64, last: u64, frames: u32) -> Decision {
        let interval = u64::from(self.usecs).wrapping_mul(1000);
        let enough = self.frames != 0 && frames >= self.frames;

        if enough || last == 0 || now.saturating_sub(last) >= interval {
            return Decision::Now;
        }
        // Never later than an interval from now, whatever `last` is.
        Decision::At(last.min(now).saturating_add(interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T: Throttle = Throttle {
        usecs: 50,
        frames: 32,
    };

    #[test]
    fn idle_is_raised_at_once() {
        assert_eq!(T.decide(1, 0, 1), Decision::Now);
        assert_eq!(T.decide(1_050_000, 1_000_000, 1), Decision::Now);
        assert_eq!(T.decide(9_000_000, 1_000_000, 1), Decision::Now);
    }

    #[test]
    fn close_raises_are_held_back() {
        assert_eq!(T.decide(1_000_001, 1_000_000, 1), Decision::At(1_050_000));
        assert_eq!(T.decide(1_049_999, 1_000_000, 31), Decision::At(1_050_000));
        assert_eq!(T.decide(1_000_001, 1_000_000, 32), Decision::Now);
    }

    #[test]
    fn zeroes() {
        let always = Throttle {
            usecs: 0,
            frames: 9,
        };
        assert_eq!(always.decide(7, 7, 1), Decision::Now);
        let no_frames = Throttle {
            usecs: 50,
            frames: 0,
        };
        assert_eq!(no_frames.decide(8, 7, u32::MAX), Decision::At(50_007));
    }

    #[test]
    fn clocks_of_two_cpus() {
        assert_eq!(T.decide(1_000_000, 1_000_300, 1), Decision::At(1_050_000));
    }

    proptest! {
        #[test]
        fn never_longer_than_the_interval(
            usecs in any::<u32>(),
            limit in any::<u32>(),
            now in any::<u64>(),
            last in any::<u64>(),
            frames in any::<u32>(),
        ) {
            let throttle = Throttle { usecs, frames: limit };
            if let Decision::At(time) = throttle.decide(now, last, frames) {
                prop_assert!(time >= now);
                prop_assert!(time - now <= u64::from(usecs) * 1000);
                prop_assert!(usecs > 0 && (limit == 0 || frames < limit));
            }
        }
    }
}
