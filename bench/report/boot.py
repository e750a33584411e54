# SPDX-License-Identifier: GPL-2.0
"""A guest that measures, seen from the host."""

import os
import subprocess

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(BENCH)


def guest(kernel, options, *machine):
    """Boots the machine and measures; gives the lines that it prints, and its status."""
    command = [f"{TOP}/qemu/run", "--kernel", kernel, *machine, "--memory", "4G", "--timeout", "7200",
               "--", f"{BENCH}/guest/measure.py", *options]
    with subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, text=True) as process:
        lines = list(process.stdout)
    return lines, process.returncode


def output_of(*command):
    """What a command prints, on one line."""
    return subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, text=True,
                          check=False).stdout.partition("\n")[0]


def module():
    """The last commit that changed the module."""
    sources = "--", "rust", "Kbuild"
    changed = output_of("git", "status", "--porcelain", *sources)
    return output_of("git", "log", "-1", "--format=%h", *sources) + ("-dirty" if changed else "")
