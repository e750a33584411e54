// SPDX-License-Identifier: GPL-2.0

#include <net/rtnetlink.h>

struct net *rust_helper_rtnl_newlink_peer_net(struct rtnl_newlink_params *p)
{
	return rtnl_newlink_peer_net(p);
}

/*
 * Once, whoever asks: a device that is on a list to be unregistered stays there, and one whose unregistration has begun
 * is left alone, which the core takes for a bug. Without a list the device is unregistered at once.
 */
void rust_helper_netdev_unregister_once(struct net_device *dev, struct list_head *head)
{
	ASSERT_RTNL();
	/* unregister_netdevice_queued() is not exported. */
	if (dev->reg_state == NETREG_REGISTERED && list_empty(&dev->unreg_list))
		unregister_netdevice_queue(dev, head);
}
