// SPDX-License-Identifier: GPL-2.0

//! Bindings to the C side of kernel networking.
//!
//! The only place where C names enter. bindgen makes the two included files from `bindings.h` and
//! `helpers.c`; Kbuild says with which options. Nothing but the `netdev` crate may depend on this crate:
//! a driver that names a C function has left the safe layer.
//!
//! The kernel's own bindings (`kernel::bindings`) hold some of the same types a second time, several of
//! them opaque. The two are distinct to the compiler; `netdev` casts at the few places where an object
//! crosses.

#![allow(
    clippy::all,
    clippy::cast_lossless,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    rustdoc::all,
    unknown_lints,
    unnecessary_transmutes,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused_imports
)]

use kernel::ffi;
use pin_init::MaybeZeroable;

type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

include!(env!("FERRONIC_BINDINGS"));

mod helpers {
    use super::*;
    include!(env!("FERRONIC_HELPERS"));
}

pub use helpers::*;
