// SPDX-License-Identifier: GPL-2.0

#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/smp.h>

void rust_helper_netdev_local_bh_disable(void)
{
	local_bh_disable();
}

void rust_helper_netdev_local_bh_enable(void)
{
	local_bh_enable();
}

void rust_helper_netdev_cond_resched(void)
{
	cond_resched();
}

bool rust_helper_netdev_irqs_disabled(void)
{
	return irqs_disabled();
}

u32 rust_helper_netdev_smp_processor_id(void)
{
	return smp_processor_id();
}
