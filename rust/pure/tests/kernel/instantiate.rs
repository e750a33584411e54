// SPDX-License-Identifier: GPL-2.0

//! The generic functions of the crate, instantiated; compiled by `no_panic.rs` only.

extern crate pure;

use pure::steer;

pub fn spread(table: &mut [u32], channels: u16) {
    steer::spread(table, channels)
}

pub fn is_valid(table: &[u32], channels: u32) -> bool {
    steer::is_valid(table, channels)
}

pub fn can_resize(table: &[u32], new: usize, user: usize) -> bool {
    steer::can_resize(table, new, user)
}

pub fn resize(new: &mut [u32], old: &[u32]) {
    steer::resize(new, old)
}
