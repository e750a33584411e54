// SPDX-License-Identifier: GPL-2.0

//! `ferronic latency`: how long sampled packets are in each stage of their way to a port, as a table with bars, as
//! JSON, and as a picture.

mod svg;

use crate::generated::{LATENCY_GET, LATENCY_RESET, SAMPLING_GET, SAMPLING_SET};
use crate::link::{reason, Error, Link};
use crate::spec::{number, Command, Object};
use clap::{Arg, ArgAction, ArgMatches, Command as Cli};
use pure::latency::{bucket, lower_bound, quantile, BUCKETS};
use serde_json::{json, Value};
use std::fs;
use std::io::{self, Write};

/// Quantiles that are told, in thousandths, and what they are called.
const QUANTILES: [(u32, &str); 3] = [(500, "median"), (900, "p90"), (990, "p99")];

/// Eighths of a line, from one to all.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub fn cli() -> Cli {
    Cli::new("latency")
        .about("Show how long sampled packets are in each stage of their way to a port, or sample them")
        .long_about(
            "Show how long sampled packets are in each stage of their way to a port, or sample them. A packet is in a \
             stage from when it comes there until it comes to the next one: from the sender's TX ring through GRO and \
             the hooks to where its transport protocol takes it.",
        )
        .arg(
            Arg::new("port")
                .value_name("PORT")
                .required(true)
                .help("Name or number of the port that the packets come to"),
        )
        .arg(
            Arg::new("sample")
                .long("sample")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Sample one packet in N from now on, and count anew"),
        )
        .arg(
            Arg::new("flows")
                .long("flows")
                .requires("sample")
                .action(ArgAction::SetTrue)
                .help("Choose flows rather than packets: one in N, with all of its packets"),
        )
        .arg(
            Arg::new("seed")
                .long("seed")
                .value_name("SEED")
                .requires("sample")
                .value_parser(clap::value_parser!(u32))
                .help("What the choice is drawn from: the same seed, the same packets or flows"),
        )
        .arg(
            Arg::new("off")
                .long("off")
                .conflicts_with("sample")
                .action(ArgAction::SetTrue)
                .help("End sampling; what was counted stays"),
        )
        .arg(
            Arg::new("reset")
                .long("reset")
                .conflicts_with_all(["sample", "off"])
                .action(ArgAction::SetTrue)
                .help("Count anew"),
        )
        .arg(
            Arg::new("svg")
                .long("svg")
                .value_name("FILE")
                .conflicts_with_all(["sample", "off", "reset"])
                .help("Draw it into this file, too"),
        )
}

/// What a stage has counted.
struct Stage {
    name: String,
    packets: u64,
    /// Packets that were last seen there; `None` for the whole way.
    lost: Option<u64>,
    /// Lower bounds of buckets in nanoseconds, and how many are in them.
    buckets: Vec<(u64, u64)>,
    longest: u64,
    /// As of [`QUANTILES`], nanoseconds.
    quantiles: [Option<u64>; QUANTILES.len()],
}

impl Stage {
    fn new(row: &Object) -> Stage {
        let longest = number(row, "longest");
        let list = row.get("bucket").and_then(Value::as_array);
        let buckets: Vec<_> = list
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .map(|b| (number(b, "from"), number(b, "packets")))
            .collect();
        let quantiles = QUANTILES.map(|(part, _)| quantile(buckets.iter().copied(), part, longest));
        Stage {
            name: row.get("stage").map_or("?".into(), crate::table::text),
            packets: number(row, "packets"),
            lost: row.get("lost").and_then(Value::as_u64),
            buckets,
            longest,
            quantiles,
        }
    }

    /// How full its buckets from `first` to `last` are, as parts of the fullest.
    fn shares(&self, first: usize, last: usize) -> Vec<f64> {
        let mut counts = vec![0; BUCKETS];
        for (from, packets) in &self.buckets {
            counts[bucket(*from)] += packets;
        }
        let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        counts[first..=last]
            .iter()
            .map(|n| *n as f64 / most)
            .collect()
    }
}

/// The first and the last bucket that any stage has something in.
fn range(stages: &[Stage]) -> Option<(usize, usize)> {
    let used = || {
        stages
            .iter()
            .flat_map(|s| s.buckets.iter().map(|b| bucket(b.0)))
    };
    Some((used().min()?, used().max()?))
}

/// A time for people, of three digits.
fn time(ns: u64) -> String {
    let (value, unit) = match ns {
        0..=999 => return format!("{ns} ns"),
        1_000..=999_999 => (ns as f64 / 1e3, "µs"),
        1_000_000..=999_999_999 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

/// Decades within a range of buckets: nanoseconds, and what stands there.
fn decades(first: usize, last: usize) -> impl Iterator<Item = (u64, String)> {
    let all = (2..11).map(|exponent| 10u64.pow(exponent));
    all.filter(move |ns| (first..=last).contains(&bucket(*ns)))
        .map(|ns| (ns, time(ns).replace(".00", "").replace(".0", "")))
}

/// What is said of the sampling in a line.
fn summary(sampling: &Object) -> String {
    let count = |name| number(sampling, name);
    let what = match sampling.get("unit").and_then(Value::as_str) {
        Some("flow") => "flow",
        _ => "packet",
    };
    let state = match count("one-in") {
        0 => "not sampled".into(),
        n => format!("one {what} in {n}, seed {}", count("seed")),
    };
    let mut words = vec![format!(
        "{} sampled of {}",
        count("samples"),
        count("packets")
    )];
    let ends = ["delivered", "forwarded", "merged", "lost"];
    let mut ended = 0;
    for end in ends {
        ended += count(end);
        if count(end) != 0 {
            words.push(format!("{} {end}", count(end)));
        }
    }
    match count("samples").saturating_sub(ended) {
        0 => (),
        n => words.push(format!("{n} on their way")),
    }
    format!("{state}; {}", words.join(", "))
}

/// A table, and under it the shapes, all over one scale.
fn print(out: &mut impl Write, port: &str, sampling: &Object, stages: &[Stage]) -> io::Result<()> {
    writeln!(out, "{port}: {}", summary(sampling))?;
    let Some((first, last)) = range(stages) else {
        return Ok(());
    };
    let quantiles = QUANTILES.map(|(_, name)| format!("{:>10}", name.to_uppercase()));
    writeln!(
        out,
        "{:11}  {:>9}  {:>9}{}{:>10}",
        "STAGE",
        "PACKETS",
        "LOST",
        quantiles.concat(),
        "LONGEST"
    )?;
    let seen = || stages.iter().filter(|s| s.packets != 0 || s.lost > Some(0));
    for stage in seen() {
        let times = stage
            .quantiles
            .map(|q| format!("{:>10}", q.map_or("-".into(), time)));
        writeln!(
            out,
            "{:11}  {:>9}  {:>9}{}{:>10}",
            stage.name,
            stage.packets,
            stage.lost.map_or("-".into(), |n| n.to_string()),
            times.concat(),
            time(stage.longest)
        )?;
    }
    let mut scale = String::new();
    for (ns, label) in decades(first, last) {
        let column = bucket(ns) - first;
        // Where the one before ends too late, this one is left out.
        if scale.chars().count() <= column {
            scale = format!("{scale:column$}|{label}");
        }
    }
    writeln!(out, "\n{:11}  {scale}", "")?;
    for stage in seen().filter(|s| s.packets != 0) {
        let bars = stage.shares(first, last).into_iter().map(|share| {
            let eighths = (share * BARS.len() as f64).ceil() as usize;
            eighths.checked_sub(1).map_or(' ', |at| BARS[at])
        });
        let line: String = bars.collect();
        writeln!(out, "{:11}  {}", stage.name, line.trim_end())?;
    }
    Ok(())
}

/// The same for programs: what the kernel says, with quantiles.
fn to_json(sampling: Object, rows: Vec<Object>, stages: &[Stage]) -> Value {
    let rows: Vec<_> = rows
        .into_iter()
        .zip(stages)
        .map(|(mut row, stage)| {
            for ((_, name), value) in QUANTILES.iter().zip(stage.quantiles) {
                if let Some(ns) = value {
                    row.insert((*name).into(), ns.into());
                }
            }
            row
        })
        .collect();
    json!({ "sampling": sampling, "stages": rows })
}

fn request(
    link: &mut Link,
    command: &'static Command,
    values: &[(&str, String)],
) -> Result<Vec<Object>, Error> {
    let attributes: Result<Vec<_>, _> = values
        .iter()
        .map(|(name, value)| crate::argument(command, name, value))
        .collect();
    link.request(command, attributes?)
}

pub fn run(link: &mut Link, json: bool, matches: &ArgMatches) -> Result<(), Error> {
    let port = matches.get_one::<String>("port").map_or("", String::as_str);
    let index = ("ifindex", crate::resolve(link, port)?);
    if matches.get_flag("reset") {
        request(link, &LATENCY_RESET, &[index])?;
        return Ok(());
    }
    let one_in = match matches.get_one::<u32>("sample") {
        _ if matches.get_flag("off") => Some(0),
        given => given.copied(),
    };
    if let Some(one_in) = one_in {
        let mut values = vec![index, ("one-in", one_in.to_string())];
        if matches.get_flag("flows") {
            values.push(("unit", "flow".into()));
        }
        if let Some(seed) = matches.get_one::<u32>("seed") {
            values.push(("seed", seed.to_string()));
        }
        request(link, &SAMPLING_SET, &values)?;
        return Ok(());
    }
    let sampling = request(link, &SAMPLING_GET, std::slice::from_ref(&index))?;
    let sampling = sampling.into_iter().next().unwrap_or_default();
    let ifindex = crate::argument(&LATENCY_GET, index.0, &index.1)?;
    let rows = link.dump(&LATENCY_GET, &[ifindex])?;
    let stages: Vec<_> = rows.iter().map(Stage::new).collect();
    if let Some(path) = matches.get_one::<String>("svg") {
        let picture = svg::draw(port, &summary(&sampling), &stages);
        fs::write(path, picture).map_err(|e| Error::Refused(format!("{path}: {}", reason(&e))))?;
    }
    let out = &mut io::stdout().lock();
    match json {
        true => writeln!(out, "{:#}", to_json(sampling, rows, &stages))?,
        false => print(out, port, &sampling, &stages)?,
    }
    Ok(())
}

/// The bounds of a bucket, nanoseconds; the last one ends where it would if there were another.
fn bounds(at: usize) -> (u64, u64) {
    let low = lower_bound(at);
    match at + 1 {
        BUCKETS => (low, low + low / 2),
        next => (low, lower_bound(next)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(buckets: &[(u64, u64)]) -> Stage {
        let list: Vec<_> = buckets
            .iter()
            .map(|(from, packets)| json!({ "from": from, "packets": packets }))
            .collect();
        let packets: u64 = buckets.iter().map(|b| b.1).sum();
        let row = json!({ "stage": "gro", "packets": packets, "lost": 0, "longest": 70_000, "bucket": list });
        Stage::new(row.as_object().unwrap())
    }

    #[test]
    fn times() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (12_340, "12.3 µs"),
            (999_499, "999 µs"),
            (50_000_000, "50.0 ms"),
            (17_000_000_000, "17.0 s"),
        ] {
            assert_eq!(time(ns), text);
        }
    }

    #[test]
    fn table() {
        let sampling = json!({ "one-in": 4, "seed": 7, "packets": 40, "samples": 12, "delivered": 10, "lost": 1 });
        let stages = [stage(&[(1024, 9), (65_536, 1)])];
        let mut out = vec![];
        print(&mut out, "fe0", sampling.as_object().unwrap(), &stages).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            "fe0: one packet in 4, seed 7; 12 sampled of 40, 10 delivered, 1 lost, 1 on their way"
        );
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[4].trim_start(), "|10 µs");
        assert_eq!(lines[5], format!("gro          █{}▁", " ".repeat(11)));
    }

    #[test]
    fn nothing() {
        let mut out = vec![];
        print(&mut out, "fe0", &Object::new(), &[stage(&[])]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "fe0: not sampled; 0 sampled of 0\n"
        );
    }

    #[test]
    fn picture() {
        let drawn = svg::draw(
            "a<b",
            "x & y",
            &[stage(&[(1024, 9), (65_536, 1)]), stage(&[])],
        );
        assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
        assert!(drawn.contains("a&lt;b") && drawn.contains("x &amp; y"));
        assert_eq!(drawn.matches("<rect class=\"bar\"").count(), 2);
        assert!(svg::draw("p", "", &[]).ends_with("</svg>\n"));
    }
}
