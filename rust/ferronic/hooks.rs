// SPDX-License-Identifier: GPL-2.0

//! Chains of rules at netfilter hooks: match, count, filter and disturb live packets.
//!
//! A part of its own, which the NIC does not know of: it works on the packets of any device. Documentation for users is
//! Documentation/hooks.md. A packet's way, with the file it passes:
//!
//! ```text
//!  a hook of the stack
//!    | netfilter calls               chain.rs
//!  walk: lacks it what all rules want? walk.rs (pure::rules::hull)
//!    read the fields,
//!    find the next rule that matches   (pure::rules::classify)
//!    count it                        counters.rs
//!    does it act this time?            (pure::rules::sequence)
//!    act
//!    |    hold, resume behind the hook  waiting.rs
//!    |    tell who listens              event.rs
//!    '--- until a rule ends the walk, or there is none left: the chain's policy
//! ```
//!
//! # Rulesets
//!
//! What a chain's packets go by is one immutable object ([`ruleset::Ruleset`]), published under RCU: policy, rules,
//! classifier. A change makes another one and swaps them, so that no packet sees half of a change, and the hook stays
//! registered. What rules count, and how often they have acted, is kept beside it, in slots that a rule keeps when the
//! ruleset is exchanged.
//!
//! # Locking
//!
//! The chains of a namespace ([`table::Table`]) are behind a mutex; the packet path takes no lock. RTNL > this mutex >
//! what netdev's service of hooks has. No namespace without chains has anything registered.

mod chain;
mod counters;
mod edited;
mod event;
mod rule;
mod ruleset;
pub(crate) mod table;
mod tell;
mod waiting;
mod walk;

pub(crate) use chain::{Name, NewChain, Policy, Site};
pub(crate) use event::Event;
pub(crate) use rule::{Extra, NewRule};
pub(crate) use table::{apply, ChainView, Change, Place, Refusal, RuleView, Table, Wrong, HOOKS};

use kernel::prelude::*;
use netdev::interface::Interface;
use netdev::namespace;
use netdev::netfilter::Service;
use netdev::notifier::{self, Watch, Watcher};
use netdev::rtnl::Rtnl;

/// What hooks need for as long as the module is there.
pub(crate) struct Hooks {
    // First: the chains go.
    _tables: namespace::Registration<Table>,
    _watcher: Watcher<Devices>,
    _service: Service,
}

impl Hooks {
    /// Makes them possible; nothing is registered at any hook.
    pub(crate) fn new() -> Result<Self> {
        let service = Service::new()?;
        let watcher = Watcher::new()?;
        Ok(Hooks {
            _tables: HOOKS.register()?,
            _watcher: watcher,
            _service: service,
        })
    }
}

/// Hears of devices that chains are at.
struct Devices;

impl Watch for Devices {
    fn event(event: notifier::Event, dev: &Interface, rtnl: &Rtnl) {
        if event == notifier::Event::Register {
            if let Some(tables) = HOOKS.get(dev.net(rtnl)) {
                tables.with(|table, _| table.device_came(dev, rtnl));
            }
        }
        // A packet that is held keeps its devices from going.
        if let (notifier::Event::Down | notifier::Event::Unregister, Some(tables)) =
            (event, HOOKS.get(dev.net(rtnl)))
        {
            tables.with(|table, net| {
                table.drop_at(dev);
                if event == notifier::Event::Unregister {
                    table.device_gone(dev.ifindex(), net);
                }
            });
        }
    }
}
