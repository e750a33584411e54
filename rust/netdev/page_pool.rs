// SPDX-License-Identifier: GPL-2.0

//! Page pools: memory for receive buffers that comes back.
//!
//! C header: [`include/net/page_pool/helpers.h`](srctree/include/net/page_pool/helpers.h)
//!
//! A [`PagePool`] belongs to one receive queue; a [`Buffer`] is a piece of one of its pages, owned by
//! whoever holds the value: the driver, a ring, or, once it became part of a packet, the stack. Dropping it gives
//! it back. Buffers outlive their pool: a pool that is dropped before its last page is home is kept until then, by
//! [`Retirement`] or by the core, also beyond the unloading of the module.
//!
//! Who has `&mut PagePool` allocates; the pool's cache has no lock. Once the pool is linked to a NAPI instance, pages
//! come back into that cache in the softirq of the instance; from then on only its poll allocates. The pool is to be
//! kept in the state that [`napi`] protects.

mod retired;

use retired::Retired;
pub use retired::Retirement;

use crate::device::{Driver, Locked};
use crate::napi::{self, Gate};
use crate::quota::Apart;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::slice;
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev_sys as bindings;

/// A pool of pages.
///
/// # Invariants
///
/// The pointer is that of the pool in `kept`, which is there until this is dropped, and has no other user.
pub struct PagePool {
    pool: NonNull<bindings::page_pool>,
    /// The instance it is linked to, which the pool has a pointer to.
    linked: Option<Arc<dyn Linked>>,
    /// Since when it has not (`get_state_synchronize_rcu`): who frees a page may have looked before, and goes on for a
    /// grace period.
    parted: Option<c_ulong>,
    /// The pool, and what will keep it.
    kept: Option<KBox<Retired>>,
}

// SAFETY: A pool is not tied to a CPU or context, only to one user at a time, which `&mut` ensures.
unsafe impl Send for PagePool {}

/// An instance, whatever its handler.
trait Linked: Send + Sync {
    /// Whether it is enabled.
    fn gate(&self) -> &Gate;
}

impl<H: napi::Handler> Linked for napi::Instance<H> {
    fn gate(&self) -> &Gate {
        napi::Instance::gate(self)
    }
}

impl PagePool {
    /// Makes a pool of single pages for receive queue `queue` of `dev`, whose ring has `len` buffers.
    ///
    /// It belongs to no NAPI instance yet: see [`link`](Self::link). If packets still have pages of it when it is
    /// dropped, what it takes beside them is added to `charge`, which is dropped when they are home, if there is a
    /// [`Retirement`]. Process context.
    ///
    /// # Errors
    ///
    /// `ENODEV` if the device is being unregistered: the core has parted it from its pools then, or is about to.
    /// `ENOMEM`, and what else the core may say.
    pub fn new<D: Driver>(
        dev: &mut Locked<'_, D>,
        queue: u32,
        len: u32,
        charge: Option<Apart>,
    ) -> Result<Self> {
        // The instance lock, which `dev` shows, keeps this answer.
        if !dev.is_registered() {
            return Err(ENODEV);
        }
        let mut params = bindings::page_pool_params::default();
        // SAFETY: Both members of the unions have the same layout (struct_group), and all fields are plain data.
        unsafe {
            let fast = &mut params.__bindgen_anon_1.__bindgen_anon_1;
            fast.pool_size = len;
            fast.nid = bindings::NUMA_NO_NODE;
            fast.dma_dir = bindings::dma_data_direction_DMA_FROM_DEVICE;
            let slow = &mut params.__bindgen_anon_2.__bindgen_anon_1;
            slow.netdev = dev.as_raw();
            slow.queue_idx = queue;
        }
        // SAFETY: The parameters are valid; the device outlives the pool's use of it, since the core unlinks both when
        // a device goes that was registered after the pool was made.
        let pool = unsafe { bindings::page_pool_create(&params) };
        let pool = NonNull::new(kernel::error::from_err_ptr(pool)?).ok_or(ENOMEM)?;
        // SAFETY: Just made.
        let kept = unsafe { Retired::new(pool, charge) };
        // INVARIANT: It is that one's.
        Ok(PagePool {
            pool,
            linked: None,
            parted: None,
            kept: Some(KBox::new(kept, GFP_KERNEL_ACCOUNT)?),
        })
    }

    /// Says which instance polls the queue: pages that the stack frees in its softirq come back without a lock from
    /// now on (`page_pool_enable_direct_recycling`). The instance has to be disabled; if it is not, or the pool
    /// has one already, nothing happens.
    pub fn link<H: napi::Handler>(&mut self, owner: &mut napi::Owner<H>) {
        if self.linked.is_some() || owner.handler().is_none() {
            return;
        }
        let instance = owner.instance().clone();
        // SAFETY: Both are valid, and the instance is disabled. The pool is parted from it, and a grace period has
        // passed, before the reference to it is given up.
        unsafe {
            bindings::page_pool_enable_direct_recycling(self.pool.as_ptr(), instance.as_raw())
        };
        self.linked = Some(instance);
    }

    /// Parts it from the instance it is linked to, which is disabled; if it is not, or the pool has none, nothing
    /// happens. It gives no more buffers. To be called where a grace period follows that would be waited for otherwise
    /// when the pool is dropped ([`napi::Handler::part`]). Process context; sleeps.
    pub fn part(&mut self) {
        let (pool, parted) = (self.pool.as_ptr(), &mut self.parted);
        let Some(instance) = self.linked.as_ref().filter(|_| parted.is_none()) else {
            return;
        };
        instance.gate().unless_enabled(|| {
            // SAFETY: Valid, and the instance is disabled.
            unsafe { bindings::page_pool_disable_direct_recycling(pool) };
            // SAFETY: Any context.
            *parted = Some(unsafe { bindings::get_state_synchronize_rcu() });
        });
    }

    fn alloc(&mut self, len: u32, gfp: bindings::gfp_t) -> Option<Buffer> {
        // The core takes any number, also none; packets want their parts aligned.
        let mut size = len
            .max(1)
            .checked_next_multiple_of(bindings::SMP_CACHE_BYTES)?;
        // SAFETY: `&mut self` makes this the pool's only user.
        let va = unsafe { bindings::netdev_page_pool_alloc_va(self.pool.as_ptr(), &mut size, gfp) };
        Some(Buffer {
            va: NonNull::new(va.cast())?,
            len: size,
        })
    }

    /// Takes a buffer of at least `len` bytes, at most a page, in the poll of the instance that the pool is linked to.
    /// `None` if there is no memory, or this is the poll of another one.
    #[inline]
    pub fn alloc_polled<H: napi::Handler>(
        &mut self,
        len: u32,
        poll: &napi::Poll<'_, H>,
    ) -> Option<Buffer> {
        // SAFETY: Valid; written by `link` and `part` only, with `&mut self`.
        let napi = unsafe { (*self.pool.as_ptr()).p.napi };
        if napi != poll.napi() {
            return None;
        }
        self.alloc(len, bindings::GFP_ATOMIC | bindings::__GFP_NOWARN)
    }

    /// Takes a buffer in process context, before the pool is linked.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it is linked, `ENOMEM`.
    pub fn alloc_unlinked(&mut self, len: u32) -> Result<Buffer> {
        if self.linked.is_some() {
            return Err(EBUSY);
        }
        self.alloc(len, bindings::GFP_KERNEL | bindings::__GFP_NOWARN)
            .ok_or(ENOMEM)
    }
}

impl Drop for PagePool {
    /// Process context; sleeps. The pool's NAPI instance is to be disabled: in its softirq pages come back into the
    /// cache that is emptied here. If it is not, the pool stays for ever, and so does the instance.
    fn drop(&mut self) {
        self.part();
        match (self.linked.take(), self.parted) {
            (Some(instance), None) => {
                pr_err!("a page pool was dropped while its NAPI instance was enabled\n");
                core::mem::forget(instance);
                core::mem::forget(self.kept.take());
                return;
            }
            // SAFETY: Process context. Whoever saw the instance here is through when it returns: nobody puts a page
            // into the cache, and the instance may go.
            (_, Some(then)) => unsafe { bindings::cond_synchronize_rcu_expedited(then) },
            (None, None) => (),
        }
        if let Some(kept) = self.kept.take() {
            Retired::settle(kept);
        }
    }
}

/// A piece of a page of a pool.
///
/// Its content is whatever was there before. It is to be dropped in any context but a hard interrupt: one that is
/// dropped there is lost.
///
/// # Invariants
///
/// `va` points to `len` bytes of a page of a pool, and this value owns one reference of that page's fragments.
pub struct Buffer {
    va: NonNull<u8>,
    len: u32,
}

// SAFETY: Pages are not tied to a CPU or context.
unsafe impl Send for Buffer {}
// SAFETY: `&Buffer` only reads.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Its size in bytes.
    #[inline(always)]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Never.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: By the type invariant; memory of the page allocator is initialised as far as the compiler knows.
        unsafe { slice::from_raw_parts(self.va.as_ptr(), self.len as usize) }
    }

    /// The bytes, to be written.
    #[inline(always)]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: As in `bytes`; `&mut self` is the only way to the buffer.
        unsafe { slice::from_raw_parts_mut(self.va.as_ptr(), self.len as usize) }
    }

    /// Gives the buffer to C code.
    #[inline(always)]
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).va
    }

    /// Takes a buffer back from C code.
    ///
    /// # Safety
    ///
    /// The pair is what [`into_raw`](Self::into_raw) and [`len`](Self::len) gave, and nobody else has it.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(va: NonNull<u8>, len: u32) -> Self {
        // INVARIANT: By the caller's promise.
        Buffer { va, len }
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The fragment is owned and given back. In the softirq of the pool's instance it goes into the cache
        // that belongs to that softirq, elsewhere through the pool's lock; in a hard interrupt, which may have come in
        // between, nothing happens but a warning.
        unsafe { bindings::netdev_page_pool_put_va(self.va.as_ptr().cast()) };
    }
}
