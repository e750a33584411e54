#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The command `ferronic`: every command of it, as tables and as JSON, what it says
when it is refused, and what comes with it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

COMMANDS = ("show", "stats", "latency", "set", "apply", "chain", "rule", "monitor", "completion",
            "man")
SHARE = "/usr/share"


class Tool(control.RawControl):
    """The command, in the first namespace."""

    def __enter__(self):
        if not shutil.which("ferronic"):
            raise tap.Skip("no ferronic command; make tools builds it")
        return super().__enter__()

    def run(self, *words, **options):
        return self.n0.run("ferronic", *words, **options)

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))

    def refused(self, text, *words, **options):
        """Must fail with status 1 and say so."""
        done = self.run(*words, check=False, **options)
        tap.equal((done.returncode, done.stdout, done.stderr), (1, "", f"ferronic: {text}\n"),
                  " ".join(words))


@tap.case("show: ports, wires, channels, of all and of one, by name and by number")
def show(t):
    links = t.pair()
    t.n0.rtnl.add_pair(net.KIND, {"name": "b"}, name="a")
    index = str(links[0]["index"])
    ports = t.json("show")
    tap.equal(sorted(port["name"] for port in ports), ["a", "b", "fe0"], "names")
    tap.equal(t.json("show", "port"), ports, "the object by default")
    by_name = t.json("show", "port", "fe0")
    tap.equal((t.json("show", "port", index), len(by_name)), (by_name, 1), "one port")
    tap.equal((t.json("show", "fe0"), t.json("show", index)), (by_name, by_name), "without a noun")
    one = by_name[0]
    tap.equal((one["datapath"], one["end"], one["up"], one["pause-limit"]),
              ("nic", "a", True, 100), "values")
    tap.equal("up" in next(port for port in ports if port["name"] == "a"), False, "flag")
    wires = t.json("show", "wire")
    tap.equal(len(wires), 2, "wires")
    tap.equal(t.json("show", "wire", "fe0"), [w for w in wires if w["id"] == one["wire"]], "wire")
    channels = t.json("show", "channel", "fe0")
    tap.equal([c["index"] for c in channels], list(range(one["channels"])), "channels")
    tap.equal(len(t.json("show", "channel")), len(channels), "channels of all")
    for words in (("show",), ("show", "wire"), ("show", "channel", "fe0")):
        lines = t.run(*words).splitlines()
        tap.equal(len(lines), 1 + len(t.json(*words)), f"lines of {words}")
        tap.equal("GENERATION" in lines[0], False, "columns")
    lines = t.run("show", "port", "fe0").splitlines()
    tap.equal(dict(zip(lines[0].split(), lines[1].split()))["NAME"], "fe0", "table")


@tap.case("show in an empty namespace, and when nobody reads")
def empty(t):
    tap.equal((t.json("show"), t.run("show")), ([], ""), "ports")
    t.pair()
    process = t.n0.popen("sh", "-c", "ferronic show channel | true", stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=net.PATIENCE)
    tap.equal(said, b"", "complaints")


@tap.case("stats: every stage, what is not zero; reset")
def stats(t):
    t.pair()
    t.ping(count=3)
    rows = t.json("stats", "fe0")
    tap.equal([(row["direction"], row["stage"]) for row in rows], control.STAGES, "stages")
    tap.equal(len(t.json("stats")), len(rows), "stages of all")
    lines = t.run("stats", "fe0").splitlines()
    tap.equal((lines[0], len(lines)), ("fe0", 1 + len(rows)), "lines")
    t.run("stats", "fe0", "--reset")
    now = {(row["direction"], row["stage"]): row for row in t.json("stats", "fe0")}
    before = {(row["direction"], row["stage"]): row for row in rows}
    tap.equal(now["rx", "receive"]["frames"] < before["rx", "receive"]["frames"], True, "frames")


@tap.case("latency: table, shapes, JSON, picture; begin, end, reset")
def latency(t):
    t.pair()
    tap.equal(t.run("latency", "fe0"), "fe0: not sampled; 0 sampled of 0\n", "before")
    t.run("latency", "fe0", "--sample", "1", "--seed", "5")
    t.ping(count=3)
    path = f"/tmp/latency-{os.getpid()}.svg"
    t.refused("/nowhere/file: No such file or directory", "latency", "fe0", "--svg",
              "/nowhere/file")
    try:
        found = t.json("latency", "fe0", "--svg", path)
        root = xml.etree.ElementTree.parse(path).getroot()
    finally:
        os.unlink(path)
    sampling, stages = found["sampling"], {row["stage"]: row for row in found["stages"]}
    tap.equal((sampling["one-in"], sampling["unit"], sampling["seed"]), (1, "packet", 5), "sampling")
    for name in ("tx-ring", "engine", "rx-ring", "napi", "gro", "ingress", "prerouting", "input",
                 "total"):
        stage = stages[name]
        if stage["packets"] < 3 or not stage["median"] <= stage["p90"] <= stage["p99"] \
                <= stage["longest"]:
            raise AssertionError(f"{name}: {stage}")
    bars = sum(len(stage.get("bucket", [])) for stage in stages.values())
    drawn = [e for e in root.iter() if e.get("class") == "bar"]
    tap.equal(len(drawn), bars, "bars of the picture")
    t.run("latency", "fe0", "--off")
    lines = t.run("latency", "fe0").splitlines()
    used = [name for name, row in stages.items() if row["packets"]]
    tap.equal([line.split()[0] for line in lines[2:2 + len(used)]], used, "table")
    tap.equal([line.split()[0] for line in lines[-len(used):]], used, "shapes")
    t.run("latency", "fe0", "--reset")
    tap.equal(t.json("latency", "fe0")["stages"], [], "after a reset")


@tap.case("set: a port, its wire, and both together or not at all")
def set_(t):
    t.pair(up=False)
    t.run("set", "fe0", "--pause-limit", "20")
    tap.equal(t.json("show", "port", "fe0")[0]["pause-limit"], 20, "limit")
    t.run("set", "fe0", "--datapath", "nic", "--pause-limit", "21")
    tap.equal(t.json("show", "port", "fe0")[0]["pause-limit"], 21, "limit")
    t.run("set", "fe0", "--datapath", "handoff")
    tap.equal(t.json("show", "wire", "fe0")[0]["datapath"], "handoff", "datapath")
    t.refused("transaction-commit: port 1: Nobody pauses on the handoff datapath [EOPNOTSUPP]",
              "set", "fe0", "--datapath", "nic", "--pause-limit", "22")
    tap.equal(t.json("show", "wire", "fe0")[0]["datapath"], "handoff", "datapath")


@tap.case("apply: JSON from a file and from standard input, by number and by name")
def apply(t):
    index = t.pair(up=False)[0]["index"]
    wire = t.json("show", "port", "fe0")[0]["wire"]
    changes = {"port": [{"ifindex": index, "pause-limit": 9},
                        {"ifindex": "fe0", "pause-limit": 10}],
               "wire": [{"id": wire, "datapath": "nic"}]}
    t.run("apply", input=json.dumps(changes))
    tap.equal(t.json("show", "port", "fe0")[0]["pause-limit"], 10, "limit")
    many = {"port": [{"ifindex": index, "pause-limit": 1 + n % 4000} for n in range(5000)]}
    path = f"/tmp/apply-{os.getpid()}.json"
    with open(path, "w") as file:
        json.dump(many, file)
    generation = t.json("show", "port", "fe0")[0]["generation"]
    try:
        t.run("apply", path, "--generation", str(generation))
        tap.equal(t.json("show", "port", "fe0")[0]["pause-limit"], 1000, "limit")
        t.refused("transaction-commit: generation: The namespace has changed since [ESTALE]",
                  "apply", path, "--generation", str(generation))
    finally:
        os.unlink(path)
    for text, words in (
            ('{"port": [{"ifindex": "fe0", "pause-limit": 0}]}',
             "transaction-add: port.pause-limit: integer out of range (1 to 4000) [ERANGE]"),
            ('{"port": [{"pause-limit": 5}]}',
             "transaction-add: port.ifindex: Which port? It needs an ifindex [EINVAL]"),
            ('{"port": [{"ifindex": "fe0", "colour": 5}]}', "-: port: there is no 'colour'"),
            ('{"ports": []}', "-: 'ports' is none of port, wire"),
            ('{"port": [{"ifindex": "nix"}]}', "there is no port 'nix' in this namespace"),
            ('[]', "-: not an object of lists"),
            ('{', "-: EOF while parsing an object at line 1 column 1")):
        t.refused(words, "apply", input=text)
    tap.equal(t.json("show", "port", "fe0")[0]["pause-limit"], 1000, "limit")


@tap.case("monitor: what there is, then every change, as text and as JSON")
def monitor(t):
    t.pair(up=False)
    with t.n0.popen("ferronic", "monitor", "--count", "2", "--json", text=True,
                    stdout=subprocess.PIPE) as process:
        first = json.loads(process.stdout.readline())
        tap.equal((first["name"], first["msg"]["name"]), ("port", "fe0"), "what there is")
        t.n0.rtnl.change("fe0", mtu=2000)
        change = json.loads(process.stdout.readline())
        tap.equal((change["name"], change["msg"]["mtu"]), ("port-change", 2000), "change")
        t.n0.rtnl.delete("fe0")
        tap.equal(json.loads(process.stdout.readline())["name"], "port-del", "end")
        tap.equal(process.wait(net.PATIENCE), 0, "status")
    t.pair(up=False)
    with t.n0.popen("ferronic", "monitor", "--count", "1", text=True,
                    stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        t.n0.rtnl.change("fe0", mtu=1400)
        line = process.stdout.readline()
        tap.equal(line.split(": ", 1)[1], "mtu 1500 -> 1400\n", "what it says")


@tap.case("monitor that has been too slow: it says so, shows what there is, and goes on")
def slow(t):
    index = t.pair(up=False)[0]["index"]
    limits = iter(range(1, 4000))

    def change(count):
        for _ in range(count):
            t.c0.send(control.PORT_SET, rtnl.attr(1, index) + rtnl.attr(16, next(limits)))

    with t.n0.popen("ferronic", "monitor", "--json", text=True, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE) as process:
        def told():
            event = json.loads(process.stdout.readline())
            return event["name"], event["msg"].get("pause-limit")

        tap.equal((told(), process.stderr.readline()), (("port", 100), "ferronic: listening\n"),
                  "what there is")
        process.send_signal(signal.SIGSTOP)
        # Far more than its socket holds.
        change(2000)
        process.send_signal(signal.SIGCONT)
        tap.equal(process.stderr.readline(),
                  "ferronic: notifications were lost; the ports as they are now:\n", "complaint")
        events = [told()]
        while events[-1][0] != "port":
            events.append(told())
        tap.equal(events, [("port-change", n) for n in range(1, len(events))] + [("port", 2000)],
                  "what came before, and what there is then")
        change(1)
        tap.equal(told(), ("port-change", 2001), "what comes then")
        process.terminate()


@tap.case("refusals: the kernel's sentence, and the attribute it points to")
def refusals(t):
    t.pair()
    t.refused("port-set: pause-limit: integer out of range (1 to 4000) [ERANGE]",
              "set", "fe0", "--pause-limit", "4001")
    t.refused("pause-limit: 'much' is not a number", "set", "fe0", "--pause-limit", "much")
    t.refused("there is no port 'nix' in this namespace", "show", "port", "nix")
    t.refused("there is no port 'nix' in this namespace", "show", "nix")
    t.refused("port-get: ifindex: No ferronic port of this namespace [ENODEV]", "show", "port", "77777")
    t.refused("channel-get: ifindex: No ferronic port of this namespace [ENODEV]", "show", "channel", "1")
    done = t.n0.run("setpriv", "--reuid=65534", "--clear-groups", "ferronic", "set", "fe0",
                    "--pause-limit", "5", check=False)
    tap.equal((done.returncode, done.stderr),
              (1, "ferronic: port-set: Operation not permitted [EPERM]\n"), "rights")
    for words in (("nonsense",), ("show", "nonsense", "fe0"), ("set", "fe0", "--datapath", "x"),
                  ("set", "fe0"), ("monitor", "--pcapng", "/tmp/file"),
                  ("stats", "--reset"), ("chain", "add", "c"), ()):
        tap.equal(t.run(*words, check=False).returncode, 2, f"status of {words}")


@tap.case("completions for three shells, and a manual page that names every command")
def beside(t):
    for shell, path in (("bash", "bash-completion/completions/ferronic"),
                        ("zsh", "zsh/vendor-completions/_ferronic"),
                        ("fish", "fish/vendor_completions.d/ferronic.fish")):
        script = t.run("completion", shell)
        for command in COMMANDS:
            tap.equal(command in script, True, f"{command} in the completion for {shell}")
        tap.equal("pause-limit" in script, True, "options")
        with open(f"{SHARE}/{path}") as file:
            tap.equal(file.read(), script, "what is installed")
    script = t.run("completion", "bash")
    words = "COMP_WORDS=(ferronic s); COMP_CWORD=1; _ferronic ferronic s ferronic; " \
            "echo ${COMPREPLY[@]}"
    tap.equal(sorted(net.run("bash", "-c", script + words).split()), ["set", "show", "stats"],
              "what bash completes")
    page = t.run("man")
    with open(f"{SHARE}/man/man8/ferronic.8") as file:
        tap.equal(file.read(), page, "the page that is installed")
    tap.equal(page.count(".TH"), 1, "pages")
    for command in COMMANDS:
        tap.equal(f'\n.SS "ferronic {command}' in page, True, command)
    tap.equal(t.run("--version").split()[0], "ferronic", "version")


tap.main(Tool)
