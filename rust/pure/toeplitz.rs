// SPDX-License-Identifier: GPL-2.0

//! The Toeplitz hash of receive-side scaling.
//!
//! The hash of an input is the exclusive or, over its bits that are set, of the 32 bits of the key
//! that begin at the bit's position. NICs compute it over addresses and ports as they are on the
//! wire (see [`flow`](crate::flow)), so user space can predict it. [`fill`] prepares, for each
//! nibble of the input and each of its 16 values, what it contributes; [`hash`] then takes two
//! look-ups for a byte.

use crate::flow::{
    Input,
    INPUT_MAX, //
};

/// Shortest usable key: it reaches as far as the ports of IPv6.
pub const KEY_MIN: usize = 40;
/// Longest useful key: it reaches beyond the longest input, [`INPUT_MAX`] bytes.
pub const KEY_MAX: usize = 52;

/// What each nibble of the input contributes to the hash: `table[byte][0]` for the high nibble,
/// `table[byte][1]` for the low one. 5 KiB; all zeroes is a valid value and hashes everything to 0.
pub type Table = [[[u32; 16]; 2]; INPUT_MAX];

/// Fills the table from a key.
///
/// Bits behind the end of the key count as zeroes: a key of n bytes spreads inputs of n - 4 bytes
/// well. Hence 52 bytes for a device that can hash the IPv6 flow label besides addresses and ports.
pub fn fill(table: &mut Table, key: &[u8]) {
    for (byte, nibbles) in table.iter_mut().enumerate() {
        for (nibble, entries) in nibbles.iter_mut().enumerate() {
            let position = byte.wrapping_mul(8).wrapping_add(nibble.wrapping_mul(4));
            let windows = [(8, 0), (4, 1), (2, 2), (1, 3)]
                .map(|(bit, offset)| (bit, window(key, position.wrapping_add(offset))));

            for (value, entry) in entries.iter_mut().enumerate() {
                *entry = 0;
                for (bit, window) in windows {
                    if value & bit != 0 {
                        *entry ^= window;
                    }
                }
            }
        }
    }
}

/// The 32 bits of the key from bit `position` on, the most significant bit of a byte being first.
fn window(key: &[u8], position: usize) -> u32 {
    let mut bytes = [0; 8];

    for (to, from) in bytes.iter_mut().zip(key.iter().skip(position >> 3)) {
        *to = *from;
    }
    let shifted = u64::from_be_bytes(bytes).wrapping_shl(position as u32 & 7);
    (shifted >> 32) as u32
}

/// The hash of some bytes, of which the first [`INPUT_MAX`] count.
pub fn hash(table: &Table, input: &[u8]) -> u32 {
    // The lengths that packets have get a loop of constant length each.
    if let Ok(input) = <&[u8; 12]>::try_from(input) {
        hash_bytes(table, input)
    } else if let Ok(input) = <&[u8; 36]>::try_from(input) {
        hash_bytes(table, input)
    } else {
        hash_bytes(table, input)
    }
}

/// [`hash`], to be compiled for different lengths.
#[inline]
fn hash_bytes(table: &Table, input: &[u8]) -> u32 {
    let mut hash = 0;

    for (byte, [high, low]) in input.iter().zip(table) {
        let high = high.get(usize::from(byte >> 4));
        let low = low.get(usize::from(byte & 15));
        hash ^= high.unwrap_or(&0) ^ low.unwrap_or(&0);
    }
    hash
}

/// Remembers the last input and its hash.
///
/// Frames of one flow come in a row; comparing their inputs is much cheaper than hashing them. The
/// owner of a memo is whoever may write it, say the holder of a ring's lock.
#[derive(Clone, Copy, Debug)]
pub struct Memo {
    generation: u32,
    hash: u32,
    input: Input,
}

impl Default for Memo {
    fn default() -> Self {
        Self::new()
    }
}

impl Memo {
    /// A memo that remembers nothing.
    pub const fn new() -> Self {
        Self {
            generation: 0,
            hash: 0,
            // No packet's input is empty.
            input: Input::EMPTY,
        }
    }

    /// The hash of these bytes, if it is remembered.
    #[inline(always)]
    pub fn recall(&self, generation: u32, tuple: &[u8; 12]) -> Option<u32> {
        (self.generation == generation && self.input.is(tuple)).then_some(self.hash)
    }

    /// The hash of an input.
    ///
    /// `generation` names the key the table was filled from; a hash remembered under another
    /// generation isn't used.
    #[inline]
    pub fn hash(&mut self, table: &Table, generation: u32, input: &Input) -> u32 {
        if self.generation != generation || !self.input.same_bytes(input) {
            self.hash = hash(table, input.bytes());
            self.generation = generation;
            self.input = *input;
        }
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{
        Ipv4Addr,
        Ipv6Addr, //
    };

    /// The key of Microsoft's "Verifying the RSS Hash Calculation".
    pub(crate) const MICROSOFT: [u8; 40] = [
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f,
        0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
        0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    ];

    fn table(key: &[u8]) -> Box<Table> {
        let mut table = Box::new([[[0xdead; 16]; 2]; INPUT_MAX]);
        fill(&mut table, key);
        table
    }

    /// The definition: bit by bit, the key shifted left under the input.
    fn naive(key: &[u8], input: &[u8]) -> u32 {
        let bit =
            |bytes: &[u8], n: usize| bytes.get(n / 8).is_some_and(|b| b & (128 >> (n % 8)) > 0);
        let mut hash = 0;
        for n in (0..input.len() * 8).filter(|&n| bit(input, n)) {
            hash ^= (0..32).fold(0, |w, k| w << 1 | u32::from(bit(key, n + k)));
        }
        hash
    }

    #[test]
    fn published_vectors_ipv4() {
        let table = table(&MICROSOFT);
        for (destination, dport, source, sport, two, four) in [
            (
                "161.142.100.80",
                1766u16,
                "66.9.149.187",
                2794u16,
                0x323e8fc2,
                0x51ccc178,
            ),
            (
                "65.69.140.83",
                4739,
                "199.92.111.2",
                14230,
                0xd718262a,
                0xc626b0ea,
            ),
            (
                "12.22.207.184",
                38024,
                "24.19.198.95",
                12898,
                0xd2d0a5de,
                0x5c2b394a,
            ),
            (
                "209.142.163.6",
                2217,
                "38.27.205.30",
                48228,
                0x82989176,
                0xafc7327f,
            ),
            (
                "202.188.127.2",
                1303,
                "153.39.163.191",
                44251,
                0x5d1809c5,
                0x10e828a2,
            ),
        ] {
            let address = |a: &str| a.parse::<Ipv4Addr>().unwrap().octets();
            let mut input = [address(source), address(destination)].concat();
            assert_eq!(hash(&table, &input), two);
            input.extend([sport.to_be_bytes(), dport.to_be_bytes()].concat());
            assert_eq!(hash(&table, &input), four);
        }
    }

    #[test]
    fn published_vectors_ipv6() {
        let table = table(&MICROSOFT);
        for (destination, dport, source, sport, two, four) in [
            (
                "3ffe:2501:200:3::1",
                1766u16,
                "3ffe:2501:200:1fff::7",
                2794u16,
                0x2cc18cd5,
                0x40207d3d,
            ),
            (
                "ff02::1",
                4739,
                "3ffe:501:8::260:97ff:fe40:efab",
                14230,
                0x0f0c461c,
                0xdde51bbf,
            ),
            (
                "fe80::200:f8ff:fe21:67cf",
                38024,
                "3ffe:1900:4545:3:200:f8ff:fe21:67cf",
                44251,
                0x4b61e985,
                0x02d1feef,
            ),
        ] {
            let address = |a: &str| a.parse::<Ipv6Addr>().unwrap().octets();
            let mut input = [address(source), address(destination)].concat();
            assert_eq!(hash(&table, &input), two);
            input.extend([sport.to_be_bytes(), dport.to_be_bytes()].concat());
            assert_eq!(hash(&table, &input), four);
        }
    }

    #[test]
    fn memo_follows_key_and_input() {
        let (a, b) = (table(&MICROSOFT), table(&[0x5a; 40]));
        let (x, y) = (Input::from_bytes(&[1; 12]), Input::from_bytes(&[1; 36]));
        let mut memo = Memo::new();
        for _ in 0..2 {
            assert_eq!(memo.hash(&a, 1, &x), hash(&a, &[1; 12]));
            assert_eq!(memo.hash(&a, 1, &y), hash(&a, &[1; 36]));
            assert_eq!(memo.hash(&b, 2, &y), hash(&b, &[1; 36]));
        }
        assert_eq!(Memo::new().hash(&a, 0, &x), hash(&a, &[1; 12]));
    }

    #[test]
    fn memo_recalls_only_what_it_hashed() {
        let a = table(&MICROSOFT);
        let mut memo = Memo::new();
        assert_eq!(memo.recall(0, &[0; 12]), None);
        memo.hash(&a, 1, &Input::from_bytes(&[1; 12]));
        assert_eq!(memo.recall(1, &[1; 12]), Some(hash(&a, &[1; 12])));
        assert_eq!(memo.recall(2, &[1; 12]), None);
        for i in 0..12 {
            let mut other = [1; 12];
            other[i] = 2;
            assert_eq!(memo.recall(1, &other), None);
        }
        // A longer input that begins with them is another one.
        memo.hash(&a, 1, &Input::from_bytes(&[1; 36]));
        assert_eq!(memo.recall(1, &[1; 12]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn equals_definition(
            key in prop::collection::vec(any::<u8>(), 0..KEY_MAX + 4),
            input in prop::collection::vec(any::<u8>(), 0..=INPUT_MAX),
        ) {
            prop_assert_eq!(hash(&table(&key), &input), naive(&key, &input));
        }
    }
}
