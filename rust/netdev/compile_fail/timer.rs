// SPDX-License-Identifier: GPL-2.0

//! A timer lends nothing: one that is forgotten expires all the same.

#![forbid(unsafe_code)]

use netdev::context::Bh;
use netdev::timer::{Expire, Timer};

struct Borrower<T>(T);

#[rustfmt::skip]
impl<T: Send + Sync> Expire for Borrower<T> { //~ E0310
    fn expired(_: &Timer<Self>, _: &Bh<'_>) {} //~ E0310
}
