# SPDX-License-Identifier: GPL-2.0
"""Batches measured in turns, as ratios between rows of the same turn."""

import math
import statistics

import table


def interval(values, confidence=0.95):
    """An interval that holds the median with at least that confidence, whatever the
    values' distribution: from the k-th smallest to the k-th largest, for the largest
    k that will do. With too few values it is all of them."""
    ordered, n = sorted(values), len(values)
    k, outside = 1, 2 * 0.5 ** n
    while k < n // 2:
        outside += 2 * math.comb(n, k) * 0.5 ** n
        if outside > 1 - confidence:
            break
        k += 1
    return ordered[k - 1], ordered[n - k]


def ratios(row, other):
    """Row to other, turn by turn."""
    return [(time / units) / (time1 / units1)
            for (time, units), (time1, units1) in zip(row["batches"], other["batches"])]


def scaling(results, name, word):
    """How many times as fast as a single CPU the CPUs of scale/N are."""
    one = results["figures"].get("scale/1", {}).get("rows", {}).get(word, {})
    if not name.startswith("scale/") or name == "scale/1" or "batches" not in one:
        return ""
    times = statistics.median(ratios(one, results["figures"][name]["rows"][word]))
    return f"  {times:.2f} times scale/1"


def cell(results, name, word):
    """A row's ratio to the peer, or the peer's value, for a table."""
    rows = results["figures"][name]["rows"]
    row, peer = rows.get(word, {}), rows.get(results["peer"], {})
    if "batches" not in row:
        return "fault" if row else ""
    if word == results["peer"]:
        out = table.value(row["value"])
    else:
        each = ratios(row, peer)
        low, high = interval(each)
        out = f"{statistics.median(each):.2f} ({low:.2f} to {high:.2f})"
    return f"{out}{scaling(results, name, word).replace('  ', ', ')}"


def markdown(results):
    """All figures as a table of Markdown."""
    words, peer = list(results["rows"]), results["peer"]
    lines = ["### By the clock", "",
             f"ferronic {results['commit']}, {results['date']}; Linux {results['kernel']}, "
             f"{results['cpus']} × {results['processor']}, {results['emulator']}. {peer}'s is a value, the "
             f"others' the ratio to it with the interval that holds the median with 95 %.", "",
             "| | " + " | ".join(words) + " |", "|---|" + "---:|" * len(words)]
    for name, figure in results["figures"].items():
        lines.append(f"| {figure['title']}, {results['counts']} per {figure['unit']} | " +
                     " | ".join(cell(results, name, word) for word in words) + " |")
    return "\n".join(lines) + "\n"


def text(results):
    """All figures: medians, and ratios to the peer with their intervals."""
    lines, peer = [], results["peer"]
    for name, figure in results["figures"].items():
        rows = {word: row for word, row in figure["rows"].items() if "value" in row}
        lines.append(f"{name}: {figure['title']}; {results['counts']} per {figure['unit']}, "
                     f"ratio to {peer}")
        for word, row in rows.items():
            line = f"  {word:10} {table.value(row['value']):>10}"
            if word != peer and peer in rows:
                each = ratios(row, rows[peer])
                low, high = interval(each)
                line += f"  {statistics.median(each):5.2f}  [{low:.2f} .. {high:.2f}]"
            line += scaling(results, name, word)
            lines.append(line)
        lines += [f"  {word}: {row['fault']}" for word, row in figure["rows"].items() if "fault" in row]
        lines.append("")
    return "\n".join(lines)
