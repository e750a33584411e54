// SPDX-License-Identifier: GPL-2.0

#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/dropreason.h>

struct skb_shared_info *rust_helper_skb_shinfo(const struct sk_buff *skb)
{
	return skb_shinfo(skb);
}

const char *rust_helper_netdev_drop_reason_name(u32 reason)
{
	/* The core's list is there for ever; those of its subsystems come and go. */
	const struct drop_reason_list *list =
		rcu_dereference_protected(drop_reasons_by_subsys[SKB_DROP_REASON_SUBSYS_CORE], true);

	return reason < list->n_reasons ? list->reasons[reason] : NULL;
}

u64 rust_helper_netdev_skb_tstamp(const struct sk_buff *skb)
{
	return skb->tstamp;
}

/* Stamps it as received now, as the core does while a socket asks for time stamps. */
u64 rust_helper_netdev_skb_net_timestamp(struct sk_buff *skb)
{
	__net_timestamp(skb);
	return skb->tstamp;
}

void rust_helper_skb_tx_timestamp(struct sk_buff *skb)
{
	skb_tx_timestamp(skb);
}

void rust_helper_skb_mark_for_recycle(struct sk_buff *skb)
{
	skb_mark_for_recycle(skb);
}

/* Gives a packet that was transmitted to a device at the other end of a wire, as between veth's ends. */
void rust_helper_netdev_skb_scrub(struct sk_buff *skb, bool xnet)
{
	skb_scrub_packet(skb, xnet);
	/* A sum over all of it does not hold without the Ethernet header. */
	skb_forward_csum(skb);
	skb_clear_tstamp(skb);
	skb_reset_redirect(skb);
	if (xnet)
		skb->priority = 0;
}

int rust_helper_skb_orphan_frags_rx(struct sk_buff *skb, gfp_t gfp)
{
	return skb_orphan_frags_rx(skb, gfp);
}

bool rust_helper_pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	return pskb_may_pull(skb, len);
}

struct sk_buff *rust_helper_skb_share_check(struct sk_buff *skb, gfp_t gfp)
{
	return skb_share_check(skb, gfp);
}

bool rust_helper_skb_shared(const struct sk_buff *skb)
{
	return skb_shared(skb);
}

bool rust_helper_skb_is_gso(const struct sk_buff *skb)
{
	return skb_is_gso(skb);
}

/* How many segments a super frame stands for that doesn't say, reckoned as egress does it (qdisc_pkt_len_segs_init()). */
unsigned int rust_helper_netdev_skb_count_segments(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int headers;

	if (!skb->encapsulation)
		headers = skb_transport_header_was_set(skb) ? skb_transport_offset(skb) : 0;
	else
		headers = skb_inner_transport_offset(skb);
	if (info->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) {
		const struct tcphdr *tcp;
		struct tcphdr buffer;

		tcp = skb_header_pointer(skb, headers, sizeof(buffer), &buffer);
		if (tcp)
			headers += __tcp_hdrlen(tcp);
	} else if (info->gso_type & SKB_GSO_UDP_L4) {
		headers += sizeof(struct udphdr);
	}
	if (headers >= skb->len)
		return 1;
	return DIV_ROUND_UP(skb->len - headers, info->gso_size);
}

int rust_helper_skb_unclone(struct sk_buff *skb, gfp_t gfp)
{
	return skb_unclone(skb, gfp);
}

/* Whether GRO is of use to a packet that came from a sender, and may have it: it is no super frame, and not shared. */
bool rust_helper_netdev_skb_for_gro(struct sk_buff *skb)
{
	skb_prepare_for_gro(skb);
	return !skb_is_gso(skb) && !skb_shared(skb);
}

netdev_features_t rust_helper_vlan_features_check(struct sk_buff *skb, netdev_features_t features)
{
	return vlan_features_check(skb, features);
}

struct sk_buff *rust_helper_vlan_insert_tag(struct sk_buff *skb, __be16 proto, u16 tci)
{
	return vlan_insert_tag(skb, proto, tci);
}

/* Closes the gap that a tag leaves behind the addresses: 18 bytes are linear. */
void rust_helper_netdev_skb_pull_tag(struct sk_buff *skb)
{
	memmove(skb->data + VLAN_HLEN, skb->data, 2 * ETH_ALEN);
	__skb_pull(skb, VLAN_HLEN);
}
