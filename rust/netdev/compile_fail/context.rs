// SPDX-License-Identifier: GPL-2.0

//! Contexts are values that end with the context, and that nobody can make up.

#![forbid(unsafe_code)]

use kernel::prelude::*;
use netdev::context::{Bh, BhGuard};
use netdev::device::{Device, Driver, Locked};
use netdev::rtnl::{Rtnl, RtnlGuard};
use netdev::sync::{Rcu, SpinLock};

fn made_up() -> Bh<'static> {
    Bh::assume() //~ E0624
}

fn outlives_its_guard() -> &'static Bh<'static> {
    let guard = BhGuard::new();
    guard.bh() //~ E0515
}

fn used_after_the_guard(lock: &SpinLock<u32>) -> u32 {
    let guard = BhGuard::new();
    let data = lock.lock(guard.bh());
    drop(guard); //~ E0505
    *data
}

fn a_snapshot_outlives_its_reader<'a>(rcu: &'a Rcu<u32>) -> &'a u32 {
    let guard = BhGuard::new();
    rcu.read(guard.bh()) //~ E0515
}

fn a_snapshot_escapes_the_closure(rcu: &Rcu<u32>) -> &u32 {
    rcu.with(|value| value) //~ lifetime
}

fn a_snapshot_is_written(rcu: &Rcu<u32>) {
    let guard = BhGuard::new();
    *rcu.read(guard.bh()) = 1; //~ E0594
}

fn locked_without_softirqs_off(lock: &SpinLock<u32>) -> u32 {
    *lock.lock() //~ E0061
}

fn data_outlives_the_lock(lock: &SpinLock<u32>) -> &u32 {
    let guard = lock.lock_bh();
    &guard //~ E0515
}

fn is_send<T: Send>(_: T) {}

fn softirqs_off_elsewhere() {
    is_send(BhGuard::new()); //~ E0277
}

fn a_lock_released_elsewhere(lock: &SpinLock<u32>) {
    is_send(lock.lock_bh()); //~ E0277
}

fn rtnl_elsewhere() {
    is_send(RtnlGuard::lock()); //~ E0277
}

fn state_without_the_lock<D: Driver>(dev: &Device<D>) -> &mut D::State {
    dev.state() //~ E0599
}

fn two_at_the_state<D: Driver>(dev: &mut Locked<'_, D>) {
    let one = dev.state();
    let other = dev.state(); //~ E0499
    core::mem::swap(one, other);
}

fn rtnl_is_needed<D: Driver>(dev: &mut Locked<'_, D>) -> Result {
    dev.set_real_num_queues(1, 1) //~ E0061
}

fn rtnl_made_up() -> Rtnl {
    Rtnl::assume() //~ E0624
}
