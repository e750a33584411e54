// SPDX-License-Identifier: GPL-2.0

//! What looking up a packet among rules costs.
//!
//! `cargo run --release --example lookups` prints instructions for each packet, counted by valgrind
//! (callgrind), and bytes and build time for lists of rules in up to 16 shapes.

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

#[path = "../tests/common/mod.rs"]
#[allow(dead_code)]
mod common;

use common::{
    compile,
    encode,
    Compiled,
    Random, //
};
use pure::rules::check::{
    Family,
    Hook,
    Point, //
};
use pure::rules::field::Field;
use pure::rules::packet::{
    Key,
    Packet,
    Start, //
};
use pure::rules::term::{
    Term,
    Test, //
};

const POINT: Point = Point {
    hook: Hook::Prerouting,
    family: Family::Ipv4,
};

/// What a shape looks at: fields, with the length of a prefix.
type Shape = &'static [(Field, u8)];

const SOURCE: Field = Field::SourceIpv4;
const TARGET: Field = Field::DestinationIpv4;
const PROTOCOL: (Field, u8) = (Field::Protocol, 8);
const PORT: (Field, u8) = (Field::DestinationPort, 16);

const SHAPES: [Shape; 16] = [
    &[(TARGET, 32), PROTOCOL, PORT],
    &[(SOURCE, 24), PROTOCOL, PORT],
    &[(TARGET, 24)],
    &[(SOURCE, 16), PORT],
    &[PROTOCOL, PORT],
    &[PROTOCOL, (Field::SourcePort, 16)],
    &[(SOURCE, 32)],
    &[(TARGET, 16), PROTOCOL],
    &[(SOURCE, 24), (TARGET, 24)],
    &[(SOURCE, 32), (TARGET, 32)],
    &[(TARGET, 32), PORT],
    &[(SOURCE, 16), (TARGET, 16), PROTOCOL, PORT],
    &[(SOURCE, 20), PROTOCOL, (Field::SourcePort, 16)],
    &[(TARGET, 28), (Field::Dscp, 6)],
    &[(SOURCE, 24), (TARGET, 32), PROTOCOL, PORT],
    &[(Field::Mark, 32), PROTOCOL],
];

/// A TCP packet from 10.0.0.1:40000 to 192.168.1.2:80; `bytes` is what it has.
fn packet(bytes: &[u8]) -> Packet<'_> {
    Packet {
        data: bytes,
        start: Start::Network {
            ethertype: 0x800,
            addresses: None,
        },
        length: bytes.len() as u32,
        tag: None,
        in_device: 2,
        out_device: 0,
        mark: 0,
        packet_type: 0,
        conntrack: None,
    }
}

fn bytes() -> Vec<u8> {
    let mut p = vec![
        0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 192, 168, 1, 2,
    ];
    p.extend([
        0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0,
    ]);
    p
}

/// A rule of a shape. What the packet has isn't in it, unless `matching`.
fn rule(r: &mut Random, shape: Shape, matching: bool) -> Vec<Term> {
    let bytes = bytes();
    let key = Key::read(&packet(&bytes), pure::rules::field::Fields::ALL);

    shape
        .iter()
        .map(|&(field, length)| {
            let there = key.get(field).expect("the packet has it");
            let value = match field {
                Field::Protocol => there,
                _ if matching => there,
                // Never the packet's: a bit in front is another one.
                _ => {
                    (r.wide() & field.highest() | 1 << (field.width() - 1))
                        ^ (there & 1 << (field.width() - 1))
                }
            };
            let value =
                value >> (field.width() - u32::from(length)) << (field.width() - u32::from(length));
            let test = if u32::from(length) == field.width() {
                Test::Value(value)
            } else {
                Test::Prefix { value, length }
            };
            Term {
                field,
                negated: false,
                test,
            }
        })
        .collect()
}

/// So many rules in so many shapes. The last matches the packet if `hit`.
fn rules(count: usize, shapes: usize, hit: bool) -> (Vec<u32>, Vec<u32>) {
    let r = &mut Random(1);
    let rules: Vec<_> = (0..count)
        .map(|n| rule(r, SHAPES[n % shapes], hit && n + 1 == count))
        .collect();

    encode(POINT, rules.iter().map(|terms| &terms[..]))
}

const PACKETS: u64 = 100;

/// What is counted: `what` is "read", or else look-ups.
#[inline(never)]
fn measured(compiled: &Compiled, packet: &Packet<'_>, what: &str) -> Option<u32> {
    let key = Key::read(packet, compiled.layout.fields());
    let mut found = None;

    if what == "read" {
        for _ in 0..PACKETS {
            black_box(&Key::read(black_box(packet), compiled.layout.fields()));
        }
    } else {
        for _ in 0..PACKETS {
            found = compiled.classifier().next(black_box(&key), 0);
        }
    }
    found
}

/// Runs this program under valgrind and returns how many instructions a packet took.
fn instructions(count: usize, shapes: usize, what: &str) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=lookups::measured"])
        .arg(env::current_exe().expect("this program has a name"))
        .args([&count.to_string(), &shapes.to_string(), what])
        .output()
        .expect("valgrind is installed");
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text
        .split("Collected : ")
        .nth(1)
        .and_then(|s| s.lines().next());

    assert!(output.status.success(), "{text}");
    collected
        .and_then(|n| n.trim().parse::<f64>().ok())
        .expect("a count")
        / PACKETS as f64
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();

    if let [count, shapes, what] = &args[..] {
        let count = count.parse().expect("a number of rules");
        let shapes = shapes.parse().expect("a number of shapes");
        let compiled = compile(rules(count, shapes, what == "hit"), 1).expect("few shapes");
        let bytes = bytes();
        let found = measured(&compiled, &packet(&bytes), what);

        assert_eq!(found, (what == "hit").then_some(count as u32 - 1));
        return;
    }
    println!("  rules  shapes     read     miss      hit  bytes/rule (list)   build");
    for (count, shapes) in [
        (1, 1),
        (10, 10),
        (16, 16),
        (10_000, 1),
        (10_000, 16),
        (100_000, 16),
    ] {
        let encoded = rules(count, shapes, true);
        let list = 4 * (encoded.0.len() + encoded.1.len());
        let start = Instant::now();
        let compiled = compile(encoded, 1).expect("few shapes");
        let time = start.elapsed();
        let all = list + 8 * compiled.memory.len();

        println!(
            "{count:7} {shapes:7} {:8.0} {:8.0} {:8.0} {:11.1} ({:4.1}) {:7.2} ms",
            instructions(count, shapes, "read"),
            instructions(count, shapes, "miss"),
            instructions(count, shapes, "hit"),
            all as f64 / count as f64,
            list as f64 / count as f64,
            time.as_secs_f64() * 1e3,
        );
    }
}
