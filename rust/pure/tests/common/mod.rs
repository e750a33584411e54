// SPDX-License-Identifier: GPL-2.0

//! Random rules and packets that have something to do with each other.
//!
//! Numbers are drawn from a seed, so a failure can be repeated by it.

use pure::rules::check::{
    Family,
    Hook,
    Point, //
};
use pure::rules::classify::{
    Classifier,
    Error,
    Layout,
    Plan,
    SCRATCH_WORDS, //
};
use pure::rules::field::{
    Field,
    COUNT, //
};
use pure::rules::packet::{
    Packet,
    Start, //
};
use pure::rules::rule::{
    Builder,
    Rules, //
};
use pure::rules::term::{
    Term,
    Test, //
};

/// A generator of random numbers: SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A list of rules and its classifier, with their memory.
pub struct Compiled {
    pub words: Vec<u32>,
    pub offsets: Vec<u32>,
    pub memory: Vec<u64>,
    pub layout: Layout,
}

impl Compiled {
    pub fn rules(&self) -> Rules<'_> {
        Rules::new(&self.words, &self.offsets)
    }

    pub fn classifier(&self) -> Classifier<'_> {
        Classifier::new(&self.layout, self.rules(), &self.memory)
    }
}

/// Encoded rules, not compiled: words and offsets.
pub fn encode<'a>(
    point: Point,
    rules: impl IntoIterator<Item = &'a [Term]>,
) -> (Vec<u32>, Vec<u32>) {
    let (mut words, mut offsets) = (vec![], vec![]);

    for terms in rules {
        let mut builder = Builder::new(point);
        for term in terms {
            builder.term(term).expect("it was tried before");
        }
        offsets.push(words.len() as u32);
        words.extend(builder.finish().expect("short enough").words());
    }
    (words, offsets)
}

/// Compiles rules.
pub fn compile((words, offsets): (Vec<u32>, Vec<u32>), seed: u64) -> Result<Compiled, Error> {
    let mut scratch = vec![!0; SCRATCH_WORDS];
    let plan = Plan::new(Rules::new(&words, &offsets), seed, &mut scratch)?;
    let mut memory = vec![!0; plan.words()];
    let layout = plan.build(&mut memory)?;

    Ok(Compiled {
        words,
        offsets,
        memory,
        layout,
    })
}

/// Values that rules and packets have in common, a few of each field.
pub struct World {
    pools: Vec<Vec<u128>>,
    point: Point,
    /// One in so many terms is negated.
    negated: usize,
    /// Kinds of tests in use.
    kinds: Vec<u8>,
}

const PROTOCOLS: [u128; 9] = [6, 6, 6, 17, 17, 132, 1, 58, 47];
const ETHERTYPES: [u128; 4] = [0x800, 0x800, 0x86dd, 0x806];

impl World {
    pub fn new(r: &mut Random) -> World {
        let size = 1 + r.below(6);
        let pools = Field::ALL.map(|field| match field {
            Field::Protocol => PROTOCOLS.to_vec(),
            Field::Ethertype => ETHERTYPES.to_vec(),
            Field::Fragment => vec![0, 0, 0, 1, 2],
            _ => {
                let base = r.wide();
                // Values that share a prefix of some length.
                let own = (0..size).map(|_| r.wide() >> r.below(128));
                own.map(|own| (base ^ own) & field.highest()).collect()
            }
        });
        let points = [
            (Hook::Egress, Family::Netdev),
            (Hook::Ingress, Family::Netdev),
            (Hook::Forward, Family::Inet),
            (Hook::Prerouting, Family::Inet),
        ];
        let (hook, family) = r.pick(&points);
        let kinds = (0..1 + r.below(6)).map(|_| r.below(4) as u8).collect();
        World {
            pools: pools.to_vec(),
            point: Point { hook, family },
            negated: 2 + r.below(12),
            kinds,
        }
    }

    /// A value of a field, often one that others have too.
    fn value(&self, r: &mut Random, field: Field) -> u128 {
        let value = r.pick(&self.pools[usize::from(field.number())]);
        let special = matches!(field, Field::Protocol | Field::Ethertype | Field::Fragment);
        match r.below(12) {
            _ if special => value,
            0 => value ^ 1 << r.below(field.width() as usize),
            1 => value.wrapping_add(1) & field.highest(),
            2 => value.wrapping_sub(1) & field.highest(),
            3 => r.wide() & field.highest(),
            _ => value,
        }
    }

    fn term(&self, r: &mut Random) -> Term {
        let field = r.pick(&Field::ALL);
        let value = self.value(r, field);
        let width = field.width();
        let ones = |count: u32| 1u128.checked_shl(count).map_or(!0, |bit| bit - 1);
        let test = match r.pick(&self.kinds) {
            0 => Test::Value(value),
            1 => {
                let length = r.below(width as usize + 1) as u32;
                let mask = ones(width) & !ones(width - length);
                Test::Prefix {
                    value: value & mask,
                    length: length as u8,
                }
            }
            2 => {
                let mask = r.wide() & r.wide() & field.highest();
                Test::Mask {
                    value: value & mask,
                    mask,
                }
            }
            _ => {
                let other = match r.below(4) {
                    0 => self.value(r, field),
                    1 => value,
                    _ => value
                        .saturating_add(r.wide() >> r.below(128))
                        .min(field.highest()),
                };
                Test::Range {
                    low: value.min(other),
                    high: value.max(other),
                }
            }
        };
        Term {
            field,
            negated: r.one_in(self.negated),
            test,
        }
    }

    /// A rule that isn't refused.
    fn rule(&self, r: &mut Random) -> Vec<Term> {
        let mut builder = Builder::new(self.point);
        let mut terms = vec![];

        for _ in 0..r.below(6) {
            let term = self.term(r);
            if builder.term(&term).is_ok() {
                terms.push(term);
            }
        }
        terms
    }

    /// Rules, of which some are there several times.
    pub fn rules(&self, r: &mut Random, count: usize) -> Vec<Vec<Term>> {
        let mut rules: Vec<Vec<Term>> = vec![];

        for _ in 0..count {
            let rule = match rules.len() {
                0 => self.rule(r),
                _ if r.one_in(10) => rules[r.below(rules.len())].clone(),
                _ => self.rule(r),
            };
            rules.push(rule);
        }
        rules
    }

    pub fn encode(&self, rules: &[Vec<Term>]) -> (Vec<u32>, Vec<u32>) {
        encode(self.point, rules.iter().map(|terms| &terms[..]))
    }
}

/// A packet, and what is known of it without reading it.
pub struct Made {
    data: Vec<u8>,
    ethernet: bool,
    ethertype: u16,
    tag: Option<u16>,
    pub fields: [Option<u128>; COUNT],
}

impl Made {
    fn get(&self, field: Field) -> u128 {
        self.fields[usize::from(field.number())].unwrap_or(0)
    }

    /// Chooses a value.
    fn choose(&mut self, world: &World, r: &mut Random, field: Field) -> u128 {
        let value = world.value(r, field);
        self.fields[usize::from(field.number())] = Some(value);
        value
    }

    pub fn new(world: &World, r: &mut Random) -> Made {
        let mut made = Made {
            data: vec![],
            ethernet: r.one_in(2),
            ethertype: 0,
            tag: None,
            fields: [None; COUNT],
        };
        for field in [Field::InDevice, Field::OutDevice, Field::Conntrack] {
            let known = !r.one_in(4);
            if known && made.choose(world, r, field) == 0 && field != Field::Conntrack {
                made.fields[usize::from(field.number())] = None;
            }
        }
        made.choose(world, r, Field::Mark);
        made.choose(world, r, Field::PacketType);
        made.link(world, r);
        match made.ethertype {
            0x800 => made.ipv4(world, r),
            0x86dd => made.ipv6(world, r),
            _ => made.data.extend([0; 30]),
        }
        made.fields[usize::from(Field::Length.number())] = Some(made.data.len() as u128);
        made
    }

    fn link(&mut self, world: &World, r: &mut Random) {
        self.ethertype = self.choose(world, r, Field::Ethertype) as u16;
        if !self.ethernet {
            return;
        }
        for field in [Field::DestinationMac, Field::SourceMac] {
            let mac = self.choose(world, r, field) as u64;
            self.data.extend(&mac.to_be_bytes()[2..]);
        }
        for field in [Field::Vlan, Field::InnerVlan] {
            if r.one_in(2) {
                break;
            }
            let tag = self.choose(world, r, field) as u16 | (r.next() as u16) << 12;
            if field == Field::Vlan && r.one_in(2) {
                self.tag = Some(tag);
            } else {
                self.data.extend(r.pick(&[0x8100u16, 0x88a8]).to_be_bytes());
                self.data.extend(tag.to_be_bytes());
            }
        }
        self.data.extend(self.ethertype.to_be_bytes());
    }

    /// The byte that holds DSCP and ECN.
    fn traffic_class(&mut self, world: &World, r: &mut Random) -> u8 {
        let dscp = self.choose(world, r, Field::Dscp) as u8;
        dscp << 2 | self.choose(world, r, Field::Ecn) as u8
    }

    fn ipv4(&mut self, world: &World, r: &mut Random) {
        let options = r.pick(&[0, 0, 0, 4, 40]);
        let class = self.traffic_class(world, r);
        let fragment = self.choose(world, r, Field::Fragment);
        let ttl = self.choose(world, r, Field::Ttl) as u8;
        let protocol = self.choose(world, r, Field::Protocol) as u8;
        let source = self.choose(world, r, Field::SourceIpv4) as u32;
        let destination = self.choose(world, r, Field::DestinationIpv4) as u32;
        let transport = self.transport(world, r, protocol);
        let length = (20 + options + transport.len()) as u16;

        self.data.extend([0x45 + options as u8 / 4, class]);
        self.data.extend(length.to_be_bytes());
        self.data.extend([0, 0]);
        self.data
            .extend([0x4000u16, 0x2000, 0x2004][fragment as usize].to_be_bytes());
        self.data.extend([ttl, protocol, 0, 0]);
        self.data.extend(source.to_be_bytes());
        self.data.extend(destination.to_be_bytes());
        self.data.extend(vec![0; options]);
        self.data.extend(transport);
    }

    fn ipv6(&mut self, world: &World, r: &mut Random) {
        let class = self.traffic_class(world, r);
        let fragment = self.choose(world, r, Field::Fragment) as usize;
        let ttl = self.choose(world, r, Field::Ttl) as u8;
        let protocol = self.choose(world, r, Field::Protocol) as u8;
        let source = self.choose(world, r, Field::SourceIpv6);
        let destination = self.choose(world, r, Field::DestinationIpv6);
        let transport = self.transport(world, r, protocol);
        let (mut next, mut chain) = (protocol, vec![]);

        if fragment != 0 || r.one_in(4) {
            chain = [
                vec![next, 0],
                [0u16, 1, 8][fragment].to_be_bytes().to_vec(),
                vec![0; 4],
            ]
            .concat();
            next = 44;
        }
        if r.one_in(4) {
            let options = [vec![next, 1], vec![0; 14]].concat();
            chain = [options, chain].concat();
            next = r.pick(&[0, 43, 60]);
        }
        let length = (chain.len() + transport.len()) as u16;
        self.data.extend([0x60 | class >> 4, class << 4, 0, 0]);
        self.data.extend(length.to_be_bytes());
        self.data.extend([next, ttl]);
        self.data.extend(source.to_be_bytes());
        self.data.extend(destination.to_be_bytes());
        self.data.extend(chain);
        self.data.extend(transport);
    }

    fn transport(&mut self, world: &World, r: &mut Random, protocol: u8) -> Vec<u8> {
        let mut bytes = vec![0; 24];
        let icmp = match (protocol, self.ethertype) {
            (1, 0x800) => Some((Field::IcmpType, Field::IcmpCode)),
            (58, 0x86dd) => Some((Field::Icmpv6Type, Field::Icmpv6Code)),
            _ => None,
        };
        if self.get(Field::Fragment) == 2 {
            return bytes;
        }
        if let Some((kind, code)) = icmp {
            bytes[0] = self.choose(world, r, kind) as u8;
            bytes[1] = self.choose(world, r, code) as u8;
        }
        if matches!(protocol, 6 | 17 | 132) {
            for (n, field) in [Field::SourcePort, Field::DestinationPort]
                .into_iter()
                .enumerate()
            {
                let port = self.choose(world, r, field) as u16;
                bytes[2 * n..2 * n + 2].copy_from_slice(&port.to_be_bytes());
            }
        }
        if protocol == 6 {
            let flags = self.choose(world, r, Field::TcpFlags) as u16;
            bytes[12..14].copy_from_slice(&(0x5000 | flags).to_be_bytes());
        }
        bytes
    }

    /// The packet, of which only the first `seen` bytes are seen.
    pub fn packet(&self, seen: usize) -> Packet<'_> {
        Packet {
            data: &self.data[..seen],
            start: if self.ethernet {
                Start::Ethernet
            } else {
                Start::Network {
                    ethertype: self.ethertype,
                    addresses: None,
                }
            },
            length: self.data.len() as u32,
            tag: self.tag,
            in_device: self.get(Field::InDevice) as u32,
            out_device: self.get(Field::OutDevice) as u32,
            mark: self.get(Field::Mark) as u32,
            packet_type: self.get(Field::PacketType) as u8,
            conntrack: self.fields[usize::from(Field::Conntrack.number())]
                .map(|state| state as u16),
        }
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }
}
