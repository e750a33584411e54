#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""User namespaces: caps on ports and on memory in rings, refused with a reason,
given back when ports go, and in force for ports that were given to one; the
number of chains; memory that is charged to who asked for it."""

import contextlib
import errno
import os
import select
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import genl     # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
import user     # noqa: E402


# What a user namespace may have, unless the module was told otherwise.
PORTS = 128
# Of a wire: an attribute of the control family, and what it can be.
WIRE_DATAPATH, NIC, HANDOFF = 3, 0, 1
# Rings that take more than the 128 MiB a user namespace may have; and those of which three have room there.
CHANNELS, RING, QUARTER = 8, 8192, 2048


class Here:
    """The namespace the caller is in."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def fill(link, many=100000):
    """Makes pairs until the kernel refuses; how many it made, and its reason."""
    for number in range(many):
        try:
            link.add_pair(net.KIND, {"name": f"b{number}"}, name=f"a{number}")
        except rtnl.NetlinkError as error:
            return number, error
    return many, None


@tap.case("a user namespace gets a number of ports that a container can live with, and no more")
def ports(_):
    def work():
        link = rtnl.Rtnl()
        made, error = fill(link, 300)
        tap.equal(2 * made, PORTS, "ports")
        tap.equal((error.errno, bool(error.text)), (errno.EDQUOT, True), f"error {error}")
        # What goes is given back.
        link.delete("a0")
        link.add_pair(net.KIND, {"name": "again1"}, name="again0")

    user.as_user(work)


def frame_passes(link, sender, receiver):
    """Sends a frame from one port to the other, both in the namespace the caller is in."""
    frame = frames.ether(link.get(receiver)["address"], link.get(sender)["address"], frames.ETH_P_TEST,
                         bytes(100))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as to, \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as at:
        to.bind((sender, frames.ETH_P_TEST))
        at.bind((receiver, frames.ETH_P_TEST))
        at.settimeout(net.PATIENCE)
        to.send(frame)
        tap.equal(at.recv(2000), frame, "frame")


@tap.case("memory in rings is capped too, and a refused port still works")
def memory(_):
    def work():
        link = rtnl.Rtnl()
        with contextlib.ExitStack() as stack:
            tools = []
            for number in range(4):
                link.add_pair(net.KIND, {"name": f"b{number}"}, name=f"a{number}")
                tools.append(stack.enter_context(contextlib.closing(ethnl.Ethtool(Here(), f"a{number}"))))
                tools[number].set(ethnl.CHANNELS, combined=CHANNELS)

            def enlarge(number):
                tools[number].set(ethnl.RINGS, rx=QUARTER)
                link.change(f"a{number}", up=True)

            for number in range(3):
                enlarge(number)
            refused(lambda: enlarge(3))
            tools[3].set(ethnl.RINGS, rx=64, tx=64)
            for name in ("b3", "a3"):
                link.change(name, up=True)
            net.wait_until(lambda: link.get("a3")["operstate"] == 6, "a3 is running")
            frame_passes(link, "a3", "b3")
            # What goes is given back.
            link.delete("a0")
            enlarge(3)
            frame_passes(link, "a3", "b3")

    user.as_user(work)


def unread(link, sender, receiver, size):
    """Lets a frame come; the socket that does not read it."""
    at = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    at.bind((receiver, frames.ETH_P_TEST))
    net.wait_until(lambda: link.get(sender)["operstate"] == 6, f"{sender} is running")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as to:
        to.bind((sender, frames.ETH_P_TEST))
        to.send(frames.ether(link.get(receiver)["address"], link.get(sender)["address"],
                             frames.ETH_P_TEST, bytes(size)))
    net.wait_until(lambda: select.select([at], [], [], 0)[0], "a frame")
    return at


@tap.case("a pool of which packets have pages counts after its queue has gone, until they are read")
def pools(_):
    # It is kept, and may lie where the user cannot read it.
    control.specification()

    def work():
        link = rtnl.Rtnl()
        with contextlib.ExitStack() as stack:
            names = [f"{end}{number}" for number in range(3) for end in "ab"]
            for number in range(3):
                link.add_pair(net.KIND, {"name": f"b{number}"}, name=f"a{number}")
            tools = {name: stack.enter_context(contextlib.closing(ethnl.Ethtool(Here(), name)))
                     for name in names}
            for tool in tools.values():
                tool.set(ethnl.CHANNELS, combined=1)
                tool.set(ethnl.RINGS, rx=64, tx=64)
            tools["b1"].set(ethnl.CHANNELS, combined=6)
            for name in ("b0", "b1"):
                tools[name].set(ethnl.RINGS, rx=RING)
            for name in names[:4]:
                link.change(name, up=True)

            # What is left is less than a ring.
            for name in ("a1", "a2", "b2"):
                with contextlib.suppress(rtnl.NetlinkError):
                    link.change(name, up=True)
                    for bits in range(7, 14):
                        tools[name].set(ethnl.RINGS, rx=1 << bits)

            family = stack.enter_context(contextlib.closing(genl.Netdev(Here())))
            index = link.get("b0")["index"]
            waiting = []

            def pools_are_kept():
                found = family.page_pools(index).values()
                tap.equal([pool for pool in found if "detach_time" in pool], [], "pools left to the core")
                tap.equal(len(found), len(waiting), "pools of a port without queues")

            control_family = stack.enter_context(contextlib.closing(control.Raw(Here())))
            wire = rtnl.attr(control.WIRE_ID, control_family.ports()[index]["wire"])

            def to(datapath):
                control_family.send(control.WIRE_SET, wire + rtnl.attr(WIRE_DATAPATH, datapath))

            def state(up):
                link.change("b0", up=up)

            for change, gone, come, said in ((state, False, True, False), (to, HANDOFF, NIC, True)):
                def again(change=change, gone=gone, come=come):
                    # A large frame keeps a page of its ring's pool, a small one a piece of the page that the other is at.
                    waiting.append(unread(link, "a0", "b0", (1000, 100)[len(waiting) % 2]))
                    change(gone)
                    pools_are_kept()
                    change(come)

                refused(lambda again=again: [again() for _ in range(32)], said=said)
                tap.note(f"{len(waiting)} pools")
                # None of those of the ring that was refused.
                pools_are_kept()
                while waiting:
                    waiting.pop().close()
                net.wait_until(lambda: not family.page_pools(index), "the end of the pools")
                change(come)

    user.as_user(work)


@tap.case("a namespace has so many chains, and no more")
def chains(_):
    most, at = 1024, ("output", "input", "prerouting", "postrouting", "forward")
    with contextlib.closing(net.Namespace("many")) as space, \
            contextlib.closing(hooks.Hooks(space)) as family:
        for number in range(most):
            family.chain(f"c{number}", at[number % len(at)], priority=number)
        try:
            family.chain("more", "output")
        except rtnl.NetlinkError as error:
            tap.note(error)
            if not error.text:
                raise AssertionError("no reason given") from None
        else:
            raise AssertionError("one more was taken")
        tap.equal(len(family.chains()), most, "chains")


@contextlib.contextmanager
def cgroup():
    """A control group whose memory is accounted; the directory."""
    with tempfile.TemporaryDirectory() as top:
        net.run("mount", "-t", "cgroup2", "none", top)
        try:
            with open(f"{top}/cgroup.controllers") as file:
                if "memory" not in file.read().split():
                    raise tap.Skip("no memory controller in this kernel")
            with open(f"{top}/cgroup.subtree_control", "w") as file:
                file.write("+memory")
            os.mkdir(f"{top}/ferronic")
            try:
                yield f"{top}/ferronic"
            finally:
                net.wait_until(lambda: gone(f"{top}/ferronic"), "the end of the group")
        finally:
            net.run("umount", top)


def gone(directory):
    try:
        os.rmdir(directory)
    except OSError:
        return False
    return True


@tap.case("memory is charged to the control group of who asks for it, and given back")
def charged(t):
    with cgroup() as group, contextlib.closing(net.Namespace("charged")) as space:
        def kernel():
            with open(f"{group}/memory.stat") as file:
                return int(dict(line.split() for line in file)["kernel"])

        def charge(function):
            """What a child in the group costs beside what it has itself, which goes with it."""
            before = kernel()
            pid = os.fork()
            if not pid:
                with open(f"{group}/cgroup.procs", "w") as file:
                    file.write("0")
                try:
                    function()
                    os._exit(0)
                finally:
                    os._exit(1)
            tap.equal(os.waitpid(pid, 0)[1], 0, "status")
            return kernel() - before

        def ports():
            for number in range(4):
                space.rtnl.add_pair(net.KIND, {"name": f"b{number}", **net.QUEUES},
                                    name=f"a{number}", **net.QUEUES)

        def rings():
            for number in range(4):
                with contextlib.closing(ethnl.Ethtool(space, f"a{number}")) as tool:
                    tool.set(ethnl.RINGS, rx=64, tx=8192)
                space.rtnl.change(f"a{number}", up=True)

        def rules():
            with contextlib.closing(hooks.Hooks(space)) as family:
                family.chain("x", "output")
                family.send(control.TRANSACTION_BEGIN)
                for number in range(net.rounds(20000)):
                    words = family.words("x", (hooks.term("daddr4", number),), "continue")
                    family.send(control.RULE_ADD, words + hooks.attribute(hooks.RULE, "transaction", True))
                family.send(control.TRANSACTION_COMMIT)

        costs = {"ports": charge(ports), "rings": charge(rings), "rules": charge(rules)}
        tap.note(", ".join(f"{name}: {cost >> 10} KiB" for name, cost in costs.items()))
        for name, least in (("ports", 4 << 14), ("rings", 4 * 8192 * 16), ("rules", net.rounds(20000) * 16)):
            if costs[name] < least:
                raise AssertionError(f"{name} cost {costs[name]} bytes, less than {least}")
        whole = kernel()
        with contextlib.closing(hooks.Hooks(space)) as family:
            family.clear()
        for number in range(4):
            space.rtnl.delete(f"a{number}")
        net.wait_until(lambda: kernel() < whole - sum(costs.values()) // 2, "memory given back")


@tap.case("a port that was given to a user namespace counts there, rings set before or after")
def moved(t):
    for early in (True, False):
        nics = t.nics(up=False)
        if early:
            nics[1].ethtool.set(ethnl.CHANNELS, combined=CHANNELS)
            nics[1].ethtool.set(ethnl.RINGS, rx=RING)

        def work():
            link = rtnl.Rtnl()
            tool = ethnl.Ethtool(Here(), net.NAME1)
            if not early:
                tool.set(ethnl.CHANNELS, combined=CHANNELS)
                link.change(net.NAME1, up=True)
                refused(lambda: tool.set(ethnl.RINGS, rx=RING))
                tap.equal(tool.get(ethnl.RINGS)["rx"], 512, "descriptors")
                link.change(net.NAME1, up=False)
                refused(lambda: tool.set(ethnl.RINGS, rx=RING))
            else:
                refused(lambda: link.change(net.NAME1, up=True), said=False)
                tool.set(ethnl.RINGS, rx=512)
            link.change(net.NAME1, up=True)

        user.as_user(work, given=lambda namespace: t.n1.rtnl.change(net.NAME1, ns=namespace))
        t.tidy()


def refused(change, said=True):
    """The change must be refused for lack of quota, with a reason where there is room for one."""
    try:
        change()
    except rtnl.NetlinkError as error:
        tap.equal((error.errno, bool(error.text)), (errno.EDQUOT, said), f"error {error}")
    else:
        raise AssertionError("more than a user namespace may have was taken")


@tap.case("root's own ports are not counted against it")
def root(t):
    made, error = fill(t.n0.rtnl, 100)
    if error:
        raise AssertionError(f"{made} pairs, then {error}")


tap.main(nic.Pair)
