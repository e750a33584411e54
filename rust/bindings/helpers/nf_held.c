// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that leave a hook and come back to it. What nf_queue.c does for NFQUEUE is static there.
 */
#include <linux/mm.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netfilter_netdev.h>
#include <linux/percpu.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_queue.h>
#include <net/route.h>
#include <net/sock.h>

static bool netdev_nf_may_stay(const struct net_device *dev, const struct net *net)
{
	return !dev || (READ_ONCE(dev->reg_state) == NETREG_REGISTERED && net_eq(dev_net(dev), net));
}

/* Whether br_netfilter has a part in the packet. */
static bool netdev_nf_is_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return nf_bridge_info_exists(skb);
#else
	return false;
#endif
}

/*
 * Takes the references that a packet needs while it is away from its hook, as __nf_queue() does: its devices, its sockets,
 * its route. Where that can't be, or where the packet could not be resumed, nothing is taken: then it is -EOPNOTSUPP if
 * the packet can go on from here, and -ENETUNREACH if not, as its route has gone. Under RCU.
 */
int rust_helper_netdev_nf_hold(struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (!netdev_nf_may_stay(state->in, state->net) || !netdev_nf_may_stay(state->out, state->net))
		return -EOPNOTSUPP;
	/* The function that goes on is that of a module (IPVS, VRF), which may be unloaded meanwhile. */
	if (state->okfn && is_vmalloc_or_module_addr(state->okfn))
		return -EOPNOTSUPP;
	if (skb->dev && READ_ONCE(skb->dev->reg_state) != NETREG_REGISTERED)
		return -EOPNOTSUPP;
	/* The bridge's ports are in the packet, without references. */
	if (netdev_nf_is_bridged(skb))
		return -EOPNOTSUPP;
	/* Of what comes to a VRF only the caller goes on; the function drops it. */
	if (state->okfn && state->hook == NF_INET_PRE_ROUTING && state->in && netif_is_l3_master(state->in))
		return -EOPNOTSUPP;
	/* XDP would see the packet again. */
	if (!state->okfn && state->in && rcu_access_pointer(state->in->xdp_prog))
		return -EOPNOTSUPP;
	if (skb_sk_is_prefetched(skb)) {
		struct sock *sk = skb->sk;

		if (!sk_is_refcounted(sk)) {
			if (!refcount_inc_not_zero(&sk->sk_refcnt))
				return -EOPNOTSUPP;
			skb->destructor = sock_edemux;
		}
	}
	/* A route that can't be held is taken off the packet. */
	if (skb_dst(skb) && !skb_dst_force(skb))
		return -ENETUNREACH;
	if (state->sk && !refcount_inc_not_zero(&state->sk->sk_refcnt))
		return -EOPNOTSUPP;
	dev_hold(skb->dev);
	dev_hold(state->in);
	dev_hold(state->out);
	return 0;
}

void rust_helper_netdev_nf_release(struct net_device *skb_dev, const struct nf_hook_state *state)
{
	dev_put(skb_dev);
	dev_put(state->in);
	dev_put(state->out);
	if (state->sk)
		sock_gen_put(state->sk);
}

/* Whether a held packet's devices are where they were: then its namespace is alive, as long as RCU is held. */
bool rust_helper_netdev_nf_is_there(const struct nf_hook_state *state)
{
	return netdev_nf_may_stay(state->in, state->net) && netdev_nf_may_stay(state->out, state->net);
}

/* Connection tracking has to look at an unconfirmed entry again. False: the packet was taken, or is to be dropped. */
int rust_helper_netdev_nf_update(struct net *net, struct sk_buff *skb)
{
	const struct nf_ct_hook *hook = rcu_dereference(nf_ct_hook);

	return hook ? hook->update(net, skb) & NF_VERDICT_MASK : NF_ACCEPT;
}

static const struct nf_hook_entries *netdev_nf_entries(const struct nf_hook_state *state)
{
	switch (state->pf) {
	case NFPROTO_IPV4:
		return rcu_dereference(state->net->nf.hooks_ipv4[state->hook]);
	case NFPROTO_IPV6:
		return rcu_dereference(state->net->nf.hooks_ipv6[state->hook]);
	case NFPROTO_NETDEV:
		if (state->hook == NF_NETDEV_INGRESS)
			return rcu_dereference(state->in->nf_hooks_ingress);
		return rcu_dereference(state->out->nf_hooks_egress);
	default:
		return NULL;
	}
}

static bool netdev_nf_go_on(struct sk_buff *skb, struct nf_hook_state *state, const struct nf_hook_ops *self,
			    unsigned int verdict)
{
	const struct nf_hook_entries *e = netdev_nf_entries(state);
	struct nf_hook_ops **ops;
	unsigned int i;

	if (!e)
		return false;
	/* Places change as other hooks come and go: find ours. */
	ops = nf_hook_entries_get_hook_ops(e);
	for (i = 0; i < e->num_hook_entries && READ_ONCE(ops[i]) != self; i++)
		;
	if (i == e->num_hook_entries)
		return false;
	if ((verdict & NF_VERDICT_MASK) == NF_QUEUE && nf_queue(skb, state, i, verdict) != 1)
		return true;
	if (nf_hook_slow(skb, state, e, i + 1) != 1)
		return true;
	if (state->okfn) {
		state->okfn(state->net, state->sk, skb);
	} else if (state->hook == NF_NETDEV_INGRESS) {
		/* Past taps, tc and the hooks of ingress. */
		skb->tc_skip_classify = 1;
		netif_receive_skb(skb);
	} else {
		nf_skip_egress(skb, true);
		dev_queue_xmit(skb);
	}
	return true;
}

/*
 * What goes on behind a hook may come to another, where more goes on behind that, all of it on one stack. How deep that is,
 * and whether it is a copy, or comes of one: softirqs are off throughout, so no two are at it on a CPU.
 */
struct netdev_nf_resuming {
	unsigned int depth;
	bool copy;
};

static DEFINE_PER_CPU(struct netdev_nf_resuming, netdev_nf_resuming);

/* A packet's way through the stack takes up to 6 KiB of the 16 there are, and one was on its way when the first came. */
#define NETDEV_NF_DEPTH_MAX 2

/*
 * Lets a packet go on behind hook self, and takes it. With a verdict that queues it, that is done first: it goes on when
 * the program that gets it says so. False, and the packet is still the caller's, if self is not among the hooks any more,
 * or too many are at it. Under RCU, softirqs off.
 */
bool rust_helper_netdev_nf_resume(struct sk_buff *skb, struct nf_hook_state *state, const struct nf_hook_ops *self,
				  unsigned int verdict, bool copy)
{
	const struct netdev_nf_resuming before = *this_cpu_ptr(&netdev_nf_resuming);
	bool went;

	if (before.depth >= NETDEV_NF_DEPTH_MAX)
		return false;
	*this_cpu_ptr(&netdev_nf_resuming) = (struct netdev_nf_resuming) {
		.depth = before.depth + 1,
		.copy = before.copy || copy,
	};
	went = netdev_nf_go_on(skb, state, self, verdict);
	*this_cpu_ptr(&netdev_nf_resuming) = before;
	return went;
}

/* Whether something goes on behind a hook right now, on this CPU. Softirqs off. */
bool rust_helper_netdev_nf_is_nested(void)
{
	return this_cpu_read(netdev_nf_resuming.depth) > 0;
}

/* Whether more may go on now. Softirqs off. */
bool rust_helper_netdev_nf_may_resume(void)
{
	return this_cpu_read(netdev_nf_resuming.depth) < NETDEV_NF_DEPTH_MAX;
}

/* Whether what goes on right now is a copy, or comes of one. Softirqs off. */
bool rust_helper_netdev_nf_is_copy(void)
{
	return this_cpu_read(netdev_nf_resuming.copy);
}

/* What br_netfilter notes of a packet is changed as it goes on, so no two may share it. False: there is no memory. */
static bool netdev_nf_unshare(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return !netdev_nf_is_bridged(skb) || skb_ext_add(skb, SKB_EXT_BRIDGE_NF);
#else
	return true;
#endif
}

/* A copy that shares nothing: an unconfirmed connection has one owner. */
struct sk_buff *rust_helper_netdev_nf_copy(const struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);
	enum ip_conntrack_info info;
	struct nf_conn *ct;

	if (!copy)
		return NULL;
	if (!netdev_nf_unshare(copy)) {
		kfree_skb(copy);
		return NULL;
	}
	ct = nf_ct_get(copy, &info);
	if (ct && !nf_ct_is_confirmed(ct))
		nf_reset_ct(copy);
	return copy;
}

/* Whether the packet opens a connection that no table has: its segments could not all be its owner. */
bool rust_helper_netdev_nf_ct_unconfirmed(const struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	return ct && !nf_ct_is_confirmed(ct);
}

/* Cuts a super frame whose data begins behind mac bytes of link header: a list, or NULL. */
struct sk_buff *rust_helper_netdev_nf_segment(struct sk_buff *skb, unsigned int mac)
{
	struct sk_buff *segs, *seg;

	/*
	 * Of a list of frames (rx-gro-list) the super frame is the first segment itself, and not whole any more where
	 * there was no memory for another. In one piece it is cut like others.
	 */
	if (skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST && __skb_linearize(skb))
		return NULL;
	__skb_push(skb, mac);
	segs = skb_gso_segment(skb, 0);
	__skb_pull(skb, mac);
	if (IS_ERR_OR_NULL(segs))
		goto whole;
	for (seg = segs; seg; seg = seg->next) {
		if (!netdev_nf_unshare(seg)) {
			kfree_skb_list(segs);
			goto whole;
		}
		if (mac) {
			__skb_pull(seg, mac);
			skb_reset_network_header(seg);
			skb_reset_mac_len(seg);
		}
	}
	return segs;
whole:
	if (mac) {
		/* Cutting has moved the notes of where headers are. */
		skb_reset_network_header(skb);
		skb_set_mac_header(skb, -(int)mac);
		skb_reset_mac_len(skb);
	}
	return NULL;
}

/* Takes the first of a list off. */
struct sk_buff *rust_helper_netdev_skb_pop(struct sk_buff **list)
{
	struct sk_buff *skb = *list;

	if (skb) {
		*list = skb->next;
		skb_mark_not_on_list(skb);
	}
	return skb;
}

/*
 * Makes the first len bytes the packet's own and writable, in one piece. If that is the whole, the checksum is filled
 * that the stack left open, and none counts as looked at.
 */
int rust_helper_netdev_skb_make_writable(struct sk_buff *skb, unsigned int len, bool whole)
{
	int ret;

	if (skb_shared(skb))
		return -EBUSY;
	if (whole) {
		if (skb_is_gso(skb))
			return -EOPNOTSUPP;
		ret = skb_linearize(skb);
		if (!ret && skb->ip_summed == CHECKSUM_PARTIAL)
			ret = skb_checksum_help(skb);
		if (ret)
			return ret;
		skb->ip_summed = CHECKSUM_NONE;
	} else if (skb->ip_summed == CHECKSUM_COMPLETE) {
		skb->ip_summed = CHECKSUM_NONE;
	}
	return skb_ensure_writable(skb, len);
}

int rust_helper_netdev_skb_trim(struct sk_buff *skb, unsigned int len)
{
	return pskb_trim_rcsum(skb, len);
}

/* The route of a packet made here whose mark or traffic class has changed. */
int rust_helper_netdev_nf_reroute(struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (state->pf == NFPROTO_IPV4)
		return ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC);
#if IS_ENABLED(CONFIG_IPV6)
	return nf_ip6_route_me_harder(state->net, state->sk, skb);
#else
	return -EAFNOSUPPORT;
#endif
}
