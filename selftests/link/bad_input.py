#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Requests that cannot be met: a clear error, a text that names the field, and
nothing left behind."""

import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

NOBODY = 65534


def links(t):
    return set(t.n0.rtnl.links()), set(t.n1.rtnl.links())


def refused(t, numbers, words, own=None, peer=None, info=(), request=None):
    """Making the pair must fail with one of `numbers` and a text that holds one
    of `words`, and leave both namespaces as they were."""
    before = links(t)
    try:
        if request:
            request()
        else:
            net.make_pair(t.n0, own or {"name": "fe0"}, peer, info=info)
    except rtnl.NetlinkError as error:
        if error.errno not in numbers:
            raise AssertionError(f"error {error}, want one of "
                                 f"{[errno.errorcode[n] for n in numbers]}") from None
        if words and not any(word in error.text.lower() for word in words):
            raise AssertionError(f"the text {error.text!r} names none of {words}") from None
        tap.note(error)
    else:
        raise AssertionError("was taken")
    tap.equal(links(t), before, "links")


@tap.case("an attribute nobody knows")
def unknown_attribute(t):
    for kind in (30, 50):
        refused(t, [errno.EINVAL, errno.EOPNOTSUPP], ["unknown", "reject", "unsupported", "attr"],
                info=[rtnl.attr(kind, 1)])


@tap.case("a peer attribute too short for its header")
def short_peer(t):
    for data in (b"", b"x" * 15):
        refused(t, [errno.EINVAL, errno.ERANGE], [], info=[rtnl.attr(rtnl.INFO_PEER, data)])


@tap.case("a peer attribute full of rubbish")
def rubbish_peer(t):
    body = rtnl.ifinfo() + rtnl.attr(rtnl.IFLA_MTU, b"\1")
    refused(t, [errno.EINVAL, errno.ERANGE], [], info=[rtnl.attr(rtnl.INFO_PEER, body)])


@tap.case("own name taken")
def own_name(t):
    t.pair(up=False)
    refused(t, [errno.EEXIST], [], {"name": "fe0"}, {"name": "fx1"})


@tap.case("the peer's name taken: the first half goes too")
def peer_name(t):
    t.pair(up=False)
    refused(t, [errno.EEXIST], ["name"], {"name": "fx0"}, {"name": "fe0"})
    refused(t, [errno.EEXIST], ["name"], {"name": "fx0"}, {"name": "fe1", "ns": t.n1.fd})


@tap.case("both ends of one name in one namespace")
def same_name(t):
    refused(t, [errno.EEXIST], [], {"name": "fx0"}, {"name": "fx0"})


@tap.case("a name that is none")
def bad_name(t):
    for name in ("a/b", "..", "a b"):
        refused(t, [errno.EINVAL], [], {"name": name}, {"name": "fx1"})
        refused(t, [errno.EINVAL], [], {"name": "fx0"}, {"name": name})


@tap.case("an MTU out of range, at either end")
def mtu(t):
    for value in (0, 67, 65536, 0xFFFFFFFF):
        refused(t, [errno.EINVAL], ["mtu"], {"name": "fe0", "mtu": value})
        refused(t, [errno.EINVAL], ["mtu"], {"name": "fe0"}, {"name": "fe1", "mtu": value})


@tap.case("queue counts of zero or beyond any limit, at either end")
def queue_count(t):
    for count in (0, 257, 4097, 0xFFFFFFFF):
        for key in ("txq", "rxq"):
            refused(t, [errno.EINVAL], ["queue"], {"name": "fe0", key: count})
            refused(t, [errno.EINVAL], ["queue"], {"name": "fe0"}, {"name": "fe1", key: count})


@tap.case("an address that no port may have, at either end")
def address(t):
    for value in ("01:00:5e:00:00:01", "00:00:00:00:00:00"):
        refused(t, [errno.EADDRNOTAVAIL], ["address"], {"name": "fe0", "address": value})
        refused(t, [errno.EADDRNOTAVAIL], ["address"], {"name": "fe0"},
                {"name": "fe1", "address": value})


@tap.case("an address of the wrong length, at either end")
def address_length(t):
    short = [rtnl.attr(rtnl.IFLA_ADDRESS, b"\2\1\1\1\1")]
    refused(t, [errno.EINVAL], [], {"name": "fe0", "extra": short})
    refused(t, [errno.EINVAL], [], {"name": "fe0"}, {"name": "fe1", "extra": short})


@tap.case("a namespace that is none")
def bad_namespace(t):
    with open("/dev/null", "rb") as file:
        refused(t, [errno.EINVAL], [], {"name": "fe0"}, {"name": "fe1", "ns": file.fileno()})
    refused(t, [errno.EBADF, errno.EINVAL], [], {"name": "fe0"}, {"name": "fe1", "ns": 9999})


@tap.case("no right to make a link")
def no_permission(t):
    os.seteuid(NOBODY)
    try:
        refused(t, [errno.EPERM], [], {"name": "fe0"}, {"name": "fe1"})
    finally:
        os.seteuid(0)


@tap.case("the carrier cannot be set from outside")
def read_only(t):
    t.pair(up=False)
    refused(t, [errno.EOPNOTSUPP], [], request=lambda: t.n0.rtnl.change(
        "fe0", extra=[rtnl.attr(rtnl.IFLA_CARRIER, b"\0")]))


@tap.case("the kind's data cannot be changed later")
def no_change(t):
    t.pair(up=False)
    data = [rtnl.attr(rtnl.INFO_PEER, rtnl.ifinfo() + rtnl.attr(rtnl.IFLA_IFNAME, "fx1"))]
    info = rtnl.attr(rtnl.IFLA_LINKINFO, [rtnl.attr(rtnl.IFLA_INFO_KIND, net.KIND),
                                          rtnl.attr(rtnl.IFLA_INFO_DATA, data)])
    body = rtnl.ifinfo(t.n0.rtnl.get("fe0")["index"]) + info
    refused(t, [errno.EOPNOTSUPP], [], request=lambda: t.n0.rtnl.request(
        rtnl.RTM_NEWLINK, 0, body))


@tap.case("after all of it a pair can be made and works")
def still_works(t):
    t.pair()
    t.ping()


tap.main(net.Topology)
