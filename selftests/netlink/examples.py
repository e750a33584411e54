#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The examples of Documentation/control.md and hooks.md, run as they stand: each command
must print what is written there.  Numbers may differ, and so may what `...` stands for.
Each command and notification of the specification has a section with examples."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402

PAGES = f"{net.REPOSITORY}/Documentation"
# The section of control.md that the examples of other pages take for granted.
PAIR = "## A pair to look at"
MARK = "==== over:"


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


def plain(line):
    """A line without its numbers and its width."""
    return re.sub(r"[ -]+", " ", re.sub(r"\d+", "N", line)).strip()


def matches(written, printed):
    """Whether the lines are those written; `...` ends a line, or stands for any."""
    if "..." in written and written[-1:] == ["..."]:
        printed, written = printed[:len(written) - 1], written[:-1]
    if len(written) != len(printed):
        return False
    for want, got in zip(written, printed):
        want, got = plain(want), plain(got)
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
                             env=environment)
    subprocess.run(["ip", "netns", "del", "b"], capture_output=True, check=False)
    count = 0
    try:
        for number, words, written in [*before, *examples(page)]:
            shell.stdin.write(f"{words}\necho '{MARK}'\n")
            shell.stdin.flush()
            printed = []
            for line in shell.stdout:
                if line.startswith(MARK):
                    break
                printed.append(line.rstrip("\n"))
            if not matches(written, printed):
                raise AssertionError(f"{page}:{number}: {words}\nwritten:\n" + "\n".join(written) +
                                     "\nprinted:\n" + "\n".join(printed))
            count += 1
    finally:
        shell.stdin.close()
        shell.kill()
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
