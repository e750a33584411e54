// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)
//!
//! A type that implements [`Hook`] is called for every packet that comes to a point of the stack; a [`Registration`]
//! attaches it, with data of its own, in one namespace, for as long as it lives. What is called owns the packet, and
//! gives it back with a [`Verdict`].
//!
//! # Examples
//!
//! Counts the IPv4 packets that are for this machine, and refuses every hundredth:
//!
//! ```ignore
//! struct Hundredth;
//!
//! impl Hook for Hundredth {
//!     type Data = AtomicWord;
//!
//!     fn packet<'p>(seen: &AtomicWord, packet: Packet<'p>, _: &Bh<'_>) -> Verdict<'p> {
//!         match seen.fetch_add(1) % 100 {
//!             99 => Verdict::Drop(packet, Reason::NETFILTER),
//!             _ => Verdict::Accept(packet),
//!         }
//!     }
//! }
//!
//! let hook = Registration::<Hundredth>::new(net, Protocol::Ipv4, Inet::LocalIn, priority::FILTER, AtomicWord::new(0))?;
//! ```
//!
//! # Contexts
//!
//! A hook runs under RCU and with softirqs off, as the [`Bh`] shows: where the core calls it from process context with
//! softirqs on (locally made packets, at [`Inet::LocalOut`] and [`Inet::PostRouting`]) they are turned off around the
//! call. So it must not sleep, and what it keeps for each CPU has one writer at a time.
//!
//! # Lifetimes
//!
//! A hook's data is freed after it was unregistered and a grace period has passed: no packet is in it any more. A
//! [`Service`] sees to it that no hook stays behind where its namespace, or the device it is on, goes: it unregisters
//! them, and their [`Registration`]s are empty from then on. A registration needs a service to be there.
//!
//! # What is not supported
//!
//! The hooks of bridges and of ARP. `NF_REPEAT`, which the core does not know: [`Verdict::Repeat`] is done here.

mod held;
mod packet;
mod registration;
mod service;

pub use held::{is_copy, is_nested, may_resume, Held, Segments};
pub use packet::{Bytes, Packet};
pub use registration::Registration;
pub use service::Service;

use crate::context::Bh;
use crate::skb::Reason;
use netdev_sys as bindings;

/// How often a packet may be put before the same hook again; one more time, and it is dropped.
pub const REPEATS_MAX: u32 = 8;

/// The points that an IP packet passes (`enum nf_inet_hooks`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Inet {
    /// It has been received.
    PreRouting = bindings::nf_inet_hooks_NF_INET_PRE_ROUTING,
    /// It is for this machine.
    LocalIn = bindings::nf_inet_hooks_NF_INET_LOCAL_IN,
    /// It is for another one.
    Forward = bindings::nf_inet_hooks_NF_INET_FORWARD,
    /// It was made here.
    LocalOut = bindings::nf_inet_hooks_NF_INET_LOCAL_OUT,
    /// It is about to leave.
    PostRouting = bindings::nf_inet_hooks_NF_INET_POST_ROUTING,
}

/// Which IP packets (`NFPROTO_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Protocol {
    /// Those of IPv4.
    Ipv4 = bindings::NFPROTO_IPV4 as u8,
    /// Those of IPv6.
    Ipv6 = bindings::NFPROTO_IPV6 as u8,
    /// Both.
    Both = bindings::NFPROTO_INET as u8,
}

/// The points that a packet of any kind passes at a device (`enum nf_dev_hooks`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Direction {
    /// The device has received it.
    Ingress = bindings::nf_dev_hooks_NF_NETDEV_INGRESS,
    /// It goes to the device's queues.
    Egress = bindings::nf_dev_hooks_NF_NETDEV_EGRESS,
}

/// Standard priorities (`enum nf_ip_hook_priorities`): hooks of one point are called from the lowest to the highest.
pub mod priority {
    /// Before defragmentation.
    pub const RAW_BEFORE_DEFRAG: i32 = -450;
    /// Fragments are put together, where connections are tracked.
    pub const DEFRAG: i32 = -400;
    /// Before connection tracking.
    pub const RAW: i32 = -300;
    /// Connections are tracked.
    pub const CONNTRACK: i32 = -200;
    /// Packets are altered.
    pub const MANGLE: i32 = -150;
    /// Destinations are translated.
    pub const DSTNAT: i32 = -100;
    /// Packets are filtered.
    pub const FILTER: i32 = 0;
    /// Mandatory access control.
    pub const SECURITY: i32 = 50;
    /// Sources are translated.
    pub const SRCNAT: i32 = 100;
}

/// What is called for packets.
pub trait Hook: 'static {
    /// What belongs to one registration.
    type Data: Send + Sync + 'static;

    /// A packet has come. Softirqs are off, and it is an RCU read-side critical section.
    ///
    /// A packet that is not given back with the verdict is dropped.
    fn packet<'p>(data: &Self::Data, packet: Packet<'p>, bh: &Bh<'_>) -> Verdict<'p>;
}

/// What is to become of a packet.
pub enum Verdict<'p> {
    /// It goes on to the next hook.
    Accept(Packet<'p>),
    /// It is freed; who sent it, if that was here, is told so (`EPERM`).
    Drop(Packet<'p>, Reason),
    /// It goes to a program, which decides; see [`Packet::queue`].
    Queue(Queued<'p>),
    /// The same hook is to see it again, at most [`REPEATS_MAX`] times.
    Repeat(Packet<'p>),
    /// It belongs to somebody else now, or is gone.
    Stolen,
}

/// A packet that may be queued to a program; made by [`Packet::queue`].
pub struct Queued<'p> {
    packet: Packet<'p>,
    verdict: u32,
}
