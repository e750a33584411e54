// SPDX-License-Identifier: GPL-2.0

//! The generic functions of the crate, instantiated; compiled by `no_panic.rs` only.

extern crate pure;

use pure::latency::{
    quantile,
    Histogram, //
};
use pure::steer;
use pure::trail::{
    End,
    Mark,
    Outcome,
    Stage,
    Trail,
    Trails, //
};

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

pub type Watched<'a> = Trails<&'a mut [Trail], &'a mut [Histogram]>;

pub fn trail(trails: &mut Watched<'_>, mark: Mark, now: u64) -> Outcome {
    if let Some(code) = trails.begin(Stage::Output, now) {
        trails.step(code, Stage::Engine, now);
        trails.hand(code, mark, now);
        trails.pass(code, mark, Stage::Input, now);
        trails.finish(code, mark, End::Delivered, now);
    }
    trails.close();
    trails.outcome()
}

pub fn median(histogram: &Histogram) -> Option<u64> {
    quantile(histogram.iter(), 500, histogram.max())
}
