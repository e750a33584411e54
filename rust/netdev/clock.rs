// SPDX-License-Identifier: GPL-2.0

//! The clock of timers.
//!
//! C header: [`include/linux/timekeeping.h`](srctree/include/linux/timekeeping.h)

use netdev_sys as bindings;

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[inline]
pub fn now_ns() -> u64 {
    // SAFETY: Callable in any context.
    unsafe { bindings::netdev_ktime_get_ns() }
}
