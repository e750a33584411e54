#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A user without any right makes ports in a user namespace of its own, and gets
no further than its own namespaces."""

import ctypes
import errno
import os
import socket
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

NOBODY = 65534


def unshare_user():
    """The calling process becomes root of a user and a network namespace that an
    ordinary user made."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    # Without this the process may not write its own maps: it has changed its user.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)      # PR_SET_DUMPABLE
    try:
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    except OSError as error:
        raise tap.Skip(f"no user namespaces for ordinary users: {error}") from None
    for file, text in (("setgroups", "deny"), ("uid_map", f"0 {NOBODY} 1"),
                       ("gid_map", f"0 {NOBODY} 1")):
        with open(f"/proc/self/{file}", "w") as out:
            out.write(text)


def as_user(function):
    """Runs the function in a child that has become such a root; what it raises is
    raised here."""
    parent, child = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        parent.close()
        try:
            unshare_user()
            function()
            child.sendall(b"ok")
        except tap.Skip as reason:
            child.sendall(b"skip" + str(reason).encode())
        except BaseException:
            child.sendall(b"fail" + traceback.format_exc().encode())
        os._exit(0)
    child.close()
    with parent:
        answer = b""
        while chunk := parent.recv(65536):
            answer += chunk
    os.waitpid(pid, 0)
    if answer.startswith(b"skip"):
        raise tap.Skip(answer[4:].decode())
    if answer != b"ok":
        raise AssertionError(answer.decode())


def refused(number, function):
    try:
        function()
    except OSError as error:
        tap.equal(error.errno, number, "error")
    else:
        raise AssertionError("was taken")


@tap.case("a pair made and used by an ordinary user")
def make(_):
    def work():
        with_rtnl = rtnl.Rtnl()
        with_rtnl.add_pair(net.KIND, {"name": "fe1", "address": net.MAC[1]}, name="fe0",
                           address=net.MAC[0])
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as one, \
                socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as other:
            for name in ("fe0", "fe1"):
                with_rtnl.change(name, up=True)
            for name in ("fe0", "fe1"):
                net.wait_until(lambda: with_rtnl.get(name)["operstate"] == 6, f"{name} running")
            one.bind(("fe0", 0))
            other.bind(("fe1", frames.ETH_P_TEST))
            other.settimeout(net.PATIENCE)
            frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, b"user" * 20)
            one.send(frame)
            tap.equal(other.recv(4000), frame, "frame")
        with_rtnl.delete("fe0")
        tap.equal(with_rtnl.exists("fe1"), False, "fe1 afterwards")

    as_user(work)


@tap.case("its ports go with it")
def vanish(_):
    def work():
        with_rtnl = rtnl.Rtnl()
        for number in range(3):
            with_rtnl.add_pair(net.KIND, {"name": f"b{number}"}, name=f"a{number}")
            with_rtnl.change(f"a{number}", up=True)

    as_user(work)


@tap.case("it can neither make an end elsewhere nor move one there")
def elsewhere(t):
    """The descriptor of the foreign namespace was opened by root."""
    def work():
        with_rtnl = rtnl.Rtnl()
        for own, peer in (({"name": "fe0"}, {"name": "fe1", "ns": t.n0.fd}),
                          ({"name": "fe0", "ns": t.n0.fd}, {"name": "fe1"})):
            refused(errno.EPERM, lambda: with_rtnl.add_pair(net.KIND, peer, **own))
        with_rtnl.add_pair(net.KIND, {"name": "fe1"}, name="fe0")
        refused(errno.EPERM, lambda: with_rtnl.change("fe1", ns=t.n0.fd))
        tap.equal(set(with_rtnl.links()), {"lo", "fe0", "fe1"}, "links")

    before = set(t.n0.rtnl.links())
    as_user(work)
    tap.equal(set(t.n0.rtnl.links()), before, "links of the foreign namespace")


@tap.case("root gives it one end, and it uses, renames and deletes that end")
def given(t):
    """The other end, in a namespace of root's, goes with it as it must."""
    ready, go = os.pipe(), os.pipe()

    def work():
        os.write(ready[1], b"%d" % os.getpid())
        os.read(go[0], 1)
        with_rtnl = rtnl.Rtnl()
        with_rtnl.change("fe1", up=True)
        with_rtnl.change("fe1", name="mine")
        tap.equal(with_rtnl.get("mine")["carrier"], True, "carrier")
        with_rtnl.delete("mine")

    def serve():
        os.close(ready[1])
        os.close(go[0])
        pid = os.read(ready[0], 20)
        if not pid:         # the user got no namespace
            return
        try:
            net.make_pair(t.n0, {"name": "fe0"}, {"name": "fe1", "extra": [
                rtnl.attr(rtnl.IFLA_NET_NS_PID, int(pid))]})
            t.n0.rtnl.change("fe0", up=True)
        finally:
            os.write(go[1], b"x")

    server = os.fork()
    if server == 0:
        status = 1
        try:
            serve()
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    try:
        as_user(work)
    finally:
        for end in ready + go:
            os.close(end)
        tap.equal(os.waitpid(server, 0)[1], 0, "status of the server")
    tap.equal(t.n0.rtnl.exists("fe0"), False, "fe0 afterwards")


tap.main(net.Topology)
