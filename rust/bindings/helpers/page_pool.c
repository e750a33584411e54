// SPDX-License-Identifier: GPL-2.0

#include <linux/mutex.h>
#include <linux/poison.h>
#include <linux/workqueue.h>
#include <net/page_pool/helpers.h>

/* Protects the list of rust/netdev/page_pool/retired.rs. */
static DEFINE_MUTEX(netdev_retired_mutex);
/* Looks after what is in it. */
static struct delayed_work netdev_retired_work;

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

/*
 * Has a pool leave the page that it is in the middle of, if it is: it is at the beginning of another one then, of which
 * nobody has a fragment, or, where there is no memory, of none. The caller is its only user, in process context.
 */
void rust_helper_netdev_page_pool_end_page(struct page_pool *pool)
{
	unsigned int offset;
	struct page *page;

	if (!pool->frag_page)
		return;
	page = page_pool_alloc_frag(pool, &offset, PAGE_SIZE << pool->p.order,
				    GFP_KERNEL | __GFP_NOWARN);
	if (page)
		page_pool_put_full_page(pool, page, false);
}

/*
 * Frees what a pool keeps for its next use. The caller is its only user, in process context, and the pool is linked to no
 * NAPI instance. Returns how many of its pages there are beside the one it is at.
 */
s32 rust_helper_netdev_page_pool_drain(struct page_pool *pool)
{
	struct pp_alloc_cache *cache = &pool->alloc;
	void *page;

	do {
		/* Frees what is in the cache; it is for the same node as before. */
		page_pool_update_nid(pool, pool->p.nid);
		while (cache->count < PP_ALLOC_CACHE_SIZE &&
		       (page = ptr_ring_consume_bh(&pool->ring)))
			cache->cache[cache->count++] = (__force netmem_ref)page;
	} while (cache->count);

	return (s32)(READ_ONCE(pool->pages_state_hold_cnt) -
		     (u32)atomic_read(&pool->pages_state_release_cnt)) - !!pool->frag_page;
}

/* What each pool takes for the statistics of all CPUs. */
u64 rust_helper_netdev_page_pool_percpu_bytes(void)
{
#ifdef CONFIG_PAGE_POOL_STATS
	return (u64)num_possible_cpus() * sizeof(struct page_pool_recycle_stats);
#else
	return 0;
#endif
}

/* Whether the core's list shows the pool to somebody: its namespace is there. */
bool rust_helper_netdev_page_pool_is_listed(const struct page_pool *pool)
{
	const struct net_device *dev = READ_ONCE(pool->slow.netdev);

	return dev && dev != NET_PTR_POISON;
}

void rust_helper_netdev_retired_lock(void)
{
	mutex_lock(&netdev_retired_mutex);
}

void rust_helper_netdev_retired_unlock(void)
{
	mutex_unlock(&netdev_retired_mutex);
}

void rust_helper_netdev_retired_init(work_func_t look)
{
	INIT_DELAYED_WORK(&netdev_retired_work, look);
}

/* In a second, unless it is to be earlier. */
void rust_helper_netdev_retired_look(void)
{
	queue_delayed_work(system_dfl_wq, &netdev_retired_work, HZ);
}

/* Waits for it. Nobody starts it again. */
void rust_helper_netdev_retired_exit(void)
{
	cancel_delayed_work_sync(&netdev_retired_work);
}

void rust_helper_netdev_skb_add_rx_va(struct sk_buff *skb, void *va, u32 len, u32 truesize)
{
	struct page *page = virt_to_head_page(va);

	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, va - page_address(page), len, truesize);
}
