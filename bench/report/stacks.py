# SPDX-License-Identifier: GPL-2.0
"""From call stacks to a tree, a table of functions and a flame graph."""

import html
import re
import subprocess


class Node:
    """A function as called by the one above it: samples in it and below it."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.total, self.own, self.children = 0, 0, {}

    def child(self, name, kind):
        if name not in self.children:
            self.children[name] = Node(name, kind)
        return self.children[name]


# Where a CPU stands that has nothing to do.
IDLE = {"pv_native_safe_halt", "native_safe_halt", "default_idle", "acpi_safe_halt", "mwait_idle"}


def busy(stacks):
    """The stacks of CPUs that did something, and how many samples there were of others."""
    taken = [(stack, count) for stack, count in stacks if stack[-1] not in IDLE]
    return taken, sum(count for _, count in stacks) - sum(count for _, count in taken)


def demangled(tool, names):
    """Names as the language writes them; `tool` is the command of the tool chain."""
    if not names:
        return {}
    done = subprocess.run([*tool, "c++filt"], input="\n".join(names), stdout=subprocess.PIPE, text=True,
                          check=True)
    # Without what the compiler adds to a crate's name.
    return {name: re.sub(r"\[[0-9a-f]{16}\]", "", line)
            for name, line in zip(names, done.stdout.splitlines())}


def inlined(tool, module, offsets):
    """What stands at each offset into the module's .text: functions, outermost
    first, those that were inlined into the ones before them."""
    if not offsets:
        return {}
    done = subprocess.run([*tool, "addr2line", "-a", "-i", "-f", "-C", "-j", ".text", "-e", module],
                          input="\n".join(offsets), stdout=subprocess.PIPE, text=True, check=True)
    found, current = {}, None
    lines = iter(done.stdout.splitlines())
    for line in lines:
        if line.startswith("0x"):
            current = found.setdefault(int(line, 16), [])
        else:
            current.insert(0, line)
            next(lines)         # file and line
    return {word: found.get(int(word, 16), []) for word in offsets}


def closing(name, at):
    """Where the angle bracket that opens at `at` is closed."""
    depth = 0
    for i in range(at, len(name)):
        depth += {"<": 1, ">": -1}.get(name[i], 0) if name[i - 1:i + 1] != "->" else 0
        if not depth:
            return i
    return len(name)


def shortened(name):
    """A name without type arguments and traits: `<a::B<c> as d::E>::f::<g>` is `a::B::f`."""
    if name.startswith("<"):
        end = closing(name, 0)
        inner, rest = name[1:end], name[end + 1:]
        depth = 0
        for i, sign in enumerate(inner):
            depth += {"<": 1, ">": -1}.get(sign, 0)
            if not depth and inner.startswith(" as ", i):
                inner = inner[:i]
                break
        return shortened(inner) + shortened(rest)
    at = name.find("<")
    if at < 0:
        return name
    return name[:at].removesuffix("::") + shortened(name[closing(name, at) + 1:])


def tree(stacks, tool, module=None):
    """All stacks as one tree; given the module's file, with what the compiler has
    inlined into its functions as functions of their own."""
    frames = {frame for stack, _ in stacks for frame in stack}
    ours = sorted(frame for frame in frames if "@" in frame)
    names = demangled(tool, sorted(frame for frame in frames if "@" not in frame))
    own_names = demangled(tool, sorted({frame.partition("@")[0] for frame in ours}))
    offsets = sorted({frame.partition("@")[2] for frame in ours})
    lines = inlined(tool, module, offsets) if module else dict.fromkeys(offsets, ())

    def expanded(frame):
        symbol, _, offset = frame.partition("@")
        if not offset:
            return [(names[frame], "user" if frame == "user space" else "kernel")]
        within = [name for name in lines[offset] if name != "??"]
        return [(shortened(name), "module") for name in within or [own_names[symbol]]]

    root = Node("all", "kernel")
    for stack, count in stacks:
        node = root
        node.total += count
        for frame in stack:
            for name, kind in expanded(frame):
                node = node.child(name, kind)
                node.total += count
        node.own += count
    return root


def functions(root):
    """Samples of each function: (name, kind) -> [own, with what it calls]."""
    found = {}

    def walk(node, above):
        key = node.name, node.kind
        entry = found.setdefault(key, [0, 0])
        entry[0] += node.own
        if key not in above:
            entry[1] += node.total
        for child in node.children.values():
            walk(child, above | {key})

    for child in root.children.values():
        walk(child, frozenset())
    return found


def table(root, value, unit, kinds, count=40):
    """The functions of such kinds with the highest share of their own, as text."""
    found = sorted((item for item in functions(root).items() if item[0][1] in kinds),
                   key=lambda item: -item[1][0])
    lines = [f"{'own':>7} {'total':>7}  {'own':>9} {'total':>9}  function",
             f"{'':>15}  {'instructions per ' + unit:>19}"]
    for (name, kind), (own, total) in found[:count]:
        a, b = own / root.total, total / root.total
        mark = {"module": "*", "user": "u"}.get(kind, " ")
        lines.append(f"{a:7.2%} {b:7.2%}  {a * value:9.4g} {b * value:9.4g}  {mark} {name}")
    return "\n".join(lines)


COLOURS = {"module": "#e8743b", "kernel": "#9db7d5", "user": "#b5c99a"}
WIDTH, LINE, LEFT, TOP = 1400, 18, 10, 56


def flame(root, title, value, unit):
    """The tree as a picture: each function as wide as its share, callers below."""
    out = []

    def depth(node):
        return 1 + max((depth(child) for child in node.children.values()
                        if child.total >= root.total / WIDTH), default=0)

    height = TOP + (depth(root) + 1) * LINE

    def draw(node, x, level):
        width = node.total / root.total * (WIDTH - 2 * LEFT)
        if width < 0.7:
            return
        y = height - (level + 1) * LINE - 6
        share = node.total / root.total
        room = int((width - 6) / 6.9)
        label = node.name if len(node.name) <= room else node.name[:max(room - 2, 0)] + ".." if room > 4 else ""
        out.append(
            f'<g><title>{html.escape(node.name)}: {share:.2%}, {share * value:.4g} instructions per '
            f'{unit} ({node.own / root.total:.2%} its own)</title>'
            f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.3):.1f}" height="{LINE - 1}" rx="2" '
            f'fill="{COLOURS[node.kind]}"/>'
            f'<text x="{x + 3:.1f}" y="{y + 13}">{html.escape(label)}</text></g>')
        for child in sorted(node.children.values(), key=lambda child: child.name):
            draw(child, x, level + 1)
            x += child.total / root.total * (WIDTH - 2 * LEFT)

    draw(root, LEFT, 0)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'font-family="monospace" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="16" font-family="sans-serif">{html.escape(title)}</text>',
        f'<text x="{LEFT}" y="42" font-family="sans-serif" fill="#555555">{root.total} samples; '
        f'orange: ferronic, with what the compiler inlined; blue: the kernel; callers below</text>',
        *out, "</svg>", ""])
