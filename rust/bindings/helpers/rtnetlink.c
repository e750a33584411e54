// SPDX-License-Identifier: GPL-2.0

#include <net/rtnetlink.h>

struct net *rust_helper_rtnl_newlink_peer_net(struct rtnl_newlink_params *p)
{
	return rtnl_newlink_peer_net(p);
}

void rust_helper_unregister_netdevice(struct net_device *dev)
{
	unregister_netdevice(dev);
}

/* unregister_netdevice_queued() is not exported. */
bool rust_helper_netdev_unregister_queued(const struct net_device *dev)
{
	ASSERT_RTNL();
	return !list_empty(&dev->unreg_list);
}

/* Once, whoever asks. */
void rust_helper_netdev_unregister_queue_once(struct net_device *dev, struct list_head *head)
{
	if (!rust_helper_netdev_unregister_queued(dev))
		unregister_netdevice_queue(dev, head);
}
