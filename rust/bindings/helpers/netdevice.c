// SPDX-License-Identifier: GPL-2.0

#include <linux/netdevice.h>
#include <linux/ratelimit.h>
#include <net/netdev_lock.h>
#include <net/netdev_rx_queue.h>

void *rust_helper_netdev_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

struct net_device *rust_helper_netdev_device_after(struct net *net, struct net_device *dev)
{
	return dev ? next_net_device(dev) : first_net_device(net);
}

void rust_helper_netdev_priv_flags_change(struct net_device *dev, u32 set, u32 clear)
{
	dev->priv_flags = (dev->priv_flags | set) & ~clear;
}

bool rust_helper_netdev_tx_skb_sharing(const struct net_device *dev)
{
	return dev->priv_flags & IFF_TX_SKB_SHARING;
}

void rust_helper_netdev_request_ops_lock(struct net_device *dev)
{
	dev->request_ops_lock = true;
}

void rust_helper_netdev_needs_free(struct net_device *dev)
{
	dev->needs_free_netdev = true;
}

/* The lock classes are of this module's devices: static here, set in ndo_init (see dummy, netkit). */
void rust_helper_netdev_lockdep_set_classes(struct net_device *dev)
{
	netdev_lockdep_set_classes(dev);
}

bool rust_helper_netif_running(const struct net_device *dev)
{
	return netif_running(dev);
}

bool rust_helper_netif_carrier_ok(const struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

struct net *rust_helper_dev_net(const struct net_device *dev)
{
	return dev_net(dev);
}

bool rust_helper_netdev_shares_net(const struct net_device *a, const struct net_device *b)
{
	return net_eq(dev_net(a), dev_net(b));
}

u32 rust_helper_netdev_reg_state(const struct net_device *dev)
{
	return READ_ONCE(dev->reg_state);
}

void rust_helper_netdev_lock(struct net_device *dev)
{
	netdev_lock(dev);
}

void rust_helper_netdev_unlock(struct net_device *dev)
{
	netdev_unlock(dev);
}

bool rust_helper_net_eq(const struct net *a, const struct net *b)
{
	return net_eq(a, b);
}

struct user_namespace *rust_helper_net_user_ns(const struct net *net)
{
	return net->user_ns;
}

void rust_helper_netdev_set_mtu(struct net_device *dev, u32 mtu)
{
	WRITE_ONCE(dev->mtu, mtu);
}

/* Walks an address list; returns the n-th address or NULL. */
const struct netdev_hw_addr *rust_helper_netdev_hw_addr_next(const struct netdev_hw_addr_list *list,
							    const struct netdev_hw_addr *prev)
{
	const struct list_head *next = prev ? prev->list.next : list->list.next;

	return next == &list->list ? NULL : list_entry(next, struct netdev_hw_addr, list);
}

void rust_helper_netdev_tx_disable(struct net_device *dev)
{
	netif_tx_disable(dev);
}

struct net_device *rust_helper_netdev_notifier_info_to_dev(const struct netdev_notifier_info *info)
{
	return netdev_notifier_info_to_dev(info);
}

void rust_helper_dev_hold(struct net_device *dev)
{
	dev_hold(dev);
}

void rust_helper_dev_put(struct net_device *dev)
{
	dev_put(dev);
}

/* Which instance a queue is bound to. */
struct napi_struct *rust_helper_netdev_queue_napi(struct net_device *dev, unsigned int index,
						  enum netdev_queue_type type)
{
	if (type == NETDEV_QUEUE_TYPE_TX)
		return netdev_get_tx_queue(dev, index)->napi;
	return __netif_get_rx_queue(dev, index)->napi;
}

bool rust_helper_netdev_may_print(void)
{
	static DEFINE_RATELIMIT_STATE(lines, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);

	return __ratelimit(&lines);
}
