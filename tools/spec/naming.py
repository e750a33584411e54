# SPDX-License-Identifier: GPL-2.0
"""How names of the specification are spelled, and what its types are."""

LIMITS = {"u8-max": 0xff, "u16-max": 0xffff, "u32-max": 0xffffffff, "s32-max": 0x7fffffff}
WIDTH = {"u8": 0xff, "u16": 0xffff, "u32": 0xffffffff, "uint": (1 << 64) - 1}

# Rust's words that a name must not be.
KEYWORDS = {"type", "match", "move", "ref", "loop", "in", "use", "where", "self", "mod", "fn"}


def snake(name):
    word = name.replace("-", "_")
    return word + "_" if word in KEYWORDS else word


def upper(name):
    return name.replace("-", "_").upper()


def camel(name):
    return "".join(word.capitalize() for word in name.split("-"))


def doc(text, indent=""):
    """A doc comment in Rust."""
    lines = (text or "").strip().splitlines()
    return "".join(f"{indent}/// {escape(line)}".rstrip() + "\n" for line in lines)


def escape(line):
    """Text for a doc comment: references to names as code."""
    words = []
    for word in line.split(" "):
        bare = word.strip("().,;:")
        if bare.startswith("@"):
            word = word.replace(bare, f"`{bare[1:]}`")
        words.append(word)
    return " ".join(words)


def limit(value):
    """A bound, which may be given by name."""
    return LIMITS.get(value, value)


def bounds(family, attribute):
    """Smallest and largest value of an unsigned attribute, or None if all will do."""
    checks = attribute.yaml.get("checks", {})
    low, high = limit(checks.get("min", 0)), limit(checks.get("max", WIDTH[attribute.type]))
    if "enum" in attribute.yaml:
        high = min(high, max(e.value for e in family.consts[attribute.yaml["enum"]].entries.values()))
    return None if (low, high) == (0, WIDTH[attribute.type]) else (low, high)


def request_of(operation, mode):
    return operation.yaml[mode].get("request", {}).get("attributes", [])


def reply_of(operation, mode):
    return operation.yaml[mode].get("reply", {}).get("attributes", [])


def is_restricted(group):
    """Whether joining a multicast group takes CAP_NET_ADMIN."""
    flags = group.yaml.get("flags", [])
    if "admin-perm" in flags:
        raise SystemExit(f"{group.name}: the core has no groups for the first user namespace only")
    return "uns-admin-perm" in flags


def calls(family):
    """Every (operation, mode) that can be asked for, in the order of the core's table."""
    return [(operation, mode) for operation in sorted(family.ops.values(), key=lambda o: o.value)
            for mode in ("do", "dump") if mode in operation.yaml]
