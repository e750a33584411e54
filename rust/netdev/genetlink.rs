// SPDX-License-Identifier: GPL-2.0

//! Generic netlink.
//!
//! C header: [`include/net/genetlink.h`](srctree/include/net/genetlink.h)
//!
//! A driver that wants to be asked and told things over netlink has a [`Family`]: a name, commands, and groups of
//! those who want to be notified. It lives in a static [`Slot`]; what [`Slot::register`] returns keeps it registered.
//!
//! A command is a type. What the specification says of it is [`Spec`]: its number, who may send it, which attributes
//! it takes, and how they become a typed request. A generator writes that. What is done is [`Do`], which answers once,
//! or [`Dump`], which answers with as many messages as there are things, in as many batches as it takes.
//!
//! ```text
//!   message --- core: permission, policy (strict) --- no attribute twice --- Spec::parse --- Do::run
//!                                                                                       \-- Dump::start, fill*
//! ```
//!
//! # Contexts
//!
//! Commands run in process context and may sleep. They run in parallel, with each other and with themselves: hence
//! nothing in a handler is `&mut` but a dump's own state. The core holds the family's registration for reading
//! meanwhile, so that dropping the [`Registration`] waits for those that run, and a dump that is under way keeps the
//! module from being unloaded.
//!
//! # Examples
//!
//! What the generator makes of a specification with the command `ring-get` and the group `mgmt` is shown only where
//! the driver touches it: `Mine` (the [`Family`]), `RingGetDo` (a [`Spec`]), its request and its reply.
//!
//! ```ignore
//! static FAMILY: genetlink::Slot<Mine> = genetlink::Slot::new();
//!
//! impl Do for RingGetDo {
//!     fn run(request: RingGetDoRequest, context: &Context<'_, Mine>) -> Result {
//!         let Some(index) = request.index else {
//!             return Err(context.missing(ring::INDEX, c"Which ring?"));
//!         };
//!         let fill = fill_level(context.net(), index)
//!             .ok_or_else(|| context.refuse(ring::INDEX, c"There is no such ring", ENOENT))?;
//!         let mut reply = context.reply()?;
//!         RingGetReply { index: Some(index), fill: Some(fill) }.put(&mut reply.writer())?;
//!         reply.send()
//!     }
//! }
//!
//! // In the module's init; kept for as long as it lives.
//! let registration = FAMILY.register(module)?;
//!
//! // Wherever a ring has changed, in process context.
//! FAMILY.notify(net, group::MGMT, notification::RING_CHANGE_NTF, |w| reply_of(ring).put(w));
//! ```
//!
//! # What is not supported
//!
//! Headers of a family's own, legacy operations. Data per socket: see [`Sender`].

mod command;
mod message;
mod request;
mod sender;

pub use command::{Do, Dump, Op, Permission, Spec};
pub use message::{Batch, Message, Reply};
pub use request::Context;
pub use sender::{Sender, Watch, Watcher};

use crate::context::{synchronize_net, Bh};
use crate::errno::to_result;
use crate::netlink::Writer;
use crate::rtnl::Net;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::prelude::*;
use message::Buffer;
use netdev_sys as bindings;

/// A family of commands.
pub trait Family: Sized + 'static {
    /// Its name, at most 15 bytes.
    const NAME: &'static CStr;

    /// The version of its protocol.
    const VERSION: u8;

    /// Its commands, by ascending number; a [`Do`] before the [`Dump`] of the same number.
    const OPS: &'static [Op<Self>];

    /// Its multicast groups.
    const GROUPS: &'static [Group];
}

/// A multicast group (`struct genl_multicast_group`).
#[repr(transparent)]
pub struct Group(bindings::genl_multicast_group);

impl Group {
    /// A group that anybody may join.
    #[inline] // Evaluated at compile time only: no code is made of it.
    pub const fn new(name: &'static CStr) -> Group {
        Self::with_flags(name, 0)
    }

    /// A group that only those may join who have CAP_NET_ADMIN in the user namespace that owns the network namespace
    /// (`GENL_MCAST_CAP_NET_ADMIN`): for what not everybody may know.
    #[inline] // As above.
    pub const fn restricted(name: &'static CStr) -> Group {
        Self::with_flags(name, bindings::GENL_MCAST_CAP_NET_ADMIN)
    }

    #[inline] // As above.
    const fn with_flags(name: &'static CStr, flags: u8) -> Group {
        // SAFETY: Plain data.
        let mut group: bindings::genl_multicast_group = unsafe { core::mem::zeroed() };
        let bytes = name.to_bytes();
        // One byte is for the terminating zero.
        assert!(bytes.len() < group.name.len());
        let mut i = 0;
        while i < bytes.len() {
            // PANIC: Evaluated at compile time, and within bounds as just seen.
            #[allow(clippy::indexing_slicing)]
            {
                group.name[i] = bytes[i];
            }
            i += 1;
        }
        group.flags = flags;
        Group(group)
    }
}

/// Not initialised.
const FRESH: u32 = 0;
/// Initialised, and not registered.
const UNUSED: u32 = 1;
const BUSY: u32 = 2;
const REGISTERED: u32 = 3;

/// Where a family lives: a static, for the core writes the family's number into it and reads it as long as the
/// module is there.
///
/// # Invariants
///
/// `raw` is initialised by who took `state` from FRESH to BUSY, once: who has seen it REGISTERED may use it ever after.
/// From then on it is the core that writes to it.
pub struct Slot<F: Family> {
    raw: UnsafeCell<MaybeUninit<bindings::genl_family>>,
    state: AtomicU32,
    _family: PhantomData<fn() -> F>,
}

// SAFETY: Written by one, who is the only one as long as the state is BUSY; afterwards by the core, under its locks.
unsafe impl<F: Family> Sync for Slot<F> {}

impl<F: Family> Slot<F> {
    /// A family that is not registered.
    pub const fn new() -> Self {
        // INVARIANT: FRESH.
        Slot {
            raw: UnsafeCell::new(MaybeUninit::uninit()),
            state: AtomicU32::new(FRESH),
            _family: PhantomData,
        }
    }

    fn as_raw(&self) -> *mut bindings::genl_family {
        self.raw.get().cast()
    }

    /// Registers the family (`genl_register_family`). Process context; sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it is registered already, `EEXIST` if there is another family of this name, `ENOMEM`.
    pub fn register(&'static self, module: &'static ThisModule) -> Result<Registration<F>> {
        const {
            assert!(F::NAME.to_bytes().len() < bindings::GENL_NAMSIZ as usize);
            assert!(F::OPS.len() <= u8::MAX as usize && F::GROUPS.len() <= u8::MAX as usize);
            command::assert_sorted(F::OPS);
        }
        let take = |from| {
            self.state
                .compare_exchange(from, BUSY, Ordering::Acquire, Ordering::Relaxed)
        };
        if take(FRESH).is_ok() {
            // SAFETY: By the type invariant nobody else uses `raw`; tables and name live for ever.
            unsafe {
                bindings::netdev_genl_family_init(
                    self.as_raw(),
                    F::NAME.as_ptr().cast(),
                    u32::from(F::VERSION),
                    F::OPS.as_ptr().cast(),
                    F::OPS.len() as u8,
                    F::GROUPS.as_ptr().cast(),
                    F::GROUPS.len() as u8,
                    module.as_ptr().cast(),
                )
            };
        } else {
            take(UNUSED).map_err(|_| EBUSY)?;
        }
        // SAFETY: Initialised, now or before, and not registered: the state was neither BUSY nor REGISTERED.
        let ret = unsafe { bindings::genl_register_family(self.as_raw()) };
        if let Err(e) = to_result(ret) {
            self.state.store(UNUSED, Ordering::Release);
            return Err(e);
        }
        // INVARIANT: Initialised.
        self.state.store(REGISTERED, Ordering::Release);
        Ok(Registration(self))
    }

    /// Sends a notification to who has joined group number `group` in namespace `net`; `fill` writes it. Process
    /// context; may sleep.
    ///
    /// Nobody waits for slow receivers. Whoever misses a message (no memory here, no room there) is told so: its next
    /// `recvmsg()` fails with `ENOBUFS`. Where there are no listeners nothing is written, and where the family is not
    /// registered nothing happens.
    ///
    /// A caller that has to come before or after another one orders the two by a lock of its own. One that is not a
    /// command of the family has to have come to its end when the [`Registration`] is dropped: what is sent then may
    /// reach those who have joined a group that took the number of this one.
    pub fn notify(
        &'static self,
        net: &Net,
        group: usize,
        command: u8,
        fill: impl FnOnce(&mut Writer<'_>) -> Result,
    ) {
        self.send(net, group, command, bindings::GFP_KERNEL, fill);
    }

    /// As [`notify`](Self::notify), from the packet path. Dropping the [`Registration`] waits for it.
    pub fn notify_atomic(
        &'static self,
        net: &Net,
        group: usize,
        command: u8,
        _bh: &Bh<'_>,
        fill: impl FnOnce(&mut Writer<'_>) -> Result,
    ) {
        self.send(net, group, command, bindings::GFP_ATOMIC, fill);
    }

    /// Whether somebody in namespace `net` has joined group number `group`. Any context.
    pub fn has_listeners(&'static self, net: &Net, group: usize) -> bool {
        if self.state.load(Ordering::Acquire) != REGISTERED || group >= F::GROUPS.len() {
            return false;
        }
        // SAFETY: As in `send`.
        unsafe { bindings::netdev_genl_has_listeners(self.as_raw(), net.as_raw(), group as u32) }
    }

    fn send(
        &'static self,
        net: &Net,
        group: usize,
        command: u8,
        flags: bindings::gfp_t,
        fill: impl FnOnce(&mut Writer<'_>) -> Result,
    ) {
        if self.state.load(Ordering::Acquire) != REGISTERED || group >= F::GROUPS.len() {
            return;
        }
        let (family, net) = (self.as_raw(), net.as_raw());
        let group = group as u32;
        // SAFETY: The family is initialised by the type invariant; it is static, so it may be unregistered meanwhile,
        // but not go away. The namespace is alive. Its socket is, too, or is not released before a grace period that
        // the caller, who may not sleep, holds up.
        if !unsafe { bindings::netdev_genl_has_listeners(family, net, group) } {
            return;
        }
        let written = Buffer::new(family, 0, 0, command, flags).and_then(|mut buffer| {
            fill(&mut buffer.writer())?;
            Ok(buffer)
        });
        match written {
            Ok(buffer) => {
                let skb = buffer.finish();
                // SAFETY: As above. The packet is given away.
                unsafe { bindings::netdev_genl_multicast(family, net, skb.as_ptr(), group, flags) };
            }
            // SAFETY: As above.
            Err(_) => unsafe {
                bindings::netdev_genl_set_err(family, net, group, -(bindings::ENOBUFS as c_int));
            },
        }
    }
}

impl<F: Family> Default for Slot<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// A registered family. Dropping it unregisters it (`genl_unregister_family`) and waits for commands that run, and for
/// notifications from the packet path. Process context; sleeps.
pub struct Registration<F: Family>(&'static Slot<F>);

impl<F: Family> Drop for Registration<F> {
    fn drop(&mut self) {
        self.0.state.store(BUSY, Ordering::Release);
        // Whoever sends with softirqs off and has seen the family registered is through then, and nobody else begins
        // to.
        synchronize_net();
        // SAFETY: Registered by `register`.
        unsafe { bindings::genl_unregister_family(self.0.as_raw()) };
        self.0.state.store(UNUSED, Ordering::Release);
    }
}
