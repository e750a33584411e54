// SPDX-License-Identifier: GPL-2.0

//! What a rule demands of the bits of a key.
//!
//! A [`Cell`] is a mask and a value: a packet that matches the rule has the value under the mask.
//! Rules whose masks are the same have the same shape, and one hash table finds them all. A cell
//! may promise less than its rule says; then whoever finds the rule by it tries the rule itself. The
//! closer it is, the fewer are found in vain.
//!
//! - A value, prefix or mask is in the cell as it is.
//! - A range is in it as the prefix that all its numbers have in common. A range across a round
//!   number has none worth the name, so the range that gains most is cut in two there, and the rule
//!   has two cells. So that ranges of all sizes don't make a shape each, the length of the prefix
//!   is rounded.
//! - Of a negated term only the field's being there is in it.

use super::field::Field;
use super::rule::RULE_WORDS_MAX;
use super::term::{
    ones,
    Term,
    Terms,
    Test, //
};

/// Most cells of one rule.
pub(super) const CELLS_MAX: u32 = 2;

/// More terms than any rule has.
const TERMS_MAX: usize = RULE_WORDS_MAX;

/// The bits of a range that may differ are rounded up to a multiple of this.
const ROUND: u32 = 4;

/// A mask on the words of a key, and a value under it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) mask: [u64; 16],
    pub(super) value: [u64; 16],
    /// Whether every packet that has the value matches the rule.
    pub(super) exact: bool,
}

/// Numbers from `low` to `high`, in a field of `width` bits.
#[derive(Clone, Copy)]
struct Span {
    low: u128,
    high: u128,
    width: u32,
}

impl Span {
    /// The range of a term, if it has one that isn't negated.
    fn of(term: &Term) -> Option<Span> {
        match term.test {
            Test::Range { low, high } if !term.negated => Some(Span {
                low,
                high,
                width: term.field.width(),
            }),
            _ => None,
        }
    }

    /// How many of the lowest bits differ within the range.
    fn different(&self) -> u32 {
        128u32.wrapping_sub((self.low ^ self.high).leading_zeros())
    }

    /// How many of the lowest bits the cell leaves open.
    fn open(&self) -> u32 {
        self.different()
            .checked_next_multiple_of(ROUND)
            .unwrap_or(self.width)
            .min(self.width)
    }

    /// The parts below and above the roundest number within the range.
    fn halves(&self) -> Option<[Span; 2]> {
        let middle = self.high & !ones(self.different().checked_sub(1)?);

        Some([
            Span {
                high: middle.wrapping_sub(1),
                ..*self
            },
            Span {
                low: middle,
                ..*self
            },
        ])
    }

    /// How many bits fewer are left open if the range is cut in two.
    fn gain(&self) -> u32 {
        match self.halves() {
            Some([a, b]) => self.open().saturating_sub(a.open().max(b.open())),
            None => 0,
        }
    }
}

/// The range whose cut gains most, by the number of its term.
fn cut(terms: Terms<'_>) -> Option<usize> {
    let mut best = (0, None);

    for (term, n) in terms.into_iter().zip(0..TERMS_MAX) {
        let gain = Span::of(&term).map_or(0, |span| span.gain());
        if gain > best.0 {
            best = (gain, Some(n));
        }
    }
    best.1
}

impl Cell {
    /// A rule's cell of a number below [`CELLS_MAX`], if it has one.
    pub(super) fn of(terms: Terms<'_>, number: u32) -> Option<Cell> {
        let cut = cut(terms);
        let mut cell = Cell {
            mask: [0; 16],
            value: [0; 16],
            exact: true,
        };

        if number != 0 && cut.is_none() {
            return None;
        }
        for (term, n) in terms.into_iter().zip(0..TERMS_MAX) {
            let field = term.field;
            let width = field.width();

            if let Some(word) = cell.mask.first_mut() {
                *word |= field.presence();
            }
            if let Some(word) = cell.value.first_mut() {
                *word |= field.presence();
            }
            if term.negated {
                cell.exact = false;
                continue;
            }
            let (value, mask) = match (Span::of(&term), term.test.as_mask(width)) {
                (Some(span), _) => {
                    let halves = span.halves().filter(|_| cut == Some(n));
                    let part = match (halves, number) {
                        (None, _) => span,
                        (Some([below, _]), 0) => below,
                        (Some([_, above]), _) => above,
                    };
                    let mask = ones(width) & !ones(part.open());
                    cell.exact = false;
                    (part.low & mask, mask)
                }
                (None, Some(bits)) => bits,
                (None, None) => continue,
            };
            cell.demand(field, value, mask)?;
        }
        Some(cell)
    }

    /// Adds a demand on a field. `None` if another one contradicts it.
    fn demand(&mut self, field: Field, value: u128, mask: u128) -> Option<()> {
        let place = field.place();
        let word = usize::from(place.word);

        if field.width() > 64 {
            let high = |number: u128| number.wrapping_shr(64) as u64;
            self.demand_word(word, high(value), high(mask))?;
            return self.demand_word(word.wrapping_add(1), value as u64, mask as u64);
        }
        let shift = u32::from(place.shift);
        self.demand_word(
            word,
            (value as u64).wrapping_shl(shift),
            (mask as u64).wrapping_shl(shift),
        )
    }

    /// Adds a demand on a word.
    fn demand_word(&mut self, word: usize, value: u64, mask: u64) -> Option<()> {
        let (wanted, under) = (self.value.get_mut(word)?, self.mask.get_mut(word)?);

        if (value ^ *wanted) & mask & *under != 0 {
            return None;
        }
        *wanted |= value;
        *under |= mask;
        Some(())
    }
}
