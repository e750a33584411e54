// SPDX-License-Identifier: GPL-2.0

//! Changes of the IP header.
//!
//! DSCP and ECN (RFC 2474, RFC 3168) are one byte together, the second of an IPv4 header; in IPv6
//! it begins in the middle of the first byte. IPv4's header checksum is updated rather than
//! computed (RFC 1624), so a header that was wrong stays wrong.

use crate::checksum;
use crate::header::{
    IPV4_LEN,
    IPV6_LEN, //
};

/// Bits of the byte that are DSCP.
const DSCP: u8 = 0xfc;
/// Bits of the byte that are ECN.
const ECN: u8 = 0x03;

/// What became of the first 16 bits of a header, the only ones that changed but for IPv4's
/// checksum.
///
/// The sum over an IPv4 header with its checksum stays the same. Who keeps a sum over an IPv6
/// header has to update it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What they were, in host byte order.
    pub old: u16,
    /// What they are now.
    pub new: u16,
}

/// Sets the DSCP of a packet that begins with its IP header; of `dscp` the lowest six bits count.
///
/// `None`, and nothing changed, if there is no whole IP header.
pub fn set_dscp(packet: &mut [u8], dscp: u8) -> Option<Change> {
    set_traffic_class(packet, dscp.wrapping_shl(2), DSCP)
}

/// Sets the ECN of a packet that begins with its IP header; of `ecn` the lowest two bits count.
///
/// `None`, and nothing changed, if there is no whole IP header.
pub fn set_ecn(packet: &mut [u8], ecn: u8) -> Option<Change> {
    set_traffic_class(packet, ecn, ECN)
}

/// Sets bits of the byte that holds DSCP and ECN.
fn set_traffic_class(packet: &mut [u8], value: u8, mask: u8) -> Option<Change> {
    let length = packet.len();
    let version = packet.first()? >> 4;
    let start = packet.first_chunk_mut::<2>()?;
    let old = u16::from_be_bytes(*start);
    let (value, mask) = (u16::from(value & mask), u16::from(mask));

    match version {
        4 => {
            let new = old & !mask | value;
            let header = usize::from(old >> 8 & 0xf).wrapping_mul(4);

            if header < IPV4_LEN || header > length {
                return None;
            }
            *start = new.to_be_bytes();
            let sum = packet.get_mut(10..12)?.first_chunk_mut::<2>()?;
            *sum = checksum::update(u16::from_be_bytes(*sum), old, new).to_be_bytes();
            Some(Change { old, new })
        }
        6 if length >= IPV6_LEN => {
            let new = old & !mask.wrapping_shl(4) | value.wrapping_shl(4);

            *start = new.to_be_bytes();
            Some(Change { old, new })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Sum;
    use proptest::prelude::*;

    fn sum(bytes: &[u8]) -> Sum {
        let mut sum = Sum::new();
        sum.add_bytes(bytes);
        sum
    }

    fn ipv4() -> Vec<u8> {
        let mut p = vec![
            0x45, 0xb9, 0, 24, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4,
        ];
        let check = sum(&p[..20]).checksum();
        p[10..12].copy_from_slice(&check.to_be_bytes());
        p
    }

    #[test]
    fn ipv4_fields() {
        let mut p = ipv4();
        let change = Change {
            old: 0x45b9,
            new: 0x4529,
        };
        assert_eq!(set_dscp(&mut p, 10), Some(change));
        assert!(sum(&p[..20]).is_valid());
        let change = Change {
            old: 0x4529,
            new: 0x452b,
        };
        assert_eq!(set_ecn(&mut p, 3), Some(change));
        assert!(sum(&p[..20]).is_valid());
        assert_eq!(p[1], 10 << 2 | 3);
        assert_eq!(p[12..], ipv4()[12..]);
    }

    #[test]
    fn ipv6_fields() {
        let mut p = vec![0x6b, 0x9f, 0xff, 0xff];
        p.resize(40, 0xa5);
        let before = p.clone();
        let change = Change {
            old: 0x6b9f,
            new: 0x629f,
        };
        assert_eq!(set_dscp(&mut p, 10), Some(change));
        assert_eq!(set_ecn(&mut p, 0).map(|c| c.new), Some(0x628f));
        assert_eq!(p[..4], [0x62, 0x8f, 0xff, 0xff]);
        assert_eq!(p[4..], before[4..]);
    }

    #[test]
    fn no_header_no_change() {
        let mut long_options = ipv4();
        long_options[0] = 0x4f;
        let mut short_options = ipv4();
        short_options[0] = 0x44;
        let mut ipv6 = vec![0x60; 39];
        let mut cut = ipv4()[..19].to_vec();
        let mut other = vec![0x50; 60];
        for p in [
            &mut long_options,
            &mut short_options,
            &mut ipv6,
            &mut cut,
            &mut other,
            &mut vec![],
            &mut vec![0x45],
        ] {
            let before = p.clone();
            assert_eq!(set_dscp(p, 1), None);
            assert_eq!(set_ecn(p, 1), None);
            assert_eq!(*p, before);
        }
    }

    proptest! {
        #[test]
        fn a_valid_checksum_stays_valid(
            mut p in prop::collection::vec(any::<u8>(), 60),
            words in 5u8..16,
            dscp in any::<u8>(),
            ecn in any::<u8>(),
        ) {
            let header = usize::from(words) * 4;
            p[0] = 0x40 | words;
            p[10..12].fill(0);
            let check = sum(&p[..header]).checksum();
            p[10..12].copy_from_slice(&check.to_be_bytes());

            set_dscp(&mut p, dscp).unwrap();
            prop_assert!(sum(&p[..header]).is_valid());
            set_ecn(&mut p, ecn).unwrap();
            prop_assert!(sum(&p[..header]).is_valid());
            prop_assert_eq!(p[1], dscp << 2 | ecn & 3);
        }
    }
}
