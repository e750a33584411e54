// SPDX-License-Identifier: GPL-2.0

//! `channel-get`.

use super::generated::{
    channel, ChannelGetDo, ChannelGetDoRequest, ChannelGetDump, ChannelGetDumpRequest,
    ChannelGetReply, Ferronic, POLL_BUCKETS,
};
use super::port::{find, lock, number};
use super::ports::{self, Entry};
use crate::stats::PollCounters;
use kernel::prelude::*;
use netdev::errno::ENETDOWN;
use netdev::genetlink::{Batch, Context, Do, Dump};

/// What a channel counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    raises: u64,
    polls: u64,
    frames: u64,
    poll_frames: [u64; POLL_BUCKETS],
}

impl Counts {
    /// As they are.
    pub(super) fn new(counters: &PollCounters) -> Self {
        Counts {
            raises: counters.raises.get(),
            polls: counters.polls.get(),
            frames: counters.frames.get(),
            poll_frames: core::array::from_fn(|bucket| counters.batches.get(bucket)),
        }
    }

    /// Those since `base`.
    fn since(mut self, base: &Counts) -> Self {
        self.raises = self.raises.wrapping_sub(base.raises);
        self.polls = self.polls.wrapping_sub(base.polls);
        self.frames = self.frames.wrapping_sub(base.frames);
        for (now, then) in self.poll_frames.iter_mut().zip(base.poll_frames) {
            *now = now.wrapping_sub(then);
        }
        self
    }
}

/// Writes channel `index`, and returns whether it is open.
fn put(
    entry: &Entry,
    ifindex: i32,
    index: u32,
    generation: u64,
    w: impl FnOnce(&ChannelGetReply<'_>) -> Result,
) -> Result<bool> {
    let (at, end) = (index as usize, entry.wire.end(entry.side));
    let (Some(inlet), Some(outlet), Some(counters)) =
        (end.inlets.get(at), end.outlets.get(at), entry.poll.get(at))
    else {
        return Ok(false);
    };
    let mut counts = Counts::new(counters);
    if let Some(base) = entry.base.as_ref().and_then(|b| b.channels.get(at)) {
        counts = counts.since(base);
    }
    let mut reply = ChannelGetReply {
        ifindex: Some(ifindex as u32),
        index: Some(index),
        generation: Some(generation),
        raises: Some(counts.raises),
        polls: Some(counts.polls),
        frames: Some(counts.frames),
        poll_frames: &counts.poll_frames,
        ..Default::default()
    };
    {
        let mut guard = outlet.lock.lock_bh();
        let Some(open) = guard.as_mut() else {
            return Ok(false);
        };
        let coalesce = open.vector.shared().coalesce();
        reply.napi_id = Some(open.vector.id());
        reply.tx_ring = Some(open.ring.size());
        reply.tx_queued = Some(open.ring.available());
        reply.tx_uncompleted = Some(open.ring.untaken());
        reply.rx_usecs = Some(coalesce.rx_usecs);
        reply.rx_frames = Some(coalesce.rx_frames);
        reply.tx_usecs = Some(coalesce.tx_usecs);
        reply.tx_frames = Some(coalesce.tx_frames);
    }
    {
        let mut guard = inlet.lock.lock_bh();
        if let Some(ring) = guard.as_mut().and_then(|open| open.ring.as_mut()) {
            reply.rx_ring = Some(ring.size());
            reply.rx_posted = Some(ring.available());
            reply.rx_filled = Some(ring.untaken());
        }
    }
    w(&reply)?;
    Ok(true)
}

impl Do for ChannelGetDo {
    fn run(request: ChannelGetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, channel::IFINDEX, context)?;
        let Some(index) = request.index else {
            return Err(context.missing(channel::INDEX, c"Which channel? It needs an index"));
        };
        let mut reply = context.reply()?;
        lock(context, |ports| {
            let generation = ports.generation;
            let entry = find(ports, ifindex, channel::IFINDEX, context)?;
            if index >= entry.view.channels {
                return Err(context.refuse(
                    channel::INDEX,
                    c"The port has fewer channels in use",
                    ENOENT,
                ));
            }
            let w = |r: &ChannelGetReply<'_>| r.put(&mut reply.writer());
            if !put(entry, ifindex, index, generation, w)? {
                return Err(context.refuse(
                    channel::IFINDEX,
                    c"The port is down, and its channels with it",
                    ENETDOWN(),
                ));
            }
            Ok(())
        })?;
        reply.send()
    }
}

/// Where a dump by port is.
pub(crate) struct At {
    /// The port, or a number before it.
    pub(super) ifindex: i32,
    /// The next of its things.
    pub(super) index: u32,
    /// Whether it is the only port.
    pub(super) only: bool,
}

impl At {
    /// Begins at that port, if there is one given, or at the first.
    pub(super) fn new(
        ifindex: Option<u32>,
        kind: u16,
        context: &Context<'_, Ferronic>,
    ) -> Result<At> {
        if let Some(ifindex) = ifindex {
            lock(context, |ports| {
                find(ports, ifindex as i32, kind, context)?;
                Ok(())
            })?;
        }
        Ok(At {
            ifindex: ifindex.map_or(0, |i| i as i32),
            index: 0,
            only: ifindex.is_some(),
        })
    }

    /// Calls `put` with every port, its number, and the number of a thing of it, until that returns `Ok(false)`: the
    /// port has no more.
    pub(super) fn fill(
        &mut self,
        batch: &mut Batch<'_, Ferronic>,
        mut put: impl FnMut(&Entry, i32, u32, u64, &mut Batch<'_, Ferronic>) -> Result<bool>,
    ) -> Result {
        ports::of(batch.net())?
            .with(|ports, _| {
                let generation = ports.generation;
                batch.generation(generation);
                while let Some((ifindex, entry)) = ports.next(self.ifindex) {
                    if ifindex != self.ifindex {
                        if self.only {
                            break;
                        }
                        self.ifindex = ifindex;
                        self.index = 0;
                    }
                    while put(entry, ifindex, self.index, generation, batch)? {
                        self.index = self.index.wrapping_add(1);
                    }
                    self.ifindex = ifindex.saturating_add(1);
                    self.index = 0;
                    if self.only {
                        break;
                    }
                }
                Ok(())
            })
            .unwrap_or(Ok(()))
    }
}

impl Dump for ChannelGetDump {
    type State = At;

    fn start(request: ChannelGetDumpRequest, context: &Context<'_, Ferronic>) -> Result<At> {
        At::new(request.ifindex, channel::IFINDEX, context)
    }

    fn fill(at: &mut At, batch: &mut Batch<'_, Ferronic>) -> Result {
        at.fill(batch, |entry, ifindex, index, generation, batch| {
            if !entry.is_up() || index >= entry.view.channels {
                return Ok(false);
            }
            put(entry, ifindex, index, generation, |reply| {
                let mut message = batch.message()?;
                reply.put(&mut message.writer())?;
                message.end();
                Ok(())
            })
        })
    }
}
