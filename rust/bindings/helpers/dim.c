// SPDX-License-Identifier: GPL-2.0

#include <linux/dim.h>

/* The lock class of the work item is this module's. */
void rust_helper_netdev_dim_init(struct dim *dim, work_func_t func)
{
	INIT_WORK(&dim->work, func);
	dim->mode = DIM_CQ_PERIOD_MODE_START_FROM_EQE;
	dim->profile_ix = NET_DIM_DEF_PROFILE_EQE;
}

void rust_helper_netdev_dim_sample(struct dim *dim, u16 events, u64 packets, u64 bytes)
{
	struct dim_sample sample = {};

	dim_update_sample(events, packets, bytes, &sample);
	net_dim(dim, &sample);
}

void rust_helper_netdev_dim_moderation(const struct dim *dim, bool tx, u16 *usecs, u16 *packets)
{
	struct dim_cq_moder m = tx ? net_dim_get_tx_moderation(dim->mode, dim->profile_ix) :
				     net_dim_get_rx_moderation(dim->mode, dim->profile_ix);

	*usecs = m.usec;
	*packets = m.pkts;
}

/* Lets the poll measure again, after a new profile was applied. */
void rust_helper_netdev_dim_applied(struct dim *dim)
{
	dim->state = DIM_START_MEASURE;
}
