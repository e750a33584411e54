// SPDX-License-Identifier: GPL-2.0

#include <net/net_namespace.h>
#include <net/netns/generic.h>

/* As net_generic(), but NULL in a namespace that has no slot of this number. */
void *rust_helper_netdev_net_generic(const struct net *net, unsigned int id)
{
	struct net_generic *gen;
	void *ptr = NULL;

	rcu_read_lock();
	gen = rcu_dereference(net->gen);
	if (id < gen->s.len)
		ptr = gen->ptr[id];
	rcu_read_unlock();
	return ptr;
}

/* The namespace of a device, for a reader under RCU. */
struct net *rust_helper_netdev_net_rcu(const struct net_device *dev)
{
	return dev_net_rcu(dev);
}
