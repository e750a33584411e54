// SPDX-License-Identifier: GPL-2.0

//! A device is registered once, and reached only while it is there.

#![forbid(unsafe_code)]

use kernel::prelude::*;
use netdev::context::BhGuard;
use netdev::device::{Device, Driver, Unregistered};
use netdev::netlink::ExtAck;
use netdev::rtnl::{Net, NewLink, Rtnl, RtnlGuard};

fn registered_twice<'a, D: Driver<Data = u32, State = u32>>(
    dev: Unregistered<'a, D>,
    rtnl: &'a Rtnl,
) -> Result {
    dev.register(Ok(1), 1, rtnl)?;
    dev.register(Ok(1), 1, rtnl)?; //~ E0382
    Ok(())
}

fn changed_behind_registration<'a, D: Driver<Data = u32, State = u32>>(
    mut dev: Unregistered<'a, D>,
    rtnl: &'a Rtnl,
) -> Result {
    dev.register(Ok(1), 1, rtnl)?;
    dev.random_address(); //~ E0382
    Ok(())
}

fn data_before_registration<'a, D: Driver>(dev: &'a Unregistered<'_, D>) -> &'a D::Data {
    dev.data() //~ E0599
}

fn peer_without_rtnl<D: Driver>(dev: &Device<D>) -> Option<&Device<D>> {
    dev.peer() //~ E0061
}

fn peer_outlives_rtnl<D: Driver>(dev: &Device<D>) -> Option<&Device<D>> {
    let rtnl = RtnlGuard::lock();
    dev.peer(&rtnl) //~ E0515
}

fn peer_outlives_rcu<D: Driver>(dev: &Device<D>) -> Option<&Device<D>> {
    let guard = BhGuard::new();
    dev.peer_rcu(guard.bh()) //~ E0515
}

fn peer_escapes_the_closure<D: Driver>(dev: &Device<D>) -> Option<&Device<D>> {
    dev.with_peer(|peer| peer) //~ lifetime
}

fn namespace_outlives_rtnl<D: Driver>(dev: &Device<D>) -> &Net {
    let rtnl = RtnlGuard::lock();
    dev.net(&rtnl) //~ E0515
}

fn transmit_state_outlives_its_lock<'a, D: Driver>(dev: &'a Device<D>) -> Option<&'a D::TxState> {
    dev.lock_tx(0, |state, _, _| &*state) //~ lifetime
}

fn data_is_written<D: Driver<Data = u32>>(dev: &Device<D>) {
    *dev.data() = 1; //~ E0594
}

fn peer_of_another_driver<'a, D: Driver, E: Driver>(
    params: &NewLink<'a, D>,
    rtnl: &'a Rtnl,
    extack: &ExtAck<'_>,
    register: fn(Unregistered<'a, E>) -> Result<&'a Device<E>>,
) -> Result<&'a Device<D>> {
    params.create_peer(None, rtnl, extack, register) //~ E0631
}
