#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What ethtool tells about a port, and its self-test."""

import contextlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

# Standard statistics have interfaces of their own; -S must not repeat them.
STANDARD = re.compile(r"^(rx|tx)_(packets|bytes|errors|dropped)$")


@tap.case("driver, version and bus")
def driver(t):
    one, _ = t.nics()
    shown = one.set("-i")
    for line in ("driver: ferronic", "supports-statistics: yes", "supports-test: yes"):
        if line not in shown:
            raise AssertionError(f"no {line!r} in {shown}")


@tap.case("link state and settings")
def link(t):
    one, other = t.nics()
    tap.equal(one.ethtool.get(ethnl.LINKSTATE)["link"], 1, "link")
    modes = one.ethtool.get(ethnl.LINKMODES)
    tap.equal((modes["duplex"], modes["autoneg"]), (1, 0), "full duplex, no negotiation")
    if not 0 < modes["speed"] < 10**7:
        raise AssertionError(f"speed {modes['speed']}")
    other.namespace.rtnl.change("fe1", up=False)
    tap.equal(one.ethtool.get(ethnl.LINKSTATE)["link"], 0, "link with the other end down")


@tap.case("a speed that acts on nothing cannot be set")
def speed(t):
    one, _ = t.nics()
    one.refused("-s", "speed", "10", "duplex", "half", "autoneg", "off")
    t.ping()


@tap.case("private statistics: named once each, none of them standard")
def private(t):
    one, _ = t.nics()
    out = one.set("-S")
    names = [line.split(":")[0].strip() for line in out.splitlines()[1:]]
    tap.equal(len(names), len(set(names)), "names")
    tap.equal([name for name in names if STANDARD.match(name)], [], "standard ones")
    for wanted in ("_raises", "_polls"):
        if not any(name.endswith(wanted) for name in names):
            raise AssertionError(f"no statistic ends with {wanted}: {names}")


@tap.case("private statistics follow the number of channels, and never repeat a name")
def private_channels(t):
    one, _ = t.nics(own=nic.MANY, peer=nic.MANY)
    for count in (1, 8, 64):
        one.ethtool.set(ethnl.CHANNELS, combined=count)
        names = [line.split(":")[0] for line in one.set("-S").splitlines()[1:]]
        tap.equal(len(names), len(set(names)), f"names with {count} channels")


@tap.case("standard groups: eth-mac and rmon count frames by size")
def groups(t):
    one, other = t.nics(quiet=True)
    sizes = (60, 61, 64, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        for size in sizes:
            sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(size - 14)))
            receiver.recv(4000)
    t.balanced()
    for port, way in ((one, "tx"), (other, "rx")):
        shown = port.set("-S", "--groups", "eth-mac", "rmon")
        if f"{'FramesTransmittedOK' if way == 'tx' else 'FramesReceivedOK'}: {len(sizes)}" \
                not in shown:
            raise AssertionError(shown)
        # Buckets count the frame check sequence, which is four bytes more.
        for bucket, count in (("64Octets", 1), ("65to127Octets", 3), ("128to255Octets", 2),
                              ("256to511Octets", 2), ("512to1023Octets", 2)):
            if f"{way}-rmon-etherStatsPkts{bucket}: {count}" not in shown:
                raise AssertionError(f"{bucket}: not {count} in {shown}")


@tap.case("message level reads back")
def messages(t):
    one, _ = t.nics()
    one.set("-s", "msglvl", "0x7")
    shown = t.n0.ethtool("fe0")
    if "0x00000007" not in shown:
        raise AssertionError(shown)


@tap.case("links that come and go are told of, however often, without flooding the log")
def flapping(t):
    one, _ = t.nics(quiet=True)
    one.set("-s", "msglvl", "link", "on")
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    os.lseek(log, 0, os.SEEK_END)
    begin = time.monotonic()
    told = 0
    for _ in range(100):
        t.n1.rtnl.change("fe1", up=False)
        t.n1.rtnl.change("fe1", up=True)
        with contextlib.suppress(BlockingIOError):
            while line := os.read(log, 8192):
                told += b"fe0: link is" in line
    os.close(log)
    # Ten in five seconds, and what the time before left of that.
    most = 10 * (2 + (time.monotonic() - begin) // 5)
    if not 0 < told <= most:
        raise AssertionError(f"{told} lines, at most {most} expected")


@tap.case("self-test, online under traffic and offline, loses no setting")
def self_test(t):
    one, _ = t.nics()
    one.ethtool.set(ethnl.RINGS, rx=256, tx=128)
    one.ethtool.set(ethnl.CHANNELS, combined=3)
    with content.Flood(t.n0, *net.V4):
        shown = one.set("-t", "online")
        if "PASS" not in shown:
            raise AssertionError(shown)
    back = frames.ether(net.MAC[0], net.MAC[1], frames.ETH_P_TEST, bytes(86))
    with t.n1.packet("fe1") as waker, nic.stalled(one, waker, back):
        shown = one.set("-t", "online")
        if "PASS" not in shown:
            raise AssertionError(f"with polls deferred: {shown}")
    shown = one.set("-t", "offline")
    if "PASS" not in shown:
        raise AssertionError(shown)
    tap.equal([one.rings()[key] for key in ("rx", "tx")], [256, 128], "rings")
    tap.equal(one.channels()["combined"], 3, "channels")
    t.ready()
    t.ping()


@tap.case("everything that ethtool can ask for is answered or refused, and nothing breaks")
def everything(t):
    one, _ = t.nics()
    for flag in ("-a", "-c", "-g", "-k", "-i", "-l", "-x", "-n", "-T", "-P", "-d", "-e", "-m",
                 "--show-eee", "--show-fec", "--show-priv-flags", "--show-tunnels",
                 "--show-module", "--phy-statistics", "--get-phy-tunable", "-w"):
        done = one.try_(flag)
        if done.returncode < 0:
            raise AssertionError(f"ethtool {flag}: died of signal {-done.returncode}")
    t.ping()


@tap.case("timestamping: software stamps of sent and received packets are offered")
def timestamping(t):
    one, _ = t.nics()
    shown = one.set("-T")
    for word in ("software-transmit", "software-receive"):
        if word not in shown:
            raise AssertionError(f"no {word} in {shown}")


@tap.case("questions about a port that is down are answered too")
def down(t):
    one, _ = t.nics(up=False, addresses=False)
    for flag in ("-a", "-c", "-g", "-k", "-i", "-l", "-x", "-S", "-T"):
        one.set(flag)


tap.main(nic.Pair)
