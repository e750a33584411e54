// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions for kernel networking.
//!
//! What a network driver needs from the kernel, so that the driver itself needs no `unsafe`: one file
//! per concept of the C side. Nothing here knows of any particular driver.
//!
//! | module | kernel concept |
//! |---|---|
//! | [`device`] | `struct net_device`, its operations, private data, life cycle |
//! | [`quota`] | limits on what a user namespace may take |
//! | [`rtnl`] | RTNL as evidence, `struct rtnl_link_ops` |
//! | [`interface`] | `struct net_device` of any driver |
//! | [`netfilter`] | `struct nf_hook_ops`: hooks on packets' way through the stack |
//! | [`skb`] | `struct sk_buff`, owned by exactly one place |
//! | [`txq`] | `struct netdev_queue`: the lock, byte queue limits, stop and wake |
//! | [`napi`] | `struct napi_struct`, poll, GRO |
//! | [`page_pool`] | `struct page_pool`, receive buffers |
//! | [`ring`] | a descriptor ring whose three sides are three values |
//! | [`dim`] | `struct dim`: moderation that adapts |
//! | [`ethtool`], [`queue_stats`] | `struct ethtool_ops`, `struct netdev_stat_ops` |
//! | [`genetlink`], [`netlink`] | `struct genl_family`: commands, dumps, notifications; attributes |
//! | [`namespace`] | data of each network namespace, `struct pernet_operations` |
//! | [`notifier`] | events of devices, `struct notifier_block` |
//! | [`timer`] | `struct hrtimer` with a handler in a softirq |
//! | [`sync`], [`context`] | locks, RCU-owned pointers, contexts as evidence |
//!
//! # Rules that the types carry
//!
//! - An [`skb::SkBuff`] is owned. Sending, delivering or dropping it takes it by value, so nothing can
//!   touch it afterwards, and whatever forgets it frees it.
//! - Contexts are values. [`context::Bh`] shows that softirqs are off, [`rtnl::Rtnl`] that RTNL is held,
//!   [`device::Locked`] that a device's instance lock is, [`txq::TxQueue`] that a transmit queue's is,
//!   [`napi::Poll`] that a NAPI instance is being polled. A function that needs a context takes the value,
//!   and no value outlives the context.
//! - What a C callback may reach concurrently is shared (`&T`, `T: Sync`); what one context owns is `&mut`.

#![cfg_attr(CONFIG_RUSTC_HAS_SLICE_AS_FLATTENED, allow(unused_features))]

#[allow(dead_code)]
const __LOG_PREFIX: &[u8] = b"ferronic\0";

#[macro_use]
mod optional;

pub mod clock;
pub mod context;
pub mod counter;
pub mod device;
pub mod dim;
pub mod errno;
pub mod ethtool;
pub mod features;
pub mod genetlink;
pub mod interface;
#[cfg(CONFIG_KUNIT = "y")]
mod kunit;
pub mod namespace;
pub mod napi;
pub mod netfilter;
pub mod netlink;
pub mod notifier;
pub mod page_pool;
pub mod queue_stats;
pub mod quota;
pub mod random;
pub mod ring;
pub mod rtnl;
pub mod skb;
pub mod sync;
pub mod timer;

pub mod txq;
