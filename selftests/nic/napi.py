#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""NAPI: visible, configurable, persistent; threaded, deferred and busy-polled."""

import contextlib
import fcntl
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

EPIOCSPARAMS = 0x40088A01
SO_INCOMING_NAPI_ID, SO_BUSY_POLL, SO_PREFER_BUSY_POLL = 56, 46, 69


@tap.case("one NAPI a channel, mapped to its queues both ways")
def mapping(t):
    one, _ = t.nics()
    napis, queues = one.napis(), one.queues()
    count = one.channels()["combined"]
    tap.equal(len(napis), count, "NAPIs")
    for number in range(count):
        if queues[genl.RX, number] is None:
            raise AssertionError(f"queue {number} has no NAPI")
        tap.equal(queues[genl.RX, number], queues[genl.TX, number], f"NAPI of channel {number}")
        tap.equal(queues[genl.RX, number] in napis, True, "NAPI of a queue among the NAPIs")


@tap.case("its settings and its id outlive down and up and other channels")
def persistent(t):
    one, _ = t.nics()
    ids = [one.queues()[genl.RX, number] for number in range(4)]
    one.netdev.napi_set(ids[1], defer_hard_irqs=3, gro_flush_timeout=12345)
    one.namespace.rtnl.change("fe0", up=False)
    one.namespace.rtnl.change("fe0", up=True)
    tap.equal([one.queues()[genl.RX, number] for number in range(4)], ids, "ids after down and up")
    one.ethtool.set(ethnl.CHANNELS, combined=1)
    one.ethtool.set(ethnl.CHANNELS, combined=4)
    tap.equal([one.queues()[genl.RX, number] for number in range(4)], ids, "ids after -L")
    napi = one.napis()[ids[1]]
    tap.equal((napi["defer_hard_irqs"], napi["gro_flush_timeout"]), (3, 12345), "settings")
    t.ping()


@tap.case("a socket knows the NAPI that its packets came through")
def incoming(t):
    one, other = t.nics()
    client, server = content.connect(t.n0, t.n1, *net.V4)
    with client, server:
        client.sendall(b"x" * 1000)
        content.receive_exactly(server, 1000)
        got = server.getsockopt(socket.SOL_SOCKET, SO_INCOMING_NAPI_ID)
        tap.equal(got in other.napis(), True, f"NAPI {got} among {list(other.napis())}")


@tap.case("threaded: every NAPI gets its thread, traffic passes, and back again")
def threaded(t):
    nics = t.nics()
    for port in nics:
        for napi in port.napis():
            port.netdev.napi_set(napi, threaded=1)
        for napi in port.napis().values():
            tap.equal(napi["threaded"], 1, "threaded")
            with open(f"/proc/{napi['pid']}/comm") as file:
                tap.equal(file.read().startswith("napi/"), True, "name of the thread")
    content.stream(t.n0, t.n1, *net.V4, 500000)
    content.datagrams(t.n0, t.n1, *net.V6, sizes=(1, 1472, 20000))
    one = nics[0]
    one.ethtool.set(ethnl.CHANNELS, combined=2)
    one.ethtool.set(ethnl.CHANNELS, combined=4)
    tap.equal([napi["threaded"] for napi in one.napis().values()], [1] * 4, "after -L")
    for port in nics:
        for napi in port.napis():
            port.netdev.napi_set(napi, threaded=0)
        tap.equal([napi.get("pid") for napi in port.napis().values()], [None] * 4, "threads")
    content.stream(t.n0, t.n1, *net.V4, 300000)


@tap.case("threaded for the whole device, by sysfs")
def threaded_sysfs(t):
    one, _ = t.nics()
    t.n0.run("unshare", "-m", "sh", "-c",
             "mount -t sysfs none /sys && echo 1 > /sys/class/net/fe0/threaded")
    tap.equal([napi["threaded"] for napi in one.napis().values()], [1] * 4, "threaded")
    content.stream(t.n0, t.n1, *net.V4, 300000)


@tap.case("deferred: a NAPI is polled by its timer, not by what arrives")
def deferred(t):
    one, other = t.nics(quiet=True)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        frame = nic.udp_frame()
        other.one_channel()
        # Until the machine is fast enough to send before the timer fires.
        for seconds in (2, 4, 9):
            sent = one.link["stats"]["tx_packets"]
            with nic.stalled(other, sender, frame, seconds=seconds):
                receiver.recv(4000)
                before = other.link["stats"]["rx_packets"]
                for _ in range(20):
                    sender.send(frame)
                held = other.link["stats"]["rx_packets"] == before
                tap.equal(one.link["stats"]["tx_packets"], sent + 21,
                          "deferral of the receiver does not hold back the sender")
            for _ in range(20):
                receiver.recv(4000)
            if held:
                break
        tap.equal(held, True, "no frames received while deferred")
    t.balanced()


@tap.case("deferral of the sender delays its completions, never its transmission")
def deferred_sender(t):
    one, other = t.nics(quiet=True)
    one.one_channel()
    one.unlimited()
    frame = nic.udp_frame()
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        with nic.uncompleted(one, sender, frame):
            receiver.recv(4000)
            for _ in range(50):
                sender.send(frame)
                receiver.recv(4000)
            tap.equal(one.inflight(), [50 * len(frame)], "bytes whose completions are outstanding")
        net.wait_until(lambda: not any(one.inflight()), "the completions")


@tap.case("busy polling receives")
def busy(t):
    """The NAPI is deferred: nobody but who polls it receives anything."""
    _, port = t.nics(only4=True)
    port.one_channel()
    # What fe1 sends is complete when it is polled, and shall stop no queue before.
    port.unlimited()
    t.ping()
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, \
            t.n0.packet("fe0") as sender:
        other.bind((net.V4[1], 5006))
        with nic.stalled(port, sender, nic.udp_frame(dport=5006)):
            # From its first packet on the socket knows which NAPI to poll.
            other.recv(100)
            before = port.link["stats"]["rx_packets"]
            for number in range(20):
                one.sendto(b"%d" % number, (net.V4[1], 5006))
            tap.equal(port.link["stats"]["rx_packets"], before, "frames received while nobody polls")
            for option, value in ((SO_BUSY_POLL, 500), (SO_PREFER_BUSY_POLL, 1)):
                other.setsockopt(socket.SOL_SOCKET, option, value)
            # A socket with a timeout would wait for poll(2), which polls no device unless a sysctl says so.
            other.setblocking(False)
            got = []

            def all_received():
                with contextlib.suppress(BlockingIOError):
                    got.append(other.recv(100))
                return len(got) == 20

            net.wait_until(all_received, "the datagrams")
            tap.equal(got, [b"%d" % number for number in range(20)], "datagrams")


@tap.case("irq-suspend-timeout: while epoll finds packets the vector stays masked, and not longer")
def suspended(t):
    """Beside the deferral of its NAPI, which ends soon; the suspension would last for an hour."""
    one, port = t.nics(only4=True)
    port.one_channel()
    port.unlimited()
    t.ping()
    napi = port.queues()[genl.RX, 0]
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, select.epoll() as epoll:
        receiver.bind((net.V4[1], 5007))
        receiver.setblocking(False)
        epoll.register(receiver, select.EPOLLIN)
        # It polls for 50 us, up to 64 frames at a time, and would rather poll than be interrupted.
        fcntl.ioctl(epoll.fileno(), EPIOCSPARAMS, struct.pack("=IHBB", 50, 64, 1, 0))

        def send(count):
            for _ in range(count):
                sender.sendto(b"a datagram", (net.V4[1], 5007))

        def find(count):
            """Takes so many datagrams, as epoll says that there are some."""
            while count:
                tap.equal(len(epoll.poll(net.PATIENCE)), 1, "sockets that have received")
                count -= nic.drain(receiver)
            tap.equal(count, 0, "datagrams beyond those sent")

        def stays(count, wait):
            """Whether so many frames stay where they are, for longer than any deferral."""
            before = port.link["stats"]["rx_packets"]
            send(count)
            time.sleep(wait)
            return port.link["stats"]["rx_packets"] == before

        # Until the machine is fast enough for epoll to return before the deferral ends.
        for seconds in (0.05, 0.5, 4):
            port.netdev.napi_set(napi, defer_hard_irqs=100, gro_flush_timeout=int(seconds * 10**9),
                                 irq_suspend_timeout=3600 * 10**9)
            send(1)
            find(1)
            held = []
            for _ in range(3):
                held.append(stays(20, 3 * seconds))
                find(20)
            if all(held):
                break
        tap.equal(held, [True] * 3, "frames stay until epoll comes for them")
        tap.equal(epoll.poll(0.01), [], "sockets that have received")
        before = port.link["stats"]["rx_packets"]
        send(20)
        net.wait_until(lambda: port.link["stats"]["rx_packets"] >= before + 20,
                       "frames that nobody comes for")
    port.netdev.napi_set(napi, irq_suspend_timeout=0)
    nic.revive(port, [napi])
    t.ping()


CONFIGFS = "/sys/kernel/config"


@contextlib.contextmanager
def netconsole():
    """Loads the network console and gives the directory of its targets."""
    if net.run("modprobe", "netconsole", check=False).returncode:
        raise tap.Skip("the kernel has no netconsole")
    mounted = os.path.ismount(CONFIGFS)
    if not mounted:
        net.run("mount", "-t", "configfs", "none", CONFIGFS)
    try:
        yield f"{CONFIGFS}/netconsole"
    finally:
        if not mounted:
            net.run("umount", CONFIGFS)
        net.run("modprobe", "-r", "netconsole", check=False)


@tap.case("netpoll: the network console sends through a port, interrupts off")
def netpoll(t):
    """The other end receives the kernel's own lines."""
    t.nics()
    with netconsole() as targets, open("/proc/1/ns/net") as initial, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        target = f"{targets}/ferronic"
        taker.bind((net.V4[1], 6666))
        # netpoll looks for its device in the initial namespace.
        t.n0.rtnl.change("fe0", ns=initial.fileno())
        try:
            net.run("ip", "addr", "add", f"{net.V4[0]}/24", "dev", "fe0")
            net.run("ip", "link", "set", "fe0", "up")
            net.running(t.n1, "fe1")
            os.mkdir(target)
            for name, value in (("dev_name", "fe0"), ("local_ip", net.V4[0]),
                                ("remote_ip", net.V4[1]), ("remote_mac", net.MAC[1]),
                                ("remote_port", "6666"), ("enabled", "1")):
                with open(f"{target}/{name}", "w") as file:
                    file.write(value)
            for number in range(20):
                with open("/dev/kmsg", "w") as file:
                    file.write(f"<4>ferronic netpoll test {number}.\n")
            seen = b""
            while b"ferronic netpoll test 19." not in seen:
                seen += taker.recv(4000)
            missing = [number for number in range(20)
                       if b"ferronic netpoll test %d." % number not in seen]
            tap.equal(missing, [], "lines missing")
        finally:
            if os.path.isdir(target):
                with open(f"{target}/enabled", "w") as file:
                    file.write("0")
                os.rmdir(target)
            net.run("ip", "link", "del", "fe0", check=False)


tap.main(nic.Pair)
