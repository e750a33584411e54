// SPDX-License-Identifier: GPL-2.0

//! What allocations take.
//!
//! C header: [`include/linux/slab.h`](srctree/include/linux/slab.h)

use kernel::alloc::{Allocator, Vec};
use netdev_sys as bindings;

/// Bytes that the memory of a vector takes: of `kmalloc()` those of its size class (`ksize`), of `vmalloc()` whole
/// pages.
pub fn allocated<T, A: Allocator>(vec: &Vec<T, A>) -> usize {
    let size = vec.capacity().saturating_mul(size_of::<T>());
    if size == 0 {
        return 0;
    }
    // SAFETY: With a capacity there is an allocation, of this size at least, which the vector begins at.
    unsafe { bindings::netdev_allocated(vec.as_ptr().cast(), size) }
}
