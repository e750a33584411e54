// SPDX-License-Identifier: GPL-2.0

//! Who waits for a channel, `rust/ferronic/waiters.rs` itself, under a model checker.
//!
//! Around it the models have what the module has: an engine that runs under its outlet's lock and looks at the inlet
//! under that one's, a poll that posts buffers and serves who waits, and an inlet that is closed meanwhile. Whatever
//! the order, no frame waits for ever, and nobody touches a buffer that is not his any more.

// The file under test finds these here, as this crate.
extern crate self as kernel;
extern crate self as netdev;

mod model;

#[allow(dead_code)]
#[path = "../../ferronic/waiters.rs"]
mod waiters;

use loom::cell::Cell;
use loom::sync::atomic::{
    AtomicBool,
    AtomicU32,
    Ordering, //
};
use loom::sync::{
    Arc,
    Mutex, //
};
use loom::thread;
use model::Strength;
pub(crate) use model::{
    prelude,
    sync, //
};
use waiters::Waiters;

/// The outlet of the models.
const OUTLET: u16 = 5;

/// Who takes those that wait finds this one only.
fn served(waiters: &Waiters) -> bool {
    let outlets = waiters.take(0);
    assert!(outlets & !(1 << OUTLET) == 0);
    outlets != 0
}

/// What may be done wrong.
#[derive(Clone, Copy, PartialEq)]
enum Wait {
    Right,
    /// The engine does not look again after it has said that it waits.
    LooksOnce,
    /// The receiver serves before it posts.
    ServesEarly,
}

/// An engine needs two buffers for its frame, the receiver posts one after the other. Whoever finds both moves the
/// frame.
fn posting(strength: Strength, wait: Wait) {
    struct Shared {
        posted: AtomicU32,
        waiters: Waiters,
        /// Whether the frame is still there; the outlet's lock.
        outlet: Mutex<bool>,
    }

    fn engine(shared: &Shared, wait: Wait) {
        let enough = || shared.posted.load(Ordering::Acquire) >= 2;
        let mut frame = shared.outlet.lock().unwrap();
        if !*frame {
            return;
        }
        if !enough() {
            shared.waiters.add(OUTLET);
            if wait == Wait::LooksOnce || !enough() {
                return;
            }
        }
        *frame = false;
    }

    fn serve(shared: &Shared, wait: Wait) {
        sync::smp_mb();
        if served(&shared.waiters) {
            engine(shared, wait);
        }
    }

    model::check(strength, move || {
        let shared = Arc::new(Shared {
            posted: AtomicU32::new(0),
            waiters: Waiters::new(64).unwrap(),
            outlet: Mutex::new(true),
        });
        let other = shared.clone();
        let receiver = thread::spawn(move || {
            for posted in 1..=2 {
                if wait == Wait::ServesEarly {
                    serve(&other, wait);
                }
                other.posted.store(posted, Ordering::Release);
                if wait != Wait::ServesEarly {
                    serve(&other, wait);
                }
            }
        });
        engine(&shared, wait);
        receiver.join().unwrap();
        assert!(!*shared.outlet.lock().unwrap(), "waits for ever");
    });
}

#[test]
fn nobody_waits_for_ever() {
    posting(Strength::Strong, Wait::Right);
}

#[test]
#[should_panic(expected = "waits for ever")]
fn without_barriers_somebody_does() {
    posting(Strength::RelaxedChange, Wait::Right);
}

#[test]
#[should_panic(expected = "waits for ever")]
fn without_a_second_look_somebody_does() {
    posting(Strength::Strong, Wait::LooksOnce);
}

#[test]
#[should_panic(expected = "waits for ever")]
fn served_too_early_somebody_does() {
    posting(Strength::Strong, Wait::ServesEarly);
}

/// A sender that hands off publishes two packets, and tells of the second one only if its bit is gone; the receiver
/// polls when it was told, takes the bit and then what it finds.
fn handing_off(strength: Strength) {
    struct Shared {
        published: AtomicU32,
        waiters: Waiters,
        /// What the receiver has taken; the outlet's lock.
        taken: Mutex<u32>,
    }

    fn poll(shared: &Shared) {
        if served(&shared.waiters) {
            let mut taken = shared.taken.lock().unwrap();
            *taken = shared.published.load(Ordering::Acquire);
        }
    }

    model::check(strength, move || {
        let shared = Arc::new(Shared {
            published: AtomicU32::new(0),
            waiters: Waiters::new(64).unwrap(),
            taken: Mutex::new(0),
        });
        shared.published.store(1, Ordering::Release);
        shared.waiters.add(OUTLET);
        let other = shared.clone();
        let receiver = thread::spawn(move || poll(&other));
        shared.published.store(2, Ordering::Release);
        sync::smp_mb();
        if !shared.waiters.has(OUTLET) {
            shared.waiters.add(OUTLET);
            poll(&shared);
        }
        receiver.join().unwrap();
        assert_eq!(*shared.taken.lock().unwrap(), 2, "left in the ring");
    });
}

#[test]
fn nothing_is_left_in_the_ring() {
    handing_off(Strength::Strong);
}

#[test]
#[should_panic(expected = "left in the ring")]
fn without_barriers_something_is() {
    handing_off(Strength::RelaxedChange);
}

/// What an end of a wire may do wrong when an inlet is closed.
#[derive(Clone, Copy, PartialEq)]
enum Close {
    Right,
    /// The engine looks at the state before it takes the lock.
    LooksOutside,
    /// The closer serves who waits before it closes.
    ServesEarly,
}

/// An engine has frames and its receiver one buffer, so that it writes the first and waits with the second; meanwhile
/// the inlet is closed and the buffer given away. The buffer must not be written after that, and no frame may wait.
fn closing(frames: u32, close: Close) {
    #[derive(Default)]
    struct Outlet {
        left: u32,
        delivered: u32,
        dropped: u32,
    }

    struct Shared {
        /// Whether the inlet is open; the flag outside is what the mutant looks at.
        inlet: Mutex<bool>,
        open: AtomicBool,
        buffer: Cell<u32>,
        free: AtomicU32,
        waiters: Waiters,
        outlet: Mutex<Outlet>,
    }

    fn engine(shared: &Shared, close: Close) {
        let mut outlet = shared.outlet.lock().unwrap();
        let free = || shared.free.load(Ordering::Acquire) > 0;

        while outlet.left > 0 {
            let early = shared.open.load(Ordering::Acquire);
            let inlet = shared.inlet.lock().unwrap();
            let open = match close {
                Close::LooksOutside => early,
                _ => *inlet,
            };
            if !open {
                outlet.dropped += 1;
            } else if free() {
                shared.buffer.set(shared.buffer.get() + 1);
                shared.free.store(0, Ordering::Release);
                outlet.delivered += 1;
            } else {
                shared.waiters.add(OUTLET);
                if !free() {
                    return;
                }
                continue;
            }
            outlet.left -= 1;
        }
    }

    fn serve(shared: &Shared, close: Close) {
        if served(&shared.waiters) {
            engine(shared, close);
        }
    }

    model::check(Strength::Strong, move || {
        let shared = Arc::new(Shared {
            inlet: Mutex::new(true),
            open: AtomicBool::new(true),
            buffer: Cell::new(0),
            free: AtomicU32::new(1),
            waiters: Waiters::new(64).unwrap(),
            outlet: Mutex::new(Outlet {
                left: frames,
                ..Outlet::default()
            }),
        });
        let other = shared.clone();
        let closer = thread::spawn(move || {
            if close == Close::ServesEarly {
                serve(&other, close);
            }
            *other.inlet.lock().unwrap() = false;
            other.open.store(false, Ordering::Release);
            if close != Close::ServesEarly {
                serve(&other, close);
            }
            // The buffer goes back to its owner, who may write to it.
            other.buffer.set(0);
        });
        engine(&shared, close);
        closer.join().unwrap();
        let outlet = shared.outlet.lock().unwrap();
        assert_eq!(outlet.left, 0, "waits for ever");
        assert_eq!(outlet.delivered + outlet.dropped, frames);
    });
}

#[test]
fn closing_serves_who_waits() {
    closing(1, Close::Right);
    closing(2, Close::Right);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn inlet_looked_at_outside_the_lock_fails() {
    closing(1, Close::LooksOutside);
}

#[test]
#[should_panic(expected = "waits for ever")]
fn inlet_that_serves_early_fails() {
    closing(2, Close::ServesEarly);
}
