// SPDX-License-Identifier: GPL-2.0

//! The carrier of a port: there while both ends of the wire are up.

use crate::port::Port;
use netdev::device::Device;
use netdev::log::may_print;
use netdev::rtnl::Rtnl;

/// `NETIF_MSG_LINK`: tell of carriers that come and go.
const MESSAGE_LINK: u32 = 1 << 2;

/// Gives the carrier to both ends.
pub(crate) fn up(device: &Device<Port>, peer: &Device<Port>, _rtnl: &Rtnl) {
    for dev in [peer, device] {
        if !dev.has_carrier() {
            dev.carrier_on();
            tell(dev, "up");
        }
    }
}

/// Takes the carrier from both ends, and counts it where there was one.
pub(crate) fn down(device: &Device<Port>, rtnl: &Rtnl) {
    for dev in [Some(device), device.peer(rtnl)].into_iter().flatten() {
        if dev.has_carrier() {
            // RTNL makes this the only writer.
            dev.data().link_downs.inc();
            dev.carrier_off();
            tell(dev, "down");
        }
    }
}

fn tell(dev: &Device<Port>, what: &str) {
    // Root of a user namespace can have it switched on, and lose its link without end.
    if dev.data().messages.read() & MESSAGE_LINK != 0 && may_print() {
        kernel::pr_info!("{}: link is {what}\n", dev.name());
    }
}
