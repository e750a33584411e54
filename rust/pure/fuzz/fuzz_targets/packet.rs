// SPDX-License-Identifier: GPL-2.0

//! Arbitrary bytes as a packet: whatever is read of it must stand in its bytes.
//!
//! Run with `cargo fuzz run packet -s none` in rust/pure; that needs no nightly tool chain.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pure::rules::field::{
    Field,
    Fields, //
};
use pure::rules::packet::{
    Key,
    Packet,
    Start, //
};

/// Whether a number stands somewhere in the bytes, as `length` of them.
fn stands_in(bytes: &[u8], value: u128, length: usize) -> bool {
    let value = value.to_be_bytes();
    bytes
        .windows(length)
        .any(|window| *window == value[16 - length..])
}

fuzz_target!(|input: (u8, u8, u16, Option<u16>, &[u8])| {
    let (kind, more, seen, tag, bytes) = input;
    let ethertype = match kind {
        0..64 => 0x800,
        64..128 => 0x86dd,
        _ => u16::from_be_bytes([kind, more]),
    };
    let start = if kind % 2 == 0 {
        Start::Ethernet
    } else {
        Start::Network {
            ethertype,
            addresses: None,
        }
    };
    let mut packet = Packet {
        data: bytes,
        start,
        // Sometimes a super frame.
        length: bytes.len() as u32 + if more == 0 { 70_000 } else { 0 },
        tag,
        in_device: kind.into(),
        out_device: 0,
        mark: 0,
        packet_type: more,
        conntrack: None,
    };
    let key = Key::read(&packet, Fields::ALL);

    for field in Field::ALL {
        let Some(value) = key.get(field) else {
            continue;
        };
        assert!(value <= field.highest());
        match field {
            Field::SourceIpv4 | Field::DestinationIpv4 => assert!(stands_in(bytes, value, 4)),
            Field::SourceIpv6 | Field::DestinationIpv6 => assert!(stands_in(bytes, value, 16)),
            Field::SourceMac | Field::DestinationMac => assert!(stands_in(bytes, value, 6)),
            Field::SourcePort | Field::DestinationPort => assert!(stands_in(bytes, value, 2)),
            Field::Protocol | Field::Ttl | Field::IcmpType | Field::Icmpv6Type => {
                assert!(stands_in(bytes, value, 1))
            }
            _ => (),
        }
    }
    let (ipv4, ipv6) = (key.get(Field::SourceIpv4), key.get(Field::SourceIpv6));
    assert!(ipv4.is_none() || ipv6.is_none());
    if key.fields().intersects(Fields::TRANSPORT) {
        assert!(ipv4.is_some() || ipv6.is_some());
        assert!(key.get(Field::Protocol).is_some());
        assert!(key.get(Field::Fragment) < Some(2));
    }

    // Fewer bytes prove no more, and nothing else.
    packet.data = &bytes[..bytes.len().min(seen.into())];
    let part = Key::read(&packet, Fields::ALL);
    for field in Field::ALL {
        assert!(part.get(field).is_none() || part.get(field) == key.get(field));
    }
});
