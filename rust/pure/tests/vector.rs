// SPDX-License-Identifier: GPL-2.0

//! The vectors of the module, `rust/ferronic/vector.rs` itself, under a model checker.
//!
//! Two contexts publish work and raise the vector; whoever schedules the NAPI instance polls, as a softirq does behind
//! who raised it. A timer fires at once where it is started: another context may come in between. Whatever the order,
//! all work is seen, and polls exclude each other.

// The file under test finds these here, as this crate.
extern crate self as kernel;
extern crate self as netdev;

mod model;

#[allow(dead_code)]
#[path = "../../ferronic/vector.rs"]
mod vector;

use ethtool::Moderation;
use loom::cell::Cell;
use loom::sync::atomic::{
    AtomicU32,
    Ordering, //
};
use loom::thread;
use model::Strength;
pub(crate) use model::{
    prelude,
    sync, //
};
use napi::{
    Instance,
    Poll, //
};
use prelude::GFP_KERNEL_ACCOUNT;
use vector::{
    Coalesce,
    Vector, //
};

mod channel {
    pub(crate) struct Channel;
}

mod ethtool {
    #[derive(Clone, Copy)]
    pub(crate) struct Moderation {
        pub(crate) coalesce: super::Coalesce,
        pub(crate) adaptive_rx: bool,
        pub(crate) adaptive_tx: bool,
    }
}

mod limits {
    pub(crate) const HOLD_TICK_NS: u64 = 1;
}

mod stats {
    /// Nothing depends on what is counted.
    #[derive(Default)]
    pub(crate) struct Count;

    impl Count {
        pub(crate) fn inc(&self) {}
    }

    #[derive(Default)]
    pub(crate) struct PollCounters {
        pub(crate) raises: Count,
        pub(crate) adaptations: Count,
    }
}

mod wire {
    pub(crate) enum Side {
        A,
    }

    pub(crate) struct Wire;
}

pub(crate) mod clock {
    /// No time passes: what comes after the first raise comes too soon after it.
    pub(crate) fn now_ns() -> u64 {
        0
    }
}

pub(crate) mod dim {
    pub(crate) struct Moderation {
        pub(crate) usecs: u16,
        pub(crate) packets: u16,
    }
}

pub(crate) mod napi {
    use super::*;
    use core::marker::PhantomData;

    /// What the contexts around the vector may do wrong.
    #[derive(Clone, Copy, PartialEq)]
    pub(crate) enum Poll {
        Right,
        /// The poll begins after it looked for work.
        BeginsLate,
        /// Timers are not started.
        NoTimers,
        /// Right, and who schedules while a poll runs leaves a mark, so that it goes on: the vector does not see to
        /// that alone.
        GoesOn,
        /// As that; the core puts polls off, on its own account, and nothing is complete.
        PutOff,
    }

    #[allow(dead_code)]
    pub(crate) enum Timer {
        Moderation,
        Completion,
        Retry,
        Pause,
        Aggregation,
    }

    pub(crate) struct Instance<T> {
        vector: Vector,
        poll: Poll,
        /// As `napi_struct.state`.
        state: AtomicU32,
        /// What the two contexts have published.
        pub(crate) work: [AtomicU32; 2],
        /// Work seen by polls: belongs to the poll that runs.
        pub(crate) seen: Cell<u32>,
        /// Whether that of the second context was among it.
        pub(crate) second: Cell<bool>,
        handler: PhantomData<T>,
    }

    impl<T> Instance<T> {
        pub(crate) fn new(vector: Vector, poll: Poll) -> Self {
            Instance {
                vector,
                poll,
                state: AtomicU32::new(0),
                work: [AtomicU32::new(0), AtomicU32::new(0)],
                seen: Cell::new(0),
                second: Cell::new(false),
                handler: PhantomData,
            }
        }

        pub(crate) fn shared(&self) -> &Vector {
            &self.vector
        }

        fn look(&self) {
            let [first, second] = [0, 1].map(|i| self.work[i].load(Ordering::Relaxed));
            self.seen.set(first + second);
            self.second.set(second != 0);
        }
    }

    const SCHED: u32 = 1;
    const MISSED: u32 = 2;

    impl Instance<channel::Channel> {
        pub(crate) fn schedule(&self) {
            if !matches!(self.poll, Poll::GoesOn | Poll::PutOff) {
                return self.run();
            }
            // napi_schedule_prep()
            let change = |state| Some(state | SCHED | if state & SCHED != 0 { MISSED } else { 0 });
            let order = (Ordering::AcqRel, Ordering::Acquire);
            let before = self.state.fetch_update(order.0, order.1, change).unwrap();
            if before & SCHED != 0 {
                return;
            }
            loop {
                self.vector.begin();
                self.look();
                // napi_complete_done()
                let change = |state| Some(if state & MISSED != 0 { SCHED } else { 0 });
                let before = self.state.fetch_update(order.0, order.1, change).unwrap();
                if before & MISSED == 0 {
                    break;
                }
            }
            if self.poll == Poll::GoesOn {
                Vector::completed(self);
            }
        }

        fn run(&self) {
            if self.poll == Poll::BeginsLate {
                self.look();
                self.vector.begin();
            } else {
                self.vector.begin();
                self.look();
            }
            Vector::completed(self);
        }

        pub(crate) fn start_timer(&self, which: Timer, _: u64, _: u64) {
            if self.poll != Poll::NoTimers {
                Vector::timer(self, which);
            }
        }
    }
}

/// How the second context raises; the first has frames for the port.
#[derive(Clone, Copy)]
enum Second {
    AtOnce,
    WithCompletions,
    /// By a timer that has been started for a pause before.
    AfterPause,
}

impl Second {
    /// Frames come, and this happens.
    fn beside_frames(self, instance: &loom::sync::Arc<Instance<channel::Channel>>) {
        let other = instance.clone();
        let frames = thread::spawn(move || {
            other.work[0].store(1, Ordering::Relaxed);
            Vector::raise_rx(&other, 1);
        });
        instance.work[1].store(1, Ordering::Relaxed);
        self.happens(instance);
        frames.join().unwrap();
    }

    fn happens(self, instance: &Instance<channel::Channel>) {
        match self {
            Second::AtOnce => Vector::raise_now(instance),
            Second::WithCompletions => Vector::raise_tx(instance, 1, &mut 100, false),
            Second::AfterPause => Vector::watch_pause(instance, 1, 1000),
        }
    }
}

fn instance(rx_usecs: u32, poll: Poll) -> loom::sync::Arc<Instance<channel::Channel>> {
    let user = Moderation {
        coalesce: Coalesce {
            rx_usecs,
            tx_usecs: 50,
            ..Coalesce::DEFAULT
        },
        adaptive_rx: false,
        adaptive_tx: false,
    };
    let wire = sync::Arc::new(wire::Wire, GFP_KERNEL_ACCOUNT).unwrap();
    let counters = prelude::KVec::with_capacity(0, GFP_KERNEL_ACCOUNT).unwrap();
    let counters = sync::Arc::new(counters, GFP_KERNEL_ACCOUNT).unwrap();
    let vector = Vector::new(wire, wire::Side::A, 0, user, counters).unwrap();
    loom::sync::Arc::new(Instance::new(vector, poll))
}

fn model(strength: Strength, rx_usecs: u32, second: Second, poll: Poll) {
    model::check(strength, move || {
        let instance = instance(rx_usecs, poll);
        second.beside_frames(&instance);
        assert_eq!(instance.seen.get(), 2, "work was lost");
    });
}

#[test]
fn nothing_is_lost() {
    model(Strength::Strong, 0, Second::AtOnce, Poll::Right);
}

#[test]
fn nothing_is_lost_with_moderation() {
    model(Strength::Strong, 80, Second::AtOnce, Poll::Right);
}

#[test]
fn nothing_is_lost_with_completions() {
    model(Strength::Strong, 0, Second::WithCompletions, Poll::Right);
    model(Strength::Strong, 80, Second::WithCompletions, Poll::Right);
}

/// The end of a pause has the vector poll whatever it is at, and so may schedule while a poll runs.
#[test]
fn nothing_is_lost_behind_a_pause() {
    model(Strength::Strong, 0, Second::AfterPause, Poll::GoesOn);
    model(Strength::Strong, 80, Second::AfterPause, Poll::GoesOn);
}

/// Frames come, and something else happens, while the core puts polls off; is that something seen?
fn put_off(second: Second) {
    model::check(Strength::Strong, move || {
        let instance = instance(0, Poll::PutOff);
        instance.shared().begin();
        second.beside_frames(&instance);
        assert!(instance.second.get(), "nobody came");
    });
}

#[test]
fn a_pause_ends_where_polls_are_put_off() {
    put_off(Second::AfterPause);
}

#[test]
#[should_panic(expected = "nobody came")]
fn a_raise_waits_where_polls_are_put_off() {
    put_off(Second::AtOnce);
}

/// What is raised at once is seen without a timer's help, whatever the frames that come at the same time have to wait
/// for.
#[test]
fn at_once_waits_for_no_timer() {
    model::check(Strength::Strong, || {
        let instance = instance(80, Poll::NoTimers);
        Second::AtOnce.beside_frames(&instance);
        assert!(instance.second.get(), "it was held back");
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn changes_that_do_not_order_fail() {
    model(Strength::RelaxedChange, 0, Second::AtOnce, Poll::Right);
}

#[test]
#[should_panic(expected = "work was lost")]
fn poll_that_begins_late_fails() {
    model(Strength::Strong, 0, Second::AtOnce, Poll::BeginsLate);
}

#[test]
#[should_panic(expected = "work was lost")]
fn moderation_without_timer_fails() {
    model(
        Strength::Strong,
        80,
        Second::WithCompletions,
        Poll::NoTimers,
    );
}

#[test]
#[should_panic(expected = "work was lost")]
fn completions_without_timer_fail() {
    model(Strength::Strong, 0, Second::WithCompletions, Poll::NoTimers);
}
