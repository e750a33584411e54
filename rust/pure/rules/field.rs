// SPDX-License-Identifier: GPL-2.0

//! The fields of a packet that rules match.
//!
//! A field is an unsigned number of up to 128 bits, in host byte order. A packet either has a field
//! or has it not: a port, for example, is there only if the transport header is.
//!
//! All fields of a packet stand in a [`Key`](super::packet::Key), some words in which each field
//! has its `Place`. Fields that are often matched together share a word, so that a classifier has
//! few words to look at.

/// A field of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// Index of the device that the packet came in by.
    InDevice = 0,
    /// Index of the device that the packet is to leave by.
    OutDevice,
    /// Source address of the Ethernet header.
    SourceMac,
    /// Destination address of the Ethernet header.
    DestinationMac,
    /// Ethertype, behind all VLAN tags.
    Ethertype,
    /// VLAN id of the outermost tag, be it in the frame or beside it.
    Vlan,
    /// VLAN id of the tag behind the outermost.
    InnerVlan,
    /// Source address of an IPv4 packet.
    SourceIpv4,
    /// Destination address of an IPv4 packet.
    DestinationIpv4,
    /// Source address of an IPv6 packet.
    SourceIpv6,
    /// Destination address of an IPv6 packet.
    DestinationIpv6,
    /// IP protocol of the payload, behind all extension headers of IPv6.
    Protocol,
    /// Source port of TCP, UDP or SCTP.
    SourcePort,
    /// Destination port of TCP, UDP or SCTP.
    DestinationPort,
    /// Flags of TCP, see [`tcp_flags`].
    TcpFlags,
    /// Type of an ICMP message, over IPv4.
    IcmpType,
    /// Code of an ICMP message, over IPv4.
    IcmpCode,
    /// Type of an ICMPv6 message.
    Icmpv6Type,
    /// Code of an ICMPv6 message.
    Icmpv6Code,
    /// Differentiated services code point of IPv4 or IPv6.
    Dscp,
    /// Explicit congestion notification of IPv4 or IPv6.
    Ecn,
    /// Time to live of IPv4, hop limit of IPv6.
    Ttl,
    /// Whether an IP packet is a fragment, see [`fragment`].
    Fragment,
    /// Length of the packet in bytes, from where its data begins at the hook.
    Length,
    /// Mark of the packet.
    Mark,
    /// Whom the packet is for, as the link layer sees it (the kernel's `PACKET_*`).
    PacketType,
    /// State of the packet's connection, a set of bits, see [`conntrack`].
    Conntrack,
}

/// Values of [`Field::Fragment`].
pub mod fragment {
    /// No fragment.
    pub const WHOLE: u8 = 0;
    /// The first of several: the transport header is in it.
    pub const FIRST: u8 = 1;
    /// A later one: what follows the network header is payload.
    pub const LATER: u8 = 2;
}

/// Bits of [`Field::TcpFlags`], as in the header.
pub mod tcp_flags {
    /// No more data from the sender.
    pub const FIN: u16 = 1;
    /// Synchronise sequence numbers.
    pub const SYN: u16 = 1 << 1;
    /// Reset the connection.
    pub const RST: u16 = 1 << 2;
    /// Push.
    pub const PSH: u16 = 1 << 3;
    /// The acknowledgement number counts.
    pub const ACK: u16 = 1 << 4;
    /// The urgent pointer counts.
    pub const URG: u16 = 1 << 5;
    /// ECN echo.
    pub const ECE: u16 = 1 << 6;
    /// Congestion window reduced.
    pub const CWR: u16 = 1 << 7;
    /// Accurate ECN.
    pub const AE: u16 = 1 << 8;
}

/// Bits of [`Field::Conntrack`].
///
/// Exactly one of the states is set; their numbers are those of the kernel
/// (`NF_CT_STATE_BIT()` in `include/uapi/linux/netfilter/nf_conntrack_common.h`). The others say
/// more about the connection.
pub mod conntrack {
    /// The packet belongs to no connection and can't open one.
    pub const INVALID: u16 = 1;
    /// Of a connection that has seen packets both ways.
    pub const ESTABLISHED: u16 = 1 << 1;
    /// Opens a connection that another one announced.
    pub const RELATED: u16 = 1 << 2;
    /// Opens a connection.
    pub const NEW: u16 = 1 << 3;
    /// Exempt from tracking.
    pub const UNTRACKED: u16 = 1 << 6;
    /// The states, of which a packet has exactly one.
    pub const STATES: [u16; 5] = [INVALID, ESTABLISHED, RELATED, NEW, UNTRACKED];
    /// In the direction of the replies.
    pub const REPLY: u16 = 1 << 8;
    /// The connection's source address is translated.
    pub const SOURCE_NAT: u16 = 1 << 9;
    /// The connection's destination address is translated.
    pub const DESTINATION_NAT: u16 = 1 << 10;
}

/// Where a field stands in a key: `width` bits of word `word`, from bit `shift` on.
///
/// A field of 128 bits fills two words, the first with its higher half.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Index of the (first) word.
    pub(super) word: u8,
    /// Lowest bit in the word.
    pub(super) shift: u8,
    /// Number of bits.
    pub(super) width: u8,
    /// The lowest 32 bits of the highest value that fits.
    pub(super) ones: u32,
}

/// Number of bits of each half of a key's first word. The higher half says which fields are there.
const HALF: u32 = 32;

const fn place(word: u8, shift: u8, width: u8) -> Place {
    let ones = match width {
        0 => 0,
        1..=31 => u32::MAX.wrapping_shr(32u32.wrapping_sub(width as u32)),
        _ => u32::MAX,
    };

    Place {
        word,
        shift,
        width,
        ones,
    }
}

/// The places, by the number of the field. The table is as long as five bits can count, so that a
/// number of so many bits needs no check; what isn't used is a field without bits.
const PLACES: [Place; 32] = {
    let none = place(15, 0, 0);

    [
        place(7, 32, 32),
        place(7, 0, 32),
        place(9, 16, 48),
        place(10, 16, 48),
        place(9, 0, 16),
        place(11, 0, 12),
        place(11, 16, 12),
        place(2, 32, 32),
        place(2, 0, 32),
        place(3, 0, 128),
        place(5, 0, 128),
        place(0, 0, 8),
        place(1, 48, 16),
        place(1, 32, 16),
        place(1, 16, 9),
        // No packet has both kinds of ICMP, so they share their place.
        place(1, 8, 8),
        place(1, 0, 8),
        place(1, 8, 8),
        place(1, 0, 8),
        place(0, 10, 6),
        place(0, 8, 2),
        place(0, 16, 8),
        place(0, 24, 2),
        place(8, 0, 32),
        place(8, 32, 32),
        place(0, 26, 3),
        place(10, 0, 16),
        none,
        none,
        none,
        none,
        none,
    ]
};

/// Number of fields.
pub const COUNT: usize = 27;

impl Field {
    /// All fields, by number.
    pub const ALL: [Field; COUNT] = [
        Field::InDevice,
        Field::OutDevice,
        Field::SourceMac,
        Field::DestinationMac,
        Field::Ethertype,
        Field::Vlan,
        Field::InnerVlan,
        Field::SourceIpv4,
        Field::DestinationIpv4,
        Field::SourceIpv6,
        Field::DestinationIpv6,
        Field::Protocol,
        Field::SourcePort,
        Field::DestinationPort,
        Field::TcpFlags,
        Field::IcmpType,
        Field::IcmpCode,
        Field::Icmpv6Type,
        Field::Icmpv6Code,
        Field::Dscp,
        Field::Ecn,
        Field::Ttl,
        Field::Fragment,
        Field::Length,
        Field::Mark,
        Field::PacketType,
        Field::Conntrack,
    ];

    /// The number of the field.
    #[inline]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The field of a number.
    #[inline]
    pub fn from_number(number: u8) -> Option<Field> {
        Field::ALL.get(usize::from(number)).copied()
    }

    /// Number of bits.
    #[inline]
    pub fn width(self) -> u32 {
        u32::from(self.place().width)
    }

    /// The highest number that fits.
    #[inline]
    pub fn highest(self) -> u128 {
        // No field is without bits, so the shift is less than 128.
        u128::MAX.wrapping_shr(128u32.wrapping_sub(self.width()))
    }

    /// Where the field stands.
    #[inline]
    pub(super) fn place(self) -> Place {
        place_of(u32::from(self.number()))
    }

    /// The bit of a key's first word that says that the field is there.
    #[inline]
    pub(super) const fn presence(self) -> u64 {
        1u64.wrapping_shl(HALF.wrapping_add(self as u32))
    }
}

/// Where the field of a number, of which five bits count, stands.
#[inline]
pub(super) fn place_of(number: u32) -> Place {
    match PLACES.get((number & 31) as usize) {
        Some(place) => *place,
        None => place(15, 0, 0),
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(u32);

impl Fields {
    /// No field.
    pub const NONE: Fields = Fields(0);
    /// Every field.
    pub const ALL: Fields = Fields((1 << COUNT) - 1);
    /// What is known of every packet, or stands beside its bytes.
    pub const BESIDE: Fields = Fields::NONE
        .with(Field::InDevice)
        .with(Field::OutDevice)
        .with(Field::Length)
        .with(Field::Mark)
        .with(Field::PacketType)
        .with(Field::Conntrack);
    /// What stands in the link header, and the tag beside it.
    pub const LINK: Fields = Fields::NONE
        .with(Field::SourceMac)
        .with(Field::DestinationMac)
        .with(Field::Ethertype)
        .with(Field::Vlan)
        .with(Field::InnerVlan);
    /// What is read from IPv4 only.
    pub const IPV4: Fields = Fields::NONE
        .with(Field::SourceIpv4)
        .with(Field::DestinationIpv4)
        .with(Field::IcmpType)
        .with(Field::IcmpCode);
    /// What is read from IPv6 only.
    pub const IPV6: Fields = Fields::NONE
        .with(Field::SourceIpv6)
        .with(Field::DestinationIpv6)
        .with(Field::Icmpv6Type)
        .with(Field::Icmpv6Code);
    /// What is read from the transport header.
    pub const TRANSPORT: Fields = Fields::NONE
        .with(Field::SourcePort)
        .with(Field::DestinationPort)
        .with(Field::TcpFlags)
        .with(Field::IcmpType)
        .with(Field::IcmpCode)
        .with(Field::Icmpv6Type)
        .with(Field::Icmpv6Code);
    /// What is read from an IP packet.
    pub const IP: Fields = Fields::IPV4
        .union(Fields::IPV6)
        .union(Fields::TRANSPORT)
        .with(Field::Protocol)
        .with(Field::Dscp)
        .with(Field::Ecn)
        .with(Field::Ttl)
        .with(Field::Fragment);

    /// The set and one field more.
    #[inline]
    pub const fn with(self, field: Field) -> Fields {
        Fields(self.0 | 1u32.wrapping_shl(field as u32))
    }

    /// The fields of both sets.
    #[inline]
    pub const fn union(self, other: Fields) -> Fields {
        Fields(self.0 | other.0)
    }

    /// The fields of this set that aren't in the other.
    #[inline]
    pub const fn without(self, other: Fields) -> Fields {
        Fields(self.0 & !other.0)
    }

    /// Whether the sets have a field in common.
    #[inline]
    pub const fn intersects(self, other: Fields) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a field is in the set.
    #[inline]
    pub const fn contains(self, field: Field) -> bool {
        self.intersects(Fields::NONE.with(field))
    }

    /// The set that the first word of a key says is there.
    #[inline]
    pub(super) const fn from_presence(word: u64) -> Fields {
        Fields(word.wrapping_shr(HALF) as u32)
    }

    /// As the presence bits of a key's first word.
    #[inline]
    pub(super) const fn to_presence(self) -> u64 {
        (self.0 as u64).wrapping_shl(HALF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (n, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(field.number()), n);
            assert_eq!(Field::from_number(n as u8), Some(field));
            assert!(Fields::ALL.contains(field));
            assert!(!Fields::NONE.contains(field));
        }
        assert_eq!(Field::from_number(COUNT as u8), None);
        assert_eq!(Field::from_number(255), None);
    }

    #[test]
    fn places_do_not_overlap() {
        let mut used = [0u64; 12];
        used[0] = !0 << 32;
        for field in Field::ALL {
            let Place {
                word,
                shift,
                width,
                ones,
            } = field.place();
            assert_eq!(u128::from(ones), field.highest() & 0xffff_ffff);
            let word = usize::from(word);
            if matches!(field, Field::Icmpv6Type | Field::Icmpv6Code) {
                continue;
            }
            if width == 128 {
                assert_eq!((used[word], used[word + 1]), (0, 0));
                (used[word], used[word + 1]) = (!0, !0);
                continue;
            }
            assert!(shift + width <= 64 && width <= 48);
            let bits = ((1u64 << width) - 1) << shift;
            assert_eq!(used[word] & bits, 0, "{field:?}");
            used[word] |= bits;
        }
        assert!(used.iter().all(|&bits| bits != 0), "no word is without use");
    }

    #[test]
    fn highest_values() {
        assert_eq!(Field::Ecn.highest(), 3);
        assert_eq!(Field::SourcePort.highest(), 0xffff);
        assert_eq!(Field::SourceMac.highest(), 0xffff_ffff_ffff);
        assert_eq!(Field::SourceIpv6.highest(), u128::MAX);
    }

    #[test]
    fn sets() {
        let ip = Fields::IP;
        assert!(ip.contains(Field::SourcePort) && ip.contains(Field::SourceIpv6));
        assert!(!ip.contains(Field::Length) && !ip.intersects(Fields::LINK));
        assert_eq!(Fields::from_presence(ip.to_presence()), ip);
        assert_eq!(
            Field::Mark.presence(),
            Fields::NONE.with(Field::Mark).to_presence()
        );
    }
}
