/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What IFLA_INFO_DATA of a link of kind "ferronic" holds.
 *
 * All of it is read once, when a pair is created; the kernel never sends it.
 */
#ifndef _UAPI_LINUX_IF_FERRONIC_H
#define _UAPI_LINUX_IF_FERRONIC_H

/* Attributes within IFLA_INFO_DATA. */
enum {
	FERRONIC_LINK_UNSPEC,
	/* struct ifinfomsg, then IFLA_* of the other end, as for veth. */
	FERRONIC_LINK_PEER,
	/* u32, an enum ferronic_datapath of linux/ferronic.h; nic if absent. */
	FERRONIC_LINK_DATAPATH,

	__FERRONIC_LINK_MAX,
};
#define FERRONIC_LINK_MAX (__FERRONIC_LINK_MAX - 1)

#endif /* _UAPI_LINUX_IF_FERRONIC_H */
