// SPDX-License-Identifier: GPL-2.0

//! The lock-free protocols under a model checker.
//!
//! Loom runs each model in every order that the memory model allows. What it runs is the crate's
//! own code; here are the contexts around it, and memory. A model that holds proves nothing by
//! itself, so each has mutants: the same with a barrier, an ordering or a step taken away, which
//! must fail.

use loom::cell::Cell;
use loom::sync::atomic::{
    fence,
    AtomicBool,
    AtomicU32,
    AtomicU64,
    Ordering, //
};
use loom::sync::{
    Arc,
    Mutex, //
};
use loom::thread;
use pure::atomic::{
    Bits,
    Index, //
};
use pure::moderation::Decision;
use pure::ring::{
    Consumer,
    Producer,
    Size, //
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

/// How strong the memory primitives are.
trait Strength: Send + Sync + 'static {
    const LOAD: Ordering = Ordering::Acquire;
    const STORE: Ordering = Ordering::Release;
    const CHANGE: Ordering = Ordering::AcqRel;
    const BARRIER: bool = true;

    fn barrier() {
        if Self::BARRIER {
            fence(Ordering::SeqCst);
        }
    }
}

/// As documented.
struct Strong;
impl Strength for Strong {}

/// Mutant: positions are read without order.
struct RelaxedLoad;
impl Strength for RelaxedLoad {
    const LOAD: Ordering = Ordering::Relaxed;
}

/// Mutant: positions are written without order.
struct RelaxedStore;
impl Strength for RelaxedStore {
    const STORE: Ordering = Ordering::Relaxed;
}

/// Mutant: no full barriers.
struct NoBarrier;
impl Strength for NoBarrier {
    const BARRIER: bool = false;
}

/// Mutant: bits are changed without any order.
struct RelaxedChange;
impl Strength for RelaxedChange {
    const CHANGE: Ordering = Ordering::Relaxed;
    const BARRIER: bool = false;
}

struct Position<S>(AtomicU32, std::marker::PhantomData<S>);

impl<S> Position<S> {
    fn new() -> Self {
        Self(AtomicU32::new(0), std::marker::PhantomData)
    }
}

impl<S: Strength> Index for Position<S> {
    fn load_acquire(&self) -> u32 {
        self.0.load(S::LOAD)
    }
    fn store_release(&self, value: u32) {
        self.0.store(value, S::STORE)
    }
}

struct Word<S>(AtomicU64, std::marker::PhantomData<S>);

impl<S> Word<S> {
    fn new(bits: u64) -> Self {
        Self(AtomicU64::new(bits), std::marker::PhantomData)
    }
}

impl<S: Strength> Bits for Word<S> {
    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn fetch_or(&self, bits: u64) -> u64 {
        S::barrier();
        let old = self.0.fetch_or(bits, S::CHANGE);
        S::barrier();
        old
    }
    fn fetch_and(&self, bits: u64) -> u64 {
        S::barrier();
        let old = self.0.fetch_and(bits, S::CHANGE);
        S::barrier();
        old
    }
    fn full_barrier() {
        S::barrier();
    }
}

/// A ring: slots, and the positions of up to three parties.
struct Ring<S> {
    size: Size,
    slots: Vec<Cell<u32>>,
    positions: [Position<S>; 3],
}

impl<S: Strength> Ring<S> {
    fn new(slots: u32) -> Arc<Self> {
        Arc::new(Self {
            size: Size::new(slots).unwrap(),
            slots: (0..slots).map(|_| Cell::new(0)).collect(),
            positions: [(); 3].map(|()| Position::new()),
        })
    }

    /// Changes a slot; loom reports it if another thread may touch it at the same time.
    fn change(&self, slot: u32, change: impl FnOnce(u32) -> u32) {
        let slot = &self.slots[slot as usize];
        slot.set(change(slot.get()));
    }
}

/// What a party does that finds nothing to do.
#[derive(Clone, Copy, PartialEq)]
enum Idle {
    /// It tries again until there is something.
    Spins,
    /// It does without: not all work gets done. Loom can't follow three parties that spin.
    Leaves,
}

/// Fills `count` slots with 1, 2, ..., following the party at position `followed`.
fn produce<S: Strength>(ring: &Ring<S>, followed: usize, count: u32, idle: Idle) {
    let mut producer = Producer::new(ring.size, 0);
    for serial in 1..=count {
        while !producer.has_free(1, &ring.positions[followed]) {
            if idle == Idle::Leaves {
                return;
            }
            thread::yield_now();
        }
        ring.change(producer.slot(0), |_| serial);
        producer.advance(1);
        producer.publish(&ring.positions[0]);
    }
}

/// Works on `count` slots as the party `own`: expects 1, 2, ... times `factor` and multiplies by
/// ten.
fn work<S: Strength>(ring: &Ring<S>, own: usize, count: u32, factor: u32, idle: Idle) {
    let mut consumer = Consumer::new(ring.size, 0);
    for serial in 1..=count {
        let slot = loop {
            match consumer.take(&ring.positions[own - 1]) {
                Some(slot) => break slot,
                None if idle == Idle::Leaves => return,
                None => thread::yield_now(),
            }
        };
        ring.change(slot, |value| {
            assert_eq!(value, serial * factor);
            value * 10
        });
        consumer.release(&ring.positions[own]);
    }
}

/// Two parties.
fn ring<S: Strength>() {
    loom::model(|| {
        let ring = Ring::<S>::new(2);
        let other = ring.clone();
        let producer = thread::spawn(move || produce(&other, 1, 3, Idle::Spins));
        work(&ring, 1, 3, 1, Idle::Spins);
        producer.join().unwrap();
    });
}

#[test]
fn ring_holds() {
    ring::<Strong>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn ring_with_relaxed_load_fails() {
    ring::<RelaxedLoad>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn ring_with_relaxed_store_fails() {
    ring::<RelaxedStore>();
}

/// Three parties: the producer follows the last one.
fn chain<S: Strength>() {
    loom::model(|| {
        let ring = Ring::<S>::new(1);
        let (one, two) = (ring.clone(), ring.clone());
        let producer = thread::spawn(move || produce(&one, 2, 2, Idle::Leaves));
        let engine = thread::spawn(move || work(&two, 1, 2, 1, Idle::Leaves));
        work(&ring, 2, 2, 10, Idle::Leaves);
        producer.join().unwrap();
        engine.join().unwrap();
    });
}

#[test]
fn chain_holds() {
    chain::<Strong>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn chain_with_relaxed_load_fails() {
    chain::<RelaxedLoad>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn chain_with_relaxed_store_fails() {
    chain::<RelaxedStore>();
}

struct Queue<S>(AtomicBool, std::marker::PhantomData<S>);

impl<S: Strength> Gate for Queue<S> {
    fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn start(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
    fn wake(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
    fn full_barrier() {
        S::barrier();
    }
}

/// A ring of one slot is filled, and emptied: at the end its gate must be open.
fn gate<S: Strength>(look_again: bool) {
    loom::model(move || {
        let ring = Ring::<Strong>::new(1);
        let queue = Arc::new(Queue::<S>(AtomicBool::new(false), std::marker::PhantomData));

        let (r, q) = (ring.clone(), queue.clone());
        let consumer = thread::spawn(move || {
            let mut consumer = Consumer::new(r.size, 0);
            // A poll that comes too early finds nothing; the one that the vector guarantees comes
            // later.
            while consumer.take(&r.positions[0]).is_none() {
                thread::yield_now();
            }
            consumer.release(&r.positions[1]);
            wait::wake_if_free(&*q, 1, || 1);
        });

        let mut producer = Producer::new(ring.size, 0);
        ring.change(producer.slot(0), |_| 1);
        producer.advance(1);
        producer.publish(&ring.positions[0]);
        let mut first = None;
        wait::stop_if_low(&*queue, 1, || {
            let free = producer.free(&ring.positions[1]);
            // Mutant: the second look isn't one.
            let seen = *first.get_or_insert(free);
            if look_again {
                free
            } else {
                seen
            }
        });
        consumer.join().unwrap();
        assert!(!queue.is_stopped(), "stopped for ever");
    });
}

#[test]
fn gate_holds() {
    gate::<Strong>(true);
}

#[test]
#[should_panic(expected = "stopped for ever")]
fn gate_without_barrier_fails() {
    gate::<NoBarrier>(true);
}

#[test]
#[should_panic(expected = "stopped for ever")]
fn gate_without_second_look_fails() {
    gate::<Strong>(false);
}

/// An engine needs two buffers for its frame, the receiver posts one after the other. Whoever finds
/// both moves the frame; the outlet's lock is around the engine.
fn waiters<S: Strength>(look_again: bool) {
    loom::model(move || {
        struct Shared<S> {
            posted: AtomicU32,
            waiters: Waiters<Word<S>>,
            /// The outlet: whether the frame is still there.
            outlet: Mutex<bool>,
        }

        fn engine<S: Strength>(shared: &Shared<S>, look_again: bool) {
            let enough = || shared.posted.load(Ordering::Acquire) >= 2;
            let mut frame = shared.outlet.lock().unwrap();

            if *frame && (enough() || !shared.waiters.wait(5, || look_again && enough())) {
                *frame = false;
            }
        }

        let shared = Arc::new(Shared::<S> {
            posted: AtomicU32::new(0),
            waiters: Waiters::new(Word::new(0)),
            outlet: Mutex::new(true),
        });
        let other = shared.clone();
        let receiver = thread::spawn(move || {
            for posted in 1..=2 {
                other.posted.store(posted, Ordering::Release);
                let mut served = other.waiters.take();
                while let Some(waiter) = served.next_from(0) {
                    assert_eq!(waiter, 5);
                    engine(&other, look_again);
                }
            }
        });
        engine(&shared, look_again);
        receiver.join().unwrap();
        assert!(!*shared.outlet.lock().unwrap(), "waits for ever");
    });
}

#[test]
fn waiters_hold() {
    waiters::<Strong>(true);
}

#[test]
#[should_panic(expected = "waits for ever")]
fn waiters_without_barrier_fail() {
    waiters::<NoBarrier>(true);
}

#[test]
#[should_panic(expected = "waits for ever")]
fn waiters_without_second_look_fail() {
    waiters::<Strong>(false);
}

/// What a poll may do wrong.
#[derive(Clone, Copy, PartialEq)]
enum Poll {
    Right,
    /// Clears pending after it looked for work.
    BeginsLate,
    /// Doesn't care that something is pending as it unmasks.
    ForgetsPending,
}

/// Two contexts publish work and raise; who is told to schedule polls. All work must be seen, and
/// polls must exclude each other.
fn vector<S: Strength>(hold: bool, poll: Poll) {
    loom::model(move || {
        struct Shared<S> {
            work: [AtomicU32; 2],
            vector: Vector<Word<S>>,
            /// Work seen by polls: belongs to the poll that runs.
            seen: Cell<u32>,
        }

        impl<S: Strength> Shared<S> {
            fn raise(&self, hold: bool, poll: Poll) {
                let decision = if hold { Decision::At(1) } else { Decision::Now };
                match self.vector.raise(|| decision) {
                    Raise::Nothing => (),
                    Raise::Schedule => self.poll(poll),
                    // The timer fires some time later: another thread may come in between.
                    Raise::Hold(_) => match self.vector.expire() {
                        Raise::Nothing => (),
                        Raise::Schedule => self.poll(poll),
                        Raise::Hold(_) => unreachable!(),
                    },
                }
            }

            fn look(&self) {
                let seen = self.work.iter().map(|w| w.load(Ordering::Relaxed)).sum();
                self.seen.set(seen);
            }

            fn poll(&self, poll: Poll) {
                if poll == Poll::BeginsLate {
                    self.look();
                    self.vector.begin();
                } else {
                    self.vector.begin();
                    self.look();
                }
                let pending = self.vector.finish();
                if pending && poll != Poll::ForgetsPending {
                    self.raise(false, poll);
                }
            }
        }

        let shared = Arc::new(Shared::<S> {
            work: [AtomicU32::new(0), AtomicU32::new(0)],
            vector: Vector::new(Word::new(Vector::<Word<S>>::INITIAL)),
            seen: Cell::new(0),
        });
        assert!(!shared.vector.finish());
        let other = shared.clone();
        let raiser = thread::spawn(move || {
            other.work[0].store(1, Ordering::Relaxed);
            other.raise(hold, poll);
        });
        shared.work[1].store(1, Ordering::Relaxed);
        shared.raise(false, poll);
        raiser.join().unwrap();
        assert_eq!(shared.seen.get(), 2, "work was lost");
    });
}

#[test]
fn vector_holds() {
    vector::<Strong>(false, Poll::Right);
}

#[test]
fn vector_with_moderation_holds() {
    vector::<Strong>(true, Poll::Right);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn vector_with_relaxed_changes_fails() {
    vector::<RelaxedChange>(false, Poll::Right);
}

#[test]
#[should_panic(expected = "work was lost")]
fn vector_that_begins_late_fails() {
    vector::<Strong>(false, Poll::BeginsLate);
}

#[test]
#[should_panic(expected = "work was lost")]
fn vector_that_forgets_pending_fails() {
    vector::<Strong>(false, Poll::ForgetsPending);
}

/// What an end of a wire may do wrong when an inlet is closed.
#[derive(Clone, Copy, PartialEq)]
enum Close {
    Right,
    /// The engine looks at the state before it takes the lock.
    LooksOutside,
    /// The closer serves the waiters before it closes.
    ServesEarly,
}

/// An engine has frames and its receiver one buffer, so that it writes the first and waits with the
/// second; meanwhile the inlet is closed and the buffer given away. The buffer must not be written
/// after that, and no frame may wait for ever.
fn inlet(frames: u32, close: Close) {
    loom::model(move || {
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
            waiters: Waiters<Word<Strong>>,
            outlet: Mutex<Outlet>,
        }

        fn engine(shared: &Shared, close: Close) {
            let mut outlet = shared.outlet.lock().unwrap();

            while outlet.left > 0 {
                let early = shared.open.load(Ordering::Acquire);
                let inlet = shared.inlet.lock().unwrap();
                let open = match close {
                    Close::LooksOutside => early,
                    _ => *inlet,
                };
                if !open {
                    outlet.dropped += 1;
                } else if shared.free.load(Ordering::Acquire) > 0 {
                    shared.buffer.set(shared.buffer.get() + 1);
                    shared.free.store(0, Ordering::Release);
                    outlet.delivered += 1;
                } else if shared
                    .waiters
                    .wait(0, || shared.free.load(Ordering::Acquire) > 0)
                {
                    return;
                } else {
                    continue;
                }
                outlet.left -= 1;
            }
        }

        fn serve(shared: &Shared, close: Close) {
            let mut served = shared.waiters.take();
            while served.next_from(0).is_some() {
                engine(shared, close);
            }
        }

        let shared = Arc::new(Shared {
            inlet: Mutex::new(true),
            open: AtomicBool::new(true),
            buffer: Cell::new(0),
            free: AtomicU32::new(1),
            waiters: Waiters::new(Word::new(0)),
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
fn inlet_holds() {
    inlet(1, Close::Right);
    inlet(2, Close::Right);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn inlet_looked_at_outside_the_lock_fails() {
    inlet(1, Close::LooksOutside);
}

#[test]
#[should_panic(expected = "waits for ever")]
fn inlet_that_serves_waiters_early_fails() {
    inlet(2, Close::ServesEarly);
}
