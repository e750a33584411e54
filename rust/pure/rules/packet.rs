// SPDX-License-Identifier: GPL-2.0

//! A packet as the fields that rules match.
//!
//! [`Key::read`] takes a packet as a hook gets it and notes each field that the packet proves to
//! have. The packet is untrusted: its lengths may lie, it may be cut off anywhere. So
//!
//! - only bytes of the given data are read;
//! - an IP header counts if it is whole and its version and header length make sense;
//! - what follows it counts only if the length in the IP header isn't more than there is of the
//!   packet, and only as far as that length goes;
//! - IPv6 extension headers are followed to their end; if that isn't reached, the protocol isn't
//!   known, nor whether the packet is a fragment;
//! - a later fragment has a protocol but no transport header;
//! - of two fragment headers the outer one counts: what is in a first fragment says nothing of it.
//!
//! What isn't proved isn't there, and a match on a field that isn't there fails, its negation too.

use super::field::{
    fragment,
    Field,
    Fields, //
};
use crate::header::{
    self,
    array_at,
    is_extension,
    Fragment,
    ETHERTYPE_CTAG,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ETHERTYPE_STAG,
    ICMP,
    ICMPV6,
    IPV4_LEN,
    IPV6_LEN,
    SCTP,
    TCP,
    TCP_LEN,
    UDP,
    VLAN_LEN, //
};

/// Bytes of an Ethernet header.
const ETHERNET_LEN: usize = 14;
/// Ethertypes begin here; below, the number is the length of an 802.3 frame.
const ETHERTYPE_MIN: u16 = 0x600;
/// Bits of a tag's control information that are the VLAN id.
const VLAN_ID: u16 = 0xfff;
/// The longest IPv4 packet whose length fits its header.
const IPV4_LENGTH_MAX: usize = 0xffff;
/// The longest IPv6 packet whose length fits its header.
const IPV6_LENGTH_MAX: usize = 0xffff + IPV6_LEN;

/// What a packet's data begins with.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// An Ethernet header, as at netdev hooks.
    Ethernet,
    /// The network header, as at inet hooks.
    Network {
        /// Ethertype of that header.
        ethertype: u16,
        /// Destination and source address of the Ethernet header, where there is one.
        addresses: Option<&'a [u8; 12]>,
    },
}

/// A packet as a hook gets it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The start of the packet's bytes. Headers beyond it aren't seen.
    pub data: &'a [u8],
    /// What it begins with.
    pub start: Start<'a>,
    /// Length of the whole packet, from where `data` begins.
    pub length: u32,
    /// Control information of a VLAN tag that was taken out of the frame.
    pub tag: Option<u16>,
    /// Index of the device it came in by, 0 for none.
    pub in_device: u32,
    /// Index of the device it is to leave by, 0 for none.
    pub out_device: u32,
    /// Its mark.
    pub mark: u32,
    /// Its type (`PACKET_*`).
    pub packet_type: u8,
    /// State of its connection, bits of [`conntrack`](super::field::conntrack), where it has one.
    pub conntrack: Option<u16>,
}

/// The fields of one packet.
///
/// The higher half of the first word says which fields are there; a field that isn't is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u64; 16]);

/// The ethertype of what follows the link header, its bytes, and how long it is in all.
type Rest<'a> = (u16, &'a [u8], usize);

impl Key {
    /// Reads a packet.
    ///
    /// What isn't `wanted` may be left out; that makes reading cheaper where nobody looks.
    #[inline]
    pub fn read(packet: &Packet<'_>, wanted: Fields) -> Key {
        let mut key = Key::empty();
        key.fill(packet, wanted);
        key
    }

    /// A field, if it is there.
    pub fn get(&self, field: Field) -> Option<u128> {
        let place = field.place();
        let word = u32::from(place.word);

        if !self.fields().contains(field) {
            return None;
        }
        if field.width() > 64 {
            let high = u128::from(self.word(word));
            return Some(high.wrapping_shl(64) | u128::from(self.word(word.wrapping_add(1))));
        }
        let value = u128::from(self.word(word)).wrapping_shr(place.shift.into());
        Some(value & field.highest())
    }

    /// The fields that are there.
    #[inline]
    pub fn fields(&self) -> Fields {
        Fields::from_presence(self.word(0))
    }

    /// All words.
    #[inline]
    pub(super) fn words(&self) -> &[u64; 16] {
        &self.0
    }

    /// A word, of whose number four bits count.
    #[inline]
    pub(super) fn word(&self, number: u32) -> u64 {
        match self.0.get((number & 15) as usize) {
            Some(word) => *word,
            None => 0,
        }
    }

    /// A key without fields.
    #[inline(always)]
    pub const fn empty() -> Key {
        Key([0; 16])
    }

    /// Reads an IPv4 packet of `length` bytes, that `data` begins with, into an empty key: only the fields of its IP
    /// and transport headers, which [`fill`](Self::fill) would read so too.
    #[inline]
    pub fn fill_headers(&mut self, data: &[u8], length: usize) {
        let data = data.get(..length).unwrap_or(data);
        let first = self.fill_ipv4(data, length);

        if let Some(word) = self.0.first_mut() {
            *word = first;
        }
    }

    /// Reads a packet into an empty key: what [`read`](Self::read) returns.
    pub fn fill(&mut self, packet: &Packet<'_>, wanted: Fields) {
        let mut first = 0;

        if wanted.intersects(Fields::BESIDE) {
            first |= self.fill_beside(packet);
        }
        let network = match packet.start {
            Start::Network {
                ethertype,
                addresses,
            } => {
                if wanted.intersects(Fields::LINK) {
                    if let Some(addresses) = addresses {
                        first |= self.fill_addresses(addresses);
                    }
                    first |= self.put(Field::Ethertype, ethertype.into());
                    if let Some(tag) = packet.tag {
                        first |= self.put(Field::Vlan, (tag & VLAN_ID).into());
                    }
                }
                Some((ethertype, packet.data, packet.length as usize))
            }
            Start::Ethernet => match plain_frame(packet.data, wanted) {
                Some((ethertype, data)) => {
                    let length = (packet.length as usize).saturating_sub(ETHERNET_LEN);
                    Some((ethertype, data, length))
                }
                None => {
                    let (there, network) = self.fill_link(packet);
                    first |= there;
                    network
                }
            },
        };

        if let Some((ethertype, data, length)) = network.filter(|_| wanted.intersects(Fields::IP)) {
            let data = data.get(..length).unwrap_or(data);

            first |= match ethertype {
                ETHERTYPE_IPV4 => self.fill_ipv4(data, length),
                ETHERTYPE_IPV6 => self.fill_ipv6(data, length),
                _ => 0,
            };
        }
        if let Some(word) = self.0.first_mut() {
            *word = first;
        }
    }

    /// Puts a field of at most 64 bits that isn't in the first word at its place, and returns the
    /// bit of the first word that says that it is there.
    #[inline]
    fn put(&mut self, field: Field, value: u64) -> u64 {
        let place = field.place();

        if let Some(word) = self.0.get_mut(usize::from(place.word)) {
            *word |= value.wrapping_shl(place.shift.into());
        }
        field.presence()
    }

    /// Puts down what stands beside the packet's bytes. Returns bits of the first word, as what
    /// follows does too.
    #[inline]
    fn fill_beside(&mut self, packet: &Packet<'_>) -> u64 {
        let kind = packet.packet_type & 7;
        let mut first = Field::PacketType.presence() | bits_of(Field::PacketType, kind);

        first |= self.put(Field::Length, packet.length.into());
        first |= self.put(Field::Mark, packet.mark.into());
        for (field, device) in [
            (Field::InDevice, packet.in_device),
            (Field::OutDevice, packet.out_device),
        ] {
            let there = self.put(field, device.into());
            if device != 0 {
                first |= there;
            }
        }
        if let Some(state) = packet.conntrack {
            first |= self.put(Field::Conntrack, state.into());
        }
        first
    }

    /// Puts down the addresses of an Ethernet header.
    #[inline]
    fn fill_addresses(&mut self, addresses: &[u8; 12]) -> u64 {
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *addresses;
        let destination = u64::from_be_bytes([0, 0, d0, d1, d2, d3, d4, d5]);
        let source = u64::from_be_bytes([0, 0, s0, s1, s2, s3, s4, s5]);

        self.put(Field::DestinationMac, destination) | self.put(Field::SourceMac, source)
    }

    /// Reads an Ethernet header. Returns also what follows.
    #[inline(never)]
    fn fill_link<'a>(&mut self, packet: &Packet<'a>) -> (u64, Option<Rest<'a>>) {
        let data = packet.data;
        let Some(addresses) = data.first_chunk() else {
            return (0, None);
        };
        let mut first = self.fill_addresses(addresses);
        let mut offset = addresses.len();
        // The tag beside the frame is the outermost.
        let mut outer = packet.tag;
        let mut inner = None;
        let mut tags = 0u8;
        let ethertype = loop {
            let Some(ethertype) = array_at(data, offset).map(|b| u16::from_be_bytes(*b)) else {
                break None;
            };
            if tags >= 2 || !matches!(ethertype, ETHERTYPE_CTAG | ETHERTYPE_STAG) {
                break Some(ethertype);
            }
            let Some(tag) = array_at(data, offset.wrapping_add(2)).map(|b| u16::from_be_bytes(*b))
            else {
                break None;
            };
            match outer {
                None => outer = Some(tag),
                Some(_) => inner = inner.or(Some(tag)),
            }
            tags = tags.wrapping_add(1);
            offset = offset.wrapping_add(VLAN_LEN);
        };

        if let Some(tag) = outer {
            first |= self.put(Field::Vlan, (tag & VLAN_ID).into());
        }
        if let Some(tag) = inner {
            first |= self.put(Field::InnerVlan, (tag & VLAN_ID).into());
        }
        let Some(ethertype) = ethertype.filter(|&ethertype| ethertype >= ETHERTYPE_MIN) else {
            return (first, None);
        };
        let network = offset.wrapping_add(2);
        let length = (packet.length as usize).saturating_sub(network);

        first |= self.put(Field::Ethertype, ethertype.into());
        (
            first,
            data.get(network..).map(|data| (ethertype, data, length)),
        )
    }

    /// Reads an IPv4 packet of `length` bytes.
    #[inline]
    fn fill_ipv4(&mut self, data: &[u8], length: usize) -> u64 {
        const THERE: Fields = COMMON
            .with(Field::SourceIpv4)
            .with(Field::DestinationIpv4)
            .with(Field::Protocol)
            .with(Field::Fragment);

        let [_, second, third, ..] = &mut self.0;
        let Some(ip) = data.first_chunk::<IPV4_LEN>() else {
            return 0;
        };
        let header = usize::from(ip[0] & 0xf).wrapping_mul(4);
        let mut claimed = usize::from(u16::from_be_bytes([ip[2], ip[3]]));

        if claimed == 0 && length > IPV4_LENGTH_MAX {
            // A super frame, longer than the field can say.
            claimed = length;
        }
        if ip[0] >> 4 != 4 || header < IPV4_LEN || header > data.len() || header > claimed {
            return 0;
        }
        let offset = u16::from_be_bytes([ip[6], ip[7]]);
        let kind = if offset & 0x3fff == 0 {
            fragment::WHOLE
        } else if offset & 0x1fff == 0 {
            fragment::FIRST
        } else {
            fragment::LATER
        };
        let [.., a0, a1, a2, a3, a4, a5, a6, a7] = *ip;
        let first = THERE.to_presence()
            | common(ip[1], ip[8])
            | bits_of(Field::Protocol, ip[9])
            | bits_of(Field::Fragment, kind);

        *third = u64::from_be_bytes([a0, a1, a2, a3, a4, a5, a6, a7]);
        if kind == fragment::LATER || claimed > length {
            return first;
        }
        // Where the data doesn't reach the end of the packet, it ends the transport header.
        let Some(transport) = data.get(..claimed).unwrap_or(data).get(header..) else {
            return first;
        };
        let there;
        (*second, there) = match ip[9] {
            TCP => tcp(transport),
            UDP | SCTP => ports(transport),
            ICMP => icmp(Field::IcmpType, Field::IcmpCode, transport),
            _ => (0, Fields::NONE),
        };
        first | there.to_presence()
    }

    /// Reads an IPv6 packet of `length` bytes.
    #[inline(never)]
    fn fill_ipv6(&mut self, data: &[u8], length: usize) -> u64 {
        const THERE: Fields = COMMON.with(Field::SourceIpv6).with(Field::DestinationIpv6);

        let Some(ip) = data.first_chunk::<IPV6_LEN>() else {
            return 0;
        };
        let payload = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
        let claimed = if payload == 0 && length > IPV6_LENGTH_MAX {
            length
        } else {
            payload.wrapping_add(IPV6_LEN)
        };
        // A header that claims more than there is proves only itself.
        let end = if claimed > length { IPV6_LEN } else { claimed };
        let data = data.get(..end).unwrap_or(data);
        let Some(headers) = header::parse_ipv6_packet(data) else {
            return 0;
        };
        let ends = headers.transport_offset;
        let kind = match headers.fragment {
            // An extension header that wasn't reached may be a fragment header.
            Fragment::Whole => ends.map(|_| fragment::WHOLE),
            Fragment::First => Some(fragment::FIRST),
            Fragment::Later => Some(fragment::LATER),
        };
        let traffic_class = ip[0].wrapping_shl(4) | ip[1].wrapping_shr(4);
        let mut first = THERE.to_presence() | common(traffic_class, ip[7]);

        for (word, offset) in [(3, 8), (4, 16), (5, 24), (6, 32)] {
            if let (Some(word), Some(bytes)) = (self.0.get_mut(word), array_at(ip, offset)) {
                *word = u64::from_be_bytes(*bytes);
            }
        }
        if let Some(kind) = kind {
            first |= Field::Fragment.presence() | bits_of(Field::Fragment, kind);
        }
        if ends.is_some() || (kind == Some(fragment::LATER) && !is_extension(headers.protocol)) {
            first |= Field::Protocol.presence() | bits_of(Field::Protocol, headers.protocol);
        }
        if let Some(transport) = ends.and_then(|offset| data.get(usize::from(offset)..)) {
            let [_, second, ..] = &mut self.0;
            let there;

            (*second, there) = match headers.protocol {
                TCP => tcp(transport),
                UDP | SCTP => ports(transport),
                ICMPV6 => icmp(Field::Icmpv6Type, Field::Icmpv6Code, transport),
                _ => (0, Fields::NONE),
            };
            first |= there.to_presence();
        }
        first
    }
}

/// What follows the Ethernet header of a frame, and its ethertype, if nobody wants to know more of the
/// header and no tag does.
#[inline]
fn plain_frame(data: &[u8], wanted: Fields) -> Option<(u16, &[u8])> {
    let (header, rest) = data.split_first_chunk::<ETHERNET_LEN>()?;
    let [.., a, b] = *header;
    let ethertype = u16::from_be_bytes([a, b]);
    let plain = matches!(ethertype, ETHERTYPE_IPV4 | ETHERTYPE_IPV6);

    (plain && !wanted.intersects(Fields::LINK)).then_some((ethertype, rest))
}

/// What every IP packet has.
const COMMON: Fields = Fields::NONE
    .with(Field::Dscp)
    .with(Field::Ecn)
    .with(Field::Ttl);

/// The fields of [`COMMON`] in the first word.
#[inline]
fn common(traffic_class: u8, ttl: u8) -> u64 {
    bits_of(Field::Dscp, traffic_class >> 2)
        | bits_of(Field::Ecn, traffic_class & 3)
        | bits_of(Field::Ttl, ttl)
}

/// A field of the first word.
#[inline]
fn bits_of(field: Field, value: u8) -> u64 {
    u64::from(value).wrapping_shl(field.place().shift.into())
}

/// The second word for a transport header that begins with ports, and what is there.
#[inline]
fn ports(header: &[u8]) -> (u64, Fields) {
    match header.first_chunk() {
        Some([a, b, c, d]) => (u64::from_be_bytes([*a, *b, *c, *d, 0, 0, 0, 0]), PORTS),
        None => (0, Fields::NONE),
    }
}

const PORTS: Fields = Fields::NONE
    .with(Field::SourcePort)
    .with(Field::DestinationPort);

/// The second word for a TCP header, and what is there.
#[inline]
fn tcp(header: &[u8]) -> (u64, Fields) {
    match header.first_chunk::<TCP_LEN>() {
        // A header that says it is shorter than its fixed part isn't one.
        Some(t) if t[12] >> 4 >= 5 => (
            u64::from_be_bytes([t[0], t[1], t[2], t[3], t[12] & 1, t[13], 0, 0]),
            PORTS.with(Field::TcpFlags),
        ),
        _ => ports(header),
    }
}

/// The second word for an ICMP message, and what is there.
#[inline]
fn icmp(kind: Field, code: Field, message: &[u8]) -> (u64, Fields) {
    match message.first_chunk() {
        Some([k, c]) => (
            u64::from(u16::from_be_bytes([*k, *c])),
            Fields::NONE.with(kind).with(code),
        ),
        None => (0, Fields::NONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    const IPV4: Start<'_> = Start::Network {
        ethertype: ETHERTYPE_IPV4,
        addresses: None,
    };
    const IPV6: Start<'_> = Start::Network {
        ethertype: ETHERTYPE_IPV6,
        addresses: None,
    };

    fn packet<'a>(data: &'a [u8], start: Start<'a>) -> Packet<'a> {
        Packet {
            data,
            start,
            length: data.len() as u32,
            tag: None,
            in_device: 0,
            out_device: 0,
            mark: 0,
            packet_type: 0,
            conntrack: None,
        }
    }

    /// All fields but those that every packet has.
    fn fields(packet: &Packet<'_>) -> Vec<(Field, u128)> {
        let key = Key::read(packet, Fields::ALL);
        let everywhere = [Field::Length, Field::Mark, Field::PacketType];
        Field::ALL
            .into_iter()
            .filter(|field| !everywhere.contains(field))
            .filter_map(|field| Some((field, key.get(field)?)))
            .collect()
    }

    fn network(data: &[u8], start: Start<'_>) -> Vec<(Field, u128)> {
        let mut fields = fields(&packet(data, start));
        fields.retain(|(field, _)| *field != Field::Ethertype);
        fields
    }

    fn names(fields: &[(Field, u128)]) -> Vec<Field> {
        fields.iter().map(|(field, _)| *field).collect()
    }

    fn tcp() -> Vec<u8> {
        let mut t = vec![0x12, 0x34, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x51, 0x12];
        t.extend([0xff, 0xff, 0, 0, 0, 0]);
        t
    }

    fn ipv4(protocol: u8, offset: u16, options: usize, payload: &[u8]) -> Vec<u8> {
        let length = (20 + options + payload.len()) as u16;
        let mut p = vec![0x45 + (options / 4) as u8, 0x2a << 2 | 1];
        p.extend(length.to_be_bytes());
        p.extend([0, 1]);
        p.extend(offset.to_be_bytes());
        p.extend([63, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        p.extend(vec![1; options]);
        p.extend(payload);
        p
    }

    fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut p = vec![0x6a, 0x90, 0, 0];
        p.extend((payload.len() as u16).to_be_bytes());
        p.extend([next, 63]);
        p.extend(
            [[0; 15], [0xff; 15]]
                .map(|a| [&a[..], &[7]].concat())
                .concat(),
        );
        p.extend(payload);
        p
    }

    const SOURCE6: u128 = 7;
    const DESTINATION6: u128 = u128::MAX << 8 | 7;

    /// Fields of `ipv4()` without those of the transport header.
    fn of_ipv4(protocol: u8, fragment: u8) -> Vec<(Field, u128)> {
        vec![
            (Field::SourceIpv4, 0x0a00_0001),
            (Field::DestinationIpv4, 0x0a00_0002),
            (Field::Protocol, protocol.into()),
            (Field::Dscp, 0x2a),
            (Field::Ecn, 1),
            (Field::Ttl, 63),
            (Field::Fragment, fragment.into()),
        ]
    }

    fn of_ipv6(protocol: Option<u8>, fragment: Option<u8>) -> Vec<(Field, u128)> {
        let mut f = vec![
            (Field::SourceIpv6, SOURCE6),
            (Field::DestinationIpv6, DESTINATION6),
        ];
        f.extend(protocol.map(|p| (Field::Protocol, p.into())));
        f.extend([(Field::Dscp, 0x2a), (Field::Ecn, 1), (Field::Ttl, 63)]);
        f.extend(fragment.map(|n| (Field::Fragment, n.into())));
        f
    }

    fn with(mut a: Vec<(Field, u128)>, b: &[(Field, u128)]) -> Vec<(Field, u128)> {
        a.extend(b);
        a.sort_by_key(|(field, _)| field.number());
        a
    }

    const PORTS: [(Field, u128); 2] = [(Field::SourcePort, 0x1234), (Field::DestinationPort, 80)];
    const TCP_FIELDS: [(Field, u128); 3] = [PORTS[0], PORTS[1], (Field::TcpFlags, 0x112)];

    #[test]
    fn beside_the_bytes() {
        let p = Packet {
            length: 1500,
            tag: Some(0xf123),
            in_device: 3,
            out_device: u32::MAX,
            mark: 0x8000_0001,
            packet_type: 4,
            conntrack: Some(0x0102),
            ..packet(&[], IPV4)
        };
        let key = Key::read(&p, Fields::BESIDE);
        assert_eq!(key.get(Field::InDevice), Some(3));
        assert_eq!(key.get(Field::OutDevice), Some(u128::from(u32::MAX)));
        assert_eq!(key.get(Field::Mark), Some(0x8000_0001));
        assert_eq!(key.get(Field::PacketType), Some(4));
        assert_eq!(key.get(Field::Conntrack), Some(0x0102));
        assert_eq!(key.get(Field::Length), Some(1500));
        assert_eq!(Key::read(&p, Fields::LINK).get(Field::Vlan), Some(0x123));

        let nothing = Key::read(&packet(&[], IPV4), Fields::ALL);
        for field in [
            Field::InDevice,
            Field::OutDevice,
            Field::Conntrack,
            Field::Vlan,
        ] {
            assert_eq!(nothing.get(field), None);
        }
        assert_eq!(nothing.get(Field::Mark), Some(0));
        assert_eq!(nothing.get(Field::Length), Some(0));
    }

    #[test]
    fn ipv4_packets() {
        let p = ipv4(TCP, 0x4000, 8, &tcp());
        assert_eq!(network(&p, IPV4), with(of_ipv4(TCP, 0), &TCP_FIELDS));
        let p = ipv4(UDP, 0, 0, &tcp());
        assert_eq!(network(&p, IPV4), with(of_ipv4(UDP, 0), &PORTS));
        let p = ipv4(SCTP, 0x2000, 0, &tcp());
        assert_eq!(network(&p, IPV4), with(of_ipv4(SCTP, 1), &PORTS));
        let p = ipv4(TCP, 0x2001, 0, &tcp());
        assert_eq!(network(&p, IPV4), of_ipv4(TCP, 2));
        let p = ipv4(ICMP, 0, 0, &[8, 3]);
        let icmp = [(Field::IcmpType, 8), (Field::IcmpCode, 3)];
        assert_eq!(network(&p, IPV4), with(of_ipv4(ICMP, 0), &icmp));
        // ICMPv6 over IPv4 and the other way round are neither.
        let p = ipv4(ICMPV6, 0, 0, &[8, 3]);
        assert_eq!(network(&p, IPV4), of_ipv4(ICMPV6, 0));
        let p = ipv6(ICMP, &[8, 3]);
        assert_eq!(network(&p, IPV6), of_ipv6(Some(ICMP), Some(0)));
    }

    #[test]
    fn ipv6_packets() {
        let p = ipv6(TCP, &tcp());
        let whole = with(of_ipv6(Some(TCP), Some(0)), &TCP_FIELDS);
        assert_eq!(network(&p, IPV6), whole);
        // Hop-by-hop options, routing, then an atomic fragment.
        let mut chain = [vec![43, 0, 0, 0, 0, 0, 0, 0], vec![44, 1], vec![0; 14]].concat();
        chain.extend([TCP, 0, 0, 0, 0, 0, 0, 0]);
        let p = ipv6(0, &[&chain[..], &tcp()].concat());
        assert_eq!(network(&p, IPV6), whole);
        let first = ipv6(44, &[&[TCP, 0, 0, 1, 0, 0, 0, 0][..], &tcp()].concat());
        let first = network(&first, IPV6);
        assert_eq!(first, with(of_ipv6(Some(TCP), Some(1)), &TCP_FIELDS));
        let later = ipv6(44, &[&[TCP, 0, 0, 8, 0, 0, 0, 0][..], &tcp()].concat());
        assert_eq!(network(&later, IPV6), of_ipv6(Some(TCP), Some(2)));
        // What an option header in a later fragment leads to isn't known.
        let later = ipv6(44, &[&[60, 0, 0, 8, 0, 0, 0, 0][..], &tcp()].concat());
        assert_eq!(network(&later, IPV6), of_ipv6(None, Some(2)));
        let icmp = [(Field::Icmpv6Type, 128), (Field::Icmpv6Code, 1)];
        let p = ipv6(ICMPV6, &[128, 1, 0, 0]);
        assert_eq!(
            network(&p, IPV6),
            with(of_ipv6(Some(ICMPV6), Some(0)), &icmp)
        );
    }

    #[test]
    fn ends_of_chains() {
        // An option header that says it is longer than the packet.
        let p = ipv6(60, &[TCP, 9, 0, 0, 0, 0, 0, 0]);
        assert_eq!(network(&p, IPV6), of_ipv6(None, None));
        let p = ipv6(60, &[TCP, 0, 0]);
        assert_eq!(network(&p, IPV6), of_ipv6(None, None));
        // One that fills it exactly.
        let p = ipv6(60, &[TCP, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(network(&p, IPV6), of_ipv6(Some(TCP), Some(0)));
        // More of them than anybody needs.
        let p = ipv6(60, &[[60, 0, 0, 0, 0, 0, 0, 0]; 20].concat());
        assert_eq!(network(&p, IPV6), of_ipv6(None, None));
        // A first fragment whose chain doesn't end.
        let p = ipv6(44, &[60, 0, 0, 1, 0, 0, 0, 0, TCP, 9]);
        assert_eq!(network(&p, IPV6), of_ipv6(None, Some(1)));
        // What is in a first fragment says no more of the packet, cut off or not.
        let p = ipv6(
            44,
            &[[44, 0, 0, 1, 0, 0, 0, 0], [TCP, 0, 0, 8, 0, 0, 0, 0]].concat(),
        );
        assert_eq!(network(&p, IPV6), of_ipv6(None, Some(1)));
        let mut part = packet(&p, IPV6);
        part.data = &p[..IPV6_LEN + 8];
        assert_eq!(fields(&part), fields(&packet(&p, IPV6)));
    }

    #[test]
    fn lying_lengths() {
        let mut p = ipv4(TCP, 0, 0, &tcp());
        // The packet ends within the TCP header, the data goes on.
        p[3] = 20 + 19;
        assert_eq!(network(&p, IPV4), with(of_ipv4(TCP, 0), &PORTS));
        p[3] = 20 + 3;
        assert_eq!(network(&p, IPV4), of_ipv4(TCP, 0));
        // It claims more than there is.
        p[3] = 41;
        assert_eq!(network(&p, IPV4), of_ipv4(TCP, 0));
        // It claims less than its header.
        p[3] = 19;
        assert_eq!(network(&p, IPV4), []);
        p[2..4].fill(0);
        assert_eq!(network(&p, IPV4), []);
        // A super frame can't say how long it is.
        let mut long = packet(&p, IPV4);
        long.length = 65536;
        assert!(fields(&long).contains(&TCP_FIELDS[2]));
        long.length = 65535;
        assert_eq!(names(&fields(&long)), [Field::Ethertype]);

        let mut p = ipv6(TCP, &tcp());
        p[5] = 21;
        assert_eq!(network(&p, IPV6), of_ipv6(Some(TCP), Some(0)));
        p[5] = 19;
        assert_eq!(network(&p, IPV6), with(of_ipv6(Some(TCP), Some(0)), &PORTS));
        p[5] = 0;
        assert_eq!(network(&p, IPV6), of_ipv6(Some(TCP), Some(0)));
        let mut long = packet(&p, IPV6);
        long.length = 65576;
        assert!(fields(&long).contains(&TCP_FIELDS[2]));
        long.length = 65575;
        assert!(!fields(&long).contains(&TCP_FIELDS[2]));
        let mut p = ipv6(60, &[TCP, 0, 0, 0, 0, 0, 0, 0]);
        p[5] = 9;
        assert_eq!(network(&p, IPV6), of_ipv6(None, None));
    }

    #[test]
    fn malformed_headers() {
        for first in [0x44, 0x46, 0x55, 0x65, 0x05] {
            let mut p = ipv4(TCP, 0, 0, &[]);
            p[0] = first;
            assert_eq!(network(&p, IPV4), [], "{first:x}");
        }
        let mut p = ipv6(TCP, &tcp());
        p[0] = 0x4a;
        assert_eq!(network(&p, IPV6), []);
        // A TCP header shorter than it can be.
        let mut t = tcp();
        t[12] = 0x40;
        let p = ipv4(TCP, 0, 0, &t);
        assert_eq!(network(&p, IPV4), with(of_ipv4(TCP, 0), &PORTS));
        // The link layer says what it is.
        assert_eq!(network(&ipv4(TCP, 0, 0, &tcp()), IPV6), []);
    }

    fn frame(types: &[u16], payload: &[u8]) -> Vec<u8> {
        let mut f = MACS.to_vec();
        for (n, t) in types.iter().enumerate() {
            f.extend(t.to_be_bytes());
            if n + 1 < types.len() {
                f.extend((0xa100 + n as u16).to_be_bytes());
            }
        }
        f.extend(payload);
        f
    }

    fn of_link(ethertype: Option<u16>, vlan: &[u16]) -> Vec<(Field, u128)> {
        let mut f = vec![
            (Field::SourceMac, 0x0200_0000_0002),
            (Field::DestinationMac, 0x0200_0000_0001),
        ];
        f.extend(ethertype.map(|t| (Field::Ethertype, t.into())));
        f.extend(
            [Field::Vlan, Field::InnerVlan]
                .into_iter()
                .zip(vlan.iter().map(|&v| v.into())),
        );
        f
    }

    fn of_frame(frame: &[u8], tag: Option<u16>) -> Vec<(Field, u128)> {
        let mut packet = packet(frame, Start::Ethernet);
        packet.tag = tag;
        fields(&packet)
    }

    #[test]
    fn frames() {
        let (stag, ctag, ip) = (ETHERTYPE_STAG, ETHERTYPE_CTAG, ETHERTYPE_IPV4);
        let p = ipv4(UDP, 0, 0, &tcp());
        let inside = with(of_ipv4(UDP, 0), &PORTS);

        let f = frame(&[ip], &p);
        assert_eq!(of_frame(&f, None), with(of_link(Some(ip), &[]), &inside));
        assert_eq!(
            of_frame(&f, Some(0x7005)),
            with(of_link(Some(ip), &[5]), &inside)
        );
        let f = frame(&[ctag, ip], &p);
        assert_eq!(
            of_frame(&f, None),
            with(of_link(Some(ip), &[0x100]), &inside)
        );
        let found = of_frame(&f, Some(0x7005));
        assert_eq!(found, with(of_link(Some(ip), &[5, 0x100]), &inside));
        let f = frame(&[stag, ctag, ip], &p);
        let found = of_frame(&f, None);
        assert_eq!(found, with(of_link(Some(ip), &[0x100, 0x101]), &inside));
        let found = of_frame(&f, Some(5));
        assert_eq!(found, with(of_link(Some(ip), &[5, 0x100]), &inside));
        // Three tags in a row: the third isn't stepped over.
        let f = frame(&[stag, ctag, ctag, ip], &p);
        assert_eq!(of_frame(&f, None), of_link(Some(ctag), &[0x100, 0x101]));
        let f = frame(&[0x0806], &[0; 28]);
        assert_eq!(of_frame(&f, None), of_link(Some(0x0806), &[]));
        // The length of an 802.3 frame is no ethertype.
        assert_eq!(
            of_frame(&frame(&[0x05ff], &[0; 60]), None),
            of_link(None, &[])
        );
        // Padding behind the packet.
        let f = [frame(&[ip], &p), vec![0; 30]].concat();
        assert_eq!(of_frame(&f, None), with(of_link(Some(ip), &[]), &inside));
    }

    #[test]
    fn frames_cut_off() {
        let whole = frame(&[ETHERTYPE_CTAG, ETHERTYPE_IPV4], &[]);
        assert_eq!(of_frame(&whole[..11], Some(5)), []);
        assert_eq!(of_frame(&whole[..13], None), of_link(None, &[]));
        assert_eq!(of_frame(&whole[..13], Some(5)), of_link(None, &[5]));
        assert_eq!(of_frame(&whole[..14], None), of_link(None, &[]));
        assert_eq!(of_frame(&whole[..15], None), of_link(None, &[]));
        assert_eq!(of_frame(&whole[..16], None), of_link(None, &[0x100]));
        let found = of_frame(&whole[..18], None);
        assert_eq!(found, of_link(Some(ETHERTYPE_IPV4), &[0x100]));
    }

    #[test]
    fn addresses_before_the_network_header() {
        let p = ipv4(UDP, 0, 0, &tcp());
        let start = Start::Network {
            ethertype: ETHERTYPE_IPV4,
            addresses: Some(&MACS),
        };
        let inside = with(of_ipv4(UDP, 0), &PORTS);
        let found = fields(&packet(&p, start));
        assert_eq!(found, with(of_link(Some(ETHERTYPE_IPV4), &[]), &inside));
    }

    /// Bytes that are likely to be a packet of some depth.
    fn likely() -> impl Strategy<Value = (Vec<u8>, bool)> {
        let protocol = || {
            prop_oneof![
                prop::sample::select(vec![TCP, UDP, SCTP, ICMP, ICMPV6, 0, 43, 44, 60]),
                any::<u8>()
            ]
        };
        let offset = || prop_oneof![Just(0u16), Just(0x4000), Just(0x2000), any::<u16>()];
        let extension = (protocol(), 0u8..3, offset()).prop_map(|(next, units, offset)| {
            let mut e = vec![next, units];
            e.extend(offset.to_be_bytes());
            e.resize(8 + usize::from(units) * 8, 0);
            e
        });
        let tail = prop::collection::vec(any::<u8>(), 0..40);
        let chain = (prop::collection::vec(extension, 0..4), tail.clone())
            .prop_map(|(e, tail)| [e.concat(), tail].concat());
        let ip = prop_oneof![
            (protocol(), offset(), 0usize..11, tail)
                .prop_map(|(p, o, n, t)| (ETHERTYPE_IPV4, ipv4(p, o, n * 4, &t))),
            (protocol(), chain).prop_map(|(p, c)| (ETHERTYPE_IPV6, ipv6(p, &c))),
        ];
        let tags = prop::collection::vec(
            prop::sample::select(vec![ETHERTYPE_CTAG, ETHERTYPE_STAG]),
            0..3,
        );
        let flips = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
        (ip, tags, flips).prop_map(|((ethertype, ip), mut tags, flips)| {
            tags.push(ethertype);
            let mut f = frame(&tags, &ip);
            for (at, byte) in flips {
                let at = at.index(f.len());
                f[at] = byte;
            }
            (f, ethertype == ETHERTYPE_IPV4)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// What fewer bytes of a packet prove, more bytes prove too.
        #[test]
        fn more_bytes_prove_more((bytes, ipv4) in likely(), network in any::<bool>()) {
            let start = match (network, ipv4) {
                (true, true) => IPV4,
                (true, false) => IPV6,
                (false, _) => Start::Ethernet,
            };
            let bytes = if network { &bytes[14..] } else { &bytes[..] };
            let mut whole = packet(bytes, start);
            let all = fields(&whole);
            for end in 0..bytes.len() {
                whole.data = &bytes[..end];
                let part = fields(&whole);
                prop_assert!(part.iter().all(|field| all.contains(field)), "{part:?} {all:?}");
            }
        }

        /// The parser of the datapath sees the same, where the packet doesn't lie.
        #[test]
        fn as_the_header_parser((frame, _) in likely()) {
            let key = Key::read(&packet(&frame, Start::Ethernet), Fields::ALL);
            let headers = header::parse(&frame).unwrap();
            if let Some(ethertype) = key.get(Field::Ethertype) {
                prop_assert_eq!(ethertype, u128::from(headers.ethertype));
            }
            for (n, field) in [(0, Field::Vlan), (1, Field::InnerVlan)] {
                let tag = headers.tag(&frame, n).map(|tag| u128::from(tag.control & 0xfff));
                prop_assert_eq!(key.get(field), tag);
            }
            if let Some(protocol) = key.get(Field::Protocol) {
                prop_assert_eq!(protocol, u128::from(headers.protocol));
            }
            if let (Some(s), Some(d)) = (key.get(Field::SourcePort), key.get(Field::DestinationPort)) {
                prop_assert_eq!((s << 16 | d) as u32, u32::from_be_bytes(headers.ports.unwrap()));
            }
            if let Some(kind) = key.get(Field::Fragment) {
                prop_assert_eq!(kind, headers.fragment as u128);
            }
            let true_length = usize::from(headers.network_offset) + headers.ip_length as usize;
            if headers.ports.is_some() && true_length == frame.len() {
                prop_assert!(key.get(Field::DestinationPort).is_some());
            }
        }

        /// What isn't wanted may be left out, but nothing else changes.
        #[test]
        fn wanted((frame, _) in likely(), wanted in prop::sample::select(Field::ALL.to_vec())) {
            let packet = packet(&frame, Start::Ethernet);
            let all = Key::read(&packet, Fields::ALL);
            let some = Key::read(&packet, Fields::NONE.with(wanted));
            prop_assert_eq!(some.get(wanted), all.get(wanted));
            for field in Field::ALL {
                prop_assert!(some.get(field).is_none() || some.get(field) == all.get(field));
            }
        }

        #[test]
        fn noise(bytes in prop::collection::vec(any::<u8>(), 0..128), ethertype in any::<u16>()) {
            for ethertype in [ethertype, ETHERTYPE_IPV4, ETHERTYPE_IPV6] {
                let _ = fields(&packet(&bytes, Start::Network { ethertype, addresses: None }));
            }
            let _ = fields(&packet(&bytes, Start::Ethernet));
        }
    }
}
