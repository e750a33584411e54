// SPDX-License-Identifier: GPL-2.0

//! A timer whose handler runs in a softirq.
//!
//! C header: [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)

use crate::context::Bh;
use core::ops::Deref;
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

const MODE: bindings::hrtimer_mode = bindings::hrtimer_mode_HRTIMER_MODE_ABS_SOFT;

/// What a timer belongs to.
///
/// A timer that is forgotten expires all the same: so it lends nothing.
pub trait Expire: Send + Sync + Sized + 'static {
    /// The time has come. In a softirq; another CPU may be in here too, if the timer was started again meanwhile.
    fn expired(timer: &Timer<Self>, bh: &Bh<'_>);
}

/// A timer, and what it belongs to. Dropping it waits until its handler is through; process context.
#[pin_data(PinnedDrop)]
#[repr(C)]
pub struct Timer<T: Expire> {
    // First, so that its address is that of the timer.
    #[pin]
    raw: Opaque<bindings::hrtimer>,
    #[pin]
    data: T,
}

// SAFETY: The core's functions synchronise; the data may be sent.
unsafe impl<T: Expire> Send for Timer<T> {}
// SAFETY: As above; the data may be shared.
unsafe impl<T: Expire> Sync for Timer<T> {}

impl<T: Expire> Timer<T> {
    /// One that was not started (`hrtimer_setup`).
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        pin_init!(Timer {
            raw <- Opaque::ffi_init(|slot| {
                // SAFETY: Valid for writing.
                unsafe {
                    bindings::hrtimer_setup(
                        slot,
                        Some(Self::call),
                        bindings::CLOCK_MONOTONIC as c_int,
                        MODE,
                    )
                }
            }),
            data <- data,
        })
    }

    /// Starts it, or starts it anew: for this time of [`clock::now_ns`](crate::clock::now_ns). Any context but a hard
    /// interrupt.
    pub fn start_at(&self, ns: u64) {
        // SAFETY: Initialised, and pinned until it is dropped.
        unsafe { bindings::netdev_hrtimer_start(self.raw.get(), ns, 0, MODE) };
    }

    /// # Safety
    ///
    /// The core's call, for a timer that is the first member of a `Timer<T>`.
    unsafe extern "C" fn call(timer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        // SAFETY: By the caller's promise; `drop` waits for this. A softirq runs with softirqs off.
        unsafe { T::expired(&*timer.cast::<Self>(), &Bh::assume()) };
        bindings::hrtimer_restart::HRTIMER_NORESTART
    }
}

impl<T: Expire> Deref for Timer<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.data
    }
}

#[pinned_drop]
impl<T: Expire> PinnedDrop for Timer<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Initialised. Waits for a handler that runs.
        unsafe { bindings::hrtimer_cancel(self.raw.get()) };
    }
}
