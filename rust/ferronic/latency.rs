// SPDX-License-Identifier: GPL-2.0

//! How long packets take on their way, stage by stage.
//!
//! While what comes to a port is sampled, some packets have a number ([`Sample`]) from the sender's TX ring on, that
//! stands in the descriptors of the rings; under it the stages they come by are noted ([`pure::trail`]). For all others
//! that is a zero, and a branch.
//!
//! # Behind the rings
//!
//! A packet that is the stack's has no place for a number of ours. What is the stack's own and stays with the packet is
//! its receive time stamp (`skb->tstamp`), which the core itself sets for all packets while any socket asks for time
//! stamps. A sampled packet is stamped when it is handed over, with the time as it is. A packet with the very stamp and
//! at the very address in memory is the same: memory that is used again begins without a stamp. Nothing is attached to
//! the packet, so nothing has to be taken off wherever it ends, and nobody waits for it.
//!
//! It is seen again by hooks of our own, before all others and behind all others of a point, that are there only while
//! packets are sampled ([`Hooks`]). Forwarding takes the stamp off, so behind FORWARD a packet is known by its address
//! and its fingerprint ([`SkBuff::fingerprint`]).
//!
//! # Before the rings
//!
//! What comes by the sender's hooks may be sampled later, or not. So these note the time they saw a packet, by its
//! fingerprint, and where it is sampled the times are part of its way. They are the sender's own, in its namespace:
//! there while what comes to the sender's port is sampled, too.
//!
//! # Locking
//!
//! Samples and their counts are in shards, by transmit queue, each behind a lock under which nothing else is locked. It
//! is taken for sampled packets only, with softirqs off and never with hard interrupts off: what netpoll sends is not
//! sampled.

use crate::channel::Channel;
use crate::port::PortData;
use crate::wire::{End, Side, Wire};
use kernel::prelude::*;
use kernel::sync::{static_lock_class, Arc};
use netdev::clock::now_ns;
use netdev::context::Bh;
use netdev::interface::Interface;
use netdev::napi::Poll;
use netdev::netfilter::{Direction, Hook, Inet, Packet, Protocol, Registration, Verdict};
use netdev::rtnl::{Net, Rtnl};
use netdev::skb::{OwnedSkb, RxSkb, SkBuff};
use netdev::sync::{AtomicWord, SpinLock, Word};
use pure::header;
use pure::latency::Histogram;
use pure::trail::{
    self, Code, Mark, Outcome, Sampler, Stage, Trail, Trails, Unit, CODE_BITS, HISTOGRAMS, TRAILS,
};

/// What a packet whose way is watched is known by in the descriptors of rings; 0 for all others. The shard is in the
/// upper bits.
pub(crate) type Sample = u16;

const SHARDS: usize = 1 << (u16::BITS - CODE_BITS);

type Shard = Trails<KVVec<Trail>, KVVec<Histogram>>;

/// Where to look for a packet that was handed to the stack, by its address. A later packet may take the place.
struct Hint {
    token: Word<u64>,
    sample: Word<u32>,
}

const HINT_BITS: u32 = 10;

/// The sender's hooks that a packet comes by.
const BEFORE: [Stage; 3] = [Stage::Output, Stage::Postrouting, Stage::Egress];

/// When a packet came by these; 0 where it did not. A later packet may take the place, so that nothing is known of
/// the first any more; where both write at once, of neither for sure.
struct Note {
    fingerprint: Word<u64>,
    times: [Word<u64>; BEFORE.len()],
}

impl Note {
    const fn new() -> Self {
        Note {
            fingerprint: Word::new(0),
            times: [Word::new(0), Word::new(0), Word::new(0)],
        }
    }

    /// The packet comes by the hook of that number.
    fn write(&self, fingerprint: u64, hook: usize) {
        if self.fingerprint.read() != fingerprint {
            for time in &self.times {
                time.write(0);
            }
            self.fingerprint.write(fingerprint);
        }
        if let Some(time) = self.times.get(hook) {
            time.write(now_ns());
        }
    }

    /// The times of a packet, which is forgotten.
    fn take(&self, fingerprint: u64) -> Option<[u64; BEFORE.len()]> {
        if self.fingerprint.read() != fingerprint {
            return None;
        }
        let [a, b, c] = &self.times;
        let times = [a.read(), b.read(), c.read()];
        self.fingerprint.write(0);
        Some(times)
    }
}

/// The place of what is at an address, in a table of so many places.
fn place(address: usize) -> usize {
    let spread = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> (u64::BITS - HINT_BITS)) as usize
}

/// The ways of packets that come to a port, from when they are sampled until that ends or begins anew.
pub(crate) struct Latency {
    pub(crate) sampler: Sampler,
    /// Packets that were looked at.
    seen: AtomicWord,
    shards: KVec<Pin<KBox<SpinLock<Shard>>>>,
    hints: KVVec<Hint>,
    /// Of packets on their way to the other end.
    notes: KVVec<Note>,
}

/// How many there were: what is in rings has a number that a new one does not begin with.
static EPOCH: AtomicWord = AtomicWord::new(0);

impl Latency {
    /// Makes one. Process context.
    pub(crate) fn new(sampler: Sampler) -> Result<Arc<Self>> {
        let epoch = EPOCH.fetch_add(1);
        let mut shards = KVec::with_capacity(SHARDS, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..SHARDS {
            let mut trails = KVVec::with_capacity(TRAILS, GFP_KERNEL_ACCOUNT)?;
            for _ in 0..TRAILS {
                trails.push(Trail::new(epoch), GFP_KERNEL_ACCOUNT)?;
            }
            let mut histograms = KVVec::with_capacity(HISTOGRAMS, GFP_KERNEL_ACCOUNT)?;
            for _ in 0..HISTOGRAMS {
                histograms.push(Histogram::new(), GFP_KERNEL_ACCOUNT)?;
            }
            let shard = SpinLock::new(
                Trails::new(trails, histograms),
                c"ferronic_latency",
                static_lock_class!(),
            );
            shards.push(
                KBox::pin_init(shard, GFP_KERNEL_ACCOUNT)?,
                GFP_KERNEL_ACCOUNT,
            )?;
        }
        let mut hints = KVVec::with_capacity(1 << HINT_BITS, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..1u32 << HINT_BITS {
            let hint = Hint {
                token: Word::new(0),
                sample: Word::new(0),
            };
            hints.push(hint, GFP_KERNEL_ACCOUNT)?;
        }
        let mut notes = KVVec::with_capacity(1 << HINT_BITS, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..1u32 << HINT_BITS {
            notes.push(Note::new(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Arc::new(
            Latency {
                sampler,
                seen: AtomicWord::new(0),
                shards,
                hints,
                notes,
            },
            GFP_KERNEL_ACCOUNT,
        )?)
    }

    /// Notes that a packet comes by a hook of the sender's.
    fn note(&self, skb: &SkBuff, hook: usize) {
        if let Some(note) = self.notes.get(place(skb.address())) {
            note.write(skb.fingerprint(), hook);
        }
    }

    /// When a packet came by the sender's hooks, if that was noted here.
    fn noted(&self, skb: &SkBuff) -> Option<[u64; BEFORE.len()]> {
        let note = self.notes.get(place(skb.address()))?;
        note.take(skb.fingerprint())
    }

    /// Decides on a packet that came by the sender's hooks at the times `before`, and begins its way.
    fn begin(
        &self,
        skb: &SkBuff,
        queue: u16,
        before: Option<[u64; BEFORE.len()]>,
        bh: &Bh<'_>,
    ) -> Sample {
        let number = self.seen.fetch_add(1);
        let drawn = match self.sampler.unit {
            Unit::Packet => number,
            Unit::Flow => {
                let frame = skb.linear();
                header::parse(frame).map_or(0, |headers| trail::flow(frame, &headers))
            }
        };
        // netpoll may have interrupted who has the lock.
        if !self.sampler.selects(drawn) || bh.irqs_disabled() {
            return 0;
        }
        let at = usize::from(queue) & (SHARDS - 1);
        let Some(shard) = self.shards.get(at) else {
            return 0;
        };
        let mut shard = shard.lock(bh);
        let mut code = None;
        let mut come = |stage, time| match code {
            None => code = shard.begin(stage, time),
            Some(code) => {
                shard.step(code, stage, time);
            }
        };
        let before = BEFORE.into_iter().zip(before.unwrap_or_default());
        for (stage, time) in before.filter(|(_, time)| *time != 0) {
            come(stage, time);
        }
        come(Stage::TxRing, now_ns());
        code.map_or(0, |code| (at as u16) << CODE_BITS | code)
    }

    /// Lets `f` work on the shard of a sample.
    fn with(&self, sample: Sample, bh: &Bh<'_>, f: impl FnOnce(&mut Shard, Code, u64)) {
        let shard = self.shards.get(usize::from(sample >> CODE_BITS));
        if let Some(shard) = shard {
            let mut guard = shard.lock(bh);
            // Read under the lock: times of one packet ascend.
            f(&mut guard, sample & ((1 << CODE_BITS) - 1), now_ns());
        }
    }

    fn hint(&self, address: usize) -> Option<&Hint> {
        self.hints.get(place(address))
    }

    /// A packet is handed to the stack.
    fn hand(&self, sample: Sample, mark: Mark, bh: &Bh<'_>) {
        if let Some(hint) = self.hint(mark.address) {
            hint.sample.write(sample.into());
            hint.token.write(mark.token);
        }
        self.with(sample, bh, |shard, code, now| {
            shard.hand(code, mark, now);
        });
    }

    /// A packet comes to one of our hooks.
    #[inline]
    fn seen_at(&self, skb: &SkBuff, what: Passing, bh: &Bh<'_>) {
        let token = match what {
            Passing::By(hook) => return self.note(skb, hook),
            Passing::Leaving => {
                // It may be one that was made here, or has come by another port.
                self.note(skb, 1);
                skb.fingerprint()
            }
            Passing::Left => skb.fingerprint(),
            Passing::To(_) | Passing::Out | Passing::On => skb.time_stamp(),
        };
        if token == 0 {
            return;
        }
        let address = skb.address();
        let Some(hint) = self.hint(address).filter(|h| h.token.read() == token) else {
            return;
        };
        let mark = Mark { address, token };
        self.with(
            hint.sample.read() as Sample,
            bh,
            |shard, code, now| match what {
                Passing::To(stage) => {
                    shard.pass(code, mark, stage, now);
                }
                Passing::Leaving => {
                    shard.pass(code, mark, Stage::Leaving, now);
                }
                Passing::On => {
                    let token = skb.fingerprint();
                    if shard.mark_anew(code, mark, Mark { address, token }) {
                        hint.token.write(token);
                    }
                }
                Passing::Out => shard.finish(code, mark, trail::End::Delivered, now),
                Passing::Left => shard.finish(code, mark, trail::End::Forwarded, now),
                Passing::By(_) => (),
            },
        );
    }

    /// Nobody is sampled any more, and no hook is there: who was on the way is lost.
    pub(crate) fn close(&self) {
        for shard in &self.shards {
            shard.lock_bh().close();
        }
    }

    /// Packets that were looked at.
    pub(crate) fn packets(&self) -> u64 {
        self.seen.read()
    }

    /// What became of the samples.
    pub(crate) fn outcome(&self) -> Outcome {
        let mut all = Outcome::default();
        for shard in &self.shards {
            all.add(&shard.lock_bh().outcome());
        }
        all
    }

    /// What a stage has counted, and how many were last seen there; behind the last stage is the whole way.
    pub(crate) fn stage(&self, at: usize) -> (Histogram, u64) {
        let mut all = Histogram::new();
        let mut lost = 0u64;
        for shard in &self.shards {
            let shard = shard.lock_bh();
            if let Some(h) = shard.histogram(at) {
                all.add(h);
            }
            lost = lost.wrapping_add(shard.lost(at));
        }
        (all, lost)
    }
}

/// A packet is about to be posted to queue `queue` of a port: its number, or 0.
#[inline(always)]
pub(crate) fn begin(data: &PortData, skb: &SkBuff, queue: u16, bh: &Bh<'_>) -> Sample {
    // One word for both ways, since the packet path has to know of all wires that nothing is sampled.
    match data.wire.sampled.read() {
        0 => 0,
        _ => begin_sampled(data, skb, queue, bh),
    }
}

#[cold]
#[inline(never)]
fn begin_sampled(data: &PortData, skb: &SkBuff, queue: u16, bh: &Bh<'_>) -> Sample {
    let Some(latency) = data.other_end().latency.read(bh) else {
        return 0;
    };
    let own = data.end().latency.read(bh);
    latency.begin(skb, queue, own.and_then(|own| own.noted(skb)), bh)
}

/// A sampled packet comes to a stage, on its way to that end.
#[cold]
#[inline(never)]
pub(crate) fn step(to: &End, sample: Sample, stage: Stage, bh: &Bh<'_>) {
    if let Some(latency) = to.latency.read(bh) {
        latency.with(sample, bh, |shard, code, now| {
            shard.step(code, stage, now);
        });
    }
}

/// The poll has taken a sampled packet from the ring.
#[cold]
#[inline(never)]
pub(crate) fn taken(poll: &Poll<'_, Channel>, sample: Sample) {
    step(poll.device().data().end(), sample, Stage::Napi, poll.bh());
}

/// A sampled packet has become part of another.
#[cold]
#[inline(never)]
pub(crate) fn merged(poll: &Poll<'_, Channel>, sample: Sample) {
    if let Some(latency) = poll.device().data().end().latency.read(poll.bh()) {
        latency.with(sample, poll.bh(), |shard, code, now| {
            shard.end(code, trail::End::Merged, now);
        });
    }
}

/// Passes a packet to GRO. Returns whether it was merged.
#[inline(always)]
pub(crate) fn gro_receive(poll: &Poll<'_, Channel>, skb: RxSkb, sample: Sample) -> bool {
    match sample {
        0 => poll.gro_receive(skb),
        _ => gro_receive_sampled(poll, skb, sample),
    }
}

#[cold]
#[inline(never)]
fn gro_receive_sampled(poll: &Poll<'_, Channel>, mut skb: RxSkb, sample: Sample) -> bool {
    if let Some(latency) = poll.device().data().end().latency.read(poll.bh()) {
        let mark = Mark {
            address: skb.address(),
            token: skb.stamp_received(),
        };
        latency.hand(sample, mark, poll.bh());
    }
    let is_merged = poll.gro_receive(skb);
    if is_merged {
        merged(poll, sample);
    }
    is_merged
}

/// Passes a packet to the stack past GRO.
#[inline(always)]
pub(crate) fn receive(poll: &Poll<'_, Channel>, skb: OwnedSkb, sample: Sample) {
    match sample {
        0 => poll.receive(skb),
        _ => receive_sampled(poll, skb, sample),
    }
}

#[cold]
#[inline(never)]
fn receive_sampled(poll: &Poll<'_, Channel>, mut skb: OwnedSkb, sample: Sample) {
    if let Some(latency) = poll.device().data().end().latency.read(poll.bh()) {
        let mark = Mark {
            address: skb.skb().address(),
            token: skb.stamp_received(),
        };
        latency.hand(sample, mark, poll.bh());
    }
    poll.receive(skb);
}

/// What a packet does at one of our hooks.
#[derive(Clone, Copy)]
enum Passing {
    /// One that came by the port comes to a stage.
    To(Stage),
    /// It is delivered.
    Out,
    /// It is forwarded.
    On,
    /// It comes to where packets leave.
    Leaving,
    /// It goes on to another host.
    Left,
    /// One that may be sent by the port comes by the hook of that number.
    By(usize),
}

/// One of our hooks.
struct Point;

/// What belongs to it.
struct At {
    /// The end of the port that is sampled. What counts is found there, so that the hook stays when another begins to:
    /// taking a hook away drops what waits in the namespace for programs (NFQUEUE).
    wire: Arc<Wire>,
    side: Side,
    what: Passing,
}

impl Hook for Point {
    type Data = At;

    #[inline]
    fn packet<'p>(at: &At, packet: Packet<'p>, bh: &Bh<'_>) -> Verdict<'p> {
        if let Some(latency) = at.wire.end(at.side).latency.read(bh) {
            latency.seen_at(packet.skb(), at.what, bh);
        }
        Verdict::Accept(packet)
    }
}

/// The hooks at which sampled packets are seen. Dropping them sleeps.
pub(crate) struct Hooks(KVec<Registration<Point>>);

impl Drop for Hooks {
    fn drop(&mut self) {
        Registration::detach_all(&mut self.0);
    }
}

impl Hooks {
    /// Attaches them, for what comes and what leaves by an end's device, which is `ifindex` of a namespace.
    pub(crate) fn new(
        wire: &Arc<Wire>,
        side: Side,
        net: &Net,
        ifindex: u32,
        rtnl: &Rtnl,
    ) -> Result<Self> {
        // First and last of a point.
        const FIRST: i32 = i32::MIN;
        const LAST: i32 = i32::MAX;
        let points = [
            (Inet::PreRouting, FIRST, Passing::To(Stage::Prerouting)),
            (Inet::LocalIn, FIRST, Passing::To(Stage::Input)),
            (Inet::LocalIn, LAST, Passing::Out),
            (Inet::Forward, FIRST, Passing::To(Stage::Forward)),
            (Inet::Forward, LAST, Passing::On),
            (Inet::LocalOut, FIRST, Passing::By(0)),
            (Inet::PostRouting, FIRST, Passing::Leaving),
            (Inet::PostRouting, LAST, Passing::Left),
        ];
        let at = |what| At {
            wire: wire.clone(),
            side,
            what,
        };
        let mut hooks = KVec::with_capacity(points.len().saturating_add(2), GFP_KERNEL_ACCOUNT)?;
        let dev = Interface::by_index(net, ifindex, rtnl).ok_or(ENODEV)?;
        for (direction, what) in [
            (Direction::Ingress, Passing::To(Stage::Ingress)),
            (Direction::Egress, Passing::By(2)),
        ] {
            hooks.push(
                Registration::on_device(dev, direction, FIRST, at(what), rtnl)?,
                GFP_KERNEL_ACCOUNT,
            )?;
        }
        for (point, priority, what) in points {
            let hook = Registration::new(net, Protocol::Both, point, priority, at(what))?;
            hooks.push(hook, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Hooks(hooks))
    }
}
