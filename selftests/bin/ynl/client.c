// SPDX-License-Identifier: GPL-2.0
/*
 * ynl-client PORT [PAUSE-LIMIT]
 *   a client of the control family, made of nothing but what the kernel's generator makes of the specification: gets a
 *   port by number, dumps ports, wires, channels and stages; if a pause limit is given, sets it, waits for the
 *   notification, resets the port's statistics, and does all that can be changed in a transaction, twice: one is given
 *   up. Prints a line for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ynl.h>

#include "ferronic-user.h"

static struct ynl_sock *ys;

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, ys->err.msg);
	exit(1);
}

static void print_port(const char *what, const struct ferronic_port_get_rsp *port)
{
	printf("%s %u %s wire %u end %s mtu %u limit %u\n", what, port->ifindex, port->name, port->wire,
	       ferronic_end_str(port->end), port->mtu, port->pause_limit);
}

static unsigned int get(unsigned int ifindex)
{
	struct ferronic_port_get_req *req = ferronic_port_get_req_alloc();
	struct ferronic_port_get_rsp *rsp;
	unsigned int wire;

	ferronic_port_get_req_set_ifindex(req, ifindex);
	rsp = ferronic_port_get(ys, req);
	ferronic_port_get_req_free(req);
	if (!rsp)
		fail("port-get");
	print_port("port", rsp);
	wire = rsp->wire;
	ferronic_port_get_rsp_free(rsp);
	return wire;
}

static void dump(unsigned int ifindex)
{
	struct ferronic_channel_get_req_dump *channel_req = ferronic_channel_get_req_dump_alloc();
	struct ferronic_stage_get_req_dump *stage_req = ferronic_stage_get_req_dump_alloc();
	struct ferronic_channel_get_list *channels;
	struct ferronic_stage_get_list *stages;
	struct ferronic_port_get_list *ports;
	struct ferronic_wire_get_list *wires;
	unsigned int n = 0;

	ports = ferronic_port_get_dump(ys);
	if (!ports)
		fail("port-get dump");
	ynl_dump_foreach(ports, port)
		print_port("dumped", port);
	ferronic_port_get_list_free(ports);

	wires = ferronic_wire_get_dump(ys);
	if (!wires)
		fail("wire-get dump");
	ynl_dump_foreach(wires, wire)
		printf("wire %u ports %u\n", wire->id, wire->_count.port);
	ferronic_wire_get_list_free(wires);

	ferronic_channel_get_req_dump_set_ifindex(channel_req, ifindex);
	channels = ferronic_channel_get_dump(ys, channel_req);
	ferronic_channel_get_req_dump_free(channel_req);
	if (!channels)
		fail("channel-get dump");
	ynl_dump_foreach(channels, channel)
		n += channel->_count.poll_frames == FERRONIC_POLL_BUCKETS;
	printf("channels %u\n", n);
	ferronic_channel_get_list_free(channels);

	ferronic_stage_get_req_dump_set_ifindex(stage_req, ifindex);
	stages = ferronic_stage_get_dump(ys, stage_req);
	ferronic_stage_get_req_dump_free(stage_req);
	if (!stages)
		fail("stage-get dump");
	ynl_dump_foreach(stages, stage)
		printf("stage %s %s drops %u\n", ferronic_direction_str(stage->direction),
		       ferronic_stage_str(stage->stage), stage->_count.drop);
	ferronic_stage_get_list_free(stages);
}

static void set(unsigned int ifindex, unsigned int limit)
{
	struct ferronic_port_set_req *req = ferronic_port_set_req_alloc();
	struct ynl_ntf_base_type *ntf;

	if (ynl_subscribe(ys, FERRONIC_MCGRP_MGMT))
		fail("subscribe");
	ferronic_port_set_req_set_ifindex(req, ifindex);
	ferronic_port_set_req_set_pause_limit(req, limit);
	if (ferronic_port_set(ys, req))
		fail("port-set");
	ferronic_port_set_req_free(req);
	while (!(ntf = ynl_ntf_dequeue(ys)))
		if (ynl_ntf_check(ys) < 0)
			fail("notification");
	if (ntf->cmd != FERRONIC_CMD_PORT_CHANGE_NTF)
		fail("not a change");
	print_port("changed", &((struct ferronic_port_get_ntf *)ntf)->obj);
	ynl_ntf_free(ntf);
}

static void reset(unsigned int ifindex)
{
	struct ferronic_stats_reset_req *req = ferronic_stats_reset_req_alloc();

	ferronic_stats_reset_req_set_ifindex(req, ifindex);
	if (ferronic_stats_reset(ys, req))
		fail("stats-reset");
	ferronic_stats_reset_req_free(req);
	printf("reset\n");
}

static void set_wire(unsigned int id)
{
	struct ferronic_wire_set_req *req = ferronic_wire_set_req_alloc();

	ferronic_wire_set_req_set_id(req, id);
	ferronic_wire_set_req_set_datapath(req, FERRONIC_DATAPATH_NIC);
	if (ferronic_wire_set(ys, req))
		fail("wire-set");
	ferronic_wire_set_req_free(req);
	printf("wire set\n");
}

static void transact(unsigned int ifindex, unsigned int id, unsigned int limit, int commit)
{
	struct ferronic_transaction_commit_req *last = ferronic_transaction_commit_req_alloc();
	struct ferronic_transaction_add_req *req = ferronic_transaction_add_req_alloc();
	struct ferronic_port_change *ports = ferronic_port_change_alloc(2);
	struct ferronic_wire_change *wires = ferronic_wire_change_alloc(1);
	struct ferronic_transaction_begin_rsp *begun;
	int i;

	begun = ferronic_transaction_begin(ys);
	if (!begun)
		fail("transaction-begin");
	for (i = 0; i < 2; i++) {
		ferronic_port_change_set_ifindex(&ports[i], ifindex);
		ferronic_port_change_set_pause_limit(&ports[i], limit + i);
	}
	ferronic_wire_change_set_id(&wires[0], id);
	ferronic_wire_change_set_datapath(&wires[0], FERRONIC_DATAPATH_NIC);
	__ferronic_transaction_add_req_set_port(req, ports, 2);
	__ferronic_transaction_add_req_set_wire(req, wires, 1);
	if (ferronic_transaction_add(ys, req))
		fail("transaction-add");
	ferronic_transaction_add_req_free(req);
	ferronic_transaction_commit_req_set_generation(last, begun->generation);
	if (commit ? ferronic_transaction_commit(ys, last) : ferronic_transaction_abort(ys))
		fail("the transaction's end");
	ferronic_transaction_commit_req_free(last);
	ferronic_transaction_begin_rsp_free(begun);
	printf("%s\n", commit ? "committed" : "aborted");
}

int main(int argc, char **argv)
{
	struct ynl_error error;
	unsigned int ifindex, wire;

	if (argc < 2) {
		fprintf(stderr, "usage: ynl-client PORT [PAUSE-LIMIT]\n");
		return 2;
	}
	ifindex = atoi(argv[1]);
	ys = ynl_sock_create(&ynl_ferronic_family, &error);
	if (!ys) {
		fprintf(stderr, "%s\n", error.msg);
		return 1;
	}
	wire = get(ifindex);
	dump(ifindex);
	if (argc > 2) {
		set(ifindex, atoi(argv[2]));
		reset(ifindex);
		set_wire(wire);
		transact(ifindex, wire, 300, 0);
		transact(ifindex, wire, 200, 1);
		get(ifindex);
	}
	ynl_sock_destroy(ys);
	return 0;
}
