// SPDX-License-Identifier: GPL-2.0

//! A NAPI instance has one owner, and its poll ends with the call.

#![forbid(unsafe_code)]

use kernel::sync::Arc;
use netdev::device::Locked;
use netdev::napi::{Handler, Instance, Owner, Poll};
use netdev::page_pool::PagePool;

fn two_owners<H: Handler>(owner: &Owner<H>) -> Owner<H> {
    owner.clone() //~ E0308
}

fn enabled_without_the_lock<H: Handler>(owner: &mut Owner<H>) {
    owner.enable(); //~ E0061
}

fn handler_kept_while_it_is_enabled<H: Handler>(
    owner: &mut Owner<H>,
    dev: &mut Locked<'_, H::Driver>,
) {
    let handler = owner.handler();
    owner.enable(dev); //~ E0499
    drop(handler);
}

fn handler_by_a_shared_instance<H: Handler>(instance: &Arc<Instance<H>>) -> &mut Option<H> {
    instance.handler() //~ E0599
}

struct Keeper<'a, H: Handler>(Option<&'a Poll<'a, H>>);

fn poll_kept<'a, H: Handler>(keeper: &mut Keeper<'a, H>, poll: &Poll<'_, H>) {
    keeper.0 = Some(poll); //~ E0621
}

fn is_send<T: Send>(_: T) {}

fn poll_sent<H: Handler>(poll: Poll<'_, H>) {
    is_send(poll); //~ E0277
}

fn pool_by_two<H: Handler>(pool: &PagePool, poll: &Poll<'_, H>) {
    pool.alloc_polled(1, poll); //~ E0596
}

fn pool_outside_a_poll(pool: &mut PagePool) {
    pool.alloc_polled(1); //~ E0061
}

fn bound_after_the_removal<H: Handler>(dev: &mut Locked<'_, H::Driver>, instance: &Instance<H>) {
    dev.set_queue_napi(0, Some(instance)); //~ E0308
}
