// SPDX-License-Identifier: GPL-2.0

//! What a port takes from the wire: the snapshot that the other end's engine reads.

use kernel::prelude::*;
use netdev::device::MacAddress;
use pure::filter::{self, Verdict};

/// Secondary unicast addresses the device filters; with more it takes everything, as NICs do.
const UNICAST_MAX: usize = 32;

/// Multicast addresses the device filters; with more it takes all multicast.
const MULTICAST_MAX: usize = 512;

const fn slots(addresses: usize) -> usize {
    match filter::slots_for(addresses) {
        Some(n) => n,
        None => 0,
    }
}

/// A snapshot of the receive filter.
pub(crate) struct Filter {
    /// Take every frame.
    pub(crate) promiscuous: bool,
    /// Take every multicast frame.
    pub(crate) all_multicast: bool,
    /// Largest packet, in bytes behind the Ethernet header and VLAN tags.
    pub(crate) mtu: u32,
    pub(crate) address: MacAddress,
    unicast: [MacAddress; slots(UNICAST_MAX)],
    multicast: [MacAddress; slots(MULTICAST_MAX)],
}

impl Filter {
    /// That of a port which is down: takes nothing but broadcasts, and those meet closed inlets.
    pub(crate) fn closed() -> impl Init<Self> {
        init!(Filter {
            promiscuous: false,
            all_multicast: false,
            mtu: 0,
            address: [0; 6],
            unicast <- pin_init::init_array_from_fn(|_| [0u8; 6]),
            multicast <- pin_init::init_array_from_fn(|_| [0u8; 6]),
        })
    }

    /// Makes it a copy of another.
    pub(crate) fn copy_from(&mut self, other: &Filter) {
        self.promiscuous = other.promiscuous;
        self.all_multicast = other.all_multicast;
        self.mtu = other.mtu;
        self.address = other.address;
        self.unicast.copy_from_slice(&other.unicast);
        self.multicast.copy_from_slice(&other.multicast);
    }

    /// Sets the address lists of an empty filter. What does not fit widens it.
    pub(crate) fn set_lists(
        &mut self,
        unicast: impl Iterator<Item = MacAddress>,
        multicast: impl Iterator<Item = MacAddress>,
    ) {
        if !fill(&mut self.unicast, UNICAST_MAX, unicast) {
            self.promiscuous = true;
        }
        if !fill(&mut self.multicast, MULTICAST_MAX, multicast) {
            self.all_multicast = true;
        }
    }

    /// Whether a frame to that address is taken.
    #[inline]
    pub(crate) fn takes(&self, to: &MacAddress) -> bool {
        let filter = filter::Filter {
            own: &self.address,
            unicast: &self.unicast,
            multicast: &self.multicast,
            all_multicast: self.all_multicast,
            promiscuous: self.promiscuous,
        };
        filter.decide(to) == Verdict::Accept
    }
}

/// Fills a set; returns whether all had a place.
fn fill(set: &mut [MacAddress], max: usize, from: impl Iterator<Item = MacAddress>) -> bool {
    let mut n = 0usize;
    for address in from {
        if n >= max || !filter::insert(set, &address) {
            return false;
        }
        n = n.wrapping_add(1);
    }
    true
}
