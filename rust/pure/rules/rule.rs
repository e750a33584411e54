// SPDX-License-Identifier: GPL-2.0

//! A rule as plain data.
//!
//! A rule says which packets it is for ([`Term`]s, all of which must hold), for which of those it
//! acts ([`Modifiers`]), and what it does ([`Action`]). A [`Builder`] puts it together, refusing
//! what makes no sense, and encodes it in few words; [`Rule`] reads the words, [`Rules`] a list.
//!
//! | word   |                                                                              |
//! |--------|------------------------------------------------------------------------------|
//! | first  | bits 0..8: number of words, 8..16: words of terms, 16..24: which modifiers   |
//! |        | there are, 24..32: kind of action                                            |
//! |        | the terms                                                                    |
//! |        | the modifiers                                                                |
//! |        | the operands of the action                                                   |

use super::check::{
    self,
    Error,
    Point,
    Subject,
    Why, //
};
use super::packet::Key;
use super::term::{
    Term,
    Terms,
    TERM_WORDS_MAX, //
};

/// Most words of a rule. Two IPv6 prefixes, both ports, protocol, devices and addresses of the link
/// layer fit, with modifiers and an action.
pub const RULE_WORDS_MAX: usize = 34;

/// Most rules of a list.
pub const RULES_MAX: usize = 1 << 20;

/// For which of the packets that match a rule acts. All that are given must agree.
///
/// A rule that has several looks at them in the order of the fields here. A packet for which a rule
/// doesn't act goes on to the next rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// What probability, jitter and corruption are drawn from: the same seed, the same packets.
    pub seed: u64,
    /// Whether a super frame counts as the segments it stands for.
    pub segments: bool,
    /// Only for this one, counted from 1.
    pub nth: Option<u32>,
    /// For every one whose number is a multiple of this.
    pub every: Option<u32>,
    /// With this probability, in parts of 2^32.
    pub probability: Option<u32>,
    /// At most at this rate.
    pub rate: Option<Rate>,
    /// This many times, then never again.
    pub at_most: Option<u32>,
}

/// A rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Packets or bytes a second.
    pub per_second: u64,
    /// As many can come at once after a pause.
    pub burst: u32,
    /// Whether bytes are counted rather than packets.
    pub bytes: bool,
}

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Lets it leave the chain.
    Accept,
    /// Drops it.
    Drop,
    /// Nothing; the rule counts.
    Continue,
    /// Replaces the bits of the packet's mark under `mask` by `value`.
    SetMark {
        /// The bits.
        value: u32,
        /// Where they are.
        mask: u32,
    },
    /// Sets the differentiated services code point.
    SetDscp(u8),
    /// Sets explicit congestion notification.
    SetEcn(u8),
    /// Hands it to a program.
    Queue {
        /// Number of the queue.
        number: u16,
        /// Whether the packet is accepted if nobody listens.
        bypass: bool,
    },
    /// Shows it to those who watch.
    Sample {
        /// Bytes that are shown at most.
        snap: u16,
    },
    /// Flips bits of it.
    Corrupt {
        /// How many.
        bits: u16,
        /// The first byte that may change.
        from: u16,
    },
    /// Cuts it off behind so many bytes.
    Truncate {
        /// What is left at most.
        length: u32,
    },
    /// Sends copies of it along.
    Duplicate {
        /// How many.
        copies: u8,
    },
    /// Holds it for a time.
    Delay {
        /// Nanoseconds.
        delay: u64,
        /// Nanoseconds that the time may be longer or shorter.
        jitter: u64,
    },
    /// Holds it until others have overtaken it.
    Reorder {
        /// How many.
        gap: u16,
        /// Nanoseconds after which it goes on in any case.
        timeout: u64,
    },
}

impl Action {
    /// Whether a packet that the action was done to leaves the chain.
    #[inline]
    pub const fn ends_walk(&self) -> bool {
        matches!(
            self,
            Action::Accept
                | Action::Drop
                | Action::Queue { .. }
                | Action::Delay { .. }
                | Action::Reorder { .. }
        )
    }

    /// Kind and operands, and how many of them there are.
    const fn encode(&self) -> (u32, [u32; 4], usize) {
        const NONE: [u32; 4] = [0; 4];

        match *self {
            Action::Accept => (0, NONE, 0),
            Action::Drop => (1, NONE, 0),
            Action::Continue => (2, NONE, 0),
            Action::SetMark { value, mask } => (3, [value, mask, 0, 0], 2),
            Action::SetDscp(dscp) => (4, [dscp as u32, 0, 0, 0], 1),
            Action::SetEcn(ecn) => (5, [ecn as u32, 0, 0, 0], 1),
            Action::Queue { number, bypass } => {
                (6, [number as u32 | (bypass as u32) << 16, 0, 0, 0], 1)
            }
            Action::Sample { snap } => (7, [snap as u32, 0, 0, 0], 1),
            Action::Corrupt { bits, from } => (8, [bits as u32 | (from as u32) << 16, 0, 0, 0], 1),
            Action::Truncate { length } => (9, [length, 0, 0, 0], 1),
            Action::Duplicate { copies } => (10, [copies as u32, 0, 0, 0], 1),
            Action::Delay { delay, jitter } => {
                (11, [high(delay), low(delay), high(jitter), low(jitter)], 4)
            }
            Action::Reorder { gap, timeout } => {
                (12, [gap as u32, high(timeout), low(timeout), 0], 3)
            }
        }
    }

    /// The action of a kind and its operands.
    #[inline]
    fn decode(kind: u32, operands: &[u32]) -> Option<Action> {
        let operand = |n: usize| operands.get(n).copied();
        let long = |n: usize| {
            let high = u64::from(operand(n)?).wrapping_shl(32);
            Some(high | u64::from(operand(n.wrapping_add(1))?))
        };
        Some(match kind {
            0 => Action::Accept,
            1 => Action::Drop,
            2 => Action::Continue,
            3 => Action::SetMark {
                value: operand(0)?,
                mask: operand(1)?,
            },
            4 => Action::SetDscp(operand(0)? as u8),
            5 => Action::SetEcn(operand(0)? as u8),
            6 => Action::Queue {
                number: operand(0)? as u16,
                bypass: operand(0)? >> 16 != 0,
            },
            7 => Action::Sample {
                snap: operand(0)? as u16,
            },
            8 => Action::Corrupt {
                bits: operand(0)? as u16,
                from: (operand(0)? >> 16) as u16,
            },
            9 => Action::Truncate {
                length: operand(0)?,
            },
            10 => Action::Duplicate {
                copies: operand(0)? as u8,
            },
            11 => Action::Delay {
                delay: long(0)?,
                jitter: long(2)?,
            },
            12 => Action::Reorder {
                gap: operand(0)? as u16,
                timeout: long(1)?,
            },
            _ => return None,
        })
    }
}

/// The higher half of a number.
const fn high(number: u64) -> u32 {
    (number >> 32) as u32
}

/// The lower half of a number.
const fn low(number: u64) -> u32 {
    number as u32
}

/// Which modifiers a rule has, in its first word.
mod has {
    pub(super) const SEED: u32 = 1 << 16;
    pub(super) const SEGMENTS: u32 = 1 << 17;
    pub(super) const NTH: u32 = 1 << 18;
    pub(super) const EVERY: u32 = 1 << 19;
    pub(super) const PROBABILITY: u32 = 1 << 20;
    pub(super) const RATE: u32 = 1 << 21;
    pub(super) const RATE_BYTES: u32 = 1 << 22;
    pub(super) const AT_MOST: u32 = 1 << 23;
}

/// All of `has`.
const MODIFIERS: u32 = 0xff << 16;

/// Words that are read one after the other.
struct Input<'a>(&'a [u32]);

impl Input<'_> {
    #[inline]
    fn word(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline]
    fn long(&mut self) -> Option<u64> {
        let high = u64::from(self.word()?).wrapping_shl(32);
        Some(high | u64::from(self.word()?))
    }
}

/// A rule, encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    words: &'a [u32],
}

impl<'a> Rule<'a> {
    /// The rule that begins with the first of the words. `None` if they don't hold a whole one.
    #[inline]
    pub fn from_words(words: &'a [u32]) -> Option<Self> {
        let length = (words.first()? & 0xff) as usize;

        match length {
            0 => None,
            _ => Some(Rule {
                words: words.get(..length)?,
            }),
        }
    }

    /// The words that hold the rule.
    #[inline]
    pub fn words(self) -> &'a [u32] {
        self.words
    }

    /// The first word; a rule has one.
    #[inline]
    fn head(self) -> u32 {
        self.words.first().copied().unwrap_or(0)
    }

    /// The words of the terms, and those behind.
    #[inline]
    fn parts(self) -> (&'a [u32], &'a [u32]) {
        let end = (self.head() >> 8 & 0xff) as usize;
        let body = self.words.get(1..).unwrap_or(&[]);

        body.split_at_checked(end).unwrap_or((body, &[]))
    }

    /// What must hold for a packet to match.
    #[inline]
    pub fn terms(self) -> Terms<'a> {
        Terms::new(self.parts().0)
    }

    /// Whether a packet matches.
    pub fn match_key(self, key: &Key) -> bool {
        self.terms().match_key(key)
    }

    /// Whether the rule acts for every packet that matches.
    #[inline]
    pub fn is_unconditional(self) -> bool {
        let selects = MODIFIERS & !(has::SEED | has::SEGMENTS);
        self.head() & selects == 0
    }

    /// What the rule does, if that takes no more than to see that it matches: it acts for every packet, for super
    /// frames as a whole, and the action has no operands.
    #[inline]
    pub fn plain(self) -> Option<Action> {
        if !self.is_unconditional() {
            return None;
        }
        match Action::decode(self.head() >> 24, &[])? {
            Action::Drop if self.head() & has::SEGMENTS != 0 => None,
            action => Some(action),
        }
    }

    /// For which of its matches the rule acts, and what it does.
    #[inline]
    pub fn consequence(self) -> Option<(Modifiers, Action)> {
        let head = self.head();
        let mut rest = Input(self.parts().1);
        let mut modifiers = Modifiers::default();

        if head & MODIFIERS != 0 {
            modifiers = Self::decode_modifiers(head, &mut rest)?;
        }
        Some((modifiers, Action::decode(head >> 24, rest.0)?))
    }

    /// Reads the modifiers that the first word announces.
    fn decode_modifiers(head: u32, rest: &mut Input<'_>) -> Option<Modifiers> {
        let mut modifiers = Modifiers {
            segments: head & has::SEGMENTS != 0,
            ..Modifiers::default()
        };

        if head & has::SEED != 0 {
            modifiers.seed = rest.long()?;
        }
        if head & has::NTH != 0 {
            modifiers.nth = Some(rest.word()?);
        }
        if head & has::EVERY != 0 {
            modifiers.every = Some(rest.word()?);
        }
        if head & has::PROBABILITY != 0 {
            modifiers.probability = Some(rest.word()?);
        }
        if head & has::RATE != 0 {
            modifiers.rate = Some(Rate {
                per_second: rest.long()?,
                burst: rest.word()?,
                bytes: head & has::RATE_BYTES != 0,
            });
        }
        if head & has::AT_MOST != 0 {
            modifiers.at_most = Some(rest.word()?);
        }
        Some(modifiers)
    }
}

/// Puts a rule together.
///
/// Each step checks what it is given; a step that fails changes nothing.
#[derive(Clone, Debug)]
pub struct Builder {
    point: Point,
    words: [u32; RULE_WORDS_MAX],
    /// Number of words that hold terms, behind the first word.
    terms: usize,
    modifiers: Modifiers,
    action: Action,
}

impl Builder {
    /// A rule for everything, which continues.
    pub fn new(point: Point) -> Self {
        Builder {
            point,
            words: [0; RULE_WORDS_MAX],
            terms: 0,
            modifiers: Modifiers::default(),
            action: Action::Continue,
        }
    }

    /// Adds a term. A field may have several.
    pub fn term(&mut self, term: &Term) -> Result<(), Error> {
        let too_long = Error::new(Subject::Field(term.field), Why::TooLong);
        let Some((used, free)) = self
            .words
            .get_mut(1..)
            .and_then(|words| words.split_at_mut_checked(self.terms))
        else {
            return Err(too_long);
        };

        check::check_term(&self.point, Terms::new(used).into_iter(), term)?;
        let mut words = [0; TERM_WORDS_MAX];
        let count = term.encode(&mut words).ok_or(too_long)?;

        match (free.get_mut(..count), words.get(..count)) {
            (Some(free), Some(words)) => free.copy_from_slice(words),
            _ => return Err(too_long),
        }
        self.terms = self.terms.wrapping_add(count);
        Ok(())
    }

    /// Sets the modifiers.
    pub fn modifiers(&mut self, modifiers: &Modifiers) -> Result<(), Error> {
        check::check_modifiers(modifiers)?;
        self.modifiers = *modifiers;
        Ok(())
    }

    /// Sets the action.
    pub fn action(&mut self, action: &Action) -> Result<(), Error> {
        check::check_action(&self.point, action)?;
        self.action = *action;
        Ok(())
    }

    /// The rule.
    pub fn finish(&mut self) -> Result<Rule<'_>, Error> {
        let too_long = Error::new(Subject::Action, Why::TooLong);

        self.encode().ok_or(too_long)?;
        Rule::from_words(&self.words).ok_or(too_long)
    }

    /// Writes all but the terms, which stand already.
    fn encode(&mut self) -> Option<()> {
        let mut at = self.terms.wrapping_add(1);
        let mut head = low(self.terms as u64).wrapping_shl(8);
        let mut push = |word: u32| -> Option<()> {
            *self.words.get_mut(at)? = word;
            at = at.wrapping_add(1);
            Some(())
        };
        let m = &self.modifiers;

        if m.segments {
            head |= has::SEGMENTS;
        }
        if m.seed != 0 {
            head |= has::SEED;
            push(high(m.seed))?;
            push(low(m.seed))?;
        }
        if let Some(nth) = m.nth {
            head |= has::NTH;
            push(nth)?;
        }
        if let Some(every) = m.every {
            head |= has::EVERY;
            push(every)?;
        }
        if let Some(probability) = m.probability {
            head |= has::PROBABILITY;
            push(probability)?;
        }
        if let Some(rate) = m.rate {
            head |= has::RATE;
            if rate.bytes {
                head |= has::RATE_BYTES;
            }
            push(high(rate.per_second))?;
            push(low(rate.per_second))?;
            push(rate.burst)?;
        }
        if let Some(at_most) = m.at_most {
            head |= has::AT_MOST;
            push(at_most)?;
        }
        let (kind, operands, count) = self.action.encode();
        for word in operands.into_iter().take(count) {
            push(word)?;
        }
        head |= kind.wrapping_shl(24) | low(at as u64);
        *self.words.first_mut()? = head;
        Some(())
    }
}

/// A list of rules.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The rules' words; the order is of no concern.
    words: &'a [u32],
    /// For each rule, in order, where in `words` it begins.
    offsets: &'a [u32],
}

impl<'a> Rules<'a> {
    /// The list of the rules that begin at `offsets` in `words`.
    #[inline]
    pub const fn new(words: &'a [u32], offsets: &'a [u32]) -> Self {
        Rules { words, offsets }
    }

    /// Number of rules.
    #[inline]
    pub const fn len(self) -> usize {
        self.offsets.len()
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.offsets.is_empty()
    }

    /// The rule at a position, counted from 0.
    #[inline]
    pub fn get(self, position: u32) -> Option<Rule<'a>> {
        let offset = *self.offsets.get(position as usize)?;

        Rule::from_words(self.words.get(offset as usize..)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{
        Family,
        Hook, //
    };
    use super::super::field::Field;
    use super::super::term::Test;
    use super::*;
    use proptest::prelude::*;

    const POINT: Point = Point {
        hook: Hook::Forward,
        family: Family::Inet,
    };

    fn action() -> impl Strategy<Value = Action> {
        let numbers = any::<(u8, u8, u16, u16, u32, u32)>();
        numbers.prop_map(|(kind, a, b, c, d, e)| match kind % 13 {
            0 => Action::Accept,
            1 => Action::Drop,
            2 => Action::Continue,
            3 => Action::SetMark {
                value: d & (e | 1),
                mask: e | 1,
            },
            4 => Action::SetDscp(a % 64),
            5 => Action::SetEcn(a % 4),
            6 => Action::Queue {
                number: b,
                bypass: a % 2 == 0,
            },
            7 => Action::Sample { snap: b | 1 },
            8 => Action::Corrupt {
                bits: b % 1024 + 1,
                from: c,
            },
            9 => Action::Truncate { length: d },
            10 => Action::Duplicate { copies: a % 16 + 1 },
            11 => Action::Delay {
                delay: 50_000_000_000 - u64::from(d),
                jitter: e.into(),
            },
            _ => Action::Reorder {
                gap: b % 1024 + 1,
                timeout: u64::from(d) + 1,
            },
        })
    }

    fn modifiers() -> impl Strategy<Value = Modifiers> {
        let some = || prop::option::of(1u32..);
        let rate = (1u64..=10_000_000_000, 1u32.., any::<bool>());
        let rate = prop::option::of(rate);
        (
            any::<(bool, u64)>(),
            some(),
            any::<bool>(),
            some(),
            some(),
            rate,
        )
            .prop_map(
                |((segments, seed), number, nth, probability, at_most, rate)| Modifiers {
                    seed: if segments { seed } else { 0 },
                    segments,
                    nth: number.filter(|_| nth),
                    every: number.filter(|_| !nth),
                    probability,
                    at_most,
                    rate: rate.map(|(per_second, burst, bytes)| Rate {
                        per_second,
                        burst,
                        bytes,
                    }),
                },
            )
    }

    #[test]
    fn which_actions_end() {
        for ends in [
            Action::Accept,
            Action::Drop,
            Action::Delay {
                delay: 1,
                jitter: 0,
            },
        ] {
            assert!(ends.ends_walk());
        }
        for goes_on in [
            Action::Continue,
            Action::SetDscp(1),
            Action::Sample { snap: 9 },
            Action::Truncate { length: 0 },
        ] {
            assert!(!goes_on.ends_walk());
        }
    }

    #[test]
    fn a_rule_can_be_too_long() {
        let term = |field, value| Term {
            field,
            negated: false,
            test: Test::Value(value),
        };
        // The fullest rule that anybody should want.
        let mut builder = Builder::new(POINT);
        for field in [
            Field::SourceIpv6,
            Field::DestinationIpv6,
            Field::SourcePort,
            Field::DestinationPort,
            Field::InDevice,
            Field::OutDevice,
            Field::SourceMac,
            Field::Mark,
        ] {
            builder.term(&term(field, 1)).unwrap();
        }
        builder.term(&term(Field::Protocol, 6)).unwrap();
        builder.finish().unwrap();

        let negations = (0..40).map(|value| Term {
            negated: true,
            ..term(Field::DestinationMac, value)
        });
        let mut count = 0;
        for negation in negations {
            match builder.term(&negation) {
                Ok(()) => count += 1,
                Err(error) => {
                    let subject = Subject::Field(Field::DestinationMac);
                    assert_eq!(error, Error::new(subject, Why::TooLong));
                }
            }
        }
        assert_eq!(count, 3);
        let words = builder.finish().unwrap().words().to_vec();
        assert!(words.len() <= RULE_WORDS_MAX);
        builder
            .action(&Action::Delay {
                delay: 1,
                jitter: 0,
            })
            .unwrap();
        let error = Error::new(Subject::Action, Why::TooLong);
        assert_eq!(builder.finish(), Err(error));
        builder.action(&Action::Drop).unwrap();
        assert_eq!(builder.finish().unwrap().words().len(), words.len());
    }

    #[test]
    fn lists() {
        let mut builder = Builder::new(POINT);
        builder.action(&Action::Drop).unwrap();
        let drop = builder.finish().unwrap().words().to_vec();
        let words = [drop.clone(), drop].concat();
        let rules = Rules::new(&words, &[1, 0]);
        assert_eq!((rules.len(), rules.is_empty()), (2, false));
        assert_eq!(rules.get(1).unwrap().words(), &words[..1]);
        assert_eq!(rules.get(2), None);
        assert_eq!(Rules::new(&words, &[2]).get(0), None);
        assert_eq!(Rules::new(&[0], &[0]).get(0), None);
        assert_eq!(Rules::new(&[2], &[0]).get(0), None);
    }

    proptest! {
        #[test]
        fn encoding(modifiers in modifiers(), action in action(), port in any::<u16>()) {
            let term = Term {
                field: Field::SourcePort,
                negated: true,
                test: Test::Value(port.into()),
            };
            let mut builder = Builder::new(POINT);
            builder.term(&term).unwrap();
            builder.modifiers(&modifiers).unwrap();
            builder.action(&action).unwrap();
            let rule = builder.finish().unwrap();
            prop_assert_eq!(rule.consequence(), Some((modifiers, action)));
            prop_assert_eq!(rule.terms().into_iter().collect::<Vec<_>>(), [term]);
            let always = Modifiers {
                seed: modifiers.seed,
                segments: modifiers.segments,
                ..Modifiers::default()
            };
            prop_assert_eq!(rule.is_unconditional(), modifiers == always);
            let plain = match action {
                Action::Accept | Action::Continue => modifiers == always,
                Action::Drop => modifiers == always && !modifiers.segments,
                _ => false,
            };
            prop_assert_eq!(rule.plain(), plain.then_some(action));
        }

        #[test]
        fn noise(words in prop::collection::vec(any::<u32>(), 0..40)) {
            if let Some(rule) = Rule::from_words(&words) {
                let _ = rule.consequence();
                let _ = rule.terms().into_iter().count();
            }
        }
    }
}
