// SPDX-License-Identifier: GPL-2.0

//! Pools whose queue is gone while packets still have pages of theirs.
//!
//! The core keeps such a pool when it is destroyed: for as long as somebody leaves a packet unread, and with a work
//! item of its own each second. Nobody learns when it is over. So a pool stays here instead, empty but for the page it
//! had begun, and counts against the user namespace of its queue, until its pages are home; one work item looks after
//! all of them.

use crate::quota::Apart;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use kernel::prelude::*;
use netdev_sys as bindings;

/// How long a pool may wait that is not in the core's list any more until the log tells of it, in seconds, and how
/// often it does then: as the core does.
const TELL_SECONDS: u32 = 60;

/// Bytes of a pool beside its ring and what each CPU counts, about: its bookkeeping, and the page it has begun.
const POOL_BYTES: u64 = 2048 + bindings::PAGE_SIZE as u64;

/// A pool, with what it needs to be kept when its queue is gone: so that never fails. Dropping it destroys it, in
/// process context; the core keeps it while packets have pages of it.
///
/// # Invariants
///
/// The pointer is that of a pool made by `page_pool_create` and not destroyed. Its only user is who has this value, or
/// has lent it to a [`PagePool`](super::PagePool).
pub(super) struct Retired {
    pool: NonNull<bindings::page_pool>,
    /// What it counts as.
    charge: Option<Apart>,
    /// How often it was looked at, once a second, since nobody can see it.
    unseen: u32,
    /// Those behind it in a list.
    next: Option<KBox<Retired>>,
}

// SAFETY: A pool is not tied to a CPU or context, only to one user at a time.
unsafe impl Send for Retired {}

impl Retired {
    /// Of a pool that is in use.
    ///
    /// # Safety
    ///
    /// The pool was made by `page_pool_create`, and is from now on this value's.
    pub(super) unsafe fn new(pool: NonNull<bindings::page_pool>, charge: Option<Apart>) -> Self {
        // INVARIANT: By the caller's promise.
        Retired {
            pool,
            charge,
            unseen: 0,
            next: None,
        }
    }

    /// Bytes of it that no packet is charged for.
    fn bytes(&self) -> u64 {
        // SAFETY: By the type invariant; never written.
        let pages = unsafe { (*self.pool.as_ptr()).p.pool_size };
        let ring = u64::from(pages).saturating_mul(size_of::<*mut c_void>() as u64);
        // SAFETY: As above.
        let each_cpu = unsafe { bindings::netdev_page_pool_percpu_bytes() };
        POOL_BYTES.saturating_add(ring).saturating_add(each_cpu)
    }

    /// Whether nobody has a page of it, when it has ended the page it had begun. Frees what has come home. Process
    /// context; sleeps.
    fn is_home(&mut self) -> bool {
        // SAFETY: Valid, unlinked, and nobody else's.
        unsafe { bindings::netdev_page_pool_drain(self.pool.as_ptr()) <= 0 }
    }

    /// Whether it has waited for so long, where nobody can see it, that the log should tell of it.
    fn is_suspicious(&mut self) -> bool {
        // SAFETY: Valid.
        if unsafe { bindings::netdev_page_pool_is_listed(self.pool.as_ptr()) } {
            return false;
        }
        self.unseen = self.unseen.saturating_add(1);
        self.unseen >= TELL_SECONDS
    }

    /// Destroys it if nobody has a page of it, keeps it otherwise. It is linked to no NAPI instance, and nobody uses it
    /// any more. Process context; sleeps.
    pub(super) fn settle(mut this: KBox<Self>) {
        // SAFETY: Valid, and nobody else's.
        unsafe { bindings::netdev_page_pool_end_page(this.pool.as_ptr()) };
        if this.is_home() {
            return;
        }
        let bytes = this.bytes();
        with_waiting(|waiting| {
            if !waiting.open {
                // The core keeps it.
                return;
            }
            // It can't be refused where the port counts, which is still there.
            let _ = this.charge.as_mut().map(|charge| charge.add(bytes));
            waiting.pools.push(this);
            // SAFETY: Open, so the work item is set up.
            unsafe { bindings::netdev_retired_look() };
        });
    }
}

impl Drop for Retired {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::page_pool_destroy(self.pool.as_ptr()) };
    }
}

/// A list of pools, of any length.
struct List(Option<KBox<Retired>>);

impl List {
    fn push(&mut self, mut pool: KBox<Retired>) {
        pool.next = self.0.take();
        self.0 = Some(pool);
    }

    fn pop(&mut self) -> Option<KBox<Retired>> {
        let mut first = self.0.take()?;
        self.0 = first.next.take();
        Some(first)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // One by one: each would drop those behind it, on the same stack.
        while self.pop().is_some() {}
    }
}

/// Those that wait for their pages.
struct Waiting {
    /// Whether there is a [`Retirement`], with a work item that is set up.
    there: bool,
    /// Whether that does not go yet: pools are taken, and the work item may be started.
    open: bool,
    pools: List,
    /// How often they were looked at since the log was last told.
    untold: u32,
}

/// Them, behind a mutex of the C side's.
struct Guarded(UnsafeCell<Waiting>);

// SAFETY: The content is reached with the mutex only.
unsafe impl Sync for Guarded {}

static WAITING: Guarded = Guarded(UnsafeCell::new(Waiting {
    there: false,
    open: false,
    pools: List(None),
    untold: 0,
}));

/// Runs `f` on those that wait. Process context; sleeps. The mutex is taken under RTNL, and before those of quotas and
/// of the core's pools; so it is not held for long.
fn with_waiting<R>(f: impl FnOnce(&mut Waiting) -> R) -> R {
    // SAFETY: Balanced below.
    unsafe { bindings::netdev_retired_lock() };
    // SAFETY: The mutex is held, and `f` has no way to get here again.
    let r = f(unsafe { &mut *WAITING.0.get() });
    // SAFETY: Locked above.
    unsafe { bindings::netdev_retired_unlock() };
    r
}

/// Has pools that are dropped while packets have pages of theirs looked after. A module has one, for as long as it has
/// pools. Without it, and when it goes, they are left to the core.
pub struct Retirement(());

impl Retirement {
    /// Begins. Process context.
    ///
    /// # Errors
    ///
    /// `EBUSY` if there is one.
    pub fn new() -> Result<Self> {
        with_waiting(|waiting| {
            if waiting.there {
                return Err(EBUSY);
            }
            (waiting.there, waiting.open) = (true, true);
            // SAFETY: Nobody has started it, or its end was waited for.
            unsafe { bindings::netdev_retired_init(Some(look)) };
            Ok(Retirement(()))
        })
    }
}

impl Drop for Retirement {
    /// Process context; sleeps.
    fn drop(&mut self) {
        with_waiting(|waiting| waiting.open = false);
        // SAFETY: Set up in `new`; started with `open` set only.
        unsafe { bindings::netdev_retired_exit() };
        let pools = with_waiting(|waiting| {
            waiting.there = false;
            core::mem::replace(&mut waiting.pools, List(None))
        });
        // The core keeps those that are not home.
        drop(pools);
    }
}

/// Destroys those whose pages are home. They may be many, and nobody waits for it meanwhile.
///
/// # Safety
///
/// The work queue's call.
unsafe extern "C" fn look(_work: *mut bindings::work_struct) {
    let mut pools = with_waiting(|waiting| core::mem::replace(&mut waiting.pools, List(None)));
    let (mut kept, mut count) = (List(None), 0u32);
    while let Some(mut pool) = pools.pop() {
        // SAFETY: Process context, and nothing is held.
        unsafe { bindings::netdev_cond_resched() };
        if !pool.is_home() {
            count = count.wrapping_add(pool.is_suspicious().into());
            kept.push(pool);
        }
    }
    with_waiting(|waiting| {
        while let Some(pool) = kept.pop() {
            waiting.pools.push(pool);
        }
        waiting.untold = waiting.untold.saturating_add(1);
        if count > 0 && waiting.untold >= TELL_SECONDS {
            waiting.untold = 0;
            pr_warn!("{count} page pools whose namespace is gone wait for packets to be freed\n");
        }
        if waiting.open && waiting.pools.0.is_some() {
            // SAFETY: Open, so the work item is set up.
            unsafe { bindings::netdev_retired_look() };
        }
    });
}
