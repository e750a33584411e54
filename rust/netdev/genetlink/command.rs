// SPDX-License-Identifier: GPL-2.0

//! Commands: what the specification says of them, and what is done.

use super::{Batch, Context, Family};
use crate::errno::from_result;
use crate::netlink::Policy;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use kernel::prelude::*;
use netdev_sys as bindings;

/// Who may send a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Anybody.
    Any,
    /// Who has CAP_NET_ADMIN in the user namespace that owns the network namespace (`GENL_UNS_ADMIN_PERM`).
    NamespaceAdmin,
    /// Who has CAP_NET_ADMIN in the initial user namespace (`GENL_ADMIN_PERM`).
    Admin,
}

/// What the specification says of a command.
pub trait Spec: 'static {
    /// The family.
    type Family: Family;

    /// What the attributes of a request become.
    type Request<'a>;

    /// Number of the command.
    const COMMAND: u8;

    /// Who may send it.
    const PERMISSION: Permission;

    /// The attributes a request may have, by number; the one at 0 is never looked at.
    const POLICY: &'static [Policy];

    /// Numbers of attributes that may come more than once.
    const MULTI: &'static [u16] = &[];

    /// Reads the attributes, which the policy has passed.
    fn parse<'a>(context: &Context<'a, Self::Family>) -> Result<Self::Request<'a>>;
}

/// A command that is done once.
pub trait Do: Spec {
    /// Does it. Process context; may sleep, and may run in parallel to everything else.
    ///
    /// # Errors
    ///
    /// What the sender gets, together with what the context's [`extack`](Context::extack) was told. Nothing has changed
    /// then.
    fn run(request: Self::Request<'_>, context: &Context<'_, Self::Family>) -> Result;
}

/// A command that is answered with many messages.
pub trait Dump: Spec {
    /// Where it is, from one batch to the next: at most 48 bytes (`NETLINK_CTX_SIZE`).
    type State: Send + 'static;

    /// Begins. Process context; may sleep.
    ///
    /// # Errors
    ///
    /// As for [`Do::run`]; there are no messages then.
    fn start(
        request: Self::Request<'_>,
        context: &Context<'_, Self::Family>,
    ) -> Result<Self::State>;

    /// Writes messages from where `state` is, and moves it on with each. Process context; may sleep.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the batch is full: called again with another one, unless not even one message fits into an empty
    /// one. Any other error ends the dump. `Ok`: that was all.
    fn fill(state: &mut Self::State, batch: &mut Batch<'_, Self::Family>) -> Result;
}

/// An entry in the table of commands (`struct genl_split_ops`).
#[repr(transparent)]
pub struct Op<F>(bindings::genl_split_ops, PhantomData<fn() -> F>);

// SAFETY: Constant data.
unsafe impl<F> Sync for Op<F> {}

impl<F: Family> Op<F> {
    const fn new<C: Spec<Family = F>>(
        kind: u32,
        callbacks: bindings::genl_split_ops__bindgen_ty_1,
    ) -> Self {
        let permission = match C::PERMISSION {
            Permission::Any => 0,
            Permission::NamespaceAdmin => bindings::GENL_UNS_ADMIN_PERM,
            Permission::Admin => bindings::GENL_ADMIN_PERM,
        };
        let max = C::POLICY.len().saturating_sub(1);
        Op(
            bindings::genl_split_ops {
                __bindgen_anon_1: callbacks,
                // Without a policy the core refuses all attributes.
                policy: if max == 0 {
                    ptr::null()
                } else {
                    C::POLICY.as_ptr().cast()
                },
                maxattr: max as u32,
                cmd: C::COMMAND,
                internal_flags: 0,
                flags: (kind | permission) as u8,
                validate: 0,
            },
            PhantomData,
        )
    }

    /// The entry of a command that is done once.
    pub const fn run<C: Do<Family = F>>() -> Self {
        Self::new::<C>(
            bindings::GENL_CMD_CAP_DO,
            bindings::genl_split_ops__bindgen_ty_1 {
                __bindgen_anon_1: bindings::genl_split_ops__bindgen_ty_1__bindgen_ty_1 {
                    pre_doit: None,
                    doit: Some(doit::<C>),
                    post_doit: None,
                },
            },
        )
    }

    /// The entry of a command that dumps.
    pub const fn dump<C: Dump<Family = F>>() -> Self {
        const {
            assert!(size_of::<C::State>() <= bindings::NETLINK_CTX_SIZE as usize);
            assert!(
                align_of::<C::State>() <= align_of::<bindings::netlink_callback__bindgen_ty_1>()
            );
        }
        Self::new::<C>(
            bindings::GENL_CMD_CAP_DUMP,
            bindings::genl_split_ops__bindgen_ty_1 {
                __bindgen_anon_2: bindings::genl_split_ops__bindgen_ty_1__bindgen_ty_2 {
                    start: Some(start::<C>),
                    dumpit: Some(dumpit::<C>),
                    done: Some(done::<C>),
                },
            },
        )
    }

    /// What orders entries: the number, a dump after what is done once.
    const fn order(&self) -> u32 {
        let dump = self.0.flags as u32 & bindings::GENL_CMD_CAP_DUMP != 0;
        self.0.cmd as u32 * 2 + dump as u32
    }
}

/// Fails to compile if the core would refuse the table.
pub(super) const fn assert_sorted<F: Family>(ops: &[Op<F>]) {
    let mut rest = ops;
    while let [a, tail @ ..] = rest {
        if let [b, ..] = tail {
            assert!(a.order() < b.order());
        }
        rest = tail;
    }
}

/// # Safety
///
/// The core's call of `doit` for a command that `C` is.
unsafe extern "C" fn doit<C: Do>(
    skb: *mut bindings::sk_buff,
    info: *mut bindings::genl_info,
) -> c_int {
    // SAFETY: The core never passes NULL; the policy was that of `C`.
    let context = unsafe {
        Context::from_raw(
            NonNull::new_unchecked(skb),
            NonNull::new_unchecked(info),
            C::POLICY.len(),
        )
    };
    let run = || {
        context.check_unique(C::MULTI)?;
        C::run(C::parse(&context)?, &context)
    };
    from_result(run())
}

/// Where the core keeps a dump's state.
///
/// # Safety
///
/// `cb` is valid, and of a dump by `C`.
unsafe fn state<C: Dump>(cb: *mut bindings::netlink_callback) -> *mut C::State {
    // SAFETY: By the caller's promise. It fits, as `Op::dump` asserts.
    unsafe { (&raw mut (*cb).__bindgen_anon_1).cast() }
}

/// What is known of the request of a dump.
///
/// # Safety
///
/// `cb` is what the core passes to a callback of a dump by `C`, valid for `'a`.
unsafe fn context_of<'a, C: Dump>(cb: *mut bindings::netlink_callback) -> Context<'a, C::Family> {
    // SAFETY: By the caller's promise. The core keeps the request and the information until the dump is done.
    unsafe {
        let info = bindings::genl_info_dump(cb).cast_mut();
        Context::from_raw(
            NonNull::new_unchecked((*cb).skb),
            NonNull::new_unchecked(info),
            C::POLICY.len(),
        )
    }
}

/// # Safety
///
/// The core's call of `start`, before a dump by `C`.
unsafe extern "C" fn start<C: Dump>(cb: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: The core's own call.
    let context = unsafe { context_of::<C>(cb) };
    let begin = || {
        context.check_unique(C::MULTI)?;
        C::start(C::parse(&context)?, &context)
    };
    match begin() {
        Ok(first) => {
            // SAFETY: Room for it, not initialised before; `done` drops it, which the core calls exactly once, as this
            // succeeds.
            unsafe { state::<C>(cb).write(first) };
            0
        }
        Err(e) => e.to_errno(),
    }
}

/// # Safety
///
/// The core's call of `dumpit`, for a dump by `C`.
unsafe extern "C" fn dumpit<C: Dump>(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: The core's own call, after `start` succeeded and before `done`; it holds the lock of the socket's dump,
    // so the state is not shared.
    unsafe {
        let mut batch = Batch::from_raw(
            NonNull::new_unchecked(skb),
            NonNull::new_unchecked(cb),
            context_of::<C>(cb),
        );
        from_result(C::fill(&mut *state::<C>(cb), &mut batch))
    }
}

/// # Safety
///
/// The core's call of `done`, after a dump by `C`.
unsafe extern "C" fn done<C: Dump>(cb: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: `start` has initialised it; nobody uses it afterwards.
    unsafe { state::<C>(cb).drop_in_place() };
    0
}
