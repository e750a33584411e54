// SPDX-License-Identifier: GPL-2.0

//! Memory barriers between CPUs.
//!
//! C header: [`include/asm-generic/barrier.h`](srctree/include/asm-generic/barrier.h)
//!
//! The kernel crate has them too, by names that change from version to version.

use core::sync::atomic::{compiler_fence, Ordering};
use netdev_sys as bindings;

/// Orders all earlier accesses before all later ones (`smp_mb`). Any context.
#[inline(always)]
pub fn smp_mb() {
    // SAFETY: A barrier.
    unsafe { bindings::netdev_smp_mb() };
}

/// Orders earlier loads before later ones (`smp_rmb`), and before later stores. Any context.
///
/// x86 orders loads with loads and stores itself; only the compiler has to be held. Elsewhere the full barrier serves.
#[inline(always)]
pub fn smp_rmb() {
    if cfg!(target_arch = "x86_64") {
        compiler_fence(Ordering::Acquire);
    } else {
        smp_mb();
    }
}

/// Orders earlier stores before later ones (`smp_wmb`), and earlier loads too. Any context. As [`smp_rmb`].
#[inline(always)]
pub fn smp_wmb() {
    if cfg!(target_arch = "x86_64") {
        compiler_fence(Ordering::Release);
    } else {
        smp_mb();
    }
}
