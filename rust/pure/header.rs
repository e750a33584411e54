// SPDX-License-Identifier: GPL-2.0

//! Where the headers of a frame are.
//!
//! [`parse`] reads an Ethernet frame from its start and says where the network and the transport
//! header begin and what they are: at most two VLAN tags (IEEE 802.1Q, 802.1ad), IPv4 (RFC 791),
//! IPv6 (RFC 8200) with its extension headers, and the ports of TCP, UDP and SCTP.
//!
//! The frame is untrusted. Only bytes of the given slice are read, whatever the lengths inside it
//! say; a header that is cut off is reported as not being there. The slice may hold only the start
//! of the frame, then headers beyond it aren't seen.

/// Length of an Ethernet address.
pub const MAC_LEN: usize = 6;
/// Length of an Ethernet header without tags.
pub const ETHERNET_LEN: usize = 14;
/// Length of one VLAN tag.
pub const VLAN_LEN: usize = 4;
/// Length of an IPv4 header without options.
pub const IPV4_LEN: usize = 20;
/// Length of an IPv6 header without extension headers.
pub const IPV6_LEN: usize = 40;
/// Length of a TCP header without options.
pub const TCP_LEN: usize = 20;
/// Length of a UDP header.
pub const UDP_LEN: usize = 8;

/// Ethertype of IPv4.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// Ethertype of IPv6.
pub const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Tag protocol of a customer VLAN tag (802.1Q).
pub const ETHERTYPE_CTAG: u16 = 0x8100;
/// Tag protocol of a service VLAN tag (802.1ad).
pub const ETHERTYPE_STAG: u16 = 0x88a8;

/// IP protocol number of TCP.
pub const TCP: u8 = 6;
/// IP protocol number of UDP.
pub const UDP: u8 = 17;
/// IP protocol number of SCTP.
pub const SCTP: u8 = 132;
/// IP protocol number of ICMP.
pub const ICMP: u8 = 1;
/// IP protocol number of ICMPv6.
pub const ICMPV6: u8 = 58;

/// IPv6 extension headers that [`parse`] steps over.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// More extension headers than this in one packet end the search for the transport header. RFC 8200
/// knows no more than seven in a sensible packet.
const EXTENSIONS_MAX: usize = 8;

/// An Ethernet address as on the wire.
pub type Mac = [u8; MAC_LEN];

/// What the network layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Neither IPv4 nor IPv6, or its header is malformed or cut off.
    Other,
    /// IPv4, its header whole, options included.
    Ipv4,
    /// IPv6, its fixed header whole.
    Ipv6,
}

/// Whether an IP packet is a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// It isn't. An IPv6 packet with an "atomic" fragment header (RFC 6946) is none either.
    Whole,
    /// The first of several: the transport header is in it.
    First,
    /// A later one: what follows the network header is payload.
    Later,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Tag protocol, [`ETHERTYPE_CTAG`] or [`ETHERTYPE_STAG`].
    pub protocol: u16,
    /// Tag control information: priority, drop eligibility, VLAN id.
    pub control: u16,
}

/// What [`parse`] found. Offsets count bytes from the start of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// What the network layer is.
    pub network: Network,
    /// Whether the packet is a fragment; `Whole` if it isn't IP.
    pub fragment: Fragment,
    /// Number of VLAN tags stepped over, 0 to 2.
    pub tags: u8,
    /// IP protocol of the payload. For IPv6 the last next-header value reached, for anything but IP
    /// 0.
    pub protocol: u8,
    /// Ethertype behind the tags.
    pub ethertype: u16,
    /// Offset of the network header: the byte behind the ethertype.
    pub network_offset: u16,
    /// Offset of the transport header. `None` if the packet isn't IP, is a later fragment, or the
    /// search for it ended early. The header itself needn't be whole.
    pub transport_offset: Option<u16>,
    /// Source and destination port of TCP, UDP or SCTP as on the wire, if they are there.
    pub ports: Option<[u8; 4]>,
    /// Whether nothing lies between the network header proper and the transport header but
    /// hop-by-hop options, and destination options without a home address. Whatever else does may
    /// say that the packet goes on to, or came from, another address than those of the network
    /// header (source route, routing header, home address), and that is what the transport checksum
    /// is over then; or that it is a fragment.
    /// Nothing can be said of the checksum, and nothing is merged.
    pub direct: bool,
    /// Length of the IP packet in bytes, header included, as the header claims it; 0 if it isn't
    /// IP. Packets of 64 KiB and more (super frames) claim 0 in IPv4 and 40 here in IPv6.
    pub ip_length: u32,
}

/// Destination address of a frame.
#[inline]
pub fn destination(frame: &[u8]) -> Option<&Mac> {
    frame.first_chunk()
}

/// Source address of a frame.
#[inline]
pub fn source(frame: &[u8]) -> Option<&Mac> {
    array_at(frame, MAC_LEN)
}

/// The `N` bytes at `offset`, if the slice has them.
#[inline]
pub(crate) fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<&[u8; N]> {
    bytes.get(offset..)?.first_chunk()
}

/// The big-endian number at `offset`.
#[inline]
fn be16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array_at(bytes, offset).map(|b| u16::from_be_bytes(*b))
}

/// Finds the headers of a frame, or `None` if it has no whole Ethernet header.
///
/// An untagged IPv4 packet without options that carries TCP or UDP and isn't a fragment takes about
/// twenty instructions.
#[inline]
pub fn parse(frame: &[u8]) -> Option<Headers> {
    const TRANSPORT: usize = ETHERNET_LEN + IPV4_LEN;

    if let Some(b) = frame.first_chunk::<{ TRANSPORT + 4 }>() {
        let plain = u16::from_be_bytes([b[12], b[13]]) == ETHERTYPE_IPV4 && b[14] == 0x45;
        let fragment = u16::from_be_bytes([b[20], b[21]]) & 0x3fff;
        let protocol = b[23];

        if plain && fragment == 0 && (protocol == TCP || protocol == UDP) {
            return Some(Headers {
                network: Network::Ipv4,
                fragment: Fragment::Whole,
                tags: 0,
                protocol,
                ethertype: ETHERTYPE_IPV4,
                network_offset: ETHERNET_LEN as u16,
                transport_offset: Some(TRANSPORT as u16),
                ports: Some([b[34], b[35], b[36], b[37]]),
                direct: true,
                ip_length: u32::from(u16::from_be_bytes([b[16], b[17]])),
            });
        }
    }
    parse_any(frame)
}

/// [`parse`] for every kind of frame.
#[inline(never)]
fn parse_any(frame: &[u8]) -> Option<Headers> {
    let mut ethertype = be16_at(frame, 12)?;
    let mut offset = ETHERNET_LEN;
    let mut tags = 0u8;

    while tags < 2 && (ethertype == ETHERTYPE_CTAG || ethertype == ETHERTYPE_STAG) {
        // The tag proper lies before the ethertype that follows it.
        let Some(inner) = be16_at(frame, offset.wrapping_add(2)) else {
            break;
        };
        ethertype = inner;
        offset = offset.wrapping_add(VLAN_LEN);
        tags = tags.wrapping_add(1);
    }

    let headers = Headers {
        tags,
        ethertype,
        network_offset: offset as u16,
        ..NO_HEADERS
    };
    let packet = frame.get(offset..).unwrap_or(&[]);
    let found = match ethertype {
        ETHERTYPE_IPV4 => parse_ipv4(packet, headers),
        ETHERTYPE_IPV6 => parse_ipv6(packet, headers),
        _ => None,
    };
    Some(found.unwrap_or(headers))
}

/// Finds the headers of an IPv6 packet, given from its own header on, or `None` if that isn't
/// whole. Offsets count from there.
pub(crate) fn parse_ipv6_packet(packet: &[u8]) -> Option<Headers> {
    parse_ipv6(packet, NO_HEADERS)
}

/// Whether a next-header value of IPv6 is that of an extension header that [`parse`] steps over.
pub(crate) const fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | FRAGMENT
    )
}

/// What is known before anything has been read.
const NO_HEADERS: Headers = Headers {
    network: Network::Other,
    fragment: Fragment::Whole,
    tags: 0,
    protocol: 0,
    ethertype: 0,
    network_offset: 0,
    transport_offset: None,
    ports: None,
    direct: false,
    ip_length: 0,
};

/// Reads an IPv4 header; `None` if it isn't a whole one.
fn parse_ipv4(packet: &[u8], mut headers: Headers) -> Option<Headers> {
    let ip = packet.first_chunk::<IPV4_LEN>()?;
    let length = usize::from(ip[0] & 0xf).wrapping_mul(4);

    if ip[0] >> 4 != 4 || length < IPV4_LEN || packet.len() < length {
        return None;
    }
    let fragment = u16::from_be_bytes([ip[6], ip[7]]);

    headers.network = Network::Ipv4;
    headers.protocol = ip[9];
    headers.ip_length = u32::from(u16::from_be_bytes([ip[2], ip[3]]));
    headers.fragment = if fragment & 0x1fff != 0 {
        Fragment::Later
    } else if fragment & 0x2000 != 0 {
        Fragment::First
    } else {
        Fragment::Whole
    };
    headers.direct = headers.fragment == Fragment::Whole && length == IPV4_LEN;
    if headers.fragment != Fragment::Later {
        headers.set_transport(packet, length);
    }
    Some(headers)
}

/// Whether a header of destination options, at an offset, may have a home address among them (RFC
/// 6275): any byte that could begin one is taken for it.
#[cold]
fn may_have_home_address(packet: &[u8], offset: usize) -> bool {
    const HOME_ADDRESS: u8 = 201;
    let options = packet.get(offset..).and_then(|rest| {
        let units = usize::from(*rest.get(1)?).wrapping_add(1);
        rest.get(2..units.wrapping_mul(8))
    });
    options.is_none_or(|options| options.contains(&HOME_ADDRESS))
}

/// Reads an IPv6 header and what extends it; `None` if the fixed header isn't whole.
fn parse_ipv6(packet: &[u8], mut headers: Headers) -> Option<Headers> {
    let ip = packet.first_chunk::<IPV6_LEN>()?;

    if ip[0] >> 4 != 6 {
        return None;
    }
    headers.network = Network::Ipv6;
    headers.protocol = ip[6];
    headers.ip_length = u32::from(u16::from_be_bytes([ip[4], ip[5]])).wrapping_add(IPV6_LEN as u32);

    headers.direct = true;
    let mut offset = IPV6_LEN;
    for _ in 0..=EXTENSIONS_MAX {
        if !is_extension(headers.protocol) {
            headers.set_transport(packet, offset);
            return Some(headers);
        }
        let Some(extension) = array_at::<4>(packet, offset) else {
            return Some(headers);
        };
        headers.direct &= match headers.protocol {
            HOP_BY_HOP => true,
            DESTINATION_OPTIONS => !may_have_home_address(packet, offset),
            _ => false,
        };
        let length = if headers.protocol == FRAGMENT {
            let fragment = u16::from_be_bytes([extension[2], extension[3]]);

            headers.protocol = extension[0];
            if fragment & !7 != 0 {
                // Of two such headers the outer one says what the packet is.
                if headers.fragment == Fragment::Whole {
                    headers.fragment = Fragment::Later;
                }
                return Some(headers);
            }
            if fragment & 1 != 0 {
                headers.fragment = Fragment::First;
            }
            8
        } else {
            headers.protocol = extension[0];
            usize::from(extension[1]).wrapping_add(1).wrapping_mul(8)
        };
        offset = offset.wrapping_add(length);
        if offset > packet.len() {
            return Some(headers);
        }
    }
    Some(headers)
}

impl Headers {
    /// Whether `bytes`, the first ones of the frame that these were found in, hold all of its headers up to that of TCP
    /// or UDP: nothing behind them would have told more.
    #[inline(always)]
    pub fn all_within(&self, bytes: &[u8]) -> bool {
        let transport = self
            .transport_offset
            .and_then(|offset| bytes.get(usize::from(offset)..))
            .unwrap_or(&[]);
        match self.protocol {
            TCP => transport
                .get(12)
                .is_some_and(|b| transport.len() >= (usize::from(b >> 4) << 2).max(TCP_LEN)),
            UDP => transport.len() >= UDP_LEN,
            _ => false,
        }
    }

    /// The transport header begins at `offset` of the packet: notes that and the ports.
    #[inline]
    fn set_transport(&mut self, packet: &[u8], offset: usize) {
        self.transport_offset = Some(self.network_offset.wrapping_add(offset as u16));
        if matches!(self.protocol, TCP | UDP | SCTP) {
            self.ports = array_at(packet, offset).copied();
        }
    }

    /// The `n`-th VLAN tag, 0 being the outer one, of the frame these headers were parsed from.
    #[inline]
    pub fn tag(&self, frame: &[u8], n: u8) -> Option<Tag> {
        if n >= self.tags {
            return None;
        }
        let offset = usize::from(n).wrapping_mul(VLAN_LEN).wrapping_add(12);
        let [a, b, c, d] = *array_at(frame, offset)?;
        Some(Tag {
            protocol: u16::from_be_bytes([a, b]),
            control: u16::from_be_bytes([c, d]),
        })
    }

    /// Source and destination address of an IPv4 packet, as on the wire.
    #[inline]
    pub fn ipv4_addresses<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8; 8]> {
        match self.network {
            Network::Ipv4 => array_at(frame, usize::from(self.network_offset).wrapping_add(12)),
            _ => None,
        }
    }

    /// Source and destination address of an IPv6 packet, as on the wire.
    #[inline]
    pub fn ipv6_addresses<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8; 32]> {
        match self.network {
            Network::Ipv6 => array_at(frame, usize::from(self.network_offset).wrapping_add(8)),
            _ => None,
        }
    }

    /// Length of the transport header and its payload, for a frame of `frame_length` bytes.
    ///
    /// `None` if there is no transport header or if the frame is shorter than the IP header claims.
    /// Bytes of the frame behind the IP packet (padding) don't count.
    #[inline]
    pub fn transport_length(&self, frame_length: usize) -> Option<u32> {
        let transport = u32::from(self.transport_offset?);
        let end = u32::from(self.network_offset).wrapping_add(self.ip_length);

        if usize::try_from(end).ok()? > frame_length {
            return None;
        }
        end.checked_sub(transport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ETH: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

    fn frame(ethertypes: &[u16], packet: &[u8]) -> Vec<u8> {
        let mut f = ETH.to_vec();
        for (i, t) in ethertypes.iter().enumerate() {
            f.extend(t.to_be_bytes());
            if i + 1 < ethertypes.len() {
                f.extend((100 + i as u16).to_be_bytes());
            }
        }
        f.extend(packet);
        f
    }

    fn ipv4(protocol: u8, fragment: u16, options: usize, payload: &[u8]) -> Vec<u8> {
        let length = (20 + options + payload.len()) as u16;
        let mut p = vec![0x45 + (options / 4) as u8, 0];
        p.extend(length.to_be_bytes());
        p.extend([0, 1]);
        p.extend(fragment.to_be_bytes());
        p.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        p.extend(vec![1; options]);
        p.extend(payload);
        p
    }

    fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut p = vec![0x60, 0, 0, 0];
        p.extend((payload.len() as u16).to_be_bytes());
        p.extend([next, 64]);
        p.extend((0..32).collect::<Vec<u8>>());
        p.extend(payload);
        p
    }

    #[test]
    fn plain_udp() {
        let f = frame(
            &[ETHERTYPE_IPV4],
            &ipv4(UDP, 0x4000, 0, &[1, 2, 3, 4, 0, 8, 0, 0]),
        );
        let h = parse(&f).unwrap();
        assert_eq!(h.network, Network::Ipv4);
        assert_eq!(h.fragment, Fragment::Whole);
        assert_eq!(h.protocol, UDP);
        assert_eq!(h.network_offset, 14);
        assert_eq!(h.transport_offset, Some(34));
        assert_eq!(h.ports, Some([1, 2, 3, 4]));
        assert_eq!(h.ip_length, 28);
        assert_eq!(h.ipv4_addresses(&f), Some(&[10, 0, 0, 1, 10, 0, 0, 2]));
        assert_eq!(h.ipv6_addresses(&f), None);
        assert_eq!(h.transport_length(f.len()), Some(8));
        assert_eq!(h.transport_length(f.len() + 18), Some(8));
        assert_eq!(h.transport_length(f.len() - 1), None);
        assert_eq!(destination(&f), Some(&[2, 0, 0, 0, 0, 1]));
        assert_eq!(source(&f), Some(&[2, 0, 0, 0, 0, 2]));
    }

    #[test]
    fn all_headers_or_not() {
        for (protocol, payload, least) in [
            (UDP, vec![7; 9], 8),
            (TCP, [vec![7; 12], vec![0x60], vec![7; 12]].concat(), 24),
            // A data offset that is none.
            (TCP, [vec![7; 12], vec![0x10], vec![7; 12]].concat(), 20),
        ] {
            let f = frame(&[ETHERTYPE_IPV4], &ipv4(protocol, 0, 0, &payload));
            for n in 14..f.len() {
                let within = parse(&f[..n]).unwrap().all_within(&f[..n]);
                assert_eq!(within, n >= 34 + least, "{protocol} {n}");
            }
        }
        let icmp = frame(&[ETHERTYPE_IPV4], &ipv4(1, 0, 0, &[7; 64]));
        assert!(!parse(&icmp).unwrap().all_within(&icmp));
    }

    #[test]
    fn two_tags_and_options() {
        let f = frame(
            &[ETHERTYPE_STAG, ETHERTYPE_CTAG, ETHERTYPE_IPV4],
            &ipv4(TCP, 0, 8, &[9; 20]),
        );
        let h = parse(&f).unwrap();
        assert_eq!(h.tags, 2);
        assert_eq!(h.network_offset, 22);
        assert_eq!(h.transport_offset, Some(50));
        assert_eq!(h.ports, Some([9; 4]));
        let (outer, inner) = (h.tag(&f, 0).unwrap(), h.tag(&f, 1).unwrap());
        assert_eq!((outer.protocol, outer.control), (ETHERTYPE_STAG, 100));
        assert_eq!((inner.protocol, inner.control), (ETHERTYPE_CTAG, 101));
        assert_eq!(h.tag(&f, 2), None);
    }

    #[test]
    fn third_tag_is_no_ip() {
        let f = frame(
            &[
                ETHERTYPE_STAG,
                ETHERTYPE_CTAG,
                ETHERTYPE_CTAG,
                ETHERTYPE_IPV4,
            ],
            &ipv4(TCP, 0, 0, &[9; 20]),
        );
        let h = parse(&f).unwrap();
        assert_eq!(
            (h.tags, h.ethertype, h.network),
            (2, ETHERTYPE_CTAG, Network::Other)
        );
    }

    #[test]
    fn fragments() {
        let first = parse(&frame(&[ETHERTYPE_IPV4], &ipv4(UDP, 0x2000, 0, &[7; 8]))).unwrap();
        assert_eq!(
            (first.fragment, first.ports),
            (Fragment::First, Some([7; 4]))
        );
        let later = parse(&frame(&[ETHERTYPE_IPV4], &ipv4(UDP, 0x2001, 0, &[7; 8]))).unwrap();
        assert_eq!((later.fragment, later.ports), (Fragment::Later, None));
        assert_eq!(later.transport_offset, None);

        let v6 = |fragment: u16| {
            let mut p = vec![UDP, 0];
            p.extend(fragment.to_be_bytes());
            p.extend([0, 0, 0, 1, 5, 5, 5, 5, 0, 8, 0, 0]);
            parse(&frame(&[ETHERTYPE_IPV6], &ipv6(FRAGMENT, &p))).unwrap()
        };
        assert_eq!(
            (v6(0).fragment, v6(0).ports),
            (Fragment::Whole, Some([5; 4]))
        );
        assert_eq!(
            (v6(1).fragment, v6(1).ports),
            (Fragment::First, Some([5; 4]))
        );
        assert_eq!((v6(8).fragment, v6(8).ports), (Fragment::Later, None));
        assert_eq!(v6(9).protocol, UDP);
    }

    #[test]
    fn extension_headers() {
        // Hop-by-hop of 8 bytes, routing of 16, destination options of 8, then TCP.
        let mut p = vec![ROUTING, 0, 1, 4, 0, 0, 0, 0];
        p.extend([DESTINATION_OPTIONS, 1]);
        p.extend([0; 14]);
        p.extend([TCP, 0, 1, 4, 0, 0, 0, 0]);
        p.extend([3; 20]);
        let f = frame(&[ETHERTYPE_IPV6], &ipv6(HOP_BY_HOP, &p));
        let h = parse(&f).unwrap();
        assert_eq!(h.protocol, TCP);
        assert_eq!(h.transport_offset, Some(14 + 40 + 32));
        assert_eq!(h.ports, Some([3; 4]));
        assert_eq!(h.transport_length(f.len()), Some(20));
        assert_eq!(h.ipv6_addresses(&f).unwrap()[31], 31);
    }

    #[test]
    fn direct_or_not() {
        let direct = |ethertype, packet: &[u8]| parse(&frame(&[ethertype], packet)).unwrap().direct;
        for (fragment, options, want) in [
            (0x4000, 0, true),
            (0, 4, false),
            (0x2000, 0, false),
            (1, 0, false),
        ] {
            let packet = ipv4(TCP, fragment, options, &[3; 20]);
            assert_eq!(direct(ETHERTYPE_IPV4, &packet), want);
        }
        for (extension, want) in [
            (TCP, true),
            (HOP_BY_HOP, true),
            (ROUTING, false),
            (DESTINATION_OPTIONS, true),
            (FRAGMENT, false),
        ] {
            let mut p = vec![TCP, 0, 0, 0, 0, 0, 0, 0];
            p.extend([3; 20]);
            assert_eq!(direct(ETHERTYPE_IPV6, &ipv6(extension, &p)), want);
        }
        // A home address.
        let mut p = vec![TCP, 2, 201, 16];
        p.extend([0; 20]);
        p.extend([3; 20]);
        assert!(!direct(ETHERTYPE_IPV6, &ipv6(DESTINATION_OPTIONS, &p)));
        assert!(!direct(0x88b5, &[0; 60]));
    }

    #[test]
    fn endless_extension_headers() {
        let p: Vec<u8> = (0..200)
            .flat_map(|_| [DESTINATION_OPTIONS, 0, 0, 0, 0, 0, 0, 0])
            .collect();
        let h = parse(&frame(&[ETHERTYPE_IPV6], &ipv6(DESTINATION_OPTIONS, &p))).unwrap();
        assert_eq!((h.network, h.transport_offset), (Network::Ipv6, None));
    }

    #[test]
    fn bad_ip_headers() {
        let mut p = ipv4(UDP, 0, 0, &[0; 8]);
        p[0] = 0x44;
        assert_eq!(
            parse(&frame(&[ETHERTYPE_IPV4], &p)).unwrap().network,
            Network::Other
        );
        p[0] = 0x65;
        assert_eq!(
            parse(&frame(&[ETHERTYPE_IPV4], &p)).unwrap().network,
            Network::Other
        );
        p[0] = 0x4f;
        assert_eq!(
            parse(&frame(&[ETHERTYPE_IPV4], &p)).unwrap().network,
            Network::Other
        );
        assert_eq!(parse(&[0; 13]), None);
        assert_eq!(parse(&[0; 14]).unwrap().network, Network::Other);
    }

    /// The same, written as plainly as possible, over a reader that yields byte after byte.
    mod naive {
        use super::super::*;

        struct Reader<'a>(&'a [u8], usize);

        impl Reader<'_> {
            fn u8(&mut self) -> Option<u8> {
                self.1 += 1;
                self.0.get(self.1 - 1).copied()
            }
            fn u16(&mut self) -> Option<u16> {
                Some(u16::from(self.u8()?) << 8 | u16::from(self.u8()?))
            }
            fn skip(&mut self, n: usize) -> Option<()> {
                self.1 += n;
                (self.1 <= self.0.len()).then_some(())
            }
        }

        pub(super) fn parse(frame: &[u8]) -> Option<Headers> {
            let mut r = Reader(frame, 0);
            r.skip(12)?;
            let mut ethertype = r.u16()?;
            let mut tags = 0;
            while tags < 2 && [ETHERTYPE_CTAG, ETHERTYPE_STAG].contains(&ethertype) {
                let here = r.1;
                match r.u16().and_then(|_| r.u16()) {
                    Some(inner) => ethertype = inner,
                    None => {
                        r.1 = here;
                        break;
                    }
                }
                tags += 1;
            }
            let mut h = Headers {
                network: Network::Other,
                fragment: Fragment::Whole,
                tags,
                protocol: 0,
                ethertype,
                network_offset: r.1 as u16,
                transport_offset: None,
                ports: None,
                direct: false,
                ip_length: 0,
            };
            if ethertype == ETHERTYPE_IPV4 {
                let _ = ipv4(r, &mut h);
            } else if ethertype == ETHERTYPE_IPV6 {
                let _ = ipv6(r, &mut h);
            }
            Some(h)
        }

        fn ipv4(mut r: Reader<'_>, h: &mut Headers) -> Option<()> {
            let start = r.1;
            let first = r.u8()?;
            let ihl = usize::from(first % 16) * 4;
            if first / 16 != 4 || ihl < 20 || start + ihl > r.0.len() {
                return None;
            }
            h.network = Network::Ipv4;
            r.skip(1)?;
            h.ip_length = r.u16()?.into();
            r.skip(2)?;
            let fragment = r.u16()?;
            r.skip(1)?;
            h.protocol = r.u8()?;
            r.skip(10 + ihl - 20)?;
            h.direct = ihl == 20 && fragment & 0x3fff == 0;
            if fragment & 0x1fff > 0 {
                h.fragment = Fragment::Later;
                return None;
            }
            if fragment & 0x2000 > 0 {
                h.fragment = Fragment::First;
            }
            transport(r, h)
        }

        fn ipv6(mut r: Reader<'_>, h: &mut Headers) -> Option<()> {
            if r.0.len() < r.1 + 40 || r.u8()? / 16 != 6 {
                return None;
            }
            h.network = Network::Ipv6;
            r.skip(3)?;
            h.ip_length = u32::from(r.u16()?) + 40;
            h.protocol = r.u8()?;
            r.skip(33)?;
            h.direct = true;
            for _ in 0..9 {
                let start = r.1;
                match h.protocol {
                    0 | 43 | 60 => {
                        let (next, units, _) = (r.u8()?, r.u8()?, r.u16()?);
                        let end = start + usize::from(units) * 8 + 8;
                        let home = r.0.get(start + 2..end).is_none_or(|o| o.contains(&201));
                        h.direct &= h.protocol == 0 || h.protocol == 60 && !home;
                        h.protocol = next;
                        r.1 = start;
                        r.skip(usize::from(units) * 8 + 8)?;
                    }
                    44 => {
                        let (next, _, fragment) = (r.u8()?, r.u8()?, r.u16()?);
                        h.direct = false;
                        h.protocol = next;
                        if fragment / 8 > 0 {
                            if h.fragment != Fragment::First {
                                h.fragment = Fragment::Later;
                            }
                            return None;
                        }
                        if fragment % 2 > 0 {
                            h.fragment = Fragment::First;
                        }
                        r.skip(4)?;
                    }
                    _ => return transport(r, h),
                }
            }
            None
        }

        fn transport(mut r: Reader<'_>, h: &mut Headers) -> Option<()> {
            h.transport_offset = Some(r.1 as u16);
            if [6, 17, 132].contains(&h.protocol) {
                h.ports = Some([r.u8()?, r.u8()?, r.u8()?, r.u8()?]);
            }
            Some(())
        }
    }

    /// Bytes that are likely to be headers: pure noise rarely gets beyond the ethertype.
    fn likely_frame() -> impl Strategy<Value = Vec<u8>> {
        let protocol = prop_oneof![
            Just(TCP),
            Just(UDP),
            Just(SCTP),
            Just(HOP_BY_HOP),
            Just(ROUTING),
            Just(FRAGMENT),
            Just(DESTINATION_OPTIONS),
            any::<u8>()
        ];
        let extension = (
            protocol.clone(),
            0u8..4,
            prop_oneof![Just(0u16), any::<u16>()],
        )
            .prop_map(|(next, units, fragment)| {
                let mut e = vec![next, units];
                e.extend(fragment.to_be_bytes());
                e.resize(8 + usize::from(units) * 8, 0);
                e
            });
        let payload = (
            proptest::collection::vec(extension, 0..10),
            proptest::collection::vec(any::<u8>(), 0..64),
        )
            .prop_map(|(e, tail)| [e.concat(), tail].concat());
        let fragment = prop_oneof![Just(0u16), Just(0x4000), Just(0x2000), any::<u16>()];
        let packet = prop_oneof![
            (protocol.clone(), fragment, 0usize..11, payload.clone())
                .prop_map(|(p, f, o, d)| ipv4(p, f, o * 4, &d)),
            (protocol, payload).prop_map(|(p, d)| ipv6(p, &d)),
            proptest::collection::vec(any::<u8>(), 0..100),
        ];
        let types = prop_oneof![
            Just(ETHERTYPE_IPV4),
            Just(ETHERTYPE_IPV6),
            Just(ETHERTYPE_CTAG),
            Just(ETHERTYPE_STAG),
            any::<u16>()
        ];
        (
            proptest::collection::vec(types, 1..5),
            packet,
            any::<proptest::sample::Index>(),
            prop::bool::weighted(0.3),
        )
            .prop_map(|(t, p, cut, truncate)| {
                let mut f = frame(&t, &p);
                if truncate {
                    f.truncate(cut.index(f.len()));
                }
                f
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn equals_naive_parser(f in likely_frame()) {
            prop_assert_eq!(parse(&f), naive::parse(&f));
        }

        #[test]
        fn fast_path_equals_slow_path(f in likely_frame()) {
            prop_assert_eq!(parse(&f), parse_any(&f));
        }

        #[test]
        fn what_holds_all_headers_tells_all(f in likely_frame()) {
            for n in 0..f.len() {
                if let Some(h) = parse(&f[..n]).filter(|h| h.all_within(&f[..n])) {
                    prop_assert_eq!(Some(h), parse(&f));
                }
            }
        }

        #[test]
        fn noise(f in proptest::collection::vec(any::<u8>(), 0..128)) {
            let found = parse(&f);
            prop_assert_eq!(found, naive::parse(&f));
            if let Some(h) = found {
                let _ = h.transport_length(f.len());
                let _ = (h.tag(&f, 0), h.ipv4_addresses(&f), h.ipv6_addresses(&f));
            }
        }
    }
}
