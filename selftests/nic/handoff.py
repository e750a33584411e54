#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The hand-off datapath: the transmitted packet itself becomes the received one,
scrubbed; everything arrives as on the other datapath."""

import contextlib
import errno
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import pktgen   # noqa: E402
import rtnl     # noqa: E402
import steer    # noqa: E402
import tap      # noqa: E402

INFO_DATAPATH, NIC, HANDOFF = 2, 0, 1
SO_INCOMING_NAPI_ID = 56
SO_SNDBUFFORCE, SOL_PACKET, PACKET_QDISC_BYPASS = 32, 263, 20
INFO = [rtnl.attr(INFO_DATAPATH, HANDOFF)]


class Handoff(nic.Pair):
    """Pairs of that datapath."""

    def nics(self, **options):
        try:
            return super().nics(info=INFO, **options)
        except rtnl.NetlinkError as error:
            raise tap.Skip(f"no hand-off datapath: {error}") from None


@tap.case("made by raw netlink and in the words of ip; an unknown datapath is refused")
def made(t):
    t.nics()
    t.tidy()
    for value in (2, 0xFFFFFFFF):
        try:
            net.make_pair(t.n0, {"name": "fe0"}, {"name": "fe1"},
                          info=[rtnl.attr(INFO_DATAPATH, value)])
        except rtnl.NetlinkError as error:
            tap.equal(error.errno in (errno.EINVAL, errno.ERANGE), True, f"error {error}")
        else:
            raise AssertionError(f"datapath {value} was taken")
    t.n0.ip("link", "add", "fe0", "type", net.KIND, "datapath", "handoff", "peer", "name", "fe1")
    done = t.n0.ip("link", "add", "fx0", "type", net.KIND, "datapath", "teleport", check=False)
    tap.equal(done.returncode != 0 and not t.n0.rtnl.exists("fx0"), True, "unknown word refused")


@tap.case("all kinds of traffic arrive as they were sent")
def traffic(t):
    t.nics()
    for addresses in (net.V4, net.V6):
        content.echo(t.n0, *addresses)
        content.datagrams(t.n0, t.n1, *addresses)
        content.stream(t.n0, t.n1, *addresses, 4000000)


@tap.case("with offloads off at either end")
def offloads(t):
    one, other = t.nics()
    for port in (one, other):
        port.set("-K", "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        for addresses in (net.V4, net.V6):
            content.stream(t.n0, t.n1, *addresses, 500000)
            content.datagrams(t.n0, t.n1, *addresses, sizes=(1, 1472, 20000))


@tap.case("sent = received + dropped, in packets")
def balance(t):
    t.nics()
    content.stream(t.n0, t.n1, *net.V4, 1000000)
    content.datagrams(t.n0, t.n1, *net.V6)
    t.balanced()


@tap.case("-G and -L under traffic")
def reconfigured(t):
    one, other = t.nics()
    client, server = content.connect(t.n0, t.n1, *net.V4)
    with client, server:
        for turn in range(6):
            one.ethtool.set(ethnl.RINGS, tx=64 << turn)
            other.ethtool.set(ethnl.CHANNELS, combined=turn + 1)
            content.exchange(client, server, 200000, turn, f"turn {turn}")


@tap.case("a small ring holds the sender back, and nothing is lost")
def back_pressure(t):
    one, other = t.nics()
    for port in (one, other):
        port.ethtool.set(ethnl.RINGS, tx=64, rx=64)
    content.stream(t.n0, t.n1, *net.V4, 3000000)
    t.balanced()


@tap.case("MSG_ZEROCOPY: data right, completion says copied, for it was")
def zerocopy(t):
    t.nics()
    client, server = content.connect(t.n0, t.n1, *net.V4)
    with client, server:
        client.setsockopt(socket.SOL_SOCKET, content.SO_ZEROCOPY, 1)
        for number in range(5):
            data = content.randbytes(number, 60000)
            sent = client.send(data, content.MSG_ZEROCOPY)
            content.same(content.receive_exactly(server, sent), data[:sent], "data")
            tap.equal(content.completions(client, 1), {content.SO_EE_CODE_ZEROCOPY_COPIED}, "code")


@tap.case("packets that are shared with who sends them: refused, or made our own")
def shared(t):
    one, _ = t.nics(quiet=True)
    # The generator asks whether it may.
    try:
        pktgen.send(t.n0, "fe0", 100, clone_skb=10)
    except OSError as error:
        tap.equal(error.errno, errno.EOPNOTSUPP, "error")
    else:
        raise AssertionError("clone_skb was taken")
    # Once it may, as the datapath has changed, it goes on whatever changes.
    with contextlib.closing(control.Raw(t.n0)) as family:
        wire = rtnl.attr(control.WIRE_ID, next(iter(family.ports().values()))["wire"])
        family.send(control.WIRE_SET, wire + rtnl.attr(3, NIC))
        tap.equal(pktgen.send(t.n0, "fe0", 100, clone_skb=10), 100, "packets sent")

        def change(turn):
            family.send(control.WIRE_SET, wire + rtnl.attr(3, (turn + 1) % 2))

        for _ in range(3):
            changes = nic.Changes(change, 6)
            sent = pktgen.send(t.n0, "fe0", 20000, clone_skb=1000)
            changes.finish()
            tap.equal(sent, 20000, "packets sent")
            t.balanced()


@tap.case("GRO merges TCP's segments, and no datagrams")
def gro(t):
    one, other = t.nics(only4=True)
    one.set("-K", "tso", "off", "gso", "off")

    def merged():
        return other.private()["gro_merged"]

    before = merged()
    content.stream(t.n0, t.n1, *net.V4, 4000000)
    tap.equal(merged() > before, True, f"merged of a stream: {merged() - before}")
    before = merged()
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(500):
            sender.sendto(bytes(1000), (net.V4[1], 9))
    t.balanced()
    tap.equal(merged(), before, "merged of datagrams")


@tap.case("a socket knows the NAPI that its packets came through")
def incoming(t):
    _, other = t.nics()
    client, server = content.connect(t.n0, t.n1, *net.V4)
    with client, server:
        for size in (1, 1000, 200000):
            client.sendall(bytes(size))
            content.receive_exactly(server, size)
            got = server.getsockopt(socket.SOL_SOCKET, SO_INCOMING_NAPI_ID)
            tap.equal(got in other.napis(), True, f"NAPI {got} among {list(other.napis())}")


TRACKED = """table ip tracked {{
    chain c {{
        type filter hook {hook} priority 0
        udp dport 5000 ct state new counter
        udp dport 5000 ct state established counter
    }}
}}"""


def tracked(namespace):
    """Packets that the two rules met."""
    found = re.findall(r"packets (\d+)", namespace.run("nft", "list", "table", "ip", "tracked"))
    return tuple(map(int, found))


@tap.case("marks, priorities and connection tracking stay in their namespace")
def scrubbed(t):
    t.nics()
    t.n1.run("nft", "add table netdev t; "
             "add chain netdev t c { type filter hook ingress device fe1 priority 0; }; "
             "add rule netdev t c meta mark 7 counter drop; "
             "add rule netdev t c meta priority 0:6 counter drop")
    t.n0.run("nft", TRACKED.format(hook="output"))
    with t.n0.socket(2, 2) as sender, t.n1.socket(2, 2) as receiver:
        receiver.bind((net.V4[1], 5000))
        sender.setsockopt(1, 36, 7)             # SO_MARK
        sender.setsockopt(1, 12, 6)             # SO_PRIORITY
        sender.sendto(b"clean", (net.V4[1], 5000))
        data, source = receiver.recvfrom(100)
        tap.equal(data, b"clean", "datagram")
        receiver.sendto(b"answer", source)
        tap.equal(sender.recv(100), b"answer", "answer")
        # In the one namespace it belongs to a connection now, in the other it begins one.
        t.n1.run("nft", TRACKED.format(hook="prerouting"))
        sender.sendto(b"again", (net.V4[1], 5000))
        tap.equal(receiver.recv(100), b"again", "datagram")
    rules = t.n1.run("nft", "list", "table", "netdev", "t")
    tap.equal(rules.count("packets 0"), 2, f"rules that met nothing in {rules}")
    tap.equal([tracked(namespace) for namespace in (t.n0, t.n1)], [(1, 1), (1, 0)],
              "packets that began a connection, packets of one")


@tap.case("frames to a foreign address are not taken by the stack")
def foreign(t):
    one, other = t.nics(quiet=True)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        sender.send(frames.ether("02:fe:00:00:99:99", net.MAC[0], frames.ETH_P_TEST, bytes(60)))
        sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, b"mine" + bytes(60)))
        while True:
            frame, (_, _, kind, _, _) = receiver.recvfrom(4000)
            if frame[14:18] == b"mine":
                break
            tap.equal(kind, 3, "type of a foreign packet (other host)")


@tap.case("what is longer than the receiver's MTU and a tag is dropped, and told as too long everywhere")
def too_long(t):
    one, other = t.nics(quiet=True, own={"mtu": 9000}, peer={"mtu": 1500})

    def counts():
        stats, private = other.link["stats"], other.private()
        with contextlib.closing(control.Family(t.n1)) as family:
            stage = family.stages("fe1")["rx", "receive"]
        groups = other.json("-S", "--groups", "eth-mac", "rmon")
        return {"length errors": stats["rx_length_errors"], "errors": stats["rx_errors"],
                "private": private["rx_drop_too_long"], "queues": other.qstats()["rx_hw_drops"],
                "stage": stage["drop"]["too-long"],
                "eth-mac": groups["eth-mac"]["FrameTooLongErrors"],
                "rmon": groups["rmon"]["etherStatsOversizePkts"]}

    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        before = counts()
        for size in (1519, 1522, 9014, 1518, 1514, 9014):
            sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(size - 14)))
        for size in (1518, 1514):
            tap.equal(len(receiver.recv(20000)), size, "length of what is taken")
        t.balanced()
        now = counts()
    tap.equal({name: now[name] - before[name] for name in now}, dict.fromkeys(now, 4), "counted")


@tap.case("n-tuple rules would not act, and are refused")
def no_rules(t):
    _, other = t.nics()
    other.refused("-N", "flow-type", "udp4", "action", 1, hint="not supported")
    tap.equal(steer.rules(other), [], "rules")


@tap.case("ends up and down, moved and deleted under a flood")
def trouble(t):
    for turn in range(6):
        t.nics()
        with content.Flood(t.n0, *net.V4) as flood:
            net.wait_until(lambda: flood.count > 100, "the flood")
            for _ in range(5):
                t.n1.rtnl.change("fe1", up=False)
                t.n1.rtnl.change("fe1", up=True)
            t.n[turn % 2].rtnl.delete(f"fe{turn % 2}")
        t.tidy()


@tap.case("a receiver that goes down while it receives leaves nothing behind in the ring")
def down_amid(t):
    """Its poll has the ring to itself when the port is closed, and uses up its budget;
    the thread it runs in lets the test get between."""
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.CHANNELS, combined=1)
    for napi in other.napis():
        other.netdev.napi_set(napi, threaded=1)
        os.setpriority(os.PRIO_PROCESS, other.napis()[napi]["pid"], 19)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver, \
            contextlib.ExitStack() as stack:
        # What makes receiving slower.
        for _ in range(16):
            stack.enter_context(t.n1.packet("fe1", frames.ETH_P_TEST))
        straight(sender)
        for turn in range(net.rounds(40)):
            fill(sender, 512)
            t.n1.rtnl.change("fe1", up=False)
            t.n1.rtnl.change("fe1", up=True)
            t.ready()
            sender.send(frame(b"after%d" % turn))
            while not received(receiver).startswith(b"after%d" % turn):
                pass
    t.balanced()


def straight(sender):
    """Lets a socket send past the queueing discipline and byte queue limits, until the
    ring is full."""
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
    sender.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
    sender.setblocking(False)


def fill(sender, count):
    """Sends frames as long as the queue takes them."""
    with contextlib.suppress(OSError):
        for _ in range(count):
            sender.send(frame(b"before"))


def frame(text):
    """A frame for the other end that holds a text."""
    return frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, text + bytes(60))


def received(receiver):
    """The content of the next frame; a socket tells once that its device was down."""
    while True:
        try:
            return receiver.recv(4000)[14:]
        except OSError as error:
            if error.errno != errno.ENETDOWN:
                raise


@tap.case("what the sender's own ring holds when it is closed is no error of the carrier's")
def closed(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.CHANNELS, combined=1)
    with t.n0.packet("fe0") as sender, nic.stalled(other, sender, frame(b"first")):
        for _ in range(20):
            sender.send(frame(b"held"))
        t.n0.rtnl.change("fe0", up=False)
        stats = one.link["stats"]
        tap.equal((stats["tx_carrier_errors"], stats["tx_errors"]), (0, 0), "errors")
        if not one.private()["tx_drop_closed"]:
            raise AssertionError(f"no frame was left in the ring: {one.private()}")
        t.n0.rtnl.change("fe0", up=True)
        t.ready()
    t.balanced()


@tap.case("a receiver whose polls are deferred trips the watchdog, which has it polled")
def watchdog(t):
    tap.announce("fe0: NETDEV WATCHDOG: .*transmit queue 0 timed out")
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.one_channel()
        port.ethtool.set(ethnl.RINGS, tx=64)
    t.n0.tc("qdisc", "replace", "dev", "fe0", "root", "pfifo", "limit", "1")
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        with nic.stalled(other, sender, frame):
            nic.drain(receiver)
            taken = nic.fill(sender, frame, 1000)
            tap.equal(taken < 1000, True, f"the queue has stopped, after {taken} frames")
            # The last one comes when the queue has been woken, and waits again.
            for _ in range(taken - 1):
                receiver.recv(2000)
            net.wait_until(lambda: nic.fill(sender, frame, 1), "the queue goes on")
    t.balanced()


@tap.case("every queue that is woken is counted, the same in all statistics")
def wakes(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.CHANNELS, combined=1)
        port.ethtool.set(ethnl.RINGS, tx=64, rx=64)

    with t.n0.packet("fe0") as sender:
        straight(sender)
        with nic.stalled(other, sender, frame(b"first")):
            fill(sender, 64)
    t.balanced()
    with contextlib.closing(control.Family(t.n0)) as family:
        stage = family.stages("fe0")["tx", "post"]
    queue = one.qstats()
    tap.equal((stage["stops"], stage["wakes"]), (queue["tx_stop"], queue["tx_wake"]), "stops and wakes")
    if not queue["tx_wake"]:
        raise AssertionError("no queue was woken")


tap.main(Handoff)
