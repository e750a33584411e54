// SPDX-License-Identifier: GPL-2.0

//! A dummy NIC: the smallest driver there can be, and the tutorial for writing one.
//!
//! `ip link add d0 type rust_dummy` makes a device that takes every packet and delivers it nowhere, like the
//! kernel's own `dummy`. What is transmitted has been consumed, not dropped: that is what the device is for.
//!
//! A driver is three things: the data of a device (`Data`), its operations ([`Driver`]), and the kind of link
//! that makes one ([`Link`]).

#![forbid(unsafe_code)]

use kernel::prelude::*;
use netdev::context::Bh;
use netdev::counter::Counter;
use netdev::device::{Device, Driver, LinkStats, Locked, Setup, Unregistered};
use netdev::features::Features;
use netdev::netlink::{ExtAck, Policy};
use netdev::rtnl::{Link, NewLink, Registration, Rtnl};
use netdev::skb::SkBuff;
use netdev::txq::TxQueue;
use netdev::{ethtool, queue_stats};

module! {
    type: Module,
    name: "rust_dummy",
    authors: ["The ferronic authors"],
    description: "Dummy network device in Rust",
    license: "GPL",
    alias: ["rtnl-link-rust_dummy"],
}

struct Module {
    _link: Registration<Dummy>,
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Module {
            _link: Registration::new()?,
        })
    }
}

/// What every callback may reach. The devices have one transmit queue, whose lock makes `start_xmit` the only
/// writer of the counters.
struct Data {
    packets: Counter,
    bytes: Counter,
}

struct Dummy;

#[vtable]
impl Driver for Dummy {
    type Data = Data;
    type State = ();
    type TxState = ();
    type Ethtool = Self;
    type QueueStats = Self;

    fn setup(dev: &mut Setup<'_, Self>) {
        let features = Features::SG | Features::HW_CSUM | Features::HIGHDMA;
        dev.features(features, features, features, Features::NONE)
            .live_address_change();
    }

    fn open(dev: &mut Locked<'_, Self>, _rtnl: &Rtnl) -> Result {
        dev.start_all_queues();
        dev.carrier_on();
        Ok(())
    }

    fn stop(dev: &mut Locked<'_, Self>, _rtnl: &Rtnl) {
        dev.carrier_off();
    }

    fn start_xmit(
        dev: &Device<Self>,
        _state: &mut (),
        _queue: TxQueue<'_>,
        _bh: &Bh<'_>,
        skb: SkBuff,
    ) -> core::result::Result<(), SkBuff> {
        let data = dev.data();
        data.packets.inc();
        data.bytes.add(skb.len().into());
        skb.tx_timestamp(dev);
        skb.consume();
        Ok(())
    }

    fn get_stats(dev: &Device<Self>, stats: &mut LinkStats) {
        stats.tx_packets = dev.data().packets.get();
        stats.tx_bytes = dev.data().bytes.get();
    }
}

#[vtable]
impl ethtool::Operations for Dummy {
    type Driver = Self;
    const NAME: &'static CStr = c"rust_dummy";
}

#[vtable]
impl queue_stats::Operations for Dummy {
    type Driver = Self;
}

impl Link for Dummy {
    type Driver = Self;

    const KIND: &'static CStr = c"rust_dummy";
    const POLICY: &'static [Policy] = &[];

    fn newlink(
        mut dev: Unregistered<'_, Self>,
        _params: &NewLink<'_, Self::Driver>,
        rtnl: &Rtnl,
        extack: &ExtAck<'_>,
    ) -> Result {
        if dev.num_tx_queues() != 1 {
            extack.message(c"numtxqueues: the device has one queue");
            return Err(EINVAL);
        }
        dev.random_address();
        let data = Data {
            packets: Counter::new(),
            bytes: Counter::new(),
        };
        dev.register(Ok(data), (), rtnl)?;
        Ok(())
    }
}
