// SPDX-License-Identifier: GPL-2.0

//! The generic functions of the crate, instantiated; compiled by `no_panic.rs` only.

#[allow(unused_extern_crates)]
extern crate pure;
