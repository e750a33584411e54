# SPDX-License-Identifier: GPL-2.0
"""The module's side: enumerations, policies, typed requests and replies, the table
of commands."""

from naming import bounds, calls, camel, doc, is_restricted, reply_of, request_of, snake, upper

HEADER = """\
// SPDX-License-Identifier: GPL-2.0
// Written by tools/spec/generate from Documentation/netlink/specs/ferronic.yaml. Do not edit.

//! What the netlink specification says, in types.
//!
//! A command is a type with what is fixed of it ([`Spec`]); its handler implements `Do` or `Dump` for it, and a
//! command without a handler does not compile. A request has a field for each attribute it may have; those within an
//! attribute are an [`Item`]. A reply has a field for each attribute that it can have, and writes itself.

// A specification says more than one handler needs.
#![allow(dead_code)]

use kernel::prelude::*;
use netdev::genetlink::{Context, Family, Group, Op, Permission, Spec};
use netdev::netlink::{once, Attribute, ExtAck, Fill, Item, Nests, Policy, Range, Writer};
"""

WRITE = {"u8": "u8", "u16": "u16", "u32": "u32", "uint": "uint", "s32": "s32"}
RUST = {"u8": "u8", "u16": "u16", "u32": "u32", "uint": "u64", "s32": "i32"}


def enumeration(entry):
    name = camel(entry.name)
    entries = list(entry.entries.values())
    out = "\n" + doc(entry.yaml.get("doc"))
    out += "#[derive(Clone, Copy, PartialEq, Eq, Debug)]\n#[repr(u32)]\n"
    out += f"pub(crate) enum {name} {{\n"
    for item in entries:
        out += doc(item.doc, "    ") + f"    {camel(item.name)} = {item.value},\n"
    out += "}\n\n"
    out += f"impl {name} {{\n    /// All, by number.\n"
    out += f"    pub(crate) const ALL: [{name}; {len(entries)}] = ["
    out += ", ".join(f"{name}::{camel(item.name)}" for item in entries) + "];\n\n"
    out += "    /// The one of that number.\n"
    out += f"    pub(crate) fn from_number(number: u32) -> Result<{name}> {{\n"
    out += "        Ok(match number {\n"
    for item in entries:
        out += f"            {item.value} => {name}::{camel(item.name)},\n"
    out += "            _ => return Err(EINVAL),\n        })\n    }\n}\n"
    return out


def attribute_numbers(space):
    out = f"\n/// Numbers of the attributes of `{space.name}`.\n"
    out += f"pub(crate) mod {snake(space.name)} {{\n"
    for name, attribute in space.items():
        out += doc(attribute.yaml.get("doc"), "    ")
        out += f"    pub(crate) const {upper(name)}: u16 = {attribute.value};\n"
    return out + "}\n"


def field_type(family, attribute, lifetime):
    """Type of a field, and whether it is optional by itself."""
    kind = attribute.type
    if kind == "flag":
        return "bool", True
    if kind == "nest":
        inner = camel(attribute.yaml["nested-attributes"])
        inner += "<'a>" if borrows(family, family.attr_sets[attribute.yaml["nested-attributes"]],
                                   None) else ""
    elif kind == "string":
        inner = f"&{lifetime} CStr"
    elif kind == "binary":
        # Written by a function, which knows where the bytes are.
        inner = f"Fill<{lifetime}>"
    elif "enum" in attribute.yaml:
        inner = camel(attribute.yaml["enum"])
    else:
        inner = RUST[kind]
    if attribute.yaml.get("multi-attr"):
        return f"&{lifetime} [{inner}]", True
    return f"Option<{inner}>", False


def request_type(family, attribute):
    """Type of a field of a request."""
    if attribute.type != "nest":
        return field_type(family, attribute, "'a")[0]
    inner = camel(attribute.yaml["nested-attributes"]) + "Item<'a>"
    return f"Nests<'a, {inner}>" if attribute.yaml.get("multi-attr") else f"Option<{inner}>"


def read(attribute, variable):
    """Code that reads the value of an attribute."""
    value = f"{variable}.{attribute.type}()?"
    if "enum" in attribute.yaml:
        return f"{camel(attribute.yaml['enum'])}::from_number({value})?"
    return value


def item(family, space):
    """What a nest of these attributes in a request becomes."""
    name = camel(space.name) + "Item"
    out = "\n" + doc(space.yaml.get("doc"))
    out += f"pub(crate) struct {name}<'a> {{\n"
    out += "    /// The attribute that holds it.\n    pub(crate) nest: Attribute<'a>,\n"
    chosen = [attribute for _, attribute in space.items()]
    for attribute in chosen:
        out += doc(attribute.yaml.get("doc"), "    ")
        kind = "Option<()>" if attribute.type == "flag" else request_type(family, attribute)
        out += f"    pub(crate) {snake(attribute.name)}: {kind},\n"
    out += f"}}\n\nimpl<'a> Item<'a> for {name}<'a> {{\n"
    out += "    fn parse(nest: Attribute<'a>, extack: &ExtAck<'a>) -> Result<Self> {\n"
    out += f"        let mut item = {name} {{\n            nest,\n"
    for attribute in chosen:
        number = f"{snake(space.name)}::{upper(attribute.name)}"
        many = attribute.type == "nest" and attribute.yaml.get("multi-attr")
        empty = f"nest.nests({number}, *extack)" if many else "None"
        out += f"            {snake(attribute.name)}: {empty},\n"
    out += "        };\n        for attribute in nest.attributes() {\n            match attribute.kind() {\n"
    for attribute in chosen:
        number, field = f"{snake(space.name)}::{upper(attribute.name)}", f"item.{snake(attribute.name)}"
        if attribute.type == "nest":
            if attribute.yaml.get("multi-attr"):
                continue
            inner = camel(attribute.yaml["nested-attributes"]) + "Item"
            value = f"{inner}::parse(attribute, extack)?"
        elif attribute.type == "flag":
            value = "()"
        else:
            value = read(attribute, "attribute")
        out += f"                {number} => once(&mut {field}, {value}, &attribute, extack)?,\n"
    out += "                _ => (),\n            }\n        }\n        Ok(item)\n    }\n\n"
    out += "    fn nest(&self) -> Attribute<'a> {\n        self.nest\n    }\n}\n"
    return out


def nested(family, space, names):
    """Names of the attribute sets within these attributes, the innermost first."""
    found = []
    for name in names:
        if space[name].type == "nest":
            inner = space[name].yaml["nested-attributes"]
            found += [*nested(family, family.attr_sets[inner], list(family.attr_sets[inner])), inner]
    return found


def asked(family):
    """Those within attributes of requests, each once."""
    return list(dict.fromkeys(
        name for operation, mode in calls(family)
        for name in nested(family, operation.attr_set, request_of(operation, mode))))


def borrows(family, space, names):
    """Whether a structure of these attributes needs a lifetime."""
    for name, attribute in space.items():
        if names is not None and name not in names:
            continue
        if attribute.type in ("string", "binary") or attribute.yaml.get("multi-attr"):
            return True
        if attribute.type == "nest" and borrows(
                family, family.attr_sets[attribute.yaml["nested-attributes"]], None):
            return True
    return False


def put(space, attribute):
    """Code that writes one attribute of `self` with `w`."""
    number = f"{snake(space.name)}::{upper(attribute.name)}"
    field = f"self.{snake(attribute.name)}"
    kind = attribute.type
    if kind == "flag":
        return f"if {field} {{ w.flag({number})?; }}\n"
    if kind == "nest":
        body = f"let mut nest = w.nest({number})?; value.put(&mut nest)?; nest.end();"
    elif kind == "string":
        body = f"w.string({number}, value)?;"
    elif kind == "binary":
        body = f"w.fill({number}, value)?;"
    elif "enum" in attribute.yaml:
        body = f"w.{WRITE[kind]}({number}, value as {RUST[kind]})?;"
    else:
        star = "*" if attribute.yaml.get("multi-attr") else ""
        body = f"w.{WRITE[kind]}({number}, {star}value)?;"
    if attribute.yaml.get("multi-attr"):
        return f"for value in {field} {{ {body} }}\n"
    reference = "&" if kind == "nest" else ""
    return f"if let Some(value) = {reference}{field} {{ {body} }}\n"


def structure(family, name, space, names, text):
    """A structure that writes itself."""
    life = "<'a>" if borrows(family, space, names) else ""
    out = "\n" + doc(text) + "#[derive(Clone, Default)]\n"
    out += f"pub(crate) struct {name}{life} {{\n"
    chosen = [space[one] for one in (names if names is not None else space)]
    for attribute in chosen:
        kind, _ = field_type(family, attribute, "'a")
        out += doc(attribute.yaml.get("doc"), "    ")
        out += f"    pub(crate) {snake(attribute.name)}: {kind},\n"
    out += "}\n\n"
    out += f"impl {name}{'<' + chr(39) + '_>' if life else ''} {{\n"
    out += "    /// Nothing is known.\n"
    out += "    pub(crate) const NONE: Self = Self {\n"
    for attribute in chosen:
        kind = field_type(family, attribute, "'a")[0]
        empty = "false" if kind == "bool" else "&[]" if kind.startswith("&") else "None"
        out += f"        {snake(attribute.name)}: {empty},\n"
    out += "    };\n\n"
    out += "    /// Writes it.\n    ///\n    /// # Errors\n    ///\n    /// `EMSGSIZE` if there is no room.\n"
    out += "    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {\n"
    for attribute in chosen:
        out += "        " + put(space, attribute)
    return out + "        Ok(())\n    }\n}\n"


def policy(family, space, names):
    """A policy table, and constants for its bounds."""
    ranges, entries = "", {}
    for name in names:
        attribute = space[name]
        kind = attribute.type
        if kind in ("u8", "u16", "u32", "uint"):
            limits = bounds(family, attribute)
            if limits:
                constant = upper(f"{space.name}-{name}-range")
                ranges += f"const {constant}: Range = Range::new({limits[0]}, {limits[1]});\n"
                entries[attribute.value] = f"Policy::{kind}_in(&{constant})"
            else:
                entries[attribute.value] = f"Policy::{kind.upper()}"
        elif kind in ("s32", "flag"):
            entries[attribute.value] = f"Policy::{kind.upper()}"
        elif kind == "string":
            length = attribute.yaml.get("checks", {}).get("max-len", 0)
            entries[attribute.value] = f"Policy::string({length})"
        elif kind == "nest":
            inner = upper(f"{attribute.yaml['nested-attributes']}-policy")
            entries[attribute.value] = f"Policy::nested({inner})"
        else:
            raise SystemExit(f"{space.name}: {name}: no policy for a {kind} in a request")
    table = [entries.get(number, "Policy::UNSPEC") for number in range(max(entries, default=-1) + 1)]
    return ranges, "&[" + ", ".join(table) + "]"


def command(family, operation, mode):
    name = camel(operation.name) + camel(mode)
    space, names = operation.attr_set, request_of(operation, mode)
    nests = [one for one in names if space[one].type == "nest"]
    life = "<'a>" if nests or borrows(family, space, names) else ""
    ranges, table = policy(family, space, names)
    flags = operation.yaml.get("flags", [])
    permission = "NamespaceAdmin" if "uns-admin-perm" in flags else \
        "Admin" if "admin-perm" in flags else "Any"

    out = "\n" + doc(f"A request of `{operation.name}`{' for a dump' if mode == 'dump' else ''}.")
    if names:
        out += f"pub(crate) struct {name}Request{life} {{\n"
        for one in names:
            out += doc(space[one].yaml.get("doc"), "    ")
            out += f"    pub(crate) {snake(one)}: {request_type(family, space[one])},\n"
        out += "}\n"
    else:
        out += f"pub(crate) struct {name}Request;\n"
    out += "\n" + doc(operation.yaml["doc"]) + f"pub(crate) struct {name};\n\n"
    out += f"impl Spec for {name} {{\n    type Family = Ferronic;\n"
    out += f"    type Request<'a> = {name}Request{life};\n"
    out += f"    const COMMAND: u8 = {operation.value};\n"
    out += f"    const PERMISSION: Permission = Permission::{permission};\n"
    out += f"    const POLICY: &'static [Policy] = {table};\n\n"
    many = [f"{snake(space.name)}::{upper(one)}" for one in nests if space[one].yaml.get("multi-attr")]
    if many:
        out = out[:-1] + f"    const MULTI: &'static [u16] = &[{', '.join(many)}];\n\n"
    if not names:
        out += "    fn parse<'a>(_: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {\n"
        return ranges, out + f"        Ok({name}Request)\n    }}\n}}\n"
    out += "    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {\n"
    if len(many) < len(names):
        out += "        let attributes = context.attributes();\n"
    out += f"        Ok({name}Request {{\n"
    for one in names:
        number = f"{snake(space.name)}::{upper(one)}"
        get = f"attributes.get(usize::from({number}))"
        if number in many:
            value = f"context.nests({number})"
        elif space[one].type == "nest":
            inner = camel(space[one].yaml["nested-attributes"]) + "Item"
            value = f"{get}.map(|a| {inner}::parse(a, &context.extack())).transpose()?"
        elif space[one].type == "flag":
            value = f"{get}.is_some()"
        elif "enum" in space[one].yaml:
            value = f"{get}.map(|a| {camel(space[one].yaml['enum'])}::from_number(a.{space[one].type}()?)).transpose()?"
        else:
            value = f"{get}.map(|a| a.{space[one].type}()).transpose()?"
        out += f"            {snake(one)}: {value},\n"
    return ranges, out + "        })\n    }\n}\n"


def generate(family):
    out = HEADER
    version = family.yaml.get("version", 1)
    out += f"""
/// The family.
pub(crate) struct Ferronic;

impl Family for Ferronic {{
    const NAME: &'static CStr = c"{family.name}";
    const VERSION: u8 = {version};
    const OPS: &'static [Op<Self>] = &[
"""
    for operation, mode in calls(family):
        kind = "run" if mode == "do" else "dump"
        out += f"        Op::{kind}::<{camel(operation.name)}{camel(mode)}>(),\n"
    out += "    ];\n    const GROUPS: &'static [Group] = &["
    out += ", ".join(f'Group::{"restricted" if is_restricted(group) else "new"}(c"{name}")'
                     for name, group in family.mcast_groups.items()) + "];\n}\n"

    out += "\n/// Multicast groups, by their place in the family.\npub(crate) mod group {\n"
    for place, name in enumerate(family.mcast_groups):
        out += f"    /// {name}\n    pub(crate) const {upper(name)}: usize = {place};\n"
    out += "}\n\n/// Commands of notifications.\npub(crate) mod notification {\n"
    for name, operation in family.ntfs.items():
        out += doc(operation.yaml["doc"], "    ")
        out += f"    pub(crate) const {upper(name)}: u8 = {operation.value};\n"
    out += "}\n"

    for name, entry in family.consts.items():
        if not hasattr(entry, "entries"):
            out += "\n" + doc(entry.get("doc"))
            out += f"pub(crate) const {upper(name)}: usize = {entry['value']};\n"
    for entry in family.consts.values():
        if hasattr(entry, "entries"):
            out += enumeration(entry)
    for space in family.attr_sets.values():
        out += attribute_numbers(space)

    told = {attribute for operation, mode in calls(family) for attribute in nested(
        family, operation.attr_set, reply_of(operation, mode))}
    for name in family.attr_sets:
        if name in told:
            space = family.attr_sets[name]
            out += structure(family, camel(name), space, None, space.yaml.get("doc"))

    for operation in family.ntfs.values():
        if "event" in operation.yaml:
            out += structure(family, camel(operation.name), operation.attr_set,
                             operation.yaml["event"]["attributes"], operation.yaml["doc"])

    seen = set()
    ranges = {}
    for name in asked(family):
        space = family.attr_sets[name]
        bound, table = policy(family, space, list(space))
        for line in bound.splitlines():
            ranges[line] = None
        ranges[f"const {upper(name + '-policy')}: &[Policy] = {table};"] = None
        out += item(family, space)
    for operation, mode in calls(family):
        reply = reply_of(operation, mode)
        if reply and operation.name not in seen:
            seen.add(operation.name)
            out += structure(family, camel(operation.name) + "Reply", operation.attr_set, reply,
                             f"An answer to `{operation.name}`, and what notifications of it say.")
        bound, code = command(family, operation, mode)
        for line in bound.splitlines():
            ranges[line] = None
        out += code
    return out + "\n" + "\n".join(ranges) + "\n"
