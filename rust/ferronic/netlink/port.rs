// SPDX-License-Identifier: GPL-2.0

//! `port-get`, `port-set`.

use super::generated::{
    port, Ferronic, PortGetDo, PortGetDoRequest, PortGetDump, PortGetDumpRequest, PortSetDo,
    PortSetDoRequest,
};
use super::ports::{self, Entry, Ports};
use kernel::prelude::*;
use netdev::errno::EOPNOTSUPP;
use netdev::genetlink::{Batch, Context, Do, Dump};

/// The number of the port a request is about.
pub(super) fn number(
    ifindex: Option<u32>,
    kind: u16,
    context: &Context<'_, Ferronic>,
) -> Result<i32> {
    match ifindex {
        // The policy has seen that it fits.
        Some(ifindex) => Ok(ifindex as i32),
        None => Err(context.missing(kind, c"Which port? It needs an ifindex")),
    }
}

/// The port of that number.
pub(super) fn find<'p>(
    ports: &'p mut Ports,
    ifindex: i32,
    kind: u16,
    context: &Context<'_, Ferronic>,
) -> Result<&'p mut Entry> {
    ports
        .tree
        .get_mut(&ifindex)
        .ok_or_else(|| context.refuse(kind, c"No ferronic port of this namespace", ENODEV))
}

/// Locks the ports of the namespace of who asks.
pub(super) fn lock<R>(
    context: &Context<'_, Ferronic>,
    f: impl FnOnce(&mut Ports) -> Result<R>,
) -> Result<R> {
    ports::of(context.net())?
        .with(|ports, _| f(ports))
        .ok_or(ENODEV)?
}

impl Do for PortGetDo {
    fn run(request: PortGetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, port::IFINDEX, context)?;
        let mut reply = context.reply()?;
        lock(context, |ports| {
            let generation = ports.generation;
            find(ports, ifindex, port::IFINDEX, context)?
                .reply(ifindex, generation)
                .put(&mut reply.writer())
        })?;
        reply.send()
    }
}

impl Dump for PortGetDump {
    /// Number of the next port, or of one before it.
    type State = i32;

    fn start(_: PortGetDumpRequest, _: &Context<'_, Ferronic>) -> Result<i32> {
        Ok(0)
    }

    fn fill(at: &mut i32, batch: &mut Batch<'_, Ferronic>) -> Result {
        ports::of(batch.net())?
            .with(|ports, _| {
                let generation = ports.generation;
                batch.generation(generation);
                while let Some((ifindex, entry)) = ports.next(*at) {
                    let mut message = batch.message()?;
                    entry
                        .reply(ifindex, generation)
                        .put(&mut message.writer())?;
                    message.end();
                    *at = ifindex.saturating_add(1);
                }
                Ok(())
            })
            .unwrap_or(Ok(()))
    }
}

impl Do for PortSetDo {
    fn run(request: PortSetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let ifindex = number(request.ifindex, port::IFINDEX, context)?;
        ports::of(context.net())?
            .with(|ports, net| {
                let entry = find(ports, ifindex, port::IFINDEX, context)?;
                if let Some(limit) = request.pause_limit {
                    if !entry.can_pause() {
                        return Err(context.refuse(
                            port::PAUSE_LIMIT,
                            c"Nobody pauses on the handoff datapath",
                            EOPNOTSUPP(),
                        ));
                    }
                    ports.set_pause_limit(net, ifindex, limit);
                }
                Ok(())
            })
            .ok_or(ENODEV)?
    }
}
