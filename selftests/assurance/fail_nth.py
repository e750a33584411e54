#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every allocation fails once: for each control operation the 1st, the 2nd, ...
allocation that the module makes for it, until none does.  Each time the request
is refused for want of memory and all is as it was, or it does without; frames
pass as before, and nothing leaks (the runner looks for that)."""

# selftest-timeout: 600

import contextlib
import ctypes
import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import ethioctl  # noqa: E402
import ethnl    # noqa: E402
import faults   # noqa: E402
import frames   # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import steer    # noqa: E402
import tap      # noqa: E402

FLOWS = 4


class Faulty(faults.Topology, nic.Pair):
    """A pair in two namespaces, and allocations of the module that can fail."""

    def __enter__(self):
        super().__enter__()
        self.family = [control.Raw(namespace) for namespace in self.n]
        for family in self.family:
            self.stack.callback(family.close)
        return self

    def small(self, channels=2, info=(), **options):
        """A pair of few channels and short rings, so that there are few allocations."""
        few = {"txq": 4, "rxq": 4}
        ports = self.nics(up=False, quiet=True, own=few, peer=few, info=info)
        for port in ports:
            port.ethtool.set(ethnl.CHANNELS, combined=channels)
            port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
        if options.get("up", True):
            self.up()
        return ports

    def up(self):
        for port in self.made:
            port.namespace.rtnl.change(port.name, up=True)
        self.ready()

    def flow(self):
        """Frames of several flows pass both ways."""
        for way in (0, 1):
            source, target = self.made[way], self.made[1 - way]
            src, dst = net.V4[way], net.V4[1 - way]
            to, come = target.link["address"], source.link["address"]
            with source.namespace.packet(source.name) as sender, \
                    target.namespace.packet(target.name) as receiver:
                for sport in range(FLOWS):
                    body = frames.ip(src, dst, 17, frames.udp(src, dst, sport, 9, bytes(99)))
                    sender.send(frames.ether(to, come, frames.ETH_P_IP, body))
                for _ in range(FLOWS):
                    receiver.recv(2000)

    def picture(self):
        """How both ports are set, by all that can be asked."""
        found = {}
        for port in self.made:
            for what, values in (("link", port.link), ("rings", port.rings()),
                                 ("channels", port.channels()), ("coalesce", port.coalesce()),
                                 ("pause", port.pause()), ("rss", port.rss()),
                                 ("features", port.ethtool.raw(ethnl.FEATURES))):
                for key, value in values.items():
                    if what != "link" or key in ("mtu", "address", "flags", "carrier"):
                        found[port.name, what, key] = value
        return found

    def settings(self, what, change, back, flows=True):
        """Sweeps over an operation that changes how a port is set: either all is set
        as before, or as it is without failures."""
        old = self.picture()
        change()
        new = self.picture()
        if new == old:
            raise AssertionError(f"{what} changes nothing")
        back()
        same(self.picture(), old)

        def check(want):
            same(self.picture(), want)
            if flows:
                self.flow()

        count = self.fault.sweep(what, change, refused=lambda: check(old), undo=back,
                                 done=lambda: check(new))
        back()
        return count


def same(got, want):
    """Both pictures show the same."""
    for key, value in want.items():
        tap.equal(got[key], value, f"how the ports are set: {key}")


def some(count, what):
    """A sweep that met no allocation shows nothing."""
    if not count:
        raise AssertionError(f"{what} allocates nothing: does the filter fit?")


def creation(t, what, **options):
    few = {"txq": 1, "rxq": 1}

    def both():
        return t.n0.rtnl.exists("fa0"), t.n1.rtnl.exists("fa1")

    some(t.fault.sweep(
        what,
        lambda: t.n0.rtnl.add_pair(net.KIND, {"name": "fa1", "ns": t.n1.fd, **few}, name="fa0",
                                   **few, **options),
        refused=lambda: tap.equal(both(), (False, False), "ports there"),
        done=lambda: tap.equal(both(), (True, True), "ports there"),
        undo=lambda: t.n0.rtnl.delete("fa0")), what)
    t.n1.rtnl.delete("fa1")


@tap.case("making a pair")
def create(t):
    creation(t, "creation")


@tap.case("making a pair that hands packets off")
def create_handoff(t):
    creation(t, "creation with handoff", info=[rtnl.attr(2, 1)])


def opening(t, what, info=()):
    one, _ = t.small(info=info)
    socket = one.namespace.rtnl

    def refused():
        tap.equal((one.link["up"], one.link["carrier"]), (False, False), "up, carrier")

    def done():
        net.running(t.n0, one.name)
        t.flow()

    socket.change(one.name, up=False)
    up = rtnl.ifinfo(one.index, rtnl.IFF_UP, rtnl.IFF_UP)
    some(t.fault.sweep(what, lambda: socket.request(rtnl.RTM_SETLINK, 0, up), refused=refused,
                       done=done, undo=lambda: socket.change(one.name, up=False)), what)


@tap.case("taking a port up")
def bring_up(t):
    opening(t, "up")


@tap.case("taking a port up on a wire that hands packets off")
def bring_up_handoff(t):
    opening(t, "up with handoff", info=[rtnl.attr(2, 1)])


@tap.case("taking a port down, which always works")
def take_down(t):
    one, _ = t.small()
    down = rtnl.ifinfo(one.index, 0, rtnl.IFF_UP)

    def prepare():
        one.namespace.rtnl.change(one.name, up=True)
        t.ready()
        t.flow()

    t.fault.sweep("down", lambda: one.namespace.rtnl.request(rtnl.RTM_SETLINK, 0, down),
                  prepare=prepare, refused=None, must=True,
                  done=lambda: tap.equal(one.link["up"], False, "up"))


@tap.case("deleting a pair, which always works")
def delete(t):
    def prepare():
        t.tidy()
        t.small()

    def both():
        return t.n0.rtnl.exists(net.NAME0), t.n1.rtnl.exists(net.NAME1)

    t.fault.sweep("deletion", lambda: t.n0.rtnl.delete(net.NAME0), prepare=prepare, refused=None,
                  must=True, done=lambda: tap.equal(both(), (False, False), "ports there"))


@tap.case("more channels and less, of a port that is up and of one that is down")
def channels(t):
    one, _ = t.small()

    def set_(number):
        one.ethtool.set(ethnl.CHANNELS, combined=number)

    some(t.settings("2 to 4 channels", lambda: set_(4), lambda: set_(2)), "more channels")
    some(t.settings("2 to 1 channels", lambda: set_(1), lambda: set_(2)), "less channels")
    one.namespace.rtnl.change(one.name, up=False)
    some(t.settings("2 to 3 channels while down", lambda: set_(3), lambda: set_(2), flows=False),
         "channels while down")


@tap.case("longer rings")
def rings(t):
    one, _ = t.small()

    def set_(size):
        one.ethtool.set(ethnl.RINGS, rx=size, tx=size)

    some(t.settings("rings of 128", lambda: set_(128), lambda: set_(64)), "longer rings")


@tap.case("longer rings on a wire that hands packets off")
def rings_handoff(t):
    one, _ = t.small(info=[rtnl.attr(2, 1)])

    def set_(size):
        one.ethtool.set(ethnl.RINGS, tx=size)

    some(t.settings("rings of 128 with handoff", lambda: set_(128), lambda: set_(64)), "rings")


@tap.case("a larger MTU and a smaller one")
def mtu(t):
    one, _ = t.small()

    def set_(value):
        one.namespace.rtnl.change(one.name, mtu=value)

    some(t.settings("MTU 9000", lambda: set_(9000), lambda: set_(1500)), "larger MTU")
    set_(9000)
    some(t.settings("MTU 1500", lambda: set_(1500), lambda: set_(9000)), "smaller MTU")


@tap.case("another datapath, of ports that are up, and back")
def datapath(t):
    one, _ = t.small()
    family, index = t.family[0], one.index
    wire = rtnl.attr(control.WIRE_ID, family.ports()[index]["wire"])

    def set_(value):
        family.send(control.WIRE_SET, wire + rtnl.attr(3, value))

    # They differ in the features that such a wire has.
    pictures = {0: t.picture()}
    set_(1)
    pictures[1] = t.picture()
    set_(0)

    def check(value):
        tap.equal(family.ports()[index]["datapath"], value, "datapath")
        same(t.picture(), pictures[value])
        t.flow()

    def sweep(what, value, other):
        some(t.fault.sweep(what, lambda: set_(value), refused=lambda: check(other),
                           done=lambda: check(value), undo=lambda: set_(other)), what)

    sweep("datapath handoff", 1, 0)
    sweep("datapath nic", 0, 1)


@tap.case("another address")
def address(t):
    one, _ = t.small()

    def set_(mac):
        one.namespace.rtnl.change(one.name, address=mac)

    some(t.settings("address", lambda: set_("02:fe:00:00:00:77"), lambda: set_(net.MAC[0])),
         "address")


@tap.case("moderation, pause, steering and features")
def settings(t):
    one, _ = t.small()
    tool = one.ethtool
    t.settings("moderation", lambda: tool.set(ethnl.COALESCE, rx_usecs=33, tx_frames=7),
               lambda: tool.set(ethnl.COALESCE, rx_usecs=80, tx_frames=64))
    t.settings("adaptive moderation", lambda: tool.set(ethnl.COALESCE, adaptive_rx=1),
               lambda: tool.set(ethnl.COALESCE, adaptive_rx=0))
    t.settings("pause", lambda: tool.set(ethnl.PAUSE, rx=0), lambda: tool.set(ethnl.PAUSE, rx=1))
    rss = one.rss()
    turned = [1 - entry for entry in rss["indir"]]
    some(t.settings("indirection table", lambda: tool.rss_set(indir=turned),
                    lambda: tool.rss_set(indir=rss["indir"])), "indirection table")
    some(t.settings("hash key", lambda: tool.rss_set(hkey=bytes(reversed(rss["hkey"]))),
                    lambda: tool.rss_set(hkey=rss["hkey"])), "hash key")
    t.settings("symmetric hash", lambda: tool.rss_set(input_xfrm=1),
               lambda: tool.rss_set(input_xfrm=0))
    t.fault.sweep("messages", lambda: tool.messages(1), refused=None, must=True,
                  done=lambda: tap.equal(tool.messages(), 1, "messages"))
    for name in ("rx-checksum", "rx-hashing", "rx-vlan-hw-parse", "rx-gro-hw",
                 "tx-tcp-segmentation", "tx-udp-segmentation", "tx-checksum-ip-generic"):
        t.settings(name, lambda n=name: tool.feature(n, False),
                   lambda n=name: tool.feature(n, True))
    t.settings("rx-ntuple-filter", lambda: tool.feature("rx-ntuple-filter", False),
               lambda: tool.feature("rx-ntuple-filter", True))


@tap.case("the receive filter: promiscuous, all groups, a group, which the core tries again")
def receive_filter(t):
    one, other = t.small()
    link, index = other.namespace.rtnl, other.index
    foreign = frames.ether("02:00:00:00:00:42", net.MAC[0], frames.ETH_P_TEST, bytes(50))
    group = frames.ether("01:00:5e:00:00:42", net.MAC[0], frames.ETH_P_TEST, bytes(50))

    for what, flag, frame in (("promiscuous", rtnl.IFF_PROMISC, foreign),
                              ("all groups", rtnl.IFF_ALLMULTI, group)):
        def set_(value, flag=flag):
            link.request(rtnl.RTM_SETLINK, 0, rtnl.ifinfo(index, value, flag))
            # One that changes nothing does what that has left for later.
            link.request(rtnl.RTM_SETLINK, 0, rtnl.ifinfo(index))

        def comes(frame=frame, what=what):
            with t.n0.packet(one.name) as sender, t.n1.packet(other.name) as receiver:
                receiver.settimeout(0.1)
                net.wait_until(lambda: arrives(sender, receiver, frame), f"a frame, {what}")

        some(t.fault.sweep(what, lambda f=flag, s=set_: s(f), refused=None, must=True, done=comes,
                           undo=lambda s=set_: s(0)), what)
        set_(0)
        link.settle(other.name)
        t.flow()


def arrives(sender, receiver, frame):
    sender.send(frame)
    try:
        return receiver.recv(2000) == frame
    except TimeoutError:
        return False


@tap.case("n-tuple rules, what is hashed, contexts, the moderation of one queue")
def steering(t):
    one, _ = t.small()
    tool = one.ethtool

    def state():
        return steer.rules(one), steer.hashed(one), contexts()

    def contexts():
        found = []
        for number in range(1, 4):
            try:
                found.append((number, tool.rss(number)))
            except rtnl.NetlinkError as error:
                if error.errno != errno.ENOENT:
                    raise
        return found

    def sweep(what, change, back, must=False):
        old = state()
        change()
        new = state()
        back()
        tap.equal(state(), old, "settings")
        tap.equal(new != old, True, f"{what} changes something")

        def check(want):
            tap.equal(state(), want, "settings")
            t.flow()

        tried = t.fault.sweep(what, change, refused=lambda: check(old), done=lambda: check(new),
                              undo=back, must=must)
        back()
        if not must:
            some(tried, what)

    sweep("a first rule", lambda: steer.add_udp4(one, 7, 1, 5), lambda: steer.delete(one, 5))
    steer.add_udp4(one, 7, 1, 5)
    sweep("a rule before it", lambda: steer.add_udp4(one, 8, 1, 3), lambda: steer.delete(one, 3))
    sweep("removing a rule", lambda: steer.delete(one, 5), lambda: steer.add_udp4(one, 7, 1, 5))
    for what, on in (("rules off", False), ("rules on", True)):
        tool.feature("rx-ntuple-filter", not on)
        some(t.fault.sweep(what, lambda on=on: tool.feature("rx-ntuple-filter", on), done=t.flow,
                           refused=t.flow, undo=lambda on=on: tool.feature("rx-ntuple-filter",
                                                                           not on)), what)
        tool.feature("rx-ntuple-filter", True)
    steer.delete(one, 5)
    fields = steer.hashed(one)
    sweep("hashed fields", lambda: steer.hashed(one, fields ^ 0xC0),
          lambda: steer.hashed(one, fields))

    def create():
        tap.equal(tool.rss_create(), 1, "context")

    sweep("a context", create, lambda: tool.rss_delete(1))
    create()
    table = tool.rss(1)["indir"]
    sweep("a context's table", lambda: tool.rss_set(indir=[0] * len(table), context=1),
          lambda: tool.rss_set(indir=table, context=1))
    key = tool.rss(1)["hkey"]
    sweep("a context's key", lambda: tool.rss_set(hkey=bytes(reversed(key)), context=1),
          lambda: tool.rss_set(hkey=key, context=1))
    t.fault.sweep("removing a context", lambda: tool.rss_delete(1), refused=None, must=True,
                  done=lambda: tap.equal(contexts(), [], "contexts"), undo=create)
    t.fault.sweep("moderation of one queue", lambda: ethioctl.rx_usecs(one, 1, 9), refused=None,
                  must=True, done=lambda: tap.equal([ethioctl.rx_usecs(one, queue) for queue in
                                                     (0, 1)], [80, 9], "microseconds"))


@tap.case("moving to another namespace and a new name")
def move(t):
    one, _ = t.small()
    with contextlib.closing(net.Namespace("third")) as third:
        def back():
            third.rtnl.change(one.name, ns=t.n0.fd)

        def where():
            return t.n0.rtnl.exists(one.name), third.rtnl.exists(one.name)

        t.fault.sweep(
            "move", lambda: t.n0.rtnl.request(rtnl.RTM_SETLINK, 0, rtnl.ifinfo(one.index) +
                                              rtnl.attr(rtnl.IFLA_NET_NS_FD, third.fd)),
            refused=lambda: tap.equal(where(), (True, False), "place"),
            done=lambda: tap.equal(where(), (False, True), "place"), undo=back)
        back()
    link = rtnl.ifinfo(one.index)
    t.fault.sweep(
        "new name", lambda: t.n0.rtnl.request(rtnl.RTM_SETLINK, 0, link +
                                              rtnl.attr(rtnl.IFLA_IFNAME, "fx0")),
        refused=lambda: tap.equal(t.n0.rtnl.exists("fe0"), True, "old name"),
        done=lambda: tap.equal(t.n0.rtnl.exists("fx0"), True, "new name"),
        undo=lambda: t.n0.rtnl.change("fx0", name="fe0"))
    t.n0.rtnl.change("fx0", name="fe0")
    t.up()
    t.flow()


@tap.case("what is only read: statistics, self-test, queues, each dump of the family")
def reads(t):
    one, _ = t.small()
    index = one.index
    before = t.picture()
    family = t.family[0]
    here = rtnl.attr(control.IFINDEX, index)
    wire = rtnl.attr(control.WIRE_ID, family.ports()[index]["wire"])

    def unchanged():
        same(t.picture(), before)

    for what, act in {
            "link": lambda: one.link,
            "queue statistics": one.queue_stats,
            "queues": one.queues,
            "ring sizes": one.rings,
            "steering": one.rss,
            "rules": lambda: steer.rules(one),
            "private statistics": one.private,
            "self-test": lambda: ethioctl.self_test(one),
            "offline self-test": lambda: ethioctl.self_test(one, ethioctl.OFFLINE),
            "NAPIs": one.napis,
            "page pools": lambda: one.netdev.page_pools(index),
            "port-get": lambda: family.send(control.PORT_GET, here),
            "channel-get": lambda: family.send(control.CHANNEL_GET,
                                               here + rtnl.attr(control.CHANNEL_INDEX, 0)),
            "stage-get": lambda: family.send(control.STAGE_GET, here + rtnl.attr(2, 0) +
                                             rtnl.attr(3, 3)),
            "wire-get": lambda: family.send(control.WIRE_GET, wire),
            "dump of ports": lambda: family.dump(control.PORT_GET),
            "dump of wires": lambda: family.dump(control.WIRE_GET),
            "dump of channels": lambda: family.dump(control.CHANNEL_GET, here),
            "dump of stages": lambda: family.dump(control.STAGE_GET, here)}.items():
        t.fault.sweep(what, act, refused=unchanged, done=lambda: None)
    t.flow()


@tap.case("port-set and stats-reset; a notification that is lost is told")
def commands(t):
    one, _ = t.small()
    family, index = t.family[0], one.index
    here = rtnl.attr(control.IFINDEX, index)

    def limit():
        return family.ports()[index]["pause-limit"]

    def set_(value):
        family.send(control.PORT_SET, here + rtnl.attr(control.PORT_PAUSE_LIMIT, value))

    with control.Events(family) as events:
        lost = []

        def told(value):
            tap.equal(limit(), value, "pause limit")
            try:
                tap.equal([(what, port["pause-limit"]) for what, port in events.come()],
                          [("change", value)], "notifications")
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                lost.append(value)
                events.come()

        def back():
            set_(100)
            told(100)

        def refused():
            tap.equal((limit(), events.come()), (100, []), "pause limit and notifications")

        t.fault.sweep("port-set", lambda: set_(55), refused=refused, done=lambda: told(55),
                      undo=back)
        tap.note(f"{len(lost)} notifications lost, and told to be")

    t.flow()
    t.fault.sweep("stats-reset", lambda: family.send(control.STATS_RESET, here),
                  refused=lambda: None, done=lambda: None)
    t.flow()


@tap.case("a transaction of changes of ports and wires")
def transaction(t):
    one, _ = t.small()
    family, index = t.family[0], one.index
    wire = family.ports()[index]["wire"]

    def state():
        port = family.ports()[index]
        # What features there are depends on the datapath.
        return port["datapath"], port.get("pause-limit"), t.picture()

    def change(end, limit, datapath):
        try:
            family.send(control.TRANSACTION_BEGIN)
            family.send(control.TRANSACTION_ADD, rtnl.attr(2, [
                rtnl.attr(1, index), rtnl.attr(16, limit)]))
            family.send(control.TRANSACTION_ADD, rtnl.attr(3, [
                rtnl.attr(1, wire), rtnl.attr(3, datapath)]))
            family.send(end)
        except OSError:
            # A commit that fails ends it; before that it is open.
            with contextlib.suppress(OSError):
                family.send(control.TRANSACTION_ABORT)
            raise

    def check(want):
        got = state()
        tap.equal(got[:2], want[:2], "datapath and limit")
        same(got[2], want[2])
        t.flow()

    def back():
        family.send(control.WIRE_SET, rtnl.attr(1, wire) + rtnl.attr(3, 0))
        family.send(control.PORT_SET, rtnl.attr(1, index) +
                    rtnl.attr(control.PORT_PAUSE_LIMIT, 100))

    old = state()
    change(control.TRANSACTION_COMMIT, 77, 1)
    new = state()
    back()
    some(t.fault.sweep("a transaction", lambda: change(control.TRANSACTION_COMMIT, 77, 1),
                       refused=lambda: check(old), done=lambda: check(new), undo=back),
         "a transaction")
    back()
    t.fault.sweep("one that is given up", lambda: change(control.TRANSACTION_ABORT, 77, 1),
                  refused=lambda: check(old), done=lambda: check(old))


@tap.case("sampling: begun, read, reset, ended")
def sampling(t):
    one, _ = t.small()
    family = t.family[0]
    here = rtnl.attr(1, one.index)

    def set_(one_in):
        family.send(control.SAMPLING_SET, here + rtnl.attr(3, one_in))

    def one_in():
        return genl.number(dict(rtnl.attrs(family.send(control.SAMPLING_GET, here)[0][4:]))[3])

    def check(want):
        tap.equal(one_in(), want, "one in so many")
        t.flow()

    set_(4)
    set_(0)
    some(t.fault.sweep("sampling", lambda: set_(4), refused=lambda: check(0),
                       done=lambda: check(4), undo=lambda: set_(0)), "sampling")
    for what, act in {
            "sampling anew": lambda: set_(4),
            "sampling-get": one_in,
            "dump of sampling": lambda: family.dump(control.SAMPLING_GET),
            "latency-get": lambda: family.send(control.LATENCY_GET, here + rtnl.attr(2, 0)),
            "dump of latency": lambda: family.dump(control.LATENCY_GET, here),
            "latency-reset": lambda: family.send(control.LATENCY_RESET, here)}.items():
        t.fault.sweep(what, act, refused=lambda: check(4), done=lambda: check(4))
    t.fault.sweep("no more sampling", lambda: set_(0), refused=lambda: check(4),
                  done=lambda: check(0), undo=lambda: set_(4))
    set_(0)


@tap.case("loading the module")
def load(t):
    """Fails as a whole or works; the control family, the link kind and the list of
    each namespace are there together, and the tests at load pass each time."""
    path = net.module_path()
    name = net.KIND
    t.tidy()
    # No socket of the family may be open.
    libc = ctypes.CDLL(None, use_errno=True)
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def insert():
        if libc.syscall(313, file, b"", 0):         # finit_module
            raise OSError(ctypes.get_errno(), "finit_module")

    def remove():
        net.run("rmmod", name)

    def there():
        return os.path.isdir(f"/sys/module/{name}")

    def works():
        tap.equal(there(), True, "module there")
        t.n0.rtnl.add_pair(name, {"name": "fa1"}, name="fa0")
        t.n0.rtnl.delete("fa0")
        control.Raw(t.n0).close()

    # The tests at load have memory, and say so if the module that was loaded is no good.
    kunit = faults.function_text("kunit_module_notify")
    try:
        remove()
        with faults.from_text(*faults.function_text("do_init_module"), spared=kunit):
            some(t.fault.sweep("loading", insert, done=works, undo=remove,
                               refused=lambda: tap.equal(there(), False, "module there")), "loading")
    finally:
        os.close(file)
        if not there():
            net.run("insmod", path)


tap.main(Faulty)
