// SPDX-License-Identifier: GPL-2.0

//! The picture: a row for each stage, all over one logarithmic scale of time.

use super::{bounds, decades, range, time, Stage};
use std::fmt::Write;

/// Where things are, in pixels.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 84.0;
const ROW: f64 = 46.0;
const BAR: f64 = 34.0;
/// Right edges of the columns of numbers.
const COLUMNS: [(f64, &str); 4] = [
    (760.0, "packets"),
    (822.0, "median"),
    (884.0, "p99"),
    (946.0, "longest"),
];

const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #24292f }
.head { font-size: 16px; font-weight: 600 }
.faint { fill: #6e7781 }
.right { text-anchor: end }
.middle { text-anchor: middle }
.grid { stroke: #d0d7de; stroke-width: 1 }
.bar { fill: #2f6f9f }
.median { stroke: #c4501b; stroke-width: 2 }
.back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #d7dde3 } .faint { fill: #8b949e } .grid { stroke: #30363d }
.bar { fill: #6cb1e0 } .median { stroke: #ff9e64 } .back { fill: #0d1117 }
}
";

/// A text as it may stand in a picture.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The picture of a port's stages.
pub fn draw(port: &str, summary: &str, stages: &[Stage]) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, port, summary, stages);
    out
}

fn write(out: &mut String, port: &str, summary: &str, stages: &[Stage]) -> std::fmt::Result {
    let shown: Vec<_> = stages.iter().filter(|s| s.packets != 0).collect();
    let bottom = TOP + ROW * shown.len() as f64;
    let height = bottom + 24.0;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\">\n<style>\n{STYLE}</style>\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>"
    )?;
    writeln!(
        out,
        "<text class=\"head\" x=\"14\" y=\"26\">{}: latency of each stage</text>\n\
         <text class=\"faint\" x=\"14\" y=\"46\">{}</text>",
        escape(port),
        escape(summary)
    )?;
    if let Some((first, last)) = range(stages) {
        let start = (bounds(first).0.max(32) as f64).ln();
        let end = (bounds(last).1 as f64).ln();
        let x = |ns: u64| {
            let at = (ns.max(32) as f64).ln();
            LEFT + (at - start) / (end - start) * (RIGHT - LEFT)
        };
        for (edge, name) in COLUMNS {
            writeln!(
                out,
                "<text class=\"faint right\" x=\"{edge}\" y=\"{}\">{name}</text>",
                TOP - 12.0
            )?;
        }
        for (ns, label) in decades(first, last) {
            let at = x(ns);
            writeln!(
                out,
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\n\
                 <text class=\"faint middle\" x=\"{at:.1}\" y=\"{:.1}\">{label}</text>",
                TOP - 12.0
            )?;
        }
        for (number, stage) in shown.iter().enumerate() {
            row(
                out,
                stage,
                TOP + ROW * (number + 1) as f64 - 6.0,
                (first, last),
                &x,
            )?;
        }
    }
    writeln!(out, "</svg>")
}

/// A stage whose bars stand at height `base`.
fn row(
    out: &mut String,
    stage: &Stage,
    base: f64,
    (first, last): (usize, usize),
    x: &impl Fn(u64) -> f64,
) -> std::fmt::Result {
    let middle = base - BAR / 2.0 + 4.0;
    writeln!(
        out,
        "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{base}\" y2=\"{base}\"/>\n\
         <text class=\"right\" x=\"{}\" y=\"{middle}\">{}</text>",
        LEFT - 12.0,
        escape(&stage.name)
    )?;
    for (share, at) in stage.shares(first, last).into_iter().zip(first..) {
        if share == 0.0 {
            continue;
        }
        let (low, high) = bounds(at);
        let tall = (share * BAR).max(1.0);
        let wide = (x(high) - x(low) - 1.0).max(1.0);
        let packets: u64 = stage
            .buckets
            .iter()
            .filter(|b| b.0 == low)
            .map(|b| b.1)
            .sum();
        writeln!(
            out,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{tall:.1}\">\
             <title>{} to {}: {packets}</title></rect>",
            x(low),
            base - tall,
            time(low),
            time(high)
        )?;
    }
    if let Some(median) = stage.quantiles[0] {
        let at = x(median);
        writeln!(
            out,
            "<line class=\"median\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{base}\"/>",
            base - BAR
        )?;
    }
    let told = |ns: Option<u64>| ns.map_or("-".into(), time);
    let numbers = [
        stage.packets.to_string(),
        told(stage.quantiles[0]),
        told(stage.quantiles[2]),
        time(stage.longest),
    ];
    for ((edge, _), text) in COLUMNS.iter().zip(numbers) {
        writeln!(
            out,
            "<text class=\"right\" x=\"{edge}\" y=\"{middle}\">{text}</text>"
        )?;
    }
    Ok(())
}
