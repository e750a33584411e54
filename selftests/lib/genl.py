# SPDX-License-Identifier: GPL-2.0
"""Generic netlink, and its netdev family: queues, NAPIs, page pools and queue
statistics; without an interpreter of specifications, which takes seconds to
start where instructions are emulated."""

import struct

import rtnl

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7

PAGE_POOL_GET, PAGE_POOL_STATS_GET, QUEUE_GET = 5, 9, 10
NAPI_GET, QSTATS_GET, NAPI_SET = 11, 12, 14

QSTATS = {1: "ifindex", 2: "type", 3: "id", 4: "scope", **dict(enumerate((
    "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "rx_alloc_fail", "rx_hw_drops",
    "rx_hw_drop_overruns", "rx_csum_complete", "rx_csum_unnecessary", "rx_csum_none",
    "rx_csum_bad", "rx_hw_gro_packets", "rx_hw_gro_bytes", "rx_hw_gro_wire_packets",
    "rx_hw_gro_wire_bytes", "rx_hw_drop_ratelimits", "tx_hw_drops", "tx_hw_drop_errors",
    "tx_csum_none", "tx_needs_csum", "tx_hw_gso_packets", "tx_hw_gso_bytes",
    "tx_hw_gso_wire_packets", "tx_hw_gso_wire_bytes", "tx_hw_drop_ratelimits", "tx_stop",
    "tx_wake"), 8))}
QUEUE = {1: "id", 2: "ifindex", 3: "type", 4: "napi_id"}
NAPI = {1: "ifindex", 2: "id", 3: "irq", 4: "pid", 5: "defer_hard_irqs", 6: "gro_flush_timeout",
        7: "irq_suspend_timeout", 8: "threaded"}
PAGE_POOL = {1: "id", 2: "ifindex", 3: "napi_id", 4: "inflight", 5: "inflight_mem",
             6: "detach_time"}
PAGE_POOL_STATS = {**dict(enumerate((
    "alloc_fast", "alloc_slow", "alloc_slow_high_order", "alloc_empty", "alloc_refill",
    "alloc_waive", "recycle_cached", "recycle_cache_full", "recycle_ring", "recycle_ring_full",
    "recycle_released_refcnt"), 8))}
RX, TX = 0, 1


def number(value):
    """An integer of whatever width the kernel chose."""
    return int.from_bytes(value, "little")


def named(body, names):
    return {names[kind]: number(value) for kind, value in rtnl.attrs(body) if kind in names}


class Family:
    """A family of generic netlink in the namespace it is opened in."""

    def __init__(self, namespace, name, room=1 << 18):
        with namespace:
            self.link = rtnl.Netlink(NETLINK_GENERIC, room=room)
        body = struct.pack("=BBH", CTRL_CMD_GETFAMILY, 2, 0) + \
            rtnl.attr(CTRL_ATTR_FAMILY_NAME, name)
        reply = self.link.request(GENL_ID_CTRL, 0, body)[0]
        found = dict(rtnl.attrs(reply[4:]))
        self.family = number(found[CTRL_ATTR_FAMILY_ID])
        self.groups = {}
        for _, group in rtnl.attrs(found.get(CTRL_ATTR_MCAST_GROUPS, b"")):
            entry = dict(rtnl.attrs(group))
            self.groups[entry[1].rstrip(b"\0").decode()] = number(entry[2])

    def close(self):
        self.link.close()

    def ask(self, command, *attributes, dump=True):
        body = struct.pack("=BBH", command, 1, 0) + b"".join(attributes)
        flags = rtnl.NLM_F_DUMP if dump else 0
        return [reply[4:] for reply in self.link.request(self.family, flags, body)]


class Netdev(Family):
    """Queues, NAPIs and page pools."""

    def __init__(self, namespace):
        super().__init__(namespace, "netdev")

    def qstats(self, index):
        """Of the whole device."""
        return named(self.ask(QSTATS_GET, rtnl.attr(1, index))[0], QSTATS)

    def qstats_of_queues(self, index):
        """By queue: (RX or TX, number) -> statistics."""
        found = {}
        for body in self.ask(QSTATS_GET, rtnl.attr(1, index), _u64(4, 1)):
            stats = named(body, QSTATS)
            found[stats["type"], stats["id"]] = stats
        return found

    def queues(self, index):
        """By queue: (RX or TX, number) -> NAPI id, or None."""
        found = [named(body, QUEUE) for body in self.ask(QUEUE_GET, rtnl.attr(2, index))]
        return {(queue["type"], queue["id"]): queue.get("napi_id") for queue in found}

    def napis(self, index):
        """The NAPIs of the device by id."""
        found = [named(body, NAPI) for body in self.ask(NAPI_GET, rtnl.attr(1, index))]
        return {napi["id"]: napi for napi in found}

    def napi_set(self, napi, **values):
        body = [rtnl.attr(2, napi)]
        for kind, name in NAPI.items():
            if name in values:
                wide = name in ("gro_flush_timeout", "irq_suspend_timeout")
                body.append((_u64 if wide else rtnl.attr)(kind, values[name]))
        self.ask(NAPI_SET, *body, dump=False)

    def page_pools(self, index):
        """The page pools of the device by id."""
        found = [named(body, PAGE_POOL) for body in self.ask(PAGE_POOL_GET)]
        return {pool["id"]: pool for pool in found if pool.get("ifindex") == index}

    def page_pool_stats(self, index):
        """Statistics of the device's page pools by id; empty without them."""
        pools, found = self.page_pools(index), {}
        for body in self.ask(PAGE_POOL_STATS_GET):
            info = dict(rtnl.attrs(body)).get(1, b"")
            pool = named(info, PAGE_POOL)
            if pool.get("id") in pools:
                found[pool["id"]] = named(body, PAGE_POOL_STATS)
        return found


def _u64(kind, value):
    return rtnl.attr(kind, struct.pack("=Q", value))
