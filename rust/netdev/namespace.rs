// SPDX-License-Identifier: GPL-2.0

//! Data that each network namespace has.
//!
//! C headers: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h),
//! [`include/net/netns/generic.h`](srctree/include/net/netns/generic.h)
//!
//! A type that implements [`PerNet`] has a static [`Slot`]. While what [`Slot::register`] returned lives, every
//! namespace has one value of the type, behind a mutex; [`Slot::get`] finds it.
//!
//! # No namespace is kept alive
//!
//! What is found is a counted reference to a [`Namespaced`], never to the namespace. It can outlive the namespace and
//! the registration, but then it is empty: the core calls `exit` before either goes, and `exit` takes the value out
//! under the mutex. So [`Namespaced::with`], which holds the mutex and has found the value, can hand out the namespace
//! too: it is alive, with its netlink sockets, until `exit` has had the mutex.

use crate::context::synchronize_net;
use crate::errno::{from_result, to_result};
use crate::rtnl::Net;
use core::cell::UnsafeCell;
use core::mem::{offset_of, MaybeUninit};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use kernel::prelude::*;
use kernel::sync::{Arc, ArcBorrow, LockClassKey, Mutex};
use netdev_sys as bindings;

/// Data that each namespace has.
pub trait PerNet: Sized + Send + Unpin + 'static {
    /// Where its registration lives: `Place::of(&SLOT)`, a static of the implementor's.
    const PLACE: Place<Self>;

    /// What lockdep knows the mutex by: `static_lock_class!()`.
    fn lock_class() -> Pin<&'static LockClassKey>;

    /// Makes the value of a new namespace. Process context; may sleep.
    fn new() -> Result<Self>;
}

/// The one slot of a type. A constant, so that it is always the same; and a constant may not hold a reference to what
/// changes.
///
/// # Invariants
///
/// Points to a static.
pub struct Place<T: PerNet>(*const Slot<T>);

impl<T: PerNet> Place<T> {
    /// That slot.
    pub const fn of(slot: &'static Slot<T>) -> Self {
        // INVARIANT: A static, as its lifetime says.
        Place(slot)
    }

    fn slot(&self) -> &'static Slot<T> {
        // SAFETY: By the type invariant.
        unsafe { &*self.0 }
    }
}

/// The value of one namespace.
#[pin_data]
pub struct Namespaced<T> {
    net: *mut bindings::net,
    /// `None` once the namespace or the registration is going.
    #[pin]
    value: Mutex<Option<T>>,
}

// SAFETY: The value is behind a mutex, and the namespace is used by functions that synchronise.
unsafe impl<T: Send> Send for Namespaced<T> {}
// SAFETY: As above.
unsafe impl<T: Send> Sync for Namespaced<T> {}

impl<T: Unpin> Namespaced<T> {
    /// Locks the value and lets `f` work on it; `None` if there is none any more. Process context; sleeps.
    pub fn with<R>(&self, f: impl FnOnce(&mut T, &Net) -> R) -> Option<R> {
        let mut value = self.value.lock();
        Option::as_mut(&mut value).map(|v| {
            // SAFETY: The value is there and the mutex held: `exit` has not begun, or waits.
            f(v, unsafe { Net::from_raw(self.net) })
        })
    }
}

/// What a namespace's slot of the core holds. All zeros is nothing.
struct Cell<T> {
    /// What is found; NULL once the namespace or the registration is going.
    found: AtomicPtr<Namespaced<T>>,
    /// The counted reference to it.
    own: AtomicPtr<Namespaced<T>>,
}

const UNUSED: u32 = 0;
const BUSY: u32 = 1;
const REGISTERED: u32 = 2;

/// Where a kind of data lives: a static.
///
/// # Invariants
///
/// `ops` and `id` are written by who took `state` from UNUSED to BUSY, and by the core meanwhile. While it is
/// REGISTERED, `id` is the number of slots that hold a `Cell<T>`.
pub struct Slot<T: PerNet> {
    ops: UnsafeCell<MaybeUninit<bindings::pernet_operations>>,
    id: UnsafeCell<c_uint>,
    state: AtomicU32,
    _value: core::marker::PhantomData<fn() -> T>,
}

// SAFETY: See the invariants.
unsafe impl<T: PerNet> Sync for Slot<T> {}

impl<T: PerNet> Slot<T> {
    /// One that is not registered.
    pub const fn new() -> Self {
        // INVARIANT: UNUSED.
        Slot {
            ops: UnsafeCell::new(MaybeUninit::uninit()),
            id: UnsafeCell::new(0),
            state: AtomicU32::new(UNUSED),
            _value: core::marker::PhantomData,
        }
    }

    /// Gives every namespace a value, those that exist and those to come (`register_pernet_subsys`). Process context;
    /// sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY` if that is so already, `EINVAL` if this is not the slot of the type, and those of [`PerNet::new`].
    pub fn register(&'static self) -> Result<Registration<T>> {
        if !ptr::eq(self, T::PLACE.slot()) {
            return Err(EINVAL);
        }
        self.state
            .compare_exchange(UNUSED, BUSY, Ordering::Acquire, Ordering::Relaxed)
            .map_err(|_| EBUSY)?;
        let ops: *mut bindings::pernet_operations = self.ops.get().cast();
        // SAFETY: Ours, as the state says. All zeros is "no operations". The core links the structure into its list
        // until it is unregistered; it is static. `id` and `size` are const in C.
        let ret = unsafe {
            ops.write_bytes(0, 1);
            (*ops).init = Some(Self::init);
            (*ops).exit_batch = Some(Self::exit);
            (&raw const (*ops).id).cast_mut().write(self.id.get());
            (&raw const (*ops).size)
                .cast_mut()
                .write(size_of::<Cell<T>>());
            bindings::register_pernet_subsys(ops)
        };
        if let Err(e) = to_result(ret) {
            self.state.store(UNUSED, Ordering::Release);
            return Err(e);
        }
        // INVARIANT: The core has given `id` its value.
        self.state.store(REGISTERED, Ordering::Release);
        Ok(Registration(self))
    }

    /// The value of namespace `net`.
    pub fn get(&'static self, net: &Net) -> Option<Arc<Namespaced<T>>> {
        let guard = kernel::sync::rcu::read_lock();
        let found = self.find(net);
        drop(guard);
        found
    }

    /// Under RCU: who unregisters waits for a grace period before the number is given away.
    fn find(&self, net: &Net) -> Option<Arc<Namespaced<T>>> {
        if self.state.load(Ordering::Acquire) != REGISTERED {
            return None;
        }
        // SAFETY: REGISTERED, so `id` is not written.
        let cell = unsafe { Self::cell(net.as_raw(), *self.id.get()) };
        if cell.is_null() {
            return None;
        }
        // SAFETY: The slot is a cell, as the state says. A namespace that has users (`net` shows it) has its slots.
        let at = unsafe { (*cell).found.load(Ordering::Acquire) };
        if at.is_null() {
            return None;
        }
        // SAFETY: The cell holds a counted reference, which is given up a grace period after `exit` has hidden it.
        Some(unsafe { ArcBorrow::from_raw(at) }.into())
    }

    /// # Safety
    ///
    /// The namespace is alive, and slot `id` is of cells of this type.
    unsafe fn cell(net: *mut bindings::net, id: c_uint) -> *const Cell<T> {
        // SAFETY: By the caller's promise.
        unsafe { bindings::netdev_net_generic(net, id) }
            .cast_const()
            .cast()
    }

    fn begin(net: *mut bindings::net) -> Result {
        let value = T::new()?;
        let made = Arc::pin_init(
            pin_init!(Namespaced {
                net,
                value <- Mutex::new(Some(value), c"netdev_namespaced", T::lock_class()),
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: The core calls this with the slot allocated, zeroed, and `id` set.
        unsafe {
            let cell = Self::cell(net, *T::PLACE.slot().id.get());
            let made = Arc::into_raw(made).cast_mut();
            (*cell).own.store(made, Ordering::Relaxed);
            (*cell).found.store(made, Ordering::Release);
        }
        Ok(())
    }

    /// # Safety
    ///
    /// The core's call of `pernet_operations::init`, for the operations of `T`.
    unsafe extern "C" fn init(net: *mut bindings::net) -> c_int {
        from_result(Self::begin(net))
    }

    /// For a list of namespaces at once: one grace period is enough for all.
    ///
    /// # Safety
    ///
    /// The core's call of `pernet_operations::exit_batch`, for the operations of `T`.
    unsafe extern "C" fn exit(list: *mut bindings::list_head) {
        // SAFETY: The core calls this once for each namespace in which `init` succeeded, before it frees the slot.
        let cell = |net| unsafe { &*Self::cell(net, *T::PLACE.slot().id.get()) };
        // SAFETY: The list that the core passes.
        unsafe {
            each_leaving(list, |net| {
                let at = cell(net).found.swap(ptr::null_mut(), Ordering::AcqRel);
                if let Some(namespaced) = at.as_ref() {
                    // What is found is empty from here on.
                    drop(namespaced.value.lock().take());
                }
            })
        };
        // Whoever has found one has a reference of its own after this.
        synchronize_net();
        // SAFETY: As above.
        unsafe {
            each_leaving(list, |net| {
                let at = cell(net).own.swap(ptr::null_mut(), Ordering::AcqRel);
                if !at.is_null() {
                    // The reference that the cell held.
                    drop(Arc::from_raw(at));
                }
            })
        };
    }
}

/// Calls `f` with each namespace of a list of those that go.
///
/// # Safety
///
/// `list` is the argument of a running `pernet_operations::exit_batch`.
unsafe fn each_leaving(list: *mut bindings::list_head, mut f: impl FnMut(*mut bindings::net)) {
    // SAFETY: The core keeps the list, and the namespaces linked in it by their `exit_list`, during the call.
    unsafe {
        let mut at = (*list).next;
        while at != list {
            f(at.byte_sub(offset_of!(bindings::net, exit_list)).cast());
            at = (*at).next;
        }
    }
}

impl<T: PerNet> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Every namespace has a value. Dropping this takes them all away; process context.
pub struct Registration<T: PerNet>(&'static Slot<T>);

impl<T: PerNet> Drop for Registration<T> {
    fn drop(&mut self) {
        self.0.state.store(BUSY, Ordering::Release);
        // From here on nobody uses `id`, which the core may give to somebody else below.
        synchronize_net();
        // SAFETY: Registered by `register`.
        unsafe { bindings::unregister_pernet_subsys(self.0.ops.get().cast()) };
        self.0.state.store(UNUSED, Ordering::Release);
    }
}
