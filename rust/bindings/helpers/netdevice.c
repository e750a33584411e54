// SPDX-License-Identifier: GPL-2.0

__rust_helper void *rust_helper_netdev_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}
