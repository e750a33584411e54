# SPDX-License-Identifier: GPL-2.0
"""UDP: by the packet generator into the device, and from socket to socket."""

import contextlib

import topology
from pktgen import Pktgen
from topology import address, batches, mac


@contextlib.contextmanager
def generated(bench, space, name, target, sink, threads=1, **settings):
    """Packets from `name` in `space` to the MAC address `target`; all of them have
    to reach `sink`, a namespace and a device."""
    packets = bench.packets * threads
    generator = Pktgen(space, name, dst_mac=target, dst=settings.pop("dst", address(0, 2)),
                       threads=threads, **settings)

    def received():
        return sink[0].rtnl.stats(sink[1])["rx_packets"] if sink else 0

    def run(count):
        found = []
        for _ in range(count):
            before = received()
            found.append((generator.run(bench.packets), packets))
            lost = before + packets - received()
            if sink and lost > 0:
                raise topology.Fault(f"{lost} of {packets} packets got lost")
        return found

    generator.run(bench.packets // 5)
    yield run
    generator.close()


@contextlib.contextmanager
def dropped(bench, place, row, size, burst=1):
    """To the other end, where tc drops it; a dummy has none and frees by itself."""
    settings = {"pkt_size": size, "burst": burst}
    if row.name == "tap":
        with written(bench, place, size) as run:
            yield run
        return
    if row.name == "dummy":
        one = place.space()
        one.rtnl.add_link("dummy", name="left0", address=mac(0, 1))
        one.rtnl.change("left0", up=True)
        with generated(bench, one, "left0", mac(0, 2), None, **settings) as run:
            yield run
        return
    one, other = place.spaces()
    left, right = place.pair(row, one, other)
    topology.drop_at_ingress(other, right)
    with generated(bench, one, left, mac(0, 2), (other, right), **settings) as run:
        yield run


@contextlib.contextmanager
def written(bench, place, size):
    """The same frames, written into a tap by a program."""
    space = place.space()
    space.ip("tuntap", "add", "dev", "right0", "mode", "tap")
    space.rtnl.change("right0", address=mac(0, 2), up=True)
    topology.drop_at_ingress(space, "right0")
    yield lambda count: batches("tap", in_=space.name, name="right0", destination=mac(0, 2),
                                size=size, count=bench.packets, batches=count)


@contextlib.contextmanager
def forwarded(bench, place, row, size):
    """Through a router to a second pair."""
    a, b, c = place.spaces(3)
    left, right = place.pair(row, a, b, 0)
    _, end = place.pair(row, b, c, 1)
    b.sysctl("net/ipv4/ip_forward", 1)
    topology.drop_at_ingress(c, end)
    with generated(bench, a, left, mac(0, 2), (c, end), pkt_size=size, dst=address(1, 2)) as run:
        yield run


@contextlib.contextmanager
def bridged(bench, place, row, size):
    """Through a bridge to a second pair."""
    a, b, c = place.spaces(3)
    left, right = place.pair(row, a, b, 0)
    other, end = place.pair(row, b, c, 1)
    b.rtnl.add_link("bridge", name="bridge0")
    b.rtnl.change("bridge0", up=True)
    for port, station in (right, mac(0, 1)), (other, mac(1, 2)):
        b.ip("link", "set", port, "master", "bridge0")
        b.run("bridge", "fdb", "add", station, "dev", port, "master", "static")
    topology.net.wait_until(lambda: "forwarding" in b.run("bridge", "link", "show", "dev", other),
                        "the bridge's port forwards")
    topology.drop_at_ingress(c, end)
    with generated(bench, a, left, mac(1, 2), (c, end), pkt_size=size) as run:
        yield run


@contextlib.contextmanager
def redirected(bench, place, row, size):
    """By tc to an ifb and back to the device; IP then drops them, as they are
    addressed to another station."""
    one, other = place.spaces()
    left, right = place.pair(row, one, other)
    other.rtnl.change(right, flags=topology.rtnl.IFF_PROMISC, mask=topology.rtnl.IFF_PROMISC)
    other.rtnl.add_link("ifb", name="ifb0")
    other.rtnl.change("ifb0", up=True)
    other.tc("qdisc", "add", "dev", right, "clsact")
    other.tc("filter", "add", "dev", right, "ingress", "matchall",
             "action", "mirred", "egress", "redirect", "dev", "ifb0")
    with generated(bench, one, left, mac(0, 9), (other, right), pkt_size=size) as run:
        yield run


@contextlib.contextmanager
def flows(bench, place, row, count, channels):
    """So many flows, taking turns, over so many channels of either end."""
    one, other = place.spaces()
    left, right = place.pair(row, one, other, queues=channels)
    topology.drop_at_ingress(other, right)
    settings = {"udp_src_min": 1000, "udp_src_max": 1000 + count,
                "queue_map_min": 0, "queue_map_max": min(channels, count) - 1}
    with generated(bench, one, left, mac(0, 2), (other, right), pkt_size=60, **settings) as run:
        yield run


@contextlib.contextmanager
def scaled(bench, place, row, threads):
    """A flow from each of so many CPUs, each on a channel of its own."""
    one, other = place.spaces()
    left, right = place.pair(row, one, other, queues=threads)
    topology.drop_at_ingress(other, right)
    with generated(bench, one, left, mac(0, 2), (other, right), threads, pkt_size=60) as run:
        yield run


@contextlib.contextmanager
def between_sockets(bench, place, row, size, segments=1, gro=0):
    """From socket to socket; where segments are asked for, the unit is the byte."""
    one, other = place.spaces()
    place.pair(row, one, other)
    burst = 32 if segments == 1 else 1

    def run(count):
        found = batches("datagrams", from_=one.name, to=other.name, address=address(0, 2),
                        size=size, segments=segments, gro=gro, burst=burst, batches=count,
                        count=bench.packets)
        unit = size if segments > 1 else 1
        return [(time, units * unit) for time, units in found]

    yield run
