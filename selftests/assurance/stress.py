#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""All control operations at once against traffic on all CPUs, with namespaces
that go and the module unloaded in the middle.

    stress.py [--seed SEED] [--seconds N]

What each thread does follows from the seed, which is printed; how the threads
meet does not.  Whatever the outcome of each request, nobody waits for ever,
nobody gets an answer that says more than "no", and when it is over a new pair
works, and every frame of it is accounted for.
"""

# selftest-timeout: 150

import argparse
import contextlib
import errno
import mmap
import os
import random
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import ethioctl  # noqa: E402
import ethnl    # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import steer    # noqa: E402
import tap      # noqa: E402

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--seed", type=int, default=1)
PARSER.add_argument("--seconds", type=int, default=0)
ARGUMENTS, sys.argv[1:] = PARSER.parse_known_args()
SECONDS = ARGUMENTS.seconds or (60 if net.SLOW > 1 else 20)

# What may be said to a request whose port, namespace or module is just going, or
# that meets another one of its kind.
FINE = {errno.ENODEV, errno.ENOENT, errno.ENETDOWN, errno.EBUSY, errno.EEXIST, errno.EAGAIN,
        errno.EINVAL, errno.ENXIO, errno.EOPNOTSUPP, errno.ENOBUFS, errno.EHOSTUNREACH,
        errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ERANGE, errno.EPROTONOSUPPORT}


@contextlib.contextmanager
def fine():
    """Ends a request that meets with one of these."""
    try:
        yield
    except OSError as error:
        if error.errno not in FINE:
            raise


class Worker(threading.Thread):
    """Does one thing after another, as its own generator says, until told to stop."""

    def __init__(self, stress, name, *actions):
        super().__init__(name=name, daemon=True)
        self.stress, self.actions = stress, actions
        self.random = random.Random(f"{ARGUMENTS.seed} {name}")
        self.done = self.refused = 0

    def run(self):
        try:
            while not self.stress.over.is_set():
                self.step(self.random.choice(self.actions))
        except Exception:
            self.stress.problems.append(f"{self.name}: {traceback.format_exc()}")
            self.stress.over.set()

    def step(self, action):
        self.refused += 1
        with fine():
            action(self.random)
            self.refused -= 1
            self.done += 1


class Stress(nic.Pair):
    """Pairs that everybody may touch, and a third namespace that comes and goes."""

    def start(self):
        self.over, self.problems, self.workers = threading.Event(), [], []
        self.sockets = []

    def link(self, namespace):
        """A netlink socket for one thread."""
        with namespace:
            made = rtnl.Rtnl()
        self.sockets.append(made)
        return made

    def worker(self, name, *actions):
        self.workers.append(Worker(self, name, *actions))

    def run(self, seconds):
        for worker in self.workers:
            worker.start()
        self.over.wait(seconds)
        self.over.set()
        for worker in self.workers:
            worker.join(net.PATIENCE * 4)
            if worker.is_alive():
                self.problems.append(f"{worker.name} does not come back")
            tap.note(f"{worker.name}: {worker.done} done, {worker.refused} refused")
        for made in self.sockets:
            made.close()
        tap.equal(self.problems, [], "problems")


def ends():
    return ((0, net.NAME0), (1, net.NAME1))


def make(t, link, info):
    link.add_pair(net.KIND, {"name": net.NAME1, "address": net.MAC[1], "ns": t.n1.fd},
                  name=net.NAME0, address=net.MAC[0], info=info)
    for index, name in ends():
        # The other end's socket is not this thread's: a new one.
        with t.n[index]:
            other = rtnl.Rtnl()
        try:
            other.change(name, up=True)
            other.add_address(name, net.V4[index], 24)
        finally:
            other.close()


def life(t):
    """Makes and deletes the pair, from either end, on either datapath."""
    links = [t.link(namespace) for namespace in t.n]

    def act(dice):
        if dice.random() < 0.6:
            make(t, links[0], dice.choice(((), (), [rtnl.attr(2, 1)])))
        else:
            index, name = dice.choice(ends())
            links[index].delete(name)

    return act


def state(t):
    """Up, down, addresses, MTU, promiscuity, carrier of the stack's choosing."""
    links = [t.link(namespace) for namespace in t.n]

    def act(dice):
        index, name = dice.choice(ends())
        change = dice.choice(("up", "down", "up", "mtu", "address", "promisc", "allmulti"))
        link = links[index]
        if change in ("up", "down"):
            link.change(name, up=change == "up")
        elif change == "mtu":
            link.change(name, mtu=dice.choice((68, 600, 1500, 3000, 9000, 65535)))
        elif change == "address":
            link.change(name, address=dice.choice((net.MAC[index], "02:fe:00:00:00:99")))
        else:
            flag = rtnl.IFF_PROMISC if change == "promisc" else rtnl.IFF_ALLMULTI
            link.change(name, flags=dice.choice((0, flag)), mask=flag)

    return act


FEATURES = ("rx-checksum", "rx-hashing", "rx-vlan-hw-parse", "rx-gro", "rx-gro-hw", "tx-checksum-ip-generic",
            "tx-scatter-gather", "tx-tcp-segmentation", "tx-udp-segmentation", "rx-ntuple-filter")


def tool(t):
    """Everything that ethtool sets and reads."""
    tools = [ethnl.Ethtool(t.n[index], name) for index, name in ends()]
    named = {port: ethioctl.Port(t.n[index], name) for port, (index, name) in zip(tools, ends())}
    t.sockets += tools

    def act(dice):
        port = dice.choice(tools)
        what = dice.randrange(13)
        if what == 0:
            port.set(ethnl.RINGS, rx=64 << dice.randrange(5), tx=64 << dice.randrange(5))
        elif what == 1:
            port.set(ethnl.CHANNELS, combined=dice.choice((1, 2, 3, 5, 8, 64)))
        elif what == 2:
            port.set(ethnl.COALESCE, rx_usecs=dice.choice((0, 1, 80, 500)),
                     rx_frames=dice.choice((0, 1, 64)), tx_usecs=dice.choice((0, 200)))
        elif what == 3:
            port.set(ethnl.COALESCE, adaptive_rx=dice.randrange(2), adaptive_tx=dice.randrange(2))
        elif what == 4:
            port.set(ethnl.PAUSE, rx=dice.randrange(2), tx=dice.randrange(2))
        elif what == 5:
            rss = port.rss()
            most = max(rss["indir"], default=0) + 1
            port.rss_set(indir=[dice.randrange(most) for _ in rss["indir"]])
        elif what == 6:
            port.rss_set(hkey=dice.randbytes(len(port.rss()["hkey"])),
                         input_xfrm=dice.choice((0, 1)))
        elif what == 7:
            port.feature(dice.choice(FEATURES), dice.random() < 0.6)
        elif what == 8:
            steer.add_udp4(named[port], dice.randrange(5100, 5104), dice.randrange(3),
                           dice.randrange(4))
        elif what == 9:
            steer.delete(named[port], dice.randrange(4))
        elif what == 10:
            if dice.random() < 0.5:
                port.rss_create()
            else:
                port.rss_delete(dice.randrange(1, 4))
        else:
            for table in (ethnl.RINGS, ethnl.CHANNELS, ethnl.COALESCE, ethnl.LINKSTATE):
                port.get(table)
            port.pause_stats()

    return act


def family(t):
    """Every command of the control family."""
    families = [control.Raw(namespace) for namespace in t.n]
    t.sockets += families

    def act(dice):
        one = dice.choice(families)
        ports = one.ports()
        if not ports:
            one.dump(control.WIRE_GET)
            return
        index = dice.choice(list(ports))
        here = rtnl.attr(control.IFINDEX, index)
        what = dice.randrange(11)
        if what == 0:
            one.send(control.PORT_SET,
                     here + rtnl.attr(control.PORT_PAUSE_LIMIT, dice.randrange(1, 200)))
        elif what == 1:
            one.send(control.STATS_RESET, here)
        elif what == 2:
            one.dump(control.CHANNEL_GET, here)
        elif what == 3:
            one.dump(control.STAGE_GET, here)
        elif what == 4:
            one.dump(control.WIRE_GET)
        elif what == 5:
            one.send(control.WIRE_SET, rtnl.attr(control.WIRE_ID, ports[index]["wire"]) +
                     rtnl.attr(3, dice.randrange(2)))
        elif what == 6:
            one.send(control.SAMPLING_SET, here + rtnl.attr(3, dice.choice((0, 1, 7))))
        elif what == 7:
            one.dump(control.LATENCY_GET, here)
        elif what == 8:
            one.send(control.LATENCY_RESET, here)
        elif what == 9:
            together(one, dice, index, ports[index]["wire"])
        else:
            one.send(control.PORT_GET, here)

    return act


def together(one, dice, index, wire):
    """A port and its wire changed in a transaction; now and then it is given up."""
    one.send(control.TRANSACTION_BEGIN)
    try:
        one.send(control.TRANSACTION_ADD, rtnl.attr(2, [
            rtnl.attr(1, index), rtnl.attr(16, dice.randrange(1, 200))]))
        one.send(control.TRANSACTION_ADD, rtnl.attr(3, [
            rtnl.attr(1, wire), rtnl.attr(3, dice.randrange(2))]))
    finally:
        one.send(dice.choice((control.TRANSACTION_COMMIT, control.TRANSACTION_ABORT)))


def queues(t):
    """The netdev family: queues, NAPIs, threads, deferral."""
    netdevs = [(nic.genl.Netdev(t.n[index]), t.link(t.n[index]), name) for index, name in ends()]
    t.sockets += [netdev for netdev, _, _ in netdevs]

    def act(dice):
        netdev, link, name = dice.choice(netdevs)
        index = link.get(name)["index"]
        what = dice.randrange(4)
        if what == 0:
            netdev.qstats_of_queues(index)
        elif what == 1:
            netdev.queues(index)
        elif what == 2:
            netdev.page_pool_stats(index)
        else:
            for napi in list(netdev.napis(index))[:2]:
                netdev.napi_set(napi, threaded=dice.randrange(2),
                                defer_hard_irqs=dice.choice((0, 3)),
                                gro_flush_timeout=dice.choice((0, 20000)))

    return act


PLACES = {"ingress": True, "egress": True, "prerouting": False, "input": False, "forward": False,
          "output": False, "postrouting": False}
DISTURBED = (("set-mark", {"mark": 5}), ("set-dscp", {"dscp": 46}), ("set-ecn", {"ecn": 1}),
             ("corrupt", {"bits": 4, "offset": 60}), ("truncate", {"length": 80}),
             ("sample", {"snap": 99}), ("duplicate", {"copies": 2}),
             ("delay", {"delay": 10**6, "jitter": 10**5}),
             ("reorder", {"gap": 2, "timeout": 10**7}),
             ("drop", {}), ("accept", {}), ("continue", {}))


def rule(dice, extra=b""):
    """The body of a rule that acts on some packet or other."""
    action, options = dice.choice(DISTURBED)
    terms = dice.choice(((), (hooks.term("protocol", hooks.UDP),),
                         (hooks.term("dport", 5100, 5100 + dice.randrange(4)),),
                         (hooks.term("length", 0, dice.randrange(2000)),)))
    terms = () if action == "truncate" else terms
    more = dice.choice(({"every": 3}, {"nth": 5}, {"at_most": 9}, {"notify": 64}, {"every": 2}))
    return hooks.Hooks.words(dice.choice(list(PLACES)), terms, action, **options, **more) + extra


def chains(t):
    """Chains at every hook come and go; rules are added, replaced, removed, one by one and in
    transactions; a listener hears of the packets they act on.  The family is looked up each
    time: the module may have gone and come back."""

    def one(family, dice, name):
        hook = dice.choice(list(PLACES))
        what = dice.randrange(9)
        if what < 2:
            family.chain(hook, hook, dev=name if PLACES[hook] else None)
        elif what < 5:
            family.send(control.RULE_ADD, rule(dice))
        elif what == 5:
            family.delete(hook)
        elif what == 6:
            family.remove(hook)
        elif what == 7:
            found = family.rules()
            if found:
                some = dice.choice(found)
                family.about(dice.choice((control.RULE_DEL, control.RULE_RESET)), some["chain"],
                             some["handle"])
        else:
            transaction(family, dice)

    def act(dice):
        index, name = dice.choice(ends())
        with contextlib.closing(hooks.Hooks(t.n[index])) as family:
            if dice.random() < 0.3:
                with hooks.Events(family) as events:
                    one(family, dice, name)
                    events.come()
            for _ in range(dice.randrange(1, 8)):
                with fine():
                    one(family, dice, name)

    return act


def transaction(family, dice):
    """Exchanges all rules of a chain; now and then it is given up, or left to the socket's end."""
    extra = rtnl.attr(hooks.number(hooks.RULE, "transaction"))
    family.send(control.TRANSACTION_BEGIN)
    chain = hooks.attribute(hooks.RULE, "chain", dice.choice(list(PLACES)))
    family.send(control.RULE_DEL, chain + extra)
    for _ in range(dice.randrange(20)):
        family.send(control.RULE_ADD, rule(dice, extra))
    end = dice.random()
    if end < 0.7:
        family.send(control.TRANSACTION_COMMIT)
    elif end < 0.9:
        family.send(control.TRANSACTION_ABORT)


def hold(space):
    """Packets that are held in a namespace that goes."""
    with contextlib.closing(hooks.Hooks(space)) as family:
        space.rtnl.change("lo", up=True)
        family.chain("x", "output")
        family.send(control.RULE_ADD, hooks.Hooks.words("x", (), "delay", delay=10**10))
        with contextlib.closing(space.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
            for _ in range(5):
                sender.sendto(b"held", ("127.0.0.1", 9))


def spaces(t):
    """A namespace is made, gets a pair of its own, and goes with it; now and then the
    pair's other end is in one of those that stay, and packets are held in it."""
    count = [0]

    def act(dice):
        count[0] += 1
        space = net.Namespace(f"gone{count[0] % 4}")
        try:
            name = f"x{count[0] % 4}"
            other = dice.choice((space, t.n0, t.n1))
            space.rtnl.add_pair(net.KIND, {"name": name + "p", "ns": other.fd}, name=name)
            space.rtnl.change(name, up=True)
            if dice.random() < 0.5:
                space.rtnl.change(name, name=name + "y")
            if dice.random() < 0.3:
                hold(space)
        finally:
            space.close()

    return act


class Sender:
    """Sends datagrams both ways from one CPU as fast as it can, in a process of its own: the
    threads of this one share an interpreter.  Errors are part of it."""

    def __init__(self, t, cpu):
        self.cpu, self.counts = cpu, mmap.mmap(-1, 16)
        size, port = (1 + cpu * 9000) % 20000, 5100 + cpu
        self.ways = [(t.n[way].socket(socket.AF_INET, socket.SOCK_DGRAM), bytes(size),
                      (net.V4[1 - way], port)) for way in (0, 1)]

    def __enter__(self):
        self.pid = os.fork()
        if not self.pid:
            try:
                self.work()
            finally:
                os._exit(1)
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        for made, _, _ in self.ways:
            made.close()

    def work(self):
        os.sched_setaffinity(0, {self.cpu})
        sent = refused = 0
        while True:
            for made, data, target in self.ways:
                try:
                    for _ in range(50):
                        made.sendto(data, target)
                        sent += 1
                except OSError:
                    # Gives up the CPU, not a wait for anything.
                    select.select([], [], [], 0.001)
                    refused += 1
            struct.pack_into("=QQ", self.counts, 0, sent, refused)

    def __str__(self):
        return "CPU %d: %d datagrams sent, %d refused" % (
            self.cpu, *struct.unpack_from("=QQ", self.counts))


@contextlib.contextmanager
def floods(t):
    """Full traffic on every CPU while the body runs."""
    with contextlib.ExitStack() as stack:
        senders = [stack.enter_context(Sender(t, cpu)) for cpu in range(os.cpu_count())]
        yield
    tap.note("; ".join(map(str, senders)))


def after(t):
    """It is over: what is left goes, and a new pair is as good as ever."""
    for namespace in t.n:
        with contextlib.closing(hooks.Hooks(namespace)) as family:
            family.clear()
            tap.equal(family.chains(), {}, "chains")
    t.tidy()
    one, _ = t.nics(only4=True)
    t.ping()
    content.stream(t.n0, t.n1, *net.V4, 300000)
    content.datagrams(t.n0, t.n1, *net.V4, sizes=(1, 1472, 30000))
    t.balanced()
    tap.equal(one.refused_to_send(), 0, "frames dropped before the wire")


def everything(t, seconds):
    t.start()
    t.worker("life", life(t))
    t.worker("state", state(t))
    t.worker("ethtool", tool(t))
    t.worker("family", family(t))
    t.worker("queues", queues(t))
    t.worker("chains", chains(t))
    t.worker("namespaces", spaces(t))
    with floods(t):
        t.run(seconds)


@tap.case("every control operation at once, against traffic on all CPUs")
def control_plane(t):
    tap.note(f"seed {ARGUMENTS.seed}, {SECONDS} s")
    everything(t, SECONDS)
    after(t)


@tap.case("the same while the module goes and comes back")
def unload(t):
    path = net.module_path()
    if not os.path.isdir(f"/sys/module/{net.KIND}"):
        raise tap.Skip(f"{net.KIND} is not loaded as a module")
    dice = random.Random(ARGUMENTS.seed)
    count = [0]
    t.start()
    t.worker("life", life(t))
    t.worker("state", state(t))
    t.worker("ethtool", tool(t))
    t.worker("chains", chains(t))
    t.worker("namespaces", spaces(t))
    end = time.monotonic() + SECONDS / 2
    try:
        with floods(t):
            for worker in t.workers:
                worker.start()
            while time.monotonic() < end and not t.over.is_set():
                t.over.wait(dice.random())
                if net.run("rmmod", net.KIND, check=False).returncode == 0:
                    net.run("insmod", path)
                    count[0] += 1
            t.over.set()
    finally:
        t.over.set()
        for worker in t.workers:
            worker.join(net.PATIENCE * 4)
        for made in t.sockets:
            made.close()
        if not os.path.isdir(f"/sys/module/{net.KIND}"):
            net.run("insmod", path)
    tap.note(f"unloaded {count[0]} times; " + ", ".join(
        f"{worker.name}: {worker.done} done, {worker.refused} refused" for worker in t.workers))
    tap.equal([worker.name for worker in t.workers if worker.is_alive()], [], "still at it")
    tap.equal(t.problems, [], "problems")
    if not count[0]:
        raise AssertionError("the module was never unloaded")
    after(t)


tap.main(Stress)
