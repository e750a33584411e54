// SPDX-License-Identifier: GPL-2.0

//! N-tuple rules: which of some numbered rules a frame meets first.
//!
//! A rule is a value and a mask over the same fields of a frame ([`Fields`]), and a location: of all
//! rules that a frame meets, the one with the lowest location holds (`ethtool -N`). Both are kept
//! as a [`Key`], in which every field has its place, so that a match is a few words masked and
//! compared.
//!
//! Most rules have one of a few masks. A [`Builder`] puts the rules of one mask together, sorted by
//! value: a [`lookup`] masks the key and searches, once for each mask, and ends when no mask that is
//! left has a rule of a lower location. So it costs what the masks cost, not the rules.

use crate::header::{
    array_at,
    Fragment,
    Headers,
    Mac,
    Network,
    Tag, //
};

/// Words of a key.
const WORDS: usize = 8;

/// Bit of [`Fields::has`]: there are the first bytes of a transport header. Fragments have none, the
/// first one neither, so that all of a datagram take the same way.
pub const HAS_TRANSPORT: u8 = 1;
/// Bit of [`Fields::has`]: there is a VLAN tag.
pub const HAS_TAG: u8 = 2;

/// The fields that rules look at: of a frame, of the value of a rule, or of its mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Destination address.
    pub destination: Mac,
    /// Source address.
    pub source: Mac,
    /// Ethertype behind the tags.
    pub ethertype: u16,
    /// Tag protocol of the outermost VLAN tag.
    pub tag_protocol: u16,
    /// Tag control information of the outermost VLAN tag.
    pub tag_control: u16,
    /// What there is to be looked at, `HAS_*` bits.
    pub has: u8,
    /// Version of IP, 4 or 6; 0 if the frame is none.
    pub version: u8,
    /// Protocol of what IP carries.
    pub protocol: u8,
    /// Type of service, or traffic class.
    pub tos: u8,
    /// The first bytes of the transport header, on the wire: ports, or a security parameters index.
    pub transport: [u8; 4],
    /// Source address; of IPv4 in the first four bytes.
    pub source_address: [u8; 16],
    /// Destination address; of IPv4 in the first four bytes.
    pub destination_address: [u8; 16],
}

impl Fields {
    /// Those of a frame.
    ///
    /// `tag` is a VLAN tag that travels beside the frame: it counts as the outermost one.
    pub fn of(frame: &[u8], headers: &Headers, tag: Option<Tag>) -> Fields {
        let mut fields = Fields {
            destination: crate::header::destination(frame)
                .copied()
                .unwrap_or_default(),
            source: crate::header::source(frame).copied().unwrap_or_default(),
            ethertype: headers.ethertype,
            ..Fields::default()
        };

        if let Some(tag) = tag.or_else(|| headers.tag(frame, 0)) {
            fields.tag_protocol = tag.protocol;
            fields.tag_control = tag.control;
            fields.has |= HAS_TAG;
        }
        fields.network(frame, headers);
        fields
    }

    /// Adds those of the packet in a frame, if it is IP.
    fn network(&mut self, frame: &[u8], headers: &Headers) {
        let at = usize::from(headers.network_offset);
        let Some(&[first, second]) = array_at(frame, at) else {
            return;
        };

        match headers.network {
            Network::Ipv4 => {
                self.version = 4;
                self.tos = second;
                if let Some(&[s0, s1, s2, s3, d0, d1, d2, d3]) = headers.ipv4_addresses(frame) {
                    self.source_address = ipv4([s0, s1, s2, s3]);
                    self.destination_address = ipv4([d0, d1, d2, d3]);
                }
            }
            Network::Ipv6 => {
                self.version = 6;
                self.tos = first.wrapping_shl(4) | second.wrapping_shr(4);
                if let Some(addresses) = headers.ipv6_addresses(frame) {
                    self.source_address = addresses.first_chunk().copied().unwrap_or_default();
                    self.destination_address = addresses.last_chunk().copied().unwrap_or_default();
                }
            }
            Network::Other => return,
        }
        self.protocol = headers.protocol;
        if headers.fragment == Fragment::Whole {
            let transport = headers.transport_offset;
            if let Some(bytes) = transport.and_then(|at| array_at(frame, at.into())) {
                self.transport = *bytes;
                self.has |= HAS_TRANSPORT;
            }
        }
    }

    /// As a key.
    pub fn key(&self) -> Key {
        let [d0, d1, d2, d3, d4, d5] = self.destination;
        let [s0, s1, s2, s3, s4, s5] = self.source;
        let [e0, e1] = self.ethertype.to_be_bytes();
        let [p0, p1] = self.tag_protocol.to_be_bytes();
        let [c0, c1] = self.tag_control.to_be_bytes();
        let [t0, t1, t2, t3] = self.transport;
        let [source_high, source_low] = halves(self.source_address);
        let [destination_high, destination_low] = halves(self.destination_address);

        // First what distinguishes rules most.
        Key([
            destination_low,
            destination_high,
            source_low,
            source_high,
            u64::from_be_bytes([
                t0,
                t1,
                t2,
                t3,
                self.has,
                self.version,
                self.protocol,
                self.tos,
            ]),
            u64::from_be_bytes([d0, d1, d2, d3, d4, d5, e0, e1]),
            u64::from_be_bytes([s0, s1, s2, s3, s4, s5, p0, p1]),
            u64::from_be_bytes([c0, c1, 0, 0, 0, 0, 0, 0]),
        ])
    }
}

/// An IPv4 address in the room of an IPv6 one.
pub fn ipv4(address: [u8; 4]) -> [u8; 16] {
    (u128::from(u32::from_be_bytes(address)) << 96).to_be_bytes()
}

/// The words of an address.
fn halves(address: [u8; 16]) -> [u64; 2] {
    let all = u128::from_be_bytes(address);

    [(all >> 64) as u64, all as u64]
}

/// [`Fields`] with a place for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u64; WORDS]);

impl Key {
    /// The bits of it that are set in `mask`.
    #[inline]
    #[must_use]
    pub fn masked(&self, mask: &Key) -> Key {
        let mut key = *self;

        for (word, mask) in key.0.iter_mut().zip(mask.0) {
            *word &= mask;
        }
        key
    }
}

/// The value of a rule, masked, and where the rule is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    value: Key,
    location: u16,
}

/// The rules of one mask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Group {
    mask: Key,
    /// The lowest location among them.
    lowest: u16,
    /// Where they begin among all entries, and how many there are.
    start: u16,
    count: u16,
}

/// Rules that are being put in order. The memory is the caller's; there need be no more than
/// [`u16::MAX`] of either.
#[derive(Debug)]
pub struct Builder<'a> {
    /// Ordered by their lowest locations.
    groups: &'a mut [Group],
    groups_used: u16,
    /// Those of each group together, sorted by value.
    entries: &'a mut [Entry],
    used: u16,
}

impl<'a> Builder<'a> {
    /// Begins with no rules.
    pub fn new(groups: &'a mut [Group], entries: &'a mut [Entry]) -> Self {
        Builder {
            groups,
            groups_used: 0,
            entries,
            used: 0,
        }
    }

    /// How many groups are in use.
    pub fn groups(&self) -> u16 {
        self.groups_used
    }

    /// Adds a rule. Rules are to be added in the order of their locations, the lowest first.
    ///
    /// A rule that no frame can meet first, since an earlier one has the same mask and value, takes no
    /// room. Returns `false` if there is none.
    pub fn add(&mut self, mask: &Key, value: &Key, location: u16) -> bool {
        let value = value.masked(mask);
        let used = usize::from(self.groups_used);
        let groups = self.groups.get(..used).unwrap_or_default();
        let known = groups.iter().position(|g| g.mask == *mask);
        let at = known.unwrap_or(used);
        let fresh = Group {
            mask: *mask,
            lowest: location,
            start: self.used,
            count: 0,
        };
        let Some(slot) = self.groups.get_mut(at) else {
            return false;
        };
        let group = if known.is_some() { *slot } else { fresh };

        let start = usize::from(group.start);
        let end = start.wrapping_add(group.count.into());
        let own = self.entries.get(start..end).unwrap_or_default();
        let Err(offset) = own.binary_search_by(|e| e.value.cmp(&value)) else {
            return true;
        };
        let position = start.wrapping_add(offset);
        let all = usize::from(self.used).wrapping_add(1);
        let Some(rest) = self.entries.get_mut(position..all) else {
            return false;
        };
        // What lies behind moves on by one.
        let mut moved = Entry { value, location };
        for entry in rest {
            core::mem::swap(entry, &mut moved);
        }
        *slot = Group {
            count: group.count.wrapping_add(1),
            ..group
        };
        self.used = self.used.wrapping_add(1);
        if known.is_none() {
            self.groups_used = self.groups_used.wrapping_add(1);
        }
        let in_use = self.groups.iter_mut().take(self.groups_used.into());
        for later in in_use.skip(at.wrapping_add(1)) {
            later.start = later.start.wrapping_add(1);
        }
        true
    }
}

/// The location of the rule that holds for a frame with this key, by what a [`Builder`] made: the
/// groups that are in use, and the entries.
pub fn lookup(groups: &[Group], entries: &[Entry], key: &Key) -> Option<u16> {
    let mut found: Option<u16> = None;

    for group in groups {
        if found.is_some_and(|best| best < group.lowest) {
            break;
        }
        let value = key.masked(&group.mask);
        let own = entries.get(group.start.into()..).unwrap_or_default();
        let own = own.get(..group.count.into()).unwrap_or_default();
        let hit = own.binary_search_by(|e| e.value.cmp(&value));
        if let Some(entry) = hit.ok().and_then(|at| own.get(at)) {
            found = Some(found.map_or(entry.location, |best| best.min(entry.location)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{
        parse,
        ETHERTYPE_CTAG,
        TCP,
        UDP, //
    };
    use proptest::prelude::*;

    const UDP4: [u8; 42] = [
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0x28, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10,
        1, 2, 3, 10, 4, 5, 6, 0x12, 0x34, 0x56, 0x78, 0, 8, 0, 0,
    ];

    fn fields(frame: &[u8]) -> Fields {
        Fields::of(frame, &parse(frame).unwrap(), None)
    }

    #[test]
    fn of_ipv4() {
        let f = fields(&UDP4);
        assert_eq!(f.destination, [2, 0, 0, 0, 0, 1]);
        assert_eq!(f.source, [2, 0, 0, 0, 0, 2]);
        assert_eq!(
            (f.ethertype, f.version, f.protocol, f.tos),
            (0x800, 4, UDP, 0x28)
        );
        assert_eq!(f.source_address, ipv4([10, 1, 2, 3]));
        assert_eq!(f.destination_address[..4], [10, 4, 5, 6]);
        assert_eq!(
            (f.transport, f.has),
            ([0x12, 0x34, 0x56, 0x78], HAS_TRANSPORT)
        );
    }

    #[test]
    fn of_ipv6() {
        let mut frame = UDP4[..12].to_vec();
        frame.extend([0x86, 0xdd, 0x6a, 0xb0, 0, 0, 0, 4, TCP, 64]);
        frame.extend(1..=32);
        frame.extend([1, 2, 3, 4]);
        let f = fields(&frame);
        assert_eq!((f.version, f.protocol, f.tos), (6, TCP, 0xab));
        assert_eq!(f.source_address[15], 16);
        assert_eq!(f.destination_address[0], 17);
        assert_eq!(f.transport, [1, 2, 3, 4]);
    }

    #[test]
    fn fragments_have_no_transport() {
        for (high, low) in [(0x20, 0), (0, 1)] {
            let mut frame = UDP4;
            (frame[20], frame[21]) = (high, low);
            let f = fields(&frame);
            assert_eq!((f.transport, f.has, f.protocol), ([0; 4], 0, UDP));
        }
    }

    #[test]
    fn tags() {
        let tag = Tag {
            protocol: ETHERTYPE_CTAG,
            control: 0x6005,
        };
        let beside = Fields::of(&UDP4, &parse(&UDP4).unwrap(), Some(tag));
        let mut frame = UDP4[..12].to_vec();
        frame.extend([0x81, 0, 0x60, 5]);
        frame.extend(&UDP4[12..]);
        assert_eq!(beside, fields(&frame));
        assert_eq!(
            (beside.tag_control, beside.has),
            (0x6005, HAS_TAG | HAS_TRANSPORT)
        );
        assert_ne!(beside.key(), fields(&UDP4).key());
    }

    #[test]
    fn every_field_has_its_place() {
        let one = |f: fn(&mut Fields)| {
            let mut fields = Fields::default();
            f(&mut fields);
            fields.key()
        };
        let keys = [
            one(|f| f.destination = [0xff; 6]),
            one(|f| f.source = [0xff; 6]),
            one(|f| f.ethertype = 0xffff),
            one(|f| f.tag_protocol = 0xffff),
            one(|f| f.tag_control = 0xffff),
            one(|f| f.has = 0xff),
            one(|f| f.version = 0xff),
            one(|f| f.protocol = 0xff),
            one(|f| f.tos = 0xff),
            one(|f| f.transport = [0xff; 4]),
            one(|f| f.source_address = [0xff; 16]),
            one(|f| f.destination_address = [0xff; 16]),
        ];
        let ones = |k: &Key| k.0.iter().map(|w| w.count_ones()).sum::<u32>();
        assert_eq!(
            keys.iter().map(ones).collect::<Vec<_>>(),
            [48, 48, 16, 16, 16, 8, 8, 8, 8, 32, 128, 128]
        );
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_eq!(a.masked(b), Key::default());
            }
        }
    }

    /// The definition: the first of the rules, in order of location, that the key meets.
    fn walk(rules: &[(Key, Key, u16)], key: &Key) -> Option<u16> {
        rules
            .iter()
            .find(|(mask, value, _)| key.masked(mask) == value.masked(mask))
            .map(|r| r.2)
    }

    #[test]
    fn full() {
        let (mut groups, mut entries) = ([Group::default(); 3], [Entry::default(); 3]);
        let mut builder = Builder::new(&mut groups, &mut entries);
        let key = |n| Key([n; WORDS]);
        for n in 0..3 {
            assert!(builder.add(&key(u64::MAX), &key(n), n as u16));
        }
        // The same again takes no room; another one has none, with or without a mask of its own.
        assert!(builder.add(&key(u64::MAX), &key(1), 7));
        assert!(!builder.add(&key(u64::MAX), &key(3), 8));
        assert!(!builder.add(&key(1), &key(1), 9));
        assert_eq!(builder.groups(), 1);
        assert_eq!(lookup(&groups[..1], &entries, &key(1)), Some(1));
        assert_eq!(lookup(&groups[..1], &entries, &key(3)), None);
    }

    /// Keys of few bits, so that rules overlap.
    fn key() -> impl Strategy<Value = Key> {
        (0u64..4, 0u64..4).prop_map(|(a, b)| Key([a, 0, 0, 0, b << 62, 0, 0, 0]))
    }

    proptest! {
        #[test]
        fn as_a_walk(
            rules in prop::collection::vec((key(), key(), 1u16..50), 0..40),
            keys in prop::collection::vec(key(), 1..20),
        ) {
            let mut location = 0;
            let rules: Vec<_> = rules
                .into_iter()
                .map(|(mask, value, step)| {
                    location += step;
                    (mask, value, location)
                })
                .collect();
            let (mut groups, mut entries) = ([Group::default(); 40], [Entry::default(); 40]);
            let mut builder = Builder::new(&mut groups, &mut entries);
            for (mask, value, location) in &rules {
                prop_assert!(builder.add(mask, value, *location));
            }
            let used = builder.groups().into();
            for key in keys {
                prop_assert_eq!(lookup(&groups[..used], &entries, &key), walk(&rules, &key));
            }
        }

        #[test]
        fn any_frame(frame in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(headers) = parse(&frame) {
                let all = Fields::of(&frame, &headers, None);
                prop_assert_eq!(all.key(), all.key().masked(&Key([u64::MAX; WORDS])));
                let _ = Fields::of(&frame[..frame.len() / 2], &headers, None);
            }
        }
    }
}
