// SPDX-License-Identifier: GPL-2.0

#include <linux/netdevice.h>
#include <net/netdev_queues.h>

struct netdev_queue *rust_helper_netdev_get_tx_queue(const struct net_device *dev, u32 index)
{
	return netdev_get_tx_queue(dev, index);
}

/* Whether this CPU has the queue's lock. Softirqs are off. */
bool rust_helper_netdev_tx_owned(const struct netdev_queue *txq)
{
	return READ_ONCE(txq->xmit_lock_owner) == smp_processor_id();
}

bool rust_helper_netdev_xmit_more(void)
{
	return netdev_xmit_more();
}

bool rust_helper_netdev_tx_sent_queue(struct netdev_queue *txq, u32 bytes, bool more)
{
	return __netdev_tx_sent_queue(txq, bytes, more);
}

/* More than is queued is a bug to dql_completed(): it is cut, and said. */
void rust_helper_netdev_tx_completed_queue(struct netdev_queue *txq, u32 pkts, u32 bytes)
{
#ifdef CONFIG_BQL
	u32 queued = READ_ONCE(txq->dql.num_queued) - txq->dql.num_completed;

	if (WARN_ON_ONCE(bytes > queued)) {
		bytes = queued;
		smp_mb();
	}
#endif
	netdev_txq_completed_mb(txq, pkts, bytes);
}

void rust_helper_netdev_tx_reset_queue(struct netdev_queue *txq)
{
	netdev_tx_reset_queue(txq);
}

bool rust_helper_netif_xmit_stopped(const struct netdev_queue *txq)
{
	return netif_xmit_stopped(txq);
}

bool rust_helper_netif_tx_queue_stopped(const struct netdev_queue *txq)
{
	return netif_tx_queue_stopped(txq);
}

void rust_helper_netif_tx_stop_queue(struct netdev_queue *txq)
{
	netif_tx_stop_queue(txq);
}

void rust_helper_netif_tx_start_queue(struct netdev_queue *txq)
{
	netif_tx_start_queue(txq);
}

void rust_helper_netif_tx_wake_queue(struct netdev_queue *txq)
{
	netif_tx_wake_queue(txq);
}

void rust_helper_netif_tx_lock_queue_bh(struct netdev_queue *txq)
{
	__netif_tx_lock_bh(txq);
}

void rust_helper_netif_tx_unlock_queue_bh(struct netdev_queue *txq)
{
	__netif_tx_unlock_bh(txq);
}

void rust_helper_netdev_txq_trans_cond_update(struct netdev_queue *txq)
{
	txq_trans_cond_update(txq);
}
