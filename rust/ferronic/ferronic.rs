// SPDX-License-Identifier: GPL-2.0

//! ferronic: a virtual Ethernet NIC that behaves like real multiqueue hardware.
//!
//! Two ports joined by a wire. A packet's way, with the file it passes:
//!
//! ```text
//!  the sending port                                   the receiving port
//!
//!  ndo_start_xmit            port.rs
//!    | post
//!  TX ring
//!    | doorbell (last of a burst)
//!  engine                    engine.rs
//!    filter, steer, wait,    steer.rs, filter.rs
//!    copy, checksum          copy.rs
//!    '------------------------------- wire.rs -------> RX ring (posted buffers)
//!    |                                                   | raise (moderated)     vector.rs
//!  own vector: completions   channel.rs                NAPI poll                 channel.rs
//!    free, BQL, wake                                     take, build, GRO        receive.rs
//!                                                        post buffers, serve waiters
//! ```
//!
//! The engine is a function, not a NAPI: deferring or threading a NAPI delays completions and reception, as on
//! hardware, never transmission.
//!
//! # Locking
//!
//! RTNL > own instance lock > transmit queue lock > outlet > inlet > scheduling a NAPI. Never two of a kind, and never
//! the other port's instance lock. The locks of samples (latency.rs) come last. Outlet and inlet locks are taken with
//! softirqs off and never in a hard interrupt; neither is held while a packet is freed or given to the stack.

#![forbid(unsafe_code)]

mod adaptive;
mod aggregate;
mod carrier;
mod channel;
mod copy;
mod engine;
mod ethtool;
mod filter;
mod handoff;
mod hooks;
mod latency;
mod limits;
mod link;
mod netlink;
mod port;
mod receive;
mod reconfigure;
mod rules;
mod stats;
mod steer;
mod updown;
mod vector;
mod waiters;
mod wire;

use kernel::prelude::*;
use netdev::page_pool::Retirement;
use netdev::rtnl::Registration;

module! {
    type: Ferronic,
    name: "ferronic",
    authors: ["The ferronic authors"],
    description: "Virtual Ethernet NIC that behaves like multiqueue hardware",
    license: "GPL",
    alias: ["rtnl-link-ferronic", "net-pf-16-proto-16-family-ferronic"],
    params: {
        user_ports: u32 {
            default: 128,
            description: "Ports that a user namespace may have",
        },
        user_ring_mib: u32 {
            default: 128,
            description: "MiB that a user namespace may have posted in rings",
        },
    },
}

/// The module. Unloading drops the registration, which deletes all ports.
struct Ferronic {
    // First: the ports go, and the control family tells of it.
    _link: Registration<link::Ferronic>,
    _control: netlink::Control,
    // Behind the ports.
    _retirement: Retirement,
    // Last: commands speak of the chains.
    _hooks: hooks::Hooks,
}

impl kernel::Module for Ferronic {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let hooks = hooks::Hooks::new()?;
        let control = netlink::Control::new(module)?;
        let retirement = Retirement::new()?;
        Ok(Ferronic {
            _link: Registration::new()?,
            _control: control,
            _retirement: retirement,
            _hooks: hooks,
        })
    }
}
