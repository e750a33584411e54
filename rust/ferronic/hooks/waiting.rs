// SPDX-License-Identifier: GPL-2.0

//! Packets that a chain holds: delayed ones, and those that wait for others to overtake them.
//!
//! They lie in a tree by the time they are due, and a timer lets them go on behind the hook. At most [`HELD_MAX`] of a
//! chain are held; what comes then is dropped and counted. They go on at once when their rule goes or their chain is
//! deleted, and are dropped when a device that they need goes.

use core::ops::ControlFlow;
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

struct Tree {
    parked: RBTree<Due, Parked>,
    count: usize,
    sequence: u64,
    /// How many wait to be overtaken.
    gaps: usize,
    /// Nothing is held any more.
    closed: bool,
}

/// What a chain holds.
#[pin_data]
pub(super) struct Waiting {
    #[pin]
    tree: SpinLock<Tree>,
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
        let tree = Tree {
            parked: RBTree::new(),
            count: 0,
            sequence: 0,
            gaps: 0,
            closed: false,
        };
        KBox::pin_init(
            Timer::new(pin_init!(Waiting {
                tree <- SpinLock::new(tree, c_str!("ferronic_waiting"), static_lock_class!()),
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
        self.tree.lock_bh().count
    }

    /// Whether packets have been overtaken that are to follow this one.
    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.ready.read() != 0
    }

    /// A packet passes the rule of a slot without being held.
    pub(super) fn passed(&self, slot: u32, bh: &Bh<'_>) {
        let mut tree = self.tree.lock(bh);
        if tree.gaps == 0 {
            return;
        }
        for parked in tree.parked.values_mut() {
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
        let mut tree = self.tree.lock(bh);
        tree.take(&self.ready, |_, parked| parked.gap == OVERTAKEN)
    }

    /// Lets those go on that the rules of such slots hold. Process context.
    pub(super) fn release(&self, mut such: impl FnMut(u32) -> bool) {
        loop {
            // In between softirqs run: the queues that these go to, such as the backlog, are bounded.
            let guard = BhGuard::new();
            for _ in 0..BATCH {
                let mut tree = self.tree.lock(guard.bh());
                let Some(held) = tree.take(&self.ready, |_, parked| such(parked.slot)) else {
                    return;
                };
                drop(tree);
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
        self.tree.lock_bh().closed = true;
        self.release(|_| true);
    }

    /// Drops those that need a device. Process context.
    pub(super) fn drop_at(&self, dev: &Interface) {
        loop {
            let mut tree = self.tree.lock_bh();
            let Some(held) = tree.take(&self.ready, |_, parked| parked.held.is_at(dev)) else {
                break;
            };
            drop(tree);
            self.lost.fetch_add(1);
            drop(held);
        }
    }
}

/// In place of a number of packets: there have been enough.
const OVERTAKEN: u32 = u32::MAX;

impl Tree {
    /// Takes out the first such.
    fn take(
        &mut self,
        ready: &AtomicWord,
        mut such: impl FnMut(&Due, &Parked) -> bool,
    ) -> Option<Held> {
        let due = self.parked.iter().try_for_each(|(due, parked)| {
            if such(due, parked) {
                ControlFlow::Break(*due)
            } else {
                ControlFlow::Continue(())
            }
        });
        let ControlFlow::Break(due) = due else {
            return None;
        };
        let parked = self.parked.remove(&due)?;
        self.count = self.count.wrapping_sub(1);
        if parked.gap != 0 {
            self.gaps = self.gaps.wrapping_sub(1);
        }
        if parked.gap == OVERTAKEN {
            ready.fetch_sub(1);
        }
        Some(parked.held)
    }

    /// When the first is due.
    fn first(&self) -> Option<Due> {
        self.parked.cursor_front().map(|cursor| *cursor.current().0)
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
    let mut tree = timer.tree.lock(bh);
    let node = match node {
        Ok(node) if tree.count < HELD_MAX && !tree.closed => node,
        _ if tree.closed => {
            // The chain is about to go; what it held has gone on.
            drop(tree);
            timer.resume(held, bh);
            return None;
        }
        _ => {
            drop(tree);
            timer.overflows.fetch_add(1);
            held.drop_with(Reason::NO_MEM);
            return None;
        }
    };
    let due = (due, tree.sequence);
    tree.sequence = tree.sequence.wrapping_add(1);
    tree.count = tree.count.wrapping_add(1);
    if gap != 0 {
        tree.gaps = tree.gaps.wrapping_add(1);
    }
    // Numbers are given once, so nothing is replaced.
    let _ = tree
        .parked
        .insert(node.into_node(due, Parked { held, slot, gap }));
    if tree.first() == Some(due) {
        timer.start_at(due.0);
    }
    None
}

impl Expire for Waiting {
    fn expired(timer: &Timer<Self>, bh: &Bh<'_>) {
        let now = now_ns();
        for _ in 0..BATCH {
            let mut tree = timer.tree.lock(bh);
            match tree.first() {
                None => return,
                Some((due, _)) if due > now => break,
                Some(_) => (),
            }
            let held = tree.take(&timer.ready, |_, _| true);
            drop(tree);
            if let Some(held) = held {
                timer.resume(held, bh);
            }
        }
        let tree = timer.tree.lock(bh);
        if let Some((due, _)) = tree.first() {
            timer.start_at(due);
        }
    }
}
