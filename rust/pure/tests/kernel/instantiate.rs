// SPDX-License-Identifier: GPL-2.0

//! The generic functions of the crate, instantiated; compiled by `no_panic.rs` only.

extern crate pure;

use core::sync::atomic::{
    fence,
    AtomicU64,
    Ordering, //
};
use pure::atomic::{
    Bits,
    Index, //
};
use pure::latency::{
    quantile,
    Histogram, //
};
use pure::moderation::Throttle;
use pure::ring::{
    Consumer,
    Producer, //
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
use pure::vector::{
    Raise,
    Vector, //
};
use pure::wait::{
    self,
    Gate,
    Waiters, //
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

/// Both traits by core's atomics; the kernel brings its own.
pub struct Word(AtomicU64);

impl Index for Word {
    fn load_acquire(&self) -> u32 {
        self.0.load(Ordering::Acquire) as u32
    }
    fn store_release(&self, value: u32) {
        self.0.store(value.into(), Ordering::Release)
    }
}

impl Bits for Word {
    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn fetch_or(&self, bits: u64) -> u64 {
        self.0.fetch_or(bits, Ordering::SeqCst)
    }
    fn fetch_and(&self, bits: u64) -> u64 {
        self.0.fetch_and(bits, Ordering::SeqCst)
    }
    fn full_barrier() {
        fence(Ordering::SeqCst)
    }
}

impl Gate for Word {
    fn stop(&self) {
        self.0.store(1, Ordering::Relaxed)
    }
    fn start(&self) {
        self.0.store(0, Ordering::Relaxed)
    }
    fn wake(&self) {
        self.0.store(0, Ordering::Relaxed)
    }
    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
    fn full_barrier() {
        fence(Ordering::SeqCst)
    }
}

pub fn producer(p: &mut Producer, followed: &Word, own: &Word, count: u32) -> u32 {
    if p.has_free(count, followed) {
        p.advance(count);
        p.publish(own);
    }
    p.slot(1)
}

pub fn consumer(c: &mut Consumer, followed: &Word, own: &Word, count: u32) -> Option<u32> {
    if c.has_available(count, followed) {
        c.advance(count);
        c.release(own);
    }
    c.take(followed)
}

pub fn vector(v: &Vector<Word>, throttle: &Throttle, now: u64) -> (Raise, Raise, bool) {
    v.begin();
    v.mask();
    v.cancelled();
    (
        v.raise(|| throttle.decide(now, 1, 2)),
        v.expire(),
        v.finish(),
    )
}

pub fn gate(gate: &Word, needed: u32, free: u32) -> bool {
    wait::stop_if_low(gate, needed, || free) || wait::wake_if_free(gate, needed, || free)
}

pub fn waiters(waiters: &Waiters<Word>, from: u32) -> Option<u32> {
    waiters.wait(from, || from > 3);
    waiters.take().next_from(from)
}

pub type Watched<'a> = Trails<&'a mut [Trail], &'a mut [Histogram]>;

pub fn trail(trails: &mut Watched<'_>, mark: Mark, now: u64) -> Outcome {
    if let Some(code) = trails.begin(now) {
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
