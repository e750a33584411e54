// SPDX-License-Identifier: GPL-2.0

//! The fuzzers of `fuzz/fuzz_targets` on what they have found worth keeping: `fuzz/corpus`, one input a line, in
//! hexadecimal digits. `tools/fuzz-pure` goes on from there, and adds to it.

// What the fuzzers take from their library stands here.
extern crate self as libfuzzer_sys;

use std::fs;
use std::path::Path;

/// Makes a function of a fuzzer.
macro_rules! fuzz_target {
    (|$input:ident: $type:ty| $body:block) => {
        pub(crate) fn run(bytes: &[u8]) {
            let bytes = arbitrary::Unstructured::new(bytes);
            if let Ok($input) = <$type as arbitrary::Arbitrary>::arbitrary_take_rest(bytes) {
                $body
            }
        }
    };
}
pub(crate) use fuzz_target;

#[allow(unused_attributes)]
#[path = "../fuzz/fuzz_targets/classifier.rs"]
mod classifier;
#[allow(unused_attributes)]
#[path = "../fuzz/fuzz_targets/header.rs"]
mod header;
#[allow(unused_attributes)]
#[path = "../fuzz/fuzz_targets/packet.rs"]
mod packet;

fn run(name: &str, target: fn(&[u8])) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let text = fs::read_to_string(&path).expect("a corpus");
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hexadecimal digit") as u8;
    let mut inputs = 0;

    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let bytes: Vec<u8> = line
            .as_bytes()
            .chunks(2)
            .map(|c| digit(c[0]) << 4 | digit(c[1]))
            .collect();
        target(&bytes);
        inputs += 1;
    }
    assert!(inputs > 10, "{inputs} inputs");
}

#[test]
fn classifier_on_its_corpus() {
    run("classifier", classifier::run);
}

#[test]
fn header_on_its_corpus() {
    run("header", header::run);
}

#[test]
fn packet_on_its_corpus() {
    run("packet", packet::run);
}
