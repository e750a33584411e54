// SPDX-License-Identifier: GPL-2.0

//! A packet's walk over the rules of a chain.
//!
//! Matches see the packet as it entered the chain: its fields are read once.

use super::chain::{Chain, Policy};
use super::counters::State;
use super::ruleset::Ruleset;
use netdev::clock::now_ns;
use netdev::context::Bh;
use netdev::netfilter::{Bytes, Packet, Verdict};
use netdev::skb::Reason;
use pure::rules::field::Fields;
use pure::rules::packet::{Key, Packet as View, Start};
use pure::rules::rule::{Action, Modifiers, Rate};

/// Bytes that are read of packets whose first piece is shorter than that.
const HEADERS: usize = 192;

/// The fields of a packet that a ruleset looks at.
#[inline]
fn read(packet: &Packet<'_>, wanted: Fields) -> Key {
    let bytes = packet.bytes();
    let linear = bytes.linear.len();
    if linear < HEADERS && linear < bytes.length as usize {
        return read_pieces(packet, bytes, wanted);
    }
    key(packet, bytes.linear, &bytes, wanted)
}

/// [`read`] for a packet whose headers may lie in several pieces.
#[inline(never)]
fn read_pieces(packet: &Packet<'_>, bytes: Bytes<'_>, wanted: Fields) -> Key {
    let mut start = [0; HEADERS];
    let n = packet.copy_start(&mut start);
    key(packet, start.get(..n).unwrap_or(&[]), &bytes, wanted)
}

#[inline(always)]
fn key(packet: &Packet<'_>, data: &[u8], bytes: &Bytes<'_>, wanted: Fields) -> Key {
    let skb = packet.skb();
    let start = if bytes.ethernet {
        Start::Ethernet
    } else {
        Start::Network {
            ethertype: skb.protocol(),
            addresses: if wanted.intersects(Fields::LINK) {
                packet.ethernet_addresses()
            } else {
                None
            },
        }
    };
    let conntrack = Fields::NONE.with(pure::rules::field::Field::Conntrack);
    let view = View {
        data,
        start,
        length: bytes.length,
        tag: if wanted.intersects(Fields::LINK) {
            skb.vlan_tag().map(|(_, tag)| tag)
        } else {
            None
        },
        in_device: packet.in_ifindex(),
        out_device: packet.out_ifindex(),
        mark: skb.mark(),
        packet_type: skb.packet_type(),
        conntrack: if wanted.intersects(conntrack) {
            packet.conntrack()
        } else {
            None
        },
    };
    Key::read(&view, wanted)
}

/// Whether a rule acts this time, and the ordinal of the match it acts on.
#[inline(never)]
fn selects(
    modifiers: &Modifiers,
    action: &Action,
    state: &State,
    packet: &Packet<'_>,
    length: u32,
) -> Option<u64> {
    let count = if modifiers.segments {
        packet.skb().segments()
    } else {
        1
    };
    let mut ordinal = 0;
    if modifiers.needs_ordinal(action) {
        ordinal = state.ordinal.fetch_add(count.into());
        let skipped = modifiers.first_selected(ordinal, count)?;
        ordinal = ordinal.wrapping_add(skipped.into());
    }
    if let Some(rate) = &modifiers.rate {
        let cost = if rate.bytes { length } else { count };
        if !admit(rate, state, cost) {
            return None;
        }
    }
    let acted = state.acted.fetch_add(1);
    modifiers.is_armed(acted).then_some(ordinal)
}

/// Takes a packet under a rate limit, if there is room.
fn admit(rate: &Rate, state: &State, cost: u32) -> bool {
    let mut used = state.used.read();
    while let Some(next) = rate.admit(used, now_ns(), cost) {
        match state.used.cmpxchg(used, next) {
            Ok(_) => return true,
            Err(now) => used = now,
        }
    }
    false
}

/// Goes over the rules until one ends the walk.
pub(super) fn walk<'p>(chain: &Chain, mut packet: Packet<'p>, bh: &Bh<'_>) -> Verdict<'p> {
    let set: &Ruleset = chain.rules.read(bh);
    let cpu = bh.cpu();
    let length = packet.bytes().length;
    let key = read(&packet, set.fields());
    let classifier = set.classifier();
    let rules = set.rules();
    let mut from = 0;

    while let Some(position) = classifier.next(&key, from) {
        from = position.wrapping_add(1);
        let (Some(rule), Some(item)) = (rules.get(position), set.item(position)) else {
            break;
        };
        set.chunks.count(item.slot, cpu, length);
        let Some((modifiers, action)) = rule.consequence() else {
            break;
        };
        if !rule.is_unconditional() {
            let Some(state) = set.chunks.state(item.slot) else {
                break;
            };
            if selects(&modifiers, &action, state, &packet, length).is_none() {
                continue;
            }
        }
        match action {
            Action::Accept => return Verdict::Accept(packet),
            Action::Drop => return Verdict::Drop(packet, Reason::Netfilter),
            Action::SetMark { value, mask } => {
                let mark = packet.skb().mark();
                packet.set_mark(mark & !mask | value);
            }
            _ => (),
        }
    }
    set.chunks.count(set.policy_slot, cpu, length);
    match set.policy {
        Policy::Accept => Verdict::Accept(packet),
        Policy::Drop => Verdict::Drop(packet, Reason::Netfilter),
    }
}
