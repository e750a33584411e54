// SPDX-License-Identifier: GPL-2.0

//! N-tuple rules and RSS contexts: frames that a rule matches go to a queue, to a context, or nowhere.
//!
//! The port keeps what its user set, under the instance lock; the other end's engine reads a snapshot of the rules,
//! and of each context. Without rules there is no snapshot, and the engine does not look at contexts.

use crate::limits::{CONTEXTS_MAX, RULES_MAX};
use crate::port::PortState;
use crate::steer::{Spread, SteerConfig, Way};
use crate::wire::End;
use kernel::prelude::*;
use netdev::context::Bh;
use netdev::ethtool::{FlowFields, FlowNetwork, FlowRule, RuleAction};
use netdev::sync::{AtomicWord, RcuOption, Snapshot};
use pure::header::{Headers, Tag};
use pure::ntuple::{self, Builder, Entry, Fields, Group, Key};
use pure::steer;
use pure::toeplitz::Memo;

/// What becomes of a frame that a rule matches.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Action {
    /// It is dropped and counted.
    #[default]
    Drop,
    /// It goes to this channel.
    Queue(u16),
    /// A context, or, as 0, what holds without rules, chooses the channel, `offset` from what its table says.
    Context { id: u16, offset: u16 },
}

/// A rule.
pub(crate) struct Rule {
    /// As the user gave it, with its location.
    pub(crate) given: FlowRule,
    pub(crate) location: u16,
    mask: Key,
    value: Key,
    pub(crate) action: Action,
}

impl Rule {
    /// From what the user gave, with a location that is to be set.
    ///
    /// # Errors
    ///
    /// `EINVAL` or `EOPNOTSUPP` if it says what cannot be.
    pub(crate) fn new(given: &FlowRule) -> Result<Self> {
        let matches = given.matches()?;
        let action = match given.action()? {
            RuleAction::Drop => Action::Drop,
            RuleAction::Queue(queue) => Action::Queue(queue.try_into().map_err(|_| EINVAL)?),
            RuleAction::Context { id, offset } => Action::Context {
                id: id.try_into().map_err(|_| EINVAL)?,
                offset: offset.try_into().map_err(|_| EINVAL)?,
            },
        };
        let (mut value, mut mask) = (fields(&matches.value), fields(&matches.mask));
        mask.version = 0xff;
        match matches.network {
            FlowNetwork::Any => mask.version = 0,
            FlowNetwork::Ipv4 => value.version = 4,
            FlowNetwork::Ipv6 => value.version = 6,
        }
        // What a frame does not have is no zero.
        if mask.transport != [0; 4] {
            mask.has |= ntuple::HAS_TRANSPORT;
        }
        if mask.tag_protocol != 0 || mask.tag_control != 0 {
            mask.has |= ntuple::HAS_TAG;
        }
        value.has = mask.has;
        Ok(Rule {
            given: *given,
            location: 0,
            value: value.key().masked(&mask.key()),
            mask: mask.key(),
            action,
        })
    }

    /// Whether both match the same frames.
    pub(crate) fn matches_as(&self, other: &Rule) -> bool {
        self.mask == other.mask && self.value == other.value
    }
}

/// The fields of the user's rule in the words of the engine.
fn fields(from: &FlowFields) -> Fields {
    Fields {
        destination: from.destination,
        source: from.source,
        ethertype: from.ethertype,
        tag_protocol: from.vlan_protocol,
        tag_control: from.vlan_control,
        has: 0,
        version: 0,
        protocol: from.protocol,
        tos: from.tos,
        transport: from.transport,
        source_address: from.source_address,
        destination_address: from.destination_address,
    }
}

/// A snapshot of the rules.
pub(crate) struct Rules {
    groups_used: u16,
    groups: [Group; RULES_MAX],
    entries: [Entry; RULES_MAX],
    /// By location.
    actions: [Action; RULES_MAX],
}

impl Rules {
    /// No rules.
    pub(crate) fn none() -> impl Init<Self> {
        init!(Rules {
            groups_used: 0,
            groups <- pin_init::init_array_from_fn(|_| Group::default()),
            entries <- pin_init::init_array_from_fn(|_| Entry::default()),
            actions <- pin_init::init_array_from_fn(|_| Action::default()),
        })
    }

    /// Sets it from a list, which is in order of location.
    pub(crate) fn set(&mut self, list: &[Rule]) {
        let mut builder = Builder::new(&mut self.groups, &mut self.entries);
        for rule in list {
            // There is room: there are no more rules than locations.
            builder.add(&rule.mask, &rule.value, rule.location);
            if let Some(action) = self.actions.get_mut(usize::from(rule.location)) {
                *action = rule.action;
            }
        }
        self.groups_used = builder.groups();
    }

    /// The rule that holds for a frame, by its location, and what it says. `tag` is the VLAN tag, protocol and control
    /// information, that travels beside the frame.
    fn find(
        &self,
        frame: &[u8],
        headers: &Headers,
        tag: Option<(u16, u16)>,
    ) -> Option<(u16, Action)> {
        let tag = tag.map(|(protocol, control)| Tag { protocol, control });
        let key = Fields::of(frame, headers, tag).key();
        let groups = self.groups.get(..usize::from(self.groups_used))?;
        let location = ntuple::lookup(groups, &self.entries, &key)?;
        Some((location, *self.actions.get(usize::from(location))?))
    }
}

/// What the other end's engine sees of rules and contexts.
pub(crate) struct Steering {
    pub(crate) rules: RcuOption<Rules>,
    /// By number.
    contexts: KVec<RcuOption<Spread>>,
    /// Frames that each rule was applied to, by location.
    hits: KVec<AtomicWord>,
}

impl Steering {
    /// Without rules and contexts.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut contexts = KVec::with_capacity(CONTEXTS_MAX, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..CONTEXTS_MAX {
            contexts.push(RcuOption::empty(), GFP_KERNEL_ACCOUNT)?;
        }
        let mut hits = KVec::with_capacity(RULES_MAX, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..RULES_MAX {
            hits.push(AtomicWord::new(0), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Steering {
            rules: RcuOption::empty(),
            contexts,
            hits,
        })
    }

    /// Where a frame goes when there are `rules`; `spread` is what holds without them.
    #[allow(clippy::too_many_arguments)]
    #[inline(never)]
    pub(crate) fn way(
        &self,
        rules: &Rules,
        spread: &Spread,
        frame: &[u8],
        headers: &Headers,
        tag: Option<(u16, u16)>,
        memo: &mut Memo,
        bh: &Bh<'_>,
    ) -> Way {
        let Some((rule, action)) = rules.find(frame, headers, tag) else {
            return spread.way(frame, headers, memo);
        };
        let mut way = match action {
            Action::Drop | Action::Queue(_) | Action::Context { id: 0, .. } => {
                spread.way(frame, headers, memo)
            }
            Action::Context { id, .. } => match self.contexts.get(usize::from(id)) {
                // A context that has just gone, with its rules, may still be in this snapshot.
                Some(context) => context
                    .read(bh)
                    .unwrap_or(spread)
                    .way_within(frame, headers, memo),
                None => spread.way(frame, headers, memo),
            },
        };
        way.rule = rule;
        way.channel = match action {
            Action::Drop => Way::NOWHERE,
            Action::Queue(channel) => channel,
            Action::Context { offset, .. } => way.channel.wrapping_add(offset),
        };
        way
    }

    /// Counts a frame that a rule was applied to.
    pub(crate) fn hit(&self, rule: u16, frames: u32) {
        if let Some(hits) = self.hits.get(usize::from(rule)) {
            hits.fetch_add(frames.into());
        }
    }

    /// Frames that the rule at a location was applied to.
    pub(crate) fn hits(&self, location: u16) -> u64 {
        self.hits
            .get(usize::from(location))
            .map_or(0, AtomicWord::read)
    }

    /// A new rule begins there.
    pub(crate) fn forget(&self, location: u16) {
        if let Some(hits) = self.hits.get(usize::from(location)) {
            hits.xchg(0);
        }
    }

    /// Lets the engine spread by a context, or know no such any more.
    pub(crate) fn publish_context(&self, id: u32, spread: Option<Snapshot<Spread>>) {
        if let Some(context) = self.contexts.get(id as usize) {
            context.publish(spread);
        }
    }
}

/// An RSS context.
pub(crate) struct Context {
    pub(crate) id: u32,
    pub(crate) config: SteerConfig,
}

/// A snapshot of RSS as `config` has it, with its own table or another.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn snapshot(config: &SteerConfig, table: &[u16]) -> Result<Snapshot<Spread>> {
    let mut spread = Snapshot::init(Spread::none())?;
    spread.get_mut().set(config, table);
    Ok(spread)
}

impl PortState {
    /// What the user set of a context, or, as 0, without one.
    pub(crate) fn rss(&self, context: u32) -> Option<&SteerConfig> {
        if context == 0 {
            return Some(&self.steer);
        }
        let found = self.contexts.iter().find(|c| c.id == context);
        found.map(|c| &c.config)
    }

    /// Whether all rules lead to channels that there are, if the table of `context`, 0 being that without one, is
    /// `table`; another context is as it is.
    pub(crate) fn rules_fit(&self, channels: u32, context: u32, table: &[u16]) -> bool {
        self.rules
            .iter()
            .all(|r| self.fits(r.action, channels, context, table))
    }

    /// [`rules_fit`](Self::rules_fit) for one rule.
    fn fits(&self, action: Action, channels: u32, context: u32, table: &[u16]) -> bool {
        let highest = match action {
            Action::Drop => return true,
            Action::Queue(channel) => u32::from(channel),
            Action::Context { id, offset } => {
                let id = u32::from(id);
                let table = if id == context {
                    Some(table)
                } else {
                    self.rss(id).map(|c| c.indirection.as_slice())
                };
                match table.and_then(steer::highest) {
                    Some(highest) => highest.wrapping_add(offset.into()),
                    None => return false,
                }
            }
        };
        highest < channels
    }

    /// Whether a rule that does this can be: it leads to channels that there are.
    pub(crate) fn can_do(&self, action: Action) -> bool {
        self.fits(action, self.channels, 0, &self.steer.indirection)
    }
}

/// Lets the other end's engine steer by a list of rules, or by none if they are switched off. `empty` is memory for it.
pub(crate) fn publish(end: &End, list: &[Rule], on: bool, mut empty: Snapshot<Rules>) {
    if list.is_empty() || !on {
        end.steering.rules.publish(None);
        return;
    }
    empty.get_mut().set(list);
    end.steering.rules.publish(Some(empty));
}
