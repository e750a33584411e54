// SPDX-License-Identifier: GPL-2.0

//! The descriptor ring of the module, `rust/netdev/ring.rs` itself, under a model checker.
//!
//! The file is compiled here as it stands; below is what it takes from the kernel, with loom's atomics for memory.
//! Three threads are its three sides. Two things are watched: the content of a descriptor, which each side changes in
//! turn, and its slot, which each side enters while it is its own. A model that holds proves nothing by itself: with
//! a load or a store that does not order, it fails.

// The file under test finds `kernel` here, as this crate.
extern crate self as kernel;

#[allow(dead_code)]
#[path = "../../netdev/ring.rs"]
mod ring;

use loom::cell::Cell;
use loom::thread;

/// How strong the memory is; a model and its threads run on one thread of the system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Strong,
    RelaxedLoad,
    RelaxedStore,
}

thread_local! {
    static STRENGTH: std::cell::Cell<Strength> = const { std::cell::Cell::new(Strength::Strong) };
}

pub mod prelude {
    pub type Result<T = (), E = Error> = core::result::Result<T, E>;

    #[derive(Debug)]
    pub struct Error;

    pub const EINVAL: Error = Error;

    #[derive(Clone, Copy)]
    pub struct Flags;
    pub const GFP_KERNEL_ACCOUNT: Flags = Flags;

    /// A vector whose memory is asked for in so many words.
    pub struct KVVec<T>(Vec<T>);

    impl<T> KVVec<T> {
        pub fn with_capacity(capacity: usize, _: Flags) -> Result<Self> {
            Ok(KVVec(Vec::with_capacity(capacity)))
        }

        pub fn push(&mut self, value: T, _: Flags) -> Result {
            self.0.push(value);
            Ok(())
        }
    }

    impl<T> core::ops::Deref for KVVec<T> {
        type Target = [T];
        fn deref(&self) -> &[T] {
            &self.0
        }
    }
}

#[allow(dead_code)]
pub mod sync {
    use crate::prelude::{Flags, Result};
    use crate::{Strength, STRENGTH};
    use loom::sync::atomic::{AtomicU32, Ordering};

    pub struct Arc<T>(loom::sync::Arc<T>);

    impl<T> Arc<T> {
        pub fn new(value: T, _: Flags) -> Result<Self> {
            Ok(Arc(loom::sync::Arc::new(value)))
        }
    }

    impl<T> Clone for Arc<T> {
        fn clone(&self) -> Self {
            Arc(self.0.clone())
        }
    }

    impl<T> core::ops::Deref for Arc<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }

    pub struct CacheAligned<T>(pub T);

    impl<T> core::ops::Deref for CacheAligned<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }

    pub struct Word<T>(AtomicU32, core::marker::PhantomData<T>);

    impl Word<u32> {
        pub fn new(value: u32) -> Self {
            Word(AtomicU32::new(value), core::marker::PhantomData)
        }

        pub fn read(&self) -> u32 {
            self.0.load(Ordering::Relaxed)
        }

        pub fn write(&self, value: u32) {
            self.0.store(value, Ordering::Relaxed);
        }

        pub fn load_acquire(&self) -> u32 {
            self.0.load(if STRENGTH.get() == Strength::RelaxedLoad {
                Ordering::Relaxed
            } else {
                Ordering::Acquire
            })
        }

        pub fn store_release(&self, value: u32) {
            let order = if STRENGTH.get() == Strength::RelaxedStore {
                Ordering::Relaxed
            } else {
                Ordering::Release
            };
            self.0.store(value, order);
        }
    }
}

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
    STRENGTH.set(strength);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(|| {
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
