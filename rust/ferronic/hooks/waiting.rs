// SPDX-License-Identifier: GPL-2.0

//! Packets that a chain holds: delayed ones, and those that wait for others to overtake them.
//!
//! They lie in trees by the time they are due, and a timer lets them go on behind the hook. At most [`HELD_MAX`] of a
//! chain are held, and [`HELD_BYTES_MAX`] of a namespace; what comes then is dropped and counted. They go on at once
//! when their rule goes or their chain is deleted, and are dropped when a device that they need goes.

use kernel::c_str;
use kernel::prelude::*;
use kernel::rbtree::{RBTree, RBTreeNodeReservation};
use kernel::sync::{static_lock_class, Arc};
use netdev::clock::now_ns;
use netdev::context::{Bh, BhGuard};
use netdev::interface::Interface;
use netdev::netfilter::{may_resume, Held, Packet};
use netdev::skb::Reason;
use netdev::sync::{AtomicWord, SpinLock};
use netdev::timer::{Expire, Timer};

/// Packets that a chain holds at most.
const HELD_MAX: usize = 16384;

/// Bytes of memory of the packets that all chains of a namespace hold, at most: nobody is charged for most of them.
const HELD_BYTES_MAX: u64 = 256 << 20;

/// Packets that go on before others may run.
pub(super) const BATCH: usize = 64;

/// When a packet is due, and a number that keeps those due at once in their order.
type Due = (u64, u64);

/// A packet that is held.
struct Parked {
    held: Held,
    /// Bytes of memory that it takes.
    bytes: u64,
    /// The slot of the rule that holds it.
    slot: u32,
    /// The number of the packet that has to pass the rule before it follows; 0 for one that only waits for its time.
    target: u64,
}

/// Packets in the order in which they are due.
type Queue = RBTree<Due, Parked>;

/// The slot of a rule, the number of the packet that is waited for, and that of the one which waits.
type Target = (u32, u64, u64);

struct Parking {
    /// Those that only wait for their time.
    timed: Queue,
    /// Those that wait to be overtaken, too.
    passed: Queue,
    /// Those that have been: they follow the packet that did it.
    overtaken: Queue,
    /// When those of `passed` are due, by what they wait for.
    targets: RBTree<Target, Due>,
    /// How many packets have passed a rule, by its slot, since somebody waits there.
    passes: RBTree<u32, u64>,
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
    overtaken: Due,
}

/// What a chain holds.
#[pin_data]
pub(super) struct Waiting {
    #[pin]
    parking: SpinLock<Parking>,
    /// Bytes of memory that are held in the namespace.
    bytes: Arc<AtomicWord>,
    /// How many wait to be overtaken.
    waiting: AtomicWord,
    /// How many have been overtaken and are to follow the packet that did it.
    ready: AtomicWord,
    /// The timer is to let them go on: 1, or 0.
    hurried: AtomicWord,
    /// Dropped, as there were too many.
    pub(super) overflows: AtomicWord,
    /// Let go without being held, as they could not have been resumed.
    pub(super) unheld: AtomicWord,
    /// Dropped when they were to go on, or before, as the hook or a device that they need was gone; and copies that
    /// were not made.
    pub(super) lost: AtomicWord,
}

impl Waiting {
    /// `bytes` counts the memory that all chains of the namespace hold.
    pub(super) fn new(bytes: Arc<AtomicWord>) -> Result<Pin<KBox<Timer<Waiting>>>> {
        let parking = Parking {
            timed: RBTree::new(),
            passed: RBTree::new(),
            overtaken: RBTree::new(),
            targets: RBTree::new(),
            passes: RBTree::new(),
            count: 0,
            sequence: 0,
            closed: false,
        };
        KBox::pin_init(
            Timer::new(pin_init!(Waiting {
                parking <- SpinLock::new(parking, c_str!("ferronic_waiting"), static_lock_class!()),
                bytes,
                waiting: AtomicWord::new(0),
                ready: AtomicWord::new(0),
                hurried: AtomicWord::new(0),
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
        if self.waiting.read() != 0 {
            // Taken when the packet that passes has gone on.
            self.parking.lock(bh).passed(slot, self);
        }
    }

    /// Takes out one that has been overtaken.
    pub(super) fn take_ready(&self, bh: &Bh<'_>) -> Option<Held> {
        let mut parking = self.parking.lock(bh);
        let due = front(&parking.overtaken)?;
        parking.due(&due, self)
    }

    /// Lets those go on that the rules of such slots hold. Process context.
    pub(super) fn release(&self, mut such: impl FnMut(u32) -> bool) {
        let mut looked = Looked::default();
        loop {
            // In between softirqs run: the queues that these go to, such as the backlog, are bounded.
            let guard = BhGuard::new();
            for _ in 0..BATCH {
                let mut parking = self.parking.lock(guard.bh());
                let next = parking.next(&mut looked, |parked| such(parked.slot), self);
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
            let next = parking.next(&mut looked, |p| p.held.is_at(dev), self);
            drop(parking);
            let Some(held) = next else {
                return;
            };
            self.lost.fetch_add(1);
            drop(held);
        }
    }
}

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
        looked: &mut Looked,
        mut such: impl FnMut(&Parked) -> bool,
        counts: &Waiting,
    ) -> Option<Held> {
        let parked = if let Some(timed) = take(&mut self.timed, &mut looked.timed, &mut such) {
            timed
        } else if let Some(passed) = take(&mut self.passed, &mut looked.passed, &mut such) {
            self.forget(&passed, looked.passed.1, counts);
            passed
        } else {
            let overtaken = take(&mut self.overtaken, &mut looked.overtaken, &mut such)?;
            counts.ready.fetch_sub(1);
            overtaken
        };
        Some(self.taken(parked, counts))
    }

    /// Takes out the one that is due at that time.
    fn due(&mut self, due: &Due, counts: &Waiting) -> Option<Held> {
        let parked = if let Some(timed) = self.timed.remove(due) {
            timed
        } else if let Some(passed) = self.passed.remove(due) {
            self.forget(&passed, due.1, counts);
            passed
        } else {
            let overtaken = self.overtaken.remove(due)?;
            counts.ready.fetch_sub(1);
            overtaken
        };
        Some(self.taken(parked, counts))
    }

    /// Reckons with one that was taken out.
    fn taken(&mut self, parked: Parked, counts: &Waiting) -> Held {
        self.count = self.count.wrapping_sub(1);
        counts.bytes.fetch_sub(parked.bytes);
        parked.held
    }

    /// When the first is due.
    fn first(&self) -> Option<Due> {
        [&self.timed, &self.passed, &self.overtaken]
            .into_iter()
            .filter_map(front)
            .min()
    }

    /// One that is not in `passed` any more, whose number is `sequence`, waits for nobody.
    fn forget(&mut self, parked: &Parked, sequence: u64, counts: &Waiting) {
        self.targets.remove(&(parked.slot, parked.target, sequence));
        self.waits_no_more(parked.slot, counts);
    }

    /// One less waits at a rule.
    fn waits_no_more(&mut self, slot: u32, counts: &Waiting) {
        counts.waiting.fetch_sub(1);
        let next = self.targets.cursor_lower_bound(&(slot, 0, 0));
        if next.is_none_or(|cursor| cursor.current().0 .0 != slot) {
            self.passes.remove(&slot);
        }
    }

    /// A packet passes the rule of a slot: those that have waited for it are overtaken.
    fn passed(&mut self, slot: u32, counts: &Waiting) {
        let Some(passes) = self.passes.get_mut(&slot) else {
            return;
        };
        *passes = passes.wrapping_add(1);
        let number = *passes;
        while let Some((target, due)) = self
            .targets
            .cursor_lower_bound(&(slot, 0, 0))
            .map(|cursor| (*cursor.current().0, *cursor.current().1))
            .filter(|(target, _)| target.0 == slot && target.1 <= number)
        {
            self.targets.remove(&target);
            self.waits_no_more(slot, counts);
            if let Some(node) = self.passed.remove_node(&due) {
                // The times of all queues are different: nothing is replaced.
                let _ = self.overtaken.insert(node);
                counts.ready.fetch_add(1);
            }
        }
    }
}

/// Places in the trees of those that wait to be overtaken.
struct Waits {
    target: RBTreeNodeReservation<Target, Due>,
    passes: RBTreeNodeReservation<u32, u64>,
}

impl Waits {
    fn new() -> Result<Self> {
        Ok(Waits {
            target: RBTreeNodeReservation::new(GFP_ATOMIC)?,
            passes: RBTreeNodeReservation::new(GFP_ATOMIC)?,
        })
    }

    /// Has the one that is due then wait for so many at the rule of a slot; the number of the last of them.
    fn enter(self, parking: &mut Parking, slot: u32, gap: u32, due: Due, counts: &Waiting) -> u64 {
        if parking.passes.get(&slot).is_none() {
            let _ = parking.passes.insert(self.passes.into_node(slot, 0));
        }
        let passes = parking.passes.get(&slot).copied().unwrap_or(0);
        let target = passes.wrapping_add(gap.into());
        let key = (slot, target, due.1);
        let _ = parking.targets.insert(self.target.into_node(key, due));
        counts.waiting.fetch_add(1);
        target
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
    let held = match packet.hold(bh) {
        Ok(Some(held)) => held,
        Ok(None) => {
            timer.lost.fetch_add(1);
            return None;
        }
        Err(packet) => {
            timer.unheld.fetch_add(1);
            return Some(packet);
        }
    };
    let bytes = held.memory();
    let nodes = RBTreeNodeReservation::new(GFP_ATOMIC).and_then(|node| {
        let waits = (gap != 0).then(Waits::new).transpose()?;
        Ok((node, waits))
    });
    let mut parking = timer.parking.lock(bh);
    let (node, waits) = match nodes {
        Ok(nodes)
            if parking.count < HELD_MAX
                && timer.bytes.read().saturating_add(bytes) <= HELD_BYTES_MAX
                && !parking.closed =>
        {
            nodes
        }
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
    timer.bytes.fetch_add(bytes);
    let target = waits.map_or(0, |w| w.enter(&mut parking, slot, gap, due, timer));
    let queue = if target == 0 {
        &mut parking.timed
    } else {
        &mut parking.passed
    };
    // Numbers are given once, so nothing is replaced.
    let parked = Parked {
        held,
        bytes,
        slot,
        target,
    };
    let _ = queue.insert(node.into_node(due, parked));
    if parking.first() == Some(due) {
        timer.start_at(match timer.hurried.read() {
            0 => due.0,
            _ => now_ns(),
        });
    }
    None
}

/// Lets a packet go on behind the hook at once, or by the timer if too many go on within one another.
pub(super) fn go_on(timer: &Timer<Waiting>, packet: Packet<'_>, slot: u32, bh: &Bh<'_>) {
    if may_resume(bh) {
        timer.count_lost(packet.resume(bh));
    } else if let Some(packet) = park(timer, packet, slot, now_ns(), 0, bh) {
        timer.count_lost(false);
        packet.drop_with(Reason::NO_MEM);
    }
}

/// Has the timer let those go on that have been overtaken: whoever did it can't.
pub(super) fn hurry(timer: &Timer<Waiting>, bh: &Bh<'_>) {
    // Under the lock, as is the look of the timer at it before it starts itself for later.
    let _parking = timer.parking.lock(bh);
    timer.hurried.xchg(1);
    timer.start_at(now_ns());
}

impl Expire for Waiting {
    fn expired(timer: &Timer<Self>, bh: &Bh<'_>) {
        let now = now_ns();
        let hurried = timer.hurried.xchg(0) != 0;
        for _ in 0..BATCH {
            let mut parking = timer.parking.lock(bh);
            let overtaken = front(&parking.overtaken).filter(|_| hurried);
            let Some(due) = overtaken.or_else(|| parking.first().filter(|due| due.0 <= now)) else {
                break;
            };
            let held = parking.due(&due, timer);
            drop(parking);
            if let Some(held) = held {
                timer.resume(held, bh);
            }
        }
        let parking = timer.parking.lock(bh);
        if hurried && front(&parking.overtaken).is_some() {
            timer.hurried.xchg(1);
        }
        let next = match timer.hurried.read() {
            0 => parking.first(),
            _ => Some((now, 0)),
        };
        if let Some((due, _)) = next {
            // A time that is past would be had at once, before anything else.
            timer.start_at(due.max(now.saturating_add(1)));
        }
    }
}
