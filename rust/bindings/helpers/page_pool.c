// SPDX-License-Identifier: GPL-2.0

#include <net/page_pool/helpers.h>

/*
 * A fragment of at least *size bytes; *size becomes what it really takes of the page: all that is left, where no other one
 * of that size would fit behind it.
 */
void *rust_helper_netdev_page_pool_alloc_va(struct page_pool *pool, u32 *size, gfp_t gfp)
{
	return page_pool_alloc_va(pool, size, gfp);
}

/*
 * The pool is the page's own. Not in a hard interrupt: that may have interrupted the softirq that the pool's cache belongs
 * to, on the CPU by which page_pool_napi_local() knows it.
 */
void rust_helper_netdev_page_pool_put_va(void *va)
{
	struct page *page = virt_to_head_page(va);

	if (WARN_ON_ONCE(in_hardirq()))
		return;
	page_pool_put_full_page(pp_page_to_nmdesc(page)->pp, page, false);
}

void rust_helper_netdev_skb_add_rx_va(struct sk_buff *skb, void *va, u32 len, u32 truesize)
{
	struct page *page = virt_to_head_page(va);

	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, va - page_address(page), len, truesize);
}
