#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Back-pressure: a receiver without buffers pauses the sender; a pause that
lasts ends in counted drops; with pause off, drops come at once."""

import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402
import toeplitz  # noqa: E402

RING = 64
MAC_CONTROL, PAUSE_ADDRESS = 0x8808, "01:80:c2:00:00:01"
SO_SNDBUFFORCE = 32
FRAME = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))


def small(t):
    """A quiet pair with one channel and the smallest rings."""
    nics = t.nics(quiet=True)
    for port in nics:
        port.ethtool.set(ethnl.CHANNELS, combined=1)
        port.ethtool.set(ethnl.RINGS, rx=RING, tx=RING)
        # Behind a queue that holds one frame, the port's own is all there is.
        port.namespace.tc("qdisc", "replace", "dev", port.name, "root", "pfifo", "limit", "1")
    return nics


def push(sender, count):
    return nic.fill(sender, FRAME, count)


@tap.case("on at both ends by default, each way set apart")
def settings(t):
    one, other = t.nics()
    for port in (one, other):
        pause = port.pause()
        tap.equal((pause["rx"], pause["tx"]), (1, 1), port.name)
    one.set("-A", "rx", "off", "tx", "on")
    tap.equal([one.pause()[key] for key in ("rx", "tx")], [0, 1], "fe0")
    tap.equal([other.pause()[key] for key in ("rx", "tx")], [1, 1], "fe1")
    one.refused("-A", "autoneg", "on")
    one.set("-A", "rx", "on")
    t.ping()


@tap.case("MAC control frames that software sends are counted by both MACs, and hold up nobody")
def software(t):
    one, other = t.nics(quiet=True)
    names = ("MACControlFramesTransmitted", "MACControlFramesReceived", "UnsupportedOpcodesReceived")

    def counts():
        return [[port.json("-S", "--groups", "eth-ctrl")["eth-ctrl"][name] for name in names] +
                [port.ethtool.pause_stats()["rx_frames"]] for port in (one, other)]

    pause, unknown = bytes.fromhex("0001ffff"), bytes.fromhex("7777")
    station, broadcast = net.MAC[1], "ff:ff:ff:ff:ff:ff"
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", MAC_CONTROL) as receiver:
        for heeds in (True, False):
            other.set("-A", "rx", "on" if heeds else "off")
            # Who it is for, what it asks for, whether it is a pause for this station.
            for to, what, stops, tag in ((PAUSE_ADDRESS, pause, True, ()), (station, pause, True, ()),
                                         (broadcast, pause, False, ()), (broadcast, unknown, False, ()),
                                         (broadcast, pause, False, ((frames.ETH_P_8021Q, 5),))):
                before = counts()
                sender.send(frames.ether(to, net.MAC[0], MAC_CONTROL, what + bytes(42), tag))
                t.balanced()
                mine, its = ([b - a for a, b in zip(*both)] for both in zip(before, counts()))
                count = 0 if tag else 1
                tap.equal([mine, its], [[count, 0, 0, 0],
                                        [0, count, int(what == unknown), int(stops and heeds)]],
                          f"{what.hex()} to {to}, tags {tag}, heeded: {heeds}")
            # It is filtered like any frame.
            tap.equal(nic.drain(receiver), 4, "frames for the station and for all")
    tap.equal(other.private()["rx_drop_filtered"], 2, "frames for neither")


@tap.case("a receiver that stands still for a moment loses nothing, and pause frames are counted")
def paused(t):
    """Nobody polls the sender: what waits goes on because the receiver has buffers again, and not since the sender has
    looked once more when the pause had lasted for too long."""
    one, other = small(t)
    # Nothing is complete before the end: there is room for all that is sent.
    one.ethtool.set(ethnl.RINGS, tx=8 * RING)
    one.unlimited()
    one.pause_limit(4000)

    def counters():
        return (other.ethtool.pause_stats()["tx_frames"], one.ethtool.pause_stats()["rx_frames"],
                one.private()["napi_polls"])

    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 22)
        with nic.uncompleted(one, sender, FRAME):
            receiver.recv(4000)
            # A moment that is long enough for a slow machine to fill the ring.
            for moment in (0.08, 0.4, 2, 2):
                before = counters()
                with nic.stalled(other, sender, FRAME, seconds=moment):
                    taken = push(sender, RING + RING // 2)
                for _ in range(taken + 1):
                    receiver.recv(4000)
                after = counters()
                if after[0] != before[0] and after[2] == before[2]:
                    break
    t.balanced()
    tap.equal([new > old for new, old in zip(after, before)], [True, True, False],
              f"pause frames sent and received, polls of the sender: {before}, then {after}")


@tap.case("a pause that lasts expires into counted drops, and the queue goes on")
def expired(t):
    one, other = small(t)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        with nic.stalled(other, sender, FRAME):
            push(sender, 4 * RING)
            before = other.link["stats"]["rx_missed_errors"]
            # The queue is not held up for ever: frames go on being taken.
            taken = 0
            while taken < 4 * RING:
                taken += push(sender, 4 * RING)
            net.wait_until(lambda: other.link["stats"]["rx_missed_errors"] > before,
                           "drops of an expired pause")
        nic.drain(receiver)
        sender.send(FRAME[:14] + b"after" * 20)
        while receiver.recv(4000)[14:19] != b"after":
            pass
    t.balanced()


@tap.case("a pause that has expired is over with the next buffer: who finds none then waits again")
def again(t):
    one, other = small(t)
    one.ethtool.set(ethnl.RINGS, tx=8 * RING)
    one.unlimited()
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 22)
        with nic.stalled(other, sender, FRAME, seconds=4):
            missed(other, sender)
        net.wait_until(lambda: other.link["stats"]["rx_packets"] > RING // 2, "it is polled again")
        net.wait_until(lambda: not one.inflight()[0], "all that was sent is done with")
        one.pause_limit(4000)
        t.balanced()
        nic.drain(receiver)
        before = other.link["stats"]["rx_missed_errors"]
        with nic.stalled(other, sender, FRAME, seconds=0.4):
            taken = push(sender, RING + RING // 2)
        for _ in range(taken + 1):
            receiver.recv(4000)
        tap.equal(other.link["stats"]["rx_missed_errors"] - before, 0, "frames lost")
    t.balanced()


@tap.case("a receiver that came slowly and then not at all: the pause expires all the same")
def stops(t):
    one, other = small(t)
    # More than the receiver takes at a time: the head always waits.
    one.ethtool.set(ethnl.RINGS, tx=8 * RING)
    napis = list(other.napis())
    for napi in napis:
        other.netdev.napi_set(napi, defer_hard_irqs=1 << 30, gro_flush_timeout=60 * 10**6)
    pauses = other.ethtool.pause_stats()["tx_frames"]
    with t.n0.packet("fe0") as sender:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 22)
        try:
            def going():
                push(sender, RING)
                return other.ethtool.pause_stats()["tx_frames"] > pauses + 5

            # Each look brings buffers, soon enough for the pause to go on.
            net.wait_until(going, "pauses that end in time")
            for napi in napis:
                other.netdev.napi_set(napi, gro_flush_timeout=60 * 10**9)
            missed(other, sender)
        finally:
            nic.revive(other, napis)
    t.balanced()


@tap.case("a longer limit while a frame waits: the pause lasts longer, and expires")
def longer(t):
    one, other = small(t)
    with t.n0.packet("fe0") as sender:
        one.pause_limit(1000)
        with nic.stalled(other, sender, FRAME):
            pauses = other.ethtool.pause_stats()["tx_frames"]

            def waits():
                push(sender, RING)
                return other.ethtool.pause_stats()["tx_frames"] > pauses

            net.wait_until(waits, "a pause")
            one.pause_limit(2000)
            missed(other, sender)
    t.balanced()


def missed(port, sender):
    """Sends until the port misses frames for lack of buffers."""
    before = port.link["stats"]["rx_missed_errors"]

    def more():
        push(sender, RING)
        return port.link["stats"]["rx_missed_errors"] > before

    net.wait_until(more, "drops of an expired pause")


@tap.case("a pause expires, too, where the sender's own polls are deferred")
def deferred(t):
    one, other = small(t)
    # Some of it is full of what has been sent, as nobody completes it.
    one.ethtool.set(ethnl.RINGS, tx=4 * RING)
    one.unlimited()
    with t.n0.packet("fe0") as sender, nic.uncompleted(one, sender, FRAME), \
            nic.stalled(other, sender, FRAME):
        before = other.link["stats"]["rx_missed_errors"]
        taken = push(sender, 8 * RING)
        tap.equal(taken < 8 * RING, True, f"the queue has stopped, after {taken} frames")
        # Nothing but the end of the pause has the sender look again.
        net.wait_until(lambda: other.link["stats"]["rx_missed_errors"] > before,
                       "drops of an expired pause")
    t.balanced()


@tap.case("with pause off at either end drops come at once, each counted")
def off(t):
    for refuser, words in ((0, ("rx", "off")), (1, ("tx", "off"))):
        nics = small(t)
        nics[refuser].set("-A", *words)
        one, other = nics
        before = other.link["stats"]["rx_missed_errors"]
        pauses = one.ethtool.pause_stats()["rx_frames"]
        with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
            with nic.stalled(other, sender, FRAME):
                tap.equal(push(sender, 10 * RING), 10 * RING, "frames taken")
            missed = other.link["stats"]["rx_missed_errors"] - before
            nic.drain(receiver)
        if missed < 9 * RING - 1:
            raise AssertionError(f"{missed} drops of {10 * RING} frames")
        tap.equal(one.ethtool.pause_stats()["rx_frames"], pauses, "pause frames")
        t.balanced()
        t.tidy()


@tap.case("a stalled receiver never trips the sender's watchdog")
def watchdog(t):
    one, other = small(t)
    with t.n0.packet("fe0") as sender:
        with nic.stalled(other, sender, FRAME):
            # Longer than the watchdog's five seconds, by the sender's own count of
            # drops and not by the clock alone: what goes wrong is in the kernel log,
            # which the runner reads.
            end = time.monotonic() + 7
            while time.monotonic() < end:
                push(sender, RING)
    tap.equal(one.link["stats"]["tx_errors"], 0, "errors of the sender")
    t.balanced()


@tap.case("a receiver that is too slow to let the queue run again in time is none either")
def slow(t):
    """Each look of the receiver brings fewer frames than it takes to wake the queue, and they come a second apart."""
    one, other = small(t)
    for port in (one, other):
        port.namespace.rtnl.change(port.name, mtu=9000)
    one.ethtool.set(ethnl.RINGS, tx=16 * RING)
    one.pause_limit(4000)
    # Two buffers each, so that a ring of them is less than a poll's budget, which would be followed by another at once.
    frame = FRAME[:14] + bytes(6000)
    # The ring is what stops the queue, not byte queue limits.
    t.n0.run("unshare", "-m", "sh", "-c", "mount -t sysfs none /sys && echo 100000000 > "
             "/sys/class/net/fe0/queues/tx-0/byte_queue_limits/limit_min")
    with t.n0.packet("fe0") as sender:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 26)
        with nic.stalled(other, sender, frame, seconds=1):
            nic.fill(sender, frame, 20 * RING)
            wakes = one.qstats()["tx_wake"]
            net.wait_until(lambda: one.qstats()["tx_wake"] > wakes, "the queue runs again")
        tap.equal(one.sysfs("queues/tx-0/tx_timeout"), ["0"], "time-outs")
    t.balanced()


def two_queues(t, senders):
    """A pair of which fe0 sends by so many queues and fe1 receives by two, and the frames of two flows: for queue 0,
    as all others, and for queue 1."""
    one, other = t.nics()
    for port, count in ((one, senders), (other, 2)):
        port.ethtool.set(ethnl.CHANNELS, combined=count)
        port.ethtool.set(ethnl.RINGS, rx=RING, tx=RING)
    size = len(other.rss()["indir"])
    # All goes to queue 0 but what one flow, hashed to an entry of its own, sends.
    other.ethtool.rss_set(indir=[0] * size)
    key = other.rss()["hkey"]
    other.set("-N", "rx-flow-hash", "udp4", "sdfn")
    value = toeplitz.of_flow(key, *net.V4, 3000, 4000)
    indir = [0] * size
    indir[value % size] = 1
    other.ethtool.rss_set(indir=indir)
    busy = next(port for port in range(1000, 2000)
                if indir[toeplitz.of_flow(key, *net.V4, port, 4000) % size] == 0)
    return one, other, [nic.udp_frame(sport=port, dport=4000) for port in (busy, 3000)]


@tap.case("one stalled queue holds up no other")
def apart(t):
    _, other, (stuck, free) = two_queues(t, 2)
    napi = other.queues()[0, 0]
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver:
        with nic.stalled(other, sender, stuck, napis=[napi]):
            # Flows are chosen by the sender's queue too; 800 frames of many fill what
            # leads to queue 0 and leave the other way free.
            before = other.rx_by_queue()[1]
            for _ in range(20):
                sender.send(free)
            net.wait_until(lambda: other.rx_by_queue()[1] >= before + 20, "frames of queue 1")
        nic.drain(receiver)


@tap.case("nor does it where both are sent to by one queue: a pause expires once, until there are buffers again")
def expired_for_one(t):
    one, other, (stuck, free) = two_queues(t, 1)
    napi = other.queues()[0, 0]
    one.namespace.tc("qdisc", "replace", "dev", "fe0", "root", "pfifo", "limit", "1000")
    storms = other.ethtool.pause_stats()["storms"]
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 22)
        with nic.stalled(other, sender, stuck, napis=[napi]):
            before, dropped = other.rx_by_queue()[1], other.link["stats"]["rx_missed_errors"]
            for _ in range(3 * RING):
                sender.send(stuck)
                sender.send(free)
            net.wait_until(lambda: other.rx_by_queue()[1] >= before + 3 * RING, "frames of queue 1")
            # Those for which there were no buffers.
            least = 2 * RING - 1
            net.wait_until(lambda: other.link["stats"]["rx_missed_errors"] >= dropped + least, "drops")
            tap.equal(other.ethtool.pause_stats()["storms"] - storms, 1, "pauses that expired")
        nic.drain(receiver)
    t.balanced()


tap.main(nic.Pair)
