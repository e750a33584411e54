#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""How long sampled packets are in each stage of their way: that every one is
accounted for, on both datapaths, that time is told of the stage it was spent in,
and what may be asked for."""

import contextlib
import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import genl     # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import nfqueue  # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402
from rtnl import attr           # noqa: E402

STAGES = ("output", "postrouting", "egress", "tx-ring", "engine", "rx-ring", "napi", "gro",
          "ingress", "prerouting", "input", "forward", "leaving", "total")
SAMPLING = ("ifindex", "generation", "one-in", "unit", "seed", "packets", "samples", "delivered",
            "forwarded", "merged", "lost")
LATENCY = ("ifindex", "stage", "generation", "packets", "lost", "sum", "longest", "bucket")
BUCKET = ("from", "below", "packets")
PACKET, FLOW = 0, 1
ONE_IN, UNIT, SEED, STAGE = 3, 4, 5, 2
DATAPATHS = ("nic", "handoff")
ENDS = ("delivered", "forwarded", "merged", "lost")
MS = 10**6


def info(datapath):
    return [attr(2, DATAPATHS.index(datapath))]


def known(names, body):
    """The attributes of a message by name; buckets are a list."""
    found = {}
    for kind, value in rtnl.attrs(body):
        name = names[kind - 1]
        if name == "bucket":
            found.setdefault(name, []).append(known(BUCKET, value))
        else:
            found[name] = genl.number(value)
    return found


class Sampling:
    """What comes to a port."""

    def __init__(self, raw, name="fe1"):
        self.raw, self.name = raw, name

    @property
    def ifindex(self):
        return attr(1, self.raw.namespace.rtnl.get(self.name)["index"])

    def set(self, one_in, unit=None, seed=None):
        body = self.ifindex + attr(ONE_IN, one_in)
        body += b"" if unit is None else attr(UNIT, unit)
        body += b"" if seed is None else attr(SEED, seed)
        self.raw.send(control.SAMPLING_SET, body)

    def reset(self):
        self.raw.send(control.LATENCY_RESET, self.ifindex)

    def get(self):
        return known(SAMPLING, self.raw.send(control.SAMPLING_GET, self.ifindex)[0][4:])

    def stages(self):
        """What was counted, by the name of the stage."""
        bodies = [body for _, body in self.raw.parts(control.LATENCY_GET, self.ifindex) if body]
        found = [known(LATENCY, body[4:]) for body in bodies]
        return {STAGES[stage["stage"]]: stage for stage in found}

    def wait(self, name, count):
        net.wait_until(lambda: self.get()[name] >= count, f"{count} {name}")

    def end(self):
        """Ends it; what was counted, which must add up."""
        self.set(0)
        sampling, stages = self.get(), self.stages()
        tap.equal(sampling["one-in"], 0, "one-in")
        tap.equal(sum(sampling[name] for name in ENDS), sampling["samples"], f"{sampling}: ends")
        if sampling["packets"] < sampling["samples"]:
            raise AssertionError(f"{sampling}: more than there were")
        tap.equal(list(stages), list(STAGES), "stages")
        for name, stage in stages.items():
            buckets = stage.get("bucket", [])
            tap.equal(sum(b["packets"] for b in buckets), stage["packets"], f"{name}: buckets")
            for one, other in zip(buckets, buckets[1:]):
                if one["below"] > other["from"]:
                    raise AssertionError(f"{name}: {one} and {other}")
            least = sum(b["from"] * b["packets"] for b in buckets)
            most = sum(b.get("below", stage["longest"] + 1) * b["packets"] for b in buckets)
            if not least <= stage["sum"] <= most:
                raise AssertionError(f"{name}: sum {stage['sum']} is not in {least} to {most}")
            if buckets and not buckets[-1]["from"] <= stage["longest"]:
                raise AssertionError(f"{name}: longest {stage['max']} is not in {buckets[-1]}")
        tap.equal(sum(s.get("lost", 0) for s in stages.values()), sampling["lost"], "lost")
        done = sampling["delivered"] + sampling["forwarded"]
        tap.equal(stages["total"]["packets"], done, "whole ways")
        return sampling, stages


def entered(stages, name):
    """Packets that came to a stage, if none is left there."""
    return stages[name]["packets"] + stages[name]["lost"]


def way(sampling, stages, datapath):
    """Each stage has what the one before let go."""
    tap.equal(entered(stages, "tx-ring"), sampling["samples"], "tx-ring")
    before = stages["tx-ring"]["packets"]
    between = ("engine", "rx-ring")
    for name in between if datapath == "nic" else ():
        tap.equal(entered(stages, name), before, name)
        before = stages[name]["packets"]
    if datapath == "handoff":
        tap.equal([entered(stages, name) for name in between], [0, 0], "the nic's stages")
    for name in ("napi", "gro"):
        if before - sampling["merged"] > entered(stages, name) or entered(stages, name) > before:
            raise AssertionError(f"{name}: {stages[name]}, of {before}; {sampling}")
        before = stages[name]["packets"]
    tap.equal(entered(stages, "ingress"), before, "ingress")
    for name in ("forward", "leaving"):
        tap.equal(entered(stages, name), sampling["forwarded"], name)


@tap.case("every sample is accounted for, stage by stage: UDP, both datapaths")
def accounted(t):
    for datapath in DATAPATHS:
        t.pair(only4=True, info=info(datapath))
        s = Sampling(t.h1)
        tap.equal(s.get(), {key: s.get()[key] for key in ("ifindex", "generation", "one-in")},
                  "before")
        s.set(1)
        with hooks.Datagrams(t) as udp:
            for _ in range(20):
                udp.send(*(b"x" * 100 for _ in range(10)))
                udp.receive(10)
        sampling, stages = s.end()
        if sampling["delivered"] < 200 or sampling["packets"] != sampling["samples"]:
            raise AssertionError(f"{datapath}: {sampling}")
        way(sampling, stages, datapath)
        for name in ("ingress", "prerouting", "input"):
            if stages[name]["packets"] < 200:
                raise AssertionError(f"{datapath}, {name}: {stages[name]}")
        # Each packet's whole way is what its stages are together: nothing overlaps, nothing is left out.
        times = sum(stages[name]["sum"] for name in STAGES[:-1])
        if times < stages["total"]["sum"]:
            raise AssertionError(f"{datapath}: stages {times}, {stages['total']}")
        t.tidy()


@tap.case("every sample is accounted for: TCP, merged and not, both datapaths")
def tcp(t):
    for datapath in DATAPATHS:
        t.nics(info=info(datapath))
        for merge in ("on", "off") if datapath == "nic" else ("on",):
            if datapath == "nic":
                t.made[1].set("-K", "rx-gro-hw", merge)
            s = Sampling(t.h1)
            s.set(1)
            content.stream(t.n0, t.n1, *net.V4, 2_000_000)
            content.stream(t.n0, t.n1, *net.V6, 500_000)
            sampling, stages = s.end()
            if sampling["delivered"] < 20:
                raise AssertionError(f"{datapath}, {merge}: {sampling}")
            way(sampling, stages, datapath)
        t.tidy()


@tap.case("a packet that a hook delays is told in the stage of that hook")
def delayed(t):
    for datapath in DATAPATHS:
        t.pair(only4=True, info=info(datapath))
        s = Sampling(t.h1)
        for hook, dev in (("ingress", "fe1"), ("prerouting", None), ("input", None)):
            with hooks.Datagrams(t) as udp:
                t.h1.chain("x", hook, dev=dev)
                t.h1.rule("x", term("protocol", UDP), action="delay", delay=50 * MS)
                s.set(1)
                for _ in range(3):
                    udp.send(b"x")
                udp.receive(3)
            s.wait("delivered", 3)
            _, stages = s.end()
            t.h1.clear()
            told_late(stages, hook, 3, datapath)
        t.tidy()


@tap.case("the sender's hooks, where its port is sampled, too: what is delayed there is told there")
def sender(t):
    for datapath in DATAPATHS:
        t.pair(only4=True, info=info(datapath))
        own, s = Sampling(t.h0, "fe0"), Sampling(t.h1)
        for hook, dev in (("output", None), ("postrouting", None), ("egress", "fe0")):
            with hooks.Datagrams(t) as udp:
                udp.send(b"first")
                udp.receive(1)
                t.h0.chain("x", hook, dev=dev)
                t.h0.rule("x", term("protocol", UDP), action="delay", delay=50 * MS)
                own.set(1)
                s.set(1)
                for _ in range(3):
                    udp.send(b"x")
                udp.receive(3)
            s.wait("delivered", 3)
            sampling, stages = s.end()
            own.end()
            t.h0.clear()
            way(sampling, stages, datapath)
            for name in STAGES[:3]:
                if stages[name]["packets"] < 3:
                    raise AssertionError(f"{datapath}, {name}: {stages[name]}")
            told_late(stages, hook, 3, datapath)
        t.tidy()


def told_late(stages, hook, count, what):
    """So many packets were in that stage for longer than they were delayed there."""
    for name in (hook, "total"):
        late = sum(b["packets"] for b in stages[name]["bucket"] if b["below"] > 50 * MS)
        if late < count or stages[name]["longest"] < 50 * MS:
            raise AssertionError(f"{what}, {hook}: {stages[name]}")


@tap.case("forwarded packets are followed until they leave")
def forwarded(t):
    t.pair(only4=True)
    t.n1.sysctl("net/ipv4/ip_forward", 1)
    t.n1.run("ip", "link", "add", "out", "type", "dummy")
    t.n1.run("ip", "addr", "add", "10.9.0.1/24", "dev", "out")
    t.n1.run("ip", "link", "set", "out", "up")
    t.n1.run("ip", "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:00:00:09", "dev", "out")
    t.n0.run("ip", "route", "add", "10.9.0.0/24", "via", net.V4[1])
    s = Sampling(t.h1)
    for hook, name in (("forward", "forward"), ("postrouting", "leaving")):
        t.h1.chain("x", hook)
        t.h1.rule("x", term("protocol", UDP), action="delay", delay=50 * MS)
        s.set(1)
        with t.n0.socket(2, 2) as sends:
            for _ in range(5):
                sends.sendto(b"x", ("10.9.0.2", 9))
        s.wait("forwarded", 5)
        sampling, stages = s.end()
        way(sampling, stages, "nic")
        tap.equal(stages["leaving"]["packets"], sampling["forwarded"], "leaving")
        told_late(stages, name, 5, "nic")
        t.h1.clear()


@tap.case("one in so many: the same seed, the same packets; a flow wholly or not at all")
def chosen(t):
    t.pair(quiet=True)
    s = Sampling(t.h1)
    frames = [nic.udp_frame(sport=port) for port in range(2000, 2064)]

    def sampled(unit, seed, repeat):
        s.set(4, unit, seed)
        with t.n0.packet("fe0") as sender:
            for frame in frames:
                for _ in range(repeat):
                    sender.send(frame)
        s.wait("packets", len(frames) * repeat)
        sampling, stages = s.end()
        tap.equal(sampling["packets"], len(frames) * repeat, "packets")
        way(sampling, stages, "nic")
        return sampling["samples"]

    for unit in (PACKET, FLOW):
        counts = [sampled(unit, seed, 3) for seed in (1, 1, 2, 3, 4)]
        tap.note(f"unit {unit}: {counts} of 192")
        tap.equal(counts[0], counts[1], "the same seed")
        if not all(10 <= count <= 100 for count in counts) or len(set(counts)) == 1:
            raise AssertionError(f"{counts} of 192")
        if unit == FLOW:
            tap.equal([count % 3 for count in counts], [0] * 5, "parts of flows")


@tap.case("off: nothing is counted; what was counted stays until reset")
def off(t):
    t.pair(only4=True)
    s = Sampling(t.h1)
    t.h1.refused(errno.ENOENT, control.LATENCY_GET, s.ifindex + attr(STAGE, 0), at=0)
    tap.equal(s.stages(), {}, "stages of a port that was never sampled")
    s.reset()
    s.set(1, PACKET, 7)
    with hooks.Datagrams(t) as udp:
        udp.send(b"x")
        udp.receive(1)
        before = s.end()
        udp.send(*(b"y" for _ in range(20)))
        udp.receive(20)
        tap.equal((s.get(), s.stages()), before, "counted")
        s.set(0)
        tap.equal((s.get(), s.stages()), before, "ended twice")
        s.reset()
        tap.equal(s.stages(), {}, "after a reset")
        tap.equal("samples" in s.get(), False, "samples after a reset")
        # A reset while packets are sampled goes on with the same.
        s.set(1, PACKET, 7)
        udp.send(b"z")
        udp.receive(1)
        s.wait("delivered", 1)
        s.reset()
        now = s.get()
        tap.equal((now["one-in"], now["seed"]), (1, 7), "settings")
        udp.send(b"z")
        udp.receive(1)
        s.wait("delivered", 1)
    s.end()


@tap.case("what waits for a program (NFQUEUE) still does after a reset, and after another choice")
def waiting(t):
    t.pair(only4=True)
    t.h1.chain("x", "input")
    t.h1.rule("x", term("protocol", UDP), term("dport", 5000), action="queue", queue=7)
    s = Sampling(t.h1)
    s.set(1)
    with hooks.Datagrams(t) as udp, nfqueue.Queue(t.n1, 7) as queue:
        udp.send(b"queued")
        packet, = queue.packets(1)
        s.reset()
        s.set(2, FLOW, 7)
        # If it was dropped meanwhile there is nothing to accept.
        queue.verdict(packet, nfqueue.ACCEPT)
        tap.equal(udp.receive(1), [b"queued"], "arrived")
    s.end()


@tap.case("the other end, and other ports, are not sampled")
def others(t):
    t.pair(only4=True)
    one, other = Sampling(t.h0, "fe0"), Sampling(t.h1)
    other.set(1)
    t.ping(count=5)
    other.wait("delivered", 5)
    tap.equal(one.get()["one-in"], 0, "the other end")
    tap.equal(one.stages(), {}, "the other end")
    dumped = [known(SAMPLING, body[4:]) for _, body in t.h1.parts(control.SAMPLING_GET) if body]
    tap.equal([d["one-in"] for d in dumped], [1], "all of the namespace")


@tap.case("refused, naming the attribute, and nothing changes")
def refused(t):
    t.pair(only4=True)
    s = Sampling(t.h1)
    s.set(3, FLOW, 5)
    before = {key: s.get()[key] for key in ("one-in", "unit", "seed")}
    index, bad = s.ifindex, attr(1, 0x7FFFFFFF)
    for number, command, body, where in (
            (errno.EINVAL, control.SAMPLING_SET, attr(ONE_IN, 1), {"missing": 1}),
            (errno.EINVAL, control.SAMPLING_SET, index, {"missing": ONE_IN}),
            (errno.EINVAL, control.SAMPLING_SET, index + attr(ONE_IN, 0) + attr(UNIT, 0),
             {"at": 16}),
            (errno.EINVAL, control.SAMPLING_SET, index + attr(ONE_IN, 0) + attr(SEED, 0),
             {"at": 16}),
            (errno.ERANGE, control.SAMPLING_SET, index + attr(ONE_IN, 1) + attr(UNIT, 2),
             {"at": 16}),
            (errno.ENODEV, control.SAMPLING_SET, bad + attr(ONE_IN, 1), {"at": 0}),
            (errno.ENODEV, control.SAMPLING_GET, bad, {"at": 0}),
            (errno.ENODEV, control.LATENCY_RESET, bad, {"at": 0}),
            (errno.ENODEV, control.LATENCY_GET, bad + attr(STAGE, 0), {"at": 0}),
            (errno.EINVAL, control.LATENCY_GET, index, {"missing": STAGE}),
            (errno.ERANGE, control.LATENCY_GET, index + attr(STAGE, len(STAGES)), {"at": 8})):
        t.h1.refused(number, command, body, **where)
    tap.equal({key: s.get()[key] for key in before}, before, "settings")


@tap.case("under traffic: down and up, rings and channels, on and off, resets")
def changes(t):
    for datapath in DATAPATHS:
        one, other = t.nics(info=info(datapath))
        s = Sampling(t.h1)
        s.set(1)
        with content.Flood(t.n0, *net.V4):
            for turn in range(net.rounds(4)):
                for port in (one, other):
                    port.namespace.rtnl.change(port.name, up=False)
                    port.namespace.rtnl.change(port.name, up=True)
                    port.set("-G", "rx", 256 if turn % 2 else 512, "tx", 128 if turn % 2 else 512)
                    port.set("-L", "combined", 1 + turn % 3)
                s.reset()
                s.set(2, FLOW if turn % 2 else PACKET, turn)
                s.set(0)
                s.set(1)
        t.ready()
        t.ping()
        sampling, _ = s.end()
        tap.note(f"{datapath}: {sampling}")
        t.tidy()


@tap.case("a port that moves or goes while it is sampled")
def gone(t):
    t.pair(only4=True)
    s = Sampling(t.h1)
    with content.Flood(t.n0, *net.V4):
        s.set(1)
        s.wait("samples", 10)
        t.n1.rtnl.change("fe1", ns=t.n0.fd)
        there = Sampling(t.h0)
        tap.equal(there.get()["one-in"], 0, "after the move")
        tap.equal(there.stages(), {}, "after the move")
        t.n0.rtnl.change("fe1", up=True)
        there.set(1)
        t.n0.rtnl.delete("fe0")
    with contextlib.closing(net.Namespace("third")) as third:
        t.pair(only4=True)
        t.n1.rtnl.change("fe1", ns=third.fd)
        with contextlib.closing(hooks.Hooks(third)) as inside:
            third.rtnl.change("fe1", up=True)
            Sampling(inside).set(1)


class Both(hooks.Topology, nic.Pair):
    """Chains, and the pair as NICs."""


if __name__ == "__main__":
    tap.main(Both)
