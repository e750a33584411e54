// SPDX-License-Identifier: GPL-2.0

//! The classifier: which rule a packet matches next.
//!
//! Rules are sorted by their shape, that is by which bits of which fields they look at. Each shape
//! has a hash table of the values it wants there, so a look-up costs one probe for each shape,
//! however many rules there are. (Tuple space search: Srinivasan, Suri, Varghese, 1999.) What the
//! tables find are candidates, found by hash, which are then tried on the packet. Where a mask and
//! a value say all that a rule wants, and are in the first words of a key, these are compared;
//! otherwise the rule itself is tried, so that negations and ranges need no care. Rules that differ
//! only in what a shape can't express share a slot and are tried in order.
//!
//! A walk over the rules in order, to the end, is what the result means:
//!
//! ```text
//! let mut from = 0;
//! while let Some(position) = classifier.next(&key, from) {
//!     // Act; a rule that ends the walk breaks.
//!     from = position + 1;
//! }
//! ```
//!
//! The shapes stand in order of their first rule. A look-up ends at the first shape that has no
//! rule before the one already found.
//!
//! # Memory
//!
//! All is the caller's: [`Plan::new`] counts shapes in some scratch memory and says how many words
//! the classifier takes, [`Plan::build`] fills them. They hold, one behind the other,
//!
//! - a record of `RECORD` words for each shape;
//! - the shapes' hash tables, at least twice as many slots as cells. A slot is 0 or has, in its
//!   higher half, that of the hash and in its lower half what was found: a position plus one; with
//!   `EXACT` set, where values begin; with `LIST` set, where a list begins;
//! - values, a position and three words each, and lists: their length, then positions in order, two
//!   in a word.
//!
//! A rule has one cell, or two where a range is cut. Each takes 16 to 32 bytes in the table; if its
//! rule is found by values, 32 more, otherwise at most 8.

use super::field::Fields;
use super::hull::{
    Common,
    Hull, //
};
use super::packet::Key;
use super::rule::{
    Rules,
    RULES_MAX, //
};
use super::shape::{
    Cell,
    CELLS_MAX, //
};

/// Most shapes. A look-up costs about as many times what one hash table costs.
pub const SHAPES_MAX: usize = 1024;

/// Words of scratch memory that building takes.
pub const SCRATCH_WORDS: usize = SHAPES_MAX * RECORD + INDEX;

/// Slots of the hash table of shapes that is used while building.
const INDEX: usize = SHAPES_MAX * 2;

/// Words of a shape's record.
const RECORD: usize = 16;
/// Least and greatest position of its rules.
const POSITIONS: usize = 0;
/// First slot of its table and number of slots less one. While planning: how many cells are exact,
/// and how many there are.
const TABLE: usize = 1;
/// Masks of the first three words of a key, where IPv4 and the transport header are. Those of most
/// rules are, and these masks are cheapest. The higher half of the first says which fields must be
/// there.
const FIRST: usize = 2;
const SECOND: usize = 3;
const THIRD: usize = 4;
/// Numbers of the other words that are looked at, four bits each, and from bit 48 on how many.
const OTHERS: usize = 5;
/// The masks of those words. Where there are none and the shape has one cell, which is exact: 1, and the
/// values of the first words, so that nothing need be hashed to see whether a packet has these.
const MASKS: usize = 6;

/// In the lower half of a slot: a list begins at the word that the other bits say.
const LIST: u32 = 1 << 31;
/// In the lower half of a slot: values begin at the word that the other bits say.
const EXACT: u32 = 1 << 30;
/// What was found if it is the only rule of its shape, and sure to match.
const ONLY: u32 = LIST | EXACT;
/// What a table's number of slots less one is if it has one cell.
const SINGLE: u32 = 1;
/// Words of a position and values.
const VALUES: usize = 4;

/// No position: there are fewer rules than that.
const NOWHERE: u32 = u32::MAX;

/// Why a classifier can't be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// There are more rules than [`RULES_MAX`].
    TooManyRules,
    /// There are more shapes than [`SHAPES_MAX`]; the rule at this position makes the first that is
    /// too many.
    TooManyShapes(u32),
    /// At this position there is no rule.
    NoRule(u32),
    /// The memory given is too small.
    NoMemory,
}

type Record = [u64; RECORD];

/// Puts two numbers in a word.
#[inline]
const fn pair(high: u32, low: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

/// The higher number of a word.
#[inline]
const fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

/// The lower number of a word.
#[inline]
const fn low(word: u64) -> u32 {
    word as u32
}

/// A word of an array; the compiler sees that a constant is within.
#[inline]
fn at(record: &Record, n: usize) -> u64 {
    match record.get(n & (RECORD - 1)) {
        Some(word) => *word,
        None => 0,
    }
}

/// The product of two words, folded.
///
/// Who doesn't know the seed, which is in both, can't tell which words collide, so rules can't be
/// chosen to fill one part of a table.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a).wrapping_mul(u128::from(b));

    (product as u64) ^ (product >> 64) as u64
}

/// Mixes a word into a hash.
#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    fold(hash ^ word, 0x9e37_79b9_7f4a_7c15)
}

/// What hashes depend on besides the words, so that nobody can foresee them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seeds(u64, u64);

impl Seeds {
    /// Two numbers of which every bit depends on every bit of a seed.
    fn new(seed: u64) -> Seeds {
        let a = mix(mix(mix(0, seed), 1), 2);
        Seeds(a, mix(mix(a, 3), 4))
    }
}

/// The hash of what a shape looks at in the first words, of a packet that has its fields.
#[inline]
fn hash_first(record: &Record, words: &[u64; 16], seeds: Seeds) -> u64 {
    // What these two have in the same bits is never in one rule, or hardly.
    let ports = (at(words, 0) & at(record, FIRST)) ^ (at(words, 1) & at(record, SECOND));
    let addresses = at(words, 2) & at(record, THIRD);

    // Values at equal distances make products at equal distances: the higher half of another
    // product, which becomes the lower one, has no such order.
    fold(addresses ^ seeds.0, ports ^ seeds.1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(32)
}

/// The hash of all that a shape looks at.
fn hash(record: &Record, words: &[u64; 16], seeds: Seeds) -> u64 {
    let mut hash = hash_first(record, words, seeds);
    let mut numbers = at(record, OTHERS);
    let count = (numbers >> 48) as usize;

    for mask in record.iter().skip(MASKS).take(count) {
        hash = mix(hash, at(words, numbers as usize) & mask);
        numbers >>= 4;
    }
    hash
}

/// The shapes of a list of rules, and what a classifier of them takes.
#[derive(Debug)]
pub struct Plan<'a> {
    rules: Rules<'a>,
    seeds: Seeds,
    /// A record for each shape.
    records: &'a mut [u64],
    /// Finds a shape by its masks: 0 or the shape's number plus one.
    index: &'a mut [u64],
    shapes: usize,
    /// Slots of all tables.
    slots: usize,
    /// Words of all lists and values, at most.
    lists: usize,
    fields: Fields,
    common: Common,
}

/// Where in its memory a classifier has what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    shapes: u32,
    /// First word of the lists.
    lists: u32,
    fields: Fields,
    seeds: Seeds,
    hull: Hull,
}

impl Layout {
    /// The fields that some rule looks at: the others needn't be read from packets.
    #[inline]
    pub const fn fields(&self) -> Fields {
        self.fields
    }

    /// Number of shapes.
    #[inline]
    pub const fn shapes(&self) -> u32 {
        self.shapes
    }

    /// What all rules have in common.
    #[inline]
    pub const fn hull(&self) -> &Hull {
        &self.hull
    }
}

impl<'a> Plan<'a> {
    /// Finds the shapes.
    ///
    /// `scratch` has [`SCRATCH_WORDS`] words. `seed` is random and not known to those who make
    /// rules.
    pub fn new(rules: Rules<'a>, seed: u64, scratch: &'a mut [u64]) -> Result<Self, Error> {
        if rules.len() > RULES_MAX {
            return Err(Error::TooManyRules);
        }
        let (records, index) = scratch
            .get_mut(..SCRATCH_WORDS)
            .and_then(|scratch| scratch.split_at_mut_checked(SHAPES_MAX * RECORD))
            .ok_or(Error::NoMemory)?;
        let mut plan = Plan {
            rules,
            seeds: Seeds::new(seed),
            records,
            index,
            shapes: 0,
            slots: 0,
            lists: 0,
            fields: Fields::NONE,
            common: Common::default(),
        };

        plan.index.fill(0);
        plan.each_cell(|plan, position, cell| {
            plan.common.add(cell);
            let record = plan.find_or_add(cell, position)?;
            let positions = pair(high(at(record, POSITIONS)), position);
            let exact = u32::from(is_exact(record, cell));
            let cells = at(record, TABLE).wrapping_add(pair(exact, 1));

            set(record, POSITIONS, positions);
            set(record, TABLE, cells);
            Some(())
        })
        .map_err(|(position, found)| match found {
            true => Error::TooManyShapes(position),
            false => Error::NoRule(position),
        })?;
        plan.lay_out();
        Ok(plan)
    }

    /// Words of memory that [`Plan::build`] takes.
    pub fn words(&self) -> usize {
        self.shapes
            .wrapping_mul(RECORD)
            .wrapping_add(self.slots)
            .wrapping_add(self.lists)
    }

    /// Number of shapes.
    pub fn shapes(&self) -> usize {
        self.shapes
    }

    /// Calls a function for each cell of each rule, in order. Ends with the position of the first
    /// that fails: there is no rule, or, with `true`, the function returned `None`.
    fn each_cell(
        &mut self,
        mut each: impl FnMut(&mut Self, u32, &Cell) -> Option<()>,
    ) -> Result<(), (u32, bool)> {
        let rules = self.rules;

        for position in 0..rules.len() as u32 {
            let terms = rules.get(position).ok_or((position, false))?.terms();

            for number in 0..CELLS_MAX {
                if let Some(cell) = Cell::of(terms, number) {
                    each(self, position, &cell).ok_or((position, true))?;
                }
            }
        }
        Ok(())
    }

    /// The record that a cell's shape has, empty but for its masks.
    fn record_of(cell: &Cell) -> Record {
        let [first, second, third, others @ ..] = cell.mask;
        let mut record = [0; RECORD];
        let mut numbers = 0u64;
        let mut count = 0u32;

        set(&mut record, FIRST, first);
        set(&mut record, SECOND, second);
        set(&mut record, THIRD, third);
        for (n, mask) in (3u64..16).zip(others) {
            if mask != 0 {
                set(&mut record, MASKS.wrapping_add(count as usize), mask);
                numbers |= n.wrapping_shl(count.wrapping_mul(4));
                count = count.wrapping_add(1);
            }
        }
        set(&mut record, OTHERS, numbers | u64::from(count) << 48);
        record
    }

    /// The slot of the index where the shape of a record is or would be. `None` if there is no room.
    fn find(&mut self, wanted: &Record) -> Option<&mut u64> {
        let mut hash = self.seeds.0;

        for word in wanted.iter().skip(FIRST) {
            hash = mix(hash, *word);
        }
        for step in 0..INDEX {
            let slot = (hash as usize).wrapping_add(step) & (INDEX - 1);
            let number = *self.index.get(slot)?;

            if number == 0 || self.is_shape(number.wrapping_sub(1) as usize, wanted) {
                return self.index.get_mut(slot);
            }
        }
        None
    }

    /// Whether a shape has the masks of a record.
    fn is_shape(&mut self, number: usize, wanted: &Record) -> bool {
        let masks = |record: &Record| {
            let [_, _, masks @ ..] = *record;
            masks
        };

        self.record(number)
            .is_some_and(|record| masks(record) == masks(wanted))
    }

    /// The record of a shape.
    fn record(&mut self, number: usize) -> Option<&mut Record> {
        let start = number.wrapping_mul(RECORD);

        self.records.get_mut(start..)?.first_chunk_mut()
    }

    /// The number of a cell's shape and its record, if there is one.
    fn find_cell(&mut self, cell: &Cell) -> Option<(usize, &mut Record)> {
        let found = *self.find(&Self::record_of(cell))?;
        let number = found.checked_sub(1)? as usize;

        Some((number, self.record(number)?))
    }

    /// The record of a cell's shape; a new one if that is the first such cell.
    fn find_or_add(&mut self, cell: &Cell, position: u32) -> Option<&mut Record> {
        let record = Self::record_of(cell);
        let next = self.shapes;
        let slot = self.find(&record)?;

        if *slot != 0 {
            let number = slot.wrapping_sub(1) as usize;
            return self.record(number);
        }
        if next >= SHAPES_MAX {
            return None;
        }
        *slot = next.wrapping_add(1) as u64;
        self.shapes = next.wrapping_add(1);
        self.fields = self.fields.union(Fields::from_presence(at(&record, FIRST)));

        let new = self.record(next)?;
        *new = record;
        set(new, POSITIONS, pair(position, position));
        Some(new)
    }

    /// Gives each shape its table.
    fn lay_out(&mut self) {
        let records = self.shapes.wrapping_mul(RECORD);

        for number in 0..self.shapes {
            let first = records.wrapping_add(self.slots) as u32;
            let Some(record) = self.record(number) else {
                return;
            };
            let (exact, cells) = (high(at(record, TABLE)), low(at(record, TABLE)));
            // There are at most a few million cells.
            let twice = cells.wrapping_mul(2);
            let slots = twice.checked_next_power_of_two().unwrap_or(2);

            set(record, TABLE, pair(first, slots.wrapping_sub(1)));
            self.slots = self.slots.wrapping_add(slots as usize);
            // The values of a single cell are in the record, and a list has no more words than cells, since it has two
            // at least.
            if cells > 1 {
                self.lists = self
                    .lists
                    .wrapping_add((exact as usize).wrapping_mul(VALUES))
                    .wrapping_add(cells.wrapping_sub(exact) as usize);
            }
        }
    }

    /// Fills the classifier's memory, of which there are [`Plan::words`] words.
    pub fn build(mut self, memory: &mut [u64]) -> Result<Layout, Error> {
        let records = self.shapes.wrapping_mul(RECORD);
        let (to, rest) = memory
            .split_at_mut_checked(records)
            .ok_or(Error::NoMemory)?;
        let (slots, lists) = rest
            .split_at_mut_checked(self.slots)
            .ok_or(Error::NoMemory)?;
        let lists = lists.get_mut(..self.lists).ok_or(Error::NoMemory)?;
        let from = self.records.get(..records).ok_or(Error::NoMemory)?;

        to.copy_from_slice(from);
        slots.fill(0);
        // First the number of positions of each slot,
        self.each_slot(slots, |slot, _, _, _, _| {
            *slot = slot.wrapping_add(1);
            Some(())
        })?;
        // then room for those that have several,
        let mut used = Self::make_lists(slots, lists).ok_or(Error::NoMemory)?;
        // then the positions, which come in order.
        self.each_slot(slots, |slot, number, record, cell, position| {
            let found = low(*slot);

            if found & LIST != 0 {
                return append(lists.get_mut((found & !LIST) as usize..)?, position);
            }
            let mut found = position.wrapping_add(1);
            if is_exact(record, cell) {
                let [first, second, third, ..] = cell.value;

                if low(at(record, TABLE)) == SINGLE {
                    let shape = to.get_mut(number.wrapping_mul(RECORD)..)?;
                    let shape = shape.first_chunk_mut::<RECORD>()?;
                    for (n, value) in [1, first, second, third].into_iter().enumerate() {
                        set(shape, MASKS.wrapping_add(n), value);
                    }
                } else {
                    let values = lists.get_mut(used..)?.first_chunk_mut::<VALUES>()?;

                    *values = [position.into(), first, second, third];
                    found = used as u32 | EXACT;
                    used = used.wrapping_add(VALUES);
                }
            }
            *slot = pair(high(*slot), found);
            Some(())
        })?;

        Ok(Layout {
            shapes: self.shapes as u32,
            lists: records.wrapping_add(self.slots) as u32,
            fields: self.fields,
            seeds: self.seeds,
            hull: self.common.hull(),
        })
    }

    /// Calls a function for each cell with its slot, to whose lower half it adds something, the
    /// number and the record of the shape, and the position.
    fn each_slot(
        &mut self,
        slots: &mut [u64],
        mut each: impl FnMut(&mut u64, usize, &Record, &Cell, u32) -> Option<()>,
    ) -> Result<(), Error> {
        // Tables are counted from the first word of the memory.
        let records = self.shapes.wrapping_mul(RECORD) as u32;

        self.each_cell(|plan, position, cell| {
            let seeds = plan.seeds;
            let (number, record) = plan.find_cell(cell)?;
            let hash = hash(record, &cell.value, seeds);
            let (first, mask) = (high(at(record, TABLE)), low(at(record, TABLE)));
            let first = first.wrapping_sub(records) as usize;
            let slots = slots.get_mut(first..)?.get_mut(..=mask as usize)?;

            each(slot_for(slots, hash)?, number, record, cell, position)
        })
        .map_err(|(position, found)| match found {
            true => Error::NoMemory,
            false => Error::NoRule(position),
        })
    }

    /// Turns the lengths in the lower halves of slots into lists, as yet empty, and returns how many
    /// words they take.
    fn make_lists(slots: &mut [u64], lists: &mut [u64]) -> Option<usize> {
        let mut next = 0usize;

        for slot in slots {
            let count = low(*slot);

            if count >= 2 {
                *lists.get_mut(next)? = pair(count, 0);
                *slot = pair(high(*slot), next as u32 | LIST);
                next = next
                    .wrapping_add(1)
                    .wrapping_add(count.div_ceil(2) as usize);
            }
        }
        Some(next)
    }
}

/// If a shape without other words has one exact cell only, whether the packet has its values.
#[inline]
fn has_single(record: &Record, words: &[u64; 16]) -> Option<bool> {
    let [.., single, first, second, third, _, _, _, _, _, _] = *record;
    let differ = (at(words, 0) & at(record, FIRST)) ^ first
        | (at(words, 1) & at(record, SECOND)) ^ second
        | (at(words, 2) & at(record, THIRD)) ^ third;

    (single != 0).then_some(differ == 0)
}

/// Whether a cell of a shape says all of its rule in the first words.
fn is_exact(record: &Record, cell: &Cell) -> bool {
    cell.exact && at(record, OTHERS) == 0
}

/// Sets a word of a record.
#[inline]
fn set(record: &mut Record, n: usize, word: u64) {
    if let Some(to) = record.get_mut(n) {
        *to = word;
    }
}

/// The slot of a hash in its table, or the free one where it belongs, now with its higher half.
fn slot_for(slots: &mut [u64], hash: u64) -> Option<&mut u64> {
    let mask = slots.len().wrapping_sub(1);
    let mut n = hash as usize & mask;

    for _ in 0..slots.len() {
        let slot = *slots.get(n)?;
        if slot == 0 || high(slot) == high(hash) {
            break;
        }
        n = n.wrapping_add(1) & mask;
    }
    let slot = slots.get_mut(n)?;
    if low(*slot) == 0 {
        *slot = pair(high(hash), 0);
    }
    Some(slot)
}

/// Appends a position to a list that begins with its length and how many there are so far.
fn append(list: &mut [u64], position: u32) -> Option<()> {
    let (head, positions) = list.split_first_mut()?;
    let n = low(*head);
    let word = positions.get_mut((n / 2) as usize)?;

    *word = if n % 2 == 0 {
        u64::from(position)
    } else {
        *word | pair(position, 0)
    };
    *head = head.wrapping_add(1);
    Some(())
}

/// A list of rules that has been made ready for look-ups.
#[derive(Clone, Copy, Debug)]
pub struct Classifier<'a> {
    layout: &'a Layout,
    rules: Rules<'a>,
    memory: &'a [u64],
}

/// A shape that may have a rule for a packet.
struct Candidate<'a> {
    record: &'a Record,
    /// The records behind it.
    rest: &'a [u64],
    /// What its table has for the packet, or 0: it looks at more than the first words.
    found: u32,
}

impl<'a> Classifier<'a> {
    /// The classifier that [`Plan::build`] made of these rules in this memory.
    #[inline]
    pub const fn new(layout: &'a Layout, rules: Rules<'a>, memory: &'a [u64]) -> Self {
        Classifier {
            layout,
            rules,
            memory,
        }
    }

    /// The first position, not below `from`, of a rule that a packet matches.
    #[inline(always)]
    pub fn next(&self, key: &Key, from: u32) -> Option<u32> {
        if from as usize >= self.rules.len() {
            return None;
        }
        let words = key.words();
        let end = (self.layout.shapes as usize).wrapping_mul(RECORD);
        let mut records = self.memory.get(..end)?;
        let mut best = NOWHERE;

        while let Some(candidate) = self.scan(records, words, from, best) {
            records = candidate.rest;
            best = match candidate.found {
                // The scan has seen that it is not below `from`, and below `best`.
                ONLY => low(at(candidate.record, POSITIONS)),
                found if found & EXACT != 0 => self.compare(&candidate, words, from, best),
                _ => self.try_rules(&candidate, key, from, best),
            };
            if records.is_empty() {
                break;
            }
        }
        (best != NOWHERE).then_some(best)
    }

    /// The next of some shapes that may have a rule for a packet at a position not below `from` and
    /// below `best`.
    ///
    /// This loop is what a look-up costs, so it calls nothing.
    #[inline(always)]
    fn scan<'r>(
        &self,
        mut records: &'r [u64],
        words: &[u64; 16],
        from: u32,
        best: u32,
    ) -> Option<Candidate<'r>> {
        while let Some((record, rest)) = records.split_first_chunk::<RECORD>() {
            let positions = at(record, POSITIONS);
            let missing = at(record, FIRST) & !at(words, 0);

            if high(positions) >= best {
                break;
            }
            records = rest;
            if low(positions) < from || high(missing) != 0 {
                continue;
            }
            let found = if at(record, OTHERS) != 0 {
                0
            } else {
                match has_single(record, words) {
                    Some(true) => ONLY,
                    Some(false) => 0,
                    None => self.find(record, hash_first(record, words, self.layout.seeds)),
                }
            };
            if found != 0 || at(record, OTHERS) != 0 {
                return Some(Candidate {
                    record,
                    rest,
                    found,
                });
            }
        }
        None
    }

    /// The position of an exact rule that was found, if the packet has its values, and otherwise
    /// `best`.
    #[inline]
    fn compare(&self, candidate: &Candidate<'_>, words: &[u64; 16], from: u32, best: u32) -> u32 {
        let record = candidate.record;
        let values = self.list(candidate.found & !EXACT).first_chunk::<VALUES>();
        let Some([position, first, second, third]) = values else {
            return best;
        };
        let position = low(*position);
        let differ = (at(words, 0) & at(record, FIRST)) ^ first
            | (at(words, 1) & at(record, SECOND)) ^ second
            | (at(words, 2) & at(record, THIRD)) ^ third;

        if differ == 0 && position >= from && position < best {
            position
        } else {
            best
        }
    }

    /// The first of the positions that were found, not below `from` and below `best`, whose rule
    /// matches; `best` if there is none.
    #[inline(never)]
    fn try_rules(&self, candidate: &Candidate<'_>, key: &Key, from: u32, best: u32) -> u32 {
        let record = candidate.record;
        let found = match candidate.found {
            0 => self.find(record, hash(record, key.words(), self.layout.seeds)),
            found => found,
        };

        if found & LIST != 0 {
            return self.first_of_list(found & !LIST, key, from, best);
        }
        match found.checked_sub(1) {
            Some(n) if n >= from && n < best && self.matches(n, key) => n,
            _ => best,
        }
    }

    /// What the table of a shape has for a hash: the lower half of a slot, or 0.
    #[inline]
    fn find(&self, record: &Record, hash: u64) -> u32 {
        let table = at(record, TABLE);
        let (first, mask) = (high(table), low(table));
        let start = low(hash) & mask;
        let mut n = start;

        loop {
            let slot = match self.memory.get(first.wrapping_add(n) as usize) {
                Some(slot) => *slot,
                None => 0,
            };

            if slot == 0 || high(slot) == high(hash) {
                return low(slot);
            }
            n = n.wrapping_add(1) & mask;
            // At least half of the table is empty, so this is never so.
            if n == start {
                return 0;
            }
        }
    }

    /// The words of the lists from one on.
    #[inline]
    fn list(&self, first: u32) -> &'a [u64] {
        let start = self.layout.lists.wrapping_add(first);

        self.memory.get(start as usize..).unwrap_or(&[])
    }

    /// Whether the rule at a position matches a packet that has its fields.
    #[inline]
    fn matches(&self, position: u32, key: &Key) -> bool {
        match self.rules.get(position) {
            Some(rule) => rule.terms().match_present(key),
            None => false,
        }
    }

    /// The first position of a list, not below `from` and below `best`, whose rule matches; `best`
    /// if there is none.
    fn first_of_list(&self, list: u32, key: &Key, from: u32, best: u32) -> u32 {
        let Some((head, positions)) = self.list(list).split_first() else {
            return best;
        };
        let position = |n: u32| -> u32 {
            match positions.get((n / 2) as usize) {
                Some(word) if n % 2 == 0 => low(*word),
                Some(word) => high(*word),
                None => NOWHERE,
            }
        };
        let count = low(*head);
        let (mut n, mut end) = (0, count);

        // Bisection for the first that isn't below `from`; a walk mostly begins with the first.
        if position(0) >= from {
            end = 0;
        }
        while n < end {
            let middle = n.wrapping_add(end.wrapping_sub(n) / 2);
            if position(middle) < from {
                n = middle.wrapping_add(1);
            } else {
                end = middle;
            }
        }
        while n < count {
            let position = position(n);

            if position >= best {
                break;
            }
            if self.matches(position, key) {
                return position;
            }
            n = n.wrapping_add(1);
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most slots in a row that a thousand hashes take of two thousand.
    fn longest_run(hashes: impl Iterator<Item = u64>) -> usize {
        let mut slots = vec![0u64; 2048];
        for hash in hashes {
            *slot_for(&mut slots, hash).unwrap() |= 1;
        }
        slots
            .split(|slot| *slot == 0)
            .map(|run| run.len())
            .max()
            .unwrap_or(0)
    }

    /// Rules are often made of addresses or ports that follow each other. A product of words alone
    /// would place them at equal distances, with some seeds side by side.
    #[test]
    fn values_that_follow_each_other_are_scattered() {
        let mut record = [0; RECORD];
        for n in [FIRST, SECOND, THIRD] {
            set(&mut record, n, u64::MAX);
        }
        for seed in 0..300 {
            let seeds = Seeds::new(seed);
            for (word, shift) in [(0, 0), (0, 16), (1, 0), (1, 32), (1, 48), (2, 0), (2, 32)] {
                let hashes = (0..1000u64).map(|i| {
                    let mut words = [0; 16];
                    words[word] = (0x1000 + i) << shift;
                    hash_first(&record, &words, seeds)
                });
                let run = longest_run(hashes);
                assert!(
                    run < 120,
                    "seed {seed}, word {word} << {shift}: {run} slots"
                );
            }
        }
    }
}
