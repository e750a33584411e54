// SPDX-License-Identifier: GPL-2.0

//! Histograms of times, and what can be said of them.
//!
//! Two buckets for each power of two: so a bucket is at most half as wide as its lower bound is high, and a
//! quantile is off by no more. The first bucket is for all that is shorter than [`FIRST`], the last one for what lasted
//! [`LAST`] and longer.

/// Lower bound of the second bucket, nanoseconds, as a power of two.
const FIRST_BITS: u32 = 6;
/// Lower bound of the last bucket, nanoseconds, as a power of two.
const LAST_BITS: u32 = 34;

/// What is shorter than this is in the first bucket, nanoseconds.
pub const FIRST: u64 = 1 << FIRST_BITS;
/// What lasts so long, nanoseconds, or longer, is in the last bucket: 17 seconds.
pub const LAST: u64 = 1 << LAST_BITS;
/// Number of buckets.
pub const BUCKETS: usize = (LAST_BITS - FIRST_BITS) as usize * 2 + 2;

/// The bucket of a time in nanoseconds.
#[inline]
pub const fn bucket(ns: u64) -> usize {
    if ns < FIRST {
        return 0;
    }
    if ns >= LAST {
        return BUCKETS - 1;
    }
    let bits = ns.ilog2();
    let upper_half = (ns >> bits.wrapping_sub(1)) & 1;
    let whole = bits.wrapping_sub(FIRST_BITS).wrapping_mul(2);
    whole.wrapping_add(1).wrapping_add(upper_half as u32) as usize
}

/// The shortest time that is in a bucket, nanoseconds.
#[inline]
pub const fn lower_bound(bucket: usize) -> u64 {
    if bucket == 0 {
        return 0;
    }
    let at = (bucket as u32).wrapping_sub(1);
    let low = FIRST.wrapping_shl(at / 2);
    match at & 1 {
        0 => low,
        _ => low.wrapping_add(low / 2),
    }
}

/// How often something lasted how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    buckets: [u64; BUCKETS],
    /// Of all times, nanoseconds.
    sum: u64,
    /// The longest, nanoseconds.
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty one.
    pub const fn new() -> Self {
        Histogram {
            buckets: [0; BUCKETS],
            sum: 0,
            max: 0,
        }
    }

    /// Counts a time in nanoseconds.
    #[inline]
    pub fn count(&mut self, ns: u64) {
        if let Some(n) = self.buckets.get_mut(bucket(ns)) {
            *n = n.wrapping_add(1);
        }
        self.sum = self.sum.saturating_add(ns);
        self.max = self.max.max(ns);
    }

    /// Adds what another one has counted.
    pub fn add(&mut self, other: &Histogram) {
        for (to, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *to = to.wrapping_add(*from);
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// How many times were counted.
    pub fn packets(&self) -> u64 {
        self.buckets.iter().fold(0u64, |n, b| n.wrapping_add(*b))
    }

    /// Their sum, nanoseconds.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// The longest of them, nanoseconds.
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// The buckets that are not empty: lower bound in nanoseconds, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + Clone + '_ {
        let all = (0..BUCKETS).zip(&self.buckets);
        all.filter(|(_, n)| **n != 0)
            .map(|(at, n)| (lower_bound(at), *n))
    }
}

/// The time in nanoseconds that so many in a thousand do not exceed, by buckets as [`Histogram::iter`] gives them;
/// `None` if they are empty.
///
/// Within a bucket times are taken to be spread evenly. No answer is greater than `max`, the longest time.
pub fn quantile(
    buckets: impl Iterator<Item = (u64, u64)> + Clone,
    per_mille: u32,
    max: u64,
) -> Option<u64> {
    let all = buckets.clone().fold(0u64, |n, (_, k)| n.wrapping_add(k));
    if all == 0 {
        return None;
    }
    // The first that has as many at or below it.
    let rank = u128::from(all)
        .wrapping_mul(per_mille.min(1000).into())
        .div_ceil(1000)
        .max(1) as u64;
    let mut below = 0u64;
    for (low, n) in buckets {
        let with = below.wrapping_add(n);
        if with < rank {
            below = with;
            continue;
        }
        let at = bucket(low);
        let high = match at.wrapping_add(1) {
            BUCKETS => max,
            next => lower_bound(next),
        };
        let width = u128::from(high.saturating_sub(low));
        let part = u128::from(rank.wrapping_sub(below));
        let within = width.wrapping_mul(part).checked_div(n.into()).unwrap_or(0) as u64;
        return Some(low.saturating_add(within).min(max));
    }
    Some(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(63), 0);
        assert_eq!(bucket(64), 1);
        assert_eq!(bucket(95), 1);
        assert_eq!(bucket(96), 2);
        assert_eq!(bucket(127), 2);
        assert_eq!(bucket(128), 3);
        assert_eq!(bucket(LAST - 1), BUCKETS - 2);
        assert_eq!(bucket(LAST), BUCKETS - 1);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(lower_bound(BUCKETS - 1), LAST);
        for at in 0..BUCKETS {
            assert_eq!(bucket(lower_bound(at)), at);
        }
    }

    #[test]
    fn empty() {
        let h = Histogram::new();
        assert_eq!(h.packets(), 0);
        assert_eq!(h.iter().count(), 0);
        assert_eq!(quantile(h.iter(), 500, 0), None);
    }

    #[test]
    fn one_time() {
        let mut h = Histogram::new();
        h.count(1000);
        for per_mille in [0, 1, 500, 1000] {
            assert_eq!(quantile(h.iter(), per_mille, h.max()), Some(1000));
        }
    }

    #[test]
    fn longer_than_all_buckets() {
        let mut h = Histogram::new();
        h.count(u64::MAX);
        h.count(u64::MAX);
        assert_eq!(h.sum(), u64::MAX);
        assert_eq!(quantile(h.iter(), 1000, h.max()), Some(u64::MAX));
    }

    proptest! {
        #[test]
        fn a_time_is_within_its_bucket(ns in any::<u64>()) {
            let at = bucket(ns);
            prop_assert!(lower_bound(at) <= ns);
            if at + 1 < BUCKETS {
                prop_assert!(ns < lower_bound(at + 1));
                if at > 0 {
                    prop_assert!(lower_bound(at + 1) - lower_bound(at) <= lower_bound(at) / 2);
                }
            }
        }

        #[test]
        fn longer_is_no_lower(a in any::<u64>(), b in any::<u64>()) {
            let (a, b) = (a.min(b), a.max(b));
            prop_assert!(bucket(a) <= bucket(b));
        }

        #[test]
        fn sums(times in prop::collection::vec(0u64..1 << 40, 0..200), cut in 0usize..200) {
            let (mut whole, mut left, mut right) =
                (Histogram::new(), Histogram::new(), Histogram::new());
            for (i, &t) in times.iter().enumerate() {
                whole.count(t);
                if i < cut { left.count(t) } else { right.count(t) }
            }
            prop_assert_eq!(whole.packets(), times.len() as u64);
            prop_assert_eq!(whole.sum(), times.iter().sum::<u64>());
            prop_assert_eq!(whole.max(), times.iter().copied().max().unwrap_or(0));
            left.add(&right);
            prop_assert_eq!(left, whole);
        }

        #[test]
        fn quantiles_are_near(mut times in prop::collection::vec(64u64..1 << 33, 1..200), per_mille in 0u32..=1000) {
            let mut h = Histogram::new();
            for &t in &times {
                h.count(t);
            }
            times.sort_unstable();
            let rank = (times.len() * per_mille as usize).div_ceil(1000).max(1);
            let exact = times[rank - 1];
            let told = quantile(h.iter(), per_mille, h.max()).unwrap();
            prop_assert!(told <= h.max());
            // Both are in the same bucket, or at its end.
            prop_assert!(told >= exact - exact / 2 && told <= exact + exact / 2 + 1, "{told} {exact}");
        }
    }
}
