// SPDX-License-Identifier: GPL-2.0

//! `packet-ntf`: events of packets.

use super::generated::{group, notification, Hook, PacketNtf};
use super::rule::kind_of;
use super::FAMILY;
use crate::hooks::Event;
use netdev::context::Bh;
use netdev::netfilter::{Direction, Inet, Packet};
use netdev::netlink::Fill;
use netdev::rtnl::Net;
use netdev::skb::Reason;

/// Whether somebody listens.
pub(crate) fn is_watched(net: &Net) -> bool {
    FAMILY.has_listeners(net, group::PACKETS)
}

/// The point of a packet.
fn hook(packet: &Packet<'_>) -> Hook {
    match (packet.inet(), packet.direction()) {
        (Some(Inet::PreRouting), _) => Hook::Prerouting,
        (Some(Inet::LocalIn), _) => Hook::Input,
        (Some(Inet::Forward), _) => Hook::Forward,
        (Some(Inet::LocalOut), _) => Hook::Output,
        (Some(Inet::PostRouting), _) => Hook::Postrouting,
        (None, Some(Direction::Egress)) => Hook::Egress,
        (None, _) => Hook::Ingress,
    }
}

/// Sends an event.
pub(crate) fn tell(event: &Event<'_>, packet: &Packet<'_>, bh: &Bh<'_>) {
    let there = |number: u32| (number != 0).then_some(number);
    let bytes = packet.bytes();
    let copy = |to: &mut [u8]| {
        packet.copy_start(to);
    };
    let data = Fill {
        len: usize::from(event.snap).min(bytes.length as usize),
        with: &copy,
    };
    FAMILY.notify_atomic(
        packet.net(),
        group::PACKETS,
        notification::PACKET_NTF,
        bh,
        |w| {
            PacketNtf {
                chain: Some(event.chain.as_cstr()),
                handle: Some(event.handle),
                action: Some(kind_of(&event.action)),
                hook: Some(hook(packet)),
                number: event.number,
                time: Some(event.time),
                in_device: there(packet.in_ifindex()),
                out_device: there(packet.out_ifindex()),
                mark: there(packet.skb().mark()),
                ethertype: (!bytes.ethernet).then_some(packet.ethertype().into()),
                length: Some(bytes.length),
                data: (data.len != 0).then_some(data),
                drop_reason: event.reason.and_then(Reason::name),
                left_out: Some(event.left_out).filter(|&n| n != 0),
            }
            .put(w)
        },
    );
}
