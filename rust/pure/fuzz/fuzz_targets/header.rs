// SPDX-License-Identifier: GPL-2.0

//! Arbitrary bytes as a frame: whatever the parser says must lie inside the frame.
//!
//! Run with `cargo fuzz run header -s none` in rust/pure; that needs no nightly tool chain.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pure::header;

fuzz_target!(|frame: &[u8]| {
    let Some(headers) = header::parse(frame) else {
        assert!(frame.len() < header::ETHERNET_LEN);
        return;
    };
    let network = usize::from(headers.network_offset);

    assert!(network <= frame.len());
    assert!(network == header::ETHERNET_LEN + usize::from(headers.tags) * header::VLAN_LEN);
    for n in 0..headers.tags {
        assert!(headers.tag(frame, n).is_some());
    }
    if let Some(transport) = headers.transport_offset {
        assert!(usize::from(transport) <= frame.len());
        assert!(usize::from(transport) >= network + header::IPV4_LEN);
    }
    if let Some(ports) = headers.ports {
        let at = usize::from(
            headers
                .transport_offset
                .expect("ports need a transport header"),
        );
        assert_eq!(frame[at..at + 4], ports);
    }
    if let Some(length) = headers.transport_length(frame.len()) {
        let at = usize::from(headers.transport_offset.expect("so does its length"));
        assert!(at + length as usize <= frame.len());
    }
    match headers.network {
        header::Network::Ipv4 => assert!(headers.ipv4_addresses(frame).is_some()),
        header::Network::Ipv6 => assert!(headers.ipv6_addresses(frame).is_some()),
        header::Network::Other => assert!(headers.transport_offset.is_none()),
    }
});
