// SPDX-License-Identifier: GPL-2.0

#include <linux/netdevice.h>
#include <net/busy_poll.h>
#include <net/gro.h>

void rust_helper_netif_napi_add_config_locked(struct net_device *dev, struct napi_struct *napi,
					      int (*poll)(struct napi_struct *, int), int index)
{
	netif_napi_add_config_locked(dev, napi, poll, index);
}

bool rust_helper_napi_schedule(struct napi_struct *n)
{
	return napi_schedule(n);
}

bool rust_helper_netdev_gro_is_idle(const struct napi_struct *napi)
{
	return !napi->gro.bitmask && !napi->gro.rx_count && !READ_ONCE(napi->gro_flush_timeout);
}

/* A packet around memory of a page pool, with its data in it. The caller has seen that there is room for it. */
struct sk_buff *rust_helper_netdev_build_skb(void *data, unsigned int size, unsigned int headroom,
					     unsigned int len)
{
	struct sk_buff *skb = napi_build_skb(data, size);

	if (unlikely(!skb))
		return NULL;
	skb_mark_for_recycle(skb);
	skb_reserve(skb, headroom);
	__skb_put(skb, len);
	return skb;
}

/* Past GRO, but known to have come through the instance: sockets poll it by that. */
void rust_helper_netdev_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	skb_mark_napi_id(skb, napi);
	netif_receive_skb(skb);
}

/* Returns whether the packet became part of another. */
bool rust_helper_netdev_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	gro_result_t ret = napi_gro_receive(napi, skb);

	return ret == GRO_MERGED || ret == GRO_MERGED_FREE;
}
