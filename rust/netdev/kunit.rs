// SPDX-License-Identifier: GPL-2.0

//! Tests of what only a kernel can run: they run when a module is loaded into a kernel with `CONFIG_KUNIT=y`.
//!
//! C header: [`include/kunit/test.h`](srctree/include/kunit/test.h)
//!
//! What needs no kernel is tested on the host (`rust/pure/tests`), what needs devices by the selftests. Here is what
//! lies between: who owns what, when it is freed, what a refusal leaves. The kernel's checkers watch.

mod netlink;
mod packet;
mod rcu;
mod ring;
mod timer;

use kernel::prelude::*;
use kernel::sync::atomic::{ordering::Relaxed, Atomic};
use kernel::sync::Arc;

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
