// SPDX-License-Identifier: GPL-2.0

//! What a chain's packets go by, as one immutable object.

use super::chain::Policy;
use super::counters::{Chunks, Counts, Slots};
use super::edited::{Edited, Steps};
use super::rule::{Extra, Fault, NewRule};
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::memory::allocated;
use netdev::skb::Reason;
use pure::rules::check::Point;
use pure::rules::classify::{self, Classifier, Layout, Plan};
use pure::rules::hull::Hull;
use pure::rules::rule::{Rule, Rules, RULES_MAX};

/// What belongs to a rule beside its encoding.
#[derive(Clone, Copy)]
pub(super) struct Item {
    /// What users know it by; never given again in the chain.
    pub(super) handle: u32,
    /// Where it counts.
    pub(super) slot: u32,
    pub(super) extra: Extra,
}

impl Item {
    /// The reason for what it drops.
    #[inline]
    pub(super) fn drop_reason(&self) -> Reason {
        self.extra.reason().unwrap_or(Reason::NETFILTER)
    }
}

/// A ruleset.
pub(super) struct Ruleset {
    pub(super) policy: Policy,
    /// Where packets are counted that no rule decided on.
    pub(super) policy_slot: u32,
    pub(super) chunks: Chunks,
    items: KVVec<Item>,
    words: KVVec<u32>,
    offsets: KVVec<u32>,
    layout: Layout,
    memory: KVVec<u64>,
}

impl Ruleset {
    /// The rules.
    #[inline]
    pub(super) fn rules(&self) -> Rules<'_> {
        Rules::new(&self.words, &self.offsets)
    }

    /// The rules, made ready for look-ups.
    #[inline]
    pub(super) fn classifier(&self) -> Classifier<'_> {
        Classifier::new(&self.layout, self.rules(), &self.memory)
    }

    /// Fields that its rules look at.
    #[inline]
    pub(super) fn fields(&self) -> pure::rules::field::Fields {
        self.layout.fields()
    }

    /// What all its rules have in common.
    #[inline]
    pub(super) fn hull(&self) -> &Hull {
        self.layout.hull()
    }

    /// Number of rules.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it has no rules.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Number of shapes that its rules have.
    pub(super) fn shapes(&self) -> u32 {
        self.layout.shapes()
    }

    /// The rule at a position.
    #[inline]
    pub(super) fn item(&self, position: u32) -> Option<&Item> {
        self.items.get(position as usize)
    }

    /// The handles of its rules, in their order.
    pub(super) fn handles(&self) -> impl Iterator<Item = u32> + '_ {
        self.items.iter().map(|item| item.handle)
    }

    /// The slots of its rules, and that of its policy.
    fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        let of_rules = self.items.iter().map(|item| item.slot);
        Iterator::chain(of_rules, core::iter::once(self.policy_slot))
    }

    /// The position of a handle.
    pub(super) fn find(&self, handle: u32) -> Option<u32> {
        let at = self.items.iter().position(|i| i.handle == handle)?;
        Some(at as u32)
    }

    /// Bytes that it takes, as allocated.
    pub(super) fn memory(&self) -> usize {
        let vectors = [
            allocated(&self.items),
            allocated(&self.words),
            allocated(&self.offsets),
            allocated(&self.memory),
        ];
        vectors.iter().fold(size_of::<Ruleset>(), |all, bytes| {
            all.saturating_add(*bytes)
        })
    }

    /// What a rule has counted.
    pub(super) fn counts(&self, slot: u32) -> Counts {
        self.chunks.counts(slot)
    }

    /// An empty ruleset.
    pub(super) fn empty(policy: Policy, slots: &mut Slots) -> Result<Arc<Ruleset>> {
        let policy_slot = slots.take()?;
        let draft = Draft {
            policy,
            policy_slot,
            entries: Edited::new(),
            fresh: KVVec::new(),
        };
        draft.finish(None, slots)
    }
}

/// A rule of a draft.
#[derive(Clone, Copy)]
struct Entry {
    item: Item,
    /// Where its words begin.
    at: u32,
    /// Whether those are among the draft's own words, rather than the old ruleset's.
    fresh: bool,
}

/// A slot that is still to be given.
const NO_SLOT: u32 = u32::MAX;

/// A ruleset that is being made of another one.
pub(super) struct Draft {
    pub(super) policy: Policy,
    policy_slot: u32,
    entries: Edited<Entry>,
    /// Words of rules that are new.
    fresh: KVVec<u32>,
}

impl Draft {
    /// A draft that is like `old`.
    pub(super) fn new(old: &Ruleset) -> Result<Self> {
        let mut entries = KVVec::with_capacity(old.items.len(), GFP_KERNEL_ACCOUNT)?;
        for (item, at) in old.items.iter().zip(&old.offsets) {
            let entry = Entry {
                item: *item,
                at: *at,
                fresh: false,
            };
            entries.push(entry, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Draft {
            policy: old.policy,
            policy_slot: old.policy_slot,
            entries: Edited::of(entries),
            fresh: KVVec::new(),
        })
    }

    /// Number of rules.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The handles of its rules, in their order.
    pub(super) fn handles(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|e| e.item.handle)
    }

    /// Goes to the rule of a handle; returns whether there is one. `E2BIG` if that takes more than the steps there are.
    pub(super) fn find(&mut self, handle: u32, steps: &mut Steps) -> Result<bool> {
        self.entries.find(|e| e.item.handle == handle, steps)
    }

    /// Goes to a position, at most the number of rules. Errors are those of [`find`](Self::find).
    pub(super) fn seek(&mut self, position: usize, steps: &mut Steps) -> Result {
        self.entries.seek(position, steps)
    }

    /// Writes down a rule's words, and returns where.
    fn encode(&mut self, rule: &NewRule, point: Point) -> core::result::Result<Result<u32>, Fault> {
        let fresh = &mut self.fresh;
        rule.encode(point, |rule| {
            let at = u32::try_from(fresh.len()).map_err(|_| E2BIG)?;
            fresh.extend_from_slice(rule.words(), GFP_KERNEL_ACCOUNT)?;
            Ok(at)
        })
    }

    /// Puts a rule where it has gone to.
    pub(super) fn insert(
        &mut self,
        handle: u32,
        rule: &NewRule,
        point: Point,
    ) -> core::result::Result<Result, Fault> {
        let at = self.encode(rule, point)?;
        let mut insert = || {
            if self.entries.len() >= RULES_MAX {
                return Err(E2BIG);
            }
            let entry = Entry {
                item: Item {
                    handle,
                    slot: NO_SLOT,
                    extra: rule.extra,
                },
                at: at?,
                fresh: true,
            };
            self.entries.insert(entry)
        };
        Ok(insert())
    }

    /// Replaces the rule it has gone to by one that begins to count anew, under the same handle.
    pub(super) fn replace(
        &mut self,
        rule: &NewRule,
        point: Point,
    ) -> core::result::Result<Result, Fault> {
        let at = match self.encode(rule, point)? {
            Ok(at) => at,
            Err(e) => return Ok(Err(e)),
        };
        if let Some(entry) = self.entries.here() {
            entry.item.slot = NO_SLOT;
            entry.item.extra = rule.extra;
            entry.at = at;
            entry.fresh = true;
        }
        Ok(Ok(()))
    }

    /// Lets the rule it has gone to count anew.
    pub(super) fn reset(&mut self) {
        if let Some(entry) = self.entries.here() {
            entry.item.slot = NO_SLOT;
        }
    }

    /// Lets all rules, and the policy, count anew. Errors are those of [`find`](Self::find).
    pub(super) fn reset_all(&mut self, steps: &mut Steps) -> Result {
        steps.take(self.len())?;
        self.policy_slot = NO_SLOT;
        for entry in self.entries.iter_mut() {
            entry.item.slot = NO_SLOT;
        }
        Ok(())
    }

    /// Removes the rule it has gone to.
    pub(super) fn remove(&mut self) {
        let _ = self.entries.remove();
    }

    /// Removes all rules.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Makes the ruleset. `old` is the one that the draft was made of. What fails gives the slots back that it took.
    pub(super) fn finish(
        mut self,
        old: Option<&Ruleset>,
        slots: &mut Slots,
    ) -> Result<Arc<Ruleset>> {
        let mut taken = KVVec::new();
        self.build(old, slots, &mut taken).inspect_err(|_| {
            for slot in &taken {
                slots.give(*slot);
            }
        })
    }

    fn build(
        &mut self,
        old: Option<&Ruleset>,
        slots: &mut Slots,
        taken: &mut KVVec<u32>,
    ) -> Result<Arc<Ruleset>> {
        let mut give = |slot: &mut u32| -> Result {
            if *slot == NO_SLOT {
                taken.reserve(1, GFP_KERNEL_ACCOUNT)?;
                *slot = slots.take()?;
                let _ = taken.push_within_capacity(*slot);
            }
            Ok(())
        };
        give(&mut self.policy_slot)?;
        let count = self.entries.len();
        let mut items = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        let mut offsets = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        let fresh = &self.fresh;
        let words_of = |entry: &Entry| -> Result<&[u32]> {
            let from: &[u32] = match (entry.fresh, old) {
                (true, _) => fresh,
                (false, Some(old)) => &old.words,
                (false, None) => &[],
            };
            let rule = from.get(entry.at as usize..).and_then(Rule::from_words);
            Ok(rule.ok_or(EINVAL)?.words())
        };
        let mut length = 0usize;
        for entry in self.entries.iter() {
            length = length.saturating_add(words_of(entry)?.len());
        }
        let mut words = KVVec::with_capacity(length, GFP_KERNEL_ACCOUNT)?;
        for entry in self.entries.iter_mut() {
            give(&mut entry.item.slot)?;
            offsets.push(
                u32::try_from(words.len()).map_err(|_| E2BIG)?,
                GFP_KERNEL_ACCOUNT,
            )?;
            words.extend_from_slice(words_of(entry)?, GFP_KERNEL_ACCOUNT)?;
            items.push(entry.item, GFP_KERNEL_ACCOUNT)?;
        }
        let mut scratch = KVVec::new();
        scratch.resize(classify::SCRATCH_WORDS, 0u64, GFP_KERNEL)?;
        let plan = Plan::new(
            Rules::new(&words, &offsets),
            netdev::random::random_u64(),
            &mut scratch,
        )
        .map_err(refusal)?;
        let mut memory = KVVec::new();
        memory.resize(plan.words(), 0u64, GFP_KERNEL_ACCOUNT)?;
        let layout = plan.build(&mut memory).map_err(refusal)?;
        let ruleset = Ruleset {
            policy: self.policy,
            policy_slot: self.policy_slot,
            chunks: slots.chunks().share()?,
            items,
            words,
            offsets,
            layout,
            memory,
        };
        Ok(Arc::new(ruleset, GFP_KERNEL_ACCOUNT)?)
    }
}

/// The slots that a ruleset has and the next one has not.
pub(super) struct Left {
    slots: KVVec<u32>,
    /// For each slot of the chain, whether the next ruleset has it.
    kept: KVVec<bool>,
}

impl Left {
    /// The slots that `old` has and `new` has not.
    pub(super) fn of(old: &Ruleset, new: &Ruleset, slots: &Slots) -> Result<Self> {
        let mut left = Left {
            slots: KVVec::new(),
            kept: KVVec::new(),
        };
        left.kept.resize(slots.count(), false, GFP_KERNEL)?;
        for slot in new.slots() {
            if let Some(kept) = left.kept.get_mut(slot as usize) {
                *kept = true;
            }
        }
        for slot in old.slots() {
            if left.has(slot) {
                left.slots.push(slot, GFP_KERNEL)?;
            }
        }
        Ok(left)
    }

    /// Whether a slot of `old` is among them. One look, for it is asked of each packet that the chain holds, with a
    /// lock held that its packets take.
    pub(super) fn has(&self, slot: u32) -> bool {
        self.kept.get(slot as usize) == Some(&false)
    }

    /// All of them.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }
}

/// Why there can be no classifier.
fn refusal(error: classify::Error) -> Error {
    match error {
        classify::Error::TooManyRules | classify::Error::TooManyShapes(_) => E2BIG,
        classify::Error::NoRule(_) | classify::Error::NoMemory => EINVAL,
    }
}
