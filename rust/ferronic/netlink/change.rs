// SPDX-License-Identifier: GPL-2.0

//! `chain-add-ntf` to `rule-del-ntf`: what has changed about chains and rules.

use super::generated::{group, notification};
use super::{chain, rule, FAMILY};
use crate::hooks::{ChainView, RuleView};
use netdev::rtnl::Net;

/// What has become of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ChainEvent {
    /// It is new.
    Added,
    /// It has gone.
    Deleted,
    /// It has another policy, or counts anew.
    Changed,
    /// Too many of its rules have changed to tell of each.
    RulesReplaced,
}

/// What has become of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RuleEvent {
    /// It is new.
    Added,
    /// It has gone.
    Deleted,
    /// Another one stands in its place, or it counts anew.
    Changed,
}

/// Whether somebody listens.
pub(crate) fn is_watched(net: &Net) -> bool {
    FAMILY.has_listeners(net, group::HOOKS)
}

/// Tells of a chain. With the lock of the chains.
pub(crate) fn tell_chain(net: &Net, event: ChainEvent, view: &ChainView<'_>, generation: u64) {
    let command = match event {
        ChainEvent::Added => notification::CHAIN_ADD_NTF,
        ChainEvent::Deleted => notification::CHAIN_DEL_NTF,
        ChainEvent::Changed => notification::CHAIN_CHANGE_NTF,
        ChainEvent::RulesReplaced => notification::CHAIN_RULES_NTF,
    };
    FAMILY.notify(net, group::HOOKS, command, |w| {
        chain::put(view, generation, |r| r.put(w))
    });
}

/// Tells of a rule. With the lock of the chains.
pub(crate) fn tell_rule(net: &Net, event: RuleEvent, view: &RuleView<'_>, generation: u64) {
    let command = match event {
        RuleEvent::Added => notification::RULE_ADD_NTF,
        RuleEvent::Deleted => notification::RULE_DEL_NTF,
        RuleEvent::Changed => notification::RULE_CHANGE_NTF,
    };
    FAMILY.notify(net, group::HOOKS, command, |w| {
        rule::put(view, generation, |r| r.put(w))
    });
}
