#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The examples of Documentation/control.md and hooks.md, run as they stand: each command
must print what is written there.  Numbers that depend on the run may differ, and so may
what `...` stands for.
Each command and notification of the specification has a section with examples."""

import itertools
import os
import re
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402

PAGES = f"{net.REPOSITORY}/Documentation"
# The section of control.md that the examples of other pages take for granted.
PAIR = "## A pair to look at"
MARK = "==== over:"
# What is to happen while the next command watches: when that says so, not after a second.
MEANWHILE = re.compile(r"\(sleep 1; (.*)\) &$")
LISTENING = "ferronic: listening"
# Numbers that depend on what else the kernel has, on stray packets and on time; all others are
# compared.  First generations, before what happened.  Of many pings the last answer may come when
# ping has ceased to wait for it; none is another matter.
VARIES = re.compile(
    r"^ *\d+(?= +(?:chain|rule|port))|\d+(?= sampled| delivered)|(?<=sampled of )\d+|"
    r"(?<=transmitted, )[1-9]\d*(?= received)|\b(?!100%)\d+(?=% packet loss)|"
    r"(?<=time )\d+(?=ms)|(?<=frames )\d+|(?<=wire )\d+|(?<=ifindex )\d+|(?<=netnsid )\d+|"
    r"(?<=fe0 \()\d+|(?<=\"wire\":)\d+|(?<=\"napi-id\":)\d+|(?<=\"rx-posted\":)\d+|"
    r"(?<=\"samples\":)\d+|(?<=\"frames\":)\d+|(?<=\"bytes\":)\d+")
# Columns of tables that hold such.
COLUMNS = ("IFINDEX", "WIRE", "ID", "PEER-IFINDEX", "PEER-NETNSID", "PACKETS", "LOST")


def examples(page, section=None):
    """(line number, command, what it prints), in the order of the page, or of one section."""
    found, inside, chosen = [], False, section is None
    with open(f"{PAGES}/{page}", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line.startswith("```"):
                inside = line == "```console"
            elif not inside and line.startswith("## ") and section:
                chosen = line == section
            elif inside and chosen and line.startswith("# "):
                found.append((number, line[2:], []))
            elif inside and chosen:
                found[-1][2].append(line)
    return found


def plain(line, columns=()):
    """A line without its width and without the numbers that depend on the run."""
    words = VARIES.sub("N", line).split()
    return " ".join("N" if column in COLUMNS else word
                    for column, word in itertools.zip_longest(columns[:len(words)], words))


def matches(written, printed):
    """Whether the lines are those written; `...` ends a line, or stands for any."""
    if "..." in written and written[-1:] == ["..."]:
        printed, written = printed[:len(written) - 1], written[:-1]
    if len(written) != len(printed):
        return False
    columns = []
    for want, got in zip(written, printed):
        if want.isupper():
            columns = want.split()
            want, got = plain(want), plain(got)
        else:
            want, got = plain(want, columns), plain(got, columns)
        if want.endswith("..."):
            if not got.startswith(want[:-3].rstrip(" ,")):
                return False
        elif want != got:
            return False
    return True


def run(page, before=()):
    """Runs the examples of a page, in a namespace of their own, behind other commands."""
    command = subprocess.run(["sh", "-c", "command -v ferronic jq"], capture_output=True, check=False)
    if command.returncode:
        raise tap.Skip("no ferronic command; make tools builds it")
    environment = {**os.environ, "KERNEL": control.BUILT + "/kernel", "COLUMNS": "200"}
    shell = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", "exec bash 2>&1"], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=net.REPOSITORY,
                             env=environment, start_new_session=True)

    def end():
        # With whatever it waits for.
        os.killpg(shell.pid, signal.SIGKILL)

    subprocess.run(["ip", "netns", "del", "b"], capture_output=True, check=False)
    count, meanwhile = 0, None
    try:
        for number, words, written in [*before, *examples(page)]:
            count += 1
            later = MEANWHILE.match(words)
            if later:
                meanwhile = later.group(1)
                continue
            limit = threading.Timer(2 * net.PATIENCE, end)
            limit.start()
            shell.stdin.write(f"{words}\necho '{MARK}'\n")
            shell.stdin.flush()
            printed, over, other = [], False, None
            for line in shell.stdout:
                if line.startswith(MARK):
                    over = True
                    break
                printed.append(line.rstrip("\n"))
                if meanwhile and printed[-1] == LISTENING:
                    other = subprocess.Popen(
                        ["nsenter", "-t", str(shell.pid), "-n", "-m", "sh", "-c", meanwhile],
                        stdout=subprocess.DEVNULL, cwd=net.REPOSITORY)
                    meanwhile = None
            limit.cancel()
            if other:
                other.wait(net.PATIENCE)
            if not over or not matches(written, printed):
                raise AssertionError(f"{page}:{number}: {words}\nwritten:\n" + "\n".join(written) +
                                     "\nprinted:\n" + "\n".join(printed) +
                                     ("" if over else "\nand did not end"))
        tap.equal(meanwhile, None, "what nothing waited for")
    finally:
        if shell.poll() is None:
            end()
        shell.wait()
        subprocess.run(["ip", "netns", "del", "b"], capture_output=True, check=False)
    tap.note(f"{count} commands")


@tap.case("every example of Documentation/control.md prints what is written there")
def control_page():
    control.ynl()
    run("control.md")


@tap.case("every example of Documentation/hooks.md prints what is written there")
def hooks_page():
    run("hooks.md", examples("control.md", PAIR))


@tap.case("every command and notification of the specification has its section")
def complete():
    found = ""
    for page in ("control.md", "hooks.md"):
        with open(f"{PAGES}/{page}", encoding="utf-8") as file:
            found += " ".join(line for line in file if line.startswith("##"))
    named = set(re.findall(r"[a-z]+(?:-[a-z]+)+", found))
    tap.equal(control.operations() - named, set(), "operations in no heading")


tap.main()
