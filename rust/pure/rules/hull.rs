// SPDX-License-Identifier: GPL-2.0

//! What all rules of a list have in common.
//!
//! Many a ruleset is for one protocol, one network, one port. A packet that lacks what all rules want
//! needs no key and no look-up. [`Hull`] says so of IPv4 packets, by bytes that stand at fixed places.
//! It may not see that no rule matches, but where it says so, none does: where these bytes aren't the
//! fields they are taken for, as the header makes no sense or the packet is a later fragment, the
//! packet has no such fields, and the rules want them.

use super::field::Field;
use super::shape::Cell;

/// Bytes of an IPv4 header without options, and the ports behind it.
pub const HULL_BYTES: usize = 24;

/// Version 4 and a header without options.
const NO_OPTIONS: u8 = 0x45;

/// Bits that all rules look at and want to be the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hull {
    /// Of source and destination address.
    addresses: (u64, u64),
    /// Of source and destination port.
    ports: (u32, u32),
    /// Of the protocol.
    protocol: (u8, u8),
    /// Whether it can tell anything.
    tells: bool,
}

/// What the cells so far have in common in the first words of a key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Common {
    mask: [u64; 3],
    value: [u64; 3],
    any: bool,
}

impl Common {
    /// One more cell.
    pub(super) fn add(&mut self, cell: &Cell) {
        let cells = cell.mask.iter().zip(&cell.value);

        for ((mask, value), (cell_mask, cell_value)) in
            self.mask.iter_mut().zip(&mut self.value).zip(cells)
        {
            if !self.any {
                (*mask, *value) = (*cell_mask, *cell_value);
            }
            *mask &= cell_mask & !(*value ^ cell_value);
            *value &= *mask;
        }
        self.any = true;
    }

    /// What that means for bytes of a packet.
    pub(super) fn hull(&self) -> Hull {
        let ([first, second, third], [first_value, second_value, third_value]) =
            (self.mask, self.value);
        let place = Field::Protocol.place();
        let protocol = |word: u64| word.wrapping_shr(place.shift.into()) as u8;
        let ports = |word: u64| (word >> 32) as u32;
        let mut hull = Hull {
            addresses: (third, third_value),
            ports: (ports(second), ports(second_value)),
            protocol: (protocol(first), protocol(first_value)),
            tells: false,
        };

        hull.tells = hull.addresses.0 != 0 || hull.ports.0 != 0 || hull.protocol.0 != 0;
        hull
    }
}

impl Hull {
    /// Whether it can tell anything of a packet.
    #[inline]
    pub const fn tells(&self) -> bool {
        self.tells
    }

    /// Whether no rule matches an IPv4 packet that begins with these bytes.
    #[inline]
    pub fn excludes(&self, ip: &[u8; HULL_BYTES]) -> bool {
        let [version, _, _, _, _, _, _, _, _, protocol, _, _, a0, a1, a2, a3, a4, a5, a6, a7, p0, p1, p2, p3] =
            *ip;
        let addresses = u64::from_be_bytes([a0, a1, a2, a3, a4, a5, a6, a7]);
        let ports = u32::from_be_bytes([p0, p1, p2, p3]);

        (addresses & self.addresses.0) != self.addresses.1
            || (protocol & self.protocol.0) != self.protocol.1
            || (version == NO_OPTIONS && (ports & self.ports.0) != self.ports.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check::{
        Family,
        Hook,
        Point, //
    };
    use crate::rules::field::Fields;
    use crate::rules::packet::{
        Key,
        Packet,
        Start, //
    };
    use crate::rules::rule::Builder;
    use crate::rules::shape::CELLS_MAX;
    use crate::rules::term::{
        prefix_mask,
        Term,
        Test, //
    };
    use proptest::prelude::*;

    const POINT: Point = Point {
        hook: Hook::Input,
        family: Family::Inet,
    };

    fn term() -> impl Strategy<Value = Term> {
        let fields = [
            Field::SourceIpv4,
            Field::DestinationIpv4,
            Field::SourcePort,
            Field::DestinationPort,
            Field::Protocol,
            Field::IcmpType,
            Field::Ttl,
        ];
        (
            prop::sample::select(fields.to_vec()),
            prop::sample::select(vec![0u128, 1, 6, 17, 80, 0x0a00_0001, 0x0a00_0002, 0xffff]),
            0u8..5,
            any::<bool>(),
        )
            .prop_map(|(field, value, kind, negated)| {
                let value = value & field.highest();
                let width = field.width();
                let length = width * u32::from(kind % 3) / 2;
                let test = match kind {
                    0 | 1 => Test::Value(value),
                    2 => Test::Prefix {
                        value: value & prefix_mask(width, length),
                        length: length as u8,
                    },
                    3 => Test::Range {
                        low: value / 2,
                        high: value,
                    },
                    _ => Test::Mask {
                        value: value & 0x55,
                        mask: 0x55 & field.highest(),
                    },
                };
                Term {
                    field,
                    negated,
                    test,
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        /// What a hull excludes no rule matches.
        #[test]
        fn excluded_is_unmatched(
            rules in prop::collection::vec(prop::collection::vec(term(), 1..4), 1..4),
            bytes in any::<[u8; 44]>(),
            header in 0u8..8,
            pick in any::<[u8; 6]>(),
        ) {
            let mut bytes = bytes;
            bytes[0] = if header == 0 { 0x46 } else { 0x45 };
            bytes[2..4].copy_from_slice(&[0, if header == 1 { 60 } else { 44 }]);
            bytes[6..8].copy_from_slice(&[0, u8::from(header == 2)]);
            bytes[9] = [6, 17, 1, 0][usize::from(pick[0] % 4)];
            for (n, at) in [12, 16].into_iter().enumerate() {
                bytes[at..at + 4].copy_from_slice(&[10, 0, 0, pick[n + 1] % 3]);
            }
            for (n, at) in [20, 22].into_iter().enumerate() {
                bytes[at..at + 2].copy_from_slice(&[0, [80, 0, 1][usize::from(pick[n + 3] % 3)]]);
            }
            let packet = Packet {
                data: &bytes,
                start: Start::Network { ethertype: 0x800, addresses: None },
                length: 44,
                tag: None,
                in_device: 0,
                out_device: 0,
                mark: 0,
                packet_type: 0,
                conntrack: None,
            };
            let key = Key::read(&packet, Fields::ALL);
            let (mut common, mut matched, mut none) = (Common::default(), false, true);
            for terms in &rules {
                let mut builder = Builder::new(POINT);
                let taken = terms.iter().filter(|term| builder.term(term).is_ok()).count();
                let Ok(rule) = builder.finish() else { continue };
                prop_assume!(taken != 0);
                none = false;
                for number in 0..CELLS_MAX {
                    if let Some(cell) = Cell::of(rule.terms(), number) {
                        common.add(&cell);
                    }
                }
                matched |= rule.match_key(&key);
            }
            prop_assume!(!none);
            let hull = common.hull();
            prop_assert!(!(hull.excludes(bytes.first_chunk().unwrap()) && matched));
            prop_assert!(hull.tells() || !hull.excludes(bytes.first_chunk().unwrap()));
        }
    }

    /// One rule for a port of an address: another address, protocol or port is told at once.
    #[test]
    fn one_rule() {
        let mut builder = Builder::new(POINT);
        for (field, value) in [
            (Field::SourceIpv4, 0x0a00_0001),
            (Field::Protocol, 17),
            (Field::DestinationPort, 80),
        ] {
            let term = Term {
                field,
                negated: false,
                test: Test::Value(value),
            };
            builder.term(&term).unwrap();
        }
        let rule = builder.finish().unwrap();
        let mut common = Common::default();
        common.add(&Cell::of(rule.terms(), 0).unwrap());
        let hull = common.hull();
        let mut ip = [0; HULL_BYTES];
        ip[0] = 0x45;
        ip[9] = 17;
        ip[12] = 10;
        ip[15] = 1;
        ip[23] = 80;
        assert!(hull.tells() && !hull.excludes(&ip));
        for at in [9, 15, 23] {
            let mut other = ip;
            other[at] ^= 1;
            assert!(hull.excludes(&other));
        }
        // With options the port is elsewhere.
        ip[0] = 0x46;
        ip[23] = 81;
        assert!(!hull.excludes(&ip));
    }
}
