// SPDX-License-Identifier: GPL-2.0

#include <linux/mutex.h>
#include <linux/user_namespace.h>

/* Protects the table of rust/netdev/quota.rs. */
static DEFINE_MUTEX(netdev_quota_mutex);

void rust_helper_netdev_quota_lock(void)
{
	mutex_lock(&netdev_quota_mutex);
}

void rust_helper_netdev_quota_unlock(void)
{
	mutex_unlock(&netdev_quota_mutex);
}

struct user_namespace *rust_helper_get_user_ns(struct user_namespace *ns)
{
	return get_user_ns(ns);
}

void rust_helper_put_user_ns(struct user_namespace *ns)
{
	put_user_ns(ns);
}

/* NULL above the initial one, which has no limits. */
struct user_namespace *rust_helper_netdev_limited_user_ns(struct user_namespace *ns)
{
	return ns == &init_user_ns ? NULL : ns;
}

struct user_namespace *rust_helper_netdev_user_ns_parent(struct user_namespace *ns)
{
	return rust_helper_netdev_limited_user_ns(ns->parent);
}
