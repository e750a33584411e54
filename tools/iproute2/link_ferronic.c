// SPDX-License-Identifier: GPL-2.0
/*
 * Teaches `ip link` the kind "ferronic".
 *
 * A pair is described as for veth: the options of the second end stand after
 * the word "peer" and may be any that `ip link add` takes. The parser for those
 * is part of ip itself, and reached through its veth kind; what it appends,
 * attribute 1 holding a struct ifinfomsg and IFLA_* attributes, is also what
 * ferronic expects.
 */
#include <linux/ferronic.h>
#include <linux/if_ferronic.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "ip_plugin.h"

/* Room for the whole message; ip's own buffer is larger. */
#define MESSAGE_MAX 1024

_Static_assert(sizeof(struct link_util) == LINK_UTIL_SIZE,
	       "the installed ip lays out struct link_util differently");

/* The attribute that ip's veth parser writes is the one ferronic reads. */
_Static_assert(FERRONIC_LINK_PEER == 1, "VETH_INFO_PEER is 1");

static const char *const datapath_names[] = {
	[FERRONIC_DATAPATH_NIC] = "nic",
	[FERRONIC_DATAPATH_HANDOFF] = "handoff",
};

#define DATAPATHS (sizeof(datapath_names) / sizeof(datapath_names[0]))

static void print_usage(FILE *f)
{
	fputs("Usage: ip link add DEVICE [ OPTIONS ] type ferronic\n"
	      "               [ datapath { nic | handoff } ]\n"
	      "               [ peer [ name ] NAME [ PEER-OPTIONS ] ]\n"
	      "\n"
	      "Creates two Ethernet NICs joined by a wire.\n"
	      "\n"
	      "OPTIONS and PEER-OPTIONS are those of 'ip link add' (see 'ip link help'),\n"
	      "among them: address LLADDR, mtu MTU, netns { NAME | PID },\n"
	      "numtxqueues COUNT, numrxqueues COUNT, up.\n"
	      "\n"
	      "datapath nic      frames are cut, checksummed and copied into buffers that\n"
	      "                  the receiver posted, as hardware does (default)\n"
	      "datapath handoff  the buffer that was sent is the one received: faster,\n"
	      "                  less like hardware\n", f);
}

static void print_help(struct link_util *lu, int argc, char **argv, FILE *f)
{
	(void)lu;
	(void)argc;
	(void)argv;
	print_usage(f);
}

/* The number of the datapath called @name, or -1. */
static int datapath_by_name(const char *name)
{
	for (size_t i = 0; i < DATAPATHS; i++)
		if (strcmp(name, datapath_names[i]) == 0)
			return (int)i;
	return -1;
}

/* Appends the datapath that argv[1] names; argv[0] is the word "datapath". */
static int parse_datapath(int argc, char **argv, struct nlmsghdr *n)
{
	int datapath;

	if (argc < 2) {
		fputs("ferronic: \"datapath\" needs a value: nic or handoff\n", stderr);
		return -1;
	}

	datapath = datapath_by_name(argv[1]);
	if (datapath < 0) {
		fprintf(stderr, "ferronic: datapath \"%s\" is unknown: say nic or handoff\n",
			argv[1]);
		return -1;
	}

	return addattr32(n, MESSAGE_MAX, FERRONIC_LINK_DATAPATH, (uint32_t)datapath);
}

/* Appends what stands after the word "peer", which is argv[0]. */
static int parse_peer(int argc, char **argv, struct nlmsghdr *n)
{
	if (argc < 2) {
		fputs("ferronic: \"peer\" needs options, as in: peer name fe1\n", stderr);
		return -1;
	}

	/* ip would take the word for a device name and say so confusingly. */
	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "datapath") == 0 && datapath_by_name(argv[i + 1]) >= 0) {
			fputs("ferronic: \"datapath\" is the wire's: give it before \"peer\"\n",
			      stderr);
			return -1;
		}
	}

	return veth_link_util.parse_opt(&veth_link_util, argc, argv, n);
}

static int parse_opt(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n)
{
	int datapath_seen = 0;

	(void)lu;

	while (argc > 0) {
		if (strcmp(argv[0], "peer") == 0)
			return parse_peer(argc, argv, n);

		if (strcmp(argv[0], "datapath") == 0) {
			if (datapath_seen++) {
				fputs("ferronic: \"datapath\" is given twice\n", stderr);
				return -1;
			}
			if (parse_datapath(argc, argv, n) < 0)
				return -1;
			argc -= 2;
			argv += 2;
			continue;
		}

		if (strcmp(argv[0], "help") != 0)
			fprintf(stderr, "ferronic: unknown option \"%s\"\n", argv[0]);
		print_usage(stderr);
		return -1;
	}

	return 0;
}

struct link_util ferronic_link_util = {
	.id = "ferronic",
	.parse_opt = parse_opt,
	.print_help = print_help,
};
