// SPDX-License-Identifier: GPL-2.0

//! Transmit queues of the core.
//!
//! C headers: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h),
//! [`include/net/netdev_queues.h`](srctree/include/net/netdev_queues.h)

use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::types::NotThreadSafe;
use netdev_sys as bindings;

/// A transmit queue (`struct netdev_queue`).
///
/// # Invariants
///
/// The pointer is that of a queue of a device that lives at least for `'a`.
#[derive(Clone, Copy)]
pub struct Queue<'a>(NonNull<bindings::netdev_queue>, PhantomData<&'a ()>);

impl Queue<'_> {
    /// # Safety
    ///
    /// The queue is one of a device that lives for the lifetime of the returned value.
    #[inline]
    pub(crate) unsafe fn from_raw(q: NonNull<bindings::netdev_queue>) -> Self {
        // INVARIANT: By the caller's promise.
        Queue(q, PhantomData)
    }

    #[inline(always)]
    fn raw(&self) -> *mut bindings::netdev_queue {
        self.0.as_ptr()
    }

    /// Reports completed frames to byte queue limits (`netdev_txq_completed_mb`). A full barrier if `bytes` is
    /// not 0: whoever stops the queue after it sees the ring as it is now.
    ///
    /// To be called by one context at a time, with no more bytes than [`TxQueue::sent`] was told since the queue was
    /// [`reset`](Self::reset): what is beyond is left out, with a warning.
    #[inline]
    pub fn completed(&self, frames: u32, bytes: u32) {
        // SAFETY: By the type invariant.
        unsafe { bindings::netdev_tx_completed_queue(self.raw(), frames, bytes) };
    }

    /// Whether the driver stopped the queue.
    #[inline]
    pub fn is_stopped(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { bindings::netif_tx_queue_stopped(self.raw()) }
    }

    /// Whether the queue may not send now, by the driver or by byte queue limits.
    #[inline]
    pub fn is_held(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { bindings::netif_xmit_stopped(self.raw()) }
    }

    /// Lets a stopped queue run and its qdisc send (`netif_tx_wake_queue`). Softirqs off.
    #[inline]
    pub fn wake(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::netif_tx_wake_queue(self.raw()) };
    }

    /// Lets a stopped queue run (`netif_tx_start_queue`); its qdisc is not told.
    pub fn start(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::netif_tx_start_queue(self.raw()) };
    }

    /// Tells the watchdog that the queue has moved (`txq_trans_cond_update`).
    #[inline]
    pub fn touch(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::netdev_txq_trans_cond_update(self.raw()) };
    }

    /// Forgets what byte queue limits know: the ring is empty (`netdev_tx_reset_queue`).
    pub fn reset(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::netdev_tx_reset_queue(self.raw()) };
    }
}

/// A transmit queue whose lock is held (`HARD_TX_LOCK`).
pub struct TxQueue<'a> {
    queue: Queue<'a>,
    index: u16,
    _not_thread_safe: PhantomData<NotThreadSafe>,
}

impl<'a> TxQueue<'a> {
    /// # Safety
    ///
    /// `queue` is number `index` of its device, and its lock is held for the lifetime of the returned value.
    #[inline]
    pub(crate) unsafe fn assume(queue: Queue<'a>, index: u16) -> Self {
        TxQueue {
            queue,
            index,
            _not_thread_safe: PhantomData,
        }
    }

    /// Its number.
    #[inline(always)]
    pub fn index(&self) -> u16 {
        self.index
    }

    /// The queue itself.
    #[inline(always)]
    pub fn queue(&self) -> &Queue<'a> {
        &self.queue
    }

    /// Whether the stack has more for this queue at once, so that a doorbell can wait (`netdev_xmit_more`).
    #[inline]
    pub fn xmit_more(&self) -> bool {
        // SAFETY: Reads a per-CPU flag; the queue's lock keeps this CPU.
        unsafe { bindings::netdev_xmit_more() }
    }

    /// Reports `bytes` handed to the device; returns whether the doorbell must be rung now
    /// (`__netdev_tx_sent_queue`).
    #[inline]
    pub fn sent(&mut self, bytes: u32, more: bool) -> bool {
        // SAFETY: The lock of the queue is held.
        unsafe { bindings::netdev_tx_sent_queue(self.queue.raw(), bytes, more) }
    }

    /// Stops the queue: the stack does not send to it until [`Queue::wake`].
    pub fn stop(&mut self) {
        // SAFETY: The lock of the queue is held.
        unsafe { bindings::netif_tx_stop_queue(self.queue.raw()) };
    }

    /// Stops the queue if `free` finds fewer than `stop` descriptors, unless at least `start` have become free
    /// meanwhile (`netif_txq_maybe_stop`). Returns whether it is stopped now.
    ///
    /// `free` is called again after the stop can be seen, so the waker cannot be missed.
    #[inline]
    pub fn maybe_stop(&mut self, stop: u32, start: u32, mut free: impl FnMut() -> u32) -> bool {
        if free() >= stop {
            return false;
        }
        // SAFETY: The lock of the queue is held.
        unsafe { bindings::netif_tx_stop_queue(self.queue.raw()) };
        // Pairs with the barrier in `Queue::completed`.
        crate::sync::smp_mb();
        if free() >= start {
            // SAFETY: As above.
            unsafe { bindings::netif_tx_start_queue(self.queue.raw()) };
            return false;
        }
        true
    }
}
