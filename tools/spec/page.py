# SPDX-License-Identifier: GPL-2.0
"""The reference page."""

from naming import bounds, is_restricted, reply_of, request_of


def text(words):
    """Prose of the specification: paragraphs, with names as code."""
    out = []
    for word in (words or "").strip().replace("\n\n", "\0").replace("\n", " ").split(" "):
        bare = word.strip("().,;:\0")
        if bare.startswith("@"):
            word = word.replace(bare, f"`{bare[1:]}`")
        out.append(word)
    return " ".join(out).replace("\0", "\n\n").replace("\n\n ", "\n\n")


def kind(family, attribute):
    words = attribute.type
    if attribute.type == "nest":
        inner = attribute.yaml["nested-attributes"]
        words = f"nest of [{inner}](#{inner})"
    if "enum" in attribute.yaml:
        enum = attribute.yaml["enum"]
        words += f", [{enum}](#{enum})"
    elif attribute.type in ("u8", "u16", "u32", "uint"):
        limits = bounds(family, attribute)
        if limits:
            words += f", {limits[0]} to {limits[1]}"
    if "max-len" in attribute.yaml.get("checks", {}):
        words += f", at most {attribute.yaml['checks']['max-len']} bytes"
    if attribute.yaml.get("multi-attr"):
        words += ", repeated"
    return words


def names(words):
    return ", ".join(f"`{word}`" for word in words)


def group(family, operation):
    """The group of a notification, and who may join it."""
    name = operation.yaml["mcgrp"]
    rights = " (needs CAP_NET_ADMIN as above)" if is_restricted(family.mcast_groups[name]) else ""
    return f"`{name}`{rights}"


def generate(family):
    out = "<!-- SPDX-License-Identifier: GPL-2.0 -->\n"
    out += "<!-- Written by tools/spec/generate from specs/ferronic.yaml. Do not edit. -->\n\n"
    out += f"# The netlink family `{family.name}`\n\n{text(family.yaml['doc'])}\n\n"
    out += "[control.md](../control.md) shows every command at work. Attributes that aren't listed for a\n"
    out += "request are refused.\n\n## Commands\n"
    for name, operation in family.msgs.items():
        out += f"\n### {name}\n\n{text(operation.yaml['doc'])}\n\n"
        if "event" in operation.yaml:
            out += f"A notification to the group {group(family, operation)}, with of "
            out += f"[{operation.attr_set.name}](#{operation.attr_set.name}): "
            out += f"{names(operation.yaml['event']['attributes'])}.\n"
            continue
        if operation.is_async:
            out += f"A notification to the group {group(family, operation)}, with the attributes of "
            out += f"[{operation.yaml['notify']}](#{operation.yaml['notify']}).\n"
            continue
        if "uns-admin-perm" in operation.yaml.get("flags", []):
            out += "Needs CAP_NET_ADMIN in the user namespace that owns the network namespace.\n\n"
        out += f"| | attributes ([{operation.attr_set.name}](#{operation.attr_set.name})) |\n|---|---|\n"
        for mode in ("do", "dump"):
            if mode in operation.yaml:
                asked, told = request_of(operation, mode), reply_of(operation, mode)
                out += f"| {mode}: request | {names(asked) or 'none'} |\n"
                if mode == "do" or "do" not in operation.yaml or \
                        told != reply_of(operation, "do"):
                    out += f"| {mode}: reply | {names(told) or 'none'} |\n"
    out += "\n## Attributes\n"
    for name, space in family.attr_sets.items():
        out += f"\n### {name}\n\n{text(space.yaml.get('doc'))}\n\n"
        out += "| attribute | number | type | |\n|---|---|---|---|\n"
        for one, attribute in space.items():
            out += f"| `{one}` | {attribute.value} | {kind(family, attribute)} | "
            out += f"{text(attribute.yaml.get('doc'))} |\n"
    out += "\n## Values\n"
    for name, entry in family.consts.items():
        if not hasattr(entry, "entries"):
            out += f"\n### {name}\n\n{entry['value']}. {text(entry.get('doc'))}\n"
            continue
        out += f"\n### {name}\n\n{text(entry.yaml.get('doc'))}\n\n| value | number | |\n|---|---|---|\n"
        for item in entry.entries.values():
            out += f"| `{item.name}` | {item.value} | {text(item.doc)} |\n"
    return out
