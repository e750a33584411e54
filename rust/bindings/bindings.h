/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The headers that our bindgen run reads. linux/hrtimer_types.h has to come first (as in the kernel's own
 * rust/bindings/bindings_helper.h: see the comment there); the rest is sorted.
 */
#include <linux/hrtimer_types.h>

#include <linux/bpf.h>
#include <linux/bpf_trace.h>
#include <linux/dim.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/filter.h>
#include <linux/hrtimer.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netfilter_netdev.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/u64_stats_sync.h>
#include <linux/udp.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/gro.h>
#include <net/gso.h>
#include <net/ip6_checksum.h>
#include <net/net_namespace.h>
#include <net/netdev_lock.h>
#include <net/netdev_queues.h>
#include <net/netns/generic.h>
#include <net/page_pool/helpers.h>
#include <net/rtnetlink.h>
#include <net/xdp.h>
#include <net/xdp_sock_drv.h>

/* Constants that bindgen cannot evaluate. */
const gfp_t RUST_CONST_HELPER_GFP_ATOMIC = GFP_ATOMIC;
const gfp_t RUST_CONST_HELPER_GFP_KERNEL = GFP_KERNEL;
const gfp_t RUST_CONST_HELPER_GFP_KERNEL_ACCOUNT = GFP_KERNEL_ACCOUNT;
const gfp_t RUST_CONST_HELPER___GFP_NOWARN = __GFP_NOWARN;
const gfp_t RUST_CONST_HELPER___GFP_ZERO = __GFP_ZERO;
const u8 RUST_CONST_HELPER_GENL_MCAST_CAP_NET_ADMIN = GENL_MCAST_CAP_NET_ADMIN;
const size_t RUST_CONST_HELPER_PAGE_SIZE = PAGE_SIZE;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_SG = NETIF_F_SG;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_RX_USECS = ETHTOOL_COALESCE_RX_USECS;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_RX_MAX_FRAMES = ETHTOOL_COALESCE_RX_MAX_FRAMES;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_RX_USECS_IRQ = ETHTOOL_COALESCE_RX_USECS_IRQ;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_RX_MAX_FRAMES_IRQ = ETHTOOL_COALESCE_RX_MAX_FRAMES_IRQ;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_TX_USECS = ETHTOOL_COALESCE_TX_USECS;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_TX_MAX_FRAMES = ETHTOOL_COALESCE_TX_MAX_FRAMES;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_TX_USECS_IRQ = ETHTOOL_COALESCE_TX_USECS_IRQ;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_TX_MAX_FRAMES_IRQ = ETHTOOL_COALESCE_TX_MAX_FRAMES_IRQ;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_STATS_BLOCK_USECS = ETHTOOL_COALESCE_STATS_BLOCK_USECS;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_USE_ADAPTIVE_RX = ETHTOOL_COALESCE_USE_ADAPTIVE_RX;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_USE_ADAPTIVE_TX = ETHTOOL_COALESCE_USE_ADAPTIVE_TX;
const u32 RUST_CONST_HELPER_ETHTOOL_OP_NEEDS_RTNL_SRINGPARAM = ETHTOOL_OP_NEEDS_RTNL_SRINGPARAM;
const u32 RUST_CONST_HELPER_ETHTOOL_OP_NEEDS_RTNL_SCHANNELS = ETHTOOL_OP_NEEDS_RTNL_SCHANNELS;
const u8 RUST_CONST_HELPER_ETH_RSS_HASH_TOP = ETH_RSS_HASH_TOP;
