#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The transmit side as the core sees it: byte queue limits, qdiscs, small
queues, stopping and waking."""

import fcntl
import json
import os
import socket
import struct
import sys
import termios
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import pktgen   # noqa: E402
import tap      # noqa: E402
from trace import Trace     # noqa: E402

SO_SNDBUFFORCE, UDP_SEGMENT = 32, 103


@tap.case("byte queue limits: nothing is in flight once all is quiet")
def bql(t):
    one, _ = t.nics()
    content.stream(t.n0, t.n1, *net.V4, 2000000)
    net.wait_until(lambda: not any(one.inflight()), f"nothing in flight ({one.inflight()})")
    one.ethtool.set(ethnl.RINGS, tx=64)
    one.ethtool.set(ethnl.CHANNELS, combined=2)
    content.stream(t.n0, t.n1, *net.V4, 500000)
    net.wait_until(lambda: not any(one.inflight()), "nothing in flight after -G and -L")


@tap.case("byte queue limits: with a stalled receiver the limit holds, in bytes")
def bql_limit(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.CHANNELS, combined=1)
        port.ethtool.set(ethnl.RINGS, rx=64, tx=1024)
    t.n0.run("unshare", "-m", "sh", "-c", "mount -t sysfs none /sys && echo 3000 > "
             "/sys/class/net/fe0/queues/tx-0/byte_queue_limits/limit_max")
    with t.n0.packet("fe0") as sender:
        frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(986))
        sender.setblocking(False)
        with nic.stalled(other, sender, frame):
            for _ in range(300):
                try:
                    sender.send(frame)
                except OSError:
                    break
            queued = one.inflight()[0]
        # A limit is passed by one packet at most, which is when the queue stops.
        if queued > 4000:
            raise AssertionError(f"{queued} bytes in flight above a limit of 3000")


@tap.case("a ring much smaller than the traffic: stops and wakes, and all arrives")
def stop_wake(t):
    one, other = t.nics()
    for port in (one, other):
        port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
    content.stream(t.n0, t.n1, *net.V4, 3000000)
    content.stream(t.n0, t.n1, *net.V6, 3000000)
    net.wait_until(lambda: not any(one.inflight()), "nothing in flight")
    stats = one.qstats()
    tap.equal(stats["tx_wake"], stats["tx_stop"], "wakes, and stops")


@tap.case("a ring that is full of frames nobody takes stops its queue, and wakes it, once")
def full(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.one_channel()
        port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
    one.unlimited()
    one.pause_limit(4000)
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))

    def stopped():
        # Where that takes longer than a pause may last there is room again, and so it is done once more.
        nic.fill(sender, frame, 500)
        return one.qstats()["tx_stop"] > 0

    with t.n0.packet("fe0") as sender:
        with nic.stalled(other, sender, frame):
            tap.equal(one.qstats()["tx_stop"], 0, "stops with room in the ring")
            net.wait_until(stopped, "the queue stops")
        t.balanced()
        net.wait_until(lambda: not any(one.inflight()), "nothing in flight")
        stats = one.qstats()
        tap.equal((stats["tx_wake"] > 0, stats["tx_wake"]), (True, stats["tx_stop"]), "wakes, and stops")
        # It runs again.
        with t.n1.packet("fe1") as receiver:
            sender.send(frame)
            tap.equal(receiver.recv(2000), frame, "a frame behind it")


@tap.case("qdiscs work as on a NIC: a rate limit and a short queue both hold")
def qdisc(t):
    one, other = t.nics()

    def shown():
        return json.loads(t.n0.tc("-s", "-j", "qdisc", "show", "dev", "fe0"))[0]

    t.n0.tc("qdisc", "replace", "dev", "fe0", "root", "pfifo", "limit", "5")
    content.stream(t.n0, t.n1, *net.V4, 300000)
    for port in (one, other):
        port.one_channel()
        port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))

    def dropped():
        nic.fill(sender, frame, 500)
        return shown()["drops"]

    with t.n0.packet("fe0") as sender, nic.stalled(other, sender, frame):
        # The ring is full, then the queue in front of it, and what does not fit is dropped.
        net.wait_until(dropped, "a full queue")
        tap.equal(shown()["qlen"] <= 5, True, f"packets in the queue: {shown()}")
    t.n0.tc("qdisc", "replace", "dev", "fe0", "root", "tbf", "rate", "1mbit", "burst", "20k",
            "latency", "500ms")
    content.stream(t.n0, t.n1, *net.V4, 100000)
    tap.equal(shown()["overlimits"] > 0, True, f"held to its rate: {shown()}")
    t.n0.tc("qdisc", "del", "dev", "fe0", "root")
    t.ping()


@tap.case("a discipline that has packets of several queues loses none of them")
def several_queues(t):
    """`skbedit queue_mapping` below mq: the core locks the queue of the first packet of a burst, whatever the others say."""
    one, _ = t.nics()
    one.ethtool.set(ethnl.CHANNELS, combined=2)
    t.n0.tc("qdisc", "replace", "dev", "fe0", "root", "handle", "1:", "mq")
    for child in ("1", "2"):
        t.n0.tc("qdisc", "replace", "dev", "fe0", "parent", f"1:{child}", "handle", f"1{child}:",
                "fq_codel")
        for queue in (0, 1):
            t.n0.tc("filter", "add", "dev", "fe0", "parent", f"1{child}:", "protocol", "ip", "u32",
                    "match", "ip", "dport", str(20000 + queue), "0xffff", "flowid", f"1{child}:1",
                    "action", "skbedit", "queue_mapping", str(queue))

        t.n0.tc("filter", "add", "dev", "fe0", "parent", f"1{child}:", "pref", "60000", "matchall",
                "flowid", f"1{child}:1")

    def send():
        with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(1500):
                sender.sendto(bytes(200), (net.V4[1], 20000 + number % 2))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    net.wait_until(lambda: not any(one.inflight()), "nothing in flight")
    t.balanced()
    t.ping()


@tap.case("tx_queue_len is kept, and used by the qdisc")
def txqueuelen(t):
    one, _ = t.nics()
    t.n0.ip("link", "set", "fe0", "txqueuelen", "17")
    tap.equal(one.link["txqlen"], 17, "length")
    t.n0.tc("qdisc", "replace", "dev", "fe0", "root", "pfifo")
    if "limit 17p" not in t.n0.tc("qdisc", "show", "dev", "fe0"):
        raise AssertionError(t.n0.tc("qdisc", "show", "dev", "fe0"))


@tap.case("the sender's socket is charged until its packet is complete")
def charged(t):
    """While completions are held back, a socket's send buffer stays in use, though all has arrived."""
    one, _ = t.nics(only4=True)
    one.one_channel()
    one.unlimited()
    t.ping()

    def charge(sender):
        return struct.unpack("i", fcntl.ioctl(sender, termios.TIOCOUTQ, bytes(4)))[0]

    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, t.n1.packet("fe1") as waker, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((net.V4[1], 5007))
        back = frames.ether(net.MAC[0], net.MAC[1], frames.ETH_P_TEST, bytes(86))
        with nic.stalled(one, waker, back):
            for number in (1, 2):
                sender.sendto(bytes(1000), (net.V4[1], 5007))
                receiver.recv(2000)
                tap.equal(charge(sender) >= number * 1000, True,
                          f"charge of {number} datagrams: {charge(sender)}")
        net.wait_until(lambda: not charge(sender), "the end of the charge")
    # More than a buffer has room for.
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        for _ in range(500):
            sender.sendto(bytes(1000), (net.V4[1], 9))
    net.wait_until(lambda: not any(one.inflight()), "nothing in flight")


@tap.case("a burst rings the doorbell once")
def bursts(t):
    one, other = t.nics(quiet=True)
    other.ethtool.set(ethnl.COALESCE, rx_usecs=0, rx_frames=1)
    for burst in (8, 32):
        before = other.raises()
        sent = pktgen.send(t.n0, "fe0", 3200, burst=burst)
        t.balanced()
        # Where the poll goes on meanwhile, several bursts share a raise.
        tap.equal(other.raises() - before <= sent // burst + 1, True,
                  f"{other.raises() - before} raises for {sent} frames in bursts of {burst}")


def transmit_by(t, chosen, channels):
    """Lets XPS choose one queue for all CPUs."""
    cpus = f"{(1 << os.cpu_count()) - 1:x}"
    words = " && ".join(f"echo {cpus if number == chosen else 0} > "
                        f"/sys/class/net/fe0/queues/tx-{number}/xps_cpus"
                        for number in range(channels))
    t.n0.run("unshare", "-m", "sh", "-c", f"mount -t sysfs none /sys && {words}")


@tap.case("the queue that XPS chooses is the one that sends")
def xps(t):
    one, _ = t.nics()
    for chosen in (2, 0, 3):
        transmit_by(t, chosen, 4)
        before = one.queue_stats()
        for number in range(20):
            with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(bytes(100), (net.V4[1], 9000 + number))
        after = one.queue_stats()
        grown = [after[genl.TX, number]["tx_packets"] - before[genl.TX, number]["tx_packets"]
                 for number in range(4)]
        tap.equal(grown[chosen] >= 20, True, f"frames by queue, with queue {chosen}: {grown}")


@tap.case("a queue whose completions do not come is recovered by the watchdog")
def watchdog(t):
    tap.announce("fe0: NETDEV WATCHDOG: .*transmit queue 1 timed out")
    one, _ = t.nics(quiet=True)
    one.ethtool.set(ethnl.CHANNELS, combined=2)
    one.ethtool.set(ethnl.RINGS, tx=64)
    transmit_by(t, 1, 2)
    t.n0.tc("qdisc", "replace", "dev", "fe0", "root", "pfifo", "limit", "1")
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
    back = frames.ether(net.MAC[0], net.MAC[1], frames.ETH_P_TEST, bytes(86))

    def timeouts():
        return int(one.sysfs("queues/tx-1/tx_timeout")[0])

    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as waker, nic.stalled(one, waker, back):
        # The port's own poll is deferred, and nothing else frees what was sent.
        for turn in (1, 2):
            taken = nic.fill(sender, frame, 1000)
            tap.equal(taken < 1000, True, f"the queue has stopped, after {taken} frames")
            net.wait_until(lambda least=turn: timeouts() >= least, "the watchdog")
            net.wait_until(lambda: nic.fill(sender, frame, 1), "the queue goes on")
    t.balanced()


@tap.case("a queue that goes while it is stopped is no longer watched")
def gone(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
    one.unlimited()
    transmit_by(t, 3, 4)
    one.pause_limit(4000)
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))

    def stopped():
        # A pause may have expired meanwhile, which lets it run.
        nic.fill(sender, frame, 500)
        return one.qstats()["tx_stop"] > one.qstats()["tx_wake"]

    with t.n0.packet("fe0") as sender:
        with nic.stalled(other, sender, frame):
            net.wait_until(stopped, "the queue stops")
            one.ethtool.set(ethnl.CHANNELS, combined=2)
        with Trace("net/net_dev_xmit_timeout", "timer/timer_expire_entry") as trace:
            # Each port's watchdog twice.
            net.wait_until(lambda: sum("function=dev_watchdog " in line for line in trace.lines()) >= 4,
                           "watchdogs")
            tap.equal([line for line in trace.lines() if "net_dev_xmit_timeout" in line], [],
                      "queues found to hang")
    t.balanced()


@tap.case("frames that are dropped on the wire are so in runs of the engine that end")
def runs(t):
    one, other = t.nics()
    for port in (one, other):
        port.one_channel()
        port.ethtool.set(ethnl.RINGS, rx=64, tx=512)
    one.unlimited()
    one.pause_limit(4000)
    t.n0.ip("neigh", "replace", net.V4[1], "lladdr", "02:00:00:00:00:99", "dev", "fe0")
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
    packets, segments = 300, 100
    with t.n0.packet("fe0") as sender, t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 23)
        udp.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1)
        with Trace("napi/napi_poll") as trace:
            with nic.stalled(other, sender, frame):
                # Some that wait, and behind them those that are dropped as soon as they are looked at.
                for _ in range(100):
                    sender.send(frame)
                before = one.link["stats"]["tx_packets"]
                for _ in range(packets):
                    udp.sendto(bytes(segments), (net.V4[1], 5000))
                tap.equal(one.link["stats"]["tx_packets"], before, "packets wait")
            t.balanced()
            polls = sum("for device fe0 " in line for line in trace.lines())
    tap.equal(polls >= packets * segments // 5000, True, f"polls of the sender: {polls}")


@tap.case("BIG TCP: super-frames of more than 64 KiB arrive whole")
def big_tcp(t):
    one, other = t.nics()
    for namespace, name in ((t.n0, "fe0"), (t.n1, "fe1")):
        done = namespace.ip("link", "set", name, "gso_max_size", "180000", "gso_ipv4_max_size",
                            "180000", "gro_max_size", "180000", "gro_ipv4_max_size", "180000",
                            check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
    for addresses in (net.V4, net.V6):
        content.stream(t.n0, t.n1, *addresses, 4000000)
    t.balanced()


tap.main(nic.Pair)
