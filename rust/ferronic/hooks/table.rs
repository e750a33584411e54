// SPDX-License-Identifier: GPL-2.0

//! The chains of a namespace, and changes of them.
//!
//! Changes come as a list: all of it is done, or nothing. First everything is prepared (rulesets, memory, slots); then
//! new chains are attached, as yet empty, the last thing that can fail; then rulesets are swapped, a chain at a time,
//! and what was removed is detached. Last, who listens is told, with the mutex still held: so what is told has
//! happened, and comes in the order of the generations.

use super::chain::{Chain, Name, NewChain, Places, Policy, Site};
use super::counters::{Counts, Slots};
use super::edited::Steps;
use super::event::Events;
use super::rule::{Extra, NewRule};
use super::ruleset::{Draft, Left, Ruleset};
use super::tell::{Teller, Touched};
use super::waiting::Waiting;
use core::mem;
use kernel::prelude::*;
use kernel::sync::{static_lock_class, Arc, LockClassKey};
use netdev::interface::Interface;
use netdev::namespace::{self, PerNet, Slot};
use netdev::rtnl::{Net, Rtnl};
use netdev::sync::{AtomicWord, Old, RcuArc};
use pure::rules::check::{Error as Unfit, Point};
use pure::rules::rule::{Action, Modifiers, Rule};

/// Chains of a namespace at most.
const CHAINS_MAX: usize = 1024;

pub(crate) static HOOKS: Slot<Table> = Slot::new();

/// The chains of a namespace.
pub(crate) struct Table {
    /// Raised with each change.
    pub(crate) generation: u64,
    chains: KVec<Entry>,
    /// Bytes of memory of the packets that they hold.
    held: Arc<AtomicWord>,
}

/// A chain.
pub(super) struct Entry {
    name: Name,
    site: Site,
    priority: i32,
    // Before what packets in it use.
    places: Places,
    /// Devices that it could not be attached to.
    missed: u64,
    chain: Arc<Chain>,
    /// The ruleset that the chain has.
    pub(super) rules: Arc<Ruleset>,
    slots: Slots,
    /// The next rule's.
    next_handle: u32,
}

impl PerNet for Table {
    const PLACE: namespace::Place<Self> = namespace::Place::of(&HOOKS);

    fn lock_class() -> Pin<&'static LockClassKey> {
        static_lock_class!()
    }

    fn new() -> Result<Self> {
        Ok(Table {
            generation: 1,
            chains: KVec::new(),
            held: Arc::new(AtomicWord::new(0), GFP_KERNEL_ACCOUNT)?,
        })
    }
}

/// Where a rule is to stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Behind all others.
    Last,
    /// At this position, counted from 0.
    At(u32),
    /// Before the rule of this handle.
    Before(u32),
}

/// A change.
pub(crate) enum Change {
    /// A new chain.
    AddChain(NewChain),
    /// Another policy.
    SetPolicy(Name, Policy),
    /// A chain goes, and its rules with it.
    DeleteChain(Name),
    /// All rules of a chain go.
    Flush(Name),
    /// A new rule.
    AddRule(Name, Place, NewRule),
    /// Another rule in its place, under the same handle.
    ReplaceRule(Name, u32, NewRule),
    /// A rule goes.
    DeleteRule(Name, u32),
    /// A rule, or all of a chain and its policy, begin to count anew.
    Reset(Name, Option<u32>),
}

/// What of a change is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// There is no such chain.
    Chain,
    /// There is such a chain already.
    Exists,
    /// There are too many chains.
    Chains,
    /// There is no such device.
    Device,
    /// The hook can't be registered.
    Hook,
    /// There is no such rule.
    Handle,
    /// There is no such position.
    Position,
    /// Changes lie too far apart, in lists that are too long, to be made together.
    Steps,
    /// The rule makes no sense; if it is a term, which one.
    Rule(Option<usize>, Unfit),
    /// What is needed isn't there, mostly memory.
    Other,
}

/// Why changes were refused.
#[derive(Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) wrong: Wrong,
    pub(crate) error: Error,
}

/// What is shown of a chain.
pub(crate) struct ChainView<'a> {
    pub(crate) name: &'a CStr,
    pub(crate) site: Site,
    pub(crate) priority: i32,
    /// Devices that it is at, and those it should be at but could not be attached to.
    pub(crate) devices: u32,
    pub(crate) missed: u64,
    pub(crate) policy: Policy,
    pub(crate) rules: u32,
    pub(crate) shapes: u32,
    /// Packets that the policy decided on.
    pub(crate) counts: Counts,
    /// Packets that it holds.
    pub(crate) held: u32,
    /// Packets that it should have held, but dropped as it held too many.
    pub(crate) overflows: u64,
    /// Packets that it should have held, but could not have resumed; and super frames that could not be cut.
    pub(crate) unheld: u64,
    pub(crate) uncut: u64,
    /// Packets that were to go on, and were dropped as the hook or a device was gone.
    pub(crate) lost: u64,
    /// Bytes that its rules take, and those that their counters take for the CPUs.
    pub(crate) memory: u64,
    pub(crate) counter_memory: u64,
}

/// What is shown of a rule.
pub(crate) struct RuleView<'a> {
    pub(crate) chain: &'a CStr,
    pub(crate) handle: u32,
    /// Number of rules before it.
    pub(crate) position: u32,
    pub(crate) rule: Rule<'a>,
    pub(crate) extra: Extra,
    pub(crate) counts: Counts,
}

impl RuleView<'_> {
    /// For which matches it acts, and what it does.
    pub(crate) fn consequence(&self) -> Option<(Modifiers, Action)> {
        self.rule.consequence()
    }

    /// How often it acted.
    pub(crate) fn acted(&self) -> u64 {
        match self.consequence() {
            Some((modifiers, _)) if !self.rule.is_unconditional() => {
                let most = modifiers.at_most.map_or(u64::MAX, u64::from);
                self.counts.acted.min(most)
            }
            _ => self.counts.packets,
        }
    }
}

impl Table {
    fn find(&self, name: &Name) -> Option<usize> {
        self.chains.iter().position(|c| c.name == *name)
    }

    /// The chain at a place of the list.
    pub(crate) fn chain_at(&self, at: usize) -> Option<ChainView<'_>> {
        self.chains.get(at).map(Entry::view)
    }

    /// The place of a chain in the list.
    pub(crate) fn position(&self, name: &CStr) -> Option<usize> {
        self.find(&Name::new(name))
    }

    /// The rule at a position of the chain at a place of the list.
    pub(crate) fn rule_at(&self, chain: usize, position: u32) -> Option<RuleView<'_>> {
        let entry = self.chains.get(chain)?;
        entry.rule_view(&entry.rules, position)
    }

    /// The handle that a chain gave last.
    pub(crate) fn last_handle(&self, name: &CStr) -> Option<u32> {
        let entry = self.chains.get(self.position(name)?)?;
        entry.next_handle.checked_sub(1)
    }

    /// The position of a rule of the chain at a place of the list.
    pub(crate) fn rule_position(&self, chain: usize, handle: u32) -> Option<u32> {
        self.chains.get(chain)?.rules.find(handle)
    }

    /// A device goes down, or for ever: packets that need it are dropped.
    pub(super) fn drop_at(&mut self, dev: &Interface) {
        for entry in &self.chains {
            entry.chain.waiting.drop_at(dev);
        }
    }

    /// A device has come: so do the chains that are at all of them.
    pub(super) fn device_came(&mut self, dev: &Interface, rtnl: &Rtnl) {
        for entry in self.chains.iter_mut() {
            let Site::Devices(direction) = entry.site else {
                continue;
            };
            let (chain, priority) = (&entry.chain, entry.priority);
            let added = entry.places.add(chain, direction, priority, dev, rtnl);
            // It goes on without: a device has to come, whatever its hook says.
            if added.is_err() {
                entry.missed = entry.missed.wrapping_add(1);
            }
        }
    }

    /// A device goes: so do the chains at it.
    pub(super) fn device_gone(&mut self, ifindex: u32, net: &Net) {
        let is_going = |entry: &Entry| matches!(entry.site, Site::Device(_, at) if at == ifindex);
        for entry in self.chains.iter().filter(|e| is_going(e)) {
            // What it holds goes on behind it while it is there.
            entry.chain.waiting.close();
        }
        Places::detach_from(self.chains.iter_mut().map(|e| &mut e.places), ifindex);
        let mut at = 0usize;
        while let Some(entry) = self.chains.get_mut(at) {
            entry.places.forget(ifindex);
            if !is_going(entry) {
                at = at.wrapping_add(1);
                continue;
            }
            self.generation = self.generation.wrapping_add(1);
            let teller = Teller::new(net, self.generation);
            if let Ok(entry) = self.chains.remove(at) {
                teller.ends(&entry);
            }
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // One wait for all chains, not one for each.
        Places::detach(self.chains.iter_mut().map(|e| &mut e.places));
    }
}

/// A chain that changes concern.
struct Work {
    name: Name,
    /// Where the table has it; `None` if it is new.
    at: Option<usize>,
    new: Option<Entry>,
    /// What it is to be; `None` if its rules stay as they are.
    draft: Option<Draft>,
    next_handle: u32,
    delete: bool,
    /// The first change that concerned it: where a failure belongs.
    index: usize,
    /// What is to be told of it.
    touched: Touched,
    /// Prepared: the ruleset, and the slots that nobody has any more afterwards. Once it is published: the one before.
    ready: Option<(Arc<Ruleset>, Left)>,
}

impl Work {
    fn entry<'a>(&'a self, table: &'a Table) -> Option<&'a Entry> {
        match (&self.new, self.at) {
            (Some(entry), _) => Some(entry),
            (None, Some(at)) => table.chains.get(at),
            (None, None) => None,
        }
    }

    fn entry_mut<'a>(&'a mut self, table: &'a mut Table) -> Option<&'a mut Entry> {
        match (&mut self.new, self.at) {
            (Some(entry), _) => Some(entry),
            (None, Some(at)) => table.chains.get_mut(at),
            (None, None) => None,
        }
    }
}

/// What changes of a chain's rules work on.
struct Part<'a> {
    draft: &'a mut Draft,
    /// Where the chain is.
    point: Point,
    next_handle: &'a mut u32,
    touched: &'a mut Touched,
    steps: &'a mut Steps,
}

impl Part<'_> {
    /// Goes to a rule that is about to change.
    fn touch(&mut self, handle: u32) -> Judged<()> {
        self.touched.rule(handle);
        self.find(handle)
    }

    /// Goes to a rule.
    fn find(&mut self, handle: u32) -> Judged<()> {
        match self.draft.find(handle, self.steps) {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused(Wrong::Handle, ENOENT)),
            Err(e) => Err(too_far(e)),
        }
    }

    /// Goes to where a rule is to stand.
    fn seek(&mut self, place: Place) -> Judged<()> {
        let position = match place {
            Place::Last => self.draft.len(),
            Place::At(position) => position as usize,
            Place::Before(handle) => return self.find(handle),
        };
        if position > self.draft.len() {
            return Err(refused(Wrong::Position, ERANGE));
        }
        self.draft.seek(position, self.steps).map_err(too_far)
    }

    /// All rules are about to change.
    fn touch_all(&mut self) {
        let count = self.draft.len();
        self.touched.rules(count, self.draft.handles());
    }
}

/// Changes that are being prepared.
struct Plan<'a> {
    table: &'a mut Table,
    works: KVec<Work>,
    /// The one that was looked for last.
    recent: usize,
    /// What the changes may cost, all together.
    steps: Steps,
    /// Rulesets that were replaced: room for one of each chain.
    replaced: KVec<Old<Ruleset>>,
}

/// Whether changes were made; if not, the number of the one that can't be, and why.
pub(crate) type Applied = core::result::Result<(), (usize, Refusal)>;

type Judged<T> = core::result::Result<T, Refusal>;

/// It isn't the change's fault.
fn other(error: impl Into<Error>) -> Refusal {
    refused(Wrong::Other, error.into())
}

fn refused(wrong: Wrong, error: Error) -> Refusal {
    Refusal { wrong, error }
}

/// Something is too far away, or there is no memory to get there.
fn too_far(error: Error) -> Refusal {
    match error {
        E2BIG => refused(Wrong::Steps, E2BIG),
        _ => other(error),
    }
}

impl Plan<'_> {
    /// The work on a chain that is there.
    fn work(&mut self, name: &Name, index: usize) -> Judged<usize> {
        let is_it = |work: &Work| work.name == *name && !work.delete;
        // Changes of a chain mostly come one after the other.
        if self.works.get(self.recent).is_some_and(is_it) {
            return Ok(self.recent);
        }
        let known = self.works.iter().position(is_it);
        let names = known.unwrap_or(self.works.len().saturating_add(self.table.chains.len()));
        self.steps.take(names).map_err(too_far)?;
        if let Some(at) = known {
            self.recent = at;
            return Ok(at);
        }
        let deleted = self.works.iter().any(|w| w.name == *name);
        let at = match self.table.find(name) {
            Some(at) if !deleted => at,
            _ => return Err(refused(Wrong::Chain, ENOENT)),
        };
        let next_handle = self.table.chains.get(at).map_or(1, |e| e.next_handle);
        self.push(Work {
            name: *name,
            at: Some(at),
            new: None,
            draft: None,
            next_handle,
            delete: false,
            index,
            touched: Touched::default(),
            ready: None,
        })
    }

    fn push(&mut self, work: Work) -> Judged<usize> {
        self.works.push(work, GFP_KERNEL).map_err(other)?;
        self.recent = self.works.len().saturating_sub(1);
        Ok(self.recent)
    }

    /// What changes of a chain work on.
    fn part(&mut self, name: &Name, index: usize) -> Judged<Part<'_>> {
        let at = self.work(name, index)?;
        let table: &Table = self.table;
        let work = self.works.get_mut(at).ok_or(other(EINVAL))?;
        let (rules, point) = match work.entry(table) {
            Some(entry) => (entry.rules.clone(), entry.site.point()),
            None => return Err(other(EINVAL)),
        };
        if work.draft.is_none() {
            work.draft = Some(Draft::new(&rules).map_err(other)?);
        }
        match &mut work.draft {
            Some(draft) => Ok(Part {
                draft,
                point,
                next_handle: &mut work.next_handle,
                touched: &mut work.touched,
                steps: &mut self.steps,
            }),
            None => Err(other(EINVAL)),
        }
    }

    /// Takes one change in.
    fn change(&mut self, index: usize, change: &Change) -> Judged<()> {
        match change {
            Change::AddChain(new) => self.add_chain(index, new)?,
            Change::SetPolicy(name, policy) => {
                let part = self.part(name, index)?;
                part.draft.policy = *policy;
                part.touched.chain();
            }
            Change::DeleteChain(name) => {
                let at = self.work(name, index)?;
                if let Some(work) = self.works.get_mut(at) {
                    work.delete = true;
                    work.draft = None;
                }
            }
            Change::Flush(name) => {
                let mut part = self.part(name, index)?;
                part.touch_all();
                part.draft.clear();
            }
            Change::AddRule(name, place, rule) => {
                let mut part = self.part(name, index)?;
                part.seek(*place)?;
                let handle = *part.next_handle;
                judge(part.draft.insert(handle, rule, part.point))?;
                *part.next_handle = handle.checked_add(1).ok_or(other(EOVERFLOW))?;
                part.touched.rule(handle);
            }
            Change::ReplaceRule(name, handle, rule) => {
                let mut part = self.part(name, index)?;
                part.touch(*handle)?;
                judge(part.draft.replace(rule, part.point))?;
            }
            Change::DeleteRule(name, handle) => {
                let mut part = self.part(name, index)?;
                part.touch(*handle)?;
                part.draft.remove();
            }
            Change::Reset(name, Some(handle)) => {
                let mut part = self.part(name, index)?;
                part.touch(*handle)?;
                part.draft.reset();
            }
            Change::Reset(name, None) => {
                let mut part = self.part(name, index)?;
                part.touched.chain();
                part.touch_all();
                part.draft.reset_all(part.steps).map_err(too_far)?;
            }
        }
        Ok(())
    }

    /// How many chains are new.
    fn added(&self) -> usize {
        let new = self.works.iter().filter(|w| w.new.is_some());
        new.fold(0usize, |n, _| n.wrapping_add(1))
    }

    fn add_chain(&mut self, index: usize, new: &NewChain) -> Judged<()> {
        match self.work(&new.name, index) {
            Ok(_) => return Err(refused(Wrong::Exists, EEXIST)),
            Err(refusal) if refusal.wrong != Wrong::Chain => return Err(refusal),
            Err(_) => (),
        }
        let added = self.added();
        if self.table.chains.len().saturating_add(added) >= CHAINS_MAX {
            return Err(refused(Wrong::Chains, ENOSPC));
        }
        let mut slots = Slots::new();
        let rules = Ruleset::empty(Policy::Accept, &mut slots).map_err(other)?;
        let chain = Chain {
            rules: RcuArc::new(rules.clone()),
            waiting: Waiting::new(self.table.held.clone()).map_err(other)?,
            uncut: AtomicWord::new(0),
            name: new.name,
            events: Events::new(),
        };
        let mut draft = Draft::new(&rules).map_err(other)?;
        draft.policy = new.policy;
        let entry = Entry {
            name: new.name,
            site: new.site,
            priority: new.priority,
            places: Places::default(),
            missed: 0,
            chain: Arc::new(chain, GFP_KERNEL_ACCOUNT).map_err(other)?,
            rules,
            slots,
            next_handle: 1,
        };
        self.push(Work {
            name: new.name,
            at: None,
            new: Some(entry),
            draft: Some(draft),
            next_handle: 1,
            delete: false,
            index,
            touched: Touched::default(),
            ready: None,
        })?;
        Ok(())
    }

    /// Makes the rulesets.
    fn prepare(&mut self) -> Applied {
        let table = &mut *self.table;
        let mut failed = None;
        for work in self.works.iter_mut() {
            let Some(draft) = work.draft.take() else {
                continue;
            };
            let index = work.index;
            let Some(entry) = work.entry_mut(table) else {
                continue;
            };
            let old = entry.rules.clone();
            let made = draft.finish(Some(&old), &mut entry.slots).and_then(|new| {
                match Left::of(&old, &new, &entry.slots) {
                    Ok(left) => Ok((new, left)),
                    Err(e) => {
                        entry.give_new_slots(&old, &new);
                        Err(e)
                    }
                }
            });
            match made {
                Ok(ready) => work.ready = Some(ready),
                Err(error) => {
                    failed = Some((
                        index,
                        Refusal {
                            wrong: Wrong::Other,
                            error,
                        },
                    ));
                    break;
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Attaches new chains.
    fn attach(&mut self, net: &Net, rtnl: Option<&Rtnl>) -> Applied {
        let added = self.added();
        self.table
            .chains
            .reserve(added, GFP_KERNEL_ACCOUNT)
            .and_then(|()| self.replaced.reserve(self.works.len(), GFP_KERNEL))
            .map_err(|e| (0, other(e)))?;
        for work in self.works.iter_mut().filter(|w| !w.delete) {
            if let Some(entry) = &mut work.new {
                let places = Places::attach(&entry.chain, &entry.site, entry.priority, net, rtnl);
                entry.places = places.map_err(|error| {
                    let wrong = match entry.site {
                        Site::Device(..) if error == ENODEV => Wrong::Device,
                        _ => Wrong::Hook,
                    };
                    (work.index, Refusal { wrong, error })
                })?;
            }
        }
        Ok(())
    }

    /// Gives back what was prepared.
    fn undo(&mut self) {
        let table = &mut *self.table;
        for work in self.works.iter_mut() {
            if let Some((new, _)) = work.ready.take() {
                if let Some(entry) = work.entry_mut(table) {
                    let old = entry.rules.clone();
                    entry.give_new_slots(&old, &new);
                }
            }
        }
        // Of new ones, those that were attached before what failed.
        let new = self.works.iter_mut().filter_map(|w| w.new.as_mut());
        Places::detach(new.map(|e| &mut e.places));
    }

    /// Swaps the rulesets, detaches what goes, and tells of it. Cannot fail.
    fn commit(mut self, net: &Net) {
        if self.works.is_empty() {
            return;
        }
        let table = &mut *self.table;
        table.generation = table.generation.wrapping_add(1);
        for work in self.works.iter_mut() {
            let next_handle = work.next_handle;
            let ready = work.ready.take();
            if let (Some((new, left)), Some(entry)) = (ready, work.entry_mut(table)) {
                let old = entry.chain.rules.replace(new.clone());
                let before = mem::replace(&mut entry.rules, new);
                entry.next_handle = next_handle;
                work.ready = Some((before, left));
                // There is room, reserved before.
                let _ = self.replaced.push_within_capacity(old);
            }
        }
        // Waits until no packet is in any of the old ones.
        Old::drop_all(&mut self.replaced);
        let teller = Teller::new(net, table.generation);
        for work in self.works.iter_mut() {
            let delete = work.delete;
            let told = work.at.map(|_| mem::take(&mut work.touched));
            let ready = work.ready.take();
            if let (Some((before, left)), Some(entry)) = (ready, work.entry_mut(table)) {
                entry.chain.waiting.release(|slot| left.has(slot));
                // Of those that have gone, what they counted is still there.
                if let Some(touched) = told {
                    teller.changes(entry, &before, &touched);
                }
                for slot in left.slots() {
                    entry.slots.give(*slot);
                }
            }
            if delete {
                work.new = None;
            }
        }
        let deleted = || self.works.iter().filter(|w| w.delete && w.at.is_some());
        let is_going = |entry: &Entry| deleted().any(|w| w.name == entry.name);
        for entry in table.chains.iter().filter(|e| is_going(e)) {
            // What it holds goes on behind it while it is there.
            entry.chain.waiting.close();
        }
        let going = table.chains.iter_mut().filter(|e| is_going(e));
        Places::detach(going.map(|e| &mut e.places));
        for work in deleted() {
            if let Some(at) = table.find(&work.name) {
                if let Ok(mut entry) = table.chains.remove(at) {
                    entry.places = Places::default();
                    teller.ends(&entry);
                }
            }
        }
        for work in self.works.iter_mut() {
            // A chain may have gone and come again.
            if let Some(entry) = work.new.take() {
                teller.begins(&entry, &work.touched);
                // There is room, reserved before.
                let _ = table.chains.push_within_capacity(entry);
            }
        }
    }
}

impl Entry {
    /// What is shown of it.
    pub(super) fn view(&self) -> ChainView<'_> {
        let waiting = &self.chain.waiting;
        let (shared, cells) = self.slots.memory();
        ChainView {
            name: self.name.as_cstr(),
            site: self.site,
            priority: self.priority,
            devices: self.places.devices(),
            missed: self.missed,
            policy: self.rules.policy,
            rules: self.rules.len() as u32,
            shapes: self.rules.shapes(),
            counts: self.rules.counts(self.rules.policy_slot),
            held: waiting.count() as u32,
            overflows: waiting.overflows.read(),
            unheld: waiting.unheld.read(),
            uncut: self.chain.uncut.read(),
            lost: waiting.lost.read(),
            memory: self.rules.memory().saturating_add(shared) as u64,
            counter_memory: cells as u64,
        }
    }

    /// What is shown of the rule at a position of a ruleset that it has, or had.
    pub(super) fn rule_view<'a>(&'a self, of: &'a Ruleset, position: u32) -> Option<RuleView<'a>> {
        let item = of.item(position)?;
        Some(RuleView {
            chain: self.name.as_cstr(),
            handle: item.handle,
            position,
            rule: of.rules().get(position)?,
            extra: item.extra,
            counts: of.counts(item.slot),
        })
    }

    /// Gives back the slots that `new`, which was never published, has and `old` has not. Without memory to find out
    /// which, they are lost until the chain goes.
    fn give_new_slots(&mut self, old: &Ruleset, new: &Ruleset) {
        if let Ok(left) = Left::of(new, old, &self.slots) {
            for slot in left.slots() {
                self.slots.give(*slot);
            }
        }
    }
}

/// Turns what a draft says of a rule into what is said of a change.
fn judge<T>(said: core::result::Result<Result<T>, super::rule::Fault>) -> Judged<T> {
    match said {
        Ok(done) => done.map_err(other),
        Err(fault) => Err(refused(Wrong::Rule(fault.term, fault.unfit), EINVAL)),
    }
}

/// Makes all changes, or none. With RTNL if one of them is a chain at a device. Process context; sleeps.
///
/// Calls `then` when nothing can fail any more, and goes on if that succeeds.
pub(crate) fn apply(
    table: &mut Table,
    net: &Net,
    changes: &[Change],
    rtnl: Option<&Rtnl>,
    then: impl FnOnce() -> Result,
) -> Applied {
    let mut plan = Plan {
        table,
        works: KVec::new(),
        recent: 0,
        steps: Steps::new(),
        replaced: KVec::new(),
    };
    for (index, change) in changes.iter().enumerate() {
        plan.change(index, change)
            .map_err(|refusal| (index, refusal))?;
    }
    let ready = plan
        .prepare()
        .and_then(|()| plan.attach(net, rtnl))
        .and_then(|()| then().map_err(|e| (changes.len(), other(e))));
    if ready.is_err() {
        plan.undo();
        return ready;
    }
    plan.commit(net);
    Ok(())
}
