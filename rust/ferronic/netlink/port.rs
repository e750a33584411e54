// SPDX-License-Identifier: GPL-2.0

//! `port-get`, `port-set`.

use super::generated::{
    port, transaction, Ferronic, PortChangeItem, PortGetDo, PortGetDoRequest, PortGetDump,
    PortGetDumpRequest, PortSetDo, PortSetDoRequest,
};
use super::ports::{self, Entry, Ports};
use super::transaction::{Changes, Commit, Refusal};
use kernel::prelude::*;
use netdev::errno::{EOPNOTSUPP, ESTALE};
use netdev::genetlink::{Batch, Context, Do, Dump};
use netdev::netlink::Writer;
use netdev::rtnl::{Net, Rtnl};

const WHICH: &CStr = c"Which port? It needs an ifindex";
const ABSENT: &CStr = c"No ferronic port of this namespace";

/// The number of the port a request is about.
pub(super) fn number(
    ifindex: Option<u32>,
    kind: u16,
    context: &Context<'_, Ferronic>,
) -> Result<i32> {
    match ifindex {
        // The policy has seen that it fits.
        Some(ifindex) => Ok(ifindex as i32),
        None => Err(context.missing(kind, WHICH)),
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
        .ok_or_else(|| context.refuse(kind, ABSENT, ENODEV))
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
        fill_ports(at, batch, |entry, ifindex, generation, w| {
            entry.reply(ifindex, generation).put(w)
        })
    }
}

/// Fills a part of a dump with a message for each port from number `at` on.
pub(super) fn fill_ports(
    at: &mut i32,
    batch: &mut Batch<'_, Ferronic>,
    mut put: impl FnMut(&Entry, i32, u64, &mut Writer<'_>) -> Result,
) -> Result {
    ports::of(batch.net())?
        .with(|ports, _| {
            let generation = ports.generation;
            batch.generation(generation);
            while let Some((ifindex, entry)) = ports.next(*at) {
                let mut message = batch.message()?;
                put(entry, ifindex, generation, &mut message.writer())?;
                message.end();
                *at = ifindex.saturating_add(1);
            }
            Ok(())
        })
        .unwrap_or(Ok(()))
}

/// A change of a port.
#[derive(Clone, Copy)]
struct Change {
    ifindex: i32,
    pause_limit: Option<u32>,
}

impl Change {
    /// Whether it can be made, as long as the list is locked.
    fn check(&self, ports: &Ports) -> Result<(), Refusal> {
        let Some(entry) = ports.tree.get(&self.ifindex) else {
            return Err(Refusal::new(port::IFINDEX, ABSENT, ENODEV));
        };
        if self.pause_limit.is_some() && !entry.can_pause() {
            return Err(Refusal::new(
                port::PAUSE_LIMIT,
                c"Nobody pauses on the handoff datapath",
                EOPNOTSUPP(),
            ));
        }
        Ok(())
    }

    /// Makes it, after [`check`](Self::check).
    fn make(&self, ports: &mut Ports, net: &Net) {
        if let Some(limit) = self.pause_limit {
            ports.set_pause_limit(net, self.ifindex, limit);
        }
    }
}

impl Do for PortSetDo {
    fn run(request: PortSetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let change = Change {
            ifindex: number(request.ifindex, port::IFINDEX, context)?,
            pause_limit: request.pause_limit,
        };
        ports::of(context.net())?
            .with(|ports, net| {
                change.check(ports).map_err(|r| r.tell(context))?;
                change.make(ports, net);
                Ok(())
            })
            .ok_or(ENODEV)?
    }
}

/// Changes of ports, in a transaction, and the generation that the ports must be of.
#[derive(Default)]
pub(super) struct PortChanges {
    changes: KVVec<Change>,
    pub(super) generation: Option<u64>,
}

impl Changes for PortChanges {
    type Item<'a> = PortChangeItem<'a>;

    const BYTES: usize = size_of::<Change>();

    fn len(&self) -> usize {
        self.changes.len()
    }

    fn truncate(&mut self, len: usize) {
        self.changes.truncate(len);
    }

    fn add(&mut self, item: PortChangeItem<'_>, context: &Context<'_, Ferronic>) -> Result<usize> {
        let Some(ifindex) = item.ifindex else {
            return Err(context.missing_in(&item.nest, port::IFINDEX, WHICH));
        };
        let change = Change {
            // The policy has seen that it fits.
            ifindex: ifindex as i32,
            pause_limit: item.pause_limit,
        };
        self.changes.push(change, GFP_KERNEL_ACCOUNT)?;
        Ok(0)
    }
}

impl Commit for PortChanges {
    fn commit(
        self,
        context: &Context<'_, Ferronic>,
        _: Option<&Rtnl>,
        then: impl FnOnce() -> Result,
    ) -> Result {
        if self.changes.is_empty() && self.generation.is_none() {
            return then();
        }
        ports::of(context.net())?
            .with(|ports, net| {
                if self.generation.is_some_and(|g| g != ports.generation) {
                    return Err(context.refuse(
                        transaction::GENERATION,
                        c"The namespace has changed since",
                        ESTALE(),
                    ));
                }
                for (number, change) in self.changes.iter().enumerate() {
                    change
                        .check(ports)
                        .map_err(|r| r.tell_of(c"port", number, context))?;
                }
                then()?;
                for change in &self.changes {
                    change.make(ports, net);
                }
                Ok(())
            })
            .ok_or(ENODEV)?
    }
}
