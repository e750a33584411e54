# SPDX-License-Identifier: GPL-2.0
"""The command's side: what there is to be asked, as tables it interprets."""

from naming import calls, doc, request_of, upper

HEADER = """\
// SPDX-License-Identifier: GPL-2.0
// Written by tools/spec/generate from Documentation/netlink/specs/ferronic.yaml. Do not edit.

//! What the netlink specification says: names, numbers and types.

// It says more than the command needs.
#![allow(dead_code)]

use crate::spec::{Attribute, Command, Kind, Space, Value};
"""


def kind(attribute):
    if attribute.type == "nest":
        return f"Kind::Nest(&{upper(attribute.yaml['nested-attributes'])})"
    if "enum" in attribute.yaml:
        return f"Kind::Enum(VALUES_{upper(attribute.yaml['enum'])})"
    return {"u32": "Kind::U32", "uint": "Kind::Uint", "s32": "Kind::S32", "string": "Kind::Text",
            "flag": "Kind::Flag", "binary": "Kind::Bytes"}[attribute.type]


def quoted(words):
    text = " ".join((words or "").split()).replace("@", "").replace("\\", "\\\\")
    return '"' + text.replace('"', '\\"') + '"'


def generate(family):
    out = HEADER
    out += f'\n/// Name of the family.\npub const FAMILY: &str = "{family.name}";\n'
    out += f"\n/// Version of its protocol.\npub const VERSION: u8 = {family.yaml.get('version', 1)};\n"
    for name in family.mcast_groups:
        out += f'\n/// The multicast group `{name}`.\npub const GROUP_{upper(name)}: &str = "{name}";\n'
    for name, entry in family.consts.items():
        if hasattr(entry, "entries"):
            out += "\n" + doc(entry.yaml.get("doc")) + f"pub const VALUES_{upper(name)}: &[Value] = &[\n"
            for item in entry.entries.values():
                out += f'Value {{ name: "{item.name}", number: {item.value} }},\n'
            out += "];\n"
    for name, space in family.attr_sets.items():
        out += "\n" + doc(space.yaml.get("doc")) + f"pub const {upper(name)}: Space = Space {{\n"
        out += "attributes: &[\n"
        for one, attribute in space.items():
            many = "true" if attribute.yaml.get("multi-attr") else "false"
            out += f'Attribute {{ name: "{one}", number: {attribute.value}, '
            out += f"kind: {kind(attribute)}, many: {many}, help: {quoted(attribute.yaml.get('doc'))} }},\n"
        out += "]};\n"
    seen = set()
    for operation, mode in calls(family):
        if operation.name in seen:
            continue
        seen.add(operation.name)
        out += "\n" + doc(operation.yaml["doc"])
        out += f"pub const {upper(operation.name)}: Command = Command {{\n"
        out += f'name: "{operation.name}", number: {operation.value}, space: &{upper(operation.attr_set.name)},\n'
        out += f"help: {quoted(operation.yaml['doc'])},\n"
        out += "request: &[" + ", ".join(f'"{a}"' for a in request_of(operation, "do")) + "],\n"
        dump = "None"
        if "dump" in operation.yaml:
            dump = "Some(&[" + ", ".join(f'"{a}"' for a in request_of(operation, "dump")) + "])"
        out += f"dump: {dump} }};\n"
    out += "\n/// Notifications: number, name, and what their attributes are of.\n"
    out += "pub const NOTIFICATIONS: &[(u8, &str, &Space)] = &[\n"
    for name, operation in family.ntfs.items():
        of = operation if "event" in operation.yaml else family.msgs[operation.yaml["notify"]]
        out += f'({operation.value}, "{name}", &{upper(of.attr_set.name)}),\n'
    return out + "];\n"
