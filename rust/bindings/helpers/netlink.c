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

/* Says that an attribute of this type is missing in nest, or at the top level if that is NULL. */
void rust_helper_netdev_extack_miss(struct netlink_ext_ack *extack, const char *msg, const struct nlattr *nest,
				    u32 type)
{
	if (!extack)
		return;
	extack->_msg = msg;
	NL_SET_ERR_ATTR_MISS(extack, nest, type);
}

struct nlattr *rust_helper_nla_nest_start(struct sk_buff *skb, int type)
{
	return nla_nest_start(skb, type);
}

void rust_helper_nla_nest_end(struct sk_buff *skb, struct nlattr *start)
{
	nla_nest_end(skb, start);
}

void rust_helper_nla_nest_cancel(struct sk_buff *skb, struct nlattr *start)
{
	nla_nest_cancel(skb, start);
}
