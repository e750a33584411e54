// SPDX-License-Identifier: GPL-2.0

//! `wire-get`.

use super::generated::{
    wire, Ferronic, WireGetDo, WireGetDoRequest, WireGetDump, WireGetDumpRequest, WireGetReply,
    WirePort,
};
use super::port::lock;
use super::ports::{self, datapath, end, Entry, Ports};
use crate::wire::Side;
use kernel::prelude::*;
use netdev::genetlink::{Batch, Context, Do, Dump};
use netdev::netlink::Writer;

/// Whether this entry is the one that its wire is told by: of two in one namespace, that of side A.
fn tells(entry: &Entry) -> bool {
    let both = entry.view.peer.is_some_and(|p| p.netnsid.is_none());
    !both || entry.side == Side::A
}

/// Writes the wire of port `ifindex`.
fn put(ports: &Ports, ifindex: i32, w: &mut Writer<'_>) -> Result {
    let entry = ports.tree.get(&ifindex).ok_or(ENODEV)?;
    let own = WirePort {
        end: Some(end(entry.side)),
        ifindex: Some(ifindex as u32),
        netnsid: None,
        name: entry.name(),
    };
    let peer = entry.view.peer;
    let other = WirePort {
        end: Some(end(entry.side.other())),
        ifindex: peer.map(|p| p.ifindex as u32),
        netnsid: peer.and_then(|p| p.netnsid),
        name: peer
            .filter(|p| p.netnsid.is_none())
            .and_then(|p| ports.tree.get(&p.ifindex)?.name()),
    };
    let both = match entry.side {
        Side::A => [own, other],
        Side::B => [other, own],
    };
    WireGetReply {
        id: Some(entry.wire.id),
        generation: Some(ports.generation),
        datapath: Some(datapath(&entry.wire)),
        port: &both,
    }
    .put(w)
}

impl Do for WireGetDo {
    fn run(request: WireGetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let Some(id) = request.id else {
            return Err(context.missing(wire::ID, c"Which wire? It needs an id"));
        };
        let mut reply = context.reply()?;
        lock(context, |ports| {
            let found = ports.tree.iter().find(|(_, e)| e.wire.id == id);
            let Some((&ifindex, _)) = found else {
                return Err(context.refuse(
                    wire::ID,
                    c"No wire with a port in this namespace",
                    ENOENT,
                ));
            };
            put(ports, ifindex, &mut reply.writer())
        })?;
        reply.send()
    }
}

impl Dump for WireGetDump {
    /// Number of the next port, or of one before it.
    type State = i32;

    fn start(_: WireGetDumpRequest, _: &Context<'_, Ferronic>) -> Result<i32> {
        Ok(0)
    }

    fn fill(at: &mut i32, batch: &mut Batch<'_, Ferronic>) -> Result {
        ports::of(batch.net())?
            .with(|ports, _| {
                batch.generation(ports.generation);
                while let Some((ifindex, entry)) = ports.next(*at) {
                    if tells(entry) {
                        let mut message = batch.message()?;
                        put(ports, ifindex, &mut message.writer())?;
                        message.end();
                    }
                    *at = ifindex.saturating_add(1);
                }
                Ok(())
            })
            .unwrap_or(Ok(()))
    }
}
