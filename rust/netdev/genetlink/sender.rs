// SPDX-License-Identifier: GPL-2.0

//! Who sends requests: sockets, and that they go.
//!
//! C headers: [`include/linux/netlink.h`](srctree/include/linux/netlink.h),
//! [`include/net/sock.h`](srctree/include/net/sock.h)
//!
//! The core keeps data per socket for families that are built in only. A module keeps its own list, with a [`Sender`]
//! in each entry, and a [`Watch`] removes those that are gone.
//!
//! The core tells of a socket that goes by namespace and port number, and at that moment another socket may have the
//! number already. So nothing is known here by its number: a [`Sender`] holds the socket's memory, so that no other one
//! can come to lie there, and sees from the socket itself that it has been closed.

use crate::errno::to_result;
use crate::notifier;
use crate::rtnl::Net;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// The socket a request came from.
///
/// # Invariants
///
/// A counted reference to it.
pub struct Sender(NonNull<bindings::sock>);

// SAFETY: Only compared, asked for a flag, and given back, which any context may do.
unsafe impl Send for Sender {}
// SAFETY: As above.
unsafe impl Sync for Sender {}

impl Sender {
    /// # Safety
    ///
    /// `skb` is a message that the core has handed to a family, and is being handled.
    pub(super) unsafe fn of(skb: NonNull<bindings::sk_buff>) -> Self {
        // SAFETY: The core notes the sending socket, which lives for as long as its message is handled.
        let sk = unsafe { bindings::netdev_netlink_sender(skb.as_ptr()) };
        // SAFETY: As above: never NULL.
        Sender(unsafe { NonNull::new_unchecked(sk) })
    }

    /// Whether it has been closed: it sends nothing any more.
    pub fn is_gone(&self) -> bool {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::netdev_sock_is_dead(self.0.as_ptr()) }
    }
}

impl PartialEq for Sender {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // SAFETY: Ours by the type invariant.
        unsafe { bindings::netdev_sock_put(self.0.as_ptr()) };
    }
}

/// Who wants to know that senders go.
pub trait Watch: 'static {
    /// A socket of generic netlink of that namespace has been closed ([`Sender::is_gone`] says which). Process context,
    /// in the closing of the socket; may sleep.
    fn released(net: &Net);
}

/// A place in the chain of those that the core tells. Dropping it ends that; process context.
pub struct Watcher<W: Watch>(Pin<KBox<Opaque<bindings::notifier_block>>>, PhantomData<W>);

// SAFETY: Only used to be dropped.
unsafe impl<W: Watch> Send for Watcher<W> {}
// SAFETY: As above.
unsafe impl<W: Watch> Sync for Watcher<W> {}

impl<W: Watch> Watcher<W> {
    /// Registers it (`netlink_register_notifier`). Process context.
    pub fn new() -> Result<Self> {
        let block = KBox::pin_init(notifier::block(Self::call), GFP_KERNEL)?;
        // SAFETY: Complete, and pinned until `drop`.
        to_result(unsafe { bindings::netlink_register_notifier(block.get()) })?;
        Ok(Watcher(block, PhantomData))
    }

    /// # Safety
    ///
    /// The core's call of `notifier_call`.
    unsafe extern "C" fn call(
        _block: *mut bindings::notifier_block,
        event: c_ulong,
        info: *mut c_void,
    ) -> c_int {
        let info: *const bindings::netlink_notify = info.cast();
        // SAFETY: The core passes this structure with every event.
        let (net, protocol) = unsafe { ((*info).net, (*info).protocol) };
        if event == bindings::NETLINK_URELEASE as c_ulong
            && protocol == bindings::NETLINK_GENERIC as c_int
        {
            // SAFETY: The socket that is being closed keeps its namespace.
            W::released(unsafe { Net::from_raw(net) });
        }
        bindings::NOTIFY_DONE as c_int
    }
}

impl<W: Watch> Drop for Watcher<W> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe { bindings::netlink_unregister_notifier(self.0.get()) };
    }
}
