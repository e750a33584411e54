/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `ip` of iproute2 and a link-kind plug-in know of each other.
 *
 * For a link kind it doesn't know, `ip` opens link_KIND.so in $IP_LIB_DIR or
 * its library directory and looks up KIND_link_util there. iproute2 installs
 * no header for that interface, so it is declared here. The Makefile beside
 * this file compares its size with that of the objects in the installed `ip`,
 * which is the same in iproute2 6.15 (trixie) and 7.2 (forky).
 */
#ifndef IP_PLUGIN_H
#define IP_PLUGIN_H

#include <stdint.h>
#include <stdio.h>

struct nlmsghdr;
struct rtattr;
struct sockaddr_nl;

struct link_util {
	/* Owned by ip: its list of the kinds seen. */
	struct link_util *next;
	const char *id;
	int maxattr;
	/* Appends to IFLA_INFO_DATA, which ip has opened; 0 if all is well. */
	int (*parse_opt)(struct link_util *lu, int argc, char **argv,
			 struct nlmsghdr *n);
	void (*print_opt)(struct link_util *lu, FILE *f, struct rtattr *tb[]);
	void (*print_xstats)(struct link_util *lu, FILE *f, struct rtattr *xstats);
	void (*print_help)(struct link_util *lu, int argc, char **argv, FILE *f);
	int (*parse_ifla_xstats)(struct link_util *lu, int argc, char **argv);
	int (*print_ifla_xstats)(struct nlmsghdr *n, void *arg);
};

/* Exported by ip. Those that return int return 0 or a negative number. */
extern struct link_util veth_link_util;
int addattr32(struct nlmsghdr *n, int maxlen, int type, uint32_t data);

#endif /* IP_PLUGIN_H */
