// SPDX-License-Identifier: GPL-2.0

//! Pools whose queue is gone while packets still have pages of theirs.
//!
//! The core keeps such a pool when it is destroyed: for as long as somebody leaves a packet unread, and with a work item of
//! its own each second. Nobody learns when it is over. So a pool stays here instead, empty but for the page it had begun, and
//! counts against the user namespace of its queue, until its pages are home; one work item looks after all of them.

use super::Raw;
use crate::quota::Apart;
use core::cell::UnsafeCell;
use kernel::prelude::*;
use netdev_sys as bindings;

/// How long a pool may wait that is not in the core's list any more until the log tells of it, in seconds, and how often it
/// does then: as the core does.
const TELL_SECONDS: u32 = 60;

/// Bytes of a pool beside its ring, about: its bookkeeping, and the page it has begun.
const POOL_BYTES: u64 = 2048 + bindings::PAGE_SIZE as u64;

/// A pool that nobody takes from any more.
pub(super) struct Retired {
    pool: Raw,
    /// Whether it is at the beginning of a page, which nobody has a piece of.
    page_ended: bool,
    /// How often it was looked at, once a second, since nobody can see it.
    unseen: u32,
    /// What it counts as.
    charge: Option<Apart>,
}

impl Retired {
    /// Of a pool that is linked to no NAPI instance, and whose ring has room for so many pages. Process context; sleeps.
    pub(super) fn new(pool: Raw, charge: Option<Apart>) -> Self {
        Retired {
            pool,
            page_ended: false,
            unseen: 0,
            charge,
        }
    }

    /// Whether nobody has a page of it. Frees what has come home. Process context; sleeps.
    fn is_home(&mut self) -> bool {
        let pool = self.pool.as_ptr();
        // SAFETY: Valid, unlinked, and nobody else's.
        unsafe {
            self.page_ended = self.page_ended || bindings::netdev_page_pool_end_page(pool);
            bindings::netdev_page_pool_drain(pool) <= 0 && self.page_ended
        }
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

    /// Destroys it if nobody has a page of it, keeps it otherwise. Process context; sleeps.
    pub(super) fn settle(mut self) {
        if self.is_home() {
            return;
        }
        with_waiting(|waiting| {
            if !waiting.open || waiting.pools.reserve(1, GFP_KERNEL).is_err() {
                // The core keeps it.
                return;
            }
            let bytes = POOL_BYTES.saturating_add(self.pool.ring_bytes());
            // Without memory it counts as nothing.
            let _ = self.charge.as_mut().map(|charge| charge.add(bytes));
            let _ = waiting.pools.push_within_capacity(self);
            // SAFETY: Open, so the work item is set up.
            unsafe { bindings::netdev_retired_look() };
        });
    }
}

/// Those that wait for their pages.
struct Waiting {
    /// Whether there is a [`Retirement`], with a work item that is set up.
    there: bool,
    /// Whether that does not go yet: pools are taken, and the work item may be started.
    open: bool,
    pools: KVec<Retired>,
    /// How often they were looked at since the log was last told.
    untold: u32,
}

/// The list, behind a mutex of the C side's.
struct List(UnsafeCell<Waiting>);

// SAFETY: The content is reached with the mutex only.
unsafe impl Sync for List {}

static LIST: List = List(UnsafeCell::new(Waiting {
    there: false,
    open: false,
    pools: KVec::new(),
    untold: 0,
}));

/// Runs `f` on the list. Process context; sleeps. The mutex is taken before those of quotas and of the core's pools.
fn with_waiting<R>(f: impl FnOnce(&mut Waiting) -> R) -> R {
    // SAFETY: Balanced below.
    unsafe { bindings::netdev_retired_lock() };
    // SAFETY: The mutex is held, and `f` has no way to get here again.
    let r = f(unsafe { &mut *LIST.0.get() });
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
        let pools = with_waiting(|waiting| {
            waiting.open = false;
            core::mem::take(&mut waiting.pools)
        });
        // SAFETY: Set up in `new`; started with `open` set only.
        unsafe { bindings::netdev_retired_exit() };
        with_waiting(|waiting| waiting.there = false);
        // The core keeps those that are not home.
        drop(pools);
    }
}

/// Destroys those whose pages are home.
///
/// # Safety
///
/// The work queue's call.
unsafe extern "C" fn look(_work: *mut bindings::work_struct) {
    with_waiting(|waiting| {
        let mut i = 0usize;
        while let Some(pool) = waiting.pools.get_mut(i) {
            if !pool.is_home() {
                i = i.wrapping_add(1);
                continue;
            }
            // The last one takes its place, unless it is the last.
            let last = waiting.pools.pop();
            if let (Some(place), Some(last)) = (waiting.pools.get_mut(i), last) {
                *place = last;
            }
        }
        let pools = waiting.pools.iter_mut();
        let count = pools.fold(0u32, |n, pool| n.wrapping_add(pool.is_suspicious().into()));
        waiting.untold = waiting.untold.saturating_add(1);
        if count > 0 && waiting.untold >= TELL_SECONDS {
            waiting.untold = 0;
            pr_warn!("{count} page pools whose namespace is gone wait for packets to be freed\n");
        }
        if !waiting.open {
            return;
        }
        if waiting.pools.is_empty() {
            waiting.pools = KVec::new();
        } else {
            // SAFETY: Open, so the work item is set up.
            unsafe { bindings::netdev_retired_look() };
        }
    });
}
