# SPDX-License-Identifier: GPL-2.0
"""A pair whose ends are looked at as NICs: ethtool, queues, NAPIs, counters."""

import contextlib
import errno
import json
import threading

import conservation
import control
import ethioctl
import ethnl
import frames
import genl
import net
import rtnl
import tap


# As many queues as there are unless told, for a pair: a slow kernel is told of fewer.
MANY = {"txq": 64, "rxq": 64}


class Nic:
    """One end."""

    def __init__(self, namespace, name):
        self.namespace, self.name = namespace, name
        self.netdev = genl.Netdev(namespace)
        self.ethtool = ethnl.Ethtool(namespace, name)

    def close(self):
        self.netdev.close()
        self.ethtool.close()

    @property
    def link(self):
        return self.namespace.rtnl.get(self.name)

    @property
    def index(self):
        return self.link["index"]

    def try_(self, flag, *words):
        """Runs `ethtool FLAG NAME WORDS`; the result with its status."""
        return self.namespace.ethtool(flag, self.name, *words, check=False)

    def set(self, flag, *words):
        """Runs `ethtool FLAG NAME WORDS`, which must succeed."""
        done = self.try_(flag, *map(str, words))
        if done.returncode:
            raise AssertionError(f"ethtool {flag} {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def refused(self, flag, *words, hint=""):
        """The request must fail, with a text that holds `hint`."""
        done = self.try_(flag, *map(str, words))
        if not done.returncode:
            raise AssertionError(f"ethtool {flag} {' '.join(map(str, words))}: was taken")
        if hint not in (done.stderr + done.stdout).lower():
            raise AssertionError(f"ethtool {flag} {' '.join(map(str, words))}: "
                                 f"{done.stderr!r} does not name {hint!r}")

    def json(self, flag, *words):
        """What `ethtool --json FLAG NAME` says."""
        out = self.namespace.ethtool("--json", flag, self.name, *words)
        return json.loads(out)[0]

    def rings(self):
        return self.ethtool.get(ethnl.RINGS)

    def channels(self):
        return self.ethtool.get(ethnl.CHANNELS)

    def coalesce(self):
        return self.ethtool.get(ethnl.COALESCE)

    def pause(self):
        return self.ethtool.get(ethnl.PAUSE)

    def rss(self):
        return self.ethtool.rss()

    def features(self):
        """Feature name -> (active, fixed)."""
        found = self.json("-k")
        return {name: (value["active"], value["fixed"]) for name, value in found.items()
                if isinstance(value, dict)}

    def private(self):
        """`ethtool -S` as a dictionary, in the order it comes."""
        return ethioctl.private(self)

    def dropped(self):
        """Frames dropped on their way to this port, for whatever reason."""
        return sum(value for name, value in self.private().items() if name.startswith("rx_drop_"))

    def refused_to_send(self):
        """Frames dropped by this port's own side of the wire."""
        return sum(value for name, value in self.private().items() if name.startswith("tx_drop_"))

    def raises(self):
        """How often the vectors of this port were raised."""
        return sum(value for name, value in self.private().items() if name.endswith("_raises"))

    def qstats(self):
        return self.netdev.qstats(self.index)

    def by_length(self):
        """Frames of each range of lengths, least and greatest: sent, and received."""
        rmon = self.json("-S", "--groups", "rmon")["rmon"]
        return [{(entry["low"], entry["high"]): entry["val"] for entry in rmon[f"{way}-pktsNtoM"]}
                for way in ("tx", "rx")]

    def queue_stats(self):
        return self.netdev.qstats_of_queues(self.index)

    def queues(self):
        return self.netdev.queues(self.index)

    def napis(self):
        return self.netdev.napis(self.index)

    def inflight(self):
        """Bytes sent and not complete, of each TX queue, as byte queue limits count them."""
        return [int(value) for value in self.sysfs(*(
            f"queues/tx-{number}/byte_queue_limits/inflight"
            for number in range(self.channels()["combined"])))]

    def unlimited(self):
        """Lets byte queue limits hold nothing back: what may be in flight grows with completions,
        and shall not be what stops a queue."""
        words = " && ".join(f"echo 100000000 > /sys/class/net/{self.name}/queues/tx-{number}/"
                            "byte_queue_limits/limit_min"
                            for number in range(self.channels()["combined"]))
        self.namespace.run("unshare", "-m", "sh", "-c", f"mount -t sysfs none /sys && {words}")

    def pause_limit(self, milliseconds):
        """Sets how long the port waits for its receiver."""
        with contextlib.closing(control.Raw(self.namespace)) as family:
            family.send(control.PORT_SET, rtnl.attr(control.IFINDEX, self.index) +
                        rtnl.attr(control.PORT_PAUSE_LIMIT, milliseconds))

    def one_channel(self):
        """Leaves one channel: what comes to the port comes to one queue, in its order."""
        self.ethtool.set(ethnl.CHANNELS, combined=1)

    def rx_by_queue(self):
        """Frames received by each RX queue."""
        return {number: stats["rx_packets"] for (way, number), stats in self.queue_stats().items()
                if way == genl.RX}

    def sysfs(self, *paths):
        """Lines of files below the port's directory in sysfs."""
        return self.namespace.sysfs(self.name, paths)


class Pair(conservation.Beside, net.Topology):
    """The two namespaces; `nics()` makes a pair in them."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __enter__(self):
        # Tests of the NIC are about this driver only.
        if net.KIND != "ferronic":
            raise tap.Skip(f"about ferronic, not {net.KIND}")
        return super().__enter__()

    def nics(self, **options):
        """A pair as two NICs; `options` as for `pair`."""
        self.pair(**options)
        self.made = [Nic(self.n0, net.NAME0), Nic(self.n1, net.NAME1)]
        return self.made

    def balanced(self):
        """Waits until every frame is accounted for."""
        conservation.check(*self.made)

    def tidy(self):
        for nic in self.made:
            nic.close()
        self.made = []
        super().tidy()


def udp_frame(size=60, sport=1000, dport=2000, good=True, v6=False):
    """A frame of a UDP datagram from fe0 to fe1, of `size` bytes as on the wire."""
    src, dst = net.V6 if v6 else net.V4
    room = size - 14 - (48 if v6 else 28)
    body = frames.ip(src, dst, 17, frames.udp(src, dst, sport, dport, bytes(max(room, 0)), good))
    return frames.ether(net.MAC[1], net.MAC[0],
                        frames.ETH_P_IPV6 if v6 else frames.ETH_P_IP, body)


def drain(receiver):
    """Empties a socket."""
    timeout = receiver.gettimeout()
    receiver.setblocking(False)
    count = 0
    try:
        while receiver.recv(70000):
            count += 1
    except BlockingIOError:
        pass
    except OSError as error:
        # A packet socket tells once that its device was down.
        if error.errno != errno.ENETDOWN:
            raise
    finally:
        receiver.settimeout(timeout)
    return count


@contextlib.contextmanager
def stalled(port, sender, frame, napis=None, seconds=60):
    """While the body runs, `port` receives nothing for so many seconds: its NAPIs
    are deferred, after a first poll that `frame`, from `sender`, causes.  Where that
    is longer than any body, they are made to run again afterwards."""
    napis = napis or list(port.napis())
    seen = port.link["stats"]["rx_packets"]
    for napi in napis:
        port.netdev.napi_set(napi, defer_hard_irqs=1 << 30, gro_flush_timeout=int(seconds * 10**9))
    sender.send(frame)
    net.wait_until(lambda: port.link["stats"]["rx_packets"] > seen, "the first poll")
    polls_end(port)
    try:
        yield
    finally:
        revive(port, napis, now=seconds > 10)


@contextlib.contextmanager
def uncompleted(port, sender, frame):
    """While the body runs, nobody polls `port`, which has one channel, so nothing of what it sends completes: its NAPI is
    deferred for an hour, after a first poll that `frame`, from `sender`, causes."""
    napis = list(port.napis())
    port.netdev.napi_set(napis[0], defer_hard_irqs=1 << 30, gro_flush_timeout=3600 * 10**9)
    sender.send(frame)
    net.wait_until(lambda: not any(port.inflight()), "the poll from which on it is deferred")
    polls_end(port)
    try:
        yield
    finally:
        revive(port, napis)


def polls_end(port):
    """Waits until polls that have begun are over: whoever closes a packet socket waits for
    a grace period of RCU, and polls are among what that waits for."""
    port.namespace.packet(port.name).close()


def revive(port, napis, now=True):
    """Ends the deferral of those NAPIs that are still there, at once if told so."""
    for napi in set(napis) & set(port.napis()):
        port.netdev.napi_set(napi, defer_hard_irqs=0, gro_flush_timeout=0)
    if now:
        # Exchanging its rings stops a NAPI and its timer, and starts it anew.
        rings = port.rings()
        port.ethtool.set(ethnl.RINGS, rx=rings["rx"] * 2 if rings["rx"] < 4096 else 2048)
        port.ethtool.set(ethnl.RINGS, rx=rings["rx"])


class Changes(threading.Thread):
    """Calls `change(turn)` for so many turns, from 0 on, while a case goes on."""

    def __init__(self, change, turns):
        super().__init__()
        self.change, self.turns, self.error = change, turns, None
        self.start()

    def run(self):
        try:
            for turn in range(self.turns):
                self.change(turn)
        except Exception as error:      # raised again by finish()
            self.error = error

    def finish(self):
        """Waits for the last turn; raises what one of them raised."""
        self.join()
        if self.error:
            raise self.error


def fill(sender, frame, count):
    """Sends frames until the port takes no more; how many it took."""
    sender.setblocking(False)
    taken = 0
    try:
        for _ in range(count):
            try:
                sender.send(frame)
                taken += 1
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
                    raise
                break
    finally:
        sender.setblocking(True)
        sender.settimeout(net.PATIENCE)
    return taken


def goes_on(t, change, frame=None):
    """On a quiet pair whose rings are short: fe0's queue stands still because fe1 does, then `change()` is called; what is
    sent afterwards has to arrive."""
    other = t.made[1]
    frame = frame or frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
    with t.n0.packet(net.NAME0) as sender, t.n1.packet(net.NAME1, frames.ETH_P_TEST) as receiver:
        with stalled(other, sender, frame):
            fill(sender, frame, 500)
            change()
        drain(receiver)
        sender.send(frame[:14] + b"after" + bytes(81))
        while receiver.recv(2000)[14:19] != b"after":
            pass
