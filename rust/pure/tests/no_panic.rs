// SPDX-License-Identifier: GPL-2.0

//! Compiles the crate as the kernel does, and looks for calls of core's panic functions.
//!
//! The compiler emits no code for an inline function that nobody calls, so the crate is compiled
//! from a copy whose `#[inline]` are gone; its generic functions are instantiated by
//! `tests/kernel/instantiate.rs`. A function that panics would be an undefined symbol of the
//! object.

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

/// Copies the Rust files of a directory to an existing one, without `#[inline]`, be it always.
fn copy_without_inline(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a place for the copies");
    for entry in fs::read_dir(from).expect("the crate is there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).expect("it can be read");
            let text: String = text
                .lines()
                .filter(|line| !matches!(line.trim(), "#[inline]" | "#[inline(always)]"))
                .flat_map(|line| [line, "\n"])
                .collect();
            fs::write(to.join(path.file_name().expect("a file")), text).expect("it can be copied");
        }
    }
}

/// Compiles the crate and then its generic functions, and returns both objects.
fn compile(name: &str, flags: &[&str]) -> Vec<u8> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let rustc = |crate_name: &str| {
        let status = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()))
            // The kernel gives `no_std` as a flag, which needs an unstable option.
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["--edition=2021", "--crate-type=lib"])
            .args(["-Copt-level=2", "-Cpanic=abort", "-Ccodegen-units=1"])
            .args([
                "-Zcross-crate-inline-threshold=never",
                "-Zcrate-attr=no_std",
            ])
            .args(["-Csymbol-mangling-version=v0", "-Dwarnings"])
            .args(["--emit=metadata,obj"])
            .args(flags)
            .arg("-L")
            .arg(&out)
            .arg("--out-dir")
            .arg(&out)
            .arg(out.join(format!("{crate_name}.rs")))
            .status()
            .expect("rustc runs");
        assert!(status.success(), "{crate_name} compiles without std");
        fs::read(out.join(format!("{crate_name}.o"))).expect("the object is there")
    };

    copy_without_inline(here, &out);
    copy_without_inline(&here.join("rules"), &out.join("rules"));
    copy_without_inline(&here.join("tests/kernel"), &out);
    [rustc("pure"), rustc("instantiate")].concat()
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
    for own in [
        "header5parse",
        "checksum12copy_and_sum",
        "4Plan5build",
        "Classifier4next",
        "6packet",
        "sequence7corrupt",
        "edit8set_dscp",
    ] {
        assert!(symbols.iter().any(|s| s.contains(own)), "{own} is there");
    }
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
