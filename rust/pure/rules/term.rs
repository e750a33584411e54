// SPDX-License-Identifier: GPL-2.0

//! A term: one condition on one field.
//!
//! Terms are kept encoded, in words of 32 bits, because a hundred thousand rules have several each;
//! most take one or two words. The first word of a term is
//!
//! | bits   |                                                                              |
//! |--------|------------------------------------------------------------------------------|
//! | 0..5   | number of the field                                                          |
//! | 5..7   | kind of test                                                                 |
//! | 7      | negated                                                                      |
//! | 8..16  | length of a prefix                                                           |
//! | 16..32 | first operand, if the field has at most 16 bits                              |
//!
//! and the operands follow, as many words each as the field's width takes, the highest first. A
//! second operand of at most 16 bits has a word of its own.

use super::field::{
    place_of,
    Field,
    Place, //
};
use super::packet::Key;

/// Most words of one term: the first, and two operands of 128 bits.
pub(super) const TERM_WORDS_MAX: usize = 9;

/// What a field is tested for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// It has this value.
    Value(u128),
    /// Its highest `length` bits are those of `value`, whose other bits are zero.
    ///
    /// A prefix of no length holds for every packet that has the field.
    Prefix {
        /// The bits, at their place in the field.
        value: u128,
        /// How many.
        length: u8,
    },
    /// Its bits under `mask` are `value`, whose other bits are zero.
    Mask {
        /// The bits that must be set.
        value: u128,
        /// The bits that are compared.
        mask: u128,
    },
    /// It is not below `low` nor above `high`.
    Range {
        /// The lowest number.
        low: u128,
        /// The highest number.
        high: u128,
    },
}

/// A condition on a field. It never holds for a packet that doesn't have the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The field.
    pub field: Field,
    /// Whether the test must fail.
    pub negated: bool,
    /// What the field is tested for.
    pub test: Test,
}

const FIELD: u32 = 0x1f;
const KIND: u32 = 5;
const NEGATED: u32 = 1 << 7;
const PREFIX: u32 = 8;
const OPERAND: u32 = 16;

const VALUE: u32 = 0;
const PREFIXED: u32 = 1;
const MASKED: u32 = 2;
const RANGED: u32 = 3;

/// Words of an operand behind the first word of the term.
#[inline]
const fn operand_words(width: u32) -> usize {
    match width {
        0..=16 => 0,
        17..=32 => 1,
        33..=64 => 2,
        _ => 4,
    }
}

/// The mask of a prefix, for a field of `width` bits.
pub(super) fn prefix_mask(width: u32, length: u32) -> u128 {
    let all = ones(width);

    all & !ones(width.saturating_sub(length))
}

/// The number of which the lowest `count` bits are set.
pub(super) fn ones(count: u32) -> u128 {
    match count {
        0 => 0,
        1..=127 => 1u128.wrapping_shl(count).wrapping_sub(1),
        _ => u128::MAX,
    }
}

/// Words that are being filled, with the number of those that are.
struct Output<'a> {
    words: &'a mut [u32],
    filled: usize,
}

impl Output<'_> {
    fn push(&mut self, word: u32) -> Option<()> {
        *self.words.get_mut(self.filled)? = word;
        self.filled = self.filled.wrapping_add(1);
        Some(())
    }

    /// Appends the words of an operand, the highest first.
    fn push_operand(&mut self, value: u128, count: usize) -> Option<()> {
        for n in (0..count).rev() {
            self.push(value.wrapping_shr((n as u32).wrapping_mul(32)) as u32)?;
        }
        Some(())
    }
}

impl Term {
    /// Writes the term to the front of `words` and returns how many it takes. `None` if there is no
    /// room. The operands must fit the field.
    pub(super) fn encode(&self, words: &mut [u32]) -> Option<usize> {
        let width = self.field.width();
        let count = operand_words(width);
        let (kind, prefix, first, second) = match self.test {
            Test::Value(value) => (VALUE, 0, value, None),
            Test::Prefix { value, length } => (PREFIXED, u32::from(length), value, None),
            Test::Mask { value, mask } => (MASKED, 0, value, Some(mask)),
            Test::Range { low, high } => (RANGED, 0, low, Some(high)),
        };
        let mut head = u32::from(self.field.number()) | kind.wrapping_shl(KIND);
        let mut output = Output { words, filled: 0 };

        head |= prefix.wrapping_shl(PREFIX);
        if self.negated {
            head |= NEGATED;
        }
        if count == 0 {
            head |= (first as u32).wrapping_shl(OPERAND);
        }
        output.push(head)?;
        output.push_operand(first, count)?;
        if let Some(second) = second {
            output.push_operand(second, count.max(1))?;
        }
        Some(output.filled)
    }
}

/// Terms, encoded one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    words: &'a [u32],
}

impl<'a> Terms<'a> {
    /// The terms that the words hold.
    #[inline]
    pub(super) fn new(words: &'a [u32]) -> Self {
        Terms { words }
    }

    /// Whether all terms hold for a packet.
    pub fn match_key(self, key: &Key) -> bool {
        self.into_iter()
            .all(|term| key.fields().contains(term.field))
            && self.match_present(key)
    }

    /// Whether all terms hold for a packet that is known to have all their fields.
    ///
    /// Packets take this path, so it reads the encoding rather than [`Term`]s.
    pub(super) fn match_present(self, key: &Key) -> bool {
        let mut words = self.words;

        while let [head, rest @ ..] = words {
            let place = place_of(head & FIELD);
            let held = if place.width <= 32 {
                hold(*head, key, place, rest)
            } else {
                hold_wide(*head, key, place, rest)
            };

            match held {
                Some((holds, rest)) if holds != (head & NEGATED != 0) => words = rest,
                _ => return false,
            }
        }
        true
    }
}

/// Whether the test of a field of at most 32 bits holds, and the words behind the term; `None` if
/// its encoding is cut off.
#[inline]
fn hold<'a>(head: u32, key: &Key, place: Place, mut words: &'a [u32]) -> Option<(bool, &'a [u32])> {
    let value = key.word(place.word.into()).wrapping_shr(place.shift.into()) as u32 & place.ones;
    let first = if place.width <= 16 {
        head >> OPERAND
    } else {
        *take(&mut words)?
    };
    let holds = match head >> KIND & 3 {
        VALUE => value == first,
        PREFIXED => {
            let width = u32::from(place.width);
            let short = width.wrapping_sub(head >> PREFIX & 0xff);
            // Of 64 bits, for a prefix without bits leaves out up to 32.
            u64::from(value ^ first).wrapping_shr(short) == 0
        }
        MASKED => value & take(&mut words)? == first,
        _ => (first..=*take(&mut words)?).contains(&value),
    };
    Some((holds, words))
}

/// A field of at most 64 bits.
#[inline]
fn field_of(key: &Key, place: Place) -> u64 {
    let all = u64::MAX.wrapping_shr(64u32.wrapping_sub(place.width.into()));

    key.word(place.word.into()).wrapping_shr(place.shift.into()) & all
}

/// Takes the first word.
#[inline]
fn take<'a>(words: &mut &'a [u32]) -> Option<&'a u32> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    Some(first)
}

/// [`hold`] for a wider field.
#[inline(never)]
fn hold_wide<'a>(
    head: u32,
    key: &Key,
    place: Place,
    mut words: &'a [u32],
) -> Option<(bool, &'a [u32])> {
    let width = u32::from(place.width);
    let count = operand_words(width);
    let value = if width > 64 {
        let word = u32::from(place.word);
        u128::from(key.word(word)).wrapping_shl(64) | u128::from(key.word(word.wrapping_add(1)))
    } else {
        u128::from(field_of(key, place))
    };
    let first = take_operand(&mut words, count)?;
    let holds = match head >> KIND & 3 {
        VALUE => value == first,
        PREFIXED => value & prefix_mask(width, head >> PREFIX & 0xff) == first,
        MASKED => value & take_operand(&mut words, count)? == first,
        _ => (first..=take_operand(&mut words, count)?).contains(&value),
    };
    Some((holds, words))
}

/// Takes an operand of so many words.
fn take_operand(words: &mut &[u32], count: usize) -> Option<u128> {
    let mut value = 0u128;

    for _ in 0..count {
        value = value.wrapping_shl(32) | u128::from(*take(words)?);
    }
    Some(value)
}

impl<'a> IntoIterator for Terms<'a> {
    type Item = Term;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        Iter { words: self.words }
    }
}

/// Iterator over terms.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    words: &'a [u32],
}

impl Iterator for Iter<'_> {
    type Item = Term;

    fn next(&mut self) -> Option<Term> {
        let head = *take(&mut self.words)?;
        let field = Field::from_number((head & FIELD) as u8)?;
        let count = operand_words(field.width());
        let first = if count == 0 {
            u128::from(head >> OPERAND)
        } else {
            take_operand(&mut self.words, count)?
        };
        let test = match head >> KIND & 3 {
            VALUE => Test::Value(first),
            PREFIXED => Test::Prefix {
                value: first,
                length: (head >> PREFIX) as u8,
            },
            MASKED => Test::Mask {
                value: first,
                mask: take_operand(&mut self.words, count.max(1))?,
            },
            _ => Test::Range {
                low: first,
                high: take_operand(&mut self.words, count.max(1))?,
            },
        };
        Some(Term {
            field,
            negated: head & NEGATED != 0,
            test,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::field::Fields;
    use crate::rules::packet::{
        Packet,
        Start, //
    };
    use proptest::prelude::*;

    fn term() -> impl Strategy<Value = Term> {
        (
            prop::sample::select(Field::ALL.to_vec()),
            any::<(u8, u128, u128, bool)>(),
        )
            .prop_map(|(field, (kind, a, b, negated))| {
                let (a, b) = (a & field.highest(), b & field.highest());
                let length = (kind as u32 / 4 % (field.width() + 1)) as u8;
                let test = match kind % 4 {
                    0 => Test::Value(a),
                    1 => Test::Prefix {
                        value: a & prefix_mask(field.width(), length.into()),
                        length,
                    },
                    2 => Test::Mask {
                        value: a & b,
                        mask: b,
                    },
                    _ => Test::Range {
                        low: a.min(b),
                        high: a.max(b),
                    },
                };
                Term {
                    field,
                    negated,
                    test,
                }
            })
    }

    #[test]
    fn masks() {
        assert_eq!(
            (ones(0), ones(1), ones(127), ones(128)),
            (0, 1, !0 >> 1, !0)
        );
        assert_eq!(prefix_mask(32, 0), 0);
        assert_eq!(prefix_mask(32, 24), 0xffff_ff00);
        assert_eq!(prefix_mask(128, 128), !0);
        assert_eq!(prefix_mask(16, 255), 0xffff);
    }

    #[test]
    fn sizes() {
        let size = |field, test| {
            let term = Term {
                field,
                negated: false,
                test,
            };
            term.encode(&mut [0; TERM_WORDS_MAX]).unwrap()
        };
        let prefix = Test::Prefix {
            value: 0,
            length: 0,
        };
        let range = Test::Range { low: 0, high: 1 };
        assert_eq!(size(Field::SourcePort, Test::Value(80)), 1);
        assert_eq!(size(Field::SourcePort, range), 2);
        assert_eq!(size(Field::SourceIpv4, prefix), 2);
        assert_eq!(size(Field::SourceIpv4, range), 3);
        assert_eq!(size(Field::SourceMac, Test::Value(80)), 3);
        assert_eq!(size(Field::SourceIpv6, prefix), 5);
        assert_eq!(size(Field::SourceIpv6, range), TERM_WORDS_MAX);
    }

    proptest! {
        #[test]
        fn encoding(terms in prop::collection::vec(term(), 0..6)) {
            let mut words = vec![];
            for term in &terms {
                let mut room = [0; TERM_WORDS_MAX];
                let count = term.encode(&mut room).unwrap();
                prop_assert_eq!(term.encode(&mut room[..count - 1]), None);
                term.encode(&mut room).unwrap();
                words.extend(&room[..count]);
            }
            let decoded: Vec<_> = Terms::new(&words).into_iter().collect();
            prop_assert_eq!(decoded, terms);
        }

        /// What the encoding says of a packet is what the term says of its field.
        #[test]
        fn encoded_terms_hold(
            terms in prop::collection::vec(term(), 1..3),
            bytes in any::<[u8; 60]>(),
            numbers in any::<[u32; 4]>(),
        ) {
            let mut bytes = bytes;
            bytes[0] = 0x60;
            bytes[4..7].copy_from_slice(&[0, 20, 6]);
            bytes[52] |= 0x50;
            let packet = Packet {
                data: &bytes,
                start: Start::Network { ethertype: 0x86dd, addresses: bytes.first_chunk() },
                length: 60,
                tag: Some(numbers[0] as u16),
                in_device: numbers[1],
                out_device: numbers[2],
                mark: numbers[3],
                packet_type: 3,
                conntrack: Some(7),
            };
            let key = Key::read(&packet, Fields::ALL);
            let mut words = vec![];
            let mut expected = true;
            for term in &terms {
                // Half of all tests are made for what is there.
                let mut term = *term;
                if let (Some(value), true) = (key.get(term.field), numbers[0] % 2 == 0) {
                    let mask = term.test.as_mask(term.field.width()).map(|(_, mask)| mask);
                    term.test = match (term.test, mask) {
                        (Test::Value(_), _) => Test::Value(value),
                        (Test::Prefix { length, .. }, Some(mask)) => {
                            Test::Prefix { value: value & mask, length }
                        }
                        (Test::Mask { .. }, Some(mask)) => Test::Mask { value: value & mask, mask },
                        (Test::Range { high, .. }, _) => {
                            Test::Range { low: value.min(high), high: value.max(high) }
                        }
                        (test, _) => test,
                    };
                }
                let mut room = [0; TERM_WORDS_MAX];
                let count = term.encode(&mut room).unwrap();
                words.extend(&room[..count]);
                expected &= key.get(term.field).is_some_and(|value| term.holds(value));
            }
            prop_assert_eq!(Terms::new(&words).match_key(&key), expected);
        }

        /// Words that nobody encoded are read without harm.
        #[test]
        fn noise(words in prop::collection::vec(any::<u32>(), 0..12), key in any::<[u8; 40]>()) {
            let packet = Packet {
                data: &key,
                start: Start::Ethernet,
                length: 40,
                tag: None,
                in_device: 1,
                out_device: 0,
                mark: 0,
                packet_type: 0,
                conntrack: None,
            };
            let key = Key::read(&packet, Fields::ALL);
            let _ = Terms::new(&words).match_key(&key);
            let _ = Terms::new(&words).match_present(&key);
            let _ = Terms::new(&words).into_iter().count();
        }
    }
}
