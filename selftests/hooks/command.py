#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The command: chains and rules in words, events as lines and as pcapng."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402


def ferronic(namespace, *words, **options):
    if not shutil.which("ferronic"):
        raise tap.Skip("no ferronic command; make tools builds it")
    return namespace.run("ferronic", *words, **options)


def blocks(data):
    """The blocks of a pcapng file, as type and body."""
    found, at = [], 0
    while at < len(data):
        kind, size = struct.unpack_from("=II", data, at)
        tap.equal(struct.unpack_from("=I", data, at + size - 4)[0], size, "length of a block")
        found.append((kind, data[at + 8:at + size - 4]))
        at += size
    return found


@tap.case("the 7th packet to a port, once, and an event of it; also as pcapng")
def seventh(t):
    t.pair()
    ferronic(t.n1, "chain", "add", "in", "prerouting", "--priority", "raw")
    ferronic(t.n1, "rule", "add", "in", *"udp dport 5000 nth 7 once tell 64 drop".split())
    with tempfile.NamedTemporaryFile() as file:
        watch = t.n1.popen("ferronic", "monitor", "packets", "--count", "1", "--pcapng", file.name,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watch.stderr.readline()     # "listening"
        with hooks.Datagrams(t) as udp:
            udp.send(*(b"%03d" % n for n in range(10)))
            tap.equal(len(udp.receive(9)), 9, "arrived")
        out, errors = watch.communicate(timeout=net.PATIENCE)
        tap.equal(out.startswith("in rule 1 drop at prerouting reason NETFILTER_DROP "
                                 "packet 7 in fe1 length 31"), True,
                  f"event: {out}{errors}")
        found = blocks(file.read())
        read = t.n1.run("tcpdump", "-nr", file.name)
        tap.equal("> 192.168.241.2.5000: UDP, length 3" in read, True, f"tcpdump: {read}")
    # A section, an interface whose packets begin with IP, the packet.
    tap.equal([kind for kind, _ in found], [0x0A0D0D0A, 1, 6], "blocks")
    tap.equal(struct.unpack_from("=H", found[1][1])[0], 101, "link type")
    interface, _, _, size, length = struct.unpack_from("=IIIII", found[2][1])
    tap.equal((interface, size, length), (0, 31, 31), "packet")
    tap.equal(found[2][1][20 + 28:20 + 31], b"006", "data")
    tap.equal(b"in rule 1 drop" in found[2][1], True, "comment")
    shown = ferronic(t.n1, "rule", "show", "in")
    tap.equal("1  udp dport 5000 nth 7 once tell 64 drop  # packets 10 " in shown, True, shown)


@tap.case("rules are shown in the words they were written with")
def words(t):
    t.pair()
    ferronic(t.n1, "chain", "add", "in", "input", "--policy", "accept")
    rules = ["in fe1 from 192.168.241.0/24 tcp sport 1000-2000 continue",
             "icmp6 type 128 delay 10ms jitter 2ms", "ct established mark 0x1/0xff drop",
             "limit 100/second bytes burst 3000 reorder 3 timeout 100ms",
             "udp drop reason NO_SOCKET", "type6 128 ct not new,related continue"]
    for handle, rule in enumerate(rules, 1):
        tap.equal(ferronic(t.n1, "rule", "add", "in", *rule.split()), f"{handle}\n", "handle")
    shown = [line.split("  #")[0].split(None, 1)[1]
             for line in ferronic(t.n1, "rule", "show").splitlines()[1:]]
    tap.equal(shown, rules, "shown")
    ferronic(t.n1, "rule", "replace", "in", "2", "accept")
    ferronic(t.n1, "rule", "del", "in", "1")
    ferronic(t.n1, "rule", "reset", "in")
    ferronic(t.n1, "chain", "set", "in", "--policy", "drop")
    tap.equal([rule["handle"] for rule in t.h1.rules("in")], [2, 3, 4, 5, 6], "handles")
    tap.equal(t.h1.chains()["in"]["policy"], 1, "policy")
    ferronic(t.n1, "chain", "del", "in")
    tap.equal(t.h1.chains(), {}, "chains")


@tap.case("priorities by their standard names and as numbers, negative ones too")
def priorities(t):
    want = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
            "-7": -7, "12": 12, "-2147483648": -2**31}
    for number, word in enumerate(want):
        ferronic(t.n1, "chain", "add", f"c{number}", "prerouting", "--priority", word)
    ferronic(t.n1, "chain", "add", "none", "prerouting")
    found = {name: chain["priority"] for name, chain in t.h1.chains().items()}
    tap.equal(found, {**{f"c{n}": value for n, value in enumerate(want.values())}, "none": 0},
              "priorities")
    for word in ("first", "1.5", "2147483648", ""):
        done = ferronic(t.n1, "chain", "add", "x", "input", "--priority", word, check=False)
        tap.equal((done.returncode, "is no priority" in done.stderr), (1, True), done.stderr)


@tap.case("what the kernel remarks on a rule that it takes is told")
def remark(t):
    ferronic(t.n1, "chain", "add", "in", "prerouting", "--priority", "raw")
    done = ferronic(t.n1, *"rule add in ct new drop".split(), check=False)
    tap.equal((done.returncode, "sees no state" in done.stderr), (0, True), done.stderr)
    tap.equal(len(t.h1.rules("in")), 1, "rules")


@tap.case("changes of chains and rules are shown as they happen")
def monitor(t):
    ferronic(t.n1, "chain", "add", "old", "forward")
    ferronic(t.n1, "rule", "add", "old", *"udp drop".split())
    watch = t.n1.popen("ferronic", "monitor", "hooks", "--count", "4",
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch.stderr.readline()     # "listening"
    ferronic(t.n1, "chain", "add", "in", "input")
    ferronic(t.n1, "rule", "add", "in", *"tcp dport 80 drop".split())
    ferronic(t.n1, "rule", "del", "in", "1")
    ferronic(t.n1, "chain", "del", "in")
    out, errors = watch.communicate(timeout=net.PATIENCE)
    shown = [line.split(None, 2)[1:] for line in out.splitlines()]
    tap.equal([what for what, _ in shown],
              ["chain", "rule", "chain-add", "rule-add", "rule-del", "chain-del"], out + errors)
    tap.equal([words for what, words in shown if what.startswith("rule")],
              ["old rule 1 at position 0: udp drop",
               "in rule 1 at position 0: tcp dport 80 drop", "in rule 1: tcp dport 80 drop"], out)


@tap.case("what makes no sense is refused in words")
def refused(t):
    ferronic(t.n1, "chain", "add", "in", "input")
    for words, text in (("rule add in icmp dport 80 drop", "together with the others"),
                        ("rule add in dport 80", "needs an action"),
                        ("rule add in nonsense drop", "neither a match"),
                        ("rule add in in nodevice drop", "no device 'nodevice'"),
                        ("rule add in mac-from 00:11:22:33:44:55:zz drop", "no Ethernet address"),
                        ("rule add in from 10.0.0.0/4294967304 drop", "no address or prefix"),
                        ("rule add in nth 3 nth 5 drop", "says nth already"),
                        ("rule add other drop", "no chain of that name"),
                        ("chain add in input", "already")):
        done = ferronic(t.n1, *words.split(), check=False)
        tap.equal((done.returncode, text in done.stderr), (1, True), f"{words}: {done.stderr}")
    tap.equal(t.h1.rules(), [], "rules")


tap.main(hooks.Topology)
