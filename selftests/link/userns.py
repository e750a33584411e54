#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A user without any right makes ports in a user namespace of its own, and gets
no further than its own namespaces."""

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
import user     # noqa: E402


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

    user.as_user(work)


@tap.case("its ports go with it")
def vanish(_):
    def work():
        with_rtnl = rtnl.Rtnl()
        for number in range(3):
            with_rtnl.add_pair(net.KIND, {"name": f"b{number}"}, name=f"a{number}")
            with_rtnl.change(f"a{number}", up=True)

    user.as_user(work)


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
    user.as_user(work)
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
        user.as_user(work)
    finally:
        for end in ready + go:
            os.close(end)
        tap.equal(os.waitpid(server, 0)[1], 0, "status of the server")
    tap.equal(t.n0.rtnl.exists("fe0"), False, "fe0 afterwards")


tap.main(net.Topology)
