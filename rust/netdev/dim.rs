// SPDX-License-Identifier: GPL-2.0

//! Dynamic interrupt moderation: the kernel's DIM library.
//!
//! C header: [`include/linux/dim.h`](srctree/include/linux/dim.h)
//!
//! A poll tells [`Dim::sample`] what it has counted so far. Now and then the library finds that another moderation
//! would serve better; then [`Target::apply`] is called from a work queue, and measuring starts again.

use crate::napi::{Handler, Poll};
use core::mem::offset_of;
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// What is moderated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Reception.
    Rx,
    /// Completions.
    Tx,
}

/// A moderation (`struct dim_cq_moder`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moderation {
    /// Microseconds an interrupt may be held back.
    pub usecs: u16,
    /// Packets after which it is not.
    pub packets: u16,
}

/// Who applies a moderation.
pub trait Target: Send + Sync + 'static {
    /// Applies it. Process context, not under any lock of the device's.
    fn apply(&self, moderation: Moderation);
}

/// An instance for one queue and direction, owned by what the queue's poll owns.
///
/// Dropping it waits for the work item: process context.
pub struct Dim<T: Target>(Pin<KBox<Inner<T>>>);

#[pin_data(PinnedDrop)]
#[repr(C)]
struct Inner<T: Target> {
    #[pin]
    raw: Opaque<bindings::dim>,
    direction: Direction,
    target: T,
}

// SAFETY: The C part is not tied to a CPU or context.
unsafe impl<T: Target> Send for Inner<T> {}
// SAFETY: The C part is reached by C functions only, which cope with a poll and a work item at the same time.
unsafe impl<T: Target> Sync for Inner<T> {}

impl<T: Target> Dim<T> {
    /// Makes one that starts with the library's default profile. Process context.
    pub fn new(direction: Direction, target: T) -> Result<Self> {
        let inner = KBox::pin_init(
            pin_init!(Inner {
                raw <- Opaque::ffi_init(|slot: *mut bindings::dim| {
                    // SAFETY: Valid for writing; all zeros is a new instance, but for the work item.
                    unsafe {
                        slot.write_bytes(0, 1);
                        bindings::netdev_dim_init(slot, Some(Inner::<T>::work));
                    }
                }),
                direction,
                target,
            }),
            GFP_KERNEL_ACCOUNT,
        )?;
        Ok(Dim(inner))
    }

    /// Tells what was counted since the beginning: interrupts, packets and bytes. They may wrap.
    #[inline]
    pub fn sample<H: Handler>(
        &mut self,
        _poll: &Poll<'_, H>,
        events: u16,
        packets: u64,
        bytes: u64,
    ) {
        // SAFETY: Initialised; `&mut self` makes this the only poll.
        unsafe { bindings::netdev_dim_sample(self.0.raw.get(), events, packets, bytes) };
    }

    /// The moderation that the library finds right at present.
    pub fn moderation(&self) -> Moderation {
        self.0.moderation()
    }
}

impl<T: Target> Inner<T> {
    fn moderation(&self) -> Moderation {
        let mut m = Moderation::default();
        let tx = self.direction == Direction::Tx;
        // SAFETY: Initialised; the library keeps the number of the profile within its table.
        unsafe {
            bindings::netdev_dim_moderation(self.raw.get(), tx, &mut m.usecs, &mut m.packets)
        };
        m
    }

    /// # Safety
    ///
    /// `work` is the work item of an instance of `Inner<T>`, which is run.
    unsafe extern "C" fn work(work: *mut bindings::work_struct) {
        let this = work
            .cast::<u8>()
            .wrapping_sub(offset_of!(bindings::dim, work))
            .wrapping_sub(offset_of!(Self, raw))
            .cast::<Self>();
        // SAFETY: The work item of an instance that waits for it before it goes.
        let this = unsafe { &*this };
        this.target.apply(this.moderation());
        // SAFETY: Initialised; the poll leaves the instance alone until this is done.
        unsafe { bindings::netdev_dim_applied(this.raw.get()) };
    }
}

#[pinned_drop]
impl<T: Target> PinnedDrop for Inner<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Initialised; nobody samples any more, so it is not queued again.
        unsafe { bindings::cancel_work_sync(&raw mut (*self.raw.get()).work) };
    }
}
