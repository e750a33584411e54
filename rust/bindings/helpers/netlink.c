// SPDX-License-Identifier: GPL-2.0

#include <net/netlink.h>

u16 rust_helper_nla_len(const struct nlattr *nla)
{
	return nla_len(nla);
}

const void *rust_helper_nla_data(const struct nlattr *nla)
{
	return nla_data(nla);
}

void rust_helper_netdev_extack_set(struct netlink_ext_ack *extack, const char *msg, const struct nlattr *attr)
{
	if (!extack)
		return;
	extack->_msg = msg;
	if (attr)
		NL_SET_BAD_ATTR(extack, attr);
}
