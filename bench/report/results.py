# SPDX-License-Identifier: GPL-2.0
"""What was measured, as numbers that a person can compare.

    results["figures"][FIGURE]["rows"][ROW] = {"batches": [[nanoseconds, units], ...], ...}

and what follows from the batches: `value` is their median, in nanoseconds (under
--icount: instructions) per unit, `spread` the largest distance of a batch from it,
as a share of it; `ratio` is that to the peer's value; `above` the share of the
value that isn't the floor's too, and `grown` the ratio to the same row of the figure
that this one may be so many times as much as. A figure may name a peer of its own.
"""

import json
import statistics

OURS = "nic", "handoff", "hooks"


def collect(lines):
    """The results of a run, from the objects that the guest printed."""
    results = {"figures": {}}
    for line in lines:
        item = json.loads(line)
        name, row = item.pop("figure", None), item.pop("row", None)
        if name is None:
            results.update(item)
        elif row is None:
            results["figures"][name] = {**item, "rows": {}}
        else:
            results["figures"][name]["rows"][row] = item
    for figure in results["figures"].values():
        reckon(figure, results["floor"], peer_of(figure, results))
    for figure in results["figures"].values():
        grow(figure, results["figures"])
    return results


def peer_of(figure, results):
    """What the rows of a figure are compared with."""
    return figure.get("peer") or results["peer"]


def grow(figure, figures):
    """Adds to ours by how much they are more than in a figure of fewer."""
    fewer = figures.get((figure["grows"] or [None])[0], {"rows": {}})["rows"]
    for word in OURS:
        row, less = figure["rows"].get(word, {}), fewer.get(word, {})
        if row.get("value") and less.get("value"):
            row["grown"] = row["value"] / less["value"]


def reckon(figure, floor, peer):
    """Adds to each row of a figure what follows from its batches."""
    rows = figure["rows"]
    for row in rows.values():
        if "batches" in row:
            each = [time / units for time, units in row["batches"]]
            row["value"] = statistics.median(each)
            row["spread"] = max(abs(value - row["value"]) for value in each) / (row["value"] or 1)
    for row in rows.values():
        if "value" in row:
            if rows.get(peer, {}).get("value"):
                row["ratio"] = row["value"] / rows[peer]["value"]
            if row["value"] and "value" in rows.get(floor, {}) and row is not rows[floor]:
                row["above"] = 1 - rows[floor]["value"] / row["value"]


def faults(results):
    """What is wrong with the results themselves, a line each."""
    found = []
    for name, figure in results["figures"].items():
        for word, row in figure["rows"].items():
            if "fault" in row:
                found.append(f"{name} {word}: {row['fault']}")
            elif figure["tolerance"] and row["spread"] > figure["tolerance"]:
                found.append(f"{name} {word}: batches differ by {row['spread']:.1%} from their "
                             f"median, more than {figure['tolerance']:.0%}")
    return found


def missed(results):
    """Goals that aren't reached: figure, row, ratio, what it is to, goal."""
    found = []
    for name, figure in results["figures"].items():
        for word, row in figure["rows"].items():
            if "ratio" in row and row["ratio"] > figure["goals"].get(word, row["ratio"]):
                peer = peer_of(figure, results)
                found.append((name, word, row["ratio"], peer, figure["goals"][word]))
            if "grown" in row and row["grown"] > figure["grows"][1]:
                found.append((name, word, row["grown"], *figure["grows"]))
            if word in OURS and figure["limit"] and row.get("value", 0) > figure["limit"]:
                found.append((name, word, row["value"] / figure["limit"], "the limit", 1))
    return found
