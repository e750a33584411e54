// SPDX-License-Identifier: GPL-2.0

//! Which of a rule's matches it acts on, and how, by number.
//!
//! Everything is decided from numbers that the caller counts with one atomic each, so it is exact
//! and can be repeated whatever CPU a packet is on:
//!
//! - the *ordinal* of a match: how many packets (or segments) matched the rule before;
//! - how many times the rule acted before;
//! - for a rate limit, how much of it is used up.
//!
//! Nothing random is kept. What looks random is a function of the rule's seed, the ordinal and what
//! it is for (a generator driven by a counter: Salmon and others, 2011; the mixing is that of
//! SplitMix64), so the same seed gives the same packets.

use super::rule::{
    Action,
    Modifiers,
    Rate, //
};

/// What a number is drawn for. Numbers drawn for different things don't depend on each other.
#[derive(Clone, Copy)]
enum Purpose {
    Probability = 1,
    Jitter,
    Corruption,
}

const NANOSECONDS: u64 = 1_000_000_000;

/// The increment of SplitMix64: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64 (Steele, Lea, Flood, 2014): each bit depends on every bit.
#[inline]
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A number drawn for a purpose.
#[inline]
const fn draw(seed: u64, purpose: Purpose, ordinal: u64) -> u64 {
    // The seed is mixed first: rules whose seeds are neighbours have nothing in common.
    let start = mix(seed.wrapping_add(GOLDEN.wrapping_mul(purpose as u64)));

    mix(start.wrapping_add(GOLDEN.wrapping_mul(ordinal)))
}

/// Makes a number of all 64 bits one below `bound`, by multiplication; 0 if that is 0.
#[inline]
const fn below(number: u64, bound: u64) -> u64 {
    ((number as u128).wrapping_mul(bound as u128) >> 64) as u64
}

impl Modifiers {
    /// Whether ordinals are needed: by the modifiers, or by what the action draws.
    #[inline]
    pub const fn needs_ordinal(&self, action: &Action) -> bool {
        self.nth.is_some()
            || self.every.is_some()
            || self.probability.is_some()
            || match action {
                Action::Corrupt { .. } => true,
                Action::Delay { jitter, .. } => *jitter != 0,
                _ => false,
            }
    }

    /// Whether the match of an ordinal, counted from 0, is selected.
    ///
    /// That is what n-th, every n-th and probability say.
    #[inline]
    pub fn selects(&self, ordinal: u64) -> bool {
        let number = ordinal.wrapping_add(1);

        if self.nth.is_some_and(|nth| number != u64::from(nth)) {
            return false;
        }
        if let Some(every) = self.every {
            if number.checked_rem(u64::from(every)) != Some(0) {
                return false;
            }
        }
        match self.probability {
            Some(limit) => draw(self.seed, Purpose::Probability, ordinal) >> 32 < limit.into(),
            None => true,
        }
    }

    /// The first that is selected of `count` matches from an ordinal on, counted from 0.
    ///
    /// For a super frame that counts as its segments, which take so many ordinals at once.
    #[inline]
    pub fn first_selected(&self, ordinal: u64, count: u32) -> Option<u32> {
        (0..count).find(|&n| self.selects(ordinal.wrapping_add(n.into())))
    }

    /// Whether the rule is armed, having acted so many times before.
    ///
    /// To be exact, the caller adds one to the number for every packet that has passed all other
    /// modifiers, and asks with what the number was.
    #[inline]
    pub fn is_armed(&self, acted: u64) -> bool {
        self.at_most.is_none_or(|most| acted < u64::from(most))
    }
}

impl Rate {
    /// Takes a packet under the limit.
    ///
    /// `used` is what this returned last, 0 at first; `now` is nanoseconds of a clock that doesn't
    /// go back and is in its first sixty years; `cost` is 1 or the packet's length. Returns the new
    /// `used`, or `None` if the packet is beyond the limit, which then uses up nothing. The caller
    /// puts the result where `used` was if that hasn't changed, and otherwise asks again.
    ///
    /// It is a token bucket that holds `burst`, full at first. What is kept isn't tokens and time,
    /// but how many tokens of all that there have ever been are gone, so one word is enough and no
    /// rounding adds up.
    #[inline]
    pub fn admit(&self, used: u64, now: u64, cost: u32) -> Option<u64> {
        let burst = u64::from(self.burst);
        let ever = self.tokens(now).saturating_add(burst);
        // Tokens that found the bucket full are gone too.
        let used = used
            .max(ever.saturating_sub(burst))
            .checked_add(cost.into())?;

        (used <= ever).then_some(used)
    }

    /// Tokens that a time brings.
    #[inline]
    fn tokens(&self, time: u64) -> u64 {
        let (seconds, rest) = (time / NANOSECONDS, time % NANOSECONDS);
        // The rest can't overflow: it is less than 10^9, and a rate at most 10^10.
        let part = self.per_second.saturating_mul(rest) / NANOSECONDS;

        self.per_second.saturating_mul(seconds).saturating_add(part)
    }
}

/// How long a packet is held: `delay`, and up to `jitter` more or less. All are nanoseconds.
#[inline]
pub fn delay_of(seed: u64, ordinal: u64, delay: u64, jitter: u64) -> u64 {
    // One more than twice the jitter: both ends are possible.
    let width = jitter.saturating_mul(2).saturating_add(1);
    let more = below(draw(seed, Purpose::Jitter, ordinal), width);

    delay.saturating_sub(jitter).saturating_add(more)
}

/// Flips bits of a packet, from byte `from` on, and returns how many.
///
/// No bit is flipped twice, so that the packet isn't what it was; only where it is too short for so
/// many are fewer flipped.
pub fn corrupt(packet: &mut [u8], seed: u64, ordinal: u64, bits: u16, from: u16) -> u32 {
    let Some(bytes) = packet.get_mut(usize::from(from)..) else {
        return 0;
    };
    let there = (bytes.len() as u64).saturating_mul(8);
    let count = u64::from(bits).min(there);
    let seed = draw(seed, Purpose::Corruption, ordinal);

    // The packet is cut in as many parts, of which each has a bit flipped.
    for n in 0..count {
        let part = |n: u64| there.saturating_mul(n).checked_div(count).unwrap_or(0);
        let (start, end) = (part(n), part(n.wrapping_add(1)));
        let offset = below(draw(seed, Purpose::Corruption, n), end.wrapping_sub(start));
        let bit = start.wrapping_add(offset);

        if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
            *byte ^= 1u8.wrapping_shl((bit % 8) as u32);
        }
    }
    count as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn selected(modifiers: &Modifiers, count: u64) -> Vec<u64> {
        (0..count).filter(|&n| modifiers.selects(n)).collect()
    }

    #[test]
    fn nth_and_every() {
        let nth = Modifiers {
            nth: Some(7),
            ..Modifiers::default()
        };
        assert_eq!(selected(&nth, 1000), [6]);
        assert_eq!(nth.first_selected(0, 6), None);
        assert_eq!(nth.first_selected(0, 7), Some(6));
        assert_eq!(nth.first_selected(6, 40), Some(0));
        assert_eq!(nth.first_selected(7, 40), None);

        let every = Modifiers {
            every: Some(3),
            ..Modifiers::default()
        };
        assert_eq!(selected(&every, 10), [2, 5, 8]);
        assert_eq!(every.first_selected(3, 5), Some(2));

        let both = Modifiers {
            nth: Some(6),
            ..every
        };
        assert_eq!(selected(&both, 100), [5]);
        assert!(Modifiers::default().selects(0));
        assert_eq!(Modifiers::default().first_selected(9, 0), None);
    }

    #[test]
    fn at_most() {
        let twice = Modifiers {
            at_most: Some(2),
            ..Modifiers::default()
        };
        assert!(twice.is_armed(0) && twice.is_armed(1) && !twice.is_armed(2));
        assert!(!twice.is_armed(u64::MAX));
        assert!(Modifiers::default().is_armed(u64::MAX));
    }

    #[test]
    fn who_needs_ordinals() {
        let none = Modifiers::default();
        assert!(!none.needs_ordinal(&Action::Drop));
        assert!(none.needs_ordinal(&Action::Corrupt { bits: 1, from: 0 }));
        let delay = |jitter| Action::Delay { delay: 9, jitter };
        assert!(!none.needs_ordinal(&delay(0)));
        assert!(none.needs_ordinal(&delay(3)));
        let limit = Modifiers {
            at_most: Some(1),
            ..none
        };
        assert!(!limit.needs_ordinal(&Action::Drop));
        let nth = Modifiers {
            nth: Some(1),
            ..none
        };
        assert!(nth.needs_ordinal(&Action::Drop));
    }

    /// The numbers are part of what users rely on: the same seed gives the same packets, in the
    /// next version too.
    #[test]
    fn draws_stay_the_same() {
        let tenth = Modifiers {
            seed: 42,
            probability: Some(u32::MAX / 10),
            ..Modifiers::default()
        };
        assert_eq!(selected(&tenth, 60), [4, 6, 24]);
        assert_eq!(delay_of(42, 0, 1_000_000, 1_000), 999_832);
        let mut packet = [0; 8];
        assert_eq!(corrupt(&mut packet, 42, 0, 3, 2), 3);
        assert_eq!(packet, [0, 0, 4, 0, 0, 32, 32, 0]);
    }

    /// So many of so many, with this probability, to six standard deviations.
    fn is_likely(found: usize, count: usize, probability: f64) -> bool {
        let (count, expected) = (count as f64, count as f64 * probability);
        (found as f64 - expected).abs() <= 6.0 * (count * probability * (1.0 - probability)).sqrt()
    }

    #[test]
    fn probabilities() {
        for seed in 0..20 {
            for p in [0.001, 0.1, 0.5, 0.9] {
                let m = Modifiers {
                    seed,
                    probability: Some((p * 4294967296.0) as u32),
                    ..Modifiers::default()
                };
                let found = selected(&m, 100_000);
                assert!(is_likely(found.len(), 100_000, p), "{p}: {}", found.len());
                // One that follows another is no likelier.
                let pairs = found.windows(2).filter(|w| w[1] == w[0] + 1).count();
                assert!(is_likely(pairs, 99_999, p * p), "{p}: {pairs} pairs");
            }
        }
    }

    #[test]
    fn seeds_have_nothing_in_common() {
        let half = |seed| Modifiers {
            seed,
            probability: Some(1 << 31),
            ..Modifiers::default()
        };
        for seed in 0..20 {
            let alike = (0..10_000)
                .filter(|&n| half(seed).selects(n) == half(seed + 1).selects(n))
                .count();
            assert!(is_likely(alike, 10_000, 0.5), "{alike}");
        }
    }

    #[test]
    fn jitter_takes_all_values() {
        let mut seen = [0; 11];
        for ordinal in 0..11_000 {
            let time = delay_of(1, ordinal, 100, 5);
            seen[time as usize - 95] += 1;
        }
        assert!(
            seen.iter().all(|&n| is_likely(n, 11_000, 1.0 / 11.0)),
            "{seen:?}"
        );
        assert_eq!(delay_of(1, 2, 100, 0), 100);
        assert!(delay_of(1, 2, u64::MAX, u64::MAX) > 0);
    }

    #[test]
    fn corruption_reaches_every_bit_behind_the_offset() {
        let mut seen = [0u8; 40];
        for ordinal in 0..10_000 {
            let mut packet = [0u8; 40];
            assert_eq!(corrupt(&mut packet, 3, ordinal, 4, 20), 4);
            assert_eq!(packet.iter().map(|b| b.count_ones()).sum::<u32>(), 4);
            for (all, byte) in seen.iter_mut().zip(packet) {
                *all |= byte;
            }
        }
        assert_eq!(seen[..20], [0; 20]);
        assert_eq!(seen[20..], [0xff; 20]);
        assert_eq!(corrupt(&mut [0; 20], 3, 1, 4, 20), 0);
        assert_eq!(corrupt(&mut [0; 20], 3, 1, 4, 21), 0);
        let mut byte = [0];
        assert_eq!(corrupt(&mut byte, 3, 1, 1024, 0), 8);
        assert_eq!(byte, [0xff]);
    }

    #[test]
    fn rate_of_packets() {
        let rate = Rate {
            per_second: 10,
            burst: 3,
            bytes: false,
        };
        let mut used = 0;
        let mut admit = |now| match rate.admit(used, now, 1) {
            Some(new) => {
                used = new;
                true
            }
            None => false,
        };
        // A full bucket, whenever it begins.
        assert!((0..3).all(|_| admit(12_345_678_900)));
        assert!(!admit(12_345_678_900));
        // A tenth of a second brings one.
        assert!(!admit(12_399_999_999));
        assert!(admit(12_400_000_000));
        assert!(!admit(12_400_000_000));
        // A clock of another CPU that is a little behind.
        assert!(!admit(12_300_000_000));
        // A long pause brings no more than the burst.
        assert!((0..3).all(|_| admit(99_000_000_000)));
        assert!(!admit(99_000_000_000));
    }

    #[test]
    fn more_than_the_burst_never_passes() {
        let rate = Rate {
            per_second: 1_000_000,
            burst: 1500,
            bytes: true,
        };
        assert_eq!(rate.admit(0, u64::MAX / 2, 1501), None);
        assert!(rate.admit(0, u64::MAX / 2, 1500).is_some());
        assert_eq!(rate.admit(u64::MAX, 0, 1), None);
    }

    proptest! {
        /// No interval sees more than the rate times its length plus the burst, nor, with packets
        /// always waiting, less than the rate minus one packet.
        #[test]
        fn rate_holds(
            per_second in 1u64..=10_000_000_000,
            burst in 1500u32..1_000_000,
            start in 0u64..1 << 58,
            steps in prop::collection::vec(1u64..10_000_000, 1..300),
            cost in 1u32..1500,
        ) {
            let rate = Rate { per_second, burst, bytes: true };
            let (mut now, mut used, mut sent) = (start, 0u64, 0u128);
            for step in steps {
                while let Some(new) = rate.admit(used, now, cost) {
                    used = new;
                    sent += u128::from(cost);
                    // A rate that outruns the clock would send for ever.
                    if sent > 100_000_000 { return Ok(()); }
                }
                let gone = u128::from(now - start);
                let tokens = u128::from(per_second) * gone / 1_000_000_000;
                prop_assert!(sent <= tokens + 1 + u128::from(burst));
                // What overflowed the bucket is at most what came in one step.
                if u128::from(per_second) * 10_000_000 / 1_000_000_000 < u128::from(burst - cost) {
                    prop_assert!(sent + u128::from(cost) + 1 >= tokens + u128::from(burst));
                }
                now += step;
            }
        }

        #[test]
        fn bounds(number in any::<u64>(), bound in 1u64..) {
            prop_assert!(below(number, bound) < bound);
            prop_assert_eq!(below(number, 0), 0);
            prop_assert_eq!(below(u64::MAX, bound), bound - 1);
        }

        #[test]
        fn corruption_changes(
            packet in prop::collection::vec(any::<u8>(), 0..100),
            seed in any::<u64>(),
            ordinal in any::<u64>(),
            bits in 1u16..,
            from in 0u16..120,
        ) {
            let mut changed = packet.clone();
            let count = corrupt(&mut changed, seed, ordinal, bits, from);
            let differ: u32 = packet.iter().zip(&changed).map(|(a, b)| (a ^ b).count_ones()).sum();
            let there = packet.len().saturating_sub(from.into()) * 8;
            prop_assert_eq!(count as usize, there.min(bits.into()));
            prop_assert_eq!(differ, count);
            let kept = packet.len().min(from.into());
            prop_assert_eq!(&packet[..kept], &changed[..kept]);
        }
    }
}
