#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every command of the control family, against what ip and ethtool say."""

import errno
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

DATAPATH = 2


def handoff(t):
    """A pair on the other datapath."""
    return t.pair(info=[rtnl.attr(DATAPATH, 1)])


@tap.case("port-get: as ip and ethtool say")
def port(t):
    links = t.pair()
    tools = [ethnl.Ethtool(ns, name) for ns, name in ((t.n0, "fe0"), (t.n1, "fe1"))]
    tools[0].set(ethnl.RINGS, rx=256, tx=128)
    tools[0].set(ethnl.CHANNELS, combined=2)
    t.n0.rtnl.change("fe0", mtu=2000)
    for family, name, link, other, tool, end, elsewhere in (
            (t.c0, "fe0", links[0], links[1], tools[0], "a", t.n1),
            (t.c1, "fe1", links[1], links[0], tools[1], "b", t.n0)):
        port = family.port(name)
        rings, channels = tool.get(ethnl.RINGS), tool.get(ethnl.CHANNELS)
        want = {"ifindex": link["index"], "name": name, "end": end, "datapath": "nic",
                "peer-ifindex": other["index"], "up": True, "carrier": True,
                "mtu": 2000 if name == "fe0" else 1500, "channels": channels["combined"],
                "channels-max": channels["combined_max"], "tx-ring": rings["tx"],
                "rx-ring": rings["rx"], "pause-limit": 100}
        tap.equal({key: port.get(key) for key in want}, want, name)
        numbers = json.loads(family.namespace.ip("-j", "netns", "list-id"))
        numbers = {one["nsid"]: one.get("name") for one in numbers}
        tap.equal(numbers[port["peer-netnsid"]], elsewhere.name, "netnsid")
        tap.equal(family.dump("port-get"), [port], "dump")
    tap.equal(t.c0.port("fe0")["wire"], t.c1.port("fe1")["wire"], "wire")
    for tool in tools:
        tool.close()


@tap.case("port-get: both ends in one namespace have no netnsid")
def together(t):
    t.n0.rtnl.add_pair(net.KIND, {"name": "b"}, name="a")
    found = {port["name"]: port for port in t.c0.dump("port-get")}
    tap.equal(found["a"]["peer-ifindex"], found["b"]["ifindex"], "a's peer")
    tap.equal(found["b"]["peer-ifindex"], found["a"]["ifindex"], "b's peer")
    tap.equal(["peer-netnsid" in port for port in found.values()], [False, False], "netnsid")
    tap.equal([key in found["a"] for key in ("up", "carrier")], [False, False], "down")


@tap.case("port-set: a pause limit, which a sender then keeps to")
def pause_limit(t):
    """A receiver without buffers stops the sender for as long as the limit says."""
    t.pair(quiet=True)
    index = t.n0.rtnl.get("fe0")["index"]
    for limit in (1, 4000, 20):
        t.c0.do("port-set", ifindex=index, pause_limit=limit)
        tap.equal(t.c0.port("fe0")["pause-limit"], limit, "limit")
    tap.equal(t.c1.port("fe1")["pause-limit"], 100, "limit of the other end")
    for ns, name in ((t.n0, "fe0"), (t.n1, "fe1")):
        tool = ethnl.Ethtool(ns, name)
        tool.set(ethnl.CHANNELS, combined=1)
        tool.set(ethnl.RINGS, rx=64, tx=64)
        tool.close()
    # The receiver's NAPI is deferred for an hour once it has polled.
    netdev = genl.Netdev(t.n1)
    napi = next(iter(netdev.napis(t.n1.rtnl.get("fe1")["index"])))
    netdev.napi_set(napi, defer_hard_irqs=1 << 30, gro_flush_timeout=3600 * 10**9)
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
    with t.n0.packet("fe0") as sender:
        before = t.c0.stages("fe0")["tx", "wire"]
        sender.send(frame)
        net.wait_until(lambda: t.n1.rtnl.stats("fe1")["rx_packets"], "the first poll")
        sender.setblocking(False)
        for _ in range(5000):
            if t.c0.stages("fe0")["tx", "wire"]["drop"]["pause-expired"]:
                break
            try:
                sender.send(frame)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
                    raise
        after = t.c0.stages("fe0")["tx", "wire"]
    netdev.napi_set(napi, defer_hard_irqs=0, gro_flush_timeout=0)
    netdev.close()
    if after["waits"] <= before["waits"] or not after["drop"]["pause-expired"]:
        raise AssertionError(f"no pause ended: {before}, then {after}")


@tap.case("port-set: nothing to set changes nothing")
def nothing(t):
    t.pair()
    before = t.c0.port("fe0")
    t.c0.events()
    t.c0.do("port-set", ifindex=before["ifindex"])
    t.c0.do("port-set", ifindex=before["ifindex"], pause_limit=100)
    tap.equal(t.c0.port("fe0"), before, "port")
    tap.equal(t.c0.events(), [], "notifications")


@tap.case("port-set: refused on a wire where nobody pauses")
def no_pause(t):
    handoff(t)
    port = t.c0.port("fe0")
    tap.equal((port["datapath"], "pause-limit" in port), ("handoff", False), "port")
    t.c0.refused(errno.EOPNOTSUPP, "port-set", bad="pause-limit", ifindex=port["ifindex"],
                 pause_limit=10)


@tap.case("wire-get: both ends, as each namespace sees them")
def wire(t):
    links = t.pair()
    for family, name, own, other in ((t.c0, "fe0", links[0], links[1]),
                                     (t.c1, "fe1", links[1], links[0])):
        port = family.port(name)
        wire = family.do("wire-get", id=port["wire"])
        tap.equal(family.dump("wire-get"), [wire], "dump")
        tap.equal([end["end"] for end in wire["port"]], ["a", "b"], "ends")
        here, there = (wire["port"] if name == "fe0" else wire["port"][::-1])
        tap.equal((here["ifindex"], here["name"], "netnsid" in here),
                  (own["index"], name, False), "own end")
        tap.equal((there["ifindex"], there["netnsid"], "name" in there),
                  (other["index"], port["peer-netnsid"], False), "other end")
        tap.equal((wire["id"], wire["datapath"]), (port["wire"], "nic"), "wire")


@tap.case("wire-get: a wire within a namespace is told once, with both names")
def wire_within(t):
    t.n0.rtnl.add_pair(net.KIND, {"name": "b"}, name="a")
    t.n0.rtnl.add_pair(net.KIND, {"name": "d"}, name="c")
    wires = t.c0.dump("wire-get")
    tap.equal([[end["name"] for end in wire["port"]] for wire in wires],
              [["a", "b"], ["c", "d"]], "names")
    tap.equal(len({wire["id"] for wire in wires}), 2, "numbers")


@tap.case("wire-set: the datapath, with ports down and up; both namespaces are told")
def wire_set(t):
    t.pair(up=False)
    number = t.c0.port("fe0")["wire"]
    for datapath, limit in (("handoff", None), ("nic", 100), ("handoff", None)):
        for family in (t.c0, t.c1):
            family.events()
        t.c1.do("wire-set", id=number, datapath=datapath)
        for family, name in ((t.c0, "fe0"), (t.c1, "fe1")):
            told = [one["msg"] for one in family.events()]
            tap.equal([(one["name"], one["datapath"], one.get("pause-limit")) for one in told],
                      [(name, datapath, limit)], "notifications")
            tap.equal(family.port(name), told[0], "port-get")
            tap.equal(family.do("wire-get", id=number)["datapath"], datapath, "wire-get")
        t.c0.do("wire-set", id=number, datapath=datapath)
        t.c0.do("wire-set", id=number)
        tap.equal(t.c0.events(), [], "notifications of no change")
        for index, namespace in enumerate((t.n0, t.n1)):
            namespace.rtnl.change(f"fe{index}", up=True)
            if not namespace.ip("-4", "addr", "show", "dev", f"fe{index}"):
                namespace.rtnl.add_address(f"fe{index}", net.V4[index], 24)
        t.ready()
        t.ping(count=5)
        channel = t.c0.dump("channel-get")[0]
        tap.equal("rx-ring" in channel, datapath == "nic", "receive ring")
        for family in (t.c0, t.c1):
            family.events()
        other = "nic" if datapath == "handoff" else "handoff"
        for now in (other, datapath):
            t.c0.do("wire-set", id=number, datapath=now)
            for family, name in ((t.c0, "fe0"), (t.c1, "fe1")):
                tap.equal([(one["msg"]["name"], one["msg"]["datapath"], one["msg"]["carrier"])
                           for one in family.events()], [(name, now, True)], "notifications")
            t.ping()
        for index, namespace in enumerate((t.n0, t.n1)):
            namespace.rtnl.change(f"fe{index}", up=False)


@tap.case("transaction: every command, by names of the specification")
def transaction(t):
    t.pair(up=False)
    port = t.c0.port("fe0")
    generation = t.c0.do("transaction-begin")["generation"]
    tap.equal(generation, port["generation"], "generation")
    t.c0.do("transaction-add", port=[{"ifindex": port["ifindex"], "pause-limit": 8},
                                     {"ifindex": port["ifindex"], "pause-limit": 9}])
    t.c0.do("transaction-add", wire=[{"id": port["wire"], "datapath": "nic"}])
    t.c0.do("transaction-commit", generation=generation)
    tap.equal(t.c0.port("fe0")["pause-limit"], 9, "limit")
    t.c0.do("transaction-begin")
    t.c0.do("transaction-add", wire=[{"id": port["wire"], "datapath": "handoff"}])
    t.c0.do("transaction-abort")
    tap.equal(t.c0.port("fe0")["datapath"], "nic", "datapath")


@tap.case("channel-get: rings, fill levels, NAPI, moderation")
def channel(t):
    t.pair()
    tool = ethnl.Ethtool(t.n0, "fe0")
    tool.set(ethnl.CHANNELS, combined=3)
    tool.set(ethnl.RINGS, rx=256, tx=128)
    t.n0.ethtool("-C", "fe0", "adaptive-rx", "off", "adaptive-tx", "off", check=False)
    t.n0.ethtool("-C", "fe0", "rx-usecs", "7", "rx-frames", "9", "tx-usecs", "11",
                 "tx-frames", "13")
    index = t.n0.rtnl.get("fe0")["index"]
    netdev = genl.Netdev(t.n0)
    queues = netdev.queues(index)
    channels = t.c0.dump("channel-get", ifindex=index)
    tap.equal([one["index"] for one in channels], [0, 1, 2], "indices")
    for one in channels:
        want = {"ifindex": index, "tx-ring": 128, "rx-ring": 256, "rx-usecs": 7, "rx-frames": 9,
                "tx-usecs": 11, "tx-frames": 13, "tx-queued": 0,
                "napi-id": queues[genl.RX, one["index"]]}
        tap.equal({key: one[key] for key in want}, want, "channel")
        tap.equal(one["rx-posted"] + one["rx-filled"] <= 256, True, "buffers")
        tap.equal(len(one["poll-frames"]), 8, "buckets")
        alone = t.c0.do("channel-get", ifindex=index, index=one["index"])
        tap.equal({key: alone[key] for key in want}, want, "channel by number")
    everything = t.c0.dump("channel-get")
    tap.equal(len(everything), 3, "channels of the namespace")
    netdev.close()
    tool.close()


@tap.case("channel-get: polls and frames add up to what ip counts")
def channel_sum(t):
    t.pair()
    t.ping(count=50)
    index = t.n1.rtnl.get("fe1")["index"]

    def agree():
        channels = t.c1.dump("channel-get", ifindex=index)
        frames_ = sum(one["frames"] for one in channels)
        polls = sum(sum(one["poll-frames"]) for one in channels)
        return frames_ == t.n1.rtnl.stats("fe1")["rx_packets"] and \
            polls == sum(one["polls"] for one in channels) and frames_ >= 50

    net.wait_until(agree, "sums that agree")


@tap.case("channel-get: a port on the handoff datapath has no RX ring")
def channel_handoff(t):
    handoff(t)
    for one in t.c0.dump("channel-get"):
        tap.equal([key in one for key in ("tx-ring", "rx-ring", "rx-posted")],
                  [True, False, False], "rings")


@tap.case("channel-get: refused while the port is down, left out of dumps")
def channel_down(t):
    t.pair(up=False)
    index = t.n0.rtnl.get("fe0")["index"]
    t.c0.refused(errno.ENETDOWN, "channel-get", bad="ifindex", ifindex=index, index=0)
    tap.equal(t.c0.dump("channel-get"), [], "dump")
    tap.equal(t.c0.dump("channel-get", ifindex=index), [], "dump of the port")


@tap.case("stage-get: every stage, and frames sent are frames received plus drops")
def stages(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        good = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
        other = frames.ether("02:fe:00:00:00:77", net.MAC[0], frames.ETH_P_TEST, bytes(86))
        for _ in range(20):
            sender.send(good)
            sender.send(other)
        for _ in range(20):
            receiver.recv(4000)
    tap.equal(list(t.c0.stages("fe0")), control.STAGES, "stages")
    sent, received = t.c0.stages("fe0"), t.c1.stages("fe1")
    for told in (sent["tx", "wire"], received["rx", "wire"]):
        tap.equal((told["frames"], told["bytes"]), (40, 40 * 100), "on the wire")
        tap.equal(told["drop"]["filtered"], 20, "filtered")
        tap.equal(sum(told["drop"].values()), 20, "dropped on the wire")
    tap.equal(received["rx", "receive"]["frames"], 20, "received")
    drops = sum(sum(received["rx", stage]["drop"].values())
                for stage in ("wire", "deliver", "receive"))
    tap.equal(received["rx", "wire"]["frames"], received["rx", "receive"]["frames"] + drops,
              "balance")
    index = t.n0.rtnl.get("fe0")["index"]
    for direction, stage in control.STAGES:
        one = t.c0.do("stage-get", ifindex=index, direction=direction, stage=stage)
        tap.equal((one["direction"], one["stage"]), (direction, stage), "stage by name")
    tap.equal(len(t.c0.dump("stage-get")), len(control.STAGES), "stages of the namespace")


@tap.case("stats-reset: counters of the family begin anew, all others go on")
def reset(t):
    t.pair()
    t.ping(count=20)
    index = t.n0.rtnl.get("fe0")["index"]
    net.wait_until(lambda: t.c0.stages("fe0")["rx", "receive"]["frames"] ==
                   t.n0.rtnl.stats("fe0")["rx_packets"], "counters that agree")
    before, other = t.n0.rtnl.stats("fe0"), t.c1.stages("fe1")
    private = t.n0.ethtool("-S", "fe0")
    t.c0.do("stats-reset", ifindex=index)
    after = t.c0.stages("fe0")
    for place, counters in after.items():
        for name, value in counters.items():
            if name in ("ifindex", "direction", "stage", "generation"):
                continue
            total = sum(value.values()) if name == "drop" else value
            # What the kernel says by itself may come meanwhile.
            if total > 5:
                raise AssertionError(f"{place}: {name} {value}")
    channels = t.c0.dump("channel-get", ifindex=index)
    if sum(one["frames"] + one["raises"] for one in channels) > 10:
        raise AssertionError(f"channels: {channels}")
    now = t.n0.rtnl.stats("fe0")
    for name in ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes"):
        tap.equal(now[name] >= before[name] > 0, True, name)
    tap.equal(t.c1.stages("fe1")["rx", "receive"]["frames"] >=
              other["rx", "receive"]["frames"] > 0, True, "frames of the other end")
    for old, new in zip(private.splitlines(), t.n0.ethtool("-S", "fe0").splitlines()):
        if old.partition(":")[2].strip().isdigit():
            tap.equal(int(new.partition(":")[2]) >= int(old.partition(":")[2]), True, old)
    t.ping(count=10)
    net.wait_until(lambda: t.c0.stages("fe0")["rx", "receive"]["frames"] >= 10, "counting")
    if t.c0.stages("fe0")["rx", "receive"]["frames"] > 19:
        raise AssertionError("counted from the beginning")


@tap.case("the generated C client: every command, and a notification")
def c_client(t):
    if not os.path.exists(control.CLIENT):
        raise tap.Skip(f"no {control.CLIENT}; make selftests-bin builds it")
    t.pair()
    index = t.n0.rtnl.get("fe0")["index"]
    port = t.c0.port("fe0")
    lines = t.n0.run(control.CLIENT, str(index), "77").splitlines()
    line = f"{index} fe0 wire {port['wire']} end a mtu 1500 limit"
    want = [f"port {line} 100", f"dumped {line} 100", f"wire {port['wire']} ports 2",
            f"channels {port['channels']}"]
    tap.equal(lines[:4], want, "what it says")
    tap.equal([tuple(line.split()[1:3]) for line in lines[4:11]], control.STAGES, "stages")
    tap.equal(lines[11:], [f"changed {line} 77", "reset", "wire set", "aborted", "committed",
                           f"port {line} 201"], "changes")
    done = t.n0.run(control.CLIENT, "1", check=False)
    tap.equal((done.returncode, "No ferronic port" in done.stderr), (1, True), "refusal")


tap.main(control.Control)
