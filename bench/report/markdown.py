# SPDX-License-Identifier: GPL-2.0
"""Results as tables of Markdown: a table for each unit in each group of figures."""

from page import GROUPS
from results import peer_of
from table import value


def cell(word, figure, peer):
    """A row's value; its ratio to the peer, and whether that is what it should be."""
    row = figure["rows"].get(word, {})
    if "value" not in row:
        return "fault" if row else ""
    out = value(row["value"])
    if "ratio" in row and word != peer:
        goal = figure["goals"].get(word)
        out += f" ({row['ratio']:.2f}" + (f"; goal {goal:.2f}" if goal else "") + ")"
        if goal and row["ratio"] <= goal:
            out = f"**{out}**"
    return out


def text(results):
    """All groups."""
    lines = [f"ferronic {results['commit']}, {results['date']}; Linux {results['kernel']}, one "
             f"{results['processor']}, {results['emulator']}. In brackets the ratio to {results['peer']}, "
             "or to the first row that has a number; bold is a goal reached.", ""]
    figures = results["figures"]
    for group in dict.fromkeys(figure["group"] for figure in figures.values()):
        lines += [f"### {GROUPS.get(group, group)}", ""]
        these = {name: figure for name, figure in figures.items() if figure["group"] == group}
        words = [word for word in results["rows"]
                 if any(word in figure["rows"] for figure in these.values())]
        lines += ["| | " + " | ".join(words) + " |", "|---|" + "---:|" * len(words)]
        for name, figure in these.items():
            what = f"{figure['title']}, {figure['counts'] or results['counts']} per {figure['unit']}"
            lines.append(f"| {what} | " +
                         " | ".join(cell(word, figure, peer_of(figure, results)) for word in words) + " |")
        lines.append("")
    return "\n".join(lines)
