// SPDX-License-Identifier: GPL-2.0

//! The ports of a namespace.

use super::generated::{group, notification, Datapath, End, PortGetReply};
use super::latency::Sampling;
use super::stage::Base;
use super::FAMILY;
use crate::limits::RING_DEFAULT;
use crate::link;
use crate::port::{Port, PortData};
use crate::stats::PollCounters;
use crate::wire::{self, Side, Wire};
use kernel::prelude::*;
use kernel::rbtree::{RBTree, RBTreeNodeReservation};
use kernel::sync::{new_mutex, static_lock_class, Arc, LockClassKey, Mutex};
use netdev::counter::Counter;
use netdev::device::Device;
use netdev::namespace::{self, Namespaced, PerNet, Slot};
use netdev::rtnl::{Net, Rtnl};
use netdev::sync::Word;

pub(super) static PORTS: Slot<Ports> = Slot::new();

/// The other end, as the namespace sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) ifindex: i32,
    /// Number of its namespace; `None` if it is this one.
    pub(super) netnsid: Option<i32>,
}

/// What is told of a port.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct View {
    name: [u8; 16],
    up: bool,
    carrier: bool,
    mtu: u32,
    pub(super) datapath: Datapath,
    pub(super) channels: u32,
    tx_ring: u32,
    rx_ring: u32,
    /// `None` on a wire that does not pause.
    pause_limit: Option<u32>,
    /// `None` if it is nowhere the namespace has a number for.
    pub(super) peer: Option<Peer>,
}

/// A port.
pub(super) struct Entry {
    pub(super) view: View,
    pub(super) wire: Arc<Wire>,
    pub(super) side: Side,
    pub(super) poll: Arc<KVec<PollCounters>>,
    pub(super) dropped: Arc<KVec<Counter>>,
    /// What the counters were when the user reset them.
    pub(super) base: Option<KBox<Base>>,
    pub(super) sampling: Sampling,
}

/// The ports of a namespace by number.
pub(crate) struct Ports {
    /// Raised with each change, under the mutex that they all lie behind.
    pub(super) generation: u64,
    pub(super) tree: RBTree<i32, Entry>,
}

impl PerNet for Ports {
    const PLACE: namespace::Place<Self> = namespace::Place::of(&PORTS);

    fn lock_class() -> Pin<&'static LockClassKey> {
        static_lock_class!()
    }

    fn new() -> Result<Self> {
        Ok(Ports {
            generation: 1,
            tree: RBTree::new(),
        })
    }
}

/// What a port keeps for its entry: memory, so that neither coming into a list nor moving to another one can fail, and
/// what outlives the move.
struct Stash {
    node: RBTreeNodeReservation<i32, Entry>,
    base: Option<KBox<Base>>,
}

/// What the control family keeps in a port.
#[pin_data]
pub(crate) struct Seat {
    /// `None` while the port is in a list.
    #[pin]
    stash: Mutex<Option<Stash>>,
    /// Sizes of the rings as set; written under the instance lock.
    tx_ring: Word<u32>,
    rx_ring: Word<u32>,
}

impl Seat {
    /// For a new port.
    pub(crate) fn new() -> Result<Pin<KBox<Self>>> {
        let stash = Stash {
            node: RBTreeNodeReservation::new(GFP_KERNEL_ACCOUNT)?,
            base: None,
        };
        KBox::pin_init(
            pin_init!(Seat {
                stash <- new_mutex!(Some(stash)),
                tx_ring: Word::new(RING_DEFAULT),
                rx_ring: Word::new(RING_DEFAULT),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The sizes of the rings have changed. Under the instance lock.
    pub(super) fn set_rings(&self, tx: u32, rx: u32) {
        self.tx_ring.write(tx);
        self.rx_ring.write(rx);
    }
}

/// Which list a port is in, and as which number: for whoever reaches it from the other end of its wire. Changed under
/// RTNL.
pub(crate) struct Home(Pin<KBox<Mutex<Option<Place>>>>);

type Place = (Arc<Namespaced<Ports>>, i32);

impl Home {
    /// Nowhere.
    pub(crate) fn new() -> Result<Self> {
        Ok(Home(KBox::pin_init(new_mutex!(None), GFP_KERNEL_ACCOUNT)?))
    }

    fn set(&self, place: Option<(&Net, i32)>) {
        let place = place.and_then(|(net, ifindex)| Some((PORTS.get(net)?, ifindex)));
        let before = core::mem::replace(&mut *self.0.lock(), place);
        drop(before);
    }

    /// Locks the list, and lets `f` work on it.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Ports, &Net, i32) -> R) -> Option<R> {
        let (ports, ifindex) = self.0.lock().clone()?;
        ports.with(|ports, net| f(ports, net, ifindex))
    }

    /// The port itself.
    pub(super) fn port<'a>(&self, rtnl: &'a Rtnl) -> Option<&'a Device<Port>> {
        self.with(|_, net, ifindex| link::PORTS.device(net, ifindex, rtnl))?
    }
}

/// The list of the namespace that `dev` is in, locked.
pub(super) fn with<R>(dev: &Device<Port>, f: impl FnOnce(&mut Ports, &Net) -> R) -> Option<R> {
    dev.with_net(|net| PORTS.get(net))?.with(f)
}

/// The list of namespace `net`.
pub(super) fn of(net: &Net) -> Result<Arc<Namespaced<Ports>>> {
    PORTS.get(net).ok_or(ENODEV)
}

impl View {
    fn new(net: &Net, dev: &Device<Port>, rtnl: &Rtnl) -> Self {
        let mut name = [0u8; 16];
        for (to, from) in name.iter_mut().zip(dev.name().to_bytes_with_nul()) {
            *to = *from;
        }
        let mut view = View {
            name,
            up: false,
            carrier: false,
            mtu: 0,
            datapath: Datapath::Nic,
            channels: 0,
            tx_ring: 0,
            rx_ring: 0,
            pause_limit: None,
            peer: dev.peer(rtnl).and_then(|peer| {
                let other = peer.net(rtnl);
                let netnsid = if net.is(other) {
                    None
                } else {
                    Some(net.id_of(other)?)
                };
                Some(Peer {
                    ifindex: peer.ifindex(),
                    netnsid,
                })
            }),
        };
        view.up = dev.is_running();
        view.carrier = dev.has_carrier();
        view.mtu = dev.mtu();
        view.set(dev);
        view
    }

    /// What the driver itself changes.
    fn set(&mut self, dev: &Device<Port>) {
        let data = dev.data();
        self.datapath = datapath(&data.wire);
        self.channels = dev.real_num_tx_queues();
        self.tx_ring = data.seat.tx_ring.read();
        self.rx_ring = data.seat.rx_ring.read();
        self.pause_limit = pause_limit(&data.wire, data.side);
    }
}

/// For how long the port at that end may be paused, if it can be.
fn pause_limit(wire: &Wire, side: Side) -> Option<u32> {
    match wire.datapath() {
        wire::Datapath::Nic => Some(wire.end(side).pause_limit_ms.read()),
        wire::Datapath::Handoff => None,
    }
}

/// How the specification calls a side.
pub(super) fn end(side: Side) -> End {
    match side {
        Side::A => End::A,
        Side::B => End::B,
    }
}

/// How the specification calls a datapath.
fn datapath(wire: &Wire) -> Datapath {
    match wire.datapath() {
        wire::Datapath::Nic => Datapath::Nic,
        wire::Datapath::Handoff => Datapath::Handoff,
    }
}

impl Entry {
    /// Whether it is that of the device with this data: not one that came to the same number.
    fn is_of(&self, data: &PortData) -> bool {
        self.side == data.side && Arc::ptr_eq(&self.wire, &data.wire)
    }

    /// The name, or nothing.
    pub(super) fn name(&self) -> Option<&CStr> {
        CStr::from_bytes_until_nul(&self.view.name).ok()
    }

    /// Whether its other end can make it wait.
    pub(super) fn can_pause(&self) -> bool {
        self.view.pause_limit.is_some()
    }

    /// Whether the port is up.
    pub(super) fn is_up(&self) -> bool {
        self.view.up
    }

    /// What is told of it.
    pub(super) fn reply(&self, ifindex: i32, generation: u64) -> PortGetReply<'_> {
        let view = &self.view;
        PortGetReply {
            ifindex: Some(ifindex as u32),
            generation: Some(generation),
            name: self.name(),
            wire: Some(self.wire.id),
            end: Some(end(self.side)),
            datapath: Some(view.datapath),
            peer_ifindex: view.peer.map(|p| p.ifindex as u32),
            peer_netnsid: view.peer.and_then(|p| p.netnsid),
            up: view.up,
            carrier: view.carrier,
            mtu: Some(view.mtu),
            channels: Some(view.channels),
            channels_max: Some(self.poll.len() as u32),
            tx_ring: Some(view.tx_ring),
            rx_ring: Some(view.rx_ring),
            pause_limit: view.pause_limit,
        }
    }
}

impl Ports {
    /// A new generation begins: says what has changed.
    fn notify(&mut self, net: &Net, command: u8, ifindex: i32) {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        if let Some(entry) = self.tree.get(&ifindex) {
            FAMILY.notify(net, group::MGMT, command, |w| {
                entry.reply(ifindex, generation).put(w)
            });
        }
    }

    /// The port is in this namespace from now on. Nothing happens if it has been.
    pub(super) fn insert(&mut self, net: &Net, dev: &Device<Port>, rtnl: &Rtnl) {
        let (data, ifindex) = (dev.data(), dev.ifindex());
        let Some(stash) = data.seat.stash.lock().take() else {
            return;
        };
        let entry = Entry {
            view: View::new(net, dev, rtnl),
            wire: data.wire.clone(),
            side: data.side,
            poll: data.poll.clone(),
            dropped: data.dropped.clone(),
            base: stash.base,
            sampling: Sampling::default(),
        };
        data.end().home.set(Some((net, ifindex)));
        // The core gives a number once; what is replaced cannot be.
        drop(self.tree.insert(stash.node.into_node(ifindex, entry)));
        self.notify(net, notification::PORT_ADD_NTF, ifindex);
    }

    /// The port leaves this namespace. Nothing happens if it is not there.
    pub(super) fn remove(&mut self, net: &Net, dev: &Device<Port>) {
        let (data, ifindex) = (dev.data(), dev.ifindex());
        if !self.tree.get(&ifindex).is_some_and(|e| e.is_of(data)) {
            return;
        }
        self.notify(net, notification::PORT_DEL_NTF, ifindex);
        data.end().home.set(None);
        let entry = self.tree.get_mut(&ifindex);
        let base = entry.and_then(|entry| {
            entry.end_sampling();
            entry.base.take()
        });
        if let Some(node) = self.tree.remove_node(&ifindex) {
            let node = node.into_reservation();
            *data.seat.stash.lock() = Some(Stash { node, base });
        }
    }

    /// Whatever the core knows of the port may have changed.
    pub(super) fn refresh(&mut self, net: &Net, dev: &Device<Port>, rtnl: &Rtnl) {
        self.change(net, dev.ifindex(), |entry| {
            if entry.is_of(dev.data()) {
                entry.view = View::new(net, dev, rtnl);
            }
        });
    }

    /// What the driver sets of the port may have changed.
    pub(super) fn settings(&mut self, net: &Net, dev: &Device<Port>) {
        self.change(net, dev.ifindex(), |entry| {
            if entry.is_of(dev.data()) {
                entry.view.set(dev);
            }
        });
    }

    /// Sets for how long a port may be paused, in milliseconds.
    pub(super) fn set_pause_limit(&mut self, net: &Net, ifindex: i32, limit: u32) {
        self.change(net, ifindex, |entry| {
            let end = entry.wire.end(entry.side);
            end.pause_limit_ms.write(limit);
            entry.view.pause_limit = pause_limit(&entry.wire, entry.side);
        });
    }

    /// Lets `f` change an entry, and notifies if it did.
    fn change(&mut self, net: &Net, ifindex: i32, f: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.tree.get_mut(&ifindex) else {
            return;
        };
        let before = entry.view.clone();
        f(entry);
        if entry.view != before {
            self.notify(net, notification::PORT_CHANGE_NTF, ifindex);
        }
    }

    /// The first port whose number is `from` or greater.
    pub(super) fn next(&mut self, from: i32) -> Option<(i32, &Entry)> {
        let cursor = self.tree.cursor_lower_bound_mut(&from)?;
        let ifindex = *cursor.current().0;
        Some((ifindex, self.tree.get(&ifindex)?))
    }
}
