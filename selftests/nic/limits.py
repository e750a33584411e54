#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""User namespaces: caps on ports and on memory in rings, refused with a reason,
given back when ports go."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
import user     # noqa: E402


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
        if made < 8 or error is None:
            raise AssertionError(f"{made} pairs, then {error}")
        if not error.text:
            raise AssertionError(f"no reason given: {error}")
        print(f"# {made} pairs, then {error}", flush=True)
        # What goes is given back.
        link.delete("a0")
        link.add_pair(net.KIND, {"name": "again1"}, name="again0")

    user.as_user(work)


@tap.case("memory in rings is capped too, and a refused port still works")
def memory(_):
    def work():
        import ethnl
        link = rtnl.Rtnl()

        class Here:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

        errors = []
        for number in range(40):
            name = f"a{number}"
            try:
                link.add_pair(net.KIND, {"name": f"b{number}"}, name=name)
                tool = ethnl.Ethtool(Here(), name)
                try:
                    tool.set(ethnl.CHANNELS, combined=64)
                    tool.set(ethnl.RINGS, rx=8192, tx=8192)
                    link.change(name, up=True)
                finally:
                    tool.close()
            except rtnl.NetlinkError as error:
                errors.append(error)
                break
        if not errors:
            raise AssertionError("no cap found")
        if not errors[0].text:
            raise AssertionError(f"no reason given: {errors[0]}")
        print(f"# refused at port {number}: {errors[0]}", flush=True)

    user.as_user(work)


@tap.case("root's own ports are not counted against it")
def root(t):
    made, error = fill(t.n0.rtnl, 100)
    if error:
        raise AssertionError(f"{made} pairs, then {error}")


tap.main(nic.Pair)
