# SPDX-License-Identifier: GPL-2.0
"""Results against a baseline.

On the same kernel, processor and emulator, values are compared as they are. Where
one of them is another, the ground has moved: then ratios to the peer are compared,
and a figure without them isn't.
"""

from results import OURS

WORSE = 0.03
GROUND = "kernel", "processor", "emulator"


def baseline_of(results):
    """What is kept of results: everything but the single batches."""
    kept = {key: value for key, value in results.items() if key != "figures"}
    kept["figures"] = {
        name: {**figure, "rows": {
            word: {key: round(value, 6) if isinstance(value, float) else value
                   for key, value in row.items() if key not in ("batches", "stacks", "lost")}
            for word, row in figure["rows"].items()}}
        for name, figure in results["figures"].items()}
    return kept


def moved(results, baseline):
    """What of the ground isn't what it was."""
    return [key for key in GROUND if results.get(key) != baseline.get(key)]


def compared(results, baseline):
    """Every row of ours that is in both: figure, row, before, now, share by which
    it is worse (negative: better), and how much worse is still taken."""
    key = "ratio" if moved(results, baseline) else "value"
    for name, figure in baseline["figures"].items():
        if not figure["tolerance"]:
            continue
        for word, row in figure["rows"].items():
            now = results["figures"].get(name, {}).get("rows", {}).get(word, {})
            if word in OURS and key in row and key in now:
                yield name, word, row[key], now[key], now[key] / row[key] - 1, \
                    max(WORSE, figure["tolerance"])


def absent(results, baseline, all_of_it):
    """Rows of ours that the baseline has and the results have not: of the figures
    that were measured, or of all."""
    return [f"{name} {word}" for name, figure in baseline["figures"].items()
            if all_of_it or name in results["figures"]
            for word, row in figure["rows"].items()
            if word in OURS and "value" in row
            and "value" not in results["figures"].get(name, {}).get("rows", {}).get(word, {})]
