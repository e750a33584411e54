// SPDX-License-Identifier: GPL-2.0

//! A packet's walk over the rules of a chain.
//!
//! Matches see the packet as it entered the chain: its fields are read once.

use super::chain::{Chain, Policy};
use super::counters::State;
use super::event::Event;
use super::ruleset::{Item, Ruleset};
use super::waiting;
use core::cell::Cell;
use kernel::prelude::*;
use netdev::clock::now_ns;
use netdev::context::Bh;
use netdev::netfilter::{is_copy, is_nested, Bytes, Packet, Verdict};
use netdev::skb::Reason;
use pure::rules::edit;
use pure::rules::field::Fields;
use pure::rules::hull::Hull;
use pure::rules::packet::{Key, Packet as View, Start};
use pure::rules::rule::{Action, Modifiers, Rate, Rule};
use pure::rules::sequence;

/// Bytes that are read of packets whose first piece is shorter than that.
const HEADERS: usize = 192;

/// What a packet has that is not in its IP and transport headers.
const OTHERS: Fields = Fields::BESIDE.union(Fields::LINK);

/// Reads the fields of a packet that a ruleset looks at into an empty key.
#[inline]
fn read(packet: &Packet<'_>, bytes: &Bytes<'_>, wanted: Fields, key: &mut Key) {
    let linear = bytes.linear.len();
    if linear < HEADERS && linear < bytes.length as usize {
        return read_pieces(packet, bytes, wanted, key);
    }
    match ipv4(packet, bytes) {
        Some(data) if !wanted.intersects(OTHERS) => {
            let before = linear.wrapping_sub(data.len());
            key.fill_headers(data, (bytes.length as usize).saturating_sub(before));
        }
        _ => read_whole(packet, bytes, wanted, key),
    }
}

/// [`read`] for a packet of any kind, whose headers lie in one piece.
#[inline(never)]
fn read_whole(packet: &Packet<'_>, bytes: &Bytes<'_>, wanted: Fields, key: &mut Key) {
    read_from(packet, bytes.linear, bytes, wanted, key);
}

/// [`read`] for a packet whose headers may lie in several pieces.
#[inline(never)]
fn read_pieces(packet: &Packet<'_>, bytes: &Bytes<'_>, wanted: Fields, key: &mut Key) {
    let mut start = [0; HEADERS];
    let n = packet.copy_start(&mut start);
    read_from(packet, start.get(..n).unwrap_or(&[]), bytes, wanted, key);
}

#[inline(always)]
fn read_from(packet: &Packet<'_>, data: &[u8], bytes: &Bytes<'_>, wanted: Fields, key: &mut Key) {
    let skb = packet.skb();
    let start = if bytes.ethernet {
        Start::Ethernet
    } else {
        Start::Network {
            ethertype: packet.ethertype(),
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
    key.fill(&view, wanted);
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

/// A rule that a packet matches, and its place in the walk.
struct Matched<'a> {
    modifiers: Modifiers,
    action: Action,
    item: &'a Item,
    state: &'a State,
    /// Where the walk goes on.
    next: u32,
}

impl Matched<'_> {
    /// Whether the rule acts for the match of an ordinal.
    fn selects(&self, ordinal: u64, cost: u32) -> bool {
        let Matched {
            modifiers, state, ..
        } = self;
        modifiers.selects(ordinal)
            && modifiers
                .rate
                .as_ref()
                .is_none_or(|rate| admit(rate, state, cost))
            && modifiers.is_armed(state.acted.fetch_add(1))
    }

    /// What a packet takes of a rate limit.
    fn cost(&self, length: u32) -> u32 {
        match self.modifiers.rate {
            Some(Rate { bytes: true, .. }) => length,
            _ => 1,
        }
    }

    /// Whether the action changes one packet or takes it away, so that of a super frame it wants a segment.
    fn disturbs(&self) -> bool {
        matches!(
            self.action,
            Action::Drop
                | Action::Corrupt { .. }
                | Action::Truncate { .. }
                | Action::Duplicate { .. }
                | Action::Delay { .. }
                | Action::Reorder { .. }
        )
    }

    /// Whether it can't be done to a super frame as a whole.
    fn needs_segment(&self) -> bool {
        matches!(
            self.action,
            Action::Corrupt { .. } | Action::Truncate { .. }
        )
    }
}

/// What a rule made of a packet.
enum Flow<'p> {
    /// It goes on with the next rule.
    Next(Packet<'p>),
    /// It leaves the chain.
    End(Verdict<'p>),
}

/// Copies that one walk makes of a packet at most, whatever its rules say.
const COPIES_MAX: u32 = 64;

/// A walk.
struct Walk<'a> {
    chain: &'a Chain,
    set: &'a Ruleset,
    key: Key,
    /// Bytes of the packet: of a segment, once it is cut.
    length: Cell<u32>,
    /// How many copies may still be made.
    copies: Cell<u32>,
    bh: &'a Bh<'a>,
}

impl Walk<'_> {
    /// Goes over the rules from a position on, until one ends the walk.
    #[inline(always)]
    fn run<'p>(&self, mut packet: Packet<'p>, mut from: u32) -> Verdict<'p> {
        let (set, cpu) = (self.set, self.bh.cpu());
        let classifier = set.classifier();
        let rules = set.rules();

        while let Some(position) = classifier.next(&self.key, from) {
            from = position.wrapping_add(1);
            let (Some(rule), Some(item)) = (rules.get(position), set.item(position)) else {
                break;
            };
            set.chunks.count(item.slot, cpu, self.length.get());
            match rule.plain().filter(|_| item.extra.snap().is_none()) {
                Some(Action::Continue) => continue,
                Some(Action::Accept) => return Verdict::Accept(packet),
                Some(Action::Drop) => return Verdict::Drop(packet, item.drop_reason()),
                _ => (),
            }
            match self.decoded(packet, rule, item, from) {
                Flow::Next(same) => packet = same,
                Flow::End(verdict) => return verdict,
            }
        }
        undecided(set, packet, cpu, self.length.get())
    }

    /// Does what a rule that a packet matches wants. `next` is where the walk goes on.
    #[inline(never)]
    fn decoded<'p>(&self, packet: Packet<'p>, rule: Rule<'_>, item: &Item, next: u32) -> Flow<'p> {
        let (Some((modifiers, action)), Some(state)) =
            (rule.consequence(), self.set.chunks.state(item.slot))
        else {
            return Flow::Next(packet);
        };
        let matched = Matched {
            modifiers,
            action,
            item,
            state,
            next,
        };
        self.matched(packet, &matched)
    }

    /// Does what a rule wants, if it acts this time.
    fn matched<'p>(&self, packet: Packet<'p>, matched: &Matched<'_>) -> Flow<'p> {
        let Matched {
            modifiers, action, ..
        } = matched;
        let count = if modifiers.segments {
            packet.skb().segments()
        } else {
            1
        };
        let mut ordinal = 0;
        if modifiers.needs_ordinal(action) {
            ordinal = matched.state.ordinal.fetch_add(count.into());
        }
        if count > 1 && matched.disturbs() {
            return match modifiers.first_selected(ordinal, count) {
                Some(_) => self.cut(packet, matched, ordinal, true),
                None => self.passes(packet, matched),
            };
        }
        // Of one that is not cut, the first segment that is selected stands for all.
        let Some(skipped) = modifiers.first_selected(ordinal, count) else {
            return self.passes(packet, matched);
        };
        ordinal = ordinal.wrapping_add(skipped.into());
        if !matched.selects(ordinal, matched.cost(self.length.get())) {
            return self.passes(packet, matched);
        }
        if matched.needs_segment() && packet.skb().is_super_frame() {
            return self.cut(packet, matched, ordinal, false);
        }
        self.act(packet, matched, ordinal)
    }

    /// A packet passes a rule that doesn't act for it.
    fn passes<'p>(&self, packet: Packet<'p>, matched: &Matched<'_>) -> Flow<'p> {
        if let Action::Reorder { .. } = matched.action {
            self.chain.waiting.passed(matched.item.slot, self.bh);
        }
        Flow::Next(packet)
    }

    /// Cuts a super frame, and lets each of its segments walk on: with `each`, those that are selected are acted on,
    /// otherwise the first.
    fn cut<'p>(
        &self,
        packet: Packet<'p>,
        matched: &Matched<'_>,
        ordinal: u64,
        each: bool,
    ) -> Flow<'p> {
        let segments = match packet.segments() {
            Ok(segments) => segments,
            Err(packet) => {
                // It can't be cut: it goes on whole.
                self.chain.uncut.fetch_add(1);
                return self.passes(packet, matched);
            }
        };
        let mut number = 0u64;
        for segment in segments {
            let length = segment.bytes().length;
            self.length.set(length);
            self.copies.set(COPIES_MAX);
            let ordinal = ordinal.wrapping_add(if each { number } else { 0 });
            let acts = if each {
                matched.selects(ordinal, matched.cost(length))
            } else {
                number == 0
            };
            number = number.wrapping_add(1);
            let flow = if acts {
                self.act(segment, matched, ordinal)
            } else {
                self.passes(segment, matched)
            };
            let verdict = match flow {
                Flow::Next(segment) => self.run(segment, matched.next),
                Flow::End(verdict) => verdict,
            };
            // The core waits for one packet; these go on here.
            match followed(self.chain, verdict, self.bh) {
                Verdict::Accept(segment) => {
                    waiting::go_on(&self.chain.waiting, segment, matched.item.slot, self.bh);
                }
                Verdict::Drop(segment, reason) => segment.drop_with(reason),
                Verdict::Queue(queued) => {
                    self.chain.waiting.count_lost(queued.resume(self.bh));
                }
                Verdict::Repeat(_) | Verdict::Stolen => (),
            }
        }
        Flow::End(Verdict::Stolen)
    }

    /// Does what the rule says.
    fn act<'p>(&self, mut packet: Packet<'p>, matched: &Matched<'_>, ordinal: u64) -> Flow<'p> {
        let seed = matched.modifiers.seed;
        let snap = match matched.action {
            Action::Sample { snap } => Some(snap),
            _ => matched.item.extra.snap(),
        };
        if let Some(snap) = snap {
            self.tell(&packet, matched, ordinal, snap);
        }
        let done = match matched.action {
            Action::Continue | Action::Sample { .. } => Ok(()),
            Action::Accept => return Flow::End(Verdict::Accept(packet)),
            Action::Drop => {
                return Flow::End(Verdict::Drop(packet, matched.item.drop_reason()));
            }
            Action::SetMark { value, mask } => {
                let mark = packet.skb().mark();
                packet.set_mark(mark & !mask | value);
                packet.reroute()
            }
            Action::SetDscp(dscp) => set(&mut packet, |ip| edit::set_dscp(ip, dscp)),
            Action::SetEcn(ecn) => set(&mut packet, |ip| edit::set_ecn(ip, ecn)),
            Action::Queue { number, bypass } => {
                return match packet.queue(number, bypass) {
                    Ok(verdict) => Flow::End(verdict),
                    Err(packet) => Flow::Next(packet),
                };
            }
            Action::Corrupt { bits, from } => packet.whole_mut().map(|bytes| {
                sequence::corrupt(bytes, seed, ordinal, bits, from);
            }),
            Action::Truncate { length } => packet.truncate(length),
            Action::Duplicate { copies } => {
                self.duplicate(&packet, copies.into());
                Ok(())
            }
            Action::Delay { delay, jitter } => {
                let time = sequence::delay_of(seed, ordinal, delay, jitter);
                return self.park(packet, matched, time, 0);
            }
            Action::Reorder { gap, timeout } => {
                return self.park(packet, matched, timeout, gap.into());
            }
        };
        match done {
            Ok(()) => Flow::Next(packet),
            // It is not what the rule wants it to be, or has no route now.
            Err(ENOMEM) => Flow::End(Verdict::Drop(packet, Reason::NO_MEM)),
            Err(_) => Flow::End(Verdict::Drop(packet, Reason::NETFILTER)),
        }
    }

    /// Lets copies of a packet go on. A copy is not copied again while it goes on: what a few chains make of one packet
    /// would have no end.
    fn duplicate(&self, packet: &Packet<'_>, copies: u32) {
        if is_copy(self.bh) {
            return;
        }
        let left = self.copies.get();
        for made in 0..copies {
            let went = made < left && packet.resume_copy(self.bh);
            self.chain.waiting.count_lost(went);
        }
        self.copies.set(left.saturating_sub(copies));
    }

    /// Tells of a packet that a rule acts on, as it is before.
    #[inline(never)]
    fn tell(&self, packet: &Packet<'_>, matched: &Matched<'_>, ordinal: u64, snap: u16) {
        let counts = matched.modifiers.needs_ordinal(&matched.action);
        let event = Event {
            chain: &self.chain.name,
            handle: matched.item.handle,
            action: matched.action,
            reason: match matched.action {
                Action::Drop => Some(matched.item.drop_reason()),
                _ => None,
            },
            number: counts.then_some(ordinal.wrapping_add(1)),
            time: 0,
            snap: snap.min(SNAP_MAX),
            left_out: 0,
        };
        self.chain.events.tell(event, packet, self.bh);
    }

    /// Holds a packet.
    fn park<'p>(&self, packet: Packet<'p>, matched: &Matched<'_>, time: u64, gap: u32) -> Flow<'p> {
        let due = now_ns().saturating_add(time);
        match waiting::park(
            &self.chain.waiting,
            packet,
            matched.item.slot,
            due,
            gap,
            self.bh,
        ) {
            Some(packet) => Flow::Next(packet),
            None => Flow::End(Verdict::Stolen),
        }
    }
}

/// What becomes of a packet that no rule decides on.
#[inline(always)]
fn undecided<'p>(set: &Ruleset, packet: Packet<'p>, cpu: u32, length: u32) -> Verdict<'p> {
    set.chunks.count(set.policy_slot, cpu, length);
    match set.policy {
        Policy::Accept => Verdict::Accept(packet),
        Policy::Drop => Verdict::Drop(packet, Reason::NETFILTER),
    }
}

/// If the packet has overtaken others, lets it go on, and them behind it.
#[inline(always)]
fn followed<'p>(chain: &Chain, verdict: Verdict<'p>, bh: &Bh<'_>) -> Verdict<'p> {
    if chain.waiting.is_ready() {
        overtakes(chain, verdict, bh)
    } else {
        verdict
    }
}

/// [`followed`] by some.
#[inline(never)]
fn overtakes<'p>(chain: &Chain, verdict: Verdict<'p>, bh: &Bh<'_>) -> Verdict<'p> {
    if is_nested(bh) {
        // Each that follows could come here again.
        waiting::hurry(&chain.waiting, bh);
        return verdict;
    }
    let verdict = match verdict {
        Verdict::Accept(packet) => {
            chain.waiting.count_lost(packet.resume(bh));
            Verdict::Stolen
        }
        other => other,
    };
    for _ in 0..waiting::BATCH {
        let Some(held) = chain.waiting.take_ready(bh) else {
            return verdict;
        };
        chain.waiting.resume(held, bh);
    }
    waiting::hurry(&chain.waiting, bh);
    verdict
}

/// Bytes of a packet that fit into an event.
const SNAP_MAX: u16 = 2048;

/// Most bytes of an IP header.
const IP_HEADER_MAX: u32 = 60;

/// Changes the IP header of a packet.
fn set(packet: &mut Packet<'_>, f: impl FnOnce(&mut [u8]) -> Option<edit::Change>) -> Result {
    let changed = packet.network_mut(IP_HEADER_MAX)?.and_then(f);
    match changed {
        Some(_) => packet.reroute(),
        None => Ok(()),
    }
}

/// Bytes of an Ethernet header, at the end of which the ethertype is.
const ETHERNET: usize = 14;
/// IPv4's ethertype.
const IPV4: u16 = 0x800;

/// An IPv4 packet from its IP header on, if no tag is before that.
#[inline(always)]
fn ipv4<'b>(packet: &Packet<'_>, bytes: &Bytes<'b>) -> Option<&'b [u8]> {
    let (ethertype, data) = if bytes.ethernet {
        let ([.., a, b], rest) = bytes.linear.split_first_chunk::<ETHERNET>()?;
        (u16::from_be_bytes([*a, *b]), rest)
    } else {
        (packet.ethertype(), bytes.linear)
    };
    (ethertype == IPV4).then_some(data)
}

/// Whether it is seen at once that no rule matches a packet, as it lacks what all of them want.
#[inline(always)]
fn is_outside(hull: &Hull, packet: &Packet<'_>, bytes: &Bytes<'_>) -> bool {
    ipv4(packet, bytes)
        .and_then(|data| data.first_chunk())
        .is_some_and(|ip| hull.excludes(ip))
}

/// What a chain does with a packet.
#[inline(always)]
pub(super) fn walk<'p>(chain: &Chain, packet: Packet<'p>, bh: &Bh<'_>) -> Verdict<'p> {
    let set: &Ruleset = chain.rules.read(bh);
    let bytes = packet.bytes();
    let length = bytes.length;
    let hull = set.hull();
    let verdict = if set.is_empty() || hull.tells() && is_outside(hull, &packet, &bytes) {
        undecided(set, packet, bh.cpu(), length)
    } else {
        let mut walk = Walk {
            chain,
            set,
            length: Cell::new(length),
            copies: Cell::new(COPIES_MAX),
            key: Key::empty(),
            bh,
        };
        read(&packet, &bytes, set.fields(), &mut walk.key);
        walk.run(packet, 0)
    };
    followed(chain, verdict, bh)
}
