// SPDX-License-Identifier: GPL-2.0

//! Events of devices, as the core tells them.
//!
//! C header: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h)
//!
//! A [`Link`] with [`WATCHED`](Link::WATCHED) set hears of the events of its own devices, whoever caused them, in the
//! order in which they happen: RTNL is held. The block of the core's chain belongs to the kind's registration, so there
//! are events from before the first device to after the last.
//!
//! Who has to hear of the devices of all kinds is a [`Watch`].

use crate::device::Device;
use crate::errno::to_result;
use crate::interface::Interface;
use crate::rtnl::{Link, Rtnl};
use core::marker::PhantomData;
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// What has happened to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is there, or has come from another namespace.
    Register,
    /// It goes, for ever or to another namespace, and is down. May come more than once.
    Unregister,
    /// It is up.
    Up,
    /// It is down.
    Down,
    /// Its carrier or its flags have changed.
    Change,
    /// Its MTU has changed.
    ChangeMtu,
    /// Its address has changed.
    ChangeAddress,
    /// Its name has changed.
    ChangeName,
    /// Its features have changed.
    ChangeFeatures,
}

impl Event {
    fn from_raw(event: c_ulong) -> Option<Event> {
        Some(match event as u32 {
            bindings::netdev_cmd_NETDEV_REGISTER => Event::Register,
            bindings::netdev_cmd_NETDEV_UNREGISTER => Event::Unregister,
            bindings::netdev_cmd_NETDEV_UP => Event::Up,
            bindings::netdev_cmd_NETDEV_DOWN => Event::Down,
            bindings::netdev_cmd_NETDEV_CHANGE => Event::Change,
            bindings::netdev_cmd_NETDEV_CHANGEMTU => Event::ChangeMtu,
            bindings::netdev_cmd_NETDEV_CHANGEADDR => Event::ChangeAddress,
            bindings::netdev_cmd_NETDEV_CHANGENAME => Event::ChangeName,
            bindings::netdev_cmd_NETDEV_FEAT_CHANGE => Event::ChangeFeatures,
            _ => return None,
        })
    }
}

/// A place in the chain of those that the core tells.
#[pin_data]
#[repr(C)]
struct Block {
    // First, so that its address is that of the block.
    #[pin]
    raw: Opaque<bindings::notifier_block>,
    /// What the devices of the kind refer to.
    ops: *const bindings::rtnl_link_ops,
}

/// The events of a kind's devices. Dropping it ends them; process context, without RTNL.
pub(crate) struct Notifier<L: Link> {
    block: Pin<KBox<Block>>,
    _link: PhantomData<L>,
}

impl<L: Link> Notifier<L> {
    /// Registers it (`register_netdevice_notifier`).
    ///
    /// # Safety
    ///
    /// As long as the returned value lives, devices that refer to `ops` are those of `L`, and nothing else comes to lie
    /// at that address.
    pub(crate) unsafe fn new(ops: *const bindings::rtnl_link_ops) -> Result<Self> {
        let block = KBox::pin_init(
            pin_init!(Block {
                raw <- block(Self::call),
                ops,
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: Complete, and pinned until `drop`.
        to_result(unsafe { bindings::register_netdevice_notifier(block.raw.get()) })?;
        Ok(Notifier {
            block,
            _link: PhantomData,
        })
    }

    /// # Safety
    ///
    /// The core's call of `notifier_call`, for a block that is the first member of a `Block`.
    unsafe extern "C" fn call(
        block: *mut bindings::notifier_block,
        event: c_ulong,
        info: *mut c_void,
    ) -> c_int {
        // SAFETY: The core passes the block that was registered, which is the first member of ours, and the event's
        // information, which begins with the device.
        let (dev, ops) = unsafe {
            (
                bindings::netdev_notifier_info_to_dev(info.cast()),
                (*block.cast::<Block>()).ops,
            )
        };
        // SAFETY: The core passes a valid device.
        if unsafe { (*dev).rtnl_link_ops } != ops {
            return bindings::NOTIFY_DONE as c_int;
        }
        if let Some(event) = Event::from_raw(event) {
            // SAFETY: A device of the kind, by the promise to `new`. Events are sent under RTNL, from when `ndo_init`
            // has run to before the destructor: its data is there.
            unsafe { L::event(event, Device::from_raw(dev), &Rtnl::assume()) };
        }
        bindings::NOTIFY_DONE as c_int
    }
}

impl<L: Link> Drop for Notifier<L> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe { bindings::unregister_netdevice_notifier(self.block.raw.get()) };
    }
}

/// What a block of a notifier chain calls (`notifier_fn_t`).
pub(crate) type Call =
    unsafe extern "C" fn(*mut bindings::notifier_block, c_ulong, *mut c_void) -> c_int;

/// A block that is in no chain.
pub(crate) fn block(call: Call) -> impl PinInit<Opaque<bindings::notifier_block>> {
    Opaque::ffi_init(move |slot: *mut bindings::notifier_block| {
        // SAFETY: Valid for writing; all zeros is a block that is in no chain.
        unsafe {
            slot.write_bytes(0, 1);
            (*slot).notifier_call = Some(call);
        }
    })
}

/// One who hears of all devices, in all namespaces.
pub trait Watch: 'static {
    /// Something has happened to a device. Process context, with RTNL.
    fn event(event: Event, dev: &Interface, rtnl: &Rtnl);
}

/// The events of all devices. Dropping it ends them; process context, without RTNL.
///
/// The core tells at once of devices that are there ([`Event::Register`], [`Event::Up`]), and at the end of those that
/// are still there ([`Event::Down`], [`Event::Unregister`]), as if they went.
pub struct Watcher<W: Watch> {
    block: Pin<KBox<Opaque<bindings::notifier_block>>>,
    _watch: PhantomData<W>,
}

// SAFETY: The block belongs to the core's list, which has a lock of its own.
unsafe impl<W: Watch> Send for Watcher<W> {}
// SAFETY: There is nothing to be done with a reference.
unsafe impl<W: Watch> Sync for Watcher<W> {}

impl<W: Watch> Watcher<W> {
    /// Registers it (`register_netdevice_notifier`). Process context; sleeps.
    pub fn new() -> Result<Self> {
        let block = KBox::pin_init(block(Self::call), GFP_KERNEL)?;
        // SAFETY: Complete, and pinned until `drop`.
        to_result(unsafe { bindings::register_netdevice_notifier(block.get()) })?;
        Ok(Watcher {
            block,
            _watch: PhantomData,
        })
    }

    /// # Safety
    ///
    /// The core's call of `notifier_call`.
    unsafe extern "C" fn call(
        _block: *mut bindings::notifier_block,
        event: c_ulong,
        info: *mut c_void,
    ) -> c_int {
        if let Some(event) = Event::from_raw(event) {
            // SAFETY: The core passes the event's information, which begins with a valid device; RTNL is held.
            unsafe {
                let dev = bindings::netdev_notifier_info_to_dev(info.cast());
                W::event(event, Interface::from_raw(dev), &Rtnl::assume());
            }
        }
        bindings::NOTIFY_DONE as c_int
    }
}

impl<W: Watch> Drop for Watcher<W> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe { bindings::unregister_netdevice_notifier(self.block.get()) };
    }
}
