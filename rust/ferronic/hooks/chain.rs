// SPDX-License-Identifier: GPL-2.0

//! A chain: rules at a hook.

use super::event::Events;
use super::ruleset::Ruleset;
use super::waiting::Waiting;
use super::walk;
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::context::Bh;
use netdev::interface::Interface;
use netdev::netfilter::{Direction, Hook, Inet, Packet, Protocol, Registration, Verdict};
use netdev::rtnl::{Net, Rtnl};
use netdev::sync::{AtomicWord, RcuArc};
use netdev::timer::Timer;
use pure::rules::check::{self, Family, Point};

/// What users call a chain: up to 31 bytes and a zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name([u8; 32]);

impl Name {
    /// Cuts off what is too long, which the policy of the attribute has refused.
    pub(crate) fn new(name: &CStr) -> Name {
        let mut bytes: [u8; 32] = [0; 32];
        // The last byte stays zero.
        let room = bytes.first_chunk_mut::<31>();
        for (to, from) in room.into_iter().flatten().zip(name.to_bytes_with_nul()) {
            *to = *from;
        }
        Name(bytes)
    }

    pub(crate) fn as_cstr(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.first() == Some(&0)
    }
}

/// What becomes of packets that no rule decides on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Policy {
    Accept,
    Drop,
}

/// Where a chain is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Site {
    /// At a point of IP's way.
    Inet(Protocol, Inet),
    /// At a device.
    Device(Direction, u32),
    /// At all devices that there are, and at those that come.
    Devices(Direction),
}

impl Site {
    /// Whether attaching a chain there takes RTNL.
    pub(crate) fn needs_rtnl(&self) -> bool {
        !matches!(self, Site::Inet(..))
    }

    /// As the checks of rules know it.
    pub(crate) fn point(&self) -> Point {
        match *self {
            Site::Inet(protocol, inet) => Point {
                hook: match inet {
                    Inet::PreRouting => check::Hook::Prerouting,
                    Inet::LocalIn => check::Hook::Input,
                    Inet::Forward => check::Hook::Forward,
                    Inet::LocalOut => check::Hook::Output,
                    Inet::PostRouting => check::Hook::Postrouting,
                },
                family: match protocol {
                    Protocol::Ipv4 => Family::Ipv4,
                    Protocol::Ipv6 => Family::Ipv6,
                    Protocol::Both => Family::Inet,
                },
            },
            Site::Device(direction, _) | Site::Devices(direction) => Point {
                hook: match direction {
                    Direction::Ingress => check::Hook::Ingress,
                    Direction::Egress => check::Hook::Egress,
                },
                family: Family::Netdev,
            },
        }
    }
}

/// A chain as its author wrote it.
#[derive(Clone, Copy)]
pub(crate) struct NewChain {
    pub(crate) name: Name,
    pub(crate) site: Site,
    pub(crate) priority: i32,
    pub(crate) policy: Policy,
}

/// A chain as its packets see it.
pub(super) struct Chain {
    /// Replaced with the table's mutex held.
    pub(super) rules: RcuArc<Ruleset>,
    /// The packets it holds.
    pub(super) waiting: Pin<KBox<Timer<Waiting>>>,
    /// Super frames that a rule wanted a segment of, and that could not be cut.
    pub(super) uncut: AtomicWord,
    /// What its events say of it.
    pub(super) name: Name,
    pub(super) events: Events,
}

/// What netfilter calls.
pub(super) struct Attached;

impl Hook for Attached {
    type Data = Arc<Chain>;

    #[inline]
    fn packet<'p>(chain: &Arc<Chain>, packet: Packet<'p>, bh: &Bh<'_>) -> Verdict<'p> {
        walk::walk(chain, packet, bh)
    }
}

/// A chain's places at netfilter's hooks: one, or one at each device. Dropping it detaches the chain, and waits once.
#[derive(Default)]
pub(super) struct Places(KVec<Registration<Attached>>);

impl Places {
    /// Attaches a chain. RTNL for a chain at devices.
    pub(super) fn attach(
        chain: &Arc<Chain>,
        site: &Site,
        priority: i32,
        net: &Net,
        rtnl: Option<&Rtnl>,
    ) -> Result<Places> {
        let mut places = Places::default();
        match *site {
            Site::Inet(protocol, point) => {
                let at = Registration::new(net, protocol, point, priority, chain.clone())?;
                places.0.push(at, GFP_KERNEL_ACCOUNT)?;
            }
            Site::Device(direction, ifindex) => {
                let rtnl = rtnl.ok_or(EINVAL)?;
                let dev = Interface::by_index(net, ifindex, rtnl).ok_or(ENODEV)?;
                places.add(chain, direction, priority, dev, rtnl)?;
            }
            Site::Devices(direction) => {
                let rtnl = rtnl.ok_or(EINVAL)?;
                for dev in Interface::all(net, rtnl) {
                    places.add(chain, direction, priority, dev, rtnl)?;
                }
            }
        }
        Ok(places)
    }

    /// Attaches the chain to one more device.
    pub(super) fn add(
        &mut self,
        chain: &Arc<Chain>,
        direction: Direction,
        priority: i32,
        dev: &Interface,
        rtnl: &Rtnl,
    ) -> Result {
        self.0.reserve(1, GFP_KERNEL_ACCOUNT)?;
        let at = Registration::on_device(dev, direction, priority, chain.clone(), rtnl)?;
        Ok(self.0.push(at, GFP_KERNEL_ACCOUNT)?)
    }

    /// Detaches chains, and waits once.
    pub(super) fn detach<'a>(all: impl Iterator<Item = &'a mut Places>) {
        Registration::detach_all(all.flat_map(|places| places.0.iter_mut()));
    }

    /// Detaches chains from a device, those of them that are at it, and waits once.
    pub(super) fn detach_from<'a>(all: impl Iterator<Item = &'a mut Places>, ifindex: u32) {
        let at_it = |place: &&mut Registration<Attached>| place.ifindex() == Some(ifindex);
        Registration::detach_all(all.flat_map(|places| places.0.iter_mut()).filter(at_it));
    }

    /// Forgets a device that the chain was detached from.
    pub(super) fn forget(&mut self, ifindex: u32) {
        let at_it = |place: &Registration<Attached>| place.ifindex() == Some(ifindex);
        if let Some(at) = self.0.iter().position(at_it) {
            drop(self.0.remove(at));
        }
    }

    /// At how many devices it is.
    pub(super) fn devices(&self) -> u32 {
        let devices = self.0.iter().filter(|place| place.ifindex().is_some());
        devices.fold(0, |n, _| n.wrapping_add(1))
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        Registration::detach_all(&mut self.0);
    }
}
