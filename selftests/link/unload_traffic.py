#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The module goes and comes back while ports exist and carry traffic."""

import contextlib
import os
import select
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

NAME = net.KIND


def no_links(t):
    for namespace in t.n:
        left = [name for name, link in namespace.rtnl.links().items() if link["kind"] == NAME]
        tap.equal(left, [], f"ports in {namespace.name}")


@tap.case("unloaded and loaded again with nothing there")
def idle(_):
    with net.module() as path:
        for _ in range(3):
            net.run("rmmod", NAME)
            tap.equal(os.path.isdir(f"/sys/module/{NAME}"), False, "module there")
            net.run("insmod", path)


@tap.case("unloaded with ports up, down and in several namespaces")
def ports(t):
    with net.module() as path:
        net.make_pair(t.n0, {"name": "fa0"}, {"name": "fa1"})
        net.make_pair(t.n0, {"name": "fb0"}, {"name": "fb1", "ns": t.n1.fd})
        t.pair()
        net.run("rmmod", NAME)
        no_links(t)
        net.run("insmod", path)
        t.pair()
        t.ping()


@tap.case("unloaded under a flood in both directions, again and again")
def flood(t):
    with net.module() as path:
        for _ in range(net.rounds(4)):
            t.pair()
            with content.Flood(t.n0, *net.V4) as one, \
                    content.Flood(t.n1, *reversed(net.V4)) as other:
                net.wait_until(lambda: one.count > 200 and other.count > 200, "the floods")
                net.run("rmmod", NAME)
                no_links(t)
            net.run("insmod", path)
        t.pair()
        t.ping()


@tap.case("unloaded with open connections and their data under way")
def connections(t):
    with net.module() as path:
        t.pair()
        client, server = content.connect(t.n0, t.n1, *net.V4)
        with client, server:
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(1000):
                    client.send(bytes(65536))
            net.run("rmmod", NAME)
            no_links(t)
        net.run("insmod", path)
        t.pair()
        content.stream(t.n0, t.n1, *net.V4, 100000)


@tap.case("unloaded with packets unread: they are read, and sent again by the next module's")
def unread(t):
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(1000))
    with net.module() as path, contextlib.ExitStack() as stack:
        for _ in range(2):
            t.pair()
            at = stack.enter_context(t.n1.packet("fe1", frames.ETH_P_TEST))
            with t.n0.packet("fe0") as to:
                to.send(frame)
            net.wait_until(lambda at=at: select.select([at], [], [], 0)[0], "a frame")
            net.run("rmmod", NAME)
            net.run("insmod", path)
            # The device has gone.
            with contextlib.suppress(OSError):
                at.recv(2000)
            tap.equal(at.recv(2000), frame, "frame")


@tap.case("unloaded while others make and delete ports")
def race(t):
    """Making a port fails while the module is away, and works before and after."""
    with net.module() as path:
        running, errors = True, []

        def make(number):
            with t.n0:
                own = rtnl.Rtnl()
            while running:
                try:
                    own.add_pair(NAME, {"name": f"r{number}b"}, name=f"r{number}a")
                    own.change(f"r{number}a", up=True)
                    own.delete(f"r{number}b")
                except rtnl.NetlinkError:
                    continue
                except Exception as error:      # reported by the case, below
                    errors.append(error)
                    break
            own.close()

        threads = [threading.Thread(target=make, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(net.rounds(6)):
                # Fails while a request holds the module, as it should.
                net.wait_until(lambda: net.run("rmmod", NAME, check=False).returncode == 0,
                               "rmmod")
                net.run("insmod", path)
        finally:
            running = False
            for thread in threads:
                thread.join()
        tap.equal(errors, [], "errors")
        t.tidy()
        t.pair()
        t.ping()


tap.main(net.Topology)
