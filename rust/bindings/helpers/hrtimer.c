// SPDX-License-Identifier: GPL-2.0

#include <linux/hrtimer.h>

void rust_helper_netdev_hrtimer_start(struct hrtimer *timer, u64 ns, u64 slack_ns, enum hrtimer_mode mode)
{
	hrtimer_start_range_ns(timer, ns_to_ktime(ns), slack_ns, mode);
}

u64 rust_helper_netdev_ktime_get_ns(void)
{
	return ktime_get_ns();
}
