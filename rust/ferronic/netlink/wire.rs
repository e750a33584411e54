// SPDX-License-Identifier: GPL-2.0

//! `wire-get`, `wire-set`.

use super::generated::{
    wire, Datapath, Ferronic, WireChangeItem, WireGetDo, WireGetDoRequest, WireGetDump,
    WireGetDumpRequest, WireGetReply, WirePort, WireSetDo, WireSetDoRequest,
};
use super::port::lock;
use super::ports::{self, end, Entry, Ports};
use super::transaction::{Changes, Commit, Refusal};
use crate::reconfigure::Changeover;
use crate::wire::{self as cable, Side, Wire};
use kernel::prelude::*;
use kernel::rbtree::RBTree;
use kernel::sync::Arc;
use netdev::genetlink::{Batch, Context, Do, Dump};
use netdev::netlink::Writer;
use netdev::rtnl::{Rtnl, RtnlGuard};

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
        datapath: Some(entry.view.datapath),
        port: &both,
    }
    .put(w)
}

impl Do for WireGetDo {
    fn run(request: WireGetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let Some(id) = request.id else {
            return Err(context.missing(wire::ID, WHICH));
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

/// A change of a wire.
#[derive(Clone, Copy)]
struct Change {
    id: u32,
    datapath: Option<Datapath>,
}

const WHICH: &CStr = c"Which wire? It needs an id";

/// A wire that is to change.
struct Target {
    wire: Arc<Wire>,
    /// What was asked for last.
    datapath: Option<Datapath>,
}

/// Wires of a namespace by number.
struct Wires(RBTree<u32, Target>);

impl Wires {
    /// Those that are `wanted`.
    fn new(context: &Context<'_, Ferronic>, wanted: impl Fn(u32) -> bool) -> Result<Self> {
        lock(context, |ports| {
            let mut all = RBTree::new();
            for entry in ports.tree.values() {
                if tells(entry) && wanted(entry.wire.id) {
                    let target = Target {
                        wire: entry.wire.clone(),
                        datapath: None,
                    };
                    all.try_create_and_insert(entry.wire.id, target, GFP_KERNEL_ACCOUNT)?;
                }
            }
            Ok(Wires(all))
        })
    }

    /// Takes note of a change, if it is one that the sender may make.
    fn add(&mut self, change: &Change, context: &Context<'_, Ferronic>) -> Result<(), Refusal> {
        let Some(target) = self.0.get_mut(&change.id) else {
            return Err(Refusal::new(
                wire::ID,
                c"No wire with a port in this namespace",
                ENOENT,
            ));
        };
        for side in [Side::A, Side::B] {
            let home = &target.wire.end(side).home;
            if home.with(|_, net, _| context.may_change(net)) == Some(false) {
                return Err(Refusal::new(
                    wire::ID,
                    c"It takes the right to change both ends",
                    EPERM,
                ));
            }
        }
        if change.datapath.is_some() {
            target.datapath = change.datapath;
        }
        Ok(())
    }

    /// Prepares what was asked for: nothing can fail later, as long as RTNL is held.
    fn prepare<'a>(&self, rtnl: &'a Rtnl) -> Result<KVVec<Changeover<'a>>, Refusal> {
        let mut all = KVVec::new();
        for target in self.0.values() {
            let to = match target.datapath {
                Some(datapath) if target.wire.datapath() != datapath.into() => datapath.into(),
                _ => continue,
            };
            let [a, b] = [Side::A, Side::B].map(|side| target.wire.end(side).home.port(rtnl));
            let changeover = match (a, b) {
                (Some(a), Some(b)) => Changeover::new([a, b], to, rtnl),
                _ => Err(ENODEV),
            };
            changeover
                .and_then(|made| Ok(all.push(made, GFP_KERNEL_ACCOUNT)?))
                .map_err(|e| {
                    Refusal::new(wire::DATAPATH, c"The ports cannot get the rings for it", e)
                })?;
        }
        Ok(all)
    }
}

/// Makes changes that were prepared, and tells of them.
fn make(changes: KVVec<Changeover<'_>>, rtnl: &Rtnl) {
    for change in changes {
        for port in change.make(rtnl) {
            ports::with(port, |ports, net| ports.settings(net, port));
        }
    }
}

impl From<Datapath> for cable::Datapath {
    fn from(datapath: Datapath) -> Self {
        match datapath {
            Datapath::Nic => cable::Datapath::Nic,
            Datapath::Handoff => cable::Datapath::Handoff,
        }
    }
}

impl Do for WireSetDo {
    fn run(request: WireSetDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let Some(id) = request.id else {
            return Err(context.missing(wire::ID, WHICH));
        };
        let change = Change {
            id,
            datapath: request.datapath,
        };
        let rtnl = RtnlGuard::lock();
        let mut wires = Wires::new(context, |wire| wire == id)?;
        let changes = wires
            .add(&change, context)
            .and_then(|()| wires.prepare(&rtnl))
            .map_err(|r| r.tell(context))?;
        make(changes, &rtnl);
        Ok(())
    }
}

/// Changes of wires, in a transaction.
#[derive(Default)]
pub(super) struct WireChanges(KVVec<Change>);

impl Changes for WireChanges {
    type Item<'a> = WireChangeItem<'a>;

    const BYTES: usize = size_of::<Change>();

    fn len(&self) -> usize {
        self.0.len()
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    fn add(&mut self, item: WireChangeItem<'_>, context: &Context<'_, Ferronic>) -> Result<usize> {
        let Some(id) = item.id else {
            return Err(context.missing_in(&item.nest, wire::ID, WHICH));
        };
        let datapath = item.datapath;
        self.0.push(Change { id, datapath }, GFP_KERNEL_ACCOUNT)?;
        Ok(0)
    }
}

impl Commit for WireChanges {
    fn needs_rtnl(&self) -> bool {
        !self.0.is_empty()
    }

    fn commit(
        self,
        context: &Context<'_, Ferronic>,
        rtnl: Option<&Rtnl>,
        then: impl FnOnce() -> Result,
    ) -> Result {
        let Some(rtnl) = rtnl.filter(|_| !self.0.is_empty()) else {
            return then();
        };
        let mut wires = Wires::new(context, |_| true)?;
        for (number, change) in self.0.iter().enumerate() {
            wires
                .add(change, context)
                .map_err(|r| r.tell_of(c"wire", number, context))?;
        }
        let changes = wires.prepare(rtnl).map_err(|r| r.tell(context))?;
        then()?;
        make(changes, rtnl);
        Ok(())
    }
}
