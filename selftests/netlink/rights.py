#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who may do what: reading is free within a namespace, but for chains and rules;
reading those, and changing, takes CAP_NET_ADMIN in the user namespace that owns it, and
nothing is told of other namespaces."""

import errno
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
import user     # noqa: E402
from rtnl import attr  # noqa: E402


class Here:
    """The namespace the caller is in."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def reads(family, index):
    """Every command that reads, but for chains and rules, must be answered."""
    family.send(control.PORT_GET, attr(1, index))
    family.send(control.STAGE_GET, attr(1, index) + attr(2, 0) + attr(3, 3))
    for command in control.OPEN_READS:
        family.send(command, flags=rtnl.NLM_F_DUMP)


def no_rules(family):
    """Chains and rules must not be told, one or all."""
    for command in control.GUARDED_READS:
        family.refused(errno.EPERM, command, b"", silent=True)
        family.refused(errno.EPERM, command, b"", silent=True, flags=rtnl.NLM_F_DUMP)


def joins(family, group):
    """Whether the caller may join a multicast group."""
    try:
        control.Events(family, group=group).socket.close()
    except PermissionError:
        return False
    return True


def no_changes(family, index):
    """Every command that changes must be refused, whatever it says."""
    for command, body in ((control.PORT_SET, attr(1, index) + attr(16, 9)),
                          (control.STATS_RESET, attr(1, index)), (control.PORT_SET, b""),
                          (control.PORT_SET, attr(16, 0)), (control.STATS_RESET, attr(1, 0)),
                          *((command, b"") for command in control.CHANGES)):
        family.refused(errno.EPERM, command, body, silent=True)


@tap.case("an ordinary user reads, not rules, and may not change")
def ordinary(t):
    t.pair()
    index = t.n0.rtnl.get("fe0")["index"]
    before = t.c0.ports()

    def work():
        os.setns(t.n0.fd, os.CLONE_NEWNET)
        os.setgroups([])
        os.setresgid(user.NOBODY, user.NOBODY, user.NOBODY)
        os.setresuid(user.NOBODY, user.NOBODY, user.NOBODY)
        family = control.Raw(Here())
        reads(family, index)
        no_rules(family)
        no_changes(family, index)
        tap.equal([joins(family, group) for group in ("mgmt", "hooks", "packets")],
                  [True, False, False], "groups")

    fork(work)
    tap.equal(t.c0.ports(), before, "ports")


@tap.case("root of a user namespace: not of the namespace of others, even by a socket of theirs")
def foreign(t):
    t.pair()
    index = t.n0.rtnl.get("fe0")["index"]
    before = t.c0.ports()

    def work():
        reads(t.c0, index)
        no_rules(t.c0)
        no_changes(t.c0, index)

    # The socket was opened by root, who might not have wanted that.
    user.as_user(work)
    tap.equal(t.c0.ports(), before, "ports")


@tap.case("root of a user namespace is master of its own ports")
def own(t):
    t.pair()

    def work():
        link = rtnl.Rtnl()
        link.add_pair(net.KIND, {"name": "b"}, name="a")
        link.change("a", up=True)
        link.change("b", up=True)
        index = link.get("a")["index"]
        family = control.Raw(Here())
        with control.Events(family) as events:
            family.send(control.PORT_SET, attr(1, index) + attr(16, 9))
            family.send(control.STATS_RESET, attr(1, index))
            tap.equal([what for what, _ in events.come()], ["change"], "notifications")
        tap.equal(joins(family, "packets"), True, "events of packets")
        tap.equal(joins(family, "hooks"), True, "changes of rules")
        reads(family, index)
        for command in control.GUARDED_READS:
            family.send(command, flags=rtnl.NLM_F_DUMP)
        ports = family.ports()
        tap.equal(sorted(port["name"] for port in ports.values()), ["a", "b"], "ports")
        tap.equal(ports[index]["pause-limit"], 9, "limit")

    user.as_user(work)


@tap.case("a wire with an end in another's namespace: root of a user namespace may not change it")
def half(t):
    """The port is the child's own, the other end is not."""
    t.pair(up=False)
    wire = next(iter(t.c0.ports().values()))["wire"]
    (ask, asked), (answer, answered) = os.pipe(), os.pipe()

    def give():
        pid = int(os.read(ask, 100))
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        t.n1.rtnl.change("fe1", ns=namespace)
        os.close(namespace)
        os.write(answered, b"there")

    def work():
        os.write(asked, str(os.getpid()).encode())
        os.read(answer, 100)
        family = control.Raw(Here())
        index, port = next(iter(family.ports().items()))
        tap.equal(port["name"], "fe1", "the port")
        family.send(control.PORT_SET, attr(1, index) + attr(16, 9))
        family.refused(errno.EPERM, control.WIRE_SET, attr(1, wire) + attr(3, 1), at=0)
        family.refused(errno.EPERM, control.WIRE_SET, attr(1, wire), at=0)
        family.send(control.TRANSACTION_BEGIN)
        family.send(control.TRANSACTION_ADD, attr(2, [attr(1, index), attr(16, 10)]) +
                    attr(3, [attr(1, wire), attr(3, 1)]))
        family.refused(errno.EPERM, control.TRANSACTION_COMMIT, b"")
        port = family.ports()[index]
        tap.equal((port["pause-limit"], port["datapath"]), (9, 0), "limit and datapath")

    helper = threading.Thread(target=give)
    helper.start()
    try:
        user.as_user(work)
    finally:
        os.write(asked, b"0") if helper.is_alive() else None
        helper.join()


@tap.case("of the other end in another namespace: a number there and here, no name")
def other_end(t):
    # So that the numbers here are others than there.
    t.n0.rtnl.add_pair(net.KIND, {"name": "y"}, name="x")
    t.pair()
    ports = t.c1.ports()
    wire = t.c1.send(control.WIRE_GET, attr(1, next(iter(ports.values()))["wire"]))[0]
    for kind, body in rtnl.attrs(wire[4:]):
        if kind == 4:
            end = dict(rtnl.attrs(body))
            if genl.number(end[1]) == 0:
                tap.equal(sorted(end), [1, 2, 3], "attributes of the other end")
    index = t.n0.rtnl.get("fe0")["index"]
    tap.equal(index in ports, False, "the number there is a port here")
    t.c1.refused(errno.ENODEV, control.PORT_GET, attr(1, index), at=0)


@tap.case("no message holds an address of the kernel's")
def addresses(t):
    t.pair()
    for family in (t.c0, t.c1):
        for command in control.READS:
            for body in family.send(command, flags=rtnl.NLM_F_DUMP):
                for at in range(0, len(body) - 7, 4):
                    word = int.from_bytes(body[at:at + 8], "little")
                    if word >> 47 == 0x1FFFF and word != (1 << 64) - 1:
                        raise AssertionError(f"command {command}: {word:#x}")


def fork(work):
    """Runs the function in a child; what it raises is raised here."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.write(write, b"ok")
        except BaseException as error:
            os.write(write, repr(error).encode()[:4000])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    if said != b"ok":
        raise AssertionError(said.decode(errors="replace"))


tap.main(control.RawControl)
