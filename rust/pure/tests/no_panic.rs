// SPDX-License-Identifier: GPL-2.0

//! Compiles the crate as the kernel does, and looks for calls of core's panic functions.
//!
//! Everything is instantiated (`link-dead-code`), inline functions too; generic ones as far as
//! `tests/kernel/instantiate.rs` names them. A function that panics would be an undefined symbol of
//! the object.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Parts of the names of core's functions that panic.
const PANICS: &[&str] = &[
    "panic",
    "slice_index_fail",
    "unwrap_failed",
    "expect_failed",
    "len_mismatch_fail",
];

fn compile(name: &str, flags: &[&str]) -> Vec<u8> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.o"));
    let status = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()))
        // The kernel gives `no_std` as a flag, which needs an unstable option.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["--edition=2021", "--crate-type=lib", "--crate-name=pure"])
        .args(["-Copt-level=2", "-Cpanic=abort", "-Ccodegen-units=1"])
        .args(["-Clink-dead-code", "-Csymbol-mangling-version=v0"])
        .args(["--cfg", "instantiate", "-Zcrate-attr=no_std", "--emit=obj"])
        .args(flags)
        .arg("-o")
        .arg(&out)
        .arg(here.join("tests/kernel/instantiate.rs"))
        .status()
        .expect("rustc runs");
    assert!(status.success(), "the crate compiles without std");
    fs::read(out).expect("the object is there")
}

/// Names in the object: what lies between zero bytes and holds a mangled name.
fn symbols(object: &[u8]) -> Vec<String> {
    object
        .split(|&b| b == 0)
        .filter(|s| s.windows(2).any(|w| w == b"_R"))
        .map(|s| String::from_utf8_lossy(s).into_owned())
        .collect()
}

fn assert_no_panic(object: &[u8]) {
    let symbols = symbols(object);
    assert!(symbols.iter().any(|s| s.contains("parse_any")));

    let panics: Vec<_> = symbols
        .iter()
        .filter(|s| PANICS.iter().any(|p| s.contains(p)))
        .collect();
    assert!(panics.is_empty(), "the crate can panic: {panics:#?}");
}

#[test]
fn no_panic() {
    assert_no_panic(&compile("plain", &[]));
}

/// As the kernel does it with CONFIG_RUST_OVERFLOW_CHECKS=y, its default.
#[test]
fn no_panic_with_overflow_checks() {
    assert_no_panic(&compile("checked", &["-Coverflow-checks=yes"]));
}
