// SPDX-License-Identifier: GPL-2.0

//! High-resolution timers.
//!
//! C header: [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)
//!
//! `kernel::time::hrtimer` ties a running timer to a handle whose drop cancels it and may wait; here the packet
//! path starts a timer and forgets it, and the owner cancels it when it goes.

use core::mem::offset_of;
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[inline]
pub fn now_ns() -> u64 {
    // SAFETY: Callable in any context.
    unsafe { bindings::netdev_ktime_get_ns() }
}

/// What a timer does when it fires.
pub trait Handler: Send + Sync + 'static {
    /// Called in a hard interrupt. The timer may be started again by anybody.
    fn expired(&self);
}

/// A one-shot timer with its handler.
///
/// Dropping it cancels it and waits for a running handler; so it is to be dropped in process context, and not
/// by its own handler.
#[pin_data(PinnedDrop)]
#[repr(C)]
pub struct Timer<H: Handler> {
    #[pin]
    raw: Opaque<bindings::hrtimer>,
    handler: H,
}

// SAFETY: The C functions lock; the handler is Sync.
unsafe impl<H: Handler> Sync for Timer<H> {}
// SAFETY: Pinned; the handler is Send.
unsafe impl<H: Handler> Send for Timer<H> {}

impl<H: Handler> Timer<H> {
    const MODE: bindings::hrtimer_mode = bindings::hrtimer_mode_HRTIMER_MODE_REL_PINNED_HARD;

    /// Makes a timer that is not running.
    pub fn new(handler: H) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `slot` is valid for writing; the callback matches the type.
            raw <- Opaque::ffi_init(|slot| unsafe {
                bindings::hrtimer_setup(
                    slot,
                    Some(Self::callback),
                    bindings::CLOCK_MONOTONIC as i32,
                    Self::MODE,
                )
            }),
            handler,
        })
    }

    /// The handler.
    #[inline]
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// Starts it, or moves it if it runs: fires after `ns`, or up to `slack` later. Any context.
    #[inline]
    pub fn start(&self, ns: u64, slack: u64) {
        // SAFETY: Initialised by `new`.
        unsafe { bindings::netdev_hrtimer_start(self.raw.get(), ns, slack, Self::MODE) };
    }

    /// Stops it and waits for a running handler. Process context or a softirq, not the handler.
    pub fn cancel(&self) {
        // SAFETY: Initialised by `new`.
        unsafe { bindings::hrtimer_cancel(self.raw.get()) };
    }

    unsafe extern "C" fn callback(timer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        let this = timer
            .cast::<u8>()
            .wrapping_sub(offset_of!(Self, raw))
            .cast::<Self>();
        // SAFETY: The core calls back with the timer that `new` set up, which lives until `drop` has waited.
        unsafe { &(*this).handler }.expired();
        bindings::hrtimer_restart::HRTIMER_NORESTART
    }
}

#[pinned_drop]
impl<H: Handler> PinnedDrop for Timer<H> {
    fn drop(self: Pin<&mut Self>) {
        self.cancel();
    }
}
