// SPDX-License-Identifier: GPL-2.0

//! N-tuple rules: `ethtool -n`, `-N`.
//!
//! A rule is inserted or replaced as a whole: memory for all is there before anything changes. Errors are numbers
//! only, since these commands have no way to say more.

use crate::limits::RULES_MAX;
use crate::port::Port;
use crate::rules::{self, Rule, Rules};
use crate::wire::Datapath;
use core::cmp::Ordering;
use kernel::prelude::*;
use netdev::device::Locked;
use netdev::errno::EOPNOTSUPP;
use netdev::ethtool::{FlowRule, RuleLocation, RuleLocations};
use netdev::features::Features;
use netdev::sync::Snapshot;

/// How many there are.
pub(super) fn count(dev: &mut Locked<'_, Port>) -> u32 {
    dev.state().rules.len() as u32
}

/// Lists where they are.
pub(super) fn list(dev: &mut Locked<'_, Port>, locations: &mut RuleLocations<'_>) {
    for rule in &dev.state().rules {
        locations.add(rule.location.into());
    }
}

/// Tells the one at a location.
pub(super) fn get(dev: &mut Locked<'_, Port>, location: u32) -> Result<FlowRule> {
    let rules = &dev.state().rules;
    let found = rules.iter().find(|r| u32::from(r.location) == location);
    found.map(|r| r.given).ok_or(ENOENT)
}

/// Inserts one.
pub(super) fn insert(dev: &mut Locked<'_, Port>, given: &FlowRule) -> Result<u32> {
    let on = dev.features().contains(Features::NTUPLE);
    let (device, state) = dev.parts();
    // On a wire that hands packets off the sender chooses the channel.
    if !on || device.data().wire.datapath() == Datapath::Handoff {
        return Err(EOPNOTSUPP());
    }
    let mut rule = Rule::new(given)?;
    if !state.can_do(rule.action) {
        return Err(EINVAL);
    }
    rule.location = place(&state.rules, &rule, given.location()?)?;
    let location = u32::from(rule.location);
    rule.given.set_location(location);

    let memory = Snapshot::init(Rules::none())?;
    state.rules.reserve(1, GFP_KERNEL_ACCOUNT)?;
    match find(&state.rules, rule.location) {
        Ok(at) => {
            if let Some(slot) = state.rules.get_mut(at) {
                *slot = rule;
            }
        }
        Err(at) => {
            // There is room. From the end it moves to its place.
            let mut i = state.rules.len();
            drop(state.rules.push_within_capacity(rule));
            while i > at {
                let before = i.wrapping_sub(1);
                if let Some([a, b]) = state.rules.get_mut(before..i.wrapping_add(1)) {
                    core::mem::swap(a, b);
                }
                i = before;
            }
        }
    }
    let end = device.data().end();
    end.steering.forget(location as u16);
    rules::publish(end, &state.rules, on, memory);
    Ok(location)
}

/// Where the rule at a location is among the others, which are in order, or where it would be.
fn find(rules: &[Rule], location: u16) -> core::result::Result<usize, usize> {
    let mut i = 0usize;
    for rule in rules {
        match rule.location.cmp(&location) {
            Ordering::Less => i = i.wrapping_add(1),
            Ordering::Equal => return Ok(i),
            Ordering::Greater => break,
        }
    }
    Err(i)
}

/// Chooses the location of a new rule.
fn place(rules: &[Rule], new: &Rule, wanted: RuleLocation) -> Result<u16> {
    let at = match wanted {
        RuleLocation::At(at) => {
            let at = u16::try_from(at).map_err(|_| EINVAL)?;
            return (usize::from(at) < RULES_MAX).then_some(at).ok_or(EINVAL);
        }
        special => special,
    };
    // One that matches the same is replaced.
    if let Some(same) = rules.iter().find(|r| r.matches_as(new)) {
        return Ok(same.location);
    }
    let free = |at: &u16| find(rules, *at).is_err();
    let mut all = 0..RULES_MAX as u16;
    let found = if at == RuleLocation::First {
        all.find(free)
    } else {
        all.rfind(free)
    };
    found.ok_or(ENOSPC)
}

/// Deletes the one at a location. Where there is none nothing is left to do: who inserted a rule that took the place
/// of another may delete both, as upstream's test of contexts does.
pub(super) fn delete(dev: &mut Locked<'_, Port>, location: u32) -> Result {
    let on = dev.features().contains(Features::NTUPLE);
    let (device, state) = dev.parts();
    let rules = &mut state.rules;
    if location as usize >= RULES_MAX {
        return Err(EINVAL);
    }
    let Some(at) = rules.iter().position(|r| u32::from(r.location) == location) else {
        return Ok(());
    };
    let memory = Snapshot::init(Rules::none())?;
    // It is there.
    drop(rules.remove(at));
    rules::publish(device.data().end(), rules, on, memory);
    Ok(())
}

/// Switches rules on or off (`ethtool -K ntuple`). They are kept meanwhile.
pub(crate) fn switch(dev: &mut Locked<'_, Port>, on: bool) -> Result {
    let (device, state) = dev.parts();
    let memory = Snapshot::init(Rules::none())?;
    rules::publish(device.data().end(), &state.rules, on, memory);
    Ok(())
}
