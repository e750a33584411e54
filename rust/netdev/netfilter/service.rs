// SPDX-License-Identifier: GPL-2.0

//! Taking hooks away before what they are attached to goes.
//!
//! All hooks stand in one list, behind a mutex. A [`Registration`](super::Registration) takes its own out; what is
//! still there when a namespace ends, or when a device goes or moves, is taken out here. Whoever takes a hook out
//! unregisters it, with the mutex held: so each is unregistered once, while its namespace and its device are there.
//!
//! Locking: RTNL > what a driver has of its own > this mutex > what the core takes to (un)register a hook.

use crate::errno::to_result;
use crate::rtnl::Net;
use crate::sync::Word;
use core::cell::UnsafeCell;
use core::mem::{self, MaybeUninit};
use core::ptr;
use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// A hook's place in the core's lists. It stays where it is for as long as somebody knows it.
#[pin_data]
pub(super) struct Seat {
    #[pin]
    ops: Opaque<bindings::nf_hook_ops>,
    /// Its place in the list of hooks, counted from 1; 0 while it isn't there. Behind the list's mutex.
    place: Word<u64>,
}

// SAFETY: Written before it is shared, and by the core's functions, which synchronise.
unsafe impl Send for Seat {}
// SAFETY: As above.
unsafe impl Sync for Seat {}

impl Seat {
    /// Makes one that is not registered; `fill` says for what.
    pub(super) fn new(fill: impl FnOnce(&mut bindings::nf_hook_ops)) -> Result<Arc<Seat>> {
        Arc::pin_init(
            pin_init!(Seat {
                ops <- Opaque::ffi_init(|slot: *mut bindings::nf_hook_ops| {
                    // SAFETY: Valid for writing; all zeros is a structure for nothing.
                    fill(unsafe {
                        slot.write_bytes(0, 1);
                        &mut *slot
                    });
                }),
                place: Word::new(0),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    pub(super) fn as_raw(&self) -> *mut bindings::nf_hook_ops {
        self.ops.get()
    }
}

/// A hook that is registered, and where.
struct Seated {
    seat: Arc<Seat>,
    net: *mut bindings::net,
    /// NULL if it isn't at one.
    dev: *mut bindings::net_device,
}

impl Seated {
    /// Unregisters it.
    ///
    /// # Safety
    ///
    /// It was registered, and namespace and device are there.
    unsafe fn unregister(self) {
        // SAFETY: By the caller's promise.
        unsafe { bindings::nf_unregister_net_hook(self.net, self.seat.as_raw()) };
    }
}

/// All hooks that are registered, and whether there is a service.
struct List {
    seated: KVVec<Seated>,
    /// Hooks can be registered.
    serving: bool,
    /// There is a service, or what is left of one that ends.
    exists: bool,
}

impl List {
    /// Takes one out; the last comes to its place.
    fn take(&mut self, at: usize) -> Option<Seated> {
        if at >= self.seated.len() {
            return None;
        }
        let last = self.seated.pop()?;
        let taken = match self.seated.get_mut(at) {
            Some(here) => {
                last.seat.place.write((at as u64).wrapping_add(1));
                mem::replace(here, last)
            }
            None => last,
        };
        taken.seat.place.write(0);
        if self.seated.is_empty() {
            // No memory is left when the module goes.
            self.seated = KVVec::new();
        }
        Some(taken)
    }
}

/// The list, behind a mutex of the C side's.
struct Global(UnsafeCell<List>);

// SAFETY: The content is reached with the mutex only, and its pointers are not followed without it.
unsafe impl Sync for Global {}

static LIST: Global = Global(UnsafeCell::new(List {
    seated: KVVec::new(),
    serving: false,
    exists: false,
}));

/// Runs `f` on the list. Process context; sleeps.
fn with_list<R>(f: impl FnOnce(&mut List) -> R) -> R {
    // SAFETY: Balanced below.
    unsafe { bindings::netdev_nf_lock() };
    // SAFETY: The mutex is held, and `f` has no way to get here again.
    let r = f(unsafe { &mut *LIST.0.get() });
    // SAFETY: Locked above.
    unsafe { bindings::netdev_nf_unlock() };
    r
}

/// Unregisters the hooks that `which` wants.
///
/// # Safety
///
/// Their namespaces and devices are there.
unsafe fn unregister_if(list: &mut List, which: impl Fn(&Seated) -> bool) {
    let mut at = 0usize;
    while let Some(seated) = list.seated.get(at) {
        if !which(seated) {
            at = at.wrapping_add(1);
        } else if let Some(seated) = list.take(at) {
            // SAFETY: In the list, so registered; the rest by the caller's promise.
            unsafe { seated.unregister() };
        }
    }
}

/// Registers a hook in a namespace; `entry` is what it is called with.
pub(super) fn seat(seat: &Arc<Seat>, net: &Net, entry: *mut c_void) -> Result {
    with_list(|list| {
        // A namespace without users may have been through `namespace_exit`, and would keep the hook for ever. One that
        // has some now, with the mutex held, has that before it. SAFETY: The namespace is there.
        if !list.serving || !unsafe { bindings::check_net(net.as_raw()) } {
            return Err(ENODEV);
        }
        // All have it: who happens to let it grow is not charged for that, but for the seat.
        list.seated.reserve(1, GFP_KERNEL)?;
        // SAFETY: Not registered, so nobody else uses it.
        unsafe { (*seat.as_raw()).priv_ = entry };
        // SAFETY: The namespace is there, and so is the device, if there is one: who calls holds RTNL then.
        to_result(unsafe { bindings::nf_register_net_hook(net.as_raw(), seat.as_raw()) })?;
        let seated = Seated {
            seat: seat.clone(),
            net: net.as_raw(),
            // SAFETY: Ours, as above.
            dev: unsafe { (*seat.as_raw()).dev },
        };
        seat.place.write((list.seated.len() as u64).wrapping_add(1));
        // There is room, reserved above.
        let _ = list.seated.push_within_capacity(seated);
        Ok(())
    })
}

/// Unregisters a hook, if that has not been done.
pub(super) fn unseat(seat: &Arc<Seat>) {
    with_list(|list| {
        let place = (seat.place.read() as usize).checked_sub(1);
        if let Some(seated) = place.and_then(|at| list.take(at)) {
            // SAFETY: As it was in the list, neither its namespace nor its device has gone: that would have taken it
            // out.
            unsafe { seated.unregister() };
        }
    });
}

/// While it lives, hooks can be registered. Dropping it takes away all that are left; process context.
pub struct Service {
    _devices: Devices,
    _namespaces: Namespaces,
    // Last: another one may begin when nothing is left of this one.
    _one: One,
}

impl Service {
    /// Begins it. Process context; sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY` if there is one already, `ENOMEM`.
    pub fn new() -> Result<Self> {
        let one = One::new()?;
        let service = Service {
            _devices: Devices::new()?,
            _namespaces: Namespaces::new()?,
            _one: one,
        };
        with_list(|list| list.serving = true);
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        with_list(|list| {
            list.serving = false;
            // SAFETY: As in `unseat`; the notifiers are still there.
            unsafe { unregister_if(list, |_| true) };
        });
    }
}

/// That there is one service.
struct One(());

impl One {
    fn new() -> Result<Self> {
        with_list(|list| {
            if list.exists {
                return Err(EBUSY);
            }
            list.exists = true;
            Ok(One(()))
        })
    }
}

impl Drop for One {
    fn drop(&mut self) {
        with_list(|list| list.exists = false);
    }
}

/// A structure that the core links into its lists, while registered.
struct Static<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: Written by the one `Service` there can be, before the core knows it.
unsafe impl<T> Sync for Static<T> {}

static NOTIFIER: Static<bindings::notifier_block> = Static(UnsafeCell::new(MaybeUninit::uninit()));
static PERNET: Static<bindings::pernet_operations> = Static(UnsafeCell::new(MaybeUninit::uninit()));

/// Hears of devices that go.
struct Devices(());

impl Devices {
    fn new() -> Result<Self> {
        let block: *mut bindings::notifier_block = NOTIFIER.0.get().cast();
        // SAFETY: Ours alone: there is one service. Static; complete before it is registered.
        to_result(unsafe {
            block.write_bytes(0, 1);
            (*block).notifier_call = Some(device_event);
            bindings::register_netdevice_notifier(block)
        })?;
        Ok(Devices(()))
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe { bindings::unregister_netdevice_notifier(NOTIFIER.0.get().cast()) };
    }
}

/// # Safety
///
/// The core's call of `notifier_call`, for a block of the chain of devices.
unsafe extern "C" fn device_event(
    _block: *mut bindings::notifier_block,
    event: c_ulong,
    info: *mut c_void,
) -> c_int {
    if event as u32 == bindings::netdev_cmd_NETDEV_UNREGISTER {
        // SAFETY: The core passes the event's information, which begins with the device.
        let dev = unsafe { bindings::netdev_notifier_info_to_dev(info.cast()) };
        // SAFETY: The device is there, in the namespace it was in when the hook was registered: this event comes
        // before it moves or goes.
        with_list(|list| unsafe { unregister_if(list, |s| s.dev == dev) });
    }
    bindings::NOTIFY_DONE as c_int
}

/// Hears of namespaces that end.
struct Namespaces(());

impl Namespaces {
    fn new() -> Result<Self> {
        let ops: *mut bindings::pernet_operations = PERNET.0.get().cast();
        // SAFETY: As for `Devices`. All zeros is "no operations".
        to_result(unsafe {
            ops.write_bytes(0, 1);
            (*ops).exit = Some(namespace_exit);
            bindings::register_pernet_subsys(ops)
        })?;
        Ok(Namespaces(()))
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe { bindings::unregister_pernet_subsys(PERNET.0.get().cast()) };
    }
}

/// # Safety
///
/// The core's call of `pernet_operations::exit`.
unsafe extern "C" fn namespace_exit(net: *mut bindings::net) {
    // SAFETY: The namespace is there until all `exit` operations have run. Hooks at its devices have gone with those;
    // where the operations themselves are unregistered, there are none left.
    with_list(|list| unsafe { unregister_if(list, |s| ptr::eq(s.net, net)) });
}
