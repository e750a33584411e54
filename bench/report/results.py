# SPDX-License-Identifier: GPL-2.0
"""What was measured, as numbers that a person can compare.

    results["figures"][FIGURE]["rows"][ROW] = {"batches": [[nanoseconds, units], ...], ...}

and what follows from the batches: `value` is their median, in nanoseconds (under
--icount: instructions) per unit, `spread` the largest distance of a batch from it,
as a share of it; `ratio` is that to the peer's value; `above` the share of the
value that isn't the floor's too.
"""

import json
import statistics


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
        reckon(figure, results["floor"], results["peer"])
    return results


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
    """Goals that aren't reached: figure, row, ratio, goal."""
    return [(name, word, row["ratio"], figure["goals"][word])
            for name, figure in results["figures"].items()
            for word, row in figure["rows"].items()
            if "ratio" in row and row["ratio"] > figure["goals"].get(word, row["ratio"])]
