# SPDX-License-Identifier: GPL-2.0
"""Two namespaces with a router between them, and chains in all three.

       ns0                         router                         ns1
      +------------------+   +--------------------+   +------------------+
      | fe0              |   | re0            re1 |   |              fe1 |
      | 192.168.241.1/24 +---+ .241.254  .242.254 +---+ 192.168.242.1/24 |
      | fd00:241::1/64   |   |  ::fe        ::fe  |   |   fd00:242::1/64 |
      +------------------+   +--------------------+   +------------------+
"""

import frames
import hooks
import net
import rtnl

V4 = ("192.168.241.1", "192.168.242.1")
V6 = ("fd00:241::1", "fd00:242::1")
GATE4 = ("192.168.241.254", "192.168.242.254")
GATE6 = ("fd00:241::fe", "fd00:242::fe")
MAC = ("02:fe:00:00:00:11", "02:fe:00:00:00:12")
GATES = ("re0", "re1")
HANDOFF = [rtnl.attr(2, 1)] if net.KIND == "ferronic" else []


class Router(hooks.Topology):
    """ns0, ns1 and the router, joined by `route()` in each case."""

    target = {4: V4[1], 6: V6[1]}
    source = {4: V4[0], 6: V6[0]}

    def __enter__(self):
        super().__enter__()
        try:
            router = net.Namespace("router")
            self.n.append(router)
            self.stack.callback(router.close)
            self.hr = hooks.Hooks(router)
            self.stack.callback(self.hr.close)
            for name in ("ipv6/conf/default/accept_dad", "ipv6/conf/default/router_solicitations"):
                router.sysctl(f"net/{name}", 0)
            router.rtnl.change("lo", up=True)
            router.sysctl("net/ipv4/ip_forward", 1)
            router.sysctl("net/ipv6/conf/all/forwarding", 1)
        except BaseException:
            self.stack.close()
            raise
        return self

    @property
    def router(self):
        return self.n[2]

    def tidy(self):
        self.hr.clear()
        super().tidy()

    def route(self, info=(), queues=None):
        """Makes the two pairs, and routes between their outer ends.  With one queue
        nothing overtakes anything."""
        queues = {"txq": queues, "rxq": queues} if queues else net.QUEUES
        for end in (0, 1):
            own, peer = (net.NAME0, net.NAME1)[end], GATES[end]
            net.make_pair(self.n[end], {"name": own, "address": net.MAC[end], **queues},
                          {"name": peer, "address": MAC[end], "ns": self.router.fd, **queues},
                          info=info)
            for namespace, name, four, six in ((self.n[end], own, V4[end], V6[end]),
                                               (self.router, peer, GATE4[end], GATE6[end])):
                namespace.rtnl.change(name, up=True)
                namespace.rtnl.add_address(name, four, 24)
                namespace.rtnl.add_address(name, six, 64)
            net.running(self.n[end], own)
            net.running(self.router, peer)
            self.n[end].ip("route", "add", "default", "via", GATE4[end])
            self.n[end].ip("-6", "route", "add", "default", "via", GATE6[end])
        hooks.patient(self.h0, self.hr, self.h1)
        for namespace, address in ((self.n0, V6[0]), (self.n1, V6[1]), (self.router, GATE6[0]),
                                   (self.router, GATE6[1])):
            namespace.wait_local(address)
        self.acquaint()

    def acquaint(self):
        """Has neighbours know each other: while the core sends what has waited for that, what
        comes then overtakes it."""
        for family in (4, 6):
            with hooks.Datagrams(self, family, port=4999) as udp:
                udp.send(b"first")
                udp.receive(1)

    def index(self, end):
        """Number of the router's device on that side."""
        return self.router.rtnl.get(GATES[end])["index"]

    def frame(self, proto, payload, vlans=()):
        """A frame from ns0 to the router."""
        return frames.ether(MAC[0], net.MAC[0], proto, payload, vlans)
