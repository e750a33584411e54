// SPDX-License-Identifier: GPL-2.0

//! Telling of changes of chains and rules.
//!
//! A change, or a transaction, has one generation, and all that is told of it carries that. Of a chain that stays, the
//! rules that have gone are told first, as they were, then those that have come or changed, by ascending position: who
//! applies one after the other has the rules in their order. Where more than [`RULES_MAX`] rules of a chain have
//! changed at once, one message says that they did; a client that wants to know them dumps the chain.
//!
//! Where nobody listens nothing is looked for or written.

use super::ruleset::Ruleset;
use super::table::Entry;
use crate::netlink::change::{self, ChainEvent, RuleEvent};
use kernel::prelude::*;
use netdev::rtnl::Net;

/// Rules of a chain that are told of one by one.
const RULES_MAX: usize = 64;

/// What changes of a chain concern.
#[derive(Default)]
pub(super) struct Touched {
    /// Handles; some more than once.
    rules: KVec<u32>,
    /// There are more.
    many: bool,
    /// The chain itself.
    chain: bool,
}

impl Touched {
    /// The chain itself is concerned.
    pub(super) fn chain(&mut self) {
        self.chain = true;
    }

    /// A rule is.
    pub(super) fn rule(&mut self, handle: u32) {
        if self.many || self.rules.contains(&handle) {
            return;
        }
        // Without memory it is told as if there were many.
        self.many = self.rules.len() >= RULES_MAX || self.rules.push(handle, GFP_KERNEL).is_err();
    }

    /// So many rules are.
    pub(super) fn rules(&mut self, count: usize, handles: impl Iterator<Item = u32>) {
        if count > RULES_MAX {
            self.many = true;
        } else {
            handles.for_each(|handle| self.rule(handle));
        }
    }
}

/// Tells of one change, or of one transaction.
pub(super) struct Teller<'a> {
    net: &'a Net,
    generation: u64,
    watched: bool,
}

impl<'a> Teller<'a> {
    pub(super) fn new(net: &'a Net, generation: u64) -> Self {
        Teller {
            net,
            generation,
            watched: change::is_watched(net),
        }
    }

    fn chain(&self, event: ChainEvent, entry: &Entry) {
        change::tell_chain(self.net, event, &entry.view(), self.generation);
    }

    fn rule(&self, event: RuleEvent, entry: &Entry, of: &Ruleset, position: u32) {
        if let Some(view) = entry.rule_view(of, position) {
            change::tell_rule(self.net, event, &view, self.generation);
        }
    }

    /// There is a new chain, with these rules.
    pub(super) fn begins(&self, entry: &Entry, touched: &Touched) {
        if !self.watched {
            return;
        }
        self.chain(ChainEvent::Added, entry);
        if touched.many {
            self.chain(ChainEvent::RulesReplaced, entry);
            return;
        }
        for position in 0..entry.rules.len() as u32 {
            self.rule(RuleEvent::Added, entry, &entry.rules, position);
        }
    }

    /// A chain has gone, and its rules with it.
    pub(super) fn ends(&self, entry: &Entry) {
        if self.watched {
            self.chain(ChainEvent::Deleted, entry);
        }
    }

    /// A chain has other rules or another policy than `before`.
    pub(super) fn changes(&self, entry: &Entry, before: &Ruleset, touched: &Touched) {
        if !self.watched {
            return;
        }
        if touched.chain {
            self.chain(ChainEvent::Changed, entry);
        }
        if touched.many {
            self.chain(ChainEvent::RulesReplaced, entry);
            return;
        }
        for handle in &touched.rules {
            if let (Some(position), None) = (before.find(*handle), entry.rules.find(*handle)) {
                self.rule(RuleEvent::Deleted, entry, before, position);
            }
        }
        for (position, handle) in entry.rules.handles().enumerate() {
            if touched.rules.contains(&handle) {
                let event = match before.find(handle) {
                    Some(_) => RuleEvent::Changed,
                    None => RuleEvent::Added,
                };
                self.rule(event, entry, &entry.rules, position as u32);
            }
        }
    }
}
