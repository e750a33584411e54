// SPDX-License-Identifier: GPL-2.0

//! Random numbers.
//!
//! C header: [`include/linux/random.h`](srctree/include/linux/random.h)

use netdev_sys as bindings;

/// A number that nobody can foresee. Any context.
pub fn random_u64() -> u64 {
    // SAFETY: Callable in any context.
    unsafe { bindings::get_random_u64() }
}
