// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions for kernel networking.
//!
//! What a network driver needs from the kernel, so that the driver itself needs no `unsafe`: one file
//! per concept of the C side. Nothing here knows of any particular driver. A driver of 130 lines, complete and
//! commented, is rust/samples/rust_dummy.rs.
//!
//! | module | kernel concept |
//! |---|---|
//! | [`device`] | `struct net_device`, its operations, private data, life cycle |
//! | [`quota`] | limits on what a user namespace may take |
//! | [`rtnl`] | RTNL as evidence, `struct rtnl_link_ops` |
//! | [`interface`] | `struct net_device` of any driver |
//! | [`features`] | `NETIF_F_*` |
//! | [`netfilter`] | `struct nf_hook_ops`: hooks on packets' way through the stack |
//! | [`skb`] | `struct sk_buff`, owned by exactly one place |
//! | [`txq`] | `struct netdev_queue`: the lock, byte queue limits, stop and wake |
//! | [`napi`] | `struct napi_struct`, poll, GRO |
//! | [`page_pool`] | `struct page_pool`, receive buffers |
//! | [`ring`] | a descriptor ring whose three sides are three values |
//! | [`batch`] | a few values on their way, without a cost for empty places |
//! | [`dim`] | `struct dim`: moderation that adapts |
//! | [`ethtool`], [`queue_stats`] | `struct ethtool_ops`, `struct netdev_stat_ops` |
//! | [`counter`] | statistics with one writer, `u64_stats_t` |
//! | [`genetlink`], [`netlink`] | `struct genl_family`: commands, dumps, notifications; attributes |
//! | [`namespace`] | data of each network namespace, `struct pernet_operations` |
//! | [`notifier`] | events of devices, `struct notifier_block` |
//! | [`timer`] | `struct hrtimer` with a handler in a softirq |
//! | [`memory`] | `ksize()`: what allocations take |
//! | [`sync`], [`context`] | locks, RCU-owned pointers, contexts as evidence |
//! | [`clock`], [`random`], [`errno`] | the time, random numbers, error numbers |
//!
//! # Writing a driver
//!
//! 1. Sort the data of a device by what protects it: [`Data`](device::Driver::Data) is shared by all callbacks and
//!    protects itself, [`State`](device::Driver::State) belongs to the device's instance lock, and there is a
//!    [`TxState`](device::Driver::TxState) for each transmit queue, under that queue's lock. No callback takes a lock
//!    that it was called with.
//! 2. Implement [`device::Driver`]: `setup`, `open`, `stop`, `start_xmit` and `get_stats`, and of the rest what the
//!    device can do. What is not implemented stays NULL in `struct net_device_ops`.
//! 3. Implement [`ethtool::Operations`] and [`queue_stats::Operations`]; both may be empty but for the driver's name.
//! 4. Implement [`rtnl::Link`], which makes devices: its `newlink` gets an allocated device, sets what is this one's
//!    own, and calls [`register`](device::Unregistered::register). After that callbacks may come at once.
//! 5. Let the module hold an [`rtnl::Registration`]. Dropping it deletes all devices and waits until they are gone.
//!
//! A device that receives has a [`napi::Owner`] for each vector, made in `open` and given back in `stop`
//! ([`napi::remove_all`]). Its [`napi::Handler`] owns what only the poll touches: the consumer's side of a
//! [`ring`], a [`page_pool::PagePool`]. A frame is a [`page_pool::Buffer`] that becomes an [`skb::RxSkb`]
//! ([`napi::Poll::build_skb`]) and goes to GRO ([`napi::Poll::gro_receive`]). What interrupts a vector calls
//! [`schedule`](napi::Instance::schedule).
//!
//! A device that transmits stops its queue before it is full ([`txq::TxQueue::maybe_stop`]), tells byte queue limits
//! what it has taken ([`sent`](txq::TxQueue::sent)) and completed ([`completed`](txq::Queue::completed)), and completes
//! in the poll ([`napi::TxPoll`]), also at budget 0.
//!
//! # Who calls what, and with what
//!
//! | callback | context | locks |
//! |---|---|---|
//! | [`Link::newlink`](rtnl::Link::newlink), [`dellink`](rtnl::Link::dellink) | process | RTNL |
//! | [`Driver::open`](device::Driver::open), [`stop`](device::Driver::stop), [`change_mtu`](device::Driver::change_mtu) | process | RTNL, instance lock |
//! | [`Driver::set_rx_mode`](device::Driver::set_rx_mode) | process (a work item) | instance lock |
//! | [`ethtool::Operations::set_channels`], [`set_ringparam`](ethtool::Operations::set_ringparam) | process | RTNL, instance lock |
//! | other operations of [`ethtool`], [`queue_stats`] | process | instance lock |
//! | [`Driver::start_xmit`](device::Driver::start_xmit) | softirqs off; with netpoll interrupts too | the transmit queue's |
//! | [`Driver::get_stats`](device::Driver::get_stats) | process | RTNL or RCU: may not sleep |
//! | [`napi::Handler::poll`] | softirq, or a thread with softirqs off | the instance, by its own state |
//! | [`napi::Handler::timer`] | hard interrupt | none |
//! | [`netfilter::Hook::packet`] | softirqs off, under RCU | none |
//! | [`genetlink::Do`], [`genetlink::Dump`] | process, in parallel | none |
//!
//! Locks are taken in this order: RTNL, instance lock, a driver's own that sleep, transmit queue, a driver's own that
//! spin ([`sync::SpinLock`]).
//!
//! # Errors
//!
//! A callback that may fail returns [`Result`](kernel::error::Result), and the core undoes what it had begun; the
//! driver leaves nothing half done. Why a request was refused is told through [`netlink::ExtAck`], in a sentence.
//! Callbacks that must not fail have no result.
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
//!
//! # What the types do not carry
//!
//! - A function that sleeps can be called where that is forbidden, as everywhere in Rust for Linux: the kernel's own
//!   checks (`might_sleep()`, lockdep) find it, and klint is to. It matters to memory where an RCU reader
//!   ([`context::Bh`]) sleeps and what it reads is freed meanwhile.
//! - What tells the core of the module's code ([`rtnl::Registration`], [`namespace::Registration`],
//!   [`genetlink::Registration`], [`netfilter::Registration`], [`notifier::Watcher`], [`timer::Timer`], [`dim::Dim`],
//!   [`napi::Instance`]) takes it back in its drop. One that is given to `mem::forget()` is called after the module is
//!   gone: so is any registration of the `kernel` crate.

#![cfg_attr(CONFIG_RUSTC_HAS_SLICE_AS_FLATTENED, allow(unused_features))]

#[cfg(not(CONFIG_SMP))]
compile_error!("without CONFIG_SMP a spin lock keeps nobody out who is on the same CPU");

#[allow(dead_code)]
const __LOG_PREFIX: &[u8] = b"ferronic\0";

#[macro_use]
mod optional;

pub mod batch;
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
pub mod log;
pub mod memory;
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
