// SPDX-License-Identifier: GPL-2.0

//! Packets that a chain holds: delayed ones, and those that wait for others to overtake them.
//!
//! They lie in trees by the time they are due, and a timer lets them go on behind the hook. At most [`HELD_MAX`] of a
//! chain are held; what comes then is dropped and counted. They go on at once when their rule goes or their chain is
//! deleted, and are dropped when a device that they need goes.

use kernel::c_str;
use kernel::prelude::*;
use kernel::rbtree::{RBTree, RBTreeNodeReservation};
use kernel::sync::static_lock_class;
use netdev::clock::now_ns;
use netdev::context::{Bh, BhGuard};
use netdev::interface::Interface;
use netdev::netfilter::{Held, Packet};
use netdev::skb::Reason;
use netdev::sync::{AtomicWord, SpinLock};
use netdev::timer::{Expire, Timer};

/// Packets that a chain holds at most.
const HELD_MAX: usize = 16384;

/// Packets that go on before others may run.
const BATCH: usize = 64;

/// When a packet is due, and a number that keeps those due at once in their order.
type Due = (u64, u64);

/// A packet that is held.
struct Parked {
    held: Held,
    /// The slot of the rule that holds it.
    slot: u32,
    /// How many packets must still overtake it; 0 for one that only waits for its time.
    gap: u32,
}

/// Packets in the order in which they are due.
type Queue = RBTree<Due, Parked>;

struct Parking {
    /// Those that only wait for their time.
    timed: Queue,
    /// Those that wait to be overtaken, too: who overtakes looks at all of these.
    passed: Queue,
    count: usize,
    sequence: u64,
    /// Nothing is held any more.
    closed: bool,
}

/// How far somebody has looked in each queue.
#[derive(Default)]
struct Looked {
    timed: Due,
    passed: Due,
}

/// What a chain holds.
#[pin_data]
pub(super) struct Waiting {
    #[pin]
    parking: SpinLock<Parking>,
    /// How many have been overtaken and are to follow the packet that did it.
    ready: AtomicWord,
    /// Dropped, as there were too many.
    pub(super) overflows: AtomicWord,
    /// Let go without being held, as they could not have been resumed.
    pub(super) unheld: AtomicWord,
    /// Dropped when they were to go on, or before: the hook or a device that they need was gone.
    pub(super) lost: AtomicWord,
}

impl Waiting {
    pub(super) fn new() -> Result<Pin<KBox<Timer<Waiting>>>> {
        let parking = Parking {
            timed: RBTree::new(),
            passed: RBTree::new(),
            count: 0,
            sequence: 0,
            closed: false,
        };
        KBox::pin_init(
            Timer::new(pin_init!(Waiting {
                parking <- SpinLock::new(parking, c_str!("ferronic_waiting"), static_lock_class!()),
                ready: AtomicWord::new(0),
                overflows: AtomicWord::new(0),
                unheld: AtomicWord::new(0),
                lost: AtomicWord::new(0),
            })),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.parking.lock_bh().count
    }

    /// Whether packets have been overtaken that are to follow this one.
    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.ready.read() != 0
    }

    /// A packet passes the rule of a slot without being held.
    pub(super) fn passed(&self, slot: u32, bh: &Bh<'_>) {
        let mut parking = self.parking.lock(bh);
        for parked in parking.passed.values_mut() {
            if parked.slot == slot && parked.gap > 1 {
                parked.gap = parked.gap.wrapping_sub(1);
            } else if parked.slot == slot && parked.gap == 1 {
                // Taken when the packet that passes has gone on.
                parked.gap = OVERTAKEN;
                self.ready.fetch_add(1);
            }
        }
    }

    /// Takes out one that has been overtaken.
    pub(super) fn take_ready(&self, bh: &Bh<'_>) -> Option<Held> {
        let mut parking = self.parking.lock(bh);
        let found = take(&mut parking.passed, &mut (0, 0), |p| p.gap == OVERTAKEN)?;
        Some(parking.taken(found, &self.ready))
    }

    /// Lets those go on that the rules of such slots hold. Process context.
    pub(super) fn release(&self, mut such: impl FnMut(u32) -> bool) {
        let mut looked = Looked::default();
        loop {
            // In between softirqs run: the queues that these go to, such as the backlog, are bounded.
            let guard = BhGuard::new();
            for _ in 0..BATCH {
                let mut parking = self.parking.lock(guard.bh());
                let next = parking.next(&self.ready, &mut looked, |parked| such(parked.slot));
                drop(parking);
                let Some(held) = next else {
                    return;
                };
                self.resume(held, guard.bh());
            }
        }
    }

    /// Lets one go on that was taken out.
    pub(super) fn resume(&self, held: Held, bh: &Bh<'_>) {
        let went = held.resume(bh);
        self.count_lost(went);
    }

    /// Counts a packet that was to go on, and did or not.
    pub(super) fn count_lost(&self, went: bool) {
        if !went {
            self.lost.fetch_add(1);
        }
    }

    /// Holds nothing any more, and lets those go on that are held. Process context.
    pub(super) fn close(&self) {
        self.parking.lock_bh().closed = true;
        self.release(|_| true);
    }

    /// Drops those that need a device. Process context.
    pub(super) fn drop_at(&self, dev: &Interface) {
        let mut looked = Looked::default();
        loop {
            let mut parking = self.parking.lock_bh();
            let next = parking.next(&self.ready, &mut looked, |p| p.held.is_at(dev));
            drop(parking);
            let Some(held) = next else {
                return;
            };
            self.lost.fetch_add(1);
            drop(held);
        }
    }
}

/// In place of a number of packets: there have been enough.
const OVERTAKEN: u32 = u32::MAX;

/// Takes out the first such that is due at `from` or later, and sets that to when it is: all such are found by going on
/// from there.
fn take(
    queue: &mut Queue,
    from: &mut Due,
    mut such: impl FnMut(&Parked) -> bool,
) -> Option<Parked> {
    let mut cursor = queue.cursor_lower_bound_mut(from);
    while let Some(at) = cursor {
        let (due, parked) = at.current();
        if such(parked) {
            *from = *due;
            let (_, node) = at.remove_current();
            return Some(node.to_key_value().1);
        }
        cursor = at.move_next();
    }
    None
}

/// When the first is due.
fn front(queue: &Queue) -> Option<Due> {
    queue.cursor_front().map(|cursor| *cursor.current().0)
}

impl Parking {
    /// Takes out the next such.
    fn next(
        &mut self,
        ready: &AtomicWord,
        looked: &mut Looked,
        mut such: impl FnMut(&Parked) -> bool,
    ) -> Option<Held> {
        let found = take(&mut self.timed, &mut looked.timed, &mut such)
            .or_else(|| take(&mut self.passed, &mut looked.passed, &mut such))?;
        Some(self.taken(found, ready))
    }

    /// Takes out the one that is due at that time.
    fn due(&mut self, ready: &AtomicWord, due: &Due) -> Option<Held> {
        let found = self.timed.remove(due).or_else(|| self.passed.remove(due))?;
        Some(self.taken(found, ready))
    }

    /// Reckons with one that was taken out.
    fn taken(&mut self, parked: Parked, ready: &AtomicWord) -> Held {
        self.count = self.count.wrapping_sub(1);
        if parked.gap == OVERTAKEN {
            ready.fetch_sub(1);
        }
        parked.held
    }

    /// When the first is due.
    fn first(&self) -> Option<Due> {
        match (front(&self.timed), front(&self.passed)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Holds a packet until `due`, or until `gap` others have overtaken it, if that isn't 0. Gives it back if it can't be
/// held; `None` if it is gone.
pub(super) fn park<'p>(
    timer: &Timer<Waiting>,
    packet: Packet<'p>,
    slot: u32,
    due: u64,
    gap: u32,
    bh: &Bh<'_>,
) -> Option<Packet<'p>> {
    let held = match packet.hold() {
        Ok(Some(held)) => held,
        Ok(None) => return None,
        Err(packet) => {
            timer.unheld.fetch_add(1);
            return Some(packet);
        }
    };
    let node = RBTreeNodeReservation::new(GFP_ATOMIC);
    let mut parking = timer.parking.lock(bh);
    let node = match node {
        Ok(node) if parking.count < HELD_MAX && !parking.closed => node,
        _ if parking.closed => {
            // The chain is about to go; what it held has gone on.
            drop(parking);
            timer.resume(held, bh);
            return None;
        }
        _ => {
            drop(parking);
            timer.overflows.fetch_add(1);
            held.drop_with(Reason::NO_MEM);
            return None;
        }
    };
    let due = (due, parking.sequence);
    parking.sequence = parking.sequence.wrapping_add(1);
    parking.count = parking.count.wrapping_add(1);
    let queue = if gap == 0 {
        &mut parking.timed
    } else {
        &mut parking.passed
    };
    // Numbers are given once, so nothing is replaced.
    let _ = queue.insert(node.into_node(due, Parked { held, slot, gap }));
    if parking.first() == Some(due) {
        timer.start_at(due.0);
    }
    None
}

impl Expire for Waiting {
    fn expired(timer: &Timer<Self>, bh: &Bh<'_>) {
        let now = now_ns();
        for _ in 0..BATCH {
            let mut parking = timer.parking.lock(bh);
            let due = match parking.first() {
                None => return,
                Some(due) if due.0 > now => break,
                Some(due) => due,
            };
            let held = parking.due(&timer.ready, &due);
            drop(parking);
            if let Some(held) = held {
                timer.resume(held, bh);
            }
        }
        let parking = timer.parking.lock(bh);
        if let Some((due, _)) = parking.first() {
            timer.start_at(due);
        }
    }
}
