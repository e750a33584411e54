# SPDX-License-Identifier: GPL-2.0
"""Results as one page with plots, for a browser; nothing is loaded from elsewhere."""

import html

from results import peer_of
from table import value as shown

COLOURS = {"dummy": "#b8b8b8", "veth": "#4878a8", "veth-gro": "#7fa8cf", "netkit": "#76a886",
           "nic": "#e8743b", "handoff": "#8c2d62", "tap": "#9a86b0", "nft": "#76a886", "nft-set": "#a9c7a0", "hooks": "#e8743b"}
OTHER = "#888888"
GROUPS = {"udp": "Datagrams", "tcp": "Streams and round trips", "flows": "Flows and channels",
          "control": "Creating and deleting", "gap": "Reconfiguring under traffic",
          "memory": "Memory", "rules": "Rules"}

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 1180px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 26px; margin-bottom: 0 } h2 { font-size: 20px; margin: 2em 0 .4em; border-bottom: 1px solid #ddd }
p { margin: .5em 0; max-width: 52em } .small { color: #666; font-size: 13px }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(540px, 1fr)); gap: 18px 28px }
.card h3 { font-size: 14px; margin: 0 0 2px; font-weight: 600 } .card .name { color: #777; font-weight: 400 }
svg { display: block; max-width: 100% } svg text { font-family: system-ui, sans-serif }
.fault { color: #b00020 }
"""

# A card's plot, in pixels.
LABEL, BARS, TAIL, STEP = 76, 290, 184, 22


def text(x, y, words, size=12, anchor="start", colour="#222", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}">{html.escape(words)}</text>')


def line(x0, y0, x1, y1, colour="#222", dash="", width=1.0):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"{dashes}/>')


def svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}">{"".join(parts)}</svg>')


def bars(figure, peer):
    """One figure: a bar for each row, the peer's value as a line, goals as marks."""
    rows = {word: row for word, row in figure["rows"].items() if "value" in row}
    if not rows:
        return ""
    peer_value = rows.get(peer, {}).get("value")
    goals = {word: goal * peer_value for word, goal in figure["goals"].items()
             if peer_value and word in rows}
    most = max([row["value"] for row in rows.values()] + list(goals.values())) * 1.02
    height = len(rows) * STEP + 6
    parts = []
    for i, (word, row) in enumerate(rows.items()):
        y, width = i * STEP + 3, row["value"] / most * BARS
        parts.append(text(LABEL - 8, y + 14, word, anchor="end"))
        parts.append(f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{STEP - 5}" '
                     f'fill="{COLOURS.get(word, OTHER)}"><title>{row["value"]:.6g} ± {row["spread"]:.2%}'
                     f'</title></rect>')
        if word in goals:
            x = LABEL + goals[word] / most * BARS
            parts.append(line(x, y - 2, x, y + STEP - 3, "#111", width=2.5))
        ratio = f" · {row['ratio']:.2f}×" if "ratio" in row and word != peer else ""
        goal = f" (goal {figure['goals'][word]:.2f})" if word in goals else ""
        parts.append(text(LABEL + BARS + 8, y + 14, shown(row["value"]) + ratio + goal))
    if peer_value:
        x = LABEL + peer_value / most * BARS
        parts.append(line(x, 0, x, height, COLOURS.get(peer, OTHER), "3 3"))
    return svg(LABEL + BARS + TAIL, height, parts)


def overview(results):
    """Ours relative to the peer, over all figures that have both: one line each."""
    peer = results["peer"]
    names = [name for name, figure in results["figures"].items()
             if figure["group"] not in ("memory", "gap") and any("ratio" in figure["rows"].get(word, {}) for word in ("nic", "handoff"))]
    if not names:
        return ""
    low, high, label, width, step = 0.5, 3.0, 170, 760, 20
    height = len(names) * step + 40

    def at(ratio):
        return label + (min(max(ratio, low), high) - low) / (high - low) * width

    parts = []
    for tick in (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0):
        parts.append(line(at(tick), 18, at(tick), height - 16, "#4878a8" if tick == 1 else "#e2e2e2",
                          width=1.6 if tick == 1 else 1))
        parts.append(text(at(tick), 12, f"{tick:g}×", 11, "middle", "#666"))
    parts.append(text(at(1), height - 3, peer, 11, "middle", "#4878a8"))
    for i, name in enumerate(names):
        y = 28 + i * step
        figure = results["figures"][name]
        parts.append(text(label - 10, y + 4, name, 12, "end"))
        for word in "nic", "handoff":
            row = figure["rows"].get(word, {})
            if "ratio" not in row:
                continue
            goal = figure["goals"].get(word)
            if goal:
                parts.append(line(at(goal), y - 6, at(goal), y + 6, COLOURS[word], width=2.5))
            parts.append(f'<circle cx="{at(row["ratio"]):.1f}" cy="{y}" r="5" fill="{COLOURS[word]}">'
                         f'<title>{name} {word}: {row["ratio"]:.3f}</title></circle>')
            if row["ratio"] > high:
                parts.append(text(at(high) + 9, y + 4, f"{row['ratio']:.1f}×", 11))
    parts.append(f'<circle cx="{label + width + 60}" cy="30" r="5" fill="{COLOURS["nic"]}"/>')
    parts.append(text(label + width + 70, 34, "nic"))
    parts.append(f'<circle cx="{label + width + 60}" cy="50" r="5" fill="{COLOURS["handoff"]}"/>')
    parts.append(text(label + width + 70, 54, "handoff"))
    parts.append(line(label + width + 60, 62, label + width + 60, 76, "#444", width=2.5))
    parts.append(text(label + width + 70, 74, "goal"))
    return svg(label + width + 140, height, parts)


def page(results, faults):
    """The whole page."""
    figures = results["figures"]
    out = ["<!doctype html><html lang='en'><head><meta charset='utf-8'><title>ferronic: bench</title>",
           f"<style>{STYLE}</style></head><body>",
           "<h1>ferronic beside its peers</h1>",
           f"<p class='small'>ferronic {html.escape(results['commit'])}, {results['date']}, "
           f"Linux {html.escape(results['kernel'])}, {results['cpus']} × {html.escape(results['processor'])}, "
           f"{html.escape(results['emulator'])}</p>",
           f"<p>{html.escape(results['about'])} Shorter bars are better. The dashed line is "
           f"{results['peer']}; a black mark is the goal, where there is one.</p>"]
    out += [f"<p class='fault'>Fault: {html.escape(fault)}</p>" for fault in faults]
    drawn = overview(results)
    if drawn:
        out += [f"<h2>Relative to {results['peer']}</h2>", drawn]
    for group in dict.fromkeys(figure["group"] for figure in figures.values()):
        out.append(f"<h2>{GROUPS.get(group, group)}</h2><div class='cards'>")
        for name, figure in figures.items():
            if figure["group"] == group:
                out.append(f"<div class='card'><h3>{html.escape(figure['title'])} <span class='name'>"
                           f"{name}, {figure['counts'] or results['counts']} per {figure['unit']}</span></h3>"
                           f"{bars(figure, peer_of(figure, results))}</div>")
        out.append("</div>")
    rows = ", ".join(f"<b>{name}</b>: {html.escape(title)}" for name, title in results["rows"].items())
    out.append(f"<p class='small'>Rows: {rows}.</p></body></html>")
    return "\n".join(out) + "\n"
