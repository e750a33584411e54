// SPDX-License-Identifier: GPL-2.0

//! The kernel log.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use netdev_sys as bindings;

/// Whether a line may be printed now that a user can cause at will: ten in five seconds, of all such lines together
/// (`__ratelimit`), which tells of those left out itself. Any context.
pub fn may_print() -> bool {
    // SAFETY: Looks at a static of its own, which it locks.
    unsafe { bindings::netdev_may_print() }
}
