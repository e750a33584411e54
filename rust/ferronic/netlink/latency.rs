// SPDX-License-Identifier: GPL-2.0

//! `sampling-get`, `sampling-set`, `latency-get`, `latency-reset`.

use super::channel::At;
use super::generated::{
    latency, sampling, Ferronic, LatencyBucket, LatencyGetDo, LatencyGetDoRequest, LatencyGetDump,
    LatencyGetDumpRequest, LatencyGetReply, LatencyResetDo, LatencyResetDoRequest, LatencyStage,
    SamplingGetDo, SamplingGetDoRequest, SamplingGetDump, SamplingGetDumpRequest, SamplingGetReply,
    SamplingSetDo, SamplingSetDoRequest, SamplingUnit,
};
use super::port::{fill_ports, find, lock, number};
use super::ports::{self, Entry};
use crate::latency::{Hooks, Latency};
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::genetlink::{Batch, Context, Do, Dump};
use netdev::netlink::Writer;
use netdev::rtnl::{Net, Rtnl, RtnlGuard};
use pure::latency::{bucket, lower_bound, BUCKETS, LAST};
use pure::trail::{Sampler, Unit, HISTOGRAMS};

// The specification has the stages in the order of the histograms.
const _: () = assert!(LatencyStage::ALL.len() == HISTOGRAMS);

/// The sampling of what comes to a port.
#[derive(Default)]
pub(super) struct Sampling {
    /// What is, or was, counted.
    latency: Option<Arc<Latency>>,
    /// `None` if nothing is sampled.
    hooks: Option<Hooks>,
}

impl Entry {
    /// Lets `latency` count from now on, or nothing. Under RTNL.
    fn count_by(&mut self, latency: Option<Arc<Latency>>) {
        // Waits until nobody works with the old one.
        drop(self.wire.end(self.side).latency.replace(latency.clone()));
        if let Some(old) = &self.sampling.latency {
            old.close();
        }
        if latency.is_some() {
            self.sampling.latency = latency;
        }
    }

    /// The port leaves the namespace, or nobody wants to know any more.
    pub(super) fn end_sampling(&mut self) {
        if self.sampling.hooks.is_some() {
            let sampled = &self.wire.sampled;
            sampled.write(sampled.read().wrapping_sub(1));
            self.count_by(None);
            self.sampling.hooks = None;
        }
    }

    /// Begins sampling anew. Hooks that are there stay there.
    fn sample(&mut self, sampler: Sampler, net: &Net, ifindex: i32, rtnl: &Rtnl) -> Result {
        let latency = Latency::new(sampler)?;
        if self.sampling.hooks.is_none() {
            let hooks = Hooks::new(&self.wire, self.side, net, ifindex as u32, rtnl)?;
            self.sampling.hooks = Some(hooks);
            let sampled = &self.wire.sampled;
            sampled.write(sampled.read().wrapping_add(1));
        }
        self.count_by(Some(latency));
        Ok(())
    }

    fn put_sampling(&self, ifindex: i32, generation: u64, w: &mut Writer<'_>) -> Result {
        let mut reply = SamplingGetReply {
            ifindex: Some(ifindex as u32),
            generation: Some(generation),
            one_in: Some(0),
            ..Default::default()
        };
        if let Some(latency) = &self.sampling.latency {
            if self.sampling.hooks.is_some() {
                reply.one_in = Some(latency.sampler.one_in);
            }
            reply.unit = Some(match latency.sampler.unit {
                Unit::Packet => SamplingUnit::Packet,
                Unit::Flow => SamplingUnit::Flow,
            });
            reply.seed = Some(latency.sampler.seed);
            // What is looked at first is no less.
            let outcome = latency.outcome();
            reply.packets = Some(latency.packets());
            reply.samples = Some(outcome.samples);
            reply.delivered = Some(outcome.delivered);
            reply.forwarded = Some(outcome.forwarded);
            reply.merged = Some(outcome.merged);
            reply.lost = Some(outcome.lost);
        }
        reply.put(w)
    }
}

/// Writes the stage of a port that was sampled.
fn put(
    counted: &Latency,
    ifindex: i32,
    stage: LatencyStage,
    generation: u64,
    w: &mut Writer<'_>,
) -> Result {
    let (histogram, lost) = counted.stage(stage as usize);
    let mut buckets = KVec::with_capacity(BUCKETS, GFP_KERNEL_ACCOUNT)?;
    for (from, packets) in histogram.iter() {
        let bucket = LatencyBucket {
            from: Some(from),
            below: (from < LAST).then(|| lower_bound(bucket(from).saturating_add(1))),
            packets: Some(packets),
        };
        buckets.push(bucket, GFP_KERNEL_ACCOUNT)?;
    }
    LatencyGetReply {
        ifindex: Some(ifindex as u32),
        stage: Some(stage),
        generation: Some(generation),
        packets: Some(histogram.packets()),
        lost: (stage != LatencyStage::Total).then_some(lost),
        sum: Some(histogram.sum()),
        longest: Some(histogram.max()),
        bucket: &buckets,
    }
    .put(w)
}

impl Do for SamplingGetDo {
    fn run(request: SamplingGetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, sampling::IFINDEX, context)?;
        let mut reply = context.reply()?;
        lock(context, |ports| {
            let generation = ports.generation;
            let entry = find(ports, ifindex, sampling::IFINDEX, context)?;
            entry.put_sampling(ifindex, generation, &mut reply.writer())
        })?;
        reply.send()
    }
}

impl Dump for SamplingGetDump {
    /// Number of the next port, or of one before it.
    type State = i32;

    fn start(_: SamplingGetDumpRequest, _: &Context<'_, Ferronic>) -> Result<i32> {
        Ok(0)
    }

    fn fill(at: &mut i32, batch: &mut Batch<'_, Ferronic>) -> Result {
        fill_ports(at, batch, |entry, ifindex, generation, w| {
            entry.put_sampling(ifindex, generation, w)
        })
    }
}

impl Do for SamplingSetDo {
    fn run(request: SamplingSetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, sampling::IFINDEX, context)?;
        let Some(one_in) = request.one_in else {
            return Err(context.missing(
                sampling::ONE_IN,
                c"One in how many? It needs one-in, 0 for none",
            ));
        };
        if one_in == 0 {
            let of_what = c"It says what of is sampled, and nothing is";
            if request.unit.is_some() {
                return Err(context.refuse(sampling::UNIT, of_what, EINVAL));
            }
            if request.seed.is_some() {
                return Err(context.refuse(sampling::SEED, of_what, EINVAL));
            }
        }
        let sampler = Sampler {
            one_in,
            unit: match request.unit {
                Some(SamplingUnit::Flow) => Unit::Flow,
                Some(SamplingUnit::Packet) | None => Unit::Packet,
            },
            seed: request.seed.unwrap_or(0),
        };
        // For the hook at the device; and what wait for readers waits less under it.
        let rtnl = RtnlGuard::lock();
        ports::of(context.net())?
            .with(|ports, net| {
                let entry = find(ports, ifindex, sampling::IFINDEX, context)?;
                match one_in {
                    0 => {
                        entry.end_sampling();
                        Ok(())
                    }
                    _ => entry.sample(sampler, net, ifindex, &rtnl),
                }
            })
            .ok_or(ENODEV)?
    }
}

impl Do for LatencyGetDo {
    fn run(request: LatencyGetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, latency::IFINDEX, context)?;
        let Some(stage) = request.stage else {
            return Err(context.missing(latency::STAGE, c"Which stage? It needs one"));
        };
        let mut reply = context.reply()?;
        lock(context, |ports| {
            let generation = ports.generation;
            let entry = find(ports, ifindex, latency::IFINDEX, context)?;
            let Some(counted) = &entry.sampling.latency else {
                return Err(context.refuse(
                    latency::IFINDEX,
                    c"Nothing that came to the port was sampled",
                    ENOENT,
                ));
            };
            put(counted, ifindex, stage, generation, &mut reply.writer())
        })?;
        reply.send()
    }
}

impl Dump for LatencyGetDump {
    type State = At;

    fn start(request: LatencyGetDumpRequest, context: &Context<'_, Ferronic>) -> Result<At> {
        At::new(request.ifindex, latency::IFINDEX, context)
    }

    fn fill(at: &mut At, batch: &mut Batch<'_, Ferronic>) -> Result {
        at.fill(batch, |entry, ifindex, index, generation, batch| {
            let stage = LatencyStage::ALL.get(index as usize);
            let (Some(counted), Some(&stage)) = (&entry.sampling.latency, stage) else {
                return Ok(false);
            };
            let mut message = batch.message()?;
            put(counted, ifindex, stage, generation, &mut message.writer())?;
            message.end();
            Ok(true)
        })
    }
}

impl Do for LatencyResetDo {
    fn run(request: LatencyResetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, sampling::IFINDEX, context)?;
        let rtnl = RtnlGuard::lock();
        ports::of(context.net())?
            .with(|ports, net| {
                let entry = find(ports, ifindex, sampling::IFINDEX, context)?;
                match (&entry.sampling.latency, &entry.sampling.hooks) {
                    (Some(counted), Some(_)) => {
                        let sampler = counted.sampler;
                        entry.sample(sampler, net, ifindex, &rtnl)
                    }
                    _ => {
                        entry.sampling.latency = None;
                        Ok(())
                    }
                }
            })
            .ok_or(ENODEV)?
    }
}
