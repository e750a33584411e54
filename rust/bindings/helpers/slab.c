// SPDX-License-Identifier: GPL-2.0

#include <linux/mm.h>
#include <linux/slab.h>

/* Bytes that an allocation of so many takes: those of its size class, or its pages. */
size_t rust_helper_netdev_allocated(const void *p, size_t size)
{
	return is_vmalloc_addr(p) ? PAGE_ALIGN(size) : ksize(p);
}
