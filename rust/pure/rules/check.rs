// SPDX-License-Identifier: GPL-2.0

//! Whether a rule makes sense where it is to stand.
//!
//! What is refused: numbers that don't fit, fields that no packet has at the hook, and
//! contradictions between two parts of a rule. A rule that can't match for other reasons, such as
//! three ranges that have no number in common though any two have, is taken and never matches.

use super::field::{
    conntrack,
    fragment,
    Field,
    Fields, //
};
use super::rule::{
    Action,
    Modifiers, //
};
use super::term::{
    ones,
    prefix_mask,
    Term,
    Test, //
};
use crate::header::{
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ICMP,
    ICMPV6,
    SCTP,
    TCP,
    UDP, //
};

/// Highest rate limit, packets or bytes a second; 80 Gbit/s.
pub const RATE_MAX: u64 = 10_000_000_000;
/// Longest time that a packet is held, in nanoseconds; one minute, for a packet that was made here keeps the namespace
/// of its socket as long.
pub const HOLD_MAX: u64 = 60_000_000_000;
/// Most bits that one action flips.
pub const CORRUPT_MAX: u16 = 1024;
/// Most copies that one action makes.
pub const COPIES_MAX: u8 = 16;
/// Most packets that one can be held for.
pub const GAP_MAX: u16 = 1024;

/// A hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `NF_INET_PRE_ROUTING`
    Prerouting,
    /// `NF_INET_LOCAL_IN`
    Input,
    /// `NF_INET_FORWARD`
    Forward,
    /// `NF_INET_LOCAL_OUT`
    Output,
    /// `NF_INET_POST_ROUTING`
    Postrouting,
    /// `NF_NETDEV_INGRESS`
    Ingress,
    /// `NF_NETDEV_EGRESS`
    Egress,
}

/// Which packets come to a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Both.
    Inet,
    /// All that a device carries.
    Netdev,
}

/// Where a rule is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The hook of the chain.
    pub hook: Hook,
    /// What comes to it.
    pub family: Family,
}

/// A part of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The match of a field.
    Field(Field),
    /// [`Modifiers::nth`]
    Nth,
    /// [`Modifiers::every`]
    Every,
    /// [`Modifiers::probability`]
    Probability,
    /// [`Modifiers::rate`]
    Rate,
    /// [`Modifiers::at_most`]
    AtMost,
    /// The action.
    Action,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A number is too large or too small, or a value has bits outside its mask or prefix.
    OutOfRange,
    /// No packet fulfils this and another part, or, if that is the same part, this one.
    Contradicts(Subject),
    /// Packets don't have the field at this hook, or the action can't be done there.
    WrongHook,
    /// With this the rule takes more than [`RULE_WORDS_MAX`](super::rule::RULE_WORDS_MAX) words.
    TooLong,
}

/// Why a rule is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The part that is wrong.
    pub subject: Subject,
    /// What is wrong with it.
    pub why: Why,
}

impl Error {
    pub(super) const fn new(subject: Subject, why: Why) -> Self {
        Error { subject, why }
    }
}

/// The error if something holds.
fn refuse_if(wrong: bool, subject: Subject, why: Why) -> Result<(), Error> {
    if wrong {
        return Err(Error::new(subject, why));
    }
    Ok(())
}

impl Point {
    /// The fields that packets can have here.
    pub const fn fields(&self) -> Fields {
        let mut fields = Fields::NONE
            .union(Fields::IP)
            .with(Field::Ethertype)
            .with(Field::Length)
            .with(Field::Mark)
            .with(Field::PacketType);

        if !matches!(self.hook, Hook::Output | Hook::Egress) {
            fields = fields.with(Field::InDevice);
        }
        if !matches!(self.hook, Hook::Prerouting | Hook::Input | Hook::Ingress) {
            fields = fields.with(Field::OutDevice);
        }
        // What leaves has no link header before it comes to its device.
        if !matches!(self.hook, Hook::Output | Hook::Postrouting) {
            fields = fields.with(Field::SourceMac).with(Field::DestinationMac);
        }
        if matches!(self.hook, Hook::Ingress | Hook::Egress) {
            fields = fields.with(Field::Vlan).with(Field::InnerVlan);
        }
        // A device is before all connection tracking.
        if !matches!(self.hook, Hook::Ingress) {
            fields = fields.with(Field::Conntrack);
        }
        match self.family {
            Family::Ipv4 => fields.without(Fields::IPV6),
            Family::Ipv6 => fields.without(Fields::IPV4),
            Family::Inet | Family::Netdev => fields,
        }
    }

    /// Ethertypes of the packets here; empty if they can be any.
    const fn ethertypes(&self) -> &'static [u16] {
        match self.family {
            Family::Ipv4 => &[ETHERTYPE_IPV4],
            Family::Ipv6 => &[ETHERTYPE_IPV6],
            Family::Inet => &[ETHERTYPE_IPV4, ETHERTYPE_IPV6],
            Family::Netdev => &[],
        }
    }
}

/// Checks a term that is to join others, which passed.
pub(super) fn check_term(
    point: &Point,
    others: impl Iterator<Item = Term>,
    term: &Term,
) -> Result<(), Error> {
    let subject = Subject::Field(term.field);

    term.check_numbers()?;
    refuse_if(
        !point.fields().contains(term.field)
            || (term.field == Field::Ethertype && excludes(point.ethertypes(), term)),
        subject,
        Why::WrongHook,
    )?;
    // A packet has one state, not two and not none.
    refuse_if(
        term.field == Field::Conntrack && !term.negated && !term.test.admits_a_state(),
        subject,
        Why::Contradicts(subject),
    )?;
    // What every value passes can't be negated.
    let width = term.field.width();
    let anything = Test::Mask { value: 0, mask: 0 };
    refuse_if(
        term.negated && anything.implies(&term.test, width),
        subject,
        Why::Contradicts(subject),
    )?;
    for other in others {
        refuse_if(
            contradict(term, &other),
            subject,
            Why::Contradicts(Subject::Field(other.field)),
        )?;
    }
    Ok(())
}

impl Term {
    /// Checks that the operands fit the field and each other.
    fn check_numbers(&self) -> Result<(), Error> {
        let width = self.field.width();
        let highest = self.field.highest();
        let wrong = match self.test {
            Test::Value(value) => {
                value > highest || (self.field == Field::Fragment && value > fragment::LATER.into())
            }
            Test::Prefix { value, length } => {
                let length = u32::from(length);
                length > width || value & !prefix_mask(width, length) != 0
            }
            Test::Mask { value, mask } => mask > highest || value & !mask != 0,
            Test::Range { low, high } => high > highest || low > high,
        };
        refuse_if(wrong, Subject::Field(self.field), Why::OutOfRange)
    }

    /// Whether a value, which must fit the field, fulfils the term.
    pub fn holds(&self, value: u128) -> bool {
        let holds = match self.test.as_mask(self.field.width()) {
            Some((bits, mask)) => value & mask == bits,
            None => {
                let (low, high) = self.test.bounds(self.field.width());
                low <= value && value <= high
            }
        };
        holds != self.negated
    }
}

impl Test {
    /// Value and mask, if the test is one of bits.
    pub(super) fn as_mask(&self, width: u32) -> Option<(u128, u128)> {
        match *self {
            Test::Value(value) => Some((value, ones(width))),
            Test::Prefix { value, length } => Some((value, prefix_mask(width, length.into()))),
            Test::Mask { value, mask } => Some((value, mask)),
            Test::Range { .. } => None,
        }
    }

    /// The lowest and the highest value that pass the test.
    pub(super) fn bounds(&self, width: u32) -> (u128, u128) {
        match (*self, self.as_mask(width)) {
            (Test::Range { low, high }, _) => (low, high),
            (_, Some((value, mask))) => (value, value | (ones(width) & !mask)),
            (_, None) => (0, ones(width)),
        }
    }

    /// Whether one of the states of a connection passes, if the test is one of bits.
    fn admits_a_state(&self) -> bool {
        let all = conntrack::STATES
            .iter()
            .fold(0, |all, &state| all | u128::from(state));
        match self.as_mask(Field::Conntrack.width()) {
            Some((value, mask)) => conntrack::STATES
                .iter()
                .any(|&state| (u128::from(state) ^ value) & mask & all == 0),
            None => true,
        }
    }

    /// Whether exactly the values within the bounds pass.
    fn is_interval(&self, width: u32) -> bool {
        match self.as_mask(width) {
            // The bits that aren't compared are the lowest.
            Some((_, mask)) => {
                let free = ones(width) & !mask;
                free & free.wrapping_add(1) == 0
            }
            None => true,
        }
    }

    /// Whether what passes this test passes the other too, as far as that is easily seen.
    fn implies(&self, other: &Test, width: u32) -> bool {
        if let (Some((value, mask)), Some((other, wanted))) =
            (self.as_mask(width), other.as_mask(width))
        {
            return wanted & !mask == 0 && value & wanted == other;
        }
        let (low, high) = self.bounds(width);
        let (other_low, other_high) = other.bounds(width);

        other.is_interval(width) && other_low <= low && high <= other_high
    }

    /// Whether nothing passes both tests, as far as that is easily seen.
    fn excludes(&self, other: &Test, width: u32) -> bool {
        if let (Some((a, a_mask)), Some((b, b_mask))) = (self.as_mask(width), other.as_mask(width))
        {
            return (a ^ b) & a_mask & b_mask != 0;
        }
        let (a_low, a_high) = self.bounds(width);
        let (b_low, b_high) = other.bounds(width);

        a_high < b_low || b_high < a_low
    }
}

/// Whether none of the values, of which there is at least one, fulfils a term.
fn excludes(values: &[u16], term: &Term) -> bool {
    !values.is_empty() && !values.iter().any(|&value| term.holds(value.into()))
}

/// Protocols whose packets can have a field; empty if those of any can.
const fn protocols(field: Field) -> &'static [u16] {
    match field {
        Field::SourcePort | Field::DestinationPort => &[TCP as u16, UDP as u16, SCTP as u16],
        Field::TcpFlags => &[TCP as u16],
        Field::IcmpType | Field::IcmpCode => &[ICMP as u16],
        Field::Icmpv6Type | Field::Icmpv6Code => &[ICMPV6 as u16],
        _ => &[],
    }
}

/// Ethertypes of packets that can have a field; empty if those of any can.
const fn ethertypes(field: Field) -> &'static [u16] {
    if Fields::IPV4.contains(field) {
        &[ETHERTYPE_IPV4]
    } else if Fields::IPV6.contains(field) {
        &[ETHERTYPE_IPV6]
    } else if Fields::IP.contains(field) {
        &[ETHERTYPE_IPV4, ETHERTYPE_IPV6]
    } else {
        &[]
    }
}

/// What [`Field::Fragment`] can be in packets that have a field; empty if it can be anything.
const fn fragments(field: Field) -> &'static [u16] {
    if Fields::TRANSPORT.contains(field) {
        &[fragment::WHOLE as u16, fragment::FIRST as u16]
    } else {
        &[]
    }
}

/// Whether two sets, neither of them empty, have nothing in common.
fn are_disjoint(a: &[u16], b: &[u16]) -> bool {
    !a.is_empty() && !b.is_empty() && !a.iter().any(|value| b.contains(value))
}

/// Whether no packet fulfils both terms, as far as that is easily seen.
fn contradict(a: &Term, b: &Term) -> bool {
    if a.field == b.field {
        let width = a.field.width();

        return match (a.negated, b.negated) {
            (false, false) => a.test.excludes(&b.test, width),
            (false, true) => a.test.implies(&b.test, width),
            (true, false) => b.test.implies(&a.test, width),
            (true, true) => false,
        };
    }
    let needs = |field: Field, term: &Term| match term.field {
        Field::Protocol => excludes(protocols(field), term),
        Field::Ethertype => excludes(ethertypes(field), term),
        Field::Fragment => excludes(fragments(field), term),
        _ => false,
    };

    are_disjoint(protocols(a.field), protocols(b.field))
        || are_disjoint(ethertypes(a.field), ethertypes(b.field))
        || needs(a.field, b)
        || needs(b.field, a)
}

/// Checks modifiers.
pub(super) fn check_modifiers(modifiers: &Modifiers) -> Result<(), Error> {
    for (number, subject) in [
        (modifiers.nth, Subject::Nth),
        (modifiers.every, Subject::Every),
        (modifiers.probability, Subject::Probability),
        (modifiers.at_most, Subject::AtMost),
        (modifiers.rate.map(|rate| rate.burst), Subject::Rate),
    ] {
        refuse_if(number == Some(0), subject, Why::OutOfRange)?;
    }
    if let Some(rate) = modifiers.rate {
        let wrong = rate.per_second == 0 || rate.per_second > RATE_MAX;
        refuse_if(wrong, Subject::Rate, Why::OutOfRange)?;
    }
    if let (Some(nth), Some(every)) = (modifiers.nth, modifiers.every) {
        // Both can be fulfilled only by the one packet.
        let wrong = nth.checked_rem(every) != Some(0);
        refuse_if(wrong, Subject::Every, Why::Contradicts(Subject::Nth))?;
    }
    Ok(())
}

/// Checks an action.
pub(super) fn check_action(point: &Point, action: &Action) -> Result<(), Error> {
    let subject = Subject::Action;
    let wrong = match *action {
        Action::Accept | Action::Drop | Action::Continue | Action::Truncate { .. } => false,
        Action::SetMark { value, mask } => mask == 0 || value & !mask != 0,
        Action::SetDscp(dscp) => dscp > 63,
        Action::SetEcn(ecn) => ecn > 3,
        Action::Queue { .. } => {
            // The queue's handler has no way to resume packets of devices.
            let netdev = matches!(point.hook, Hook::Ingress | Hook::Egress);
            refuse_if(netdev, subject, Why::WrongHook)?;
            false
        }
        Action::Sample { snap } => snap == 0,
        Action::Corrupt { bits, .. } => bits == 0 || bits > CORRUPT_MAX,
        Action::Duplicate { copies } => copies == 0 || copies > COPIES_MAX,
        Action::Delay { delay, jitter } => {
            delay == 0 || jitter > delay || delay.saturating_add(jitter) > HOLD_MAX
        }
        Action::Reorder { gap, timeout } => {
            gap == 0 || gap > GAP_MAX || timeout == 0 || timeout > HOLD_MAX
        }
    };
    refuse_if(wrong, subject, Why::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::rule::{
        Builder,
        Rate, //
    };
    use proptest::prelude::*;
    use Field::*;

    const NETDEV: Point = Point {
        hook: Hook::Ingress,
        family: Family::Netdev,
    };
    const INPUT: Point = Point {
        hook: Hook::Input,
        family: Family::Inet,
    };

    fn is(field: Field, value: u128) -> Term {
        Term {
            field,
            negated: false,
            test: Test::Value(value),
        }
    }

    fn range(field: Field, low: u128, high: u128) -> Term {
        Term {
            field,
            negated: false,
            test: Test::Range { low, high },
        }
    }

    fn mask(field: Field, value: u128, mask: u128) -> Term {
        Term {
            field,
            negated: false,
            test: Test::Mask { value, mask },
        }
    }

    fn prefix(field: Field, value: u128, length: u8) -> Term {
        Term {
            field,
            negated: false,
            test: Test::Prefix { value, length },
        }
    }

    fn not(term: Term) -> Term {
        Term {
            negated: true,
            ..term
        }
    }

    /// Adds terms in turn; only the last may fail.
    fn add(point: Point, terms: &[Term]) -> Result<(), Error> {
        let mut builder = Builder::new(point);
        let (last, first) = terms.split_last().unwrap();
        for term in first {
            builder.term(term).unwrap();
        }
        let before = builder.clone().finish().unwrap().words().to_vec();
        let result = builder.term(last);
        if result.is_err() {
            assert_eq!(builder.finish().unwrap().words(), before);
        }
        result
    }

    fn error(field: Field, why: Why) -> Result<(), Error> {
        Err(Error::new(Subject::Field(field), why))
    }

    #[test]
    fn numbers_out_of_range() {
        for (good, bad) in [
            (is(Vlan, 4095), is(Vlan, 4096)),
            (is(Fragment, 2), is(Fragment, 3)),
            (is(TcpFlags, 511), is(TcpFlags, 512)),
            (range(SourcePort, 5, 5), range(SourcePort, 5, 4)),
            (range(SourcePort, 0, 0xffff), range(SourcePort, 0, 0x10000)),
            (mask(Mark, 4, 12), mask(Mark, 3, 12)),
            (mask(Dscp, 0, 63), mask(Dscp, 0, 64)),
            (
                prefix(SourceIpv4, 10 << 24, 7),
                prefix(SourceIpv4, 10 << 24, 6),
            ),
            (prefix(SourceIpv4, 0, 32), prefix(SourceIpv4, 0, 33)),
            (prefix(SourceIpv6, 0, 128), prefix(SourceIpv6, 0, 129)),
        ] {
            assert_eq!(add(NETDEV, &[good]), Ok(()));
            assert_eq!(add(NETDEV, &[bad]), error(bad.field, Why::OutOfRange));
            assert_eq!(add(NETDEV, &[not(bad)]), error(bad.field, Why::OutOfRange));
        }
    }

    #[test]
    fn fields_of_hooks() {
        use Family::*;
        use Hook::*;
        let everywhere = [Ethertype, SourceIpv4, Length, Mark, PacketType, Dscp];
        for (hook, family, fields, others) in [
            (
                Prerouting,
                Inet,
                vec![InDevice, SourceMac, Conntrack, SourceIpv6],
                vec![OutDevice, Field::Vlan],
            ),
            (
                Input,
                Inet,
                vec![InDevice, SourceMac, Conntrack],
                vec![OutDevice, Field::Vlan],
            ),
            (
                Forward,
                Inet,
                vec![InDevice, OutDevice, SourceMac],
                vec![InnerVlan],
            ),
            (
                Output,
                Inet,
                vec![OutDevice, Conntrack],
                vec![InDevice, SourceMac, Field::Vlan],
            ),
            (
                Postrouting,
                Ipv4,
                vec![InDevice, OutDevice],
                vec![DestinationMac, SourceIpv6, Icmpv6Type],
            ),
            (
                Ingress,
                Netdev,
                vec![InDevice, Field::Vlan, SourceMac],
                vec![OutDevice, Conntrack],
            ),
            (
                Egress,
                Netdev,
                vec![OutDevice, InnerVlan, Conntrack],
                vec![InDevice],
            ),
        ] {
            let point = Point { hook, family };
            for field in fields.into_iter().chain(everywhere) {
                let value = if field == Ethertype { 0x800 } else { 1 };
                assert_eq!(
                    add(point, &[is(field, value)]),
                    Ok(()),
                    "{hook:?} {field:?}"
                );
            }
            for field in others {
                assert_eq!(add(point, &[is(field, 1)]), error(field, Why::WrongHook));
            }
        }
        let ipv6 = Point {
            hook: Input,
            family: Ipv6,
        };
        assert_eq!(
            add(ipv6, &[is(SourceIpv4, 1)]),
            error(SourceIpv4, Why::WrongHook)
        );
        assert_eq!(
            add(ipv6, &[is(Ethertype, 0x800)]),
            error(Ethertype, Why::WrongHook)
        );
        assert_eq!(
            add(INPUT, &[is(Ethertype, 0x806)]),
            error(Ethertype, Why::WrongHook)
        );
        assert_eq!(add(NETDEV, &[is(Ethertype, 0x806)]), Ok(()));
    }

    #[test]
    fn contradictions() {
        for terms in [
            [is(SourcePort, 1), is(SourcePort, 2)],
            [is(SourcePort, 1), not(is(SourcePort, 1))],
            [range(SourcePort, 1, 5), range(SourcePort, 6, 9)],
            [range(SourcePort, 1, 5), is(SourcePort, 6)],
            [range(SourcePort, 1, 5), not(range(SourcePort, 1, 9))],
            [range(SourcePort, 4, 7), not(mask(SourcePort, 4, 0xfffc))],
            [mask(Mark, 4, 6), mask(Mark, 2, 2)],
            [is(Mark, 5), not(mask(Mark, 1, 3))],
            [
                prefix(SourceIpv4, 10 << 24, 8),
                prefix(SourceIpv4, 11 << 24, 16),
            ],
            [is(SourceIpv4, 1), is(DestinationIpv6, 1)],
            [is(SourceIpv4, 1), not(is(DestinationIpv6, 1))],
            [is(SourceIpv4, 1), is(Ethertype, 0x86dd)],
            [is(SourceIpv6, 1), not(is(Ethertype, 0x86dd))],
            [is(Ttl, 1), is(Ethertype, 0x806)],
            [is(SourcePort, 1), is(Protocol, 1)],
            [is(TcpFlags, 2), not(is(Protocol, 6))],
            [is(IcmpType, 8), is(Protocol, 58)],
            [is(IcmpType, 8), is(SourceIpv6, 1)],
            [is(SourcePort, 8), is(IcmpCode, 1)],
            [is(SourcePort, 8), is(Fragment, 2)],
            [is(SourcePort, 8), range(Fragment, 2, 3)],
        ] {
            let [a, b] = terms;
            let why = |with| Why::Contradicts(Subject::Field(with));
            assert_eq!(
                add(NETDEV, &[a, b]),
                error(b.field, why(a.field)),
                "{terms:?}"
            );
            assert_eq!(
                add(NETDEV, &[b, a]),
                error(a.field, why(b.field)),
                "{terms:?}"
            );
        }
        // Established and related at once; none of the five.
        for term in [mask(Conntrack, 6, 6), mask(Conntrack, 0, 0x4f)] {
            let itself = Why::Contradicts(Subject::Field(Conntrack));
            assert_eq!(add(INPUT, &[term]), error(Conntrack, itself));
            assert_eq!(add(INPUT, &[not(term)]), Ok(()));
        }
        let itself = Why::Contradicts(Subject::Field(SourcePort));
        for everything in [
            mask(SourcePort, 0, 0),
            prefix(SourcePort, 0, 0),
            range(SourcePort, 0, 0xffff),
        ] {
            assert_eq!(add(INPUT, &[everything]), Ok(()));
            assert_eq!(add(INPUT, &[not(everything)]), error(SourcePort, itself));
        }
    }

    #[test]
    fn no_contradictions() {
        for terms in [
            [range(SourcePort, 1, 5), range(SourcePort, 5, 9)],
            [range(SourcePort, 1, 5), not(is(SourcePort, 3))],
            [not(is(SourcePort, 1)), not(is(SourcePort, 2))],
            [mask(Mark, 4, 6), mask(Mark, 1, 1)],
            [is(SourcePort, 1), not(is(Protocol, 6))],
            [is(SourcePort, 1), is(Protocol, 132)],
            [is(SourcePort, 1), is(TcpFlags, 2)],
            [is(SourcePort, 8), is(Fragment, 1)],
            [is(Dscp, 8), is(SourceIpv6, 1)],
            [mask(Conntrack, 0x102, 0x102), not(mask(Conntrack, 0, 6))],
            [
                prefix(SourceIpv4, 10 << 24, 8),
                prefix(SourceIpv4, 10 << 24, 16),
            ],
        ] {
            let [a, b] = terms;
            assert_eq!(add(INPUT, &[a, b]), Ok(()), "{terms:?}");
            assert_eq!(add(INPUT, &[b, a]), Ok(()), "{terms:?}");
        }
    }

    #[test]
    fn modifiers() {
        let none = Modifiers::default();
        let rate = Rate {
            per_second: 1,
            burst: 1,
            bytes: true,
        };
        let with_rate = |rate| Modifiers {
            rate: Some(rate),
            ..none
        };
        let with = |nth, every| Modifiers { nth, every, ..none };
        let out_of_range = |subject| Err(Error::new(subject, Why::OutOfRange));

        assert_eq!(check_modifiers(&none), Ok(()));
        assert_eq!(check_modifiers(&with_rate(rate)), Ok(()));
        assert_eq!(
            check_modifiers(&with(Some(0), None)),
            out_of_range(Subject::Nth)
        );
        assert_eq!(
            check_modifiers(&with(None, Some(0))),
            out_of_range(Subject::Every)
        );
        assert_eq!(check_modifiers(&with(Some(6), Some(3))), Ok(()));
        assert_eq!(
            check_modifiers(&with(Some(7), Some(3))),
            Err(Error::new(Subject::Every, Why::Contradicts(Subject::Nth)))
        );
        for (burst, per_second) in [(0, 1), (1, 0), (1, RATE_MAX + 1)] {
            let rate = Rate {
                burst,
                per_second,
                ..rate
            };
            assert_eq!(
                check_modifiers(&with_rate(rate)),
                out_of_range(Subject::Rate)
            );
        }
        let never = Modifiers {
            at_most: Some(0),
            ..none
        };
        assert_eq!(check_modifiers(&never), out_of_range(Subject::AtMost));
        let never = Modifiers {
            probability: Some(0),
            ..none
        };
        assert_eq!(check_modifiers(&never), out_of_range(Subject::Probability));
    }

    #[test]
    fn actions() {
        let queue = Action::Queue {
            number: 0,
            bypass: false,
        };
        let delay = |delay, jitter| Action::Delay { delay, jitter };
        let reorder = |gap, timeout| Action::Reorder { gap, timeout };
        let wrong_hook = Err(Error::new(Subject::Action, Why::WrongHook));

        assert_eq!(check_action(&INPUT, &queue), Ok(()));
        assert_eq!(check_action(&NETDEV, &queue), wrong_hook);
        for good in [
            Action::SetMark { value: 1, mask: 3 },
            Action::SetDscp(63),
            Action::SetEcn(3),
            Action::Sample { snap: 1 },
            Action::Corrupt { bits: 1, from: 0 },
            Action::Truncate { length: 0 },
            Action::Duplicate { copies: 16 },
            delay(1, 1),
            delay(HOLD_MAX, 0),
            delay(HOLD_MAX / 2, HOLD_MAX / 2),
            reorder(1, 1),
            reorder(1, HOLD_MAX),
        ] {
            assert_eq!(check_action(&NETDEV, &good), Ok(()));
        }
        for bad in [
            Action::SetMark { value: 0, mask: 0 },
            Action::SetMark { value: 4, mask: 3 },
            Action::SetDscp(64),
            Action::SetEcn(4),
            Action::Sample { snap: 0 },
            Action::Corrupt { bits: 0, from: 0 },
            Action::Corrupt {
                bits: CORRUPT_MAX + 1,
                from: 0,
            },
            Action::Duplicate { copies: 0 },
            Action::Duplicate { copies: 17 },
            delay(0, 0),
            delay(1, 2),
            delay(HOLD_MAX + 1, 0),
            delay(HOLD_MAX, 1),
            delay(u64::MAX, u64::MAX),
            reorder(1, HOLD_MAX + 1),
            reorder(0, 1),
            reorder(1, 0),
            reorder(GAP_MAX + 1, 1),
        ] {
            let error = Error::new(Subject::Action, Why::OutOfRange);
            assert_eq!(check_action(&NETDEV, &bad), Err(error), "{bad:?}");
        }
    }

    /// A test of a field of three bits.
    fn small() -> impl Strategy<Value = Term> {
        (0u8..4, 0u128..8, 0u128..8, any::<bool>()).prop_map(|(kind, a, b, negated)| {
            let term = match kind {
                0 => is(PacketType, a),
                1 => mask(PacketType, a & b, b),
                2 => prefix(PacketType, a & prefix_mask(3, b as u32 % 4), b as u8 % 4),
                _ => range(PacketType, a.min(b), a.max(b)),
            };
            Term { negated, ..term }
        })
    }

    proptest! {
        /// Two terms that are called a contradiction leave no value, and of those that leave none
        /// only pairs of negations and odd masks aren't called one.
        #[test]
        fn contradictions_are_such(a in small(), b in small()) {
            let possible = (0..8).any(|value| a.holds(value) && b.holds(value));
            prop_assert!(!possible || !contradict(&a, &b), "{a:?} {b:?}");
            prop_assert_eq!(contradict(&a, &b), contradict(&b, &a));
            let simple = |term: &Term| term.test.is_interval(3);
            if !possible && simple(&a) && simple(&b) && !(a.negated && b.negated) {
                // A negated interval may hide two.
                let everything = |t: &Term| t.negated && (0..8).all(|value| !t.holds(value));
                prop_assert!(contradict(&a, &b) || everything(&a) || everything(&b), "{a:?} {b:?}");
            }
        }
    }
}
