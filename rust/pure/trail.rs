// SPDX-License-Identifier: GPL-2.0

//! Watching packets on their way: which, and how long they took from stage to stage.
//!
//! A sampled packet has a [`Trail`]: the stage it is in, and since when. When it comes to the next one, the time it
//! took is counted for the stage it leaves. So at any moment
//!
//! ```text
//! packets sampled = those on their way + those that came to an end, of whatever kind
//! ```
//!
//! Trails are few, and a packet that vanishes does not say so. So a new packet takes the place of the oldest, which is
//! then counted as lost in the stage it was last seen in.

use crate::header::{
    array_at,
    Fragment,
    Headers,
    Network, //
};
use crate::latency::Histogram;
use core::ops::DerefMut;

/// Which packets are sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Any of them.
    Packet,
    /// All of a flow, or none of it.
    Flow,
}

/// Chooses packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// One in so many packets, or flows, in the mean.
    pub one_in: u32,
    /// What of.
    pub unit: Unit,
    /// The same seed chooses the same: packets by their number, flows by their addresses.
    pub seed: u32,
}

/// Spreads the bits of a number (the finaliser of MurmurHash3).
#[inline]
const fn mix(mut n: u64) -> u64 {
    n = (n ^ (n >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    n = (n ^ (n >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    n ^ (n >> 33)
}

impl Sampler {
    /// Whether a packet, or the packets of a flow, are sampled: by a packet's number, or by [`flow`].
    #[inline]
    pub const fn selects(&self, number: u64) -> bool {
        let drawn = mix(number ^ ((self.seed as u64) << 32)) >> 32;
        drawn.wrapping_mul(self.one_in as u64) >> 32 == 0
    }
}

/// A number of the flow that a frame belongs to: of its addresses and protocol, and ports if it is no fragment; of the
/// Ethernet addresses if it is not IP.
pub fn flow(frame: &[u8], headers: &Headers) -> u64 {
    let at = usize::from(headers.network_offset);
    let addresses = match headers.network {
        Network::Ipv4 => frame.get(at.wrapping_add(12)..at.wrapping_add(20)),
        Network::Ipv6 => frame.get(at.wrapping_add(8)..at.wrapping_add(40)),
        _ => frame.get(..12),
    };
    let mut n = u64::from(headers.protocol);
    let words = addresses.unwrap_or(&[]).chunks(4);
    for word in words.filter_map(|w| array_at::<4>(w, 0)) {
        n = mix(n ^ u64::from(u32::from_be_bytes(*word)));
    }
    match (headers.fragment, headers.ports) {
        (Fragment::Whole, Some(ports)) => mix(n ^ u64::from(u32::from_be_bytes(ports))),
        _ => n,
    }
}

/// A stage on a packet's way, in the order in which they are passed; not every packet passes all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// From the sender's first hook at OUTPUT on.
    Output,
    /// From the sender's first hook at POSTROUTING on.
    Postrouting,
    /// From the egress hook of the sender's device on, with its queue discipline.
    Egress,
    /// In the sender's TX ring.
    TxRing,
    /// With the engine.
    Engine,
    /// In the receiver's RX ring.
    RxRing,
    /// With the receiver's poll.
    Napi,
    /// With GRO, and what the stack does before the first hook.
    Gro,
    /// From the ingress hook of the device on.
    Ingress,
    /// From the first hook at PREROUTING on.
    Prerouting,
    /// From the first hook at INPUT on.
    Input,
    /// From the first hook at FORWARD on.
    Forward,
    /// From the first hook at POSTROUTING on, if it is forwarded.
    Leaving,
}

/// Number of stages.
pub const STAGES: usize = Stage::Leaving as usize + 1;
/// Number of histograms: one a stage, and one for the whole way.
pub const HISTOGRAMS: usize = STAGES + 1;

/// How a trail ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The packet has passed all hooks, and goes to its transport protocol.
    Delivered,
    /// The packet has passed all hooks, and goes on to another host.
    Forwarded,
    /// The packet has become part of another.
    Merged,
}

/// What tells a packet from others, once it is the stack's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Where it is in memory.
    pub address: usize,
    /// What it carries.
    pub token: u64,
}

/// A packet on its way.
#[derive(Clone, Copy, Debug)]
pub struct Trail {
    /// Changes each time the place is taken, 1 to [`GENERATIONS`]; may be 0 before the first time.
    generation: u16,
    /// `None` if nobody is on this trail.
    stage: Option<Stage>,
    /// When the way began, and the stage, nanoseconds.
    began: u64,
    since: u64,
    /// Since it is the stack's.
    mark: Option<Mark>,
}

impl Trail {
    /// Nobody's. With another `epoch`, the next eight times other codes come first: what is left of an older set of
    /// trails is not taken for one of this.
    pub const fn new(epoch: u64) -> Trail {
        // Generations go round: 1 follows the last.
        const ROUND: u64 = GENERATIONS as u64;
        Trail {
            generation: ((epoch % ROUND).wrapping_mul(8) % ROUND) as u16,
            stage: None,
            began: 0,
            since: 0,
            mark: None,
        }
    }
}

const SLOT_BITS: u32 = 7;
/// The most trails there can be at a time.
pub const TRAILS: usize = 1 << SLOT_BITS;
const GENERATIONS: u16 = 63;
/// Bits of a [`Code`].
pub const CODE_BITS: u32 = SLOT_BITS + 6;

/// What a trail is known by: never 0, less than 2 to the [`CODE_BITS`]. When it comes again, so many others have begun
/// that the first is forgotten.
pub type Code = u16;

/// Trails, and what was counted.
///
/// The memory is the caller's: up to [`TRAILS`] trails, [`HISTOGRAMS`] histograms.
pub struct Trails<T, H> {
    trails: T,
    histograms: H,
    /// Trails begun.
    begun: u64,
    delivered: u64,
    forwarded: u64,
    merged: u64,
    /// By the stage they were last seen in.
    lost: [u64; STAGES],
}

/// What became of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Packets sampled.
    pub samples: u64,
    /// Those that came to their transport protocol.
    pub delivered: u64,
    /// Those that went on to another host.
    pub forwarded: u64,
    /// Those that became part of another packet.
    pub merged: u64,
    /// Those that were not seen again.
    pub lost: u64,
}

impl Outcome {
    /// Adds another's.
    pub fn add(&mut self, other: &Outcome) {
        self.samples = self.samples.wrapping_add(other.samples);
        self.delivered = self.delivered.wrapping_add(other.delivered);
        self.forwarded = self.forwarded.wrapping_add(other.forwarded);
        self.merged = self.merged.wrapping_add(other.merged);
        self.lost = self.lost.wrapping_add(other.lost);
    }
}

impl<T, H> Trails<T, H>
where
    T: DerefMut<Target = [Trail]>,
    H: DerefMut<Target = [Histogram]>,
{
    /// Takes the memory; trails are nobody's, histograms empty.
    pub const fn new(trails: T, histograms: H) -> Self {
        Trails {
            trails,
            histograms,
            begun: 0,
            delivered: 0,
            forwarded: 0,
            merged: 0,
            lost: [0; STAGES],
        }
    }

    /// A packet's way begins with a stage, at time `now` in nanoseconds, as all times here. `None` if there is no
    /// memory.
    pub fn begin(&mut self, stage: Stage, now: u64) -> Option<Code> {
        let places = self.trails.len().min(TRAILS) as u64;
        let slot = self.begun.checked_rem(places)? as u16;
        let trail = self.trails.get_mut(usize::from(slot))?;
        let before = trail.stage;
        let generation = match trail.generation {
            GENERATIONS.. => 1,
            n => n.wrapping_add(1),
        };
        *trail = Trail {
            generation,
            stage: Some(stage),
            began: now,
            since: now,
            mark: None,
        };
        self.lose(before);
        self.begun = self.begun.wrapping_add(1);
        Some(generation << SLOT_BITS | slot)
    }

    fn lose(&mut self, stage: Option<Stage>) {
        let lost = stage.and_then(|s| self.lost.get_mut(s as usize));
        if let Some(n) = lost {
            *n = n.wrapping_add(1);
        }
    }

    /// The trail of that code, if it was not forgotten.
    fn find(&mut self, code: Code) -> Option<&mut Trail> {
        let slot = code & (TRAILS as u16).wrapping_sub(1);
        let generation = (code >> SLOT_BITS) & GENERATIONS;
        let trail = self.trails.get_mut(usize::from(slot))?;
        (trail.generation == generation).then_some(trail)
    }

    fn count(&mut self, at: usize, ns: u64) {
        if let Some(h) = self.histograms.get_mut(at) {
            h.count(ns);
        }
    }

    /// The packet comes to a stage. Nothing happens if it has been there, or farther. Returns whether it has come.
    pub fn step(&mut self, code: Code, to: Stage, now: u64) -> bool {
        let Some(trail) = self.find(code) else {
            return false;
        };
        let Some(from) = trail.stage.filter(|s| *s < to) else {
            return false;
        };
        trail.stage = Some(to);
        let since = core::mem::replace(&mut trail.since, now);
        self.count(from as usize, now.saturating_sub(since));
        true
    }

    /// The packet is given to the stack, with this mark. Returns whether it was on its way, and not the stack's before.
    pub fn hand(&mut self, code: Code, mark: Mark, now: u64) -> bool {
        let stepped = self.step(code, Stage::Gro, now);
        if let (true, Some(trail)) = (stepped, self.find(code)) {
            trail.mark = Some(mark);
        }
        stepped
    }

    /// The packet has another mark from now on. Returns whether it had the one before.
    pub fn mark_anew(&mut self, code: Code, before: Mark, now: Mark) -> bool {
        let found = self.find(code).filter(|t| t.mark == Some(before));
        if let Some(trail) = found {
            trail.mark = Some(now);
            return true;
        }
        false
    }

    fn has_mark(&mut self, code: Code, mark: Mark) -> bool {
        self.find(code).is_some_and(|t| t.mark == Some(mark))
    }

    /// [`step`](Self::step), if the packet has that mark.
    pub fn pass(&mut self, code: Code, mark: Mark, to: Stage, now: u64) -> bool {
        self.has_mark(code, mark) && self.step(code, to, now)
    }

    /// The packet's way ends.
    pub fn end(&mut self, code: Code, how: End, now: u64) {
        let Some(trail) = self.find(code) else {
            return;
        };
        let Some(from) = trail.stage.take() else {
            return;
        };
        let (since, began) = (trail.since, trail.began);
        let counted = match how {
            End::Delivered => &mut self.delivered,
            End::Forwarded => &mut self.forwarded,
            End::Merged => {
                self.merged = self.merged.wrapping_add(1);
                return;
            }
        };
        *counted = counted.wrapping_add(1);
        self.count(from as usize, now.saturating_sub(since));
        self.count(STAGES, now.saturating_sub(began));
    }

    /// [`end`](Self::end), if the packet has that mark.
    pub fn finish(&mut self, code: Code, mark: Mark, how: End, now: u64) {
        if self.has_mark(code, mark) {
            self.end(code, how, now);
        }
    }

    /// Forgets who is on their way: they are lost.
    pub fn close(&mut self) {
        for at in 0..self.trails.len() {
            let stage = self.trails.get_mut(at).and_then(|t| t.stage.take());
            self.lose(stage);
        }
    }

    /// What became of the packets so far. Those that are not there are on their way.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            samples: self.begun,
            delivered: self.delivered,
            forwarded: self.forwarded,
            merged: self.merged,
            lost: self.lost.iter().fold(0u64, |n, k| n.wrapping_add(*k)),
        }
    }

    /// Times by stage, in nanoseconds; the one behind the last stage is of the whole way.
    pub fn histogram(&self, at: usize) -> Option<&Histogram> {
        self.histograms.get(at)
    }

    /// Packets that were last seen in a stage.
    pub fn lost(&self, stage: usize) -> u64 {
        self.lost.get(stage).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header;
    use proptest::prelude::*;

    type Owned = Trails<Vec<Trail>, Vec<Histogram>>;

    fn trails(n: usize) -> Owned {
        Trails::new(vec![Trail::new(0); n], vec![Histogram::new(); HISTOGRAMS])
    }

    fn packets(t: &Owned, stage: Stage) -> u64 {
        t.histogram(stage as usize).unwrap().packets()
    }

    const M: Mark = Mark {
        address: 4096,
        token: 77,
    };

    #[test]
    fn a_whole_way() {
        let mut t = trails(4);
        let code = t.begin(Stage::TxRing, 1000).unwrap();
        assert!(code != 0 && u32::from(code) < 1 << CODE_BITS);
        assert!(t.step(code, Stage::Engine, 1100));
        // Looked at again after a pause.
        assert!(!t.step(code, Stage::Engine, 1150));
        assert!(t.step(code, Stage::RxRing, 1300));
        assert!(t.step(code, Stage::Napi, 1700));
        assert!(t.hand(code, M, 2500));
        assert!(!t.hand(code, M, 2600));
        assert!(t.pass(code, M, Stage::Prerouting, 4100));
        assert!(t.pass(code, M, Stage::Input, 7300));
        t.finish(code, M, End::Delivered, 13700);
        let sums: Vec<_> = (0..HISTOGRAMS)
            .map(|i| t.histogram(i).unwrap().sum())
            .collect();
        assert_eq!(
            sums,
            [0, 0, 0, 100, 200, 400, 800, 1600, 0, 3200, 6400, 0, 0, 12700]
        );
        assert_eq!(
            t.outcome(),
            Outcome {
                samples: 1,
                delivered: 1,
                ..Default::default()
            }
        );
        // It is over.
        t.finish(code, M, End::Delivered, 99999);
        assert!(!t.step(code, Stage::Forward, 99999));
        t.close();
        assert_eq!(
            t.outcome(),
            Outcome {
                samples: 1,
                delivered: 1,
                ..Default::default()
            }
        );
    }

    #[test]
    fn from_the_senders_hooks_to_another_host() {
        let mut t = trails(1);
        let code = t.begin(Stage::Output, 100).unwrap();
        assert!(t.step(code, Stage::Egress, 300));
        assert!(t.step(code, Stage::TxRing, 700));
        assert!(t.hand(code, M, 1500));
        assert!(t.pass(code, M, Stage::Forward, 3100));
        let other = Mark { token: 5, ..M };
        assert!(!t.mark_anew(code, other, M));
        assert!(t.mark_anew(code, M, other));
        // It is known by that now.
        assert!(!t.pass(code, M, Stage::Leaving, 6300));
        assert!(t.pass(code, other, Stage::Leaving, 6300));
        t.finish(code, other, End::Forwarded, 12700);
        let sums: Vec<_> = (0..HISTOGRAMS)
            .map(|i| t.histogram(i).unwrap().sum())
            .collect();
        assert_eq!(
            sums,
            [200, 0, 400, 800, 0, 0, 0, 1600, 0, 0, 0, 3200, 6400, 12600]
        );
        assert_eq!(t.outcome().forwarded, 1);
    }

    #[test]
    fn another_packet_is_not_taken_for_it() {
        let mut t = trails(4);
        let code = t.begin(Stage::TxRing, 0).unwrap();
        // Not the stack's yet.
        assert!(!t.pass(code, Mark::default(), Stage::Prerouting, 1));
        assert!(t.hand(code, M, 1));
        assert!(!t.pass(code, Mark { token: 78, ..M }, Stage::Prerouting, 2));
        assert!(!t.pass(code, Mark { address: 8192, ..M }, Stage::Prerouting, 2));
        t.finish(code, Mark { token: 78, ..M }, End::Delivered, 2);
        assert_eq!(t.outcome().delivered, 0);
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut t = trails(2);
        let a = t.begin(Stage::TxRing, 0).unwrap();
        let b = t.begin(Stage::TxRing, 1).unwrap();
        t.step(a, Stage::RxRing, 2);
        let c = t.begin(Stage::TxRing, 3).unwrap();
        assert!(a != c && b != c);
        assert!(!t.step(a, Stage::Napi, 4));
        assert!(t.step(b, Stage::Napi, 4));
        assert!(t.step(c, Stage::Napi, 4));
        assert_eq!(t.lost(Stage::RxRing as usize), 1);
        t.close();
        assert_eq!(t.lost(Stage::Napi as usize), 2);
        assert_eq!(t.outcome().lost, 3);
    }

    #[test]
    fn codes_come_again_late() {
        let mut t = trails(TRAILS);
        let first = t.begin(Stage::TxRing, 0).unwrap();
        let again = (1u32..)
            .find(|_| t.begin(Stage::TxRing, 0).unwrap() == first)
            .unwrap();
        assert_eq!(again as usize, TRAILS * usize::from(GENERATIONS));
    }

    #[test]
    fn an_older_set_is_not_taken_for_this() {
        let codes = |epoch| {
            let empty = vec![Trail::new(epoch); 2];
            let mut t = Trails::new(empty, vec![Histogram::new(); HISTOGRAMS]);
            (0..16)
                .map(|_| t.begin(Stage::TxRing, 0).unwrap())
                .collect::<Vec<_>>()
        };
        for epoch in 0..200 {
            let (old, new) = (codes(epoch), codes(epoch + 1));
            assert!(new.iter().all(|c| *c != 0 && !old.contains(c)));
        }
    }

    #[test]
    fn no_memory() {
        assert_eq!(trails(0).begin(Stage::TxRing, 1), None);
    }

    #[test]
    fn all_or_some() {
        let mut s = Sampler {
            one_in: 1,
            unit: Unit::Packet,
            seed: 3,
        };
        assert!((0..1000).all(|n| s.selects(n)));
        s.one_in = 10;
        let chosen: Vec<_> = (0..100_000).filter(|&n| s.selects(n)).collect();
        assert!((9_500..10_500).contains(&chosen.len()), "{}", chosen.len());
        assert!(chosen.iter().all(|&n| s.selects(n)));
        s.seed = 4;
        assert!(!chosen.iter().all(|&n| s.selects(n)));
    }

    fn udp(source_port: u16, fragment: u16) -> Vec<u8> {
        let mut f = vec![0u8; 14 + 20 + 8 + 10];
        f[12..14].copy_from_slice(&[8, 0]);
        f[14] = 0x45;
        f[16..18].copy_from_slice(&38u16.to_be_bytes());
        f[20..22].copy_from_slice(&fragment.to_be_bytes());
        f[22] = 64;
        f[23] = 17;
        f[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        f[34..36].copy_from_slice(&source_port.to_be_bytes());
        f[38..40].copy_from_slice(&18u16.to_be_bytes());
        f
    }

    fn flow_of(frame: &[u8]) -> u64 {
        flow(frame, &header::parse(frame).unwrap())
    }

    #[test]
    fn flows() {
        let mut same = udp(1, 0);
        same[45] = 9;
        assert_eq!(flow_of(&udp(1, 0)), flow_of(&same));
        assert_ne!(flow_of(&udp(1, 0)), flow_of(&udp(2, 0)));
        // All fragments of a datagram belong together.
        assert_eq!(flow_of(&udp(1, 0x2000)), flow_of(&udp(9, 0x0003)));
        // Not IP.
        let mut arp = vec![1u8; 60];
        arp[12..14].copy_from_slice(&[8, 6]);
        let one = flow_of(&arp);
        arp[11] = 2;
        assert_ne!(one, flow_of(&arp));
    }

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Begin,
        Step(usize, u8),
        Hand(usize),
        Finish(usize, u8),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            Just(Op::Begin),
            (0usize..64, 0u8..STAGES as u8).prop_map(|(i, s)| Op::Step(i, s)),
            (0usize..64).prop_map(Op::Hand),
            (0usize..64, 0u8..3).prop_map(|(i, s)| Op::Finish(i, s)),
        ]
    }

    const ALL: [Stage; STAGES] = [
        Stage::Output,
        Stage::Postrouting,
        Stage::Egress,
        Stage::TxRing,
        Stage::Engine,
        Stage::RxRing,
        Stage::Napi,
        Stage::Gro,
        Stage::Ingress,
        Stage::Prerouting,
        Stage::Input,
        Stage::Forward,
        Stage::Leaving,
    ];

    proptest! {
        /// Whatever comes in whatever order: nobody is counted twice, and nobody is forgotten.
        #[test]
        fn sums(ops in prop::collection::vec(op(), 0..400), places in 1usize..9) {
            let mut t = trails(places);
            let mut codes = vec![];
            let mut now = 0;
            for op in ops {
                now += 100;
                match op {
                    Op::Begin => codes.push(t.begin(Stage::TxRing, now).unwrap()),
                    Op::Step(i, s) => {
                        if let Some(&c) = codes.get(i) {
                            t.step(c, ALL[usize::from(s)], now);
                        }
                    }
                    Op::Hand(i) => {
                        if let Some(&c) = codes.get(i) {
                            t.hand(c, Mark { address: i, token: 1 }, now);
                        }
                    }
                    Op::Finish(i, how) => {
                        let how = [End::Delivered, End::Forwarded, End::Merged][usize::from(how)];
                        if let Some(&c) = codes.get(i) {
                            t.finish(c, Mark { address: i, token: 1 }, how, now);
                        }
                    }
                }
                let o = t.outcome();
                let ended = o.delivered + o.forwarded + o.merged + o.lost;
                prop_assert!(ended <= o.samples && o.samples - ended <= places as u64);
            }
            t.close();
            let o = t.outcome();
            prop_assert_eq!(o.samples, codes.len() as u64);
            prop_assert_eq!(o.samples, o.delivered + o.forwarded + o.merged + o.lost);
            let total = t.histogram(STAGES).unwrap();
            prop_assert_eq!(total.packets(), o.delivered + o.forwarded);
            // Who was counted in a stage has been sampled.
            for s in ALL {
                prop_assert!(packets(&t, s) + t.lost(s as usize) <= o.samples);
            }
        }

        /// The times of all stages are that of the whole way.
        #[test]
        fn times_add_up(stages in prop::collection::btree_set(1usize..5, 0..5), after in 0usize..5, steps in prop::collection::vec(0u64..1 << 36, 12)) {
            let mut t = trails(1);
            let mut now = 5;
            let code = t.begin(Stage::TxRing, now).unwrap();
            let mut steps = steps.into_iter();
            for s in stages.into_iter().filter(|s| *s < 4) {
                now += steps.next().unwrap();
                t.step(code, ALL[Stage::TxRing as usize + s], now);
            }
            now += steps.next().unwrap();
            t.hand(code, M, now);
            if after > 0 {
                now += steps.next().unwrap();
                t.pass(code, M, ALL[Stage::Gro as usize + after], now);
            }
            now += steps.next().unwrap();
            t.finish(code, M, End::Forwarded, now);
            let sum: u64 = (0..STAGES).map(|i| t.histogram(i).unwrap().sum()).sum();
            prop_assert_eq!(sum, now - 5);
            prop_assert_eq!(t.histogram(STAGES).unwrap().sum(), now - 5);
        }

        #[test]
        fn frames_of_any_kind(frame in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(headers) = header::parse(&frame) {
                flow(&frame, &headers);
            }
        }
    }
}
