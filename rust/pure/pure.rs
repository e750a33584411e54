// SPDX-License-Identifier: GPL-2.0

//! The logic of the NIC that needs no kernel.
//!
//! Frame parsing, checksums, hashing, segmentation, classification: everything whose correctness is a
//! matter of arithmetic stands here, so that it can be tested by properties and fuzzed on any host in
//! seconds. The same source is compiled into the module.
//!
//! Rules of this crate
//!
//! - No dependency and no allocation: memory comes from the caller, as slices and plain arrays.
//! - No unsafe code.
//! - Nothing panics. A frame is untrusted input, and a panic in the kernel is a BUG(). So there is
//!   no indexing by a variable, no unwrapping, and no operator that can overflow; lints below and a
//!   look at the symbols of the object (`tests/no_panic.rs`) hold this.
//! - Numbers are in host byte order unless a name or a comment says otherwise. Addresses and ports
//!   are byte arrays as on the wire.
//!
//! `cargo test` runs everything but the fuzzer: unit and property tests, the no-panic check, and a
//! model checker on what the module itself has of lock-free protocols (`tests/ring.rs`,
//! `tests/vector.rs`, `tests/waiters.rs`). `cargo fuzz run header -s none` runs the fuzzer on the
//! frame parser, `packet` on what rules see of a packet, and `classifier` on rules and packets; what
//! they have found worth keeping is in `fuzz/corpus`, and tried by `cargo test` too.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]

pub mod aggregate;
pub mod checksum;
pub mod filter;
pub mod flow;
pub mod header;
pub mod latency;
pub mod ntuple;
pub mod rules;
pub mod segment;
pub mod steer;
pub mod toeplitz;
pub mod trail;
pub mod turns;
