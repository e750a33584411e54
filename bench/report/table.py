# SPDX-License-Identifier: GPL-2.0
"""Results as text."""

COLUMNS = "row", "value", "±", "to peer", "goal", "above floor"


def value(number):
    """With as many digits as mean something."""
    return f"{number:,.0f}" if number >= 1000 else f"{number:.1f}" if number >= 100 else f"{number:.2f}"


def goal(word, row, figure):
    """What the row is to stay below, and whether it does."""
    def met(is_met):
        return "met" if is_met else "missed"

    words = []
    if "ratio" in row and word in figure["goals"]:
        words.append(f"{figure['goals'][word]:.2f} {met(row['ratio'] <= figure['goals'][word])}")
    if "grown" in row:
        fewer, most = figure["grows"]
        words.append(f"{most:.2f} of {fewer} {met(row['grown'] <= most)} ({row['grown']:.2f})")
    if figure["limit"]:
        words.append(f"{value(figure['limit'])} {met(row['value'] <= figure['limit'])}")
    return ", ".join(words)


def cells(word, row, figure):
    """One row of a figure as texts, in the order of COLUMNS."""
    if "value" not in row:
        return [word, "fault", *[""] * (len(COLUMNS) - 2)]
    return [word, value(row["value"]),
            f"{row['spread']:.1%}" + ("!" if figure["tolerance"] and row["spread"] > figure["tolerance"] else ""),
            f"{row['ratio']:.2f}" if "ratio" in row else "",
            goal(word, row, figure),
            f"{row['above']:.0%}" if "above" in row else ""]


def text(results):
    """All figures as a table for a terminal."""
    lines = []
    for name, figure in results["figures"].items():
        table = [list(COLUMNS)] + [cells(word, row, figure) for word, row in figure["rows"].items()]
        widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
        lines.append(f"{name}: {figure['title']}; {figure['counts'] or results['counts']} per {figure['unit']}")
        for line in table:
            padded = [line[0].ljust(widths[0])] + [word.rjust(width) for word, width
                                                   in zip(line[1:], widths[1:])]
            lines.append("  " + "  ".join(padded).rstrip())
        lines.append("")
    return "\n".join(lines)
