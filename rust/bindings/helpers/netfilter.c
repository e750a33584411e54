// SPDX-License-Identifier: GPL-2.0

#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack.h>

/* The list of registered hooks; netdev::netfilter says what is done under it. */
static DEFINE_MUTEX(netdev_nf_mutex);

void rust_helper_netdev_nf_lock(void)
{
	mutex_lock(&netdev_nf_mutex);
}

void rust_helper_netdev_nf_unlock(void)
{
	mutex_unlock(&netdev_nf_mutex);
}

/* Whether a namespace has users: one that has none is ending, or about to. */
bool rust_helper_check_net(const struct net *net)
{
	return check_net(net);
}

/* Softirqs off for what follows; whether they were on, and have to be turned on again. */
bool rust_helper_netdev_bh_enter(void)
{
	if (softirq_count())
		return false;
	local_bh_disable();
	return true;
}

/*
 * Whether connections of the packet's kind are tracked in its namespace, before it comes to the hook self: then there is a
 * hook of tracking's priority where packets come in, or are made. Under RCU.
 */
static bool netdev_nf_is_tracked(const struct sk_buff *skb, const struct nf_hook_state *state,
				 const struct nf_hook_ops *self)
{
	bool made = state->pf != NFPROTO_NETDEV && state->hook == NF_INET_LOCAL_OUT;
	unsigned int hook = made ? NF_INET_LOCAL_OUT : NF_INET_PRE_ROUTING;
	const struct nf_hook_entries *e = NULL;
	struct nf_hook_ops **ops;
	unsigned int i;

	if (skb->protocol == htons(ETH_P_IP))
		e = rcu_dereference(state->net->nf.hooks_ipv4[hook]);
	else if (skb->protocol == htons(ETH_P_IPV6))
		e = rcu_dereference(state->net->nf.hooks_ipv6[hook]);
	if (!e)
		return false;
	ops = nf_hook_entries_get_hook_ops(e);
	for (i = 0; i < e->num_hook_entries && READ_ONCE(ops[i]) != self; i++)
		if (READ_ONCE(ops[i])->priority == NF_IP_PRI_CONNTRACK)
			return true;
	return false;
}

/*
 * The state of a packet's connection: bit NF_CT_STATE_BIT() of it, and bit 8 for the direction of replies, bits 9 and
 * 10 for translated source and destination. 0 where connections are not tracked. Inline: no module is depended on.
 */
u32 rust_helper_netdev_nf_ct_state(const struct sk_buff *skb, const struct nf_hook_state *state,
				   const struct nf_hook_ops *self)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	u32 bits;

	if (!ct) {
		if (info == IP_CT_UNTRACKED)
			return NF_CT_STATE_UNTRACKED_BIT;
		return netdev_nf_is_tracked(skb, state, self) ? NF_CT_STATE_INVALID_BIT : 0;
	}
	bits = NF_CT_STATE_BIT(info);
	if (CTINFO2DIR(info) == IP_CT_DIR_REPLY)
		bits |= 1 << 8;
	if (test_bit(IPS_SRC_NAT_BIT, &ct->status))
		bits |= 1 << 9;
	if (test_bit(IPS_DST_NAT_BIT, &ct->status))
		bits |= 1 << 10;
	return bits;
}
