# SPDX-License-Identifier: GPL-2.0
"""The control family by the kernel's own client of netlink specifications, which
interprets the specification, and by messages put together by hand."""

import contextlib
import errno
import functools
import os
import select
import socket
import struct
import sys

import yaml

import genl
import net
import rtnl
import tap

SPEC = f"{net.REPOSITORY}/Documentation/netlink/specs/ferronic.yaml"
BUILT = f"{net.REPOSITORY}/build/{os.uname().release}/selftests"
CLIENT = f"{BUILT}/ynl-client"
PYYNL = f"{BUILT}/kernel/tools/net/ynl/pyynl"
if not os.path.isdir(PYYNL):
    PYYNL = "/nowhere"

(PORT_GET, PORT_SET, PORT_ADD_NTF, PORT_DEL_NTF, PORT_CHANGE_NTF, WIRE_GET, CHANNEL_GET,
 STAGE_GET, STATS_RESET, WIRE_SET, TRANSACTION_BEGIN, TRANSACTION_ADD, TRANSACTION_COMMIT,
 TRANSACTION_ABORT, CHAIN_GET, CHAIN_ADD, CHAIN_SET, CHAIN_DEL, RULE_GET, RULE_ADD, RULE_REPLACE,
 RULE_DEL, RULE_RESET, PACKET_NTF, CHAIN_ADD_NTF, CHAIN_DEL_NTF, CHAIN_CHANGE_NTF,
 CHAIN_RULES_NTF, RULE_ADD_NTF, RULE_DEL_NTF, RULE_CHANGE_NTF, SAMPLING_GET, SAMPLING_SET,
 LATENCY_GET, LATENCY_RESET) = range(1, 36)
LAST = LATENCY_RESET
# What anybody reads, and what only those do who may change it: the rules are a firewall's.
OPEN_READS = (PORT_GET, WIRE_GET, CHANNEL_GET, STAGE_GET, SAMPLING_GET, LATENCY_GET)
GUARDED_READS = (CHAIN_GET, RULE_GET)
READS = OPEN_READS + GUARDED_READS
CHANGES = (PORT_SET, STATS_RESET, WIRE_SET, TRANSACTION_BEGIN, TRANSACTION_ADD,
           TRANSACTION_COMMIT, TRANSACTION_ABORT, CHAIN_ADD, CHAIN_SET, CHAIN_DEL, RULE_ADD,
           RULE_REPLACE, RULE_DEL, RULE_RESET, SAMPLING_SET, LATENCY_RESET)

# Attributes: port, channel and stage begin with an ifindex.
IFINDEX, GENERATION, NAME = 1, 2, 3
PORT_PAUSE_LIMIT, CHANNEL_INDEX, CHANNEL_RX_RING, STAGE_DIRECTION, STAGE_STAGE, WIRE_ID = \
    16, 2, 8, 2, 3, 1

NOTIFICATIONS = {PORT_ADD_NTF: "add", PORT_DEL_NTF: "del", PORT_CHANGE_NTF: "change"}

STAGES = [("tx", "post"), ("tx", "segment"), ("tx", "checksum"), ("tx", "wire"),
          ("rx", "wire"), ("rx", "deliver"), ("rx", "receive")]


@functools.cache
def specification():
    with open(SPEC, encoding="utf-8") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


@functools.cache
def names(space):
    """The attributes of a set, in their order."""
    sets = {one["name"]: one for one in specification()["attribute-sets"]}
    return tuple(attribute["name"] for attribute in sets[space]["attributes"])


def entries(enumeration):
    """The names of an enumeration's values, in their order."""
    sets = {one["name"]: one for one in specification()["definitions"]}
    return tuple(entry if isinstance(entry, str) else entry["name"]
                 for entry in sets[enumeration]["entries"])


def operations():
    """Names of commands and notifications."""
    return {operation["name"] for operation in specification()["operations"]["list"]}


def requests():
    """What the specification says of requests: (number of the command, flags) -> what a request
    may have, by name: (number of the attribute, its type)."""
    family = specification()
    sets = {space["name"]: {one["name"]: (number, one.get("type"))
                            for number, one in enumerate(space["attributes"], 1)}
            for space in family["attribute-sets"]}
    return {(number, flags): {name: sets[operation["attribute-set"]][name]
                              for name in operation[mode].get("request", {}).get("attributes", ())}
            for number, operation in enumerate(family["operations"]["list"], 1)
            for mode, flags in (("do", 0), ("dump", rtnl.NLM_F_DUMP)) if mode in operation}


def ynl():
    """The kernel's library."""
    if PYYNL not in sys.path:
        sys.path.insert(0, PYYNL)
    try:
        import lib
    except ImportError as error:
        raise tap.Skip(f"the kernel's netlink client: {error}") from None
    return lib


class Family:
    """The family in one namespace, by the kernel's client."""

    def __init__(self, namespace, group=None):
        with namespace:
            self.client = ynl().YnlFamily(SPEC, schema="")
        self.namespace = namespace
        if group:
            self.client.ntf_subscribe(group)

    def close(self):
        self.client.sock.close()

    def do(self, name, **attributes):
        return self.client.do(name, {key.replace("_", "-"): v for key, v in attributes.items()})

    def dump(self, name, **attributes):
        return self.client.dump(name, {key.replace("_", "-"): v for key, v in attributes.items()})

    def port(self, name):
        """A port, by name."""
        return self.do("port-get", ifindex=self.namespace.rtnl.get(name)["index"])

    def stages(self, name):
        """What the stages of a port have counted: (direction, stage) -> counters."""
        found = self.dump("stage-get", ifindex=self.namespace.rtnl.get(name)["index"])
        out = {}
        for stage in found:
            stage["drop"] = {d["reason"]: d["frames"] for d in stage.get("drop", [])}
            out[stage["direction"], stage["stage"]] = stage
        return out

    def refused(self, number, name, *, bad=None, missing=None, **attributes):
        """The request must fail with that error, and point to that attribute."""
        try:
            answer = self.do(name, **attributes)
        except ynl().NlError as error:
            extack = error.nl_msg.extack or {}
            tap.equal(errno.errorcode[error.error], errno.errorcode[number], f"{name}: error")
            tap.equal(extack.get("bad-attr"), bad and f".{bad}", f"{name}: bad attribute")
            tap.equal(extack.get("miss-type"), missing, f"{name}: missing attribute")
            if not extack.get("msg"):
                raise AssertionError(f"{name} {attributes}: refused without a word") from None
        else:
            raise AssertionError(f"{name} {attributes}: was taken: {answer}")

    def events(self):
        """The notifications that have come, in their order."""
        self.client.check_ntf()
        found = []
        while not self.client.async_msg_queue.empty():
            found.append(self.client.async_msg_queue.get())
        return found


def picture(body):
    """A port, from the attributes of a message."""
    port = {}
    for kind, value in rtnl.attrs(body):
        name = names("port")[kind - 1]
        port[name] = value.rstrip(b"\0").decode() if name == "name" else \
            genl.number(value) if value else True
    return port


class Events:
    """The notifications of a namespace, as (what, port)."""

    def __init__(self, family, buffer=1 << 22, group="mgmt"):
        with family.namespace:
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, genl.NETLINK_GENERIC)
        # An ordinary user gets what there is.
        with contextlib.suppress(PermissionError):
            self.socket.setsockopt(socket.SOL_SOCKET, 33, buffer)   # SO_RCVBUFFORCE
        self.socket.bind((0, 0))
        self.socket.setsockopt(rtnl.SOL_NETLINK, rtnl.NETLINK_ADD_MEMBERSHIP,
                               family.groups[group])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def come(self):
        """Those that have come."""
        found = []
        while select.select([self.socket], [], [], 0)[0]:
            data, at = self.socket.recv(1 << 16), 0
            while at + 20 <= len(data):
                size, _, _, _, _, command = struct.unpack_from("=IHHIIB", data, at)
                found.append(self.read(command, data[at + 20:at + size]))
                at += (size + 3) & ~3
        return found

    def read(self, command, body):
        """What a notification says."""
        return NOTIFICATIONS[command], picture(body)

    def until(self, condition, what):
        """Those that come until one fulfils the condition."""
        found = []
        net.wait_until(lambda: found.extend(self.come()) or any(condition(*e) for e in found), what)
        return found


class Raw(genl.Family):
    """The family in one namespace, by messages put together by hand."""

    def __init__(self, namespace, room=1 << 18):
        super().__init__(namespace, "ferronic", room)
        self.namespace = namespace

    def send(self, command, body=b"", flags=0, header=None):
        """Sends a request as it is; returns the answers or raises NetlinkError."""
        header = struct.pack("=BBH", command, 1, 0) if header is None else header
        return self.link.request(self.family, flags, header + body)

    def refused(self, number, command, body, *, at=None, missing=None, nest=None, flags=0,
                header=None, silent=False):
        """The request must fail; `at` is the place in the attributes it has to point to,
        `nest` that of the attribute in which one is missing."""
        try:
            self.send(command, body, flags, header)
        except rtnl.NetlinkError as error:
            tap.equal(errno.errorcode[error.errno], errno.errorcode[number], "error")
            want = None if at is None else 20 + at
            inside = None if nest is None else 20 + nest
            tap.equal((error.offset, error.missing, error.nest), (want, missing, inside),
                      f"'{error.text}': place")
            if not (error.text or silent):
                raise AssertionError("refused without a word") from None
        else:
            raise AssertionError("was taken")

    def ports(self):
        """The ports by number, of a dump that was not interrupted."""
        while True:
            found, whole = [], True
            for flags, body in self.parts(PORT_GET):
                whole = whole and not flags & rtnl.NLM_F_DUMP_INTR
                if body is not None:
                    found.append(picture(body[4:]))
            if whole:
                return {port["ifindex"]: port for port in found}

    def dump(self, command, *attributes):
        """The attributes of each message of a dump, and whether it was interrupted."""
        found, whole = [], True
        for flags, body in self.parts(command, b"".join(attributes)):
            whole = whole and not flags & rtnl.NLM_F_DUMP_INTR
            if body is not None:
                found.append(dict(rtnl.attrs(body[4:])))
        return found, whole

    def parts(self, command, body=b""):
        """The messages of a dump as they come; the last one without a body."""
        self.link.sequence += 1
        message = struct.pack("=BBH", command, 1, 0) + body
        self.link.socket.send(struct.pack("=IHHII", 16 + len(message), self.family,
                                          rtnl.NLM_F_REQUEST | rtnl.NLM_F_DUMP,
                                          self.link.sequence, 0) + message)
        while True:
            for kind, flags, sequence, body in self.link.receive():
                if sequence != self.link.sequence:
                    continue
                if kind in (rtnl.NLMSG_ERROR, rtnl.NLMSG_DONE):
                    number = struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
                    if number < 0:
                        raise OSError(-number, os.strerror(-number))
                    yield flags, None
                    return
                yield flags, body


class Control(net.Topology):
    """The two namespaces, and the family in both."""

    def __enter__(self):
        if net.KIND != "ferronic":
            raise tap.Skip(f"about ferronic, not {net.KIND}")
        super().__enter__()
        try:
            self.c0 = Family(self.n0, "mgmt")
            self.stack.callback(self.c0.close)
            self.c1 = Family(self.n1, "mgmt")
            self.stack.callback(self.c1.close)
        except BaseException:
            self.stack.close()
            raise
        return self

    def tidy(self):
        super().tidy()
        for family in (self.c0, self.c1):
            family.events()


class RawControl(net.Topology):
    """The two namespaces, and the family in both by hand: without an interpreter of
    specifications, which takes seconds to start where instructions are emulated."""

    def __enter__(self):
        if net.KIND != "ferronic":
            raise tap.Skip(f"about ferronic, not {net.KIND}")
        super().__enter__()
        with contextlib.ExitStack() as stack:
            stack.callback(self.stack.close)
            self.c0, self.c1 = Raw(self.n0), Raw(self.n1)
            self.stack.callback(self.c0.close)
            self.stack.callback(self.c1.close)
            stack.pop_all()
        return self
