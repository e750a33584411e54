// SPDX-License-Identifier: GPL-2.0

//! Tests of what only a kernel can run: they run when a module is loaded into a kernel with `CONFIG_KUNIT=y`.
//!
//! C header: [`include/kunit/test.h`](srctree/include/kunit/test.h)
//!
//! What needs no kernel is tested on the host (`rust/pure/tests`), what needs devices by the selftests. Here is what
//! lies between: who owns what, when it is freed, what a refusal leaves. The kernel's checkers watch.

mod device;
mod netlink;
mod packet;
mod rcu;
mod ring;
mod timer;

use crate::skb::{RxSkb, SkBuff};
use core::ptr::NonNull;
use kernel::prelude::*;
use kernel::sync::atomic::{ordering::Relaxed, Atomic};
use kernel::sync::Arc;
use netdev_sys as bindings;

/// How many of something are gone.
#[derive(Clone)]
struct Gone(Arc<Atomic<u32>>);

/// One of them.
struct Watched(Gone);

impl Gone {
    fn new() -> Result<Self> {
        Ok(Gone(Arc::new(Atomic::new(0), GFP_KERNEL)?))
    }

    fn watched(&self) -> Watched {
        Watched(self.clone())
    }

    fn count(&self) -> u32 {
        self.0.load(Relaxed)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let count = &self.0 .0;
        count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

/// An empty packet with room for `size` bytes.
fn packet(size: u32) -> Result<RxSkb> {
    // SAFETY: Process context; no device is allowed.
    let skb =
        unsafe { bindings::__netdev_alloc_skb(core::ptr::null_mut(), size, bindings::GFP_KERNEL) };
    let skb = NonNull::new(skb).ok_or(ENOMEM)?;
    // SAFETY: A fresh packet, neither shared nor cloned.
    Ok(unsafe { RxSkb::new(SkBuff::from_raw(skb)) })
}

/// A packet of so many bytes, each the lower half of its offset.
fn counted(size: u32) -> Result<RxSkb> {
    let mut skb = packet(size)?;
    for i in 0..size {
        skb.put(&[i as u8])?;
    }
    Ok(skb)
}

/// Counts when the core frees it.
fn watch(skb: &SkBuff, gone: &Gone) {
    // SAFETY: The packet is this test's alone. What its destructor is told is its own reference.
    unsafe {
        let raw = &mut *skb.as_ptr();
        raw.cb
            .as_mut_ptr()
            .cast::<*const ()>()
            .write(Arc::into_raw(gone.0.clone()).cast());
        raw.__bindgen_anon_3.__bindgen_anon_1.destructor = Some(freed);
    }
}

/// # Safety
///
/// The core's call, for a packet that was given to [`watch`].
unsafe extern "C" fn freed(skb: *mut bindings::sk_buff) {
    // SAFETY: What `watch` left there.
    let count = unsafe { Arc::from_raw((*skb).cb.as_ptr().cast::<*const Atomic<u32>>().read()) };
    drop(Gone(count).watched());
}
