// SPDX-License-Identifier: GPL-2.0

//! What a port takes from the wire: the snapshot that the other end's engine reads.

use kernel::prelude::*;
use netdev::device::MacAddress;

/// Secondary unicast addresses the device filters; with more it takes everything (as NICs do).
pub(crate) const UNICAST_MAX: usize = 32;

/// Multicast addresses the device filters; with more it takes all multicast.
pub(crate) const MULTICAST_MAX: usize = 128;

/// A snapshot of the receive filter.
pub(crate) struct Filter {
    /// Take every frame.
    pub(crate) promiscuous: bool,
    /// Take every multicast frame.
    pub(crate) all_multicast: bool,
    /// Largest packet, in bytes behind the Ethernet header and VLAN tags.
    pub(crate) mtu: u32,
    pub(crate) address: MacAddress,
    unicast_len: usize,
    unicast: [MacAddress; UNICAST_MAX],
    multicast_len: usize,
    multicast: [MacAddress; MULTICAST_MAX],
}

impl Filter {
    /// That of a port which is down: takes nothing but what is addressed to nobody.
    pub(crate) fn closed() -> impl Init<Self> {
        init!(Filter {
            promiscuous: false,
            all_multicast: false,
            mtu: 0,
            address: [0; 6],
            unicast_len: 0,
            unicast: [[0; 6]; UNICAST_MAX],
            multicast_len: 0,
            multicast: [[0; 6]; MULTICAST_MAX],
        })
    }

    /// Makes it a copy of another.
    pub(crate) fn copy_from(&mut self, other: &Filter) {
        self.promiscuous = other.promiscuous;
        self.all_multicast = other.all_multicast;
        self.mtu = other.mtu;
        self.address = other.address;
        self.unicast_len = other.unicast_len;
        self.unicast = other.unicast;
        self.multicast_len = other.multicast_len;
        self.multicast = other.multicast;
    }

    /// Sets the address lists. What does not fit widens the filter.
    pub(crate) fn set_lists(
        &mut self,
        unicast: impl Iterator<Item = MacAddress>,
        multicast: impl Iterator<Item = MacAddress>,
    ) {
        self.unicast_len = match fill(&mut self.unicast, unicast) {
            Some(n) => n,
            None => {
                self.promiscuous = true;
                0
            }
        };
        self.multicast_len = match fill(&mut self.multicast, multicast) {
            Some(n) => n,
            None => {
                self.all_multicast = true;
                0
            }
        };
    }

    /// Whether a frame to that address is taken.
    #[inline]
    pub(crate) fn takes(&self, to: &MacAddress) -> bool {
        if *to == self.address || self.promiscuous {
            return true;
        }
        let list = if to[0] & 1 == 0 {
            self.unicast.get(..self.unicast_len)
        } else {
            if self.all_multicast || *to == [0xff; 6] {
                return true;
            }
            self.multicast.get(..self.multicast_len)
        };
        list.is_some_and(|l| l.contains(to))
    }
}

fn fill(to: &mut [MacAddress], from: impl Iterator<Item = MacAddress>) -> Option<usize> {
    let mut n = 0usize;
    for address in from {
        *to.get_mut(n)? = address;
        n = n.wrapping_add(1);
    }
    Some(n)
}
