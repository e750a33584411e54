// SPDX-License-Identifier: GPL-2.0

//! Control over generic netlink: what `ip` and `ethtool` cannot say.
//!
//! The family is specified in Documentation/netlink/specs/ferronic.yaml; [`generated`] is made from that. Documentation
//! for users is Documentation/control.md.
//!
//! # What is told, and when
//!
//! Each namespace has a list of its ports ([`Ports`]), behind a mutex. An entry is a picture of a port: what `port-get`
//! says. It is changed where an event of the core's, an operation of the driver's, or a command of this family comes
//! by, after the change has happened; with the mutex held until the generation is raised and the notification is sent.
//! So pictures, generations and notifications are in one order, and a reader that holds the mutex sees the ports as
//! they were at one generation.
//!
//! # Lifetimes
//!
//! An entry points to no device. It owns counted references to the wire and to counters, whose life does not depend on
//! a device's, and lives from when both ports of a pair are registered to `NETDEV_UNREGISTER`, which the core sends
//! before it waits for references. So a request in progress never holds up a device, and never sees one that is gone.
//!
//! Nothing here is done under RTNL but what the core's events bring it with, and what changes a wire; other requests
//! take the list's mutex, and under it the locks of outlets and inlets.
//!
//! Locking: RTNL > own instance lock > ports of the namespace > outlet, inlet. Never the ports of two namespaces. The
//! transactions of a namespace ([`transaction`]) are locked while something is added, before its ports.

mod chain;
pub(crate) mod change;
mod channel;
mod generated;
mod latency;
pub(crate) mod packet;
mod port;
mod ports;
mod rule;
mod stage;
mod transaction;
mod wire;

pub(crate) use ports::{Home, Seat};

use crate::port::Port;
use generated::Ferronic;
use kernel::prelude::*;
use netdev::device::{Device, Locked};
use netdev::genetlink;
use netdev::namespace;
use netdev::notifier::Event;
use netdev::rtnl::Rtnl;
use ports::{Ports, PORTS};
use transaction::{Transactions, TRANSACTIONS};

static FAMILY: genetlink::Slot<Ferronic> = genetlink::Slot::new();

/// The family, registered.
pub(crate) struct Control {
    // First: the commands use the lists.
    _family: genetlink::Registration<Ferronic>,
    // Before the list it works on.
    _senders: genetlink::Watcher<Transactions>,
    _transactions: namespace::Registration<Transactions>,
    _ports: namespace::Registration<Ports>,
}

impl Control {
    /// Registers it. Before the first port.
    pub(crate) fn new(module: &'static ThisModule) -> Result<Self> {
        let ports = PORTS.register()?;
        let transactions = TRANSACTIONS.register()?;
        let senders = genetlink::Watcher::new()?;
        Ok(Control {
            _family: FAMILY.register(module)?,
            _senders: senders,
            _transactions: transactions,
            _ports: ports,
        })
    }
}

/// A port is there, with its peer.
pub(crate) fn announce(dev: &Device<Port>, rtnl: &Rtnl) {
    ports::with(dev, |ports, net| ports.insert(net, dev, rtnl));
}

/// The core tells something of a port.
pub(crate) fn event(event: Event, dev: &Device<Port>, rtnl: &Rtnl) {
    let peer = dev.peer(rtnl);
    match event {
        // A new port has no peer at first, and is announced when it has. Another one has moved: its peer sees it
        // elsewhere.
        Event::Register => {
            if let Some(peer) = peer {
                announce(dev, rtnl);
                refresh(peer, rtnl);
            }
        }
        Event::Unregister => {
            ports::with(dev, |ports, net| ports.remove(net, dev));
        }
        // The carrier of both depends on both. The core tells of carriers too, but later.
        Event::Up | Event::Down => {
            refresh(dev, rtnl);
            if let Some(peer) = peer {
                refresh(peer, rtnl);
            }
        }
        Event::Change | Event::ChangeMtu | Event::ChangeName => refresh(dev, rtnl),
        // Not among the attributes of a port.
        Event::ChangeAddress | Event::ChangeFeatures => (),
    }
}

fn refresh(dev: &Device<Port>, rtnl: &Rtnl) {
    ports::with(dev, |ports, net| ports.refresh(net, dev, rtnl));
}

/// The driver has changed how many channels a port has, or the sizes of its rings.
pub(crate) fn changed(dev: &mut Locked<'_, Port>) {
    let (device, state) = dev.parts();
    device.data().seat.set_rings(state.tx_ring, state.rx_ring);
    ports::with(device, |ports, net| ports.settings(net, device));
}
