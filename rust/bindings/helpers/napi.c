// SPDX-License-Identifier: GPL-2.0

#include <linux/netdevice.h>
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

/* Returns whether the packet became part of another. */
bool rust_helper_netdev_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	gro_result_t ret = napi_gro_receive(napi, skb);

	return ret == GRO_MERGED || ret == GRO_MERGED_FREE;
}
