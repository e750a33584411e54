// SPDX-License-Identifier: GPL-2.0

//! The descriptor ring of the module, `rust/netdev/ring.rs` itself, under a model checker.
//!
//! The file is compiled here as it stands; below is what it takes from the kernel, with loom's atomics for memory.
//! Three threads are its three sides. Two things are watched: the content of a descriptor, which each side changes in
//! turn, and its slot, which each side enters while it is its own. A model that holds proves nothing by itself: with
//! a load or a store that does not order, it fails.

// The file under test finds `kernel` here, as this crate.
extern crate self as kernel;

mod model;

#[allow(dead_code)]
#[path = "../../netdev/ring.rs"]
mod ring;

use loom::cell::Cell;
use loom::thread;
use model::Strength;
pub(crate) use model::{
    prelude,
    sync, //
};

/// A descriptor, whose content is watched.
struct Descriptor(Box<Cell<u32>>);

impl Descriptor {
    fn add(&self, n: u32) -> u32 {
        self.0.set(self.0.get() + n);
        self.0.get()
    }
}

/// What stands for the slots: who has one enters it.
struct Slots([Cell<u32>; 2]);

impl Slots {
    fn enter(&self, k: u32) {
        let slot = &self.0[k as usize & 1];
        slot.set(slot.get() + 1);
    }
}

/// Descriptors that go round; one more than the ring has, so that a slot is used again.
const ROUNDS: u32 = 3;

fn model(strength: Strength) {
    model::check(strength, || {
        let Ok((mut poster, mut filler, mut taker)) = ring::new::<Descriptor>(2) else {
            panic!("no ring");
        };
        let slots = loom::sync::Arc::new(Slots([Cell::new(0), Cell::new(0)]));
        let (one, two) = (slots.clone(), slots.clone());

        // A side that finds nothing to do leaves; other orders are other runs of the model.
        let posts = thread::spawn(move || {
            for k in 0..ROUNDS {
                if poster.free() == 0 {
                    break;
                }
                one.enter(k);
                assert!(poster.post(Descriptor(Box::new(Cell::new(k)))).is_ok());
                poster.publish();
            }
        });
        let fills = thread::spawn(move || {
            for k in 0..ROUNDS {
                let Some(descriptor) = filler.get(0) else {
                    break;
                };
                two.enter(k);
                descriptor.add(10);
                filler.advance(1);
            }
        });
        for k in 0..ROUNDS {
            let Some(descriptor) = taker.take() else {
                break;
            };
            slots.enter(k);
            assert_eq!(descriptor.add(100), k + 110);
            taker.release();
        }
        posts.join().unwrap();
        fills.join().unwrap();
    });
}

#[test]
fn ring_holds() {
    model(Strength::Strong);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn ring_with_relaxed_load_fails() {
    model(Strength::RelaxedLoad);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn ring_with_relaxed_store_fails() {
    model(Strength::RelaxedStore);
}
