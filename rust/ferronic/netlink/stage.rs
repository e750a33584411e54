// SPDX-License-Identifier: GPL-2.0

//! `stage-get`, `stats-reset`.
//!
//! Resetting disturbs nobody: the counters go on, and what they were is subtracted in what this family tells.

use super::channel::{self, At};
use super::generated::{
    port, stage, Direction, Drop, DropReason, Ferronic, Stage, StageGetDo, StageGetDoRequest,
    StageGetDump, StageGetDumpRequest, StageGetReply, StatsResetDo, StatsResetDoRequest,
};
use super::port::{find, lock, number};
use super::ports::Entry;
use crate::stats;
use crate::wire::End;
use kernel::prelude::*;
use netdev::genetlink::{Batch, Context, Do, Dump};
use netdev::netlink::Writer;

/// Every stage there is, in the order of a dump.
const PLACES: [(Direction, Stage); 7] = [
    (Direction::Tx, Stage::Post),
    (Direction::Tx, Stage::Segment),
    (Direction::Tx, Stage::Checksum),
    (Direction::Tx, Stage::Wire),
    (Direction::Rx, Stage::Wire),
    (Direction::Rx, Stage::Deliver),
    (Direction::Rx, Stage::Receive),
];

const REASONS: usize = DropReason::ALL.len();

/// What the engine drops, as the counters and as the specification call it.
const WIRE_DROPS: [(stats::Drop, DropReason); 9] = [
    (stats::Drop::NoCarrier, DropReason::NoCarrier),
    (stats::Drop::Filtered, DropReason::Filtered),
    (stats::Drop::TooLong, DropReason::TooLong),
    (stats::Drop::TooShort, DropReason::TooShort),
    (stats::Drop::NoBuffer, DropReason::NoBuffer),
    (stats::Drop::PauseExpired, DropReason::PauseExpired),
    (stats::Drop::Closed, DropReason::Closed),
    (stats::Drop::Segmentation, DropReason::Segmentation),
    (stats::Drop::Rule, DropReason::Rule),
];

/// What a stage counts; `None` is what it does not count.
#[derive(Clone, Copy, Default)]
struct Counts {
    packets: Option<u64>,
    packet_bytes: Option<u64>,
    frames: Option<u64>,
    bytes: Option<u64>,
    multicast: Option<u64>,
    broadcast: Option<u64>,
    stops: Option<u64>,
    wakes: Option<u64>,
    waits: Option<u64>,
    checksum_good: Option<u64>,
    checksum_bad: Option<u64>,
    checksum_none: Option<u64>,
    alloc_fails: Option<u64>,
    /// By reason.
    drops: [Option<u64>; REASONS],
}

/// The sum of a counter over all of something.
fn sum<'a, T: 'a>(all: impl IntoIterator<Item = &'a T>, one: impl Fn(&T) -> u64) -> Option<u64> {
    Some(all.into_iter().fold(0u64, |n, t| n.wrapping_add(one(t))))
}

impl Counts {
    /// Those of a stage, as they are.
    fn new(entry: &Entry, place: (Direction, Stage)) -> Self {
        let own = entry.wire.end(entry.side);
        let polls = || entry.poll.iter();
        let outlets = || own.outlets.iter();
        let mut c = Counts::default();
        match place {
            (Direction::Tx, Stage::Post) => {
                c.stops = sum(outlets(), |o| o.counters.stops.get());
                // By the own poll, or by the receiver, where it is the receiver who takes packets from the ring.
                let by_poll = sum(polls(), |p| p.wakes.get()).unwrap_or(0);
                c.wakes =
                    sum(outlets(), |o| o.counters.wakes.get()).map(|n| n.wrapping_add(by_poll));
                c.drop(DropReason::NotOpen, sum(entry.dropped.iter(), |d| d.get()));
                let closed = own.closed.get(stats::Drop::Closed);
                c.drop(DropReason::Closed, Some(closed));
            }
            (Direction::Tx, Stage::Segment) => {
                c.packets = sum(outlets(), |o| o.counters.gso_packets.get());
                c.packet_bytes = sum(outlets(), |o| o.counters.gso_bytes.get());
                c.frames = sum(outlets(), |o| o.counters.gso_wire_frames.get());
                c.bytes = sum(outlets(), |o| o.counters.gso_wire_bytes.get());
            }
            (Direction::Tx, Stage::Checksum) => {
                c.frames = sum(outlets(), |o| o.counters.checksum_filled.get());
            }
            (Direction::Tx, Stage::Wire) => c.wire(own),
            (Direction::Rx, Stage::Wire) => c.wire(entry.wire.end(entry.side.other())),
            (Direction::Rx, Stage::Deliver) => {
                c.waits = sum(own.inlets.iter(), |i| i.counters.pauses.get());
                let unread = own.closed.get(stats::Drop::Unread);
                c.drop(DropReason::Unread, Some(unread));
            }
            (Direction::Rx, Stage::Receive) => {
                c.frames = sum(polls(), |p| p.frames.get());
                c.bytes = sum(polls(), |p| p.bytes.get());
                c.multicast = sum(polls(), |p| p.multicast.get());
                c.broadcast = sum(polls(), |p| p.broadcast.get());
                c.checksum_good = sum(polls(), |p| p.checksum_good.get());
                c.checksum_bad = sum(polls(), |p| p.checksum_bad.get());
                c.checksum_none = sum(polls(), |p| p.checksum_none.get());
                c.alloc_fails = sum(polls(), |p| p.alloc_fail.get());
                c.drop(DropReason::NoMemory, sum(polls(), |p| p.no_memory.get()));
                // Those handed off: frames do not get past the wire.
                c.drop(DropReason::TooLong, sum(polls(), |p| p.too_long.get()));
            }
            _ => (),
        }
        c
    }

    /// What leaves that end.
    fn wire(&mut self, end: &End) {
        let all = || end.outlets.iter();
        self.frames = sum(all(), |o| o.counters.frames.get());
        self.bytes = sum(all(), |o| o.counters.bytes.get());
        self.multicast = sum(all(), |o| o.counters.multicast.get());
        self.broadcast = sum(all(), |o| o.counters.broadcast.get());
        self.waits = sum(all(), |o| o.counters.pauses.get());
        for (counted, reason) in WIRE_DROPS {
            self.drop(reason, sum(all(), |o| o.counters.drops.get(counted)));
        }
    }

    fn drop(&mut self, reason: DropReason, frames: Option<u64>) {
        if let Some(slot) = self.drops.get_mut(reason as usize) {
            *slot = frames;
        }
    }

    /// Those since `base`.
    fn since(&self, base: &Counts) -> Self {
        let less =
            |now: Option<u64>, then: Option<u64>| now.map(|n| n.wrapping_sub(then.unwrap_or(0)));
        let mut drops = self.drops;
        for (now, then) in drops.iter_mut().zip(base.drops) {
            *now = less(*now, then);
        }
        Counts {
            packets: less(self.packets, base.packets),
            packet_bytes: less(self.packet_bytes, base.packet_bytes),
            frames: less(self.frames, base.frames),
            bytes: less(self.bytes, base.bytes),
            multicast: less(self.multicast, base.multicast),
            broadcast: less(self.broadcast, base.broadcast),
            stops: less(self.stops, base.stops),
            wakes: less(self.wakes, base.wakes),
            waits: less(self.waits, base.waits),
            checksum_good: less(self.checksum_good, base.checksum_good),
            checksum_bad: less(self.checksum_bad, base.checksum_bad),
            checksum_none: less(self.checksum_none, base.checksum_none),
            alloc_fails: less(self.alloc_fails, base.alloc_fails),
            drops,
        }
    }
}

/// What the counters of a port were when they were reset.
pub(crate) struct Base {
    stages: [Counts; PLACES.len()],
    /// By number.
    pub(super) channels: KVec<channel::Counts>,
}

impl Base {
    fn new(entry: &Entry) -> Result<KBox<Self>> {
        let mut channels = KVec::with_capacity(entry.poll.len(), GFP_KERNEL_ACCOUNT)?;
        for counters in entry.poll.iter() {
            channels.push(channel::Counts::new(counters), GFP_KERNEL_ACCOUNT)?;
        }
        let stages = PLACES.map(|place| Counts::new(entry, place));
        Ok(KBox::new(Base { stages, channels }, GFP_KERNEL_ACCOUNT)?)
    }
}

/// Writes the stage that is number `at` of [`PLACES`].
fn put(entry: &Entry, ifindex: i32, at: usize, generation: u64, w: &mut Writer<'_>) -> Result {
    let place = *PLACES.get(at).ok_or(EINVAL)?;
    let mut counts = Counts::new(entry, place);
    if let Some(base) = entry.base.as_ref().and_then(|b| b.stages.get(at)) {
        counts = counts.since(base);
    }
    let mut drops = [const { Drop::NONE }; REASONS];
    let mut known = 0;
    for (reason, frames) in DropReason::ALL.into_iter().zip(counts.drops) {
        if let (Some(frames), Some(slot)) = (frames, drops.get_mut(known)) {
            *slot = Drop {
                reason: Some(reason),
                frames: Some(frames),
            };
            known = known.wrapping_add(1);
        }
    }
    StageGetReply {
        ifindex: Some(ifindex as u32),
        direction: Some(place.0),
        stage: Some(place.1),
        generation: Some(generation),
        packets: counts.packets,
        packet_bytes: counts.packet_bytes,
        frames: counts.frames,
        bytes: counts.bytes,
        multicast: counts.multicast,
        broadcast: counts.broadcast,
        stops: counts.stops,
        wakes: counts.wakes,
        waits: counts.waits,
        checksum_good: counts.checksum_good,
        checksum_bad: counts.checksum_bad,
        checksum_none: counts.checksum_none,
        alloc_fails: counts.alloc_fails,
        drop: drops.get(..known).unwrap_or(&[]),
    }
    .put(w)
}

impl Do for StageGetDo {
    fn run(request: StageGetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, stage::IFINDEX, context)?;
        let Some(direction) = request.direction else {
            return Err(context.missing(stage::DIRECTION, c"Which way? It needs a direction"));
        };
        let Some(which) = request.stage else {
            return Err(context.missing(stage::STAGE, c"Which stage? It needs one"));
        };
        let place = PLACES.iter().position(|&p| p == (direction, which));
        let at = place.ok_or_else(|| {
            context.refuse(
                stage::STAGE,
                c"Frames do not pass this stage in this direction",
                ENOENT,
            )
        })?;
        let mut reply = context.reply()?;
        lock(context, |ports| {
            let generation = ports.generation;
            let entry = find(ports, ifindex, stage::IFINDEX, context)?;
            put(entry, ifindex, at, generation, &mut reply.writer())
        })?;
        reply.send()
    }
}

impl Dump for StageGetDump {
    type State = At;

    fn start(request: StageGetDumpRequest, context: &Context<'_, Ferronic>) -> Result<At> {
        At::new(request.ifindex, stage::IFINDEX, context)
    }

    fn fill(at: &mut At, batch: &mut Batch<'_, Ferronic>) -> Result {
        at.fill(batch, |entry, ifindex, index, generation, batch| {
            let index = index as usize;
            if index >= PLACES.len() {
                return Ok(false);
            }
            let mut message = batch.message()?;
            put(entry, ifindex, index, generation, &mut message.writer())?;
            message.end();
            Ok(true)
        })
    }
}

impl Do for StatsResetDo {
    fn run(request: StatsResetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, port::IFINDEX, context)?;
        lock(context, |ports| {
            let entry = find(ports, ifindex, port::IFINDEX, context)?;
            entry.base = Some(Base::new(entry)?);
            Ok(())
        })
    }
}
