// SPDX-License-Identifier: GPL-2.0

#include <net/genetlink.h>
#include <net/sock.h>

/* Bit fields, and an array: easier in C. */
void rust_helper_netdev_genl_family_init(struct genl_family *family, const char *name, unsigned int version,
					 const struct genl_split_ops *ops, u8 n_ops,
					 const struct genl_multicast_group *groups, u8 n_groups,
					 struct module *module)
{
	*family = (struct genl_family){
		.version = version,
		.netnsok = true,
		.parallel_ops = true,
		.split_ops = ops,
		.n_split_ops = n_ops,
		.mcgrps = groups,
		.n_mcgrps = n_groups,
		.module = module,
	};
	strscpy(family->name, name, sizeof(family->name));
}

struct sk_buff *rust_helper_netdev_genlmsg_new(gfp_t flags)
{
	return genlmsg_new(GENLMSG_DEFAULT_SIZE, flags);
}

void rust_helper_nlmsg_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
}

void rust_helper_genlmsg_end(struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
}

void rust_helper_genlmsg_cancel(struct sk_buff *skb, void *hdr)
{
	genlmsg_cancel(skb, hdr);
}

int rust_helper_genlmsg_reply(struct sk_buff *skb, struct genl_info *info)
{
	return genlmsg_reply(skb, info);
}

/*
 * The next three: packets can be on their way through a namespace whose socket has been released already. It is freed a
 * grace period after that; who has no other hold on it calls under RCU. The number of the group is within bounds.
 */
int rust_helper_netdev_genl_multicast(const struct genl_family *family, struct net *net, struct sk_buff *skb,
				      unsigned int group, gfp_t flags)
{
	struct sock *sk = READ_ONCE(net->genl_sock);

	if (!sk) {
		nlmsg_free(skb);
		return -ESRCH;
	}
	return nlmsg_multicast(sk, skb, 0, family->mcgrp_offset + group, flags);
}

bool rust_helper_netdev_genl_has_listeners(const struct genl_family *family, struct net *net, unsigned int group)
{
	struct sock *sk;
	bool has;

	rcu_read_lock();
	sk = READ_ONCE(net->genl_sock);
	has = sk && netlink_has_listeners(sk, family->mcgrp_offset + group);
	rcu_read_unlock();
	return has;
}

void rust_helper_netdev_genl_set_err(const struct genl_family *family, struct net *net, u32 group, int code)
{
	struct sock *sk = READ_ONCE(net->genl_sock);

	if (sk)
		netlink_set_err(sk, 0, family->mcgrp_offset + group, code);
}

struct net *rust_helper_genl_info_net(const struct genl_info *info)
{
	return genl_info_net(info);
}

const struct genl_info *rust_helper_genl_info_dump(struct netlink_callback *cb)
{
	return genl_info_dump(cb);
}

void rust_helper_genl_dump_check_consistent(struct netlink_callback *cb, void *hdr)
{
	genl_dump_check_consistent(cb, hdr);
}

/* The socket that a message being handled came from, with a reference. */
struct sock *rust_helper_netdev_netlink_sender(const struct sk_buff *skb)
{
	struct sock *sk = NETLINK_CB(skb).sk;

	sock_hold(sk);
	return sk;
}

void rust_helper_netdev_sock_put(struct sock *sk)
{
	sock_put(sk);
}

bool rust_helper_netdev_sock_is_dead(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD);
}
