#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sending without copying in the stack: completions come from the sender's NAPI,
and none says that the data was copied after all; but where packets are handed
off, all was copied before anybody at the other end could see it."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

INFO_DATAPATH, HANDOFF = 2, 1
SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000


@tap.case("TCP: every send completes, none was copied, the data is right")
def tcp(t):
    t.nics()
    for addresses in (net.V4, net.V6):
        client, server = content.connect(t.n0, t.n1, *addresses)
        with client, server:
            client.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
            codes = set()
            for number in range(20):
                data = content.randbytes(number, 60000)
                sent = client.send(data, MSG_ZEROCOPY)
                content.same(content.receive_exactly(server, sent), data[:sent], "data")
                codes |= content.completions(client, 1)
            tap.equal(codes, {0}, "codes")


@tap.case("UDP: the same")
def udp(t):
    t.nics()
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        taker.bind((net.V4[1], 5007))
        sender.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
        for number in range(20):
            data = content.randbytes(number, 1400)
            sender.sendto(data, MSG_ZEROCOPY, (net.V4[1], 5007))
            content.same(taker.recv(4000), data, "data")
            tap.equal(content.completions(sender, 1), {0}, "code")


@tap.case("handed off to a socket or to another device: completions say copied")
def handed_off(t):
    for redirected in (False, True):
        t.nics(info=[rtnl.attr(INFO_DATAPATH, HANDOFF)])
        if redirected:
            t.n0.ip("neigh", "replace", net.V4[1], "lladdr", net.MAC[1], "dev", "fe0", "nud",
                    "permanent")
            t.n1.ip("link", "add", "dummy0", "up", "type", "dummy")
            t.n1.tc("qdisc", "add", "dev", "fe1", "clsact")
            t.n1.tc("filter", "add", "dev", "fe1", "ingress", "matchall", "action", "mirred",
                    "egress", "redirect", "dev", "dummy0")
        with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
                t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
            taker.bind((net.V4[1], 5007))
            sender.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
            data = content.randbytes(1, 1400)
            sender.sendto(data, MSG_ZEROCOPY, (net.V4[1], 5007))
            if not redirected:
                content.same(taker.recv(4000), data, "data")
            tap.equal(content.completions(sender, 1), {content.SO_EE_CODE_ZEROCOPY_COPIED}, "code")
        t.tidy()


@tap.case("sendfile and splice arrive whole")
def sendfile(t):
    t.nics()
    data = content.randbytes(1, 300000)
    file = os.memfd_create("data")
    try:
        os.write(file, data)
        client, server = content.connect(t.n0, t.n1, *net.V4)
        with client, server:
            server.settimeout(net.PATIENCE)
            client.setblocking(True)
            at, got = 0, b""
            while at < len(data):
                sent = os.sendfile(client.fileno(), file, at, 50000)
                got += content.receive_exactly(server, sent)
                at += sent
            content.same(got, data, "data")
    finally:
        os.close(file)


tap.main(nic.Pair)
