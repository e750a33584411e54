// SPDX-License-Identifier: GPL-2.0

//! The crate once more, with its generic functions instantiated; compiled by `no_panic.rs` only.

#[path = "../../pure.rs"]
pub mod pure;
